//! Counts the requests and the data of a run, for `--stats`.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    origin::{Origin, PodInfo},
    purpose::{Kind, Purpose},
};

/// The limits that make requests wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// `--qps` and `--burst`, and the apiserver's `Retry-After`.
    Requests,
    /// `--max-log-requests` and `--max-streams-per-node`.
    Streams,
    /// `--max-bandwidth`
    Bandwidth,
}

const LIMITS: [(Limit, &str); 3] =
    [(Limit::Requests, "qps"), (Limit::Streams, "max_log_requests"), (Limit::Bandwidth, "max_bandwidth")];

/// Most removed containers that are listed separately, if requested.
const KEPT: usize = 10_000;

/// Clones count together.
#[derive(Debug, Clone)]
pub struct Stats {
    started: Instant,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    /// By kind.
    requests: [u64; Kind::ALL.len()],
    waited: [Duration; LIMITS.len()],
    open: [Gauge; 2],
    /// Bytes that connections delivered, before decompression.
    received: Received,
    /// Only if lines are sorted.
    late: Option<Late>,
    containers: BTreeMap<Names, Counter>,
    /// Removed containers that are still counted separately, oldest first; and the maximum number of them.
    gone: VecDeque<Names>,
    kept: usize,
    /// The sum of removed containers that are no longer counted separately.
    folded: Folded,
}

/// Namespace, pod and container.
type Names = [String; 3];

#[derive(Debug, Default)]
struct Folded {
    containers: usize,
    read: [u64; 2],
}

/// Resources whose peak is counted.
#[derive(Debug, Clone, Copy)]
pub enum Open {
    Stream,
    Connection,
}

#[derive(Debug, Default)]
struct Gauge {
    now: usize,
    peak: usize,
}

/// Bytes that connections delivered. Clones count together.
#[derive(Debug, Default, Clone)]
pub struct Received(Arc<AtomicU64>);

