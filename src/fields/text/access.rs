//! Access lines: a request and the status of its answer, which gives the level.

use super::{Rest, cursor::Cursor};
use crate::fields::{Role, Span, Tape, found, level, time};

/// How far the request may stand from the beginning.
const SOUGHT: usize = 256;

/// Reads a line of Apache, nginx, Envoy and their kin: `… "GET /path HTTP/1.1" 200 …`
pub(super) fn read(line: &[u8], start: usize, tape: &mut Tape) -> Option<Rest> {
    let Some((open, request)) = request(line, start) else { return haproxy(line, start, tape) };
    before(line, start, open, tape);
    let [method, path, protocol] = request.parts;
    for (name, part) in [("method", method), ("path", path), ("protocol", protocol)] {
        tape.named(None, name, part);
    }
    let status = tape.named(None, "status", request.status);
    tape.found.roles[Role::Level as usize] = None;
    tape.found.level = found::whole(request.status.of_message(line)).map(level::status);
    let _ = status;
    after(line, request.status.end as usize, tape);
    Some(Rest::Done)
}

/// `1.2.3.4:1234 [time] frontend backend/server 0/0/1/2/3 503 212 - - … "GET /path HTTP/1.1"`
fn haproxy(line: &[u8], start: usize, tape: &mut Tape) -> Option<Rest> {
    let mut cursor = Cursor::new(line, start);
    let client = cursor.until(b" [")?;
    client.of_message(line).first().filter(|first| first.is_ascii_hexdigit())?;
    cursor.at -= 1;
    let stamp = cursor.enclosed(b'[', b']')?;
    time::stamp(stamp.of_message(line))?;
    tape.named(None, "client", client);
    tape.named(Some(Role::Time), "time", stamp);
    for (name, slashes) in [("frontend", 0), ("backend", 1), ("timers", 4)] {
        cursor.spaces();
        let word = cursor.word();
        let count = memchr::memchr_iter(b'/', word.of_message(line)).count();
        (!word.is_empty() && count == slashes).then_some(())?;
        tape.named(None, name, word);
    }
    cursor.spaces();
    let status = cursor.digits().filter(|status| status.of_message(line).len() == 3)?;
    tape.named(None, "status", status);
    tape.found.level = found::whole(status.of_message(line)).map(level::status);
    after(line, cursor.at, tape);
    Some(Rest::Done)
}

struct Request {
    parts: [Span; 3],
    status: Span,
}

/// The place of the quote before the request, and the request.
fn request(line: &[u8], start: usize) -> Option<(usize, Request)> {
    let sought = &line[start..line.len().min(start + SOUGHT)];
    let open = start + memchr::memchr(b'"', sought)?;
    let mut cursor = Cursor::new(line, open + 1);
    let method = cursor.word_of(|byte| byte.is_ascii_uppercase());
    if method.of_message(line).len() < 3 || !cursor.eat(b" ") {
        return None;
    }
    let path = cursor.word_of(|byte| byte != b' ' && byte != b'"');
    cursor.eat(b" ").then_some(())?;
    let protocol = cursor.word_of(|byte| byte != b' ' && byte != b'"');
    let is_http = protocol.of_message(line).starts_with(b"HTTP/");
    (is_http && cursor.eat(b"\" ")).then_some(())?;
    let status = cursor.digits()?;
    let is_status = (1..=3).contains(&status.of_message(line).len());
    is_status.then_some((open, Request { parts: [method, path, protocol], status }))
}

/// `1.2.3.4 - user [time] `, `[time] `
fn before(line: &[u8], start: usize, end: usize, tape: &mut Tape) {
    let line = &line[..end];
    let mut cursor = Cursor::new(line, start);
    let names = ["client", "ident", "user"];
    let mut names = names.into_iter();
    while cursor.at < end {
        cursor.spaces();
        if let Some(inside) = cursor.enclosed(b'[', b']') {
            let is_time = time::stamp(inside.of_message(line)).is_some();
            let name = if is_time { "time" } else { "context" };
            tape.named(is_time.then_some(Role::Time), name, inside);
            continue;
        }
        let word = cursor.word();
        if word.is_empty() {
            break;
        }
        let name = names.next().unwrap_or("context");
        if word.of_message(line) != b"-" {
            tape.named(None, name, word);
        }
    }
}

/// ` 1232 "referer" "agent" …`
fn after(line: &[u8], from: usize, tape: &mut Tape) {
    let mut cursor = Cursor::new(line, from);
    cursor.spaces();
    let before = cursor.at;
    match cursor.digits() {
        Some(bytes) if cursor.peek().is_none_or(|byte| byte == b' ') => {
            tape.named(None, "bytes", bytes);
        }
        _ => cursor.at = before,
    }
    for name in ["referer", "user_agent"] {
        let mut quoted = cursor;
        quoted.spaces();
        if !quoted.eat(b"\"") {
            break;
        }
        let Some(length) = memchr::memchr(b'"', quoted.rest()) else { break };
        let inside = Span::of(quoted.at, quoted.at + length);
        if !matches!(inside.of_message(line), b"-" | b"") {
            tape.named(None, name, inside);
        }
        quoted.at += length + 1;
        cursor = quoted;
    }
    let rest = Span::of(cursor.at, line.len()).trimmed(line);
    if !rest.is_empty() {
        tape.named(None, "rest", rest);
    }
}
