//! The requests that the server received, and their answers.

use std::{
    collections::BTreeMap,
    fmt,
    ops::Deref,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{HeaderMap, Method, Version};
use tokio::{sync::Notify, time::Instant};

use crate::{lock, script::Kind};

/// One request.
#[derive(Debug)]
pub struct Request {
    /// Its number, counted from 1.
    pub number: u64,
    pub kind: Kind,
    pub method: Method,
    pub path: String,
    /// The query parameters; the last value of one given twice.
    pub query: BTreeMap<String, String>,
    pub headers: HeaderMap,
    pub at: Instant,
    pub version: Version,
    /// The number of its connection, counted from 1.
    pub connection: u64,
    pub(crate) sent: AtomicU64,
    pub(crate) outcome: Mutex<Outcome>,
}

#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub status: Option<u16>,
    pub answered: Option<Instant>,
    pub retry_after: Option<String>,
    pub ended: Option<(Ended, Instant)>,
    /// The node, if the request follows a log.
    pub follows: Option<String>,
}

/// How the answer to a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was sent completely.
    Complete,
    /// The server broke it off: a script did, or the test closed the connection.
    Broken,
    /// The client closed the connection or reset the stream.
    Abandoned,
}

impl Request {
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the answer may be compressed.
    pub(crate) fn accepts_gzip(&self) -> bool {
        self.header("accept-encoding").is_some_and(|encodings| encodings.contains("gzip"))
    }

    /// The status code, once the request was answered.
    pub fn status(&self) -> Option<u16> {
        lock(&self.outcome).status
    }

    /// When the head of the answer was sent.
    pub fn answered_at(&self) -> Option<Instant> {
        lock(&self.outcome).answered
    }

    /// The header `Retry-After` of an answer that is not the ordinary one.
    pub fn retry_after(&self) -> Option<String> {
        lock(&self.outcome).retry_after.clone()
    }

    /// Bytes of the body sent so far.
    pub fn bytes(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// The end of the answer; None while it is open.
    pub fn ended(&self) -> Option<Ended> {
        Some(lock(&self.outcome).ended?.0)
    }

    pub fn ended_at(&self) -> Option<Instant> {
        Some(lock(&self.outcome).ended?.1)
    }

    pub fn is_open(&self) -> bool {
        self.ended().is_none()
    }

    fn is_open_log(&self) -> bool {
        self.kind == Kind::Log && self.status() == Some(200)
    }
}

/// Requests in the order of their arrival.
#[derive(Debug, Clone, Default)]
pub struct Requests(Vec<Arc<Request>>);

impl Deref for Requests {
    type Target = [Arc<Request>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Requests {
    pub fn lists(&self) -> Self {
        self.of(Kind::List)
    }

    pub fn watches(&self) -> Self {
        self.of(Kind::Watch)
    }

    pub fn gets(&self) -> Self {
        self.of(Kind::Get)
    }

    pub fn logs(&self) -> Self {
        self.of(Kind::Log)
    }

    pub fn of(&self, kind: Kind) -> Self {
        self.filter(|request| request.kind == kind)
    }

    /// Requests whose path contains this.
    pub fn path(&self, part: &str) -> Self {
        self.filter(|request| request.path.contains(part))
    }

    /// Requests whose answer is open.
    pub fn open(&self) -> Self {
        self.filter(Request::is_open)
    }

    pub fn filter(&self, keep: impl Fn(&Request) -> bool) -> Self {
        Requests(self.0.iter().filter(|request| keep(request)).cloned().collect())
    }
}

/// Followed logs of one node.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Followed {
    pub open: usize,
    pub peak: usize,
}

/// Everything that the server has seen so far.
#[derive(Debug, Clone, Default)]
pub struct Account {
    pub requests: Requests,
    pub connections: u64,
    pub open_connections: usize,
    pub peak_connections: usize,
    /// Open log answers with status 200.
    pub open_log_streams: usize,
    pub peak_log_streams: usize,
    /// Followed logs, by node.
    pub followed: BTreeMap<String, Followed>,
    /// TLS handshakes that failed, with the reason.
    pub handshake_errors: Vec<String>,
    pub(crate) listening: bool,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} connections ({} open, peak {}), {} open log streams (peak {}), {} requests:",
            self.connections,
            self.open_connections,
            self.peak_connections,
            self.open_log_streams,
            self.peak_log_streams,
            self.requests.len()
        )?;
        for request in self.requests.iter() {
            let query: Vec<_> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let status = request.status().map_or("-".to_owned(), |status| status.to_string());
            let ended = request.ended().map_or("open".to_owned(), |ended| format!("{ended:?}"));
            let Request { connection, method, path, .. } = &**request;
            let query = query.join("&");
            writeln!(
                f,
                "  #{connection} {method} {path}?{query}: {status}, {} bytes, {ended}",
                request.bytes()
            )?;
        }
        self.handshake_errors.iter().try_for_each(|error| writeln!(f, "  handshake: {error}"))
    }
}

