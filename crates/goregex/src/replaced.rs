//! Bytes as Go's regular expressions read them.

/// Text in which each byte that is not UTF-8 is U+FFFD, and the mapping back.
#[derive(Debug)]
pub struct Replaced {
    /// The text with its replacements.
    pub text: String,
    /// The ends of the replacements in the text.
    ends: Vec<usize>,
}

impl Replaced {
    /// None if nothing needs replacing.
    pub fn new(bytes: &[u8]) -> Option<Replaced> {
        std::str::from_utf8(bytes).err()?;
        let (mut text, mut ends) = (String::with_capacity(2 * bytes.len()), Vec::new());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            for _ in chunk.invalid() {
                text.push(char::REPLACEMENT_CHARACTER);
                ends.push(text.len());
            }
        }
        Some(Replaced { text, ends })
    }

    /// The position in the bytes of a character boundary in the text.
    pub fn original(&self, at: usize) -> usize {
        let replaced = self.ends.partition_point(|&end| end <= at);
        at - replaced * (char::REPLACEMENT_CHARACTER.len_utf8() - 1)
    }
}
