//! Members of a compressed file: each is whole on its own, so that the file can be read to its end whenever the run
//! ends.

use std::{
    fs::File,
    io::{self, Read, Write},
};

use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};
use memchr::memmem;

use crate::platform::files::read_exact_at;

/// Bytes between two looks at the time.
const STEP: usize = 16 << 10;

/// Bytes at the end of a file in which its last member is looked for. One has half a MiB of text, a long line aside.
const TAIL: u64 = 4 << 20;

/// Most bytes of text that are read of it.
const MOST_TEXT: u64 = 64 << 20;

/// The beginning of a member that this program has written.
const HEAD: [u8; 8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0];

/// Most beginnings to try: text that is stored may look like one.
const MOST_HEADS: usize = 4;

/// A member of this text. It is compressed unless there is no time, which is asked again and again.
pub fn packed(text: &[u8], hurries: impl Fn() -> bool) -> io::Result<Vec<u8>> {
    let mut member = GzEncoder::new(Vec::new(), Compression::default());
    for step in text.chunks(STEP) {
        if hurries() {
            return stored(text);
        }
        member.write_all(step)?;
    }
    member.finish()
}

/// To store a MiB takes about a millisecond.
fn stored(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut member = GzEncoder::new(Vec::with_capacity(text.len() + 64), Compression::none());
    member.write_all(text)?;
    member.finish()
}

/// Whether what is appended to a file can be read: not behind a member that is cut. A long last member is trusted.
pub fn ends_whole(file: &File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(TAIL);
    let mut tail = vec![0; usize::try_from(length - start).unwrap_or_default()];
    read_exact_at(file, &mut tail, start)?;
    let mut begins: Vec<usize> = memmem::rfind_iter(&tail, &HEAD).take(MOST_HEADS).collect();
    if start == 0 {
        begins.push(0);
    }
    let is_read = |begin: &usize| {
        let text = MultiGzDecoder::new(&tail[*begin..]);
        io::copy(&mut text.take(MOST_TEXT), &mut io::sink()).is_ok()
    };
    Ok(tail.is_empty() || begins.is_empty() || begins.iter().any(is_read))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(bytes: &[u8]) -> bool {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        ends_whole(&file).unwrap()
    }

    #[test]
    fn a_member_that_is_cut_anywhere_is_found() {
        let one = packed(b"some text\n", || false).unwrap();
        for before in [Vec::new(), one.clone(), one.repeat(200_000)] {
            assert!(ends(&before));
            assert!(ends(&[before.clone(), one.clone()].concat()));
            for cut in 1..one.len() {
                assert!(!ends(&[&before, &one[..cut]].concat()), "{} and {cut} bytes", before.len());
            }
        }
    }

    #[test]
    fn the_members_of_other_programs_are_read() {
        let mut other = flate2::GzBuilder::new().filename("a").write(Vec::new(), Compression::best());
        other.write_all(b"text").unwrap();
        let other = other.finish().unwrap();
        assert!(ends(&other));
        assert!(!ends(&other[..other.len() - 1]));
    }

    #[test]
    fn without_time_the_text_is_stored() {
        let text = "text\n".repeat(100_000);
        let member = packed(text.as_bytes(), || true).unwrap();
        assert!(member.len() > text.len());
        assert_eq!(io::read_to_string(MultiGzDecoder::new(&member[..])).unwrap(), text);
    }
}
