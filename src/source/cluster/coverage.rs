//! Reports how many containers are followed or polled, and the limit that causes it, whenever that changes.

use std::{cmp::Reverse, collections::BTreeMap, convert::Infallible, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::{
    descriptors,
    notice::Scope,
    queue::Sender,
    schedule::{Bound, Load},
};

/// Changes are reported after this long without another change; the second is the longest delay.
const SETTLED: Duration = Duration::from_secs(1);
const UNSETTLED: Duration = Duration::from_secs(10);

/// Shortest time between two reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Behind the interval of polls.
const LATE: &str = "; with --sort their lines are shown late, up to so long";

/// Most nodes that get a line of their own, and most characters of their names.
const MOST_NODES: usize = 5;
const LONGEST_NAME: usize = 63;

/// Reports until dropped.
pub async fn report(
    mut load: watch::Receiver<Load>,
    qps: Option<f64>,
    sorted: bool,
    out: &Sender,
) -> Infallible {
    let expected = |load: &Load| Load { turn: load.expected_turn(qps), ..load.clone() };
    let mut reported = Reported { sorted, ..Reported::default() };
    loop {
        // The scheduler outlives this future; without it there would be nothing to report.
        if load.wait_for(|load| reported.differs_from(&expected(load))).await.is_err() {
            std::future::pending::<()>().await;
        }
        settle(&mut load).await;
        let lines = reported.update(&expected(&load.borrow_and_update()));
        if lines.is_empty() {
            continue;
        }
        for line in lines {
            out.notice(Scope::Cluster.info(line)).await;
        }
        sleep(REPORT_INTERVAL).await;
    }
}

/// Waits until the number of polled containers is stable.
async fn settle(load: &mut watch::Receiver<Load>) {
    let start = Instant::now();
    let mut count = || {
        let load = load.borrow_and_update();
        (load.polled, load.exhausted.clone())
    };
    let mut before = count();
    loop {
        sleep(SETTLED).await;
        let now = count();
        if now == before || start.elapsed() >= UNSETTLED {
            return;
        }
        before = now;
    }
}

/// The last report.
#[derive(Default)]
struct Reported {
    /// Whether lines are shown by time.
    sorted: bool,
    /// Number polled because of a limit, and their interval; 0: only nodes limit following.
    polled: usize,
    turn: Option<Duration>,
    exhausted: BTreeMap<String, usize>,
}

impl Reported {
    fn differs_from(&self, load: &Load) -> bool {
        let forgotten = || self.exhausted.keys().any(|node| !load.exhausted.contains_key(node));
        self.limit_differs(load) || self.nodes_that_differ(load).next().is_some() || forgotten()
    }

    /// Whether another number is polled because of a limit, or at a very different interval.
    fn limit_differs(&self, load: &Load) -> bool {
        let seconds = |turn: Option<Duration>| turn.map_or(0, |turn| turn.as_secs());
        match load.bound {
            Some(_) => load.polled != self.polled || differs_much(seconds(load.turn), seconds(self.turn)),
            None => self.polled > 0,
        }
    }

    fn nodes_that_differ<'l>(&self, load: &'l Load) -> impl Iterator<Item = (&'l str, usize)> {
        load.exhausted.iter().map(|(node, &count)| (node.as_str(), count)).filter(|&(node, count)| {
            let reported = self.exhausted.get(node).copied().unwrap_or(0);
            differs_much(count as u64, reported as u64)
        })
    }

    /// The lines to report now.
    fn update(&mut self, load: &Load) -> Vec<String> {
        let mut lines = Vec::new();
        if self.limit_differs(load) {
            match load.bound {
                Some(bound) => {
                    let late = if self.sorted && load.polled > 0 { LATE } else { "" };
                    lines.push(format!("{}{late}", limited(load, bound)));
                }
                None if load.polled == 0 && load.following > 0 => {
                    lines.push(format!("following all {} containers", load.following));
                }
                // The lines about nodes cover the rest, or there is nothing left.
                None => {}
            }
            self.polled = if load.bound.is_some() { load.polled } else { 0 };
            self.turn = load.turn;
        }
        let mut nodes: Vec<_> = self.nodes_that_differ(load).collect();
        nodes.sort_by_key(|&(_, count)| Reverse(count));
        let every = load.turn.map_or(String::new(), |turn| format!(", about every {} s", turn.as_secs()));
        let (most, rest) = nodes.split_at(nodes.len().min(MOST_NODES));
        lines.extend(most.iter().map(|(node, count)| {
            let node = shortened(node);
            format!("{node} cannot follow more logs; polling {count} of them{every}")
        }));
        if !rest.is_empty() {
            let (nodes, count) = (rest.len(), rest.iter().map(|(_, count)| count).sum::<usize>());
            lines.push(format!("{nodes} more nodes cannot follow more logs; polling {count} of them{every}"));
        }
        let nodes: Vec<_> = nodes.into_iter().map(|(node, count)| (node.to_owned(), count)).collect();
        self.exhausted.extend(nodes);
        self.exhausted.retain(|node, _| load.exhausted.contains_key(node));
        lines
    }
}

