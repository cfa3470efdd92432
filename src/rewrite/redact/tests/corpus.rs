//! Many lines that must not change, and many values that must not survive, however they are written.

use std::fs;

use fastrand::Rng;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::*;

fn digits(rng: &mut Rng, count: usize) -> String {
    (0..count).map(|_| rng.digit(10)).collect()
}

fn word(rng: &mut Rng, count: usize) -> String {
    (0..count).map(|_| rng.alphanumeric()).collect()
}

fn hex(rng: &mut Rng, count: usize) -> String {
    (0..count).map(|_| rng.digit(16)).collect()
}

fn uuid(rng: &mut Rng) -> String {
    [8, 4, 4, 4, 12].map(|count| hex(rng, count)).join("-")
}

/// A line without a value, of the kind with this number.
fn ordinary(rng: &mut Rng, kind: usize) -> String {
    let (small, time) = (rng.u32(0..60), rng.u64(1_483_228_800_000..1_830_000_000_000));
    match kind % 20 {
        0 => format!(
            r#"I0629 08:00:{small:02}.{} 1 pod.go:9] "Started" pod="a/b-{}""#,
            digits(rng, 6),
            hex(rng, 9)
        ),
        1 => format!(r#"Pulled "registry.k8s.io/pause@sha256:{}" in 1.{}s"#, hex(rng, 64), digits(rng, 9)),
        2 => format!(r#"{{"time":{time},"pid":{small},"reqId":"{}"}}"#, uuid(rng)),
        3 => format!(r#"{{"trace_id":"{}","span_id":"{}","ns":{time}000000}}"#, hex(rng, 32), hex(rng, 16)),
        4 => {
            let length = rng.usize(6..15);
            format!("order {} shipped, total $1,2{small:02}.50", digits(rng, length))
        }
        5 => format!(
            r#"10.1.2.{small} - - [31/Jan/2026:12:00:{small:02} +0900] "GET /i/{} HTTP/1.1" 200 12"#,
            digits(rng, 9)
        ),
        6 => format!("commit {} Merge branch v1.{small}.3-rc.1+{}", hex(rng, 40), digits(rng, 8)),
        7 => format!("ts=2026-01-31T12:00:{small:02}.{}Z resourceVersion={}", digits(rng, 9), digits(rng, 9)),
        8 => format!("lat=37.{} lon=-122.{}", digits(rng, 10), digits(rng, 12)),
        9 => format!("Started user@{small}.service - session {small} of root, img/logo@2x.png"),
        10 => format!("clone git@github.com:org/repo-{}.git", hex(rng, 7)),
        11 => format!("tokens={small} token_type=bearer token_length={small} max_tokens=4096"),
        12 => format!(r#"failed to list *v1.Secret: secrets "db-{}" is forbidden"#, hex(rng, 9)),
        13 => format!(
            "snowflake message_id={} channel_id={}",
            rng.u64(1 << 60..1 << 61),
            rng.u64(1 << 60..1 << 61)
        ),
        14 => {
            let length = rng.usize(1..13);
            format!("n={} took {small}ms", digits(rng, length))
        }
        15 => [1, 2, 3, 5, 6, 8].map(|length| digits(rng, length)).join(" "),
        16 => format!("traceparent: 00-{}-{}-01", hex(rng, 32), hex(rng, 16)),
        17 => format!("node mac {} fe80::{}", [2; 6].map(|count| hex(rng, count)).join(":"), hex(rng, 4)),
        18 => format!("backup 20260131-1200{small:02}.tar.gz of {} bytes", digits(rng, 11)),
        _ => format!("password policy enabled, invalid token: expired, key id {}", uuid(rng)),
    }
}

#[test]
fn ordinary_lines_do_not_change() {
    let mut rng = Rng::with_seed(14);
    let mut lines: Vec<String> = (0..2000).map(|kind| ordinary(&mut rng, kind)).collect();
    for file in fs::read_dir("tests/fixtures/loggers").unwrap() {
        let text = fs::read(file.unwrap().path()).unwrap();
        lines.extend(String::from_utf8_lossy(&text).lines().map(str::to_owned));
    }
    let mut redactor = redactor(Kinds::usual());
    let changed: Vec<_> =
        lines.iter().filter(|line| redactor.message(line.as_bytes(), &mut Vec::new())).collect();
    assert_eq!(changed, Vec::<&String>::new(), "of {}", lines.len());
}

fn with_check(mut card: String) -> String {
    let check = ('0'..='9').find(|check| check::luhn(format!("{card}{check}").as_bytes()));
    card.extend(check);
    card
}

/// A value of the kind with this number.
fn value(rng: &mut Rng, kind: usize) -> String {
    match kind % 20 {
        0 => format!("{}.{}@mail.example.co.kr", word(rng, 5), word(rng, 4)),
        1 => format!("010-{}-{}", digits(rng, 4), digits(rng, 4)),
        2 => format!("+82 10-{}-{}", digits(rng, 4), digits(rng, 4)),
        3 => format!("+1 (415) 555-{}", digits(rng, 4)),
        4 => format!("02-3{}-{}", digits(rng, 3), digits(rng, 4)),
        5 => format!(
            "8{}0{}1{}-{}{}",
            rng.u32(0..9),
            rng.u32(1..9),
            rng.u32(0..9),
            rng.u32(1..9),
            digits(rng, 6)
        ),
        6 => with_check(format!("4{}", digits(rng, 14))),
        7 => {
            let card = with_check(format!("55{}", digits(rng, 13)));
            [&card[..4], &card[4..8], &card[8..12], &card[12..]].join(" ")
        }
        8 => with_check(format!("37{}", digits(rng, 12))),
        9 => (10..97)
            .map(|check| (check, digits(rng, 18)))
            .flat_map(|(_, rest)| (0..97).map(move |check| format!("DE{check:02}{rest}")))
            .find(|account| check::is_iban(account.as_bytes()))
            .unwrap(),
        10 => format!("{}-{}-{}", rng.u32(101..600), rng.u32(10..99), rng.u32(1000..9999)),
        11 => format!("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ{}.{}", word(rng, 20), word(rng, 43)),
        // Such strings in a file would alarm those who look for keys.
        12 => format!("{}_{}", ["gh", "p"].concat(), word(rng, 36)),
        13 => format!("{}{}", ["AK", "IA"].concat(), (0..16).map(|_| rng.uppercase()).collect::<String>()),
        14 => format!("{}live_{}", ["sk", "_"].concat(), word(rng, 24)),
        15 => format!("{}-{}", ["gl", "pat"].concat(), word(rng, 20)),
        16 => format!("{}b-{}-{}", ["xo", "x"].concat(), digits(rng, 11), word(rng, 24)),
        17 => format!("{}{}", ["AI", "za"].concat(), word(rng, 35)),
        18 => format!("{}.{}", ["hv", "s"].concat(), word(rng, 24)),
        _ => format!("-----BEGIN {0} KEY-----{1}-----END {0} KEY-----", "PRIVATE", word(rng, 64)),
    }
}

/// A value in plain text, JSON, a URL, logfmt, and between colours.
fn written(value: &str) -> [String; 5] {
    let middle = value.len() / 2;
    [
        format!("결제 {value} 처리: done in 12ms"),
        serde_json::json!({"level": "info", "msg": format!("got {value}\n"), "n": 1}).to_string(),
        format!("GET /x?v={}&y=1 HTTP/1.1", utf8_percent_encode(value, NON_ALPHANUMERIC)),
        format!("level=info v=\"{value}\" n=1"),
        format!("x \u{1b}[32m{}\u{1b}[0m{} y", &value[..middle], &value[middle..]),
    ]
}

/// A secret behind a key, in the same ways.
fn keyed(rng: &mut Rng) -> (String, [String; 5]) {
    let keys = [
        "password",
        "client_secret",
        "apiKey",
        "accessToken",
        "DB_PASSWORD",
        "X-Api-Key",
        "passwd",
        "비밀번호",
    ];
    let key = keys[rng.usize(..keys.len())];
    let secret = format!("{}#!{}", word(rng, 4), word(rng, 5));
    let url = utf8_percent_encode(&secret, NON_ALPHANUMERIC);
    let written = [
        format!("{key}={secret} user=x"),
        serde_json::json!({"a": 1, key: secret, "z": [1]}).to_string(),
        format!("GET /x?{key}={url}&y=1 HTTP/1.1"),
        format!("level=info {key}=\"{secret}\" n=1"),
        format!("\u{1b}[36m{key}=\u{1b}[0m{}\u{1b}[1m{}\u{1b}[0m n=1", &secret[..3], &secret[3..]),
    ];
    (secret, written)
}

#[test]
fn values_do_not_survive_however_they_are_written() {
    let mut rng = Rng::with_seed(15);
    for kind in 0..1000 {
        let (value, lines) = match kind % 25 {
            0..5 => keyed(&mut rng),
            _ => {
                let value = value(&mut rng, kind);
                let lines = written(&value);
                (value, lines)
            }
        };
        for line in lines {
            let masked = redacted(&line);
            // Neither as it is written, nor most of it.
            let bare = |text: &str| {
                let text = View::new(text.as_bytes()).text().to_vec();
                String::from_utf8_lossy(&text).chars().filter(|c| c.is_alphanumeric()).collect::<String>()
            };
            assert!(masked.contains('‹') && !bare(&masked).contains(&bare(&value)), "{line}\n{masked}");
            assert_eq!(redacted(&masked), masked, "{line}");
            if line.starts_with('{') {
                assert!(serde_json::from_str::<serde::de::IgnoredAny>(&masked).is_ok(), "{masked}");
            }
        }
    }
}

/// Pieces of which lines are made that are hard to read.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"alice@example.com".to_vec()),
        Just(b"4111 1111 1111 1111".to_vec()),
        Just(b"password".to_vec()),
        Just(b"{\"name\":\"password\",\"value\":".to_vec()),
        Just(b"Bearer abc.def-123".to_vec()),
        Just(b"-----BEGIN PRIVATE KEY-----".to_vec()),
        Just("‹email:7f3a9c2e›".as_bytes().to_vec()),
        Just("‹secret›".as_bytes().to_vec()),
        Just(b"\\u0040".to_vec()),
        Just(b"%40".to_vec()),
        Just(b"\x1b[31m".to_vec()),
        "[ =:\"'\\\\{}\\[\\],;&?+.@%-]{1,3}".prop_map(String::into_bytes),
        "[0-9]{1,13}".prop_map(String::into_bytes),
        "[a-zA-Z]{1,8}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..3),
    ];
    proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn redaction_is_stable_idempotent_and_changes_nothing_else(line in pieces()) {
        let mut redactor = redactor(Kinds::all());
        let mut once = Vec::new();
        if redactor.message(&line, &mut once) {
            let mut again = Vec::new();
            prop_assert!(redactor.message(&line, &mut again));
            prop_assert_eq!(&again, &once);
            // What stands outside the masks is a part of the line, in order.
            let mut rest = &line[..];
            let mut done = 0;
            let masks: Vec<_> = mask::masks(&once).collect();
            for end in masks.iter().map(|mask| mask.start).chain([once.len()]) {
                // A value without quotes in JSON gets some with its mask.
                let is_quote = |byte: &u8| matches!(byte, b'"' | b'\\');
                let first = once[done..end].iter().take_while(|byte| done > 0 && is_quote(byte)).count();
                let last = once[done + first..end].iter().rev().take_while(|byte| is_quote(byte)).count();
                for byte in &once[done + first..end - last] {
                    let at = rest.iter().position(|other| other == byte);
                    prop_assert!(at.is_some(), "{:?}", String::from_utf8_lossy(&once));
                    rest = &rest[at.unwrap() + 1..];
                }
                done = masks.iter().find(|mask| mask.start == end).map_or(end, |mask| mask.end);
            }
            let mut twice = Vec::new();
            let changed = redactor.message(&once, &mut twice);
            prop_assert!(!changed, "{:?} {:?} {:?}", String::from_utf8_lossy(&line), String::from_utf8_lossy(&once), String::from_utf8_lossy(&twice));
        }
    }
}

#[test]
fn hard_lines_are_read_once() {
    let mut redactor = redactor(Kinds::all());
    for piece in [
        "1",
        "1 ",
        "1-",
        "@",
        "a@",
        "a@b.",
        "=",
        "ey",
        "eyJ",
        "eyJ.",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "password=",
        "password=\"",
        "pass",
        "token:",
        "://a:b@",
        "Bearer ",
        "\\\"",
        "%25",
        "\u{1b}[",
        "+1",
        "DE44 ",
        "AKIA",
        "{",
        "‹",
        "key\":[",
        "{\"name\":\"password\",",
        "{\"a\":\"\\\"name\\\":\\\"password\\\",",
    ] {
        let line = piece.repeat((64 << 10) / piece.len());
        redactor.message(line.as_bytes(), &mut Vec::new());
    }
}
