//! First lines of a program's end: an exception that nothing caught, or a panic.

use crate::fields::Level;

/// The level of a line that says so itself.
pub(super) fn level(text: &[u8]) -> Option<Level> {
    let begins = |prefixes: &[&[u8]]| prefixes.iter().any(|prefix| text.starts_with(prefix));
    let has = |part: &[u8]| memchr::memmem::find(text, part).is_some();
    if begins(&[b"fatal error: ", b"panic: "]) || begins(&[b"thread '"]) && has(b"panicked at ") {
        return Some(Level::Fatal);
    }
    let is_error = begins(&[
        b"Traceback (most recent call last)",
        b"Exception in thread ",
        b"Unhandled exception. ",
        b"Unhandled Exception: ",
        b"Unhandled exception at ",
    ]) || text.strip_prefix(b"Uncaught ").is_some_and(is_error)
        || text.ends_with(b")") && has(b".rb:") && has(b":in ") && has(b"': ");
    is_error.then_some(Level::Error)
}

/// The level of an error that a stack follows, as Node and browsers write it, or of the source before one.
pub(super) fn level_of_two(first: &[u8], second: &[u8]) -> Option<Level> {
    let is_frame = second.starts_with(b"    at ") || second.starts_with(b"\tat ");
    (is_frame && is_error(first)).then_some(Level::Error)
}

/// `TypeError: x`, `java.lang.IllegalStateException: x`, `TypeError`
fn is_error(text: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"._$".contains(byte);
    let end = text.iter().position(|byte| !is_part(byte)).unwrap_or(text.len());
    let (class, rest) = text.split_at(end);
    [&b"Error"[..], b"Exception", b"Throwable"].iter().any(|end| class.ends_with(end))
        && matches!(rest, [] | [b':', ..] | [b' ', b'[' | b'(', ..])
}
