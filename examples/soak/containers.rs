//! Containers that write lines, and a record of the lines.

use std::fmt;

use apiserver::{ApiServer, Pod};
use fastrand::Rng;
use jiff::Timestamp;

/// One line that a container wrote.
pub struct Written {
    pub text: String,
    /// Nanoseconds since the Unix epoch.
    pub time: i64,
    /// The number of the instance that wrote it, counted from 0.
    pub instance: u32,
}

/// A container with all its instances.
pub struct Container {
    pub pod: String,
    pub written: Vec<Written>,
    pub instance: u32,
    pub rotated: bool,
    /// Whether the kubelet has not yet reported the last restart.
    pub unreported: bool,
}

impl Container {
    pub fn create(cluster: &ApiServer, number: usize) -> Container {
        let pod = format!("web-{number}");
        cluster.add_pod(Pod::new(&pod));
        Container { pod, written: Vec::new(), instance: 0, rotated: false, unreported: false }
    }

    pub fn path(&self) -> String {
        format!("{}/app", self.pod)
    }

    /// The first unique line of the running instance, as the program shows it.
    pub fn first_line(&self) -> Option<String> {
        let mut lines = self.written.iter().filter(|line| line.instance == self.instance);
        let line = lines.find(|line| line.text.starts_with("n="))?;
        Some(format!("{} app {}\n", self.pod, line.text))
    }

    /// Writes some lines. Many share a timestamp, and some step back, as standard error may be behind standard output.
    pub fn write(&mut self, cluster: &ApiServer, rng: &mut Rng) {
        let count = match rng.u32(..100) {
            0 => rng.usize(1000..5000),
            1..10 => rng.usize(50..500),
            _ => rng.usize(1..50),
        };
        let back = if rng.u32(..4) == 0 { rng.i64(0..5_000_000) } else { 0 };
        let step = [0, 1, 1000][rng.usize(..3)];
        let lines: Vec<String> = (0..count).map(|n| self.text(self.written.len() + n, rng)).collect();
        self.lines(cluster, back, step, lines);
    }

    /// Writes the last line of all.
    pub fn end(&mut self, cluster: &ApiServer, text: &str) {
        self.lines(cluster, 0, 0, vec![text.to_owned()]);
    }

    /// Writes one line in two parts.
    pub fn halves(&mut self, cluster: &ApiServer, between: impl FnOnce()) {
        let (log, text) = (cluster.log(&self.path()), format!("n={} in two halves", self.written.len()));
        let (start, end) = text.split_at(text.len() / 2);
        // The double stamps the line itself. An upper bound of the timestamp is enough for the check.
        log.push_raw(start);
        self.record(nanoseconds(cluster.now()), text.clone());
        between();
        log.push_raw(end).push_raw("\n");
    }

    fn lines(&mut self, cluster: &ApiServer, back: i64, step: i64, lines: Vec<String>) {
        let start = nanoseconds(cluster.now()) - back;
        let at = Timestamp::from_nanosecond(start.into()).expect("a current timestamp");
        cluster.log(&self.path()).lines_at(at, step, &lines);
        for (n, text) in lines.into_iter().enumerate() {
            self.record(start + n as i64 * step, text);
        }
    }

    fn record(&mut self, time: i64, text: String) {
        self.written.push(Written { text, time, instance: self.instance });
    }

    /// Most lines have a number; some are equal, empty, or long.
    fn text(&self, number: usize, rng: &mut Rng) -> String {
        match rng.u32(..20) {
            0 => String::new(),
            1..4 => "same".to_owned(),
            4 => format!("n={number} ünïcödé → ✓"),
            5 if rng.u32(..50) == 0 => format!("n={number} {}", "long".repeat(rng.usize(1..8000))),
            _ => format!("n={number}"),
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.iter().try_for_each(|Written { text, time, instance }| {
            let at = Timestamp::from_nanosecond((*time).into()).unwrap_or_default();
            writeln!(f, "{} app {text}  ({at} by instance {instance})", self.pod)
        })
    }
}

fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).expect("a current timestamp")
}
