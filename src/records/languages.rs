//! Lines of stack traces, by the language that writes them. Each test looks at the first bytes before it searches.

use memchr::memmem;

use super::trace::Rust;

fn begins(text: &[u8], prefixes: &[&[u8]]) -> bool {
    prefixes.iter().any(|prefix| text.starts_with(prefix))
}

fn is_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b'/')
}

/// A name, and what follows it.
fn name(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !is_name(byte)).unwrap_or(text.len()))
}

const ERRORS: [&[u8]; 3] = [b"Exception", b"Error", b"Throwable"];

/// The class of an exception in the JVM or in .NET, with its package, as `java.lang.IllegalStateException: …`, and
/// `System.Net.Sockets.SocketException (111): …`.
pub fn class(text: &[u8]) -> bool {
    let (class, rest) = name(text);
    let is_error = |part: &[u8]| ERRORS.iter().any(|end| part.ends_with(end));
    // A class within another: `feign.FeignException$NotFound`
    class.split(|byte| *byte == b'$').any(is_error)
        && class.iter().any(|byte| matches!(byte, b'.' | b'$'))
        && !class.contains(&b'/')
        && (matches!(rest, [] | [b':', ..]) || is_number_of_error(rest))
}

/// ` (111): `, ` (0x80004005): `
fn is_number_of_error(rest: &[u8]) -> bool {
    let Some(rest) = rest.strip_prefix(b" (") else { return false };
    let end = rest.iter().position(|byte| !byte.is_ascii_hexdigit() && *byte != b'x');
    end.is_some_and(|end| end > 0 && rest[end..].starts_with(b"):"))
}

/// `TypeError: …`, `ActiveRecord::RecordNotFound: …`, `NoMethodError (…):`
pub fn named_error(text: &[u8]) -> bool {
    let end = text.iter().position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b':' | b'_'));
    let (class, rest) = text.split_at(end.unwrap_or(text.len()));
    let class = class.strip_suffix(b":").unwrap_or(class);
    let is_error = ERRORS.iter().any(|end| class.ends_with(end));
    let is_class = is_error || memmem::find(class, b"::").is_some();
    is_class
        && match rest {
            [] => is_error,
            [b' ', b'(', ..] => rest.ends_with(b"):"),
            [b' ', b'[', ..] => is_error && memmem::find(rest, b"]: ").is_some(),
            [b' ', ..] => text.get(class.len()) == Some(&b':') && is_error,
            [b'[', ..] => is_error && memmem::find(rest, b"]: ").is_some(),
            _ => false,
        }
}

/// The words of the runtimes of the JVM and of .NET before the exception that ends a thread.
pub fn uncaught(text: &[u8]) -> bool {
    (text.starts_with(b"Exception in thread \"")
        || text.starts_with(b"Unhandled exception. ")
        || text.starts_with(b"Unhandled Exception: "))
        && !text.ends_with(b"\":")
}

/// `... 3 more`, `... 12 common frames omitted`
pub fn more_frames(text: &[u8]) -> bool {
    text.strip_prefix(b"... ").and_then(|rest| rest.first()).is_some_and(u8::is_ascii_digit)
}

pub fn traceback(text: &[u8]) -> bool {
    text.starts_with(b"Traceback (most recent call last)")
}

/// `+ Exception Group Traceback (most recent call last):`
pub fn exception_group(text: &[u8]) -> bool {
    text.starts_with(b"+ Exception Group Traceback")
}

/// `File "a.py", line 1`
pub fn frame_of_python(text: &[u8]) -> bool {
    text.starts_with(b"File \"") && memmem::find(text, b"\", line ").is_some()
}

pub fn announced_by_python(text: &[u8]) -> bool {
    text.starts_with(b"Exception in thread ") && text.ends_with(b":") && !text.contains(&b'"')
        || begins(
            text,
            &[
                b"Exception ignored in",
                b"Exception in callback ",
                b"Task exception was never retrieved",
                b"--- Logging error ---",
            ],
        )
}

/// `ValueError: z`, `socket.gaierror: …`, `KeyboardInterrupt`
pub fn exception_of_python(text: &[u8]) -> bool {
    let (class, rest) = name(text);
    let is_class = class.first().is_some_and(u8::is_ascii_uppercase) || class.contains(&b'.');
    is_class && !class.contains(&b'/') && matches!(rest, [] | [b':'] | [b':', b' ', ..])
}

