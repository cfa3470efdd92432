//! The end of a run: all is calm, the last lines are written, and once they were shown, and all that is missing was to
//! be reported, a signal ends the program.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::{sleep, sleep_until, timeout};

use super::{LISTED, Repeat, World};
use crate::{
    script::{Ending, Kind, Lines, Place, Pod},
    story::{Leftovers, Request, Story, Usage},
    usage,
};

/// The most that the last lines may take, and somewhat more.
const PATIENCE: Duration = Duration::from_secs(70);

/// The same where a stream fell silent: looks at a log become less frequent.
const UNTIL_LOOKED: Duration = Duration::from_secs(20 * 60);

/// The same where polls wait for their turn, or bytes for theirs.
const TURN: Duration = Duration::from_secs(5 * 60);

/// A repeated line comes within this time after the last one.
const QUIET: Duration = Duration::from_secs(3);

/// So long after the last fault all that is missing has been reported: a minute, and somewhat more for a restart, whose
/// status is waited for.
const REPORTED: Duration = Duration::from_secs(75);

/// The requests for the log of an instance until nothing of it is missing: a stream, the question whose log it is, the
/// rest of its lines, and a look at its end. All that repeat have half of the rate of `--qps`.
const REQUESTS: f64 = 4.0;
const REPEATING: f64 = 0.5;

/// The pods that come and go once all others are gone, one after the other, twice.
const PASSING: u32 = 200;
const EACH: Duration = Duration::from_millis(250);

/// So many lines of each that a few bytes of every line are more than may be left.
const EACH_LINES: u32 = 100;

/// The most that the end of a run may take.
const END: Duration = Duration::from_secs(30);

