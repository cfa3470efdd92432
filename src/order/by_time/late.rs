//! Counts the lines that are shown late, and reports once when they are many.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    lag::Delay,
    lane::{Lane, Lanes},
};
use crate::{
    notice::{Notice, Scope},
    stats::Late as Counter,
};

const MINUTE: Duration = Duration::from_secs(60);

/// So many late lines in a minute are reported, if they are more than one of a hundred.
const MANY: u64 = 100;

#[derive(Debug)]
pub struct Late {
    counter: Counter,
    since: Option<Instant>,
    /// Since then.
    shown: u64,
    late: u64,
    /// The latest line, in nanoseconds behind the one before it.
    latest: i64,
    reported: bool,
}

impl Late {
    pub fn new(counter: Counter) -> Late {
        Late { counter, since: None, shown: 0, late: 0, latest: 0, reported: false }
    }

    /// Counts a line.
    #[inline]
    pub fn shown(&mut self) {
        self.shown += 1;
    }

    /// Counts it as late: it is so many nanoseconds older than one that was shown.
    pub fn late(&mut self, lane: &mut Lane, by: i64) {
        self.counter.add(1);
        self.late += 1;
        lane.late += 1;
        self.latest = self.latest.max(by);
    }

    /// Counts it as late, since other lines of its time come so many nanoseconds later: the clock of its node is ahead.
    pub fn early(&mut self, lane: &mut Lane, by: i64) {
        self.late(lane, by);
        lane.early += 1;
    }

    /// The cause of late lines was reported.
    pub fn is_explained(&mut self) {
        self.reported = true;
    }

    /// The report, if one is due. `usual`: the delay of most origins.
    pub fn report(&mut self, lanes: &mut Lanes, usual: Option<Delay>, now: Instant) -> Option<Notice> {
        let since = *self.since.get_or_insert(now);
        let many = self.late >= MANY && self.late > self.shown / 100;
        let notice = (many && !self.reported).then(|| self.words(lanes, usual)).flatten();
        self.reported |= notice.is_some();
        if now - since >= MINUTE {
            (self.since, self.shown, self.late, self.latest) = (Some(now), 0, 0, 0);
            lanes.iter_mut().for_each(|lane| (lane.late, lane.early) = (0, 0));
        }
        notice
    }

    fn words(&self, lanes: &Lanes, usual: Option<Delay>) -> Option<Notice> {
        let worst = lanes.iter().max_by_key(|lane| lane.late)?;
        let behind = worst.delays.fastest().zip(usual).map(|(fastest, usual)| fastest - usual);
        let pod = &worst.name.0.pod;
        let cause = match behind {
            Some(behind) if behind < 0 && worst.early > worst.late / 2 => {
                format!("the clock of node {} is ahead by about {}", pod.node, span(behind.saturating_neg()))
            }
            Some(behind) if behind > 0 => {
                format!(
                    "the clock of node {} is behind by about {}, or its lines take as long, as those of a polled container",
                    pod.node,
                    span(behind)
                )
            }
            _ => "it is polled, its stream was broken, or this program was held up".to_owned(),
        };
        let text = format!(
            "--sort shows many lines late, {} of the last {}, by up to {}; most are of {} › {}; perhaps {cause}",
            self.late,
            self.shown,
            span(self.latest),
            pod.name,
            worst.name.0.container,
        );
        Some(Scope::Run.warning(text))
    }
}

/// Nanoseconds in words.
fn span(nanoseconds: i64) -> String {
    match nanoseconds {
        ..1_000_000_000 => format!("{} ms", nanoseconds.max(0) / 1_000_000),
        1_000_000_000..120_000_000_000 => format!("{:.1} s", nanoseconds as f64 / 1e9),
        120_000_000_000..7_200_000_000_000 => format!("{} minutes", nanoseconds / 60_000_000_000),
        _ => format!("{} hours", nanoseconds / 3_600_000_000_000),
    }
}
