//! Lets text and colours pass to a terminal, and shows escaped whatever else would steer it.

use std::io::{self, Write};

use super::{Graphics, is_hidden};

/// The bytes that may pass to an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    /// All: it is no terminal, or `--unsafe-terminal` says so.
    All,
    /// Printable text, tabs, newlines and colours (SGR); other bytes are shown escaped.
    Text(Escapes),
}

/// The form of escaped bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escapes {
    /// `\x7f`, `\U000e0041`
    Plain,
    /// The same, dim.
    Dim,
    /// `\u007f`, `\udb40\udc41`: JSON stays JSON, with the same meaning.
    Json,
}

impl Passes {
    /// `out` for which only these bytes get through.
    pub fn to<'w>(self, out: impl Write + Send + 'w) -> Box<dyn Write + Send + 'w> {
        match self {
            Passes::All => Box::new(out),
            Passes::Text(escapes) => {
                Box::new(Cleaned { cleaner: Cleaner::new(escapes), out, buffer: Vec::new() })
            }
        }
    }
}

/// Bytes that are cleaned at once: an escaped byte may become a hundred.
const AT_ONCE: usize = 32 << 10;

struct Cleaned<W: Write> {
    cleaner: Cleaner,
    out: W,
    buffer: Vec<u8>,
}

impl<W: Write> Write for Cleaned<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let part = &bytes[..bytes.len().min(AT_ONCE)];
        self.buffer.clear();
        self.cleaner.clean(part, &mut self.buffer);
        self.out.write_all(&self.buffer)?;
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Drop for Cleaned<W> {
    fn drop(&mut self) {
        self.buffer.clear();
        self.cleaner.finish(&mut self.buffer);
        // The text before it was written, or its failure was reported.
        let _ = self.out.write_all(&self.buffer).and_then(|()| self.out.flush());
    }
}

/// The longest sequence that sets colours. Others are not colours.
const LONGEST_COLOR: usize = 512;

/// Cleans a stream. The result does not depend on how the stream is cut.
pub struct Cleaner {
    escapes: Escapes,
    /// The colours of the line that are in force.
    graphics: Graphics,
    /// Whether dim text is being written.
    dimmed: bool,
    /// Whether a carriage return came last, colours aside: before a newline it is left out.
    returned: bool,
    /// The beginning of a character or sequence that was cut.
    cut: Vec<u8>,
}

impl Cleaner {
    pub fn new(escapes: Escapes) -> Cleaner {
        Cleaner { escapes, graphics: Graphics::default(), dimmed: false, returned: false, cut: Vec::new() }
    }

    /// Appends the clean text to `out`.
    pub fn clean(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.cut.is_empty() {
            return self.clean_all(bytes, out);
        }
        let mut joined = std::mem::take(&mut self.cut);
        joined.extend_from_slice(bytes);
        self.clean_all(&joined, out);
    }

