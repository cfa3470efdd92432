//! Heads with a shape of their own: klog, Ruby, PostgreSQL, Redis, nginx and gin.

use super::{Rest, cursor::Cursor};
use crate::fields::{Level, Role, Span, Tape, found, level, logfmt, time};

/// Reads a line of one of these programs.
pub(super) fn read(line: &[u8], start: usize, tape: &mut Tape) -> Option<Rest> {
    let state = (tape.nodes.len(), tape.found);
    let readers: &[fn(Cursor<'_>, &mut Tape) -> Option<Rest>] = match line.get(start)? {
        b'A'..=b'Z' => &[klog, ruby, postgres_bare, php, util_logging],
        b'[' => &[gin, php, monolog, nest, tornado, postgres_prefixed],
        b'0'..=b'9' => &[postgres, redis, nginx, postgres_prefixed],
        b'=' => &[erlang],
        b'a'..=b'z' => &[bitnami],
        _ => &[],
    };
    readers.iter().find_map(|read| {
        let rest = read(Cursor::new(line, start), tape);
        if rest.is_none() {
            tape.nodes.truncate(state.0);
            tape.found = state.1;
        }
        rest
    })
}

fn set_level(tape: &mut Tape, span: Span, level: Level) {
    tape.found.roles[Role::Level as usize] = None;
    tape.named(Some(Role::Level), "level", span);
    tape.found.level = Some(level);
}

/// `I1025 00:15:15.525108       1 controller_utils.go:116] "Pod status updated" pod="a"`
fn klog(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    let line = cursor.line;
    let letter = Span::of(cursor.at, cursor.at + 1);
    let level = match cursor.peek()? {
        b'I' => Level::Info,
        b'W' => Level::Warn,
        b'E' => Level::Error,
        b'F' | b'C' => Level::Fatal,
        b'D' => Level::Debug,
        _ => return None,
    };
    cursor.at += 1;
    let date = cursor.digits().filter(|date| matches!(date.of_message(line).len(), 4 | 6 | 8))?;
    cursor.eat(b" ").then_some(())?;
    let clock = time::stamp(cursor.rest())?;
    let end = cursor.at + clock.length;
    set_level(tape, letter, level);
    tape.named(Some(Role::Time), "time", Span { start: date.start, end: end as u32 });
    cursor.at = end;
    cursor.spaces();
    let thread = cursor.digits()?;
    tape.named(None, "thread", thread);
    cursor.eat(b" ").then_some(())?;
    if date.of_message(line).len() == 6 {
        return cockroach(cursor, tape);
    }
    let caller = cursor.until(b"]")?;
    tape.named(Some(Role::Caller), "caller", caller);
    cursor.spaces();
    // structured: the message has quotes
    if cursor.peek() == Some(b'"')
        && let Some((end, escaped)) = logfmt::quoted(line, cursor.at + 1, b'"')
    {
        let index = tape.named(Some(Role::Message), "message", Span::of(cursor.at + 1, end));
        if let Some(node) = tape.nodes.get_mut(index as usize) {
            node.kind = crate::fields::Kind::String { escaped };
        }
        return Some(Rest::Message(end + 1));
    }
    Some(Rest::Message(cursor.at))
}

/// The rest of `I240501 12:00:00.123456 1 1@cli/start.go:1 ⋮ [n1] 12  message`
fn cockroach(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    let caller = cursor.word();
    tape.named(Some(Role::Caller), "caller", caller);
    cursor.spaces();
    let _ = cursor.eat("⋮ ".as_bytes());
    if let Some(tags) = cursor.enclosed(b'[', b']') {
        tape.named(None, "tags", tags);
        cursor.spaces();
        if let Some(count) = cursor.digits() {
            tape.named(None, "count", count);
        }
    }
    cursor.spaces();
    Some(Rest::Message(cursor.at))
}

/// `W, [2024-11-15T19:26:10.564 #66620]  WARN -- JobProcessor: message`
fn ruby(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    b"DIWEFAU".contains(&cursor.peek()?).then_some(())?;
    cursor.at += 1;
    cursor.eat(b", [").then_some(())?;
    let stamp = time::stamp(cursor.rest())?;
    tape.named(Some(Role::Time), "time", Span::of(cursor.at, cursor.at + stamp.length));
    cursor.at += stamp.length;
    cursor.eat(b" #").then_some(())?;
    let process = cursor.digits()?;
    tape.named(None, "pid", process);
    cursor.eat(b"]").then_some(())?;
    cursor.spaces();
    let word = cursor.word();
    // `ANY` is no level.
    if let Some(level) = Level::of(word.of_message(cursor.line)) {
        set_level(tape, word, level);
    }
    cursor.eat(b" -- ").then_some(())?;
    let before = cursor;
    match cursor.until(b": ") {
        Some(program) if !program.of_message(cursor.line).contains(&b' ') => {
            if !program.is_empty() {
                tape.named(Some(Role::Logger), "logger", program);
            }
        }
        _ => {
            cursor = before;
            cursor.eat(b": ");
        }
    }
    Some(Rest::Message(cursor.at))
}

/// The level of a record of java.util.logging, whose time stands in the first line and whose level in the second.
pub(in crate::fields) fn util_logging_level(first: &[u8], second: &[u8]) -> Option<Level> {
    let is_head = first.first()?.is_ascii_uppercase() && time::stamp(first).is_some();
    let colon = memchr::memchr(b':', &second[..second.len().min(8)])?;
    let level = util_logging_word(&second[..colon]);
    level.filter(|_| is_head && second.get(colon + 1) == Some(&b' '))
}

fn util_logging_word(word: &[u8]) -> Option<Level> {
    Some(match word {
        b"SEVERE" => Level::Error,
        b"WARNING" => Level::Warn,
        b"INFO" => Level::Info,
        b"CONFIG" | b"FINE" => Level::Debug,
        b"FINER" | b"FINEST" => Level::Trace,
        _ => return None,
    })
}

/// java.util.logging's second line: `SEVERE: message`
fn util_logging(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    let word = cursor.word_of(|byte| byte.is_ascii_uppercase());
    let level = util_logging_word(word.of_message(cursor.line))?;
    cursor.eat(b": ").then_some(())?;
    set_level(tape, word, level);
    Some(Rest::Message(cursor.at))
}

/// `[GIN] 2024/11/12 - 15:19:06 | 200 |  953ms | 106.250.51.52 | PUT     "/api"`
fn gin(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    let line = cursor.line;
    cursor.eat(b"[GIN] ").then_some(())?;
    let stamp = time::stamp(cursor.rest())?;
    tape.named(Some(Role::Time), "time", Span::of(cursor.at, cursor.at + stamp.length));
    cursor.at += stamp.length;
    cursor.eat(b" |").then_some(())?;
    cursor.spaces();
    let status = cursor.digits()?;
    tape.named(None, "status", status);
    tape.found.level = found::whole(status.of_message(line)).map(level::status);
    cursor.spaces();
    cursor.eat(b"|").then_some(())?;
    for name in ["duration", "client"] {
        let value = cursor.until(b"|")?.trimmed(line);
        tape.named(None, name, value);
    }
    cursor.spaces();
    let method = cursor.word();
    tape.named(None, "method", method);
    cursor.spaces();
    cursor.eat(b"|");
    cursor.spaces();
    let path = if cursor.eat(b"\"") {
        let path = cursor.word_of(|byte| byte != b'"');
        cursor.eat(b"\"");
        path
    } else {
        cursor.word()
    };
    tape.named(None, "path", path);
    cursor.spaces();
    cursor.eat(b"|");
    let rest = Span::of(cursor.at, line.len()).trimmed(line);
    if !rest.is_empty() {
        tape.named(None, "rest", rest);
    }
    Some(Rest::Done)
}

/// `PHP Warning:  x`, `[01-Jan-2024 12:00:00] PHP Warning:  x`
fn php(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    let line = cursor.line;
    let inside = cursor.enclosed(b'[', b']');
    if let Some(inside) = inside {
        let stamp = time::stamp(inside.of_message(line))?;
        (stamp.length == inside.of_message(line).len()).then_some(())?;
        cursor.eat(b" ").then_some(())?;
    }
    cursor.eat(b"PHP ").then_some(())?;
    let words = cursor.until(b": ")?;
    let level = match words.of_message(line) {
        b"Notice" | b"Deprecated" | b"Strict Standards" => Level::Notice,
        b"Warning" | b"Core Warning" | b"Compile Warning" => Level::Warn,
        b"Fatal error" | b"Parse error" | b"Catchable fatal error" | b"Recoverable fatal error" => {
            Level::Error
        }
        _ => return None,
    };
    if let Some(inside) = inside {
        tape.named(Some(Role::Time), "time", inside);
    }
    set_level(tape, words, level);
    cursor.spaces();
    Some(Rest::Message(cursor.at))
}

/// Symfony and Laravel: `[2024-01-01T12:00:00+00:00] app.ERROR: message {"a":1} []`
fn monolog(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    let line = cursor.line;
    let inside = cursor.enclosed(b'[', b']')?;
    time::stamp(inside.of_message(line))?;
    cursor.eat(b" ").then_some(())?;
    let channel = cursor.word_of(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    cursor.eat(b".").then_some(())?;
    let word = cursor.word_of(|byte| byte.is_ascii_uppercase());
    let level = Level::of(word.of_message(line))?;
    cursor.eat(b": ").then_some(())?;
    tape.named(Some(Role::Time), "time", inside);
    tape.named(Some(Role::Logger), "logger", channel);
    set_level(tape, word, level);
    Some(Rest::Message(cursor.at))
}

/// `2026-01-31 12:00:00.000 UTC [1] LOG:  message`, with a user and a database before the level
fn postgres(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    let line = cursor.line;
    let stamp = time::stamp(cursor.rest())?;
    tape.named(Some(Role::Time), "time", Span::of(cursor.at, cursor.at + stamp.length));
    cursor.at += stamp.length;
    cursor.spaces();
    // `KST`, `CET`: zones that have no number
    let mut zone = cursor;
    let name = zone.word_of(|byte| byte.is_ascii_uppercase());
    if (3..=5).contains(&name.of_message(line).len()) && zone.eat(b" [") {
        zone.at -= 1;
        cursor = zone;
    }
    let process = cursor.enclosed(b'[', b']')?;
    let digits = process.of_message(line);
    (!digits.is_empty() && digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-')).then_some(())?;
    tape.named(None, "pid", process);
    let until = cursor.until(b":  ")?;
    let text = until.of_message(line).trim_ascii();
    let word = text.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    // The record of the line before goes on.
    if is_part_of_postgres(word) {
        tape.named(None, "part", until.trimmed(line));
        return Some(Rest::Message(cursor.at));
    }
    let level = level_of_postgres(word)?;
    let trimmed = until.trimmed(line);
    let word = Span { start: trimmed.end - word.len() as u32, ..trimmed };
    let context = Span { end: word.start, ..trimmed }.trimmed(line);
    if !context.is_empty() {
        tape.named(None, "context", context);
    }
    set_level(tape, word, level);
    Some(Rest::Message(cursor.at))
}

fn level_of_postgres(word: &[u8]) -> Option<Level> {
    Some(match word {
        b"LOG" | b"INFO" => Level::Info,
        b"NOTICE" => Level::Notice,
        b"WARNING" => Level::Warn,
        b"ERROR" => Level::Error,
        b"FATAL" | b"PANIC" => Level::Fatal,
        b"DEBUG1" | b"DEBUG2" | b"DEBUG3" | b"DEBUG4" | b"DEBUG5" => Level::Debug,
        _ => return None,
    })
}

fn is_part_of_postgres(word: &[u8]) -> bool {
    matches!(word, b"DETAIL" | b"HINT" | b"STATEMENT" | b"CONTEXT" | b"QUERY" | b"LOCATION")
}

/// `LOG:  message`
fn postgres_bare(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    let word = cursor.word_of(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    cursor.eat(b":  ").then_some(())?;
    set_level(tape, word, level_of_postgres(word.of_message(cursor.line))?);
    Some(Rest::Message(cursor.at))
}

/// `[77] LOG:  message`, `2024-05-01 12:00:00 UTC:10.0.0.1(1234):app@db:[77]:ERROR:  message`
fn postgres_prefixed(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    let line = cursor.line;
    if let Some(stamp) = time::stamp(cursor.rest()) {
        tape.named(Some(Role::Time), "time", Span::of(cursor.at, cursor.at + stamp.length));
        cursor.at += stamp.length;
        cursor.eat(b":");
    }
    if cursor.peek() != Some(b'[') {
        let context = cursor.until(b":[")?;
        cursor.at -= 1;
        tape.named(None, "context", context);
    }
    let process = cursor.enclosed(b'[', b']')?;
    process.of_message(line).iter().all(u8::is_ascii_digit).then_some(())?;
    tape.named(None, "pid", process);
    let _ = cursor.eat(b":") || cursor.eat(b" ");
    let word = cursor.word_of(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    cursor.eat(b":  ").then_some(())?;
    if is_part_of_postgres(word.of_message(line)) {
        tape.named(None, "part", word);
    } else {
        set_level(tape, word, level_of_postgres(word.of_message(line))?);
    }
    Some(Rest::Message(cursor.at))
}

/// `[Nest] 1  - 05/01/2024, 12:00:00 PM     LOG [NestFactory] message`; the time is written as the machine's language
/// has it.
fn nest(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    let line = cursor.line;
    cursor.eat(b"[Nest] ").then_some(())?;
    let process = cursor.digits()?;
    tape.named(None, "pid", process);
    cursor.spaces();
    cursor.eat(b"- ").then_some(())?;
    let start = cursor.at;
    for _ in 0..6 {
        cursor.spaces();
        let word = cursor.word();
        let level = match word.of_message(line) {
            b"LOG" => Level::Info,
            b"ERROR" => Level::Error,
            b"WARN" => Level::Warn,
            b"DEBUG" => Level::Debug,
            b"VERBOSE" => Level::Trace,
            b"FATAL" => Level::Fatal,
            _ => continue,
        };
        let time = Span { start: start as u32, end: word.start }.trimmed(line);
        tape.named(Some(Role::Time), "time", time);
        set_level(tape, word, level);
        cursor.spaces();
        if let Some(logger) = cursor.enclosed(b'[', b']') {
            tape.named(Some(Role::Logger), "logger", logger);
        }
        return Some(Rest::Message(cursor.at));
    }
    None
}

/// Tornado and Jupyter: `[W 240501 12:00:00 web:2246] message`
fn tornado(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    let line = cursor.line;
    cursor.at += 1;
    let letter = Span::of(cursor.at, cursor.at + 1);
    let level = Level::of(letter.of_message(line)).filter(|_| b"DIWEC".contains(&line[cursor.at]))?;
    cursor.at += 1;
    cursor.eat(b" ").then_some(())?;
    let stamp = time::stamp(cursor.rest())?;
    set_level(tape, letter, level);
    tape.named(Some(Role::Time), "time", Span::of(cursor.at, cursor.at + stamp.length));
    cursor.at += stamp.length;
    cursor.spaces();
    let place = cursor.until(b"]")?;
    if !place.is_empty() {
        let is_caller = place.of_message(line).contains(&b':');
        let (role, name) = if is_caller { (Role::Caller, "caller") } else { (Role::Logger, "logger") };
        tape.named(Some(role), name, place);
    }
    Some(Rest::Message(cursor.at))
}

/// `=ERROR REPORT==== 1-May-2024::12:00:00 ===`
fn erlang(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    cursor.eat(b"=").then_some(())?;
    let word = cursor.word_of(|byte| byte.is_ascii_uppercase());
    let level = match word.of_message(cursor.line) {
        b"ERROR" | b"CRASH" | b"SUPERVISOR" => Level::Error,
        b"WARNING" => Level::Warn,
        b"INFO" | b"PROGRESS" => Level::Info,
        b"NOTICE" => Level::Notice,
        b"DEBUG" => Level::Debug,
        _ => return None,
    };
    cursor.eat(b" REPORT====").then_some(())?;
    set_level(tape, word, level);
    Some(Rest::Message(cursor.at))
}

/// Images of Bitnami: `postgresql 12:00:00.12 ERROR ==> message`
fn bitnami(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    let line = cursor.line;
    let program = cursor.word();
    tape.named(Some(Role::Logger), "logger", program);
    cursor.spaces();
    if let Some(stamp) = time::stamp(cursor.rest()) {
        tape.named(Some(Role::Time), "time", Span::of(cursor.at, cursor.at + stamp.length));
        cursor.at += stamp.length;
        cursor.spaces();
    }
    let word = cursor.word_of(|byte| byte.is_ascii_uppercase());
    let level = Level::of(word.of_message(line)).filter(|_| word.of_message(line).len() > 2)?;
    cursor.spaces();
    (cursor.eat(b"==> ") || cursor.eat(b"=> ")).then_some(())?;
    set_level(tape, word, level);
    Some(Rest::Message(cursor.at))
}

/// `1:M 31 Jan 2026 12:00:00.000 # message`
fn redis(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    let line = cursor.line;
    let process = cursor.digits()?;
    cursor.eat(b":").then_some(())?;
    let role = cursor.word_of(|byte| byte.is_ascii_uppercase());
    (role.of_message(line).len() == 1 && cursor.eat(b" ")).then_some(())?;
    let stamp = time::stamp(cursor.rest())?;
    tape.named(None, "pid", process);
    tape.named(None, "process", role);
    tape.named(Some(Role::Time), "time", Span::of(cursor.at, cursor.at + stamp.length));
    cursor.at += stamp.length;
    cursor.eat(b" ").then_some(())?;
    let level = match cursor.peek()? {
        b'.' => Level::Debug,
        b'-' => Level::Trace,
        b'*' => Level::Notice,
        b'#' => Level::Warn,
        _ => return None,
    };
    set_level(tape, Span::of(cursor.at, cursor.at + 1), level);
    cursor.at += 1;
    cursor.eat(b" ").then_some(Rest::Message(cursor.at))
}

/// `2026/01/31 12:00:00 [error] 7#7: *1 message`
fn nginx(mut cursor: Cursor<'_>, tape: &mut Tape) -> Option<Rest> {
    let line = cursor.line;
    let stamp = time::stamp(cursor.rest())?;
    tape.named(Some(Role::Time), "time", Span::of(cursor.at, cursor.at + stamp.length));
    cursor.at += stamp.length;
    cursor.eat(b" ").then_some(())?;
    let word = cursor.enclosed(b'[', b']')?;
    let level = Level::of(word.of_message(line))?;
    cursor.eat(b" ").then_some(())?;
    let process = cursor.digits()?;
    cursor.eat(b"#").then_some(())?;
    let thread = cursor.digits()?;
    cursor.eat(b": ").then_some(())?;
    set_level(tape, word, level);
    tape.named(None, "pid", process);
    tape.named(None, "thread", thread);
    if cursor.eat(b"*") {
        let connection = cursor.digits()?;
        tape.named(None, "connection", connection);
        cursor.spaces();
    }
    Some(Rest::Message(cursor.at))
}
