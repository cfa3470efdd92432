//! Finds the last lines before an instant: the kubelet counts lines from the end of a log only.

use std::collections::VecDeque;

use super::{
    check::{Last, last_line},
    logs::{Answer, Logs},
};
use crate::{
    cluster::{Error, LogRequest},
    event::Instant,
    lines::{LineLimit, Lines, Piece, Seen, Splitter},
};

/// Lines are not kept, only counted.
const LIMIT: LineLimit = LineLimit { bytes: 1 << 10, spool: false };

/// So many last lines before `until`.
#[derive(Debug, Clone, Copy)]
pub struct Sought {
    pub lines: usize,
    pub until: Instant,
}

/// The first line that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct First {
    pub time: Instant,
    /// The number of lines of the same instant before it.
    pub equals: usize,
}

/// The last lines so far, by their instants: reading them again costs less memory than keeping them.
struct Tail {
    times: VecDeque<Instant>,
    most: usize,
    /// The instant of the last line that left, and how many of it did.
    left: Option<(Instant, usize)>,
}

impl Tail {
    fn push(&mut self, time: Instant) {
        self.times.push_back(time);
        if self.times.len() > self.most
            && let Some(gone) = self.times.pop_front()
        {
            let before = self.left.filter(|(time, _)| *time == gone).map_or(0, |(_, count)| count);
            self.left = Some((gone, before + 1));
        }
    }

    fn first(&self) -> Option<First> {
        // If the clock was set back among them, none is lost.
        let time = *self.times.iter().min()?;
        let equals = self.left.filter(|(left, _)| *left == time).map_or(0, |(_, count)| count);
        Some(First { time, equals })
    }
}

/// How often the log is read if its end proves to be another: the answer was cut, or the container writes on.
const READS: usize = 3;

/// Reads the log that `request` names up to the end, without showing it. `confirm`: an answer that seems to end with
/// the log is verified, since the last lines of a cut one are others.
pub async fn find(
    logs: &impl Logs,
    request: LogRequest,
    sought: Sought,
    confirm: bool,
    is_beyond: impl Fn(Option<Instant>) -> bool,
) -> Result<Option<First>, Error> {
    let request = LogRequest { follow: false, tail_lines: None, limit_bytes: None, ..request };
    let mut reads = 0;
    loop {
        let (first, end) = read(logs, &request, sought, &is_beyond).await?;
        reads += 1;
        let End::Of(last) = end else { return Ok(first) };
        if !confirm || reads == READS {
            return Ok(first);
        }
        let Last { line, half, .. } = last_line(logs, &request, LIMIT).await?;
        if line.or(half).is_none_or(|line| Some(line) == last) {
            return Ok(first);
        }
    }
}

/// The end of an answer.
enum End {
    /// Behind the lines that are sought.
    Beyond,
    /// Where the log seems to end, with this line.
    Of(Option<Seen>),
}

async fn read(
    logs: &impl Logs,
    request: &LogRequest,
    sought: Sought,
    is_beyond: impl Fn(Option<Instant>) -> bool,
) -> Result<(Option<First>, End), Error> {
    let mut stream = logs.open(request).await?;
    let mut splitter = Splitter::new(LIMIT);
    let mut tail = Tail { times: VecDeque::new(), most: sought.lines, left: None };
    let mut last = None;
    // Whether that is all that is sought.
    let mut take = |Lines { data, pieces, .. }: Lines| {
        pieces.iter().any(|piece| match piece {
            Piece::Line(line) => {
                if let Some(time) = line.time {
                    last = Some(Seen::new(time, &data[line.start as usize..line.end as usize]));
                    if time < sought.until {
                        tail.push(time);
                    }
                }
                is_beyond(line.time)
            }
            Piece::Untimed { .. } => false,
        })
    };
    let mut over = false;
    while !over && let Some(chunk) = stream.next().await {
        splitter.push(&chunk?);
        while !over && let Some(lines) = splitter.lines() {
            over = take(lines);
        }
    }
    while !over && let Some(lines) = splitter.rest() {
        over = take(lines);
    }
    Ok((tail.first(), if over { End::Beyond } else { End::Of(last) }))
}
