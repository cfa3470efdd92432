//! Looks for the shortest script that fails in the same way.

use std::time::{Duration, Instant};

use crate::{
    judge::Problem,
    run,
    script::{Event, Fault, Lines, Script, Setting, What},
};

/// The most that it takes.
const TIME: Duration = Duration::from_secs(90);

/// Drops events, pods and flags, and halves bursts, for as long as a problem of the same kind is left on the same
/// container.
pub fn shrink(script: &Script, like: &Problem) -> Script {
    let mut shrink = Shrink { best: script.clone(), like, begun: Instant::now() };
    loop {
        let before = shrink.size();
        shrink.pods();
        shrink.events();
        shrink.setting();
        shrink.halves();
        if shrink.size() >= before || shrink.is_late() {
            return shrink.best;
        }
    }
}

struct Shrink<'a> {
    best: Script,
    like: &'a Problem,
    begun: Instant,
}

impl Shrink<'_> {
    fn is_late(&self) -> bool {
        self.begun.elapsed() > TIME
    }

    fn size(&self) -> (usize, usize, u64) {
        let lines = self.best.events.iter().map(|event| match &event.what {
            What::Writes(_, lines) => u64::from(lines.count),
            What::GoesOn(_, lines, pace) => u64::from(lines.count) + pace.lasting.as_secs(),
            _ => 0,
        });
        (self.best.events.len(), self.best.setting.flags().len(), lines.sum())
    }

    /// Takes a script if it fails in the same way.
    fn attempt(&mut self, script: Script) -> bool {
        if self.is_late() {
            return false;
        }
        let Problem { kind, container, .. } = self.like;
        let fails =
            run(&script).1.iter().any(|problem| problem.kind == *kind && problem.container == *container);
        if fails {
            self.best = script;
        }
        fails
    }

    fn keep(&mut self, keep: impl Fn(usize, &Event) -> bool) -> bool {
        let mut script = self.best.clone();
        let mut at = 0..;
        script.events.retain(|event| keep(at.next().unwrap_or(0), event));
        script.events.len() < self.best.events.len() && self.attempt(script)
    }

    fn pods(&mut self) {
        let pods: Vec<String> =
            self.best.events.iter().filter_map(|event| event.what.pod()).map(str::to_owned).collect();
        for pod in pods {
            self.keep(|_, event| event.what.pod() != Some(&pod));
        }
    }

    /// In ever smaller parts.
    fn events(&mut self) {
        let mut part = self.best.events.len() / 2;
        while part > 0 && !self.is_late() {
            let mut from = 0;
            while from < self.best.events.len() {
                if !self.keep(|at, _| !(from..from + part).contains(&at)) {
                    from += part;
                }
            }
            part /= 2;
        }
    }

    fn setting(&mut self) {
        let simpler: [fn(&mut Setting); 21] = [
            |setting| setting.tail = None,
            |setting| setting.since = None,
            |setting| setting.until = None,
            |setting| setting.limit_bytes = None,
            |setting| setting.max_log_requests = None,
            |setting| setting.max_streams_per_node = None,
            |setting| (setting.qps, setting.burst) = (None, None),
            |setting| setting.max_bandwidth = None,
            |setting| setting.latency = None,
            |setting| setting.idle_check = None,
            |setting| setting.unconfirmed = false,
            |setting| setting.http1 = false,
            |setting| setting.ready = false,
            |setting| setting.sort = false,
            |setting| setting.max_line = None,
            |setting| setting.logs = Setting::default().logs,
            |setting| setting.ending = Setting::default().ending,
            |setting| setting.clocks = Setting::default().clocks,
            |setting| setting.server.max_streams = None,
            |setting| setting.server.round_trip = Setting::default().server.round_trip,
            |setting| setting.server.http2 = true,
        ];
        for simplify in simpler {
            let mut script = self.best.clone();
            simplify(&mut script.setting);
            if script.setting != self.best.setting {
                self.attempt(script);
            }
        }
    }

    fn halves(&mut self) {
        for at in 0..self.best.events.len() {
            while !self.is_late() {
                let mut script = self.best.clone();
                if !script.events.get_mut(at).is_some_and(|event| halve(&mut event.what))
                    || !self.attempt(script)
                {
                    break;
                }
            }
        }
    }
}

/// False if it is small already.
fn halve(what: &mut What) -> bool {
    let lines = |lines: &mut Lines| {
        lines.count = lines.count.div_ceil(2);
        lines.count > 1
    };
    match what {
        What::Writes(_, written) => lines(written),
        What::GoesOn(_, written, pace) => {
            pace.lasting /= 2;
            lines(written) || pace.lasting > pace.every
        }
        What::Fault(Fault::Refused { times, .. } | Fault::WillBreak { times, .. }) => {
            *times = times.div_ceil(2);
            *times > 1
        }
        _ => false,
    }
}
