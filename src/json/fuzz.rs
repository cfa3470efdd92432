//! JSON, whatever a program logs.

use gotemplate::Str;
use serde::de::IgnoredAny;

use super::{
    Numbers, Validator, parse_first, parse_object, string::unescape, write, write_indented, write_string,
};

/// What is valid, is so for serde_json as well; what is parsed and written is the same when it is parsed again.
pub fn json(input: &[u8]) {
    let is_valid = Validator::default().is_valid(input);
    assert_eq!(is_valid, serde_json::from_slice::<IgnoredAny>(input).is_ok());

    let text = Str::Borrowed(input);
    for numbers in [Numbers::Kept, Numbers::Floats] {
        if let Ok(value) = parse_object(&text, numbers) {
            assert!(is_valid);
            let (mut written, mut again) = (Vec::new(), Vec::new());
            assert!(write(&value, &mut written).is_ok());
            assert!(Validator::default().is_valid(&written));
            let mut indented = Vec::new();
            assert!(write_indented(&value, &mut indented).is_ok());
            for text in [&written, &indented] {
                let value = parse_object(&Str::Borrowed(text), numbers);
                assert!(value.and_then(|value| write(&value, &mut again)).is_ok());
                assert_eq!(std::mem::take(&mut again), written);
            }
            assert!(parse_first(&text, numbers).is_some());
        }
    }
    string(input);
}

/// Any bytes become a string that holds them, with a replacement character for each byte that is not UTF-8.
fn string(input: &[u8]) {
    let mut written = Vec::new();
    write_string(input, &mut written);
    let mut wanted = String::new();
    for chunk in input.utf8_chunks() {
        wanted.push_str(chunk.valid());
        wanted.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    assert_eq!(serde_json::from_slice::<String>(&written).ok().as_deref(), Some(&*wanted));
    assert_eq!(unescape(&written[1..written.len() - 1]), wanted);
    assert!(!written.iter().any(|byte| matches!(byte, ..0x20 | b'<' | b'>' | b'&')));
}
