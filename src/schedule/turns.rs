//! Order of polls: containers that write are polled soon, silent ones less and less often.

use std::{collections::BTreeSet, ops::Bound, time::Duration};

use tokio::time::Instant;

use crate::cluster::POLLS;

/// Time between two polls of a container.
pub const SOONEST: Duration = Duration::from_secs(1);
pub const LATEST: Duration = Duration::from_secs(60);

/// The same for a log that will soon be gone: its last lines arrive late.
pub const LAST_WORDS: Duration = Duration::from_millis(500);

/// The pace of one container's polls.
#[derive(Debug, Default, Clone, Copy)]
pub struct Pace {
    /// None: never polled, and so before all others.
    due: Option<Instant>,
    interval: Duration,
    /// When the last poll began, and the time since the poll before it.
    last: Option<Instant>,
    gap: Option<Duration>,
}

impl Pace {
    /// Makes it due now. It must not be waiting.
    pub fn hurry(&mut self) {
        (self.due, self.interval) = (None, Duration::ZERO);
    }

    /// Records a poll.
    pub fn rest(&mut self, now: Instant, new_lines: bool) {
        self.interval = if new_lines { SOONEST } else { (self.interval * 2).clamp(SOONEST, LATEST) };
        self.due = Some(now + self.interval);
    }

    /// Records a poll of a log that will soon be gone.
    pub fn rest_briefly(&mut self, now: Instant) {
        self.interval = LAST_WORDS;
        self.due = Some(now + LAST_WORDS);
    }
}

/// Members that wait for their turn, the earliest due first.
#[derive(Default)]
pub struct Turns {
    waiting: BTreeSet<(Option<Instant>, u64)>,
    /// Of all that were polled at least twice: their number, and the sum of their pauses.
    paced: u32,
    gaps: Duration,
    /// Start of the current period of polling, and the polls since.
    began: Option<Instant>,
    polls: u32,
}

impl Turns {
    pub fn insert(&mut self, id: u64, pace: &Pace) {
        self.waiting.insert((pace.due, id));
    }

    pub fn remove(&mut self, id: u64, pace: &Pace) {
        self.waiting.remove(&(pace.due, id));
    }

    pub fn first(&self) -> Option<u64> {
        self.waiting.first().map(|&(_, id)| id)
    }

    /// All members that wait.
    pub fn all(&self) -> impl Iterator<Item = u64> {
        self.waiting.iter().map(|&(_, id)| id)
    }

    /// The members that are due, the most overdue first.
    pub fn due(&self, now: Instant) -> impl Iterator<Item = u64> {
        self.waiting.iter().take_while(move |(due, _)| *due <= Some(now)).map(|&(_, id)| id)
    }

    /// The time of the next turn.
    pub fn next(&self, now: Instant) -> Option<Instant> {
        let later = (Bound::Excluded((Some(now), u64::MAX)), Bound::Unbounded);
        self.waiting.range(later).next().and_then(|&(due, _)| due)
    }

    /// Records the start of a poll.
    pub fn begin(&mut self, pace: &mut Pace, now: Instant) {
        self.began.get_or_insert(now);
        self.polls = self.polls.saturating_add(1);
        let gap = pace.last.replace(now).map(|last| now - last);
        self.count(pace, gap);
    }

    /// Removes a member that is no longer polled.
    pub fn forget(&mut self, pace: &mut Pace) {
        pace.last = None;
        self.count(pace, None);
    }

    fn count(&mut self, pace: &mut Pace, gap: Option<Duration>) {
        if let Some(before) = std::mem::replace(&mut pace.gap, gap) {
            self.paced -= 1;
            self.gaps -= before;
        }
        if let Some(gap) = gap {
            self.paced += 1;
            self.gaps += gap;
        }
    }

    /// Time between two polls of a container, with `polled` containers of which `open` are being polled: the average
    /// of those polled twice, or an estimate from the speed of the first round.
    pub fn round(&mut self, polled: usize, open: usize, now: Instant) -> Option<Duration> {
        if polled == 0 {
            (self.began, self.polls) = (None, 0);
            return None;
        }
        let polled = count(polled);
        if self.paced >= polled.div_ceil(2) {
            return Some(whole_seconds(self.gaps / self.paced));
        }
        let done = self.polls.saturating_sub(count(open));
        let elapsed = now - self.began.filter(|_| done > 0)?;
        Some(whole_seconds(elapsed.mul_f64(f64::from(polled) / f64::from(done))))
    }
}

/// The shortest turn of this many containers at this request rate; the first is shorter.
pub fn shortest_round(polled: usize, qps: Option<f64>) -> Duration {
    let least = qps.map_or(0.0, |qps| polled as f64 / (qps * POLLS));
    whole_seconds(Duration::try_from_secs_f64(least).unwrap_or(Duration::MAX))
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

/// Rounds to the accuracy that it has.
fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs_f64().round() as u64).max(SOONEST)
}
