use proptest::prelude::*;

use super::*;

/// The text cleaned in parts that are cut at these places.
fn cleaned_in(parts: &[&[u8]], dim: bool) -> Vec<u8> {
    let (mut cleaner, mut out) = (Cleaner::new(if dim { Escapes::Dim } else { Escapes::Plain }), Vec::new());
    for part in parts {
        cleaner.clean(part, &mut out);
    }
    cleaner.finish(&mut out);
    out
}

fn clean(text: impl AsRef<[u8]>) -> String {
    String::from_utf8(cleaned_in(&[text.as_ref()], true)).unwrap()
}

#[track_caller]
fn becomes(text: impl AsRef<[u8]>, wanted: &str) {
    assert_eq!(clean(text), wanted);
}

#[test]
fn text_and_colours_pass() {
    for text in [
        "",
        "a\tb\n\nc",
        "유니코드 ✓ é 🦀\n",
        "\x1b[96mweb-0\x1b[0m \x1b[36mapp\x1b[0m hello\n",
        "\x1b[1;38;5;208mx\x1b[m\x1b[38:2::1:2:3my\x1b[0m\n",
    ] {
        becomes(text, text);
    }
}

#[test]
fn what_steers_a_terminal_is_shown_dim() {
    for (text, wanted) in [
        ("\x1b]52;c;cHduZWQ=\x07!", "[2m\\x1b][0m52;c;cHduZWQ=[2m\\x07[0m!"),
        ("\x1b]0;title\x1b\\", "[2m\\x1b][0m0;title[2m\\x1b\\[0m"),
        ("a\x1b[?1049hb", "a[2m\\x1b[?1049h[0mb"),
        ("\x1b[2K\x1b[1A", "[2m\\x1b[2K\\x1b[1A[0m"),
        ("\x1bc\x1b(0\x1b7", "[2m\\x1bc\\x1b([0m0[2m\\x1b7[0m"),
        ("\x1bPq#0\x1b\\", "[2m\\x1bP[0mq#0[2m\\x1b\\[0m"),
        ("a\x08\x08b\x7f\x00\x0b\x0c", "a[2m\\x08\\x08[0mb[2m\\x7f\\x00\\x0b\\x0c[0m"),
        ("\u{9b}31m\u{9d}0;x\u{9c}", "[2m\\u009b[0m31m[2m\\u009d[0m0;x[2m\\u009c[0m"),
        ("me\u{202e}gpj.exe\u{202c}", "me[2m\\u202e[0mgpj.exe[2m\\u202c[0m"),
        ("a\u{200b}\u{2028}\u{e0041}\u{feff}b", "a[2m\\u200b\\u2028\\U000e0041\\ufeff[0mb"),
        ("\x1b\x1b[31mr", "[2m\\x1b[0m[31mr[0m"),
        ("\x1b[>4;2m\x1b[?4m\x1b[1 m", "[2m\\x1b[>4;2m\\x1b[?4m\\x1b[1 m[0m"),
        ("\x1b[3\nx\x1b[", "[2m\\x1b[[0m3\nx[2m\\x1b[[0m"),
    ] {
        assert_eq!(clean(text).replace('\x1b', ""), wanted, "{text:?}");
    }
}

#[test]
fn bytes_that_are_no_utf8_are_shown_each() {
    becomes(b"\x9b31m\xff\xfe", "\x1b[2m\\x9b\x1b[0m31m\x1b[2m\\xff\\xfe\x1b[0m");
    becomes(b"\xe2\x82\n\xf0\x9f\xa6", "\x1b[2m\\xe2\\x82\x1b[0m\n\x1b[2m\\xf0\\x9f\\xa6\x1b[0m");
}

#[test]
fn the_carriage_return_of_a_line_end_is_left_out_and_others_are_shown() {
    becomes("a\r\nb\r\n", "a\nb\n");
    becomes("10%\r20%\r\n", "10%\x1b[2m\\r\x1b[0m20%\n");
    becomes("a\r\r\n", "a\x1b[2m\\r\x1b[0m\n");
    becomes("a\r", "a\x1b[2m\\r\x1b[0m");
    becomes("\r\x1b[2Kx", "\x1b[2m\\r\\x1b[2K\x1b[0mx");
    // A template colours the message with its end.
    becomes("\x1b[96ma\r\x1b[0m\n", "\x1b[96ma\x1b[0m\n");
}

#[test]
fn no_colour_outlives_its_line() {
    becomes("\x1b[31mred\nnext\n", "\x1b[31mred\x1b[0m\nnext\n");
    becomes("\x1b[31mred\x1b[39m\n", "\x1b[31mred\x1b[39m\n");
    becomes("\x1b[8mhidden", "\x1b[8mhidden\x1b[0m");
    // Terminals differ in how they read these.
    for odd in ["\x1b[31;38;0m", "\x1b[51m", "\x1b[99999999999m", "\x1b[0:7m"] {
        becomes(format!("{odd}\n"), &format!("{odd}\x1b[0m\n"));
    }
}

