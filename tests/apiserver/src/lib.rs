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
//!
//! | fault | how |
//! | --- | --- |
//! | answers: refused, late, in parts, broken, never begun or ended | [`ApiServer::on`], [`Answer`], [`Script::times`], [`Script::during`] |
//! | open answers: ended, cut, reset, text inserted | [`ApiServer::end`], [`ApiServer::cut`], [`ApiServer::reset`], [`ApiServer::insert`] |
//! | connections: reset, drained, ended with a GOAWAY, refused | [`ApiServer::reset_connections`], [`ApiServer::go_away`], [`ApiServer::go_away_at_once`], [`ApiServer::down`] |
//! | the network: far, silent, a dead connection | [`ApiServer::set_round_trip`], [`ApiServer::black_hole`], [`ApiServer::deaden`] |
//! | watches: late, too old, bookmarks; lists: pages that expire | [`Cluster::delay_watches`], [`ApiServer::expire_watches`], [`Cluster::compact`], [`Cluster::bookmark`], [`Cluster::expire_continue_tokens`] |
//! | clocks of the server and of nodes | [`ApiServer::set_clock_ahead`], [`ApiServer::set_node_clock_ahead`] |
//! | logs: rotated in one step or as a kubelet does, silent, removed | [`Log::rotate`], [`Log::rename`], [`Log::reopen`], [`Log::rotate_losing`], [`Log::silence_followers`], [`Cluster::remove_logs`] |
//! | containers: restarts that the status does not report, crash loops, no previous log | [`Cluster::hold_status`], [`Cluster::crash_container`], [`Cluster::keep_no_previous`] |
//! | pods and namespaces: deleted with and without grace, evicted | [`Cluster::begin_deletion`], [`Cluster::delete_pod`], [`Cluster::delete_without_grace`], [`Cluster::evict`], [`Cluster::begin_namespace_deletion`] |
//! | nodes: kubelet stopped, unreachable, out of inotify | [`ApiServer::stop_kubelet`], [`Cluster::lose_node`], [`ApiServer::set_inotify_instances`] |
//! | access: credentials that expire, rights | [`ApiServer::set_token`], [`ApiServer::forbid`] |
//!
//! A simulator has it on its own runtime, whose clock is paused, over connections in memory. Nothing is left to chance
//! then, and an hour costs milliseconds:
//!
//! ```
//! # use apiserver::ApiServer;
//! # use std::time::Duration;
//! # fn main() { tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
//! let server = ApiServer::builder().start_in_process("2026-01-31T10:00:00Z".parse().unwrap());
//! let (wire, is_http2) = server.network().connect(true).await.unwrap();
//! server.set_round_trip(Duration::from_millis(20));
//! server.black_hole(true);
//! tokio::time::sleep(Duration::from_secs(3600)).await;
//! assert_eq!(server.now().to_string(), "2026-01-31T11:00:00Z");
//! # }) }
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
mod builder;
mod clock;
mod cluster;
mod connection;
mod containers;
mod distance;
mod double;
mod farewell;
mod lifecycle;
mod log_file;
mod log_reader;
mod logs;
mod metadata;
mod network;
mod pod_log;
mod pods;
mod proxy;
mod refusals;
mod resources;
mod script;
mod selectors;
mod server;
mod steps;
mod store;
mod tls;
mod wire;
mod workloads;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::{
    account::{Account, Ended, Followed, Request, Requests},
    builder::Builder,
    cluster::Cluster,
    double::ApiServer,
    lifecycle::Outage,
    logs::{IntoInstant, Log},
    network::Network,
    pods::Pod,
    proxy::Proxy,
    script::{After, Answer, Chunks, Gate, Kind, Match, Script},
    steps::surround_steps,
    wire::Wire,
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
