//! Finds out whether a log begins later than was asked for, since older lines were rotated away.
//!
//! Only the current file of a log can be read, and nothing says whether there was another: it is a guess. A container
//! that has written since the first line at a pace at which it would have filled a file before was hardly quiet until
//! then. Much at once says nothing: it may have been quiet before as it was afterwards.

use std::{future::pending, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::logs::{Answer, Logs};
use crate::{
    cluster::LogRequest,
    event::Instant,
    lines::{LineLimit, Piece, Splitter},
    plan::Since,
    schedule::{Scheduler, Spare},
};

/// The least size of a file that kubelets rotate. Usual are ten times as much.
const LEAST: f64 = (1 << 20) as f64;

/// A container that has written for a shorter time than it may have been quiet before must have filled that many files.
const FILES: f64 = 3.0;

/// Enough of the file to know at which pace its container writes.
const SAMPLE: u64 = 32 << 10;

/// Where the pace is measured again, as shares of the time since the first line.
const SHARES: [f64; 2] = [0.5, 0.9];

/// All that was written within a shorter time is much at once, as the last words of a container that fails.
const BURST: f64 = 1.0;

/// A shorter time without a line is usual.
const QUIET: SignedDuration = SignedDuration::from_secs(10);

const LIMIT: LineLimit = LineLimit { bytes: 1 << 10, spool: false };

/// The pauses until there is room for a request.
const NO_ROOM: Duration = Duration::from_millis(250);

/// The longest wait for it beside logs that are followed, which keep their places.
const PATIENCE: Duration = Duration::from_secs(10);

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
    pub scheduler: Scheduler,
    /// Whether logs are followed.
    pub follows: bool,
    pub request: LogRequest,
    /// The time since which lines are wanted.
    pub wanted: Instant,
    /// The start of the container, and its end.
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
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
        let sample = self.sample(None).await?;
        let first = sample.from;
        let now = self.ended.map_or(sample.now, |ended| sample.now.min(ended.into()));
        let (gap, span) = (seconds(self.started.into(), first), seconds(first, now));
        let least = if span < gap { FILES * LEAST } else { LEAST };
        let fills = |sample: &Sample| gap * sample.pace(now) >= least;
        if first <= self.wanted || span < BURST || !fills(&sample) {
            return None;
        }
        for share in SHARES {
            let from = first.0.saturating_add((span * share * 1e9) as i64);
            if !fills(&self.sample(Some(Instant(from))).await?) {
                return None;
            }
        }
        let start = Timestamp::from_nanosecond(first.0.into()).ok()?.to_zoned(self.zone);
        let start = start.strftime("%Y-%m-%d %H:%M:%S %:z");
        Some(format!("log starts at {start}; perhaps older lines were rotated away"))
    }

    /// The lines from this instant on, or from the first one. None: there is no room for a request, it fails, or others
    /// need its place.
    async fn sample(&self, from: Option<Instant>) -> Option<Sample> {
        let patience = if self.follows { PATIENCE } else { Duration::MAX };
        let spare = timeout(patience, self.room()).await.ok()?;
        tokio::select! {
            biased;
            sample = self.read(from) => sample,
            () = spare.spared() => None,
        }
    }

    async fn room(&self) -> Spare {
        loop {
            match self.scheduler.try_spare() {
                Some(spare) => return spare,
                None => sleep(NO_ROOM).await,
            }
        }
    }

    async fn read(&self, from: Option<Instant>) -> Option<Sample> {
        let since = from.and_then(|from| Timestamp::from_nanosecond(from.0.into()).ok()).map(Since::Time);
        let request = LogRequest { since, ..self.request.clone() };
        let mut stream = self.logs.open(&request).await.ok()?;
        let (mut splitter, mut bytes, mut times) = (Splitter::new(LIMIT), 0, None);
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.ok()?;
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
        let (first, last) = times?;
        let from = from.map_or(first, |from| from.min(first));
        Some(Sample { from, last, now: stream.date().into(), bytes })
    }
}

/// The request for the beginning of the file that `request` reads.
pub fn request(request: LogRequest) -> LogRequest {
    LogRequest { follow: false, since: None, tail_lines: None, limit_bytes: Some(SAMPLE), ..request }
}

/// A part of a file.
struct Sample {
    from: Instant,
    last: Instant,
    now: Instant,
    bytes: usize,
}

impl Sample {
    /// Bytes a second. `now`: the time until which lines may have come.
    fn pace(&self, now: Instant) -> f64 {
        // Fewer bytes than were asked for are all.
        let end = if (self.bytes as u64) < SAMPLE { now.max(self.last) } else { self.last };
        self.bytes as f64 / seconds(self.from, end).max(0.001)
    }
}

fn seconds(from: Instant, to: Instant) -> f64 {
    to.0.saturating_sub(from.0).max(0) as f64 / 1e9
}