impl Received {
    pub fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// Lines that `--sort` showed late. Clones count together.
#[derive(Debug, Default, Clone)]
pub struct Late(Arc<AtomicU64>);

impl Late {
    pub fn add(&self, lines: u64) {
        self.0.fetch_add(lines, Ordering::Relaxed);
    }
}

/// Lines and the bytes of their messages.
#[derive(Debug, Default, Clone)]
pub struct Counter(Arc<[AtomicU64; 2]>);

impl Counter {
    pub fn add(&self, lines: u64, bytes: u64) {
        self.0[0].fetch_add(lines, Ordering::Relaxed);
        self.0[1].fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn lines(&self) -> u64 {
        self.read()[0]
    }

    /// Whether anything still adds to it.
    fn is_used(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    fn read(&self) -> [u64; 2] {
        [&self.0[0], &self.0[1]].map(|count| count.load(Ordering::Relaxed))
    }
}

impl Default for Stats {
    fn default() -> Self {
        Stats::new(false)
    }
}

impl Stats {
    /// `each`: whether removed containers are listed separately.
    pub fn new(each: bool) -> Self {
        let counts = Counts { kept: if each { KEPT } else { 0 }, ..Counts::default() };
        Stats { started: Instant::now(), counts: Arc::new(Mutex::new(counts)) }
    }

    pub fn requested(&self, purpose: Purpose) {
        self.lock().requests[purpose.kind() as usize] += 1;
    }

    pub fn waited(&self, limit: Limit, time: Duration) {
        self.lock().waited[limit as usize] += time;
    }

    /// Counts as open until it is dropped.
    pub fn opened(&self, what: Open) -> Held {
        let gauge = &mut self.lock().open[what as usize];
        gauge.now += 1;
        gauge.peak = gauge.peak.max(gauge.now);
        Held { stats: self.clone(), what }
    }

    pub fn received(&self) -> Received {
        self.lock().received.clone()
    }

    /// The counter of lines that are shown late. From now on they are reported.
    pub fn late(&self) -> Late {
        self.lock().late.get_or_insert_default().clone()
    }

    /// The counter of a container, shared by its instances.
    pub fn counter(&self, origin: &Origin) -> Counter {
        let names = [&origin.pod.namespace, &origin.pod.name, &origin.container];
        self.lock().containers.entry(names.map(String::clone)).or_default().clone()
    }

    /// Marks containers as removed: nothing is read from them any more.
    pub fn gone(&self, pod: &PodInfo, containers: impl Iterator<Item = String>) {
        let mut counts = self.lock();
        counts.gone.extend(containers.map(|name| [pod.namespace.clone(), pod.name.clone(), name]));
        while counts.gone.len() > counts.kept {
            counts.fold();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The report as one JSON object.
    pub fn to_json(&self) -> Value {
        let counts = self.lock();
        let requests: BTreeMap<_, _> = Kind::ALL.map(|kind| (kind.name(), counts.requested(kind))).into();
        let waited: BTreeMap<_, _> =
            LIMITS.map(|(limit, name)| (name, counts.waited[limit as usize].as_secs_f64())).into();
        let containers: Vec<Value> = counts
            .containers
            .iter()
            .map(|([namespace, pod, container], counter)| {
                let [lines, bytes] = counter.read();
                json!({"namespace": namespace, "pod": pod, "container": container, "lines": lines, "bytes": bytes})
            })
            .collect();
        let [lines, bytes] = counts.total();
        let Folded { containers: gone, read: [gone_lines, gone_bytes] } = counts.folded;
        json!({
            "seconds": self.started.elapsed().as_secs_f64(),
            "lines": lines,
            "bytes": bytes,
            "late_lines": counts.late(),
            "received_bytes": counts.received.0.load(Ordering::Relaxed),
            "requests": requests,
            "waited_seconds": waited,
            "peak_streams": counts.open[Open::Stream as usize].peak,
            "peak_connections": counts.open[Open::Connection as usize].peak,
            "reconnects": counts.requested(Kind::Resume),
            "containers": containers,
            "gone": {"containers": gone, "lines": gone_lines, "bytes": gone_bytes},
        })
    }
}

impl Counts {
    fn requested(&self, kind: Kind) -> u64 {
        self.requests[kind as usize]
    }

    fn late(&self) -> Option<u64> {
        self.late.as_ref().map(|late| late.0.load(Ordering::Relaxed))
    }

    fn total(&self) -> [u64; 2] {
        self.containers
            .values()
            .map(Counter::read)
            .fold(self.folded.read, |sum, read| [sum[0] + read[0], sum[1] + read[1]])
    }

    /// Adds the oldest removed container to the sum, unless another pod of this name exists.
    fn fold(&mut self) {
        let Some(names) = self.gone.pop_front() else { return };
        if self.containers.get(&names).is_some_and(Counter::is_used) {
            return;
        }
        if let Some(counter) = self.containers.remove(&names) {
            let ([lines, bytes], folded) = (counter.read(), &mut self.folded);
            folded.containers += 1;
            folded.read = [folded.read[0] + lines, folded.read[1] + bytes];
        }
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.lock();
        let (total, seconds) = (counts.total(), self.started.elapsed().as_secs_f64());
        let containers = counts.containers.len() + counts.folded.containers;
        writeln!(f, "· {} of {containers} containers in {seconds:.1} s", size(total))?;
        let requests = Kind::ALL.map(|kind| format!("{} {}", counts.requested(kind), kind.name()));
        let sum: u64 = counts.requests.iter().sum();
        writeln!(f, "· {sum} requests: {}", requests.join(", "))?;
        let waited = LIMITS.map(|(limit, name)| {
            let flag = name.replace('_', "-");
            format!("{:.1} s for --{flag}", counts.waited[limit as usize].as_secs_f64())
        });
        writeln!(f, "· waited: {}", waited.join(", "))?;
        let [streams, connections] = &counts.open;
        let received = in_bytes(counts.received.0.load(Ordering::Relaxed));
        writeln!(
            f,
            "· at most {} streams and {} connections at once, which delivered {received}",
            streams.peak, connections.peak
        )?;
        if let Some(late) = counts.late() {
            writeln!(f, "· --sort showed {late} lines late")?;
        }
        for ([namespace, pod, container], counter) in &counts.containers {
            // Standard input has no names.
            if !pod.is_empty() {
                writeln!(f, "· {namespace} {pod} › {container}: {}", size(counter.read()))?;
            }
        }
        if counts.folded.containers > 0 {
            let Folded { containers, read } = counts.folded;
            writeln!(f, "· {containers} removed containers: {}", size(read))?;
        }
        Ok(())
    }
}

fn size([lines, bytes]: [u64; 2]) -> String {
    format!("{lines} lines, {}", in_bytes(bytes))
}

fn in_bytes(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// Counts as open until dropped.
pub struct Held {
    stats: Stats,
    what: Open,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.stats.lock().open[self.what as usize].now -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_of_open_streams_is_reported() {
        let stats = Stats::default();
        let both = [stats.opened(Open::Stream), stats.opened(Open::Stream)];
        drop(both);
        let _one = stats.opened(Open::Stream);
        assert_eq!(stats.to_json()["peak_streams"], 2);
    }

    #[test]
    fn everything_is_summed_up_and_reported_for_each_container() {
        let stats = Stats::default();
        let origin = |container: &str| Origin { container: container.into(), ..Origin::default() };
        stats.counter(&origin("app")).add(3, 300);
        stats.counter(&origin("app")).add(2, 200);
        stats.counter(&origin("proxy")).add(1, 50);
        stats.requested(Purpose::Open);
        stats.requested(Purpose::Resume);
        stats.waited(Limit::Requests, Duration::from_millis(1500));
        let report = stats.to_json();
        assert_eq!((&report["lines"], &report["bytes"]), (&json!(6), &json!(550)));
        assert_eq!((&report["containers"][0]["lines"], &report["reconnects"]), (&json!(5), &json!(1)));
        let text = stats.to_string();
        assert!(
            text.contains("· 2 requests: 0 list, 0 watch, 1 open, 1 resume, 0 poll, 0 check\n"),
            "{text}"
        );
        assert!(text.contains("· waited: 1.5 s for --qps, 0.0 s for --max-log-requests"), "{text}");
    }

    #[test]
    fn every_request_is_of_a_kind() {
        let stats = Stats::default();
        use Purpose::*;
        for purpose in [List, Watch, Resume, Remainder, Confirm, Ending, Open, FirstPoll, Poll, Check, Probe]
        {
            stats.requested(purpose);
        }
        let text = stats.to_string();
        let wanted = "· 11 requests: 1 list, 1 watch, 2 open, 2 resume, 2 poll, 3 check\n";
        assert!(text.contains(wanted), "{text}");
    }

    fn pod(name: usize) -> Arc<PodInfo> {
        Arc::new(PodInfo { name: name.to_string(), ..PodInfo::default() })
    }

    /// Adds and removes pods, each with one line of ten bytes.
    fn pass(stats: &Stats, pods: std::ops::Range<usize>) {
        for pod in pods.map(pod) {
            stats.counter(&Origin { pod: pod.clone(), ..Origin::default() }).add(1, 10);
            stats.gone(&pod, std::iter::once(String::new()));
        }
    }

    #[test]
    fn containers_that_are_gone_are_one_sum() {
        let stats = Stats::default();
        pass(&stats, 0..600);
        let counts = stats.lock();
        assert_eq!((counts.containers.len(), counts.gone.len()), (0, 0));
        drop(counts);
        let report = stats.to_json();
        assert_eq!((&report["lines"], &report["gone"]["containers"]), (&json!(600), &json!(600)));
        let text = stats.to_string();
        assert!(text.starts_with("· 600 lines, 6.0 kB of 600 containers in "), "{text}");
        assert!(text.ends_with("· 600 removed containers: 600 lines, 6.0 kB\n"), "{text}");
    }

    #[test]
    fn the_last_deleted_containers_are_reported_one_by_one_on_request() {
        let stats = Stats::new(true);
        pass(&stats, 0..KEPT + 5);
        let report = stats.to_json();
        assert_eq!(report["containers"].as_array().map(Vec::len), Some(KEPT));
        assert_eq!((&report["lines"], &report["gone"]["containers"]), (&json!(KEPT + 5), &json!(5)));
    }

    #[test]
    fn another_pod_of_the_same_name_is_counted_on() {
        let stats = Stats::default();
        let counter = stats.counter(&Origin { pod: pod(1), ..Origin::default() });
        pass(&stats, 1..2);
        counter.add(1, 10);
        assert_eq!((&stats.to_json()["lines"], &stats.to_json()["gone"]["lines"]), (&json!(2), &json!(0)));
    }
}