    /// Ends the text.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        match std::mem::take(&mut self.cut).as_slice() {
            [0x1b, head @ ..] => self.escaped_head(head, out),
            bytes => self.escaped_bytes(bytes, out),
        };
        self.settle_return(out);
        self.reset(out);
    }

    fn clean_all(&mut self, mut rest: &[u8], out: &mut Vec<u8>) {
        while let [first, ..] = rest {
            let length = match first {
                b'\n' => self.newline(out),
                b'\r' => self.carriage_return(out),
                0x1b => self.sequence(rest, out),
                b'\t' | 0x20..=0x7e => self.ascii(rest, out),
                0x80.. => self.utf8(rest, out),
                _ => self.escaped_bytes(&rest[..1], out),
            };
            if length == 0 {
                self.cut.extend_from_slice(rest);
                return;
            }
            rest = &rest[length..];
        }
    }

    fn newline(&mut self, out: &mut Vec<u8>) -> usize {
        self.returned = false;
        self.reset(out);
        out.push(b'\n');
        1
    }

    fn reset(&mut self, out: &mut Vec<u8>) {
        if self.dimmed || self.graphics.in_force() {
            out.extend_from_slice(b"\x1b[0m");
        }
        self.dimmed = false;
        self.graphics.reset();
    }

    fn carriage_return(&mut self, out: &mut Vec<u8>) -> usize {
        self.settle_return(out);
        self.returned = true;
        1
    }

    /// Shows the carriage return that came last.
    fn settle_return(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.returned) {
            self.escaped(format_args!("\\r"), out);
        }
    }

    fn ascii(&mut self, rest: &[u8], out: &mut Vec<u8>) -> usize {
        let length = printable(rest);
        self.plain(&rest[..length], out);
        length
    }

    fn plain(&mut self, text: &[u8], out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        self.settle_return(out);
        self.undim(out);
        out.extend_from_slice(text);
    }

    /// Text up to the next control character of ASCII.
    fn utf8(&mut self, rest: &[u8], out: &mut Vec<u8>) -> usize {
        let is_control = |byte: &u8| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f;
        let end = rest.iter().position(is_control).unwrap_or(rest.len());
        let mut taken = 0;
        for chunk in rest[..end].utf8_chunks() {
            self.characters(chunk.valid(), out);
            taken += chunk.valid().len();
            let invalid = chunk.invalid();
            let is_last = taken + invalid.len() == rest.len();
            if is_last && str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none()) {
                break;
            }
            taken += self.escaped_bytes(invalid, out);
        }
        taken
    }

    /// Text without control characters of ASCII.
    fn characters(&mut self, text: &str, out: &mut Vec<u8>) {
        let mut plain = 0;
        for (at, c) in text.char_indices() {
            if c.is_ascii() || !is_hidden(c) {
                continue;
            }
            self.plain(&text.as_bytes()[plain..at], out);
            plain = at + c.len_utf8();
            self.settle_return(out);
            self.escaped_character(c, out);
        }
        self.plain(&text.as_bytes()[plain..], out);
    }

    fn escaped_character(&mut self, c: char, out: &mut Vec<u8>) {
        match u32::from(c) {
            code @ ..=0xffff => self.escaped(format_args!("\\u{code:04x}"), out),
            _ if self.escapes == Escapes::Json => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    self.escaped(format_args!("\\u{unit:04x}"), out);
                }
            }
            code => self.escaped(format_args!("\\U{code:08x}"), out),
        }
    }

    /// An escape character, with what belongs to it.
    fn sequence(&mut self, rest: &[u8], out: &mut Vec<u8>) -> usize {
        match head(rest) {
            Head::Cut => 0,
            Head::Color(length) => {
                self.undim(out);
                let color = &rest[..length];
                self.graphics.apply(color);
                out.extend_from_slice(color);
                length
            }
            Head::Other(length) => self.escaped_head(&rest[1..length], out),
        }
    }

    /// An escape character and the ASCII text behind it.
    fn escaped_head(&mut self, head: &[u8], out: &mut Vec<u8>) -> usize {
        self.escaped_bytes(b"\x1b", out);
        out.extend_from_slice(head);
        1 + head.len()
    }

    fn escaped_bytes(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> usize {
        for byte in bytes {
            self.settle_return(out);
            match self.escapes {
                Escapes::Json => self.escaped(format_args!("\\u{byte:04x}"), out),
                Escapes::Plain | Escapes::Dim => self.escaped(format_args!("\\x{byte:02x}"), out),
            }
        }
        bytes.len()
    }

    fn escaped(&mut self, text: std::fmt::Arguments<'_>, out: &mut Vec<u8>) {
        if self.escapes == Escapes::Dim && !self.dimmed {
            self.dimmed = true;
            let dim: &[u8] = if self.graphics.in_force() { b"\x1b[0;2m" } else { b"\x1b[2m" };
            out.extend_from_slice(dim);
        }
        // A vector takes everything.
        let _ = out.write_fmt(text);
    }

    /// Ends dim text: the colours of the line are in force again.
    fn undim(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.dimmed) {
            out.extend_from_slice(b"\x1b[0m");
            self.graphics.write(out);
        }
    }
}

/// What begins with an escape character, and its length.
enum Head {
    /// The rest of it is missing.
    Cut,
    Color(usize),
    Other(usize),
}

fn head(text: &[u8]) -> Head {
    let parameters = match text {
        [_, b'[', parameters @ ..] => parameters,
        [_, 0x20..=0x7e, ..] => return Head::Other(2),
        [_, _, ..] => return Head::Other(1),
        _ => return Head::Cut,
    };
    let parameters = &parameters[..parameters.len().min(LONGEST_COLOR)];
    let length = parameters.iter().take_while(|byte| matches!(byte, 0x20..=0x3f)).count();
    match parameters.get(length) {
        None if length < LONGEST_COLOR => Head::Cut,
        Some(b'm') if parameters[..length].iter().all(|byte| matches!(byte, b'0'..=b';')) => {
            Head::Color(length + 3)
        }
        Some(0x40..=0x7e) => Head::Other(length + 3),
        _ => Head::Other(2),
    }
}

/// The length of the printable ASCII text at the start, tabs included.
fn printable(text: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let is_printable = |byte: u8| matches!(byte, 0x20..=0x7e | b'\t');
    // Without a branch, so that the processor takes many bytes at once.
    let is_block = |block: &&[u8]| block.iter().fold(true, |all, byte| all & is_printable(*byte));
    let blocks = text.chunks_exact(BLOCK).take_while(is_block).count() * BLOCK;
    blocks + text[blocks..].iter().take_while(|byte| is_printable(**byte)).count()
}

#[cfg(test)]
mod tests;