#[test]
fn the_colours_of_the_line_come_back_behind_dim_text() {
    becomes("\x1b[1;31ma\x07b\x1b[0m\n", "\x1b[1;31ma\x1b[0;2m\\x07\x1b[0m\x1b[1;31mb\x1b[0m\n");
}

#[test]
fn without_colours_nothing_is_dim_and_the_colours_of_lines_pass() {
    let out = cleaned_in(&[b"\x1b[31ma\x07b\n\x1b[2J"], false);
    assert_eq!(out, b"\x1b[31ma\\x07b\x1b[0m\n\\x1b[2J");
}

#[test]
fn a_sequence_without_end_costs_no_memory() {
    let mut cleaner = Cleaner::new(Escapes::Dim);
    let mut out = Vec::new();
    cleaner.clean(b"\x1b[", &mut out);
    for _ in 0..1000 {
        cleaner.clean(b"1;1;1;1;1;", &mut out);
        assert!(cleaner.cut.len() <= LONGEST_COLOR + 10);
        out.clear();
    }
}

#[test]
fn an_output_that_takes_everything_gets_every_byte() {
    let bytes: Vec<u8> = (0..=u8::MAX).collect();
    let mut out = Vec::new();
    Passes::All.to(&mut out).write_all(&bytes).unwrap();
    assert_eq!(out, bytes);
}

#[test]
fn what_was_cut_is_written_at_the_end() {
    let mut out = Vec::new();
    let mut writer = Passes::Text(Escapes::Plain).to(&mut out);
    writer.write_all(b"\x1b[31mlong\x1b[").unwrap();
    drop(writer);
    assert_eq!(out, b"\x1b[31mlong\\x1b[\x1b[0m");
}

/// Text made of what is dangerous, at the lengths that matter.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        "[a-z é유🦀\t\n]{0,4}".prop_map(String::into_bytes),
        Just(b"\r".to_vec()),
        Just(b"\r\n".to_vec()),
        "\x1b\\[[0-9;:]{0,6}m".prop_map(String::into_bytes),
        "\x1b\\[[0-?]{0,3}[ -~]?".prop_map(String::into_bytes),
        "\x1b[\\]P_^(c78\\\\]?".prop_map(String::into_bytes),
        "[\u{80}-\u{9f}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{feff}\u{e0041}]".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..4),
        Just([b"\x1b[".to_vec(), b"0;".repeat(300), b"m".to_vec()].concat()),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

/// The text without colours; None if a colour is not complete.
fn without_colors(text: &str) -> Option<String> {
    let mut parts = text.split('\x1b');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (parameters, rest) = part.strip_prefix('[')?.split_once('m')?;
        parameters.bytes().all(|byte| matches!(byte, b'0'..=b';')).then_some(())?;
        plain.push_str(rest);
    }
    Some(plain)
}

proptest! {
    #[test]
    fn only_printable_text_tabs_newlines_and_colours_come_out(text in text(), dim: bool) {
        let out = String::from_utf8(cleaned_in(&[&text], dim)).expect("UTF-8");
        let plain = without_colors(&out).expect("complete colours");
        prop_assert!(!plain.contains(|c| is_hidden(c) && c != '\t' && c != '\n'), "{out:?}");
    }

    #[test]
    fn text_without_control_characters_is_unchanged(text in "(\\PC|\t|\n)*", dim: bool) {
        prop_assume!(!text.contains(|c| is_hidden(c) && c != '\t' && c != '\n'));
        prop_assert_eq!(cleaned_in(&[text.as_bytes()], dim), text.as_bytes());
    }

    #[test]
    fn it_does_not_matter_where_the_text_is_cut(
        text in text(), dim: bool, cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let parts: Vec<&[u8]> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        let whole = cleaned_in(&[&text], dim);
        prop_assert_eq!(&cleaned_in(&parts, dim), &whole);
        prop_assert_eq!(&cleaned_in(&bytes, dim), &whole);
    }

    #[test]
    fn clean_text_is_clean(text in text(), dim: bool) {
        let once = cleaned_in(&[&text], dim);
        prop_assert_eq!(&cleaned_in(&[&once], dim), &once);
    }

    #[test]
    fn no_colour_is_in_force_at_the_end_of_a_line(text in text(), dim: bool) {
        let out = cleaned_in(&[&text], dim);
        for line in out.split(|byte| *byte == b'\n') {
            let mut graphics = Graphics::default();
            for sequence in super::super::Sequences::new(line) {
                graphics.apply(&line[sequence]);
            }
            prop_assert!(!graphics.in_force(), "{}", String::from_utf8_lossy(line));
        }
    }
}