/// `future: <Task finished …>`, `handle: <Handle …>`
pub fn told_by_asyncio(text: &[u8]) -> bool {
    const KEYS: [&[u8]; 7] =
        [b"future", b"handle", b"protocol", b"transport", b"task", b"client_session", b"connector"];
    let Some(end) = text.iter().take(16).position(|byte| *byte == b':') else { return false };
    text[end..].starts_with(b": <") && KEYS.contains(&&text[..end])
}

pub fn chained_in_python(text: &[u8]) -> bool {
    begins(text, &[b"During handling of the above exception", b"The above exception was the direct cause"])
}

/// The end of a program in Go.
pub fn end_of_go(text: &[u8]) -> bool {
    begins(text, &[b"panic: ", b"panic(", b"fatal error: "])
        || text.starts_with(b"SIG") && text.iter().skip(3).take(8).any(|byte| *byte == b':')
}

/// `goroutine 1 [running]:`
pub fn goroutine(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"goroutine ") else { return false };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && text.ends_with(b":") && memchr::memchr(b'[', rest).is_some()
}

/// `2026/01/31 12:00:00 http: panic serving 10.0.0.1:1234: boom`
pub fn recovered_by_go(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_digit)
        && memmem::find(&text[..text.len().min(64)], b"http: panic serving ").is_some()
}

pub fn part_of_go(text: &[u8]) -> bool {
    text.is_empty()
        || begins(
            text,
            &[b"created by ", b"exit status ", b"[signal ", b"runtime stack:", b"...additional frames"],
        )
        || goroutine(text)
        || is_call(text)
        || text.starts_with(b"PC=0x")
        || is_register(text)
}

/// The full name of a function of Go.
pub struct Function {
    /// Whether nothing else is written so.
    pub is_certain: bool,
}

/// `main.main`, `net/http.HandlerFunc.ServeHTTP`, `example.org/a/b.(*Server).Run.func1`, `a.Map[...]`
pub fn function_of_go(text: &[u8]) -> Option<Function> {
    const ALWAYS: [&[u8]; 4] = [b"main.main", b"runtime.main", b"runtime.goexit", b"testing.tRunner"];
    // Others than these have a path.
    const PACKAGES: [&[u8]; 13] = [
        b"main", b"runtime", b"testing", b"reflect", b"time", b"sync", b"os", b"sort", b"strings",
        b"context", b"syscall", b"slices", b"fmt",
    ];
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-/~%()*[]".contains(byte);
    if !text.first()?.is_ascii_lowercase() || !text.iter().all(is_part) {
        return None;
    }
    let in_package = &text[memchr::memrchr(b'/', text).map_or(0, |slash| slash + 1)..];
    let dot = memchr::memchr(b'.', in_package)?;
    let (package, name) = (&in_package[..dot], &in_package[dot + 1..]);
    let has_path = in_package.len() < text.len();
    let begins_name = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'(');
    let is_package = if has_path { !package.is_empty() } else { PACKAGES.contains(&package) };
    if !is_package || !name.first().is_some_and(begins_name) || name.ends_with(b".") {
        return None;
    }
    let is_method = name.starts_with(b"(*") && memmem::find(name, b").").is_some();
    if name.contains(&b'(') && !is_method {
        return None;
    }
    // A file has no type in its name.
    let is_exported = has_path
        && name.contains(&b'.')
        && name.split(|byte| *byte == b'.').all(|part| part.first().is_some_and(u8::is_ascii_uppercase));
    Some(Function { is_certain: is_method || is_exported || ALWAYS.contains(&text) })
}

/// `/go/src/main.go:12`, `/usr/local/go/src/runtime/asm_amd64.s:1700`
pub fn place_of_go(text: &[u8]) -> bool {
    memmem::find(text, b".go:").is_some() || memmem::find(text, b".s:").is_some()
}

