//! Addresses of the network, which are looked for only if they are asked for.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use super::context::Context;
use crate::plan::redact::{Kind, Kinds};

/// The longest address: of IPv6 with one of IPv4 at its end.
const LONGEST: usize = 45;

/// Gives the addresses of a text.
pub fn find(text: &[u8], kinds: Kinds, mut found: impl FnMut(Range<usize>, Kind)) {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.' | b'-');
    let mut at = 0;
    while at < text.len() {
        let length = text[at..].iter().take_while(|byte| is_part(byte)).count();
        if length == 0 {
            at += 1;
            continue;
        }
        let is_bounded =
            (at == 0 || !is_word(text[at - 1])) && !text.get(at + length).is_some_and(|byte| is_word(*byte));
        if is_bounded {
            word(text, at..at + length, kinds, &mut found);
        }
        at += length;
    }
}

fn word(text: &[u8], range: Range<usize>, kinds: Kinds, found: &mut impl FnMut(Range<usize>, Kind)) {
    let word = &text[range.clone()];
    let outside = word.iter().rev().take_while(|byte| matches!(byte, b'.' | b'-' | b':')).count();
    // `::` may end an address.
    let ends = if word.ends_with(b"::") { 0 } else { outside };
    let word = &word[..word.len() - ends];
    let place = |length: usize| range.start..range.start + length;
    if word.len() <= LONGEST && is_mac(word) {
        if kinds.has(Kind::Mac) {
            found(place(word.len()), Kind::Mac);
        }
        return;
    }
    if !kinds.has(Kind::Ip) {
        return;
    }
    let is_v6 = |word: &[u8]| str::from_utf8(word).is_ok_and(|word| word.parse::<Ipv6Addr>().is_ok());
    if word.len() <= LONGEST && word.contains(&b':') && is_v6(word) {
        return found(place(word.len()), Kind::Ip);
    }
    // A port or a range may follow.
    let mut at = 0;
    for part in word.split(|byte| matches!(byte, b':' | b'-')) {
        let is_v4 =
            part.len() <= 15 && str::from_utf8(part).is_ok_and(|part| part.parse::<Ipv4Addr>().is_ok());
        let start = range.start + at;
        if is_v4
            && !Context::new(text, start, start + part.len()).key.to_ascii_lowercase().ends_with(b"version")
        {
            found(start..start + part.len(), Kind::Ip);
        }
        at += part.len() + 1;
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_mac(word: &[u8]) -> bool {
    word.len() == 17
        && matches!(word[2], b':' | b'-')
        && word.iter().enumerate().all(|(at, byte)| match at % 3 {
            2 => *byte == word[2],
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<&str> {
        let mut all = Vec::new();
        let kinds = Kinds::all();
        find(text.as_bytes(), kinds, |place, _| all.push(&text[place]));
        all
    }

    #[test]
    fn addresses_are_found_without_their_ports() {
        for (text, found) in [
            ("from 10.1.2.3:8080 to [2001:db8::1]:443", vec!["10.1.2.3", "2001:db8::1"]),
            ("10.0.0.0/8, 10.0.0.1-10.0.0.9", vec!["10.0.0.0", "10.0.0.1", "10.0.0.9"]),
            ("ip=10.0.0.1.", vec!["10.0.0.1"]),
            ("de:ad:be:ef:00:01 x", vec!["de:ad:be:ef:00:01"]),
            ("v1.2.3.4 version=1.2.3.4 12:00:00 1.2.3 300.1.1.1 a::b::c", vec![]),
        ] {
            assert_eq!(addresses(text), found, "{text}");
        }
    }
}
