//! The first pass: finds the few places of a text where a value might be, at some billion bytes a second. All other
//! bytes are looked at by nothing else.

use aho_corasick::{AhoCorasick, Match, MatchKind, packed};
use wide::u8x16;

use super::provider;
use crate::plan::redact::{Kind, Kinds};

/// A place where a value might be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    pub at: u32,
    pub sign: Sign,
}

/// The reason why a place is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    At,
    /// A plus before a digit.
    Plus,
    /// Digits that might be a card, an account, a number of a person or of a phone.
    Digits,
    /// An escape sequence, or the escape of a URL: the line has to be resolved first.
    Encoded,
    Word(Word),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// Part of a key whose value may be secret.
    Key,
    /// Before a quoted password in SQL.
    Sql,
    /// A scheme of `Authorization`.
    Scheme,
    Jwt,
    Pem,
    /// Of a key of this provider.
    Provider(u8),
    /// Of a key whose value may be a number of a person.
    Personal,
    /// A character as JSON may write it: the line has to be resolved first.
    Escape,
}

const KEYS: [&str; 36] = [
    "pass",
    "Pass",
    "PASS",
    "pwd",
    "Pwd",
    "PWD",
    "cret",
    "CRET",
    "oken",
    "OKEN",
    "redential",
    "REDENTIAL",
    "uthoriz",
    "UTHORIZ",
    "ookie",
    "OOKIE",
    "key",
    "Key",
    "KEY",
    "sig=",
    "ature=",
    "비밀",
    "암호",
    "패스워드",
    "otp=",
    "otp\"",
    "otp\\",
    "OTP",
    "pin=",
    "pin:",
    "pin\"",
    "pin\\",
    "PIN",
    "cvv",
    "cvc",
    "CVV",
];
const SQL: [&str; 2] = ["FIED BY", "fied by"];
const SCHEMES: [&str; 4] = ["earer", "EARER", "asic ", "ASIC "];
const JWT: [&str; 2] = ["eyJ", "eyA"];
const PEM: [&str; 2] = ["-----BEGIN", "LS0tLS1CRUdJTi"];
/// Of `@` and of digits.
const ESCAPES: [&str; 2] = ["u0040", "u003"];
const PERSONAL: [&str; 9] = ["assport", "ASSPORT", "여권", "icen", "ICEN", "면허", "hone", "ssn", "SSN"];

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// The longest shape of digits that begins in a block and must end in it.
const SHAPE: usize = 11;

const STEP: usize = BLOCK - SHAPE + 1;

pub struct Scout {
    words: Vec<Words>,
}

/// Most words that are searched for together: vector instructions find few at once much faster.
const TOGETHER: usize = 32;

/// Bytes of each word that are compared at once, or less if the shortest one has less: then they are found much slower.
const COMPARED: usize = 4;

struct Words {
    search: Search,
    /// By the index of a word.
    signs: Vec<Word>,
}

enum Search {
    Packed(packed::Searcher),
    /// Where the machine has no such instructions.
    Automaton(AhoCorasick),
}

impl Scout {
    pub fn new(kinds: Kinds) -> Scout {
        let mut words: Vec<(&str, Word)> = Vec::new();
        let mut add = |wanted: bool, texts: &[&'static str], word: Word| {
            words.extend(texts.iter().filter(|_| wanted).map(|text| (*text, word)));
        };
        add(kinds.has(Kind::Password) || kinds.has(Kind::Auth), &KEYS, Word::Key);
        add(kinds.has(Kind::Password), &SQL, Word::Sql);
        add(kinds.has(Kind::Auth), &SCHEMES, Word::Scheme);
        add(kinds.has(Kind::Jwt), &JWT, Word::Jwt);
        add(kinds.has(Kind::Pem), &PEM, Word::Pem);
        add(true, &ESCAPES, Word::Escape);
        let personal =
            [Kind::Passport, Kind::Licence, Kind::Phone, Kind::Ssn].into_iter().any(|kind| kinds.has(kind));
        add(personal, &PERSONAL, Word::Personal);
        for (index, provider) in provider::PROVIDERS.iter().enumerate() {
            add(kinds.has(Kind::Key), provider.signs, Word::Provider(index as u8));
        }
        let (short, long): (Vec<_>, Vec<_>) = words.into_iter().partition(|(text, _)| text.len() < COMPARED);
        let words = [short, long];
        let together = words.iter().flat_map(|words| words.chunks(TOGETHER));
        Scout { words: together.filter_map(Words::new).collect() }
    }

    /// Adds the candidates of a text, in order.
    pub fn find(&self, text: &[u8], found: &mut Vec<Candidate>) {
        let before = found.len();
        shapes(text, found);
        for words in &self.words {
            words.find(text, found);
        }
        found[before..].sort_unstable();
    }
}

impl Words {
    /// None: they cannot be searched for, which does not happen to so few short words.
    fn new(words: &[(&str, Word)]) -> Option<Words> {
        let texts = words.iter().map(|(text, _)| text);
        let packed = packed::Config::new().builder().extend(texts.clone()).build();
        let search = match packed {
            Some(packed) => Search::Packed(packed),
            None => {
                let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(texts);
                Search::Automaton(automaton.ok()?)
            }
        };
        Some(Words { search, signs: words.iter().map(|(_, word)| *word).collect() })
    }

    fn find(&self, text: &[u8], found: &mut Vec<Candidate>) {
        let mut add = |word: Match| {
            let sign = self.signs.get(word.pattern().as_usize()).map(|word| Sign::Word(*word));
            found.extend(sign.map(|sign| Candidate { at: word.start() as u32, sign }));
        };
        match &self.search {
            Search::Packed(packed) => packed.find_iter(text).for_each(&mut add),
            Search::Automaton(automaton) => automaton.find_iter(text).for_each(&mut add),
        }
    }
}