/// Whether the value changed by about half or more.
fn differs_much(now: u64, before: u64) -> bool {
    2 * now > 3 * before || 3 * now < 2 * before
}

/// For example `following 45 of 430 containers, polling 385 every ~8 s; raise --max-log-requests to follow more`.
fn limited(load: &Load, bound: Bound) -> String {
    let Load { following, polled, turn, .. } = *load;
    let every = turn.map_or("in turn".to_owned(), |turn| format!("every ~{} s", turn.as_secs()));
    let advice = match bound {
        Bound::LogRequests => "raise --max-log-requests to follow more".to_owned(),
        Bound::StreamsPerNode => "raise --max-streams-per-node to follow more".to_owned(),
        Bound::OpenFiles => descriptors::described(),
    };
    let total = following + polled;
    format!("following {following} of {total} containers, polling {polled} {every}; {advice}")
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        order::{Arrival, Order},
        queue,
    };

    fn limited_to(following: usize, polled: usize) -> Load {
        let turn = Some(Duration::from_secs(8));
        Load { following, polled, turn, bound: Some(Bound::LogRequests), ..Load::default() }
    }

    fn exhausted<'n>(nodes: impl IntoIterator<Item = (&'n str, usize)>) -> Load {
        let nodes: BTreeMap<_, _> = nodes.into_iter().map(|(node, count)| (node.to_owned(), count)).collect();
        let turn = Some(Duration::from_secs(2));
        Load { polled: nodes.values().sum(), turn, exhausted: Arc::new(nodes), ..Load::default() }
    }

    #[test]
    fn polling_is_reported_with_the_limit_that_binds() {
        let mut reported = Reported::default();
        let polled = "following 45 of 430 containers, polling 385";
        let load = limited_to(45, 385);
        assert_eq!(
            reported.update(&load),
            [format!("{polled} every ~8 s; raise --max-log-requests to follow more")]
        );
        assert!(!reported.differs_from(&Load { turn: Some(Duration::from_secs(10)), ..load.clone() }));
        let load = Load { bound: Some(Bound::StreamsPerNode), turn: None, ..load };
        assert_eq!(
            reported.update(&load),
            [format!("{polled} in turn; raise --max-streams-per-node to follow more")]
        );
        let all = Load { following: 430, ..Load::default() };
        assert_eq!(reported.update(&all), ["following all 430 containers"]);
        assert!(!reported.differs_from(&all));
    }

    #[test]
    fn nothing_is_reported_once_no_container_is_left() {
        let mut reported = Reported::default();
        reported.update(&limited_to(1, 5));
        assert_eq!(reported.update(&Load::default()), [""; 0]);
        reported.update(&exhausted([("node-1", 5)]));
        assert_eq!(reported.update(&Load::default()), [""; 0]);
        assert!(!reported.differs_from(&Load::default()));
    }

    #[test]
    fn a_node_that_can_follow_no_more_has_one_line_until_that_changes_much() {
        let mut reported = Reported::default();
        let in_turn =
            |count| format!("node-1 cannot follow more logs; polling {count} of them, about every 2 s");
        assert_eq!(reported.update(&exhausted([("node-1", 190)])), [in_turn(190)]);
        for count in [191, 150, 280] {
            assert!(!reported.differs_from(&exhausted([("node-1", count)])), "{count}");
        }
        assert_eq!(reported.update(&exhausted([("node-1", 20)])), [in_turn(20)]);
        // After the problem ended, it is reported again.
        reported.update(&Load { following: 20, ..Load::default() });
        assert_eq!(reported.update(&exhausted([("node-1", 20)])), [in_turn(20)]);
    }

    #[test]
    fn of_many_nodes_the_worst_are_named() {
        let names: Vec<_> = (1..=100).map(|n| format!("{n}-{}", "n".repeat(100))).collect();
        let nodes = || names.iter().map(String::as_str).zip(1..);
        let mut reported = Reported::default();
        let lines = reported.update(&exhausted(nodes()));
        assert_eq!(lines.len(), MOST_NODES + 1);
        assert!(
            lines[0].starts_with("100-nnn") && lines[0].contains("n… cannot follow more"),
            "{}",
            lines[0]
        );
        let rest = "95 more nodes cannot follow more logs; polling 4560 of them, about every 2 s";
        assert_eq!(lines[MOST_NODES], rest);
        assert!(!reported.differs_from(&exhausted(nodes())));
    }

    #[tokio::test(start_paused = true)]
    async fn coverage_is_reported_once_it_has_settled() {
        let (sender, load) = watch::channel(Load::default());
        let (out, mut lines) = queue::new(Arrival::CAPACITY);
        let more_and_more = async {
            for count in 1..=190 {
                sender.send_replace(exhausted([("node-1", count)]));
                sleep(Duration::from_millis(20)).await;
            }
            sleep(UNSETTLED * 10).await;
        };
        tokio::select! {
            never = report(load, None, false, &out) => match never {},
            () = more_and_more => {}
        }
        let mut reported = Vec::new();
        while let Some(event) = lines.ready() {
            reported.push(format!("{event:?}"));
        }
        assert_eq!(reported.len(), 1, "{reported:?}");
        assert!(reported[0].contains("polling 190 of them"), "{reported:?}");
    }
}
