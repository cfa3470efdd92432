//! Lines and positions, whatever a server or a program writes.

use std::io::Read;

use super::{
    Finder, Found, LineLimit, Lines, Piece, Position, Splitter,
    long::{self, Rest},
    split::Splitter as Any,
    stamps::Stamps,
    timestamp::TimestampParser,
};
use crate::{
    event::{Instant, Item},
    fuzz::pieces,
};

/// More than an input has.
const WHOLE: LineLimit = LineLimit { bytes: 1 << 20, spool: false };

/// All that a splitter gives: each line, with the rest in a file.
fn all<S: Stamps>(
    mut splitter: Any<S>,
    pieces: impl Iterator<Item = impl AsRef<[u8]>>,
    read: impl Fn(&S::Piece) -> (Option<Instant>, u32, u32),
) -> Vec<(Option<Instant>, Vec<u8>)> {
    let mut found = Vec::new();
    let mut add = |lines: Lines<S::Piece>| {
        for piece in &lines.pieces {
            let (time, start, end) = read(piece);
            found.push((time, lines.data[start as usize..end as usize].to_vec()));
        }
        if let Rest::Kept(rest) = lines.rest {
            assert_eq!(lines.pieces.len(), 1, "a long line comes alone");
            let last = found.last_mut().map(|(_, line)| line);
            let _ = rest.reader().read_to_end(last.unwrap_or(&mut Vec::new()));
        }
    };
    for piece in pieces {
        splitter.push(piece.as_ref());
        while let Some(lines) = splitter.lines() {
            add(lines);
        }
    }
    while let Some(lines) = splitter.rest() {
        add(lines);
    }
    assert_eq!(splitter.held(), 0);
    found
}

fn stamped(piece: &Piece) -> (Option<Instant>, u32, u32) {
    match *piece {
        Piece::Line(line) => (line.time, line.start, line.end),
        Piece::Untimed { start, end } => (None, start, end),
    }
}

fn unstamped(item: &Item) -> (Option<Instant>, u32, u32) {
    match *item {
        Item::Line(line) => (line.time, line.start, line.end),
        Item::Gap(_) | Item::Separator => (None, 0, 0),
    }
}

/// The lines of an input, as they should be.
fn lines(input: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<_> = input.split(|&byte| byte == b'\n').collect();
    lines.pop_if(|last| last.is_empty());
    lines
}

/// Lines are the same wherever a read ends, and none is lost.
pub fn split(input: &[u8]) {
    let (input, pieces) = pieces(input);
    timestamps(input);
    let whole = all(Splitter::new(WHOLE), [input].iter(), stamped);
    assert_eq!(whole.len(), lines(input).len());
    for ((time, message), line) in whole.iter().zip(lines(input)) {
        let length = TimestampParser::default().parse(line).map_or(0, |(_, length)| length);
        assert_eq!(time.is_some(), length > 0);
        assert!(line.len() > long::held(WHOLE) || message.len() <= line.len() - length);
    }
    assert_eq!(all(Splitter::new(WHOLE), pieces, stamped), whole);
    let plain = all(Splitter::unstamped(WHOLE), [input].iter(), unstamped);
    assert!(plain.iter().map(|(_, line)| &line[..]).eq(lines(input)));
}

/// A line that is too long is whole where its rest is kept, and otherwise cut by what its mark says.
pub fn long_lines(input: &[u8]) {
    let (limit, input) = input.split_first().unwrap_or((&0, &[]));
    let (input, pieces) = pieces(input);
    let limit = |spool| LineLimit { bytes: usize::from(*limit), spool };
    let kept = all(Splitter::unstamped(limit(true)), pieces.clone(), unstamped);
    assert!(kept.iter().map(|(_, line)| &line[..]).eq(lines(input)));

    let cut = all(Splitter::unstamped(limit(false)), pieces.clone(), unstamped);
    assert_eq!(cut, all(Splitter::unstamped(limit(false)), [input].iter(), unstamped));
    for ((_, shown), line) in cut.iter().zip(lines(input)) {
        if shown != line {
            let common = shown.iter().zip(line).take_while(|(a, b)| a == b).count();
            let mark = String::from_utf8_lossy(&shown[..]).into_owned();
            let missing: usize = mark
                .rsplit_once(" … [")
                .and_then(|(_, mark)| mark.split(' ').next()?.parse().ok())
                .unwrap_or_default();
            assert!(line.len() - missing <= common, "{missing} bytes are missing, and {common} are there");
            assert!(shown.len() <= line.len() && line.len() - missing <= limit(false).bytes);
        }
    }
    all(Splitter::new(limit(false)), pieces, stamped);
}

/// A timestamp is read as jiff reads it, and the minute that was remembered changes nothing.
fn timestamps(input: &[u8]) {
    let mut remembering = TimestampParser::default();
    for line in lines(input) {
        let parsed = remembering.parse(line);
        assert_eq!(parsed, TimestampParser::default().parse(line));
        let Some((instant, length)) = parsed else { continue };
        let text = std::str::from_utf8(&line[..length - 1]).unwrap_or_default();
        if let Ok(time) = text.parse::<jiff::Timestamp>()
            && !text.contains(":60")
        {
            // jiff rounds digits beyond nanoseconds, and has no instants that far away.
            let nanos = i64::try_from(time.as_nanosecond());
            assert!(nanos.is_err() || text.len() > 35 || nanos == Ok(instant.0), "{text}");
        }
    }
}

/// Behind a position that was read up to anywhere, an answer from its `sinceTime` on goes on with the next line.
pub fn position(input: &[u8]) {
    let (read, input) = input.split_first().unwrap_or((&0, &[]));
    // Lines of one byte: its upper half is the time in steps of a third of a second, its lower half the message.
    let mut now = 0;
    let line = |byte: &u8| {
        now += i64::from(byte >> 5) * 333_333_333;
        // Standard output and standard error are stamped apart, so that an instant may go back a little.
        (Instant(now - i64::from(byte >> 4 & 1) * 1000), [byte & 15])
    };
    let log: Vec<_> = input.iter().map(line).collect();
    let read = usize::from(*read).min(log.len());
    let mut position = Position::default();
    log[..read].iter().for_each(|(time, message)| position.advance(Some(*time), message));
    let since = position.since().map_or(Instant(i64::MIN), Instant::from);
    let mut finder: Finder = position.finder();
    for (at, (time, message)) in log.iter().enumerate().filter(|(_, (time, _))| *time >= since) {
        let found = finder.judge(Some(*time), message);
        assert_eq!(found, if at < read { Found::Known } else { Found::New }, "line {at}");
    }
}
