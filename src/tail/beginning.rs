//! Finds out whether a log begins later than was asked for, since older lines were rotated away.
//!
//! Only the current file of a log can be read, and nothing says whether there was another. There can only have been one
//! if its container wrote enough to fill it.

use std::future::pending;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::task::JoinSet;

use super::logs::{Answer, Logs};
use crate::{
    cluster::{Error, LogRequest},
    event::Instant,
    lines::{LineLimit, Piece, Splitter},
};

/// The size at which kubelets rotate a log, unless they are told otherwise, and the least that is in use.
const USUAL: f64 = 10.0 * LEAST;
const LEAST: f64 = (1 << 20) as f64;

/// Enough of the file to know at which pace its container writes.
const SAMPLE: u64 = 32 << 10;

/// A shorter time without a line is usual.
const QUIET: SignedDuration = SignedDuration::from_secs(10);

const LIMIT: LineLimit = LineLimit { bytes: 1 << 10, spool: false };

/// A question that is under way; the answer is a sentence, if lines are missing.
pub struct Look(JoinSet<Option<String>>);

/// Waits for the answer, once; for ever if nothing was asked.
pub async fn seen(look: &mut Option<Look>) -> Option<String> {
    let Some(Look(asked)) = look else { return pending().await };
    let seen = asked.join_next().await;
    *look = None;
    seen.and_then(Result::ok).flatten()
}

/// The beginning of an answer that is expected to begin early.
pub struct Beginning<L> {
    pub logs: L,
    pub request: LogRequest,
    /// The time since which lines are wanted.
    pub wanted: Instant,
    /// The start of the container.
    pub started: Timestamp,
    /// The zone in which times are shown.
    pub zone: TimeZone,
}

impl<L: Logs> Beginning<L> {
    /// The first line of the answer is of that instant: whether that needs a look at the beginning of the file.
    pub fn is_late(&self, first: Instant) -> bool {
        let expected = self.wanted.max(Instant::from(self.started));
        first.0.saturating_sub(expected.0) >= QUIET.as_nanos() as i64
    }

    pub fn look(self) -> Look {
        let mut look = JoinSet::new();
        look.spawn(async move { self.seen().await });
        Look(look)
    }

    async fn seen(self) -> Option<String> {
        let sample = self.sample().await.ok().flatten()?;
        let start = Timestamp::from_nanosecond(sample.first.0.into()).ok()?;
        let missing = start.duration_since(self.started).as_secs_f64() * sample.pace();
        if sample.first <= self.wanted || missing < LEAST {
            return None;
        }
        let start = start.to_zoned(self.zone).strftime("%Y-%m-%d %H:%M:%S %:z").to_string();
        let perhaps = if missing < USUAL { "perhaps " } else { "" };
        Some(format!("log starts at {start}; {perhaps}older lines were rotated away"))
    }

    async fn sample(&self) -> Result<Option<Sample>, Error> {
        let mut stream = self.logs.open(&self.request).await?;
        let (mut splitter, mut bytes, mut times) = (Splitter::new(LIMIT), 0, None);
        while let Some(chunk) = stream.next().await {
            let chunk = chunk?;
            bytes += chunk.len();
            splitter.push(&chunk);
            while let Some(lines) = splitter.lines() {
                for piece in lines.pieces {
                    let Piece::Line(line) = piece else { continue };
                    let Some(time) = line.time else { continue };
                    times = Some((times.map_or(time, |(first, _)| first), time));
                }
            }
        }
        // A file that is shorter was written until now.
        let end = ((bytes as u64) < SAMPLE).then(|| Instant::from(stream.date()));
        Ok(times.map(|(first, last)| Sample { first, last: end.map_or(last, |end| end.max(last)), bytes }))
    }
}

/// The request for the beginning of the file that `request` reads.
pub fn request(request: LogRequest) -> LogRequest {
    LogRequest { follow: false, since: None, tail_lines: None, limit_bytes: Some(SAMPLE), ..request }
}

/// The beginning of a file.
struct Sample {
    first: Instant,
    /// The time at which all of it was written.
    last: Instant,
    bytes: usize,
}

impl Sample {
    /// Bytes a second.
    fn pace(&self) -> f64 {
        let nanoseconds = self.last.0.saturating_sub(self.first.0).max(1_000_000);
        self.bytes as f64 / (nanoseconds as f64 / 1e9)
    }
}