/// Which bytes of a block are of a class, one bit each.
struct Classes {
    digits: u64,
    /// The bytes that other signs begin with.
    others: u64,
}

/// Finds all signs but words.
fn shapes(text: &[u8], found: &mut Vec<Candidate>) {
    let mut at = 0;
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
        look(block, at, STEP, found);
        at += STEP;
    }
    let rest = &text[at..];
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    look(&block, at, rest.len(), found);
}

/// Looks at the first `length` bytes of a block.
#[inline(always)]
fn look(block: &[u8; BLOCK], at: usize, length: usize, found: &mut Vec<Candidate>) {
    let Classes { digits, others } = classes(block);
    // Every shape has four digits in a row.
    let two = digits & digits >> 1;
    let four = two & two >> 2;
    if four | others != 0 {
        look_closely(block, at, length, digits, others, found);
    }
}

fn look_closely(
    block: &[u8; BLOCK],
    at: usize,
    length: usize,
    digits: u64,
    others: u64,
    found: &mut Vec<Candidate>,
) {
    let two = digits & digits >> 1;
    let four = two & two >> 2;
    let first = if length < BLOCK { (1 << length) - 1 } else { u64::MAX };
    let mut shapes = 0;
    if four != 0 {
        let parts = separators(block);
        let three = two & digits >> 2;
        let eight = four & four >> 4;
        let ten = eight & two >> 8;
        let seven = three & parts >> 3 & four >> 4;
        let nine = three & parts >> 3 & two >> 4 & parts >> 6 & four >> 7;
        let all = ten | seven | nine;
        // Of neighbours the first.
        shapes = all & !(all << 1) & first;
    }
    let mut bits = shapes | others & first;
    while bits != 0 {
        let bit = bits.trailing_zeros() as usize;
        bits &= bits - 1;
        let sign = match block[bit] {
            b'@' => Sign::At,
            b'+' if block.get(bit + 1).is_some_and(u8::is_ascii_digit) => Sign::Plus,
            b'+' => continue,
            b'0'..=b'9' => Sign::Digits,
            _ => Sign::Encoded,
        };
        found.push(Candidate { at: (at + bit) as u32, sign });
    }
}

#[inline(always)]
fn classes(block: &[u8; BLOCK]) -> Classes {
    let (mut digits, mut others) = (0, 0);
    for (index, bytes) in block.as_chunks::<16>().0.iter().enumerate() {
        let bytes = u8x16::new(*bytes);
        let value = bytes ^ u8x16::splat(b'0');
        let is_digit = value.min(u8x16::splat(9)).simd_eq(value);
        let is_other = bytes.simd_eq(u8x16::splat(b'@'))
            | bytes.simd_eq(u8x16::splat(b'+'))
            | bytes.simd_eq(u8x16::splat(b'%'))
            | bytes.simd_eq(u8x16::splat(0x1b));
        digits |= u64::from(is_digit.to_bitmask()) << (16 * index);
        others |= u64::from(is_other.to_bitmask()) << (16 * index);
    }
    Classes { digits, others }
}

/// Bytes that may stand between the digits of a number.
fn separators(block: &[u8; BLOCK]) -> u64 {
    let mut separators = 0;
    for (index, bytes) in block.as_chunks::<16>().0.iter().enumerate() {
        let bytes = u8x16::new(*bytes);
        let is_separator = bytes.simd_eq(u8x16::splat(b'-'))
            | bytes.simd_eq(u8x16::splat(b' '))
            | bytes.simd_eq(u8x16::splat(b'.'))
            | bytes.simd_eq(u8x16::splat(b'+'));
        separators |= u64::from(is_separator.to_bitmask()) << (16 * index);
    }
    separators
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs(text: &str) -> Vec<(u32, Sign)> {
        let mut found = Vec::new();
        Scout::new(Kinds::usual()).find(text.as_bytes(), &mut found);
        found.iter().map(|candidate| (candidate.at, candidate.sign)).collect()
    }

    #[test]
    fn shapes_of_digits_are_found_wherever_they_are() {
        for shape in [
            "4111 1111 1111 1111",
            "960121-1021413",
            "536-22-1234",
            "01012345678",
            "1234567890",
            "010-123-4567",
        ] {
            for at in 0..150 {
                let text = format!("{}{shape}{}", "x".repeat(at), "y".repeat(at % 3));
                let found = signs(&text);
                assert!(
                    found
                        .first()
                        .is_some_and(|(first, _)| *first < (at + shape.len()) as u32 && *first >= at as u32),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn dates_hashes_and_short_numbers_are_nothing() {
        for text in [
            "2026-01-31T12:00:00.000Z",
            "2026-01-31 12:00:00,123",
            "c2ce6f447ed4d57b1e2feb89414c343c",
            "192.168.100.200:8080",
            "0.530913601",
            "1,234,567",
            "v1.2.3",
            "status=404 bytes=123456789",
            "+09:00 pod/web-7c9b",
        ] {
            assert_eq!(
                signs(text).into_iter().filter(|(_, sign)| *sign != Sign::Plus).collect::<Vec<_>>(),
                [],
                "{text}"
            );
        }
    }

    #[test]
    fn words_and_signs_are_in_order() {
        let found = signs("token=x a@b.co +1 %40 password");
        let signs: Vec<_> = found.iter().map(|(_, sign)| *sign).collect();
        assert_eq!(
            signs,
            [Sign::Word(Word::Key), Sign::At, Sign::Plus, Sign::Encoded, Sign::Word(Word::Key)]
        );
    }
}
