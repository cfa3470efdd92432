//! JSON: objects as loggers write them, read in one pass without recursion.

use memchr::memchr2;

use super::{
    Key, Kind, Node, Span,
    found::Found,
    keys::{Known, Table},
    unescape::unescape,
};

/// Objects and arrays in each other; deeper ones are no record.
const DEEPEST: usize = 128;

/// An object or an array that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    node: u32,
    table: Table,
    is_array: bool,
}

/// What is wanted of a record.
pub(super) trait Wanted {
    /// Takes a field and gives its index.
    fn push(&mut self, node: impl FnOnce() -> Node) -> u32;
    /// The field with this index has ended before this place.
    fn close(&mut self, index: u32, end: usize);
    fn found(&mut self) -> &mut Found;
    /// Whether a level that is known for sure is enough.
    const ONLY_LEVEL: bool;
}

/// Why no more is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It is no JSON, or it is cut.
    Wrong,
    /// The level is known, and nothing else is wanted.
    Level,
}

/// Reads the object at `at`. Ok: the place behind it.
pub(super) fn object(
    message: &[u8],
    at: usize,
    known: &Known,
    open: &mut Vec<Open>,
    wanted: &mut impl Wanted,
) -> Result<usize, Stop> {
    let mut json = Json { message, at: at + 1 };
    let mut container = Open { node: u32::MAX, table: Table::ROOT, is_array: false };
    open.clear();
    if json.take_if(b'}') {
        return Ok(json.at);
    }
    loop {
        if let Some(inner) = json.field(container, known, wanted)? {
            if open.len() == DEEPEST {
                return Err(Stop::Wrong);
            }
            open.push(container);
            container = inner;
            continue;
        }
        loop {
            match json.next()? {
                b',' => break,
                b'}' if !container.is_array => {}
                b']' if container.is_array => {}
                _ => return Err(Stop::Wrong),
            }
            let Some(outer) = open.pop() else { return Ok(json.at) };
            wanted.close(container.node, json.at);
            container = outer;
        }
    }
}

struct Json<'m> {
    message: &'m [u8],
    at: usize,
}

impl<'m> Json<'m> {
    /// Reads a field. The object or the array that it begins, if that has fields.
    #[inline]
    fn field<W: Wanted>(
        &mut self,
        container: Open,
        known: &Known,
        wanted: &mut W,
    ) -> Result<Option<Open>, Stop> {
        let (key, entry) = match container.is_array {
            true => (Key::Item, None),
            false => {
                let (span, escaped) = self.key()?;
                let entry = match container.table {
                    Table::NONE => None,
                    table if escaped => known.find(table, &unescape(self.bytes(span))),
                    table => known.find(table, self.bytes(span)),
                };
                (Key::Written { span, escaped }, entry)
            }
        };
        let (kind, value) = self.value()?;
        let index = wanted.push(|| Node { key, value, kind, end: 0 });
        if let Some(entry) = entry {
            let certain = wanted.found().take(known, entry, kind, self.bytes(value), index);
            if W::ONLY_LEVEL && certain {
                return Err(Stop::Level);
            }
        }
        let close = match kind {
            Kind::Object => b'}',
            Kind::Array => b']',
            _ => return Ok(None),
        };
        if self.take_if(close) {
            wanted.close(index, self.at);
            return Ok(None);
        }
        let table = entry.map_or(Table::NONE, |(entry, _)| entry.within);
        Ok(Some(Open { node: index, table, is_array: kind == Kind::Array }))
    }

    /// A key and its colon.
    #[inline]
    fn key(&mut self) -> Result<(Span, bool), Stop> {
        if self.next()? != b'"' {
            return Err(Stop::Wrong);
        }
        let key = self.string()?;
        if self.next()? != b':' {
            return Err(Stop::Wrong);
        }
        Ok(key)
    }

    /// A value; of an object or an array only its first byte.
    #[inline]
    fn value(&mut self) -> Result<(Kind, Span), Stop> {
        let first = self.next()?;
        let start = self.at - 1;
        let kind = match first {
            b'"' => {
                let (span, escaped) = self.string()?;
                return Ok((Kind::String { escaped }, span));
            }
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'-' | b'0'..=b'9' => self.number(start)?,
            b't' => self.word(start, b"true", Kind::Bool)?,
            b'f' => self.word(start, b"false", Kind::Bool)?,
            b'n' => self.word(start, b"null", Kind::Null)?,
            // Python writes these.
            b'N' => self.word(start, b"NaN", Kind::Bare)?,
            b'I' => self.word(start, b"Infinity", Kind::Bare)?,
            _ => return Err(Stop::Wrong),
        };
        Ok((kind, Span::of(start, self.at)))
    }

    /// The rest of a string behind its first quote.
    #[inline]
    fn string(&mut self) -> Result<(Span, bool), Stop> {
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.message.get(self.at..).ok_or(Stop::Wrong)?;
            let end = memchr2(b'"', b'\\', rest).ok_or(Stop::Wrong)?;
            if rest[end] == b'"' {
                let span = Span::of(start, self.at + end);
                self.at += end + 1;
                return Ok((span, escaped));
            }
            escaped = true;
            self.at += end + 2;
        }
    }

    fn word(&mut self, start: usize, word: &[u8], kind: Kind) -> Result<Kind, Stop> {
        if !self.message[start..].starts_with(word) {
            return Err(Stop::Wrong);
        }
        self.at = start + word.len();
        Ok(kind)
    }

    fn number(&mut self, start: usize) -> Result<Kind, Stop> {
        self.at = start;
        self.take_byte(b"-");
        if self.take_byte(b"I") {
            return self.word(self.at - 1, b"Infinity", Kind::Bare);
        }
        if !self.take_byte(b"0") {
            self.digits()?;
        }
        if self.take_byte(b".") {
            self.digits()?;
        }
        if self.take_byte(b"eE") {
            self.take_byte(b"+-");
            self.digits()?;
        }
        Ok(Kind::Number)
    }

    /// One or more digits.
    fn digits(&mut self) -> Result<(), Stop> {
        let start = self.at;
        while self.message.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start { Err(Stop::Wrong) } else { Ok(()) }
    }

    fn take_byte(&mut self, any: &[u8]) -> bool {
        let takes = self.message.get(self.at).is_some_and(|byte| any.contains(byte));
        self.at += usize::from(takes);
        takes
    }

    /// The next byte that is not space.
    #[inline]
    fn next(&mut self) -> Result<u8, Stop> {
        loop {
            let byte = *self.message.get(self.at).ok_or(Stop::Wrong)?;
            self.at += 1;
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Ok(byte);
            }
        }
    }

    /// Takes the next byte that is not space if it is this one.
    #[inline]
    fn take_if(&mut self, wanted: u8) -> bool {
        let before = self.at;
        let is_it = self.next() == Ok(wanted);
        if !is_it {
            self.at = before;
        }
        is_it
    }

    fn bytes(&self, span: Span) -> &'m [u8] {
        span.of_message(self.message)
    }
}
