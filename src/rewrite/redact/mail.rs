//! Addresses of e-mail.

use std::ops::Range;

const LONGEST_LOCAL: usize = 64;
const LONGEST_DOMAIN: usize = 253;

/// Ends of names of files, of systemd and of Kubernetes, which are no domains.
const OTHERS: [&str; 37] = [
    "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico", "css", "scss", "js", "mjs", "cjs", "jsx",
    "tsx", "html", "json", "yaml", "yml", "tgz", "gz", "tar", "jar", "war", "exe", "dll", "log", "service",
    "socket", "timer", "mount", "target", "slice", "scope", "device", "swap", "svc",
];

/// The address around the `@` at `at`.
pub fn find(text: &[u8], at: usize) -> Option<Range<usize>> {
    let local = local(&text[..at])?;
    let domain = domain(&text[at + 1..]).or_else(|| foreign_domain(&text[at + 1..]))?;
    let end = at + 1 + domain;
    if is_other(&text[local..at], &text[at + 1..end], &text[end..]) || is_user_of_url(text, local) {
        return None;
    }
    Some(local..end)
}

/// The start of the name before the sign.
fn local(before: &[u8]) -> Option<usize> {
    let is_local =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'~' | b'-' | b'\'');
    let length = before.iter().rev().take(LONGEST_LOCAL + 1).take_while(|byte| is_local(byte)).count();
    let name = &before[before.len() - length..];
    // Of other letters than those of ASCII, unless a word may stand before the name.
    if name.first().is_none_or(|first| !first.is_ascii_alphabetic())
        && let Some(start) = foreign(&before[..before.len() - length])
    {
        return Some(start);
    }
    let outside = name.iter().take_while(|byte| matches!(byte, b'.' | b'-' | b'\'' | b'+' | b'~')).count();
    let is_bounded = before.len() == length || !before[before.len() - length - 1].is_ascii_alphanumeric();
    (outside < name.len() && length <= LONGEST_LOCAL && is_bounded).then_some(before.len() - length + outside)
}

/// The length of the domain at the start.
fn domain(text: &[u8]) -> Option<usize> {
    let is_domain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let length = text.iter().take(LONGEST_DOMAIN + 1).take_while(|byte| is_domain(byte)).count();
    let mut domain = text.get(..length).filter(|domain| domain.len() <= LONGEST_DOMAIN)?;
    while let [rest @ .., b'.' | b'-'] = domain {
        domain = rest;
    }
    // A sentence may go on without a blank, as in `a@b.com.Next`, and so may a path.
    let is_label = |label: &&[u8]| !label.is_empty() && label.len() < 64 && label[0] != b'-';
    let mut labels = domain.split(|byte| *byte == b'.');
    if !labels.all(|label| is_label(&label)) {
        return None;
    }
    let last = domain.iter().rposition(|byte| *byte == b'.')?;
    let top = &domain[last + 1..];
    let is_top =
        (2..=24).contains(&top.len()) && top.iter().all(u8::is_ascii_alphabetic) || top.starts_with(b"xn--");
    is_top.then_some(domain.len())
}

/// The start of the letters that end here, if they are none of ASCII.
fn foreign(before: &[u8]) -> Option<usize> {
    let length = before.iter().rev().take(LONGEST_LOCAL).take_while(|byte| !byte.is_ascii()).count();
    let word = str::from_utf8(&before[before.len() - length..]).ok()?;
    let letters: usize = word.chars().rev().take_while(|c| c.is_alphanumeric()).map(char::len_utf8).sum();
    (letters > 0).then(|| before.len() - letters)
}

/// Ends of domains in other letters. A particle may follow one.
const TOPS: [&str; 12] =
    ["한국", "닷컴", "닷넷", "삼성", "中国", "中國", "公司", "香港", "台灣", "みんな", "コム", "рф"];

