//! Compares the lines that were read of a log with its last line: one small request.

use jiff::Timestamp;

use super::logs::{Answer, Logs};
use crate::{
    cluster::{Error, LogRequest},
    event::{Instant, Line},
    lines::{LineLimit, Lines, Piece, Position, Seen, Splitter},
    schedule::Scheduler,
};

/// The longest timestamp.
const LONGEST_STAMP: usize = 40;

/// The result of a look at the end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The last line as of that instant was read; None: unknown.
    Fine(Option<Instant>),
    /// The log had no line then, by the clock of the apiserver.
    Empty(Timestamp),
    Missed,
    /// It could not be read.
    Failed,
    /// There is no room for a request beside the stream.
    NoRoom,
}

/// Looks beside a stream that is open.
pub struct Checker<'a, L> {
    pub logs: &'a L,
    pub scheduler: &'a Scheduler,
    pub lines: LineLimit,
    /// The request for the stream.
    pub request: LogRequest,
    /// The instant from which lines are wanted, if none was read yet.
    pub start: Option<Instant>,
}

impl<L: Logs> Checker<'_, L> {
    /// The last line now.
    async fn last(&self) -> Result<Last, Error> {
        Box::pin(last_line(self.logs, &self.request, self.lines)).await
    }

    /// The half of a line with which the log ends. The line before is requested too, so that an answer that is cut at
    /// the same length as another one ends elsewhere, if it has more lines than that.
    pub async fn half(&self) -> Option<Seen> {
        Box::pin(last_lines(self.logs, &self.request, self.lines, 2)).await.ok()?.half
    }

    pub async fn look(&self, position: &Position) -> Look {
        let Some(spare) = self.scheduler.try_spare() else { return Look::NoRoom };
        let last = tokio::select! {
            biased;
            last = self.last() => last,
            () = spare.spared() => return Look::Failed,
        };
        match last {
            Ok(Last { line: Some(line), .. })
                if position.misses(line, self.start) || position.may_miss(line) =>
            {
                Look::Missed
            }
            Ok(Last { line: Some(_), date, .. }) => Look::Fine(Some(date.into())),
            Ok(Last { is_empty: true, date, .. }) => Look::Empty(date),
            Ok(_) => Look::Fine(None),
            // An unanswered check does not end the stream.
            Err(_) => Look::Failed,
        }
    }
}

/// The end of a log.
#[derive(Debug, Clone, Copy)]
pub struct Last {
    /// The last line, if it is complete and has a timestamp.
    pub line: Option<Seen>,
    /// The last line as far as it came, if it has a timestamp and no newline.
    pub half: Option<Seen>,
    /// Whether the log is empty.
    pub is_empty: bool,
    /// Whether the answer ended within the timestamp of a line.
    pub is_cut: bool,
    /// The time at which it was the last, by the clock of the apiserver, in whole seconds.
    pub date: Timestamp,
}

/// The last line of the log that `request` names.
pub async fn last_line(logs: &impl Logs, request: &LogRequest, limit: LineLimit) -> Result<Last, Error> {
    last_lines(logs, request, limit, 1).await
}

/// The same, as seen in an answer of so many lines.
pub async fn last_lines(
    logs: &impl Logs,
    request: &LogRequest,
    limit: LineLimit,
    lines: u64,
) -> Result<Last, Error> {
    let tail_lines = Some(lines);
    let request = LogRequest { follow: false, since: None, tail_lines, limit_bytes: None, ..request.clone() };
    let mut stream = logs.open(&request).await?;
    let date = stream.date();
    // Cut and joined like the lines of the stream, so that they can be compared.
    let mut splitter = Splitter::new(limit);
    let (mut last, mut left) = (None, lines);
    while let Some(chunk) = stream.next().await {
        splitter.push(&chunk?);
        while let Some(Lines { data, pieces, .. }) = splitter.lines() {
            for piece in pieces {
                // More lines do not answer the request.
                let (Piece::Line(Line { time: Some(time), start, end }), 1..) = (piece, left) else {
                    return Ok(Last { line: None, half: None, is_empty: false, is_cut: false, date });
                };
                last = Some(Seen::new(time, &data[start as usize..end as usize]));
                left -= 1;
            }
        }
    }
    let rest = splitter.rest();
    let is_empty = last.is_none() && rest.is_none();
    let half = rest.as_ref().filter(|_| left > 0).and_then(|Lines { data, pieces, .. }| match pieces[..] {
        [Piece::Line(Line { time, start, end })] => {
            time.map(|time| Seen::new(time, &data[start as usize..end as usize]))
        }
        _ => None,
    });
    let is_cut = rest.as_ref().is_some_and(is_within_stamp);
    Ok(Last { line: last.filter(|_| rest.is_none()), half, is_empty, is_cut, date })
}

/// Whether an answer that ends with this was cut within the timestamp of a line.
pub fn is_within_stamp(rest: &Lines) -> bool {
    match rest.pieces[..] {
        [Piece::Untimed { start, end }] => is_half_a_stamp(&rest.data[start as usize..end as usize]),
        _ => false,
    }
}

/// Whether it may be the beginning of a timestamp.
pub fn is_half_a_stamp(text: &[u8]) -> bool {
    text.len() < LONGEST_STAMP && text.iter().all(|byte| byte.is_ascii_digit() || b"-:.TZ+".contains(byte))
}
