//! Reads PEM as Go's encoding/pem does: text around blocks is ignored, and a block that cannot be read does not hide
//! the others.

use std::str;

use base64::{
    Engine, alphabet,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// A block, by what stands in its first line, such as `CERTIFICATE`.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    pub label: String,
    /// Whether there are headers, such as those of an encrypted key.
    pub headers: bool,
    pub der: Vec<u8>,
    /// The number of its first line, from 1.
    pub line: usize,
}

/// A block that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub line: usize,
    pub problem: &'static str,
}

/// A block whose end is still to come.
struct Open {
    label: String,
    line: usize,
    headers: bool,
    base64: Vec<u8>,
}

/// All blocks in order.
pub fn blocks(text: &[u8]) -> Vec<Result<Block, Unreadable>> {
    let mut found = Vec::new();
    let mut open: Option<Open> = None;
    for (line, text) in (1..).zip(text.split(|&byte| byte == b'\n')) {
        let text = text.trim_ascii_end();
        if let Some(rest) = text.strip_prefix(b"-----BEGIN ") {
            found.extend(open.take().map(|open| open.unreadable("has no end")));
            open = rest.strip_suffix(b"-----").map(|label| Open {
                label: String::from_utf8_lossy(label).into_owned(),
                line,
                headers: false,
                base64: Vec::new(),
            });
        } else if let Some(rest) = text.strip_prefix(b"-----END ") {
            found.extend(open.take().map(|open| open.end(rest.strip_suffix(b"-----"))));
        } else if let Some(open) = &mut open {
            open.add(text);
        }
    }
    found.extend(open.map(|open| open.unreadable("has no end")));
    found
}

impl Open {
    fn add(&mut self, line: &[u8]) {
        match self.base64.is_empty() && line.contains(&b':') {
            true => self.headers = true,
            false => self.base64.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace())),
        }
    }

    fn end(self, label: Option<&[u8]>) -> Result<Block, Unreadable> {
        if label != Some(self.label.as_bytes()) {
            return self.unreadable("has no end of its own");
        }
        match BASE64.decode(&self.base64) {
            Ok(der) => Ok(Block { label: self.label, headers: self.headers, der, line: self.line }),
            Err(_) => self.unreadable("is not base64"),
        }
    }

    fn unreadable(&self, problem: &'static str) -> Result<Block, Unreadable> {
        Err(Unreadable { line: self.line, problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = Result<(String, Vec<u8>), (usize, &'static str)>;

    fn read(text: &str) -> Vec<Read> {
        let blocks = blocks(text.as_bytes()).into_iter();
        blocks
            .map(|block| match block {
                Ok(block) => Ok((block.label, block.der)),
                Err(unreadable) => Err((unreadable.line, unreadable.problem)),
            })
            .collect()
    }

    fn hello(label: &str) -> Read {
        Ok((label.to_owned(), b"hello".to_vec()))
    }

    const BLOCK: &str = "-----BEGIN A-----\naGVs\nbG8=\n-----END A-----\n";

    #[test]
    fn text_around_blocks_is_ignored() {
        assert_eq!(read(&format!("# a: b\r\n{BLOCK}\nthe end")), [hello("A")]);
        assert_eq!(read(BLOCK.trim_end()), [hello("A")]);
        assert_eq!(read(&BLOCK.replace('\n', " \r\n")), [hello("A")]);
        assert_eq!(read(""), []);
    }

    #[test]
    fn a_block_that_cannot_be_read_hides_no_other() {
        let broken = BLOCK.replace("aGVs", "!");
        assert_eq!(read(&format!("{broken}{BLOCK}")), [Err((1, "is not base64")), hello("A")]);
        let endless = "-----BEGIN A-----\naGVs\n";
        assert_eq!(read(&format!("{endless}{BLOCK}")), [Err((1, "has no end")), hello("A")]);
        assert_eq!(read(&format!("{BLOCK}{endless}")), [hello("A"), Err((5, "has no end"))]);
        let mixed = BLOCK.replace("END A", "END B");
        assert_eq!(read(&format!("{mixed}{BLOCK}")), [Err((1, "has no end of its own")), hello("A")]);
    }

    #[test]
    fn blocks_on_one_line_are_none_as_in_go() {
        let joined = format!("{}{BLOCK}", BLOCK.trim_end());
        assert_eq!(read(&joined), [Err((1, "has no end of its own"))]);
        assert_eq!(read(&BLOCK.replace("-----B", " -----B")), []);
    }

    #[test]
    fn headers_are_noted() {
        let with = BLOCK.replace("A-----\na", "A-----\nProc-Type: 4,ENCRYPTED\n\na");
        assert!(blocks(with.as_bytes())[0].as_ref().unwrap().headers);
        assert!(!blocks(BLOCK.as_bytes())[0].as_ref().unwrap().headers);
    }
}
