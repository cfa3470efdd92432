//! Values behind the key of a secret that are none: words, masks of others, paths, and the rest of a sentence.

use super::{mask, pair::Key, words::Secret};

/// Values that hide nothing.
const NOTHING: [&str; 36] = [
    "null",
    "true",
    "false",
    "none",
    "nil",
    "<nil>",
    "undefined",
    "empty",
    "yes",
    "no",
    "on",
    "off",
    "required",
    "optional",
    "missing",
    "invalid",
    "expired",
    "valid",
    "redacted",
    "[redacted]",
    "<redacted>",
    "masked",
    "hidden",
    "removed",
    "filtered",
    "[filtered]",
    "unset",
    "set",
    "(none)",
    "-",
    "?",
    "failed",
    "denied",
    "enabled",
    "disabled",
    "default",
];

/// Words that go on with a sentence, as in `password: must be longer`.
const PROSE: [&str; 43] = [
    "ok",
    "must",
    "is",
    "are",
    "should",
    "cannot",
    "can",
    "has",
    "have",
    "not",
    "was",
    "were",
    "will",
    "incorrect",
    "wrong",
    "too",
    "for",
    "from",
    "of",
    "and",
    "or",
    "the",
    "a",
    "an",
    "in",
    "to",
    "at",
    "by",
    "with",
    "unexpected",
    "unknown",
    "could",
    "does",
    "unable",
    "malformed",
    "got",
    "error",
    "mismatch",
    "this",
    "your",
    "please",
    "secrets",
    "secret",
];

/// Whether a value is no secret.
pub fn is_nothing(key: &Key, value: &[u8], is_quoted: bool) -> bool {
    let is = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()));
    let first = value[0];
    // Masks, of this program or others, and variables.
    let is_masked = mask::length(value) == Some(value.len())
        || value.iter().all(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X' | b'#' | b'-'))
        || value.starts_with("•".as_bytes())
        || value.starts_with(b"${")
        || value.starts_with(b"{{")
        || value.starts_with(b"$(")
        || value.starts_with(b"%(")
        || first == b'%' && value.len() == 2
        || first == b'<' && value.ends_with(b">");
    let is_count = key.counts && value.len() < 6 && value.iter().all(u8::is_ascii_digit);
    let is_path = matches!(first, b'/' | b'~') && (key.secret == Secret::Directory || is_path(value));
    let is_number = (3..=10).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    let is_reference = key.is_exactly_secret && is_reference(value);
    let is_loose = key.is_loose
        && !is_quoted
        && (is(&PROSE) || value.ends_with(b":") || !first.is_ascii_alphanumeric() && value.len() < 4);
    is_masked
        || key.secret == Secret::Code && !is_number
        || is(&NOTHING)
        || is_count
        || is_path
        || is_reference
        || is_loose
}

/// Whether it is the path of a file with a secret.
fn is_path(value: &[u8]) -> bool {
    ["/var/", "/run/", "/etc/", "/tmp/", "/home/", "/opt/", "/app/", "/mnt/", "/root/"]
        .iter()
        .any(|root| value.starts_with(root.as_bytes()))
}

/// Whether it is namespace/name of a Secret.
fn is_reference(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b'/');
    let is_part = |part: &[u8]| {
        !part.is_empty()
            && part
                .iter()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
    };
    matches!((parts.next(), parts.next(), parts.next()), (Some(space), Some(name), None) if is_part(space) && is_part(name))
}
