//! Reads the tokens of JSON; errors use Go's words for the first wrong byte.

use std::fmt;

type Result<T> = std::result::Result<T, Error>;

/// The reason why a text is not JSON; printed like Go's `json.SyntaxError`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// The text ends too early.
    End,
    /// An unexpected byte, and Go's name for the place.
    Byte(u8, &'static str),
    /// A wrong byte within a literal.
    Literal { found: u8, expected: u8, literal: &'static str },
}

/// A value that is neither an array nor an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    Null,
    Bool(bool),
    Number,
    /// Whether it has escapes.
    String {
        escaped: bool,
    },
}

/// A cursor in a text, which advances by tokens.
pub struct Scanner<'t> {
    text: &'t [u8],
    /// The rest of the text, not taken yet.
    rest: &'t [u8],
}

impl<'t> Scanner<'t> {
    pub fn new(text: &'t [u8]) -> Scanner<'t> {
        Scanner { text, rest: text }
    }

    pub fn text(&self) -> &'t [u8] {
        self.text
    }

    /// Number of bytes already taken.
    pub fn at(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    /// Takes the next byte that is not space.
    #[inline]
    pub fn next(&mut self) -> Result<u8> {
        self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        let (&byte, rest) = self.rest.split_first().ok_or(Error::End)?;
        self.rest = rest;
        Ok(byte)
    }

    /// Returns the last byte.
    pub fn back(&mut self) {
        self.rest = &self.text[self.at() - 1..];
    }

    /// Takes the rest of a scalar that begins with `first`.
    #[inline]
    pub fn scalar(&mut self, first: u8) -> Result<Scalar> {
        match first {
            b'"' => Ok(Scalar::String { escaped: self.string()? }),
            b't' => self.literal("true", Scalar::Bool(true)),
            b'f' => self.literal("false", Scalar::Bool(false)),
            b'n' => self.literal("null", Scalar::Null),
            b'-' | b'0'..=b'9' => self.number(first),
            byte => Err(Error::Byte(byte, "looking for beginning of value")),
        }
    }

    /// Takes the rest of a string after its opening quote. All bytes except control characters are allowed: Go does
    /// not require UTF-8. Ok: whether it has escapes.
    #[inline]
    pub fn string(&mut self) -> Result<bool> {
        let mut escaped = false;
        loop {
            let rest = self.rest;
            let end = rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20);
            let end = end.ok_or(Error::End)?;
            self.rest = &rest[end + 1..];
            match rest[end] {
                b'"' => return Ok(escaped),
                b'\\' => self.escape()?,
                byte => return Err(Error::Byte(byte, "in string literal")),
            }
            escaped = true;
        }
    }

    /// Takes the rest of an escape after its backslash.
    fn escape(&mut self) -> Result<()> {
        match self.raw() {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => Ok(()),
            b'u' => (0..4).try_for_each(|_| match self.raw() {
                byte if byte.is_ascii_hexdigit() => Ok(()),
                byte => Err(Error::Byte(byte, "in \\u hexadecimal character escape")),
            }),
            byte => Err(Error::Byte(byte, "in string escape code")),
        }
    }

    fn literal(&mut self, literal: &'static str, scalar: Scalar) -> Result<Scalar> {
        for expected in literal.bytes().skip(1) {
            let found = self.raw();
            if found != expected {
                return Err(Error::Literal { found, expected, literal });
            }
        }
        Ok(scalar)
    }

    fn number(&mut self, first: u8) -> Result<Scalar> {
        let digit = if first == b'-' { self.raw() } else { first };
        match digit {
            b'0' => {}
            b'1'..=b'9' => self.skip(u8::is_ascii_digit),
            byte => return Err(Error::Byte(byte, "in numeric literal")),
        }
        if let [b'.', rest @ ..] = self.rest {
            self.rest = rest;
            self.digits("after decimal point in numeric literal")?;
        }
        if let [b'e' | b'E', b'+' | b'-', rest @ ..] | [b'e' | b'E', rest @ ..] = self.rest {
            self.rest = rest;
            self.digits("in exponent of numeric literal")?;
        }
        Ok(Scalar::Number)
    }

    /// Takes one or more digits.
    fn digits(&mut self, place: &'static str) -> Result<()> {
        match self.raw() {
            b'0'..=b'9' => {
                self.skip(u8::is_ascii_digit);
                Ok(())
            }
            byte => Err(Error::Byte(byte, place)),
        }
    }

    fn skip(&mut self, skipped: impl Fn(&u8) -> bool) {
        let length = self.rest.iter().take_while(|byte| skipped(byte)).count();
        self.rest = &self.rest[length..];
    }

    /// Takes the next byte inside a token; Go reads the end as a space.
    fn raw(&mut self) -> u8 {
        let Some((&byte, rest)) = self.rest.split_first() else { return b' ' };
        self.rest = rest;
        byte
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Error::End => f.write_str("unexpected end of JSON input"),
            Error::Byte(byte, place) => write!(f, "invalid character '{}' {place}", quoted(byte)),
            Error::Literal { found, expected, literal } => {
                let (found, expected) = (quoted(found), char::from(expected));
                write!(f, "invalid character '{found}' in literal {literal} (expecting '{expected}')")
            }
        }
    }
}

/// A byte as Go prints it, which treats it as a character.
fn quoted(byte: u8) -> String {
    match char::from(byte) {
        '\'' => r"\'".to_owned(),
        '"' => "\"".to_owned(),
        '\\' => r"\\".to_owned(),
        '\x07' => r"\a".to_owned(),
        '\x08' => r"\b".to_owned(),
        '\x0c' => r"\f".to_owned(),
        '\n' => r"\n".to_owned(),
        '\r' => r"\r".to_owned(),
        '\t' => r"\t".to_owned(),
        '\x0b' => r"\v".to_owned(),
        '\0'..' ' | '\x7f' => format!(r"\x{byte:02x}"),
        '\u{80}'..='\u{a0}' | '\u{ad}' => format!(r"\u{byte:04x}"),
        char => char.to_string(),
    }
}
