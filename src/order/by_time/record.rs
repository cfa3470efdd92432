//! Lines as bytes, the same in memory and in temporary files, so that moving one is a copy.

use crate::event::Instant;

/// Key, time, lane and length, before the message.
const HEAD: usize = 24;

/// The length of a record without a message: its time is the number of something that is kept elsewhere.
const ASIDE: u32 = u32::MAX;

/// No line is as old.
const NO_TIME: i64 = i64::MIN;

/// The place of a line among all: the latest instant of its log up to it, so that lines of one log keep their order
/// even if its clock steps back.
pub type Key = i64;

/// Something that stands among lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Record<'a> {
    pub key: Key,
    pub lane: u32,
    pub content: Content<'a>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Content<'a> {
    Line {
        time: Option<Instant>,
        message: &'a [u8],
    },
    /// The number of a gap or of an end.
    Aside(i64),
}

impl Record<'_> {
    pub const fn size(message: usize) -> usize {
        HEAD + message
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        let (time, length, message) = match self.content {
            Content::Line { time, message } => {
                (time.map_or(NO_TIME, |time| time.0), message.len() as u32, message)
            }
            Content::Aside(number) => (number, ASIDE, &[][..]),
        };
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(&self.key.to_le_bytes());
        head[8..16].copy_from_slice(&time.to_le_bytes());
        head[16..20].copy_from_slice(&self.lane.to_le_bytes());
        head[20..].copy_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(message);
    }
}

/// The key and the lane of the first record, whose head is complete.
#[inline]
pub fn place(bytes: &[u8]) -> Option<(Key, u32)> {
    Some((i64::from_le_bytes(array(bytes, 0)?), u32::from_le_bytes(array(bytes, 16)?)))
}

/// The size of the first record, if its head is complete.
#[inline]
pub fn size(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(array(bytes, 20)?);
    Some(HEAD + if length == ASIDE { 0 } else { length as usize })
}

/// The first record.
#[inline]
pub fn read(bytes: &[u8]) -> Option<Record<'_>> {
    let (key, lane) = place(bytes)?;
    let time = i64::from_le_bytes(array(bytes, 8)?);
    let content = match u32::from_le_bytes(array(bytes, 20)?) {
        ASIDE => Content::Aside(time),
        length => Content::Line {
            time: (time != NO_TIME).then_some(Instant(time)),
            message: bytes.get(HEAD..HEAD + length as usize)?,
        },
    };
    Some(Record { key, lane, content })
}

#[inline]
fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let records = [
            Record { key: 7, lane: 3, content: Content::Line { time: Some(Instant(5)), message: b"hello" } },
            Record { key: i64::MIN, lane: 0, content: Content::Line { time: None, message: b"" } },
            Record { key: -1, lane: u32::MAX, content: Content::Aside(9) },
        ];
        let mut bytes = Vec::new();
        records.iter().for_each(|record| record.write(&mut bytes));
        let mut at = 0;
        for record in records {
            assert_eq!(read(&bytes[at..]), Some(record));
            at += size(&bytes[at..]).expect("a head");
        }
        assert_eq!((at, read(&bytes[at..]), size(&bytes[at..])), (bytes.len(), None, None));
    }

    #[test]
    fn half_a_record_is_none() {
        let mut bytes = Vec::new();
        Record { key: 7, lane: 3, content: Content::Line { time: None, message: b"hello" } }
            .write(&mut bytes);
        assert_eq!(read(&bytes[..bytes.len() - 1]), None);
    }
}