/// `main.(*Server).run(0xc000010000, {0x1, 0x2})`, `main.main()`
fn is_call(text: &[u8]) -> bool {
    let Some(end) = text.iter().position(|byte| matches!(byte, b'(' | b' ' | b':')) else { return false };
    let function = &text[..end];
    text.ends_with(b")") && text[end] == b'(' && (function.contains(&b'.') || function == b"panic")
}

/// `rip    0x45f8a1`
fn is_register(text: &[u8]) -> bool {
    let name = text.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    (2..=6).contains(&name)
        && text[name..].trim_ascii_start().starts_with(b"0x")
        && text[name..].starts_with(b" ")
}

/// `thread 'main' panicked at …`: the message is in the same line, or follows.
pub fn panic_of_rust(text: &[u8]) -> Option<Rust> {
    let rest = text.strip_prefix(b"thread '")?;
    memmem::find(rest, b"panicked at ")?;
    Some(if rest.ends_with(b":") { Rust::Message } else { Rust::Backtrace })
}

/// `PHP Fatal error:  Uncaught …`
pub fn error_of_php(text: &[u8]) -> bool {
    text.starts_with(b"PHP ") && memmem::find(text, b":  ").is_some()
        || begins(text, &[b"Fatal error: Uncaught ", b"Fatal error:  Uncaught ", b"Warning: Uncaught "])
}

/// A head of PHP or of a logger in it: `[31-Jan-2026 12:00:00 UTC] PHP Warning:  …`, `[…] production.ERROR: …
/// {"exception"…`
pub fn raised_by_php(text: &[u8]) -> bool {
    text.first() == Some(&b'[')
        && memchr::memchr(b']', &text[..text.len().min(64)]).is_some_and(|end| {
            text[end..].starts_with(b"] PHP ") || memmem::find(&text[end..], b"[object] (").is_some()
        })
}

pub fn part_of_php(text: &[u8]) -> bool {
    numbered_frame(text)
        || text.is_empty()
        || text == b"[stacktrace]"
        || text == b"\"}"
        || text == b"\"} "
        || trace_of_xdebug(text)
        || text.strip_prefix(b"Next ").is_some_and(|rest| {
            let (class, rest) = rest.split_at(rest.iter().position(|byte| *byte == b':').unwrap_or(0));
            !class.is_empty() && !class.contains(&b' ') && memmem::find(rest, b" in ").is_some()
        })
}

/// `PHP Stack trace:`, `PHP   1. {main}() /a.php:0`
pub fn trace_of_xdebug(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"PHP ") else { return false };
    rest.starts_with(b"Stack trace:")
        || rest.starts_with(b" ") && rest.trim_ascii_start().first().is_some_and(u8::is_ascii_digit)
}

/// `#0 /srv/app.php(12): run()`
pub fn numbered_frame(text: &[u8]) -> bool {
    text.first() == Some(&b'#') && text.get(1).is_some_and(u8::is_ascii_digit)
}

/// `a.rb:1:in 'Object#run'`
pub fn frame_of_ruby(text: &[u8]) -> bool {
    text.ends_with(b"'") && memmem::find(text, b".rb:").is_some() && memmem::find(text, b":in ").is_some()
}

/// `a.rb:1:in 'run': boom (RuntimeError)`
pub fn end_of_ruby(text: &[u8]) -> bool {
    text.ends_with(b")")
        && memmem::find(text, b":in ").is_some()
        && memmem::find(text, b"': ").is_some()
        && memmem::find(text, b".rb:").is_some()
}

/// The error below the place in the source: `Error: x`, `MyFailure: x`, `[UnhandledPromiseRejection: …] {`
pub fn error_of_node(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"[").unwrap_or(text);
    named_error(text) || text.first().is_some_and(u8::is_ascii_uppercase) && exception_of_python(text)
}

/// `/app/server.js:3`, `node:internal/process/promises:288`
pub fn source_of_node(text: &[u8]) -> bool {
    // Node writes whole paths.
    if !begins(text, &[b"/", b"node:", b"file:///"]) {
        return false;
    }
    let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let Some(place) = text[..text.len() - digits].strip_suffix(b":") else { return false };
    digits > 0
        && !place.contains(&b' ')
        && (place.starts_with(b"node:")
            || [&b".js"[..], b".mjs", b".cjs", b".ts"].iter().any(|end| place.ends_with(end)))
}
