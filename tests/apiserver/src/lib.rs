//! A double of the Kubernetes apiserver: a test makes it do everything that a real one may do to a reader of pod logs,
//! and it records all requests.
//!
//! ```no_run
//! use apiserver::{After, Answer, ApiServer, Match, Pod};
//!
//! let server = ApiServer::start();
//! server.add_pod(Pod::new("web-1").label("app", "web"));
//! server.log("web-1/app").push("hello");
//! server.on(Match::logs()).then(Answer::ok().cut_after(After::Lines(1)));
//!
//! // … run the program under test with `server.kubeconfig()` …
//! server.wait_for(|account| account.requests.logs().len() == 2);
//! server.restart_container("web-1/app");
//! ```
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod access;
mod account;
mod answers;
mod body;
mod clock;
mod cluster;
mod connection;
mod containers;
mod distance;
mod logs;
mod metadata;
mod pod_log;
mod pods;
mod proxy;
mod resources;
mod script;
mod selectors;
mod server;
mod store;
mod tls;
mod workloads;

mod double;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::{
    account::{Account, Ended, Followed, Request, Requests},
    cluster::Cluster,
    double::{ApiServer, Builder},
    logs::{IntoInstant, Log},
    pods::Pod,
    proxy::Proxy,
    script::{After, Answer, Chunks, Gate, Kind, Match, Script},
    workloads::Workload,
};

/// Ignores poison: a test that panicked while it held the lock has failed already.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One thread for all connections: the bytes of a task have left before another task runs, so breaks come exactly where
/// a script puts them.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the system has room for a runtime")
}
