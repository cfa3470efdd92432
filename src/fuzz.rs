//! What fuzzing runs (`fuzz/`): for each kind of foreign bytes a function that asserts what holds for every input. Each
//! stands in the room that it tests.

use std::io::Write;

use crate::shown::{self, Escapes, LONGEST, Passes, one_line};
pub use crate::{
    cli::fuzz::{command_line, config_file},
    cluster::fuzz::{certificate, chunks, gzip, head, headers, kubeconfig, pem, plugin, proxy, refusal},
    fields::fuzz::fields,
    filter::fuzz::condition,
    json::fuzz::json,
    lines::fuzz::{long_lines, position, split},
    plan::fuzz::{expressions, regex},
    records::fuzz::gather,
    render::fuzz::{highlight, pretty, render, template, time},
    rewrite::fuzz::redact,
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

/// What a terminal gets is printable text and colours, wherever a write ends, and text without controls is as it was.
pub fn terminal(input: &[u8]) {
    let (input, pieces) = pieces(input);
    for escapes in [Escapes::Plain, Escapes::Dim, Escapes::Json] {
        let passes = Passes::Text(escapes);
        let out = cleaned(passes, [input].into_iter());
        assert!(cleaned(passes, pieces.clone()) == out, "the same however it is cut");
        let text = str::from_utf8(&out);
        assert!(text.is_ok(), "characters are whole or escaped");
        let text = text.unwrap_or_default();
        let mut rest = text;
        while let Some((before, sequence)) = rest.split_once('\x1b') {
            assert!(before.chars().all(is_shown));
            let parameters = sequence.strip_prefix('[').and_then(|color| color.split_once('m'));
            let Some((parameters, after)) = parameters else { panic!("{sequence:?} is no colour") };
            assert!(parameters.bytes().all(|byte| matches!(byte, b'0'..=b';')));
            rest = after;
        }
        assert!(rest.chars().all(is_shown));
        if str::from_utf8(input).is_ok_and(|text| text.chars().all(is_shown)) {
            assert!(out == input, "plain text is as it was");
        }
    }
}

fn cleaned<'i>(passes: Passes, mut pieces: impl Iterator<Item = &'i [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut terminal = passes.to(&mut out);
    assert!(pieces.try_for_each(|piece| terminal.write_all(piece)).is_ok());
    drop(terminal);
    out
}

fn is_shown(c: char) -> bool {
    matches!(c, '\t' | '\n') || !(c.is_control() || shown::is_hidden(c))
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