/// The length of a domain with letters that are none of ASCII.
fn foreign_domain(text: &[u8]) -> Option<usize> {
    let text = &text[..text.len().min(LONGEST_DOMAIN)];
    let text = match str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => str::from_utf8(&text[..error.valid_up_to()]).ok()?,
    };
    let is_domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
    let domain = text.split(|c| !is_domain(c)).next()?.trim_end_matches(['.', '-']);
    let (labels, top) = domain.rsplit_once('.')?;
    let ascii = top.bytes().take_while(u8::is_ascii_alphabetic).count();
    let foreign = TOPS.iter().find(|known| top.starts_with(**known)).map(|known| known.len());
    let length = foreign.or_else(|| (ascii >= 2).then_some(ascii))?;
    (!labels.is_ascii() && !labels.split('.').any(str::is_empty)).then_some(labels.len() + 1 + length)
}

/// `git@github.com:a/b`, `user@2x.png`, `user@1000.service`, `app@10-0-0-1.default.pod.cluster.local`.
fn is_other(local: &[u8], domain: &[u8], after: &[u8]) -> bool {
    let top = domain.rsplit(|byte| *byte == b'.').next().unwrap_or_default().to_ascii_lowercase();
    let is_scale = domain.len() > 2 && domain[0].is_ascii_digit() && matches!(domain[1..], [b'x', b'.', ..]);
    let is_remote = local == b"git"
        || after.first() == Some(&b':')
            && after.get(1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'~')
            && after.contains(&b'/')
            && is_path(&after[1..]);
    is_scale
        || is_remote
        || OTHERS.iter().any(|other| other.as_bytes() == top)
        || domain.ends_with(b".cluster.local")
}

/// Whether a path without blanks begins here, as of a remote of git or of scp.
fn is_path(text: &[u8]) -> bool {
    let word = text
        .split(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\''))
        .next()
        .unwrap_or_default();
    word.contains(&b'/')
}

/// Whether the name is the user of a URL, which logs in at a host.
fn is_user_of_url(text: &[u8], local: usize) -> bool {
    let before = &text[..local];
    before.ends_with(b"://")
        || before.ends_with(b":") && {
            let is_user =
                |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'%' | b'~');
            let user =
                before[..local - 1].iter().rev().take(LONGEST_LOCAL).take_while(|byte| is_user(byte)).count();
            before[..local - 1 - user].ends_with(b"://")
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let at = text.find('@').unwrap();
        find(text.as_bytes(), at).map(|range| &text[range])
    }

    #[test]
    fn an_address_has_a_name_and_a_domain() {
        for (text, address) in [
            ("to alice@example.com.", "alice@example.com"),
            ("<Bob.O'Neil+tag@mail.example.co.uk>", "Bob.O'Neil+tag@mail.example.co.uk"),
            ("email=alice@example.com&x", "alice@example.com"),
            ("'alice@example.com'", "alice@example.com"),
            ("메일은alice@example.com입니다", "alice@example.com"),
            ("mailto:a_b-c@123.com", "a_b-c@123.com"),
            ("to 김민수@example.com.", "김민수@example.com"),
            ("김민수.1@example.com", "김민수.1@example.com"),
            ("<a1@예제.한국>", "a1@예제.한국"),
            ("a1@예제.한국입니다", "a1@예제.한국"),
            ("a1@메일.예제.com으로", "a1@메일.예제.com"),
            ("alice@example.com: no such user", "alice@example.com"),
        ] {
            assert_eq!(found(text), Some(address), "{text}");
        }
    }

    #[test]
    fn other_uses_of_the_sign_are_none() {
        for text in [
            "git@github.com:a/b",
            "img/user@2x.png",
            "user@1000.service",
            "image@sha256:abc",
            "react@18.2.0",
            "lodash@4.17.21.tgz",
            "@types/node",
            "a @ b.com",
            "x@y",
            "root@10.0.0.1",
            "https://alice@example.com/",
            "deploy@host.example.com:srv/app",
            "rabbit@mq-0.mq.default.svc.cluster.local",
            "@Override.foo",
            "회의 @홍길동.팀장",
            "담당@홍길동",
            "com.example.Foo@1a2b3c4d",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