impl World<'_> {
    pub async fn settle(mut self) -> Story {
        let calm = self.script.calm().max(self.script.setting.start + LISTED);
        self.calm_until(calm).await;
        if !self.is_over() {
            self.last_lines().await;
        }
        if !self.is_over() && self.repeat.is_none() {
            self.calm_until(calm + REPORTED + self.turns()).await;
        }
        if self.script.setting.ending == Ending::Leftovers && !self.is_over() {
            self.leave().await;
        }
        if !self.is_over() && self.signalled.is_none() {
            self.signal();
        }
        self.give_up();
        let World { script, start, clock, server, program, signalled, trace, leftovers, .. } = self;
        let pods = self.past_pods.into_iter().chain(self.pods.into_values()).collect();
        let containers = self.past.into_iter().chain(self.containers.into_values());
        let mut containers: Vec<_> = containers.filter(|container| !container.instances.is_empty()).collect();
        containers.sort_by(|one, other| one.place.cmp(&other.place));
        let mut program = program.expect("the program starts with the script");
        let (ended, code) = match timeout(END, program.end()).await {
            Ok((ended, code)) => (ended, code),
            Err(_) => (start.elapsed(), Err(format!("it did not end within {END:?}"))),
        };
        let taken = program.taken.taken();
        let [stdout, stderr] = [&program.stdout, &program.stderr].map(|stream| stream.written().clone());
        Story {
            calm: script.calm(),
            script: script.clone(),
            clock,
            pods,
            containers,
            trace,
            signalled,
            requests: server.requests().iter().map(|request| Request::of(request, start)).collect(),
            taken,
            leftovers,
            files: BTreeMap::new(),
            stdout,
            stderr,
            code,
            ended,
        }
    }

    async fn calm_until(&self, until: Duration) {
        while self.now() < until && !self.is_over() {
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// Writes the last lines and waits until they are shown.
    async fn last_lines(&mut self) {
        let running: Vec<Place> =
            self.containers.keys().filter(|place| self.is_running(place)).cloned().collect();
        self.tell("all is calm; every container writes a last line");
        let mut seen = self.program.as_ref().map_or(0, |program| program.stdout.written().len());
        let mut awaited = BTreeSet::new();
        for place in running {
            self.write(&place, &Lines::numbered(1));
            if self.script.setting.ready && !self.is_ready(&place.pod) {
                continue;
            }
            let line = self.containers[&place].instances.last().and_then(|instance| instance.lines.last());
            let Some(line) = line else { continue };
            let (text, stamp) =
                (String::from_utf8_lossy(&line.text), line.stamp.strftime("%Y-%m-%dT%H:%M:%S%.9fZ"));
            let namespace = &self.pods[&place.pod].namespace;
            awaited.insert(format!("{namespace} {} {} {stamp} {text}\n", place.pod, place.container));
        }
        if let Some(Repeat { end, .. }) = self.repeat {
            // Its output may look otherwise, or lack the lines.
            return sleep_until(self.start + end).await;
        }
        let until = self.now() + self.patience();
        while self.now() < until
            && !self.is_over()
            && !(awaited.is_empty() && self.script.setting.logs.follows())
        {
            sleep(Duration::from_millis(250)).await;
            let program = self.program.as_ref().expect("it has started");
            let stdout = program.stdout.written();
            let shown: Vec<u8> =
                stdout[seen..].iter().flat_map(|written| written.bytes.iter().copied()).collect();
            seen = stdout.len();
            drop(stdout);
            let shown = String::from_utf8_lossy(&shown);
            awaited.retain(|line| !shown.contains(line.as_str()));
        }
        if !self.is_over() {
            sleep(QUIET).await;
        }
    }

    /// The most that the last lines may take.
    fn patience(&self) -> Duration {
        let setting = &self.script.setting;
        let mut patience = PATIENCE;
        let last = self.containers.values().filter_map(|container| container.instances.last());
        if setting.idle_check != Some(0) && last.into_iter().any(|instance| !instance.silenced.is_empty()) {
            patience += UNTIL_LOOKED;
        }
        let places = [setting.max_log_requests, setting.max_streams_per_node, setting.max_bandwidth];
        if setting.qps.is_some() || places.iter().any(Option::is_some) {
            patience += TURN;
        }
        patience
    }

    /// The time in which all logs have their turns.
    fn turns(&self) -> Duration {
        let containers = self.past.iter().chain(self.containers.values());
        turns(self.script.setting.qps, containers.map(|container| container.instances.len()).sum())
    }

    /// Deletes all pods, lets many more come and go, and measures what is left of all, and of as many again: the first
    /// ones make the room that the others need.
    async fn leave(&mut self) {
        self.delete_all();
        sleep(PATIENCE).await;
        let after = self.pass_through(0).await;
        let again = self.pass_through(PASSING).await;
        self.leftovers = self.before.map(|before| Leftovers { before, after, again });
    }

    fn delete_all(&mut self) {
        let pods: Vec<String> = self.pods.keys().cloned().collect();
        for pod in pods {
            self.delete(&pod, None);
        }
    }

    /// Pods with numbers from this one on come and go.
    async fn pass_through(&mut self, first: u32) -> Usage {
        for number in first..first + PASSING {
            let (name, container) = (format!("passing-{number}"), "app".to_owned());
            self.add(&Pod {
                name: name.clone(),
                namespace: "default".to_owned(),
                node: "node-1".to_owned(),
                containers: vec![(container.clone(), Kind::Main)],
                late: Duration::ZERO,
            });
            sleep(EACH).await;
            self.write(&Place { pod: name.clone(), container }, &Lines::numbered(EACH_LINES));
            if let Some(before) = number.checked_sub(4) {
                self.delete(&format!("passing-{before}"), None);
            }
        }
        self.delete_all();
        sleep(PATIENCE).await;
        let usage = usage::now(self.now());
        let connections = self.server.account().open_connections;
        self.tell(format!("all pods are gone: {usage:?}, {connections} connections"));
        usage
    }
}

/// The time in which requests for the logs of so many instances have their turns, if `--qps` bounds them.
fn turns(qps: Option<i32>, instances: usize) -> Duration {
    let Some(rate) = qps.filter(|rate| *rate > 0) else { return Duration::ZERO };
    Duration::from_secs_f64(instances as f64 * REQUESTS / (f64::from(rate) * REPEATING))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_that_wait_for_their_turn_have_the_time_for_it() {
        let turns = |qps, instances| turns(qps, instances).as_secs();
        assert_eq!([turns(None, 60), turns(Some(-1), 60), turns(Some(0), 60)], [0; 3]);
        assert_eq!([turns(Some(1), 60), turns(Some(8), 60), turns(Some(1), 6)], [480, 60, 48]);
    }
}
