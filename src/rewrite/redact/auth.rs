//! Credentials where no key names them: `Bearer …`, `Basic …`, and the password in a URL.

use std::ops::Range;

use base64::{Engine, engine::general_purpose};

/// The shortest token, and the shortest that has no digit.
const SHORTEST: usize = 8;
const WITHOUT_DIGIT: usize = 24;

/// The longest user and password of a URL.
const LONGEST: usize = 512;

/// The credentials behind the scheme whose second letter is at `at`.
pub fn scheme(text: &[u8], at: usize) -> Option<Range<usize>> {
    let start = at.checked_sub(1)?;
    let is_bounded = start == 0 || !text[start - 1].is_ascii_alphanumeric();
    let word = text[start..].iter().take(8).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let is_bearer = text[start..start + word].eq_ignore_ascii_case(b"bearer");
    let is_basic = text[start..start + word].eq_ignore_ascii_case(b"basic");
    let rest = &text[start + word..];
    let blanks = rest.iter().take(4).take_while(|byte| matches!(byte, b' ' | b':' | b'+' | b'=')).count();
    if !is_bounded || blanks == 0 || !(is_bearer || is_basic) {
        return None;
    }
    let from = start + word + blanks;
    let is_part = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'~' | b'+' | b'/' | b'=' | b'-')
    };
    let length = text[from..].iter().take_while(|byte| is_part(byte)).count();
    let token = &text[from..from + length];
    let token = token.strip_suffix(b".").unwrap_or(token);
    let is_token = token.len() >= SHORTEST
        && match is_basic {
            true => is_basic_credentials(token),
            false => token.iter().any(u8::is_ascii_digit) || token.len() >= WITHOUT_DIGIT,
        }
        && !is_pair(token);
    is_token.then_some(from..from + token.len())
}

/// Whether it is another key with its value, as in `type=bearer length=98`.
fn is_pair(token: &[u8]) -> bool {
    let padding = token.iter().rev().take_while(|byte| **byte == b'=').count();
    token[..token.len() - padding].contains(&b'=')
}

/// A user and a password.
fn is_basic_credentials(token: &[u8]) -> bool {
    let decoded = general_purpose::STANDARD
        .decode(token)
        .or_else(|_| general_purpose::STANDARD_NO_PAD.decode(token))
        .or_else(|_| general_purpose::URL_SAFE_NO_PAD.decode(token));
    decoded.is_ok_and(|text| {
        text.contains(&b':') && str::from_utf8(&text).is_ok_and(|text| !text.contains(char::is_control))
    })
}

/// The password of a URL whose user ends at the `@` at `at`.
pub fn of_url(text: &[u8], at: usize) -> Option<Range<usize>> {
    let is_user =
        |byte: &u8| !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'/' | b'`');
    let length = text[..at].iter().rev().take(LONGEST).take_while(|byte| is_user(byte)).count();
    let start = at - length;
    if !text[..start].ends_with(b"://") {
        return None;
    }
    // A password may have an `@` of its own.
    let host = text[at..]
        .iter()
        .take(LONGEST)
        .take_while(|byte| is_user(byte) && !matches!(byte, b'?' | b'#' | b','))
        .count();
    let end = at + text[at..at + host].iter().rposition(|byte| *byte == b'@')?;
    let colon = start + text[start..end].iter().position(|byte| *byte == b':')?;
    let password = &text[colon + 1..end];
    let is_open = password.is_empty()
        || password.iter().all(|byte| matches!(byte, b'*' | b'x' | b'X'))
        || password.starts_with(b"${")
        || password.starts_with(b"$(")
        || password.starts_with(b"{{")
        || super::mask::length(password) == Some(password.len());
    (!is_open).then_some(colon + 1..end)
}

/// Networks of a data source of Go, as in `user:password@tcp(host)/db`.
const NETWORKS: [&[u8]; 4] = [b"tcp(", b"tcp6(", b"unix(", b"cloudsql("];

/// The password of a data source without a scheme, whose user ends at the `@` at `at`.
pub fn of_source(text: &[u8], at: usize) -> Option<Range<usize>> {
    let is_part =
        |byte: &u8| !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`');
    let length = text[..at].iter().rev().take(LONGEST).take_while(|byte| is_part(byte)).count();
    let start = at - length;
    let user = &text[start..at];
    let from = if NETWORKS.iter().any(|network| text[at + 1..].starts_with(network)) {
        user.iter().position(|byte| *byte == b':')?
    } else {
        // `jdbc:oracle:thin:user/password@host`
        let oracle = memchr::memmem::find(user, b"jdbc:oracle:")?;
        oracle + user[oracle..].iter().position(|byte| *byte == b'/')?
    };
    let password = &user[from + 1..];
    let is_open = password.is_empty()
        || password.iter().all(|byte| matches!(byte, b'*' | b'x' | b'X'))
        || password.starts_with(b"${")
        || super::mask::length(password) == Some(password.len());
    (!is_open).then_some(start + from + 1..at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_behind_a_scheme_is_found() {
        let found = |text: &'static str| {
            let at = text.find("earer").or_else(|| text.find("asic ")).unwrap();
            scheme(text.as_bytes(), at).map(|range| &text[range])
        };
        assert_eq!(found("sent Bearer abc.def-123 to x"), Some("abc.def-123"));
        assert_eq!(found("sent bearer: abc.def-123."), Some("abc.def-123"));
        assert_eq!(found("Basic dXNlcjpwYXNz"), Some("dXNlcjpwYXNz"));
        for text in [
            "Bearer authentication failed",
            "bearer tokens",
            "Basic authentication",
            "basic 12345678",
            "Bearer error=\"x\"",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn the_password_of_a_url_is_found() {
        let found =
            |text: &'static str| of_url(text.as_bytes(), text.find('@').unwrap()).map(|range| &text[range]);
        assert_eq!(found("postgres://u:p@h/db"), Some("p"));
        assert_eq!(found("amqp://u:p@ss@h:5672/v"), Some("p@ss"));
        assert_eq!(found("redis://:s3cret@h"), Some("s3cret"));
        for text in ["https://h/x:y@z", "ssh://git@h", "a:b@c", "x://u:***@h", "x://u:${PASS}@h", "x://u:@h"]
        {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