/// A change of a byte count wakes no one, so a condition is checked again after a while.
const RECHECK: Duration = Duration::from_millis(10);

#[derive(Default)]
pub(crate) struct Ledger {
    account: Mutex<Account>,
    changed: Condvar,
    /// The same for tasks.
    moved: Notify,
    numbers: AtomicU64,
}

impl Ledger {
    pub fn snapshot(&self) -> Account {
        lock(&self.account).clone()
    }

    pub fn forget(&self) {
        lock(&self.account).requests.0.clear();
    }

    pub fn update<T>(&self, change: impl FnOnce(&mut Account) -> T) -> T {
        let result = change(&mut lock(&self.account));
        self.changed.notify_all();
        self.moved.notify_waiters();
        result
    }

    /// The number of logs of a node that are followed now.
    pub fn followed(&self, node: &str) -> usize {
        lock(&self.account).followed.get(node).map_or(0, |followed| followed.open)
    }

    pub fn connected(&self) -> u64 {
        self.update(|account| {
            account.connections += 1;
            account.open_connections += 1;
            account.peak_connections = account.peak_connections.max(account.open_connections);
            account.connections
        })
    }

    pub fn disconnected(&self) {
        self.update(|account| account.open_connections -= 1);
    }

    /// The number of a new request.
    pub fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub fn asked(&self, request: &Arc<Request>) {
        self.update(|account| account.requests.0.push(Arc::clone(request)));
    }

    pub fn answered(&self, request: &Request, status: u16) {
        self.update(|account| {
            {
                let mut outcome = lock(&request.outcome);
                (outcome.status, outcome.answered) = (Some(status), Some(Instant::now()));
            }
            if request.is_open_log() {
                account.open_log_streams += 1;
                account.peak_log_streams = account.peak_log_streams.max(account.open_log_streams);
                if let Some(node) = &lock(&request.outcome).follows {
                    let followed = account.followed.entry(node.clone()).or_default();
                    followed.open += 1;
                    followed.peak = followed.peak.max(followed.open);
                }
            }
        });
    }

    pub fn ended(&self, request: &Request, how: Ended) {
        self.update(|account| {
            let first = lock(&request.outcome).ended.replace((how, Instant::now())).is_none();
            if first && request.is_open_log() {
                account.open_log_streams -= 1;
                let node = lock(&request.outcome).follows.clone();
                if let Some(followed) = node.and_then(|node| account.followed.get_mut(&node)) {
                    followed.open -= 1;
                }
            }
        });
    }

    pub fn holds(&self, condition: impl Fn(&Account) -> bool) -> bool {
        condition(&lock(&self.account))
    }

    /// Blocks until the condition holds.
    pub fn wait_for(&self, timeout: Duration, condition: impl Fn(&Account) -> bool) {
        let deadline = std::time::Instant::now() + timeout;
        let mut account = lock(&self.account);
        while !condition(&account) {
            assert!(std::time::Instant::now() < deadline, "timeout; the server's account:\n{account}");
            let (guard, _) = self
                .changed
                .wait_timeout(account, RECHECK)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            account = guard;
        }
    }

    /// Waits until the condition holds.
    pub async fn until(&self, timeout: Duration, condition: impl Fn(&Account) -> bool) {
        let deadline = Instant::now() + timeout;
        loop {
            let moved = self.moved.notified();
            if self.holds(&condition) {
                return;
            }
            assert!(Instant::now() < deadline, "timeout; the server's account:\n{}", self.snapshot());
            // Both outcomes lead to the next check.
            let _ = tokio::time::timeout(RECHECK, moved).await;
        }
    }
}
