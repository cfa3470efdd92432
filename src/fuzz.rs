//! What fuzzing runs (`fuzz/`): for each kind of foreign bytes a function that asserts what holds for every input. Each
//! stands in the room that it tests.

use crate::shown::{self, LONGEST, one_line};
pub use crate::{
    cli::fuzz::{command_line, config_file},
    cluster::fuzz::{certificate, chunks, gzip, head, headers, kubeconfig, pem, plugin, proxy, refusal},
    json::fuzz::json,
    lines::fuzz::{long_lines, position, split},
    plan::fuzz::{expressions, regex},
    render::fuzz::{highlight, render, template, time},
    select::fuzz::{list, watch},
};

/// Any words of another are one bounded line.
pub fn words(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for most in [0, 1, 10, LONGEST] {
        let line = one_line(&text, most);
        assert_one_line(&line);
        assert!(line.chars().count() <= most + 1);
        assert!(line.ends_with('…') || one_line(&line, most) == line);
    }
    assert_one_line(&shown::quoted(&text));
}

/// Stands for a password or a token in what is read. No message may contain it.
pub(crate) const SECRET: &str = "gu8ahM";

/// The pieces in which an input is read: all of the size that its first byte gives.
pub(crate) fn pieces(input: &[u8]) -> (&[u8], std::slice::Chunks<'_, u8>) {
    let (size, rest) = input.split_first().unwrap_or((&0, &[]));
    (rest, rest.chunks(usize::from(*size) + 1))
}

/// The input as two texts, parted by its first zero byte.
pub(crate) fn two(input: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(0, input) {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (input, &[]),
    }
}

/// Asserts that a message is one line that a terminal shows as it is.
pub(crate) fn assert_one_line(text: &str) {
    let odd = text.chars().find(|&c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
    assert_eq!(odd, None, "in {text:?}");
}
