//! Talks to the apiserver: an authenticated client, the logs of containers, and the limit on requests. It knows
//! nothing of selected pods, of how logs are read, and of the output.
//!
//! This module combines three others. `access` selects the cluster and the user; `tls` decides which servers are
//! trusted; `http` makes connections and sends requests over them, with the settings of `access`. The files here join
//! them: credentials of a request, the limiter, detection of outages. All use `error` and `waits`, which depend on none
//! of them.

mod access;
mod bounds;
mod clock;
mod document;
mod error;
mod exchange;
#[cfg(fuzzing)]
pub mod fuzz;
mod http;
mod kubelet;
mod lenient;
mod limit;
mod logs;
mod objects;
mod outage;
mod pages;
mod redirect;
#[cfg(test)]
pub(crate) mod testing;
mod tls;
mod trace;
mod transport;
mod turn;
mod waits;

use std::{convert::Infallible, sync::Arc, thread, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

pub use access::kubeconfig::Named;
pub use bounds::{KNOWN, PARTS};
pub use clock::Clock;
pub use document::Event;
#[cfg(test)]
pub use error::Asked;
pub use error::Error;
pub use http::{MOST_ALONE, MOST_STREAMS, bandwidth::Progress as Traffic};
pub use kubelet::{KubeletError, is_starting};
pub(crate) use lenient::lenient_objects;
pub use lenient::{Lenient, lenient, words};
#[cfg(test)]
pub use limit::Limiter;
pub use limit::POLLS;
pub use logs::{LogRequest, LogStream};
pub use objects::{Meta, Objects};
pub use pages::PAGE;
#[cfg(test)]
pub(crate) use testing::{broken, refused};
pub use trace::Trace;
pub use turn::Turn;

use crate::{
    plan::{Connect, Limits},
    stats::Stats,
};
use access::{kubeconfig::Host, settings::Settings};
use transport::Transport;

/// One cluster, as one user. Clones share connections, credentials and limits.
#[derive(Clone)]
pub struct Cluster {
    transport: Arc<Transport>,
    default_namespace: String,
}

impl Cluster {
    /// Determines the address of the cluster and the user. Sends nothing and runs no exec plugin: the first request
    /// does both.
    pub async fn connect(
        connect: &Connect,
        limits: &Limits,
        trace: Option<Trace>,
        stats: Stats,
    ) -> Result<Cluster, Error> {
        // Without room for the first such thread the runtime would panic; it keeps that one.
        if connect.machine.simulation().is_none() {
            thread::Builder::new().spawn(|| ()).map_err(|error| Error::invalid(error.to_string()))?;
        }
        let given = connect.clone();
        // On a thread of its own: a file may be a pipe, or on a server that hangs, and signals must still end the run.
        let settings =
            connect.machine.block(move || Settings::settle(&given, &Host::of(&given.machine))).await;
        let settings = settings.unwrap_or_else(|error| Err(Error::invalid(error.to_string())))?;
        Cluster::new(settings, connect, limits, trace, stats)
    }

    fn new(
        settings: Settings,
        connect: &Connect,
        limits: &Limits,
        trace: Option<Trace>,
        stats: Stats,
    ) -> Result<Cluster, Error> {
        let default_namespace = settings.namespace.clone();
        let transport = Arc::new(Transport::new(settings, connect, limits, trace, stats)?);
        Ok(Cluster { transport, default_namespace })
    }

    /// The namespace of the context, or of the pod in which this process runs; otherwise `default`.
    pub fn default_namespace(&self) -> &str {
        &self.default_namespace
    }

    /// What the user should know of the settings, though they work.
    pub fn remarks(&self) -> &[String] {
        &self.transport.remarks
    }

    /// The error while the apiserver cannot be reached.
    pub fn outage(&self) -> watch::Receiver<Option<Error>> {
        self.transport.outage.subscribe()
    }

    /// Whether the apiserver was out of reach at this time or later.
    pub fn was_out_since(&self, since: Instant) -> bool {
        self.transport.outage.was_known_since(since)
    }

    /// The time to the server and back, from the shortest exchange so far; None before the first.
    pub fn round_trip(&self) -> Option<Duration> {
        self.transport.round_trip()
    }

    /// The apiserver's clock. If nothing was heard of it yet, a small request asks, and after each of these pauses
    /// another one; if it cannot be reached now, the clock of this machine counts as right.
    pub async fn clock(&self, pauses: &[Duration]) -> Result<Clock, Error> {
        let mut pauses = pauses.iter();
        while self.transport.clock.clock().is_none() {
            let is_answered = match Box::pin(self.transport.ask_the_time()).await {
                Ok(is_answered) => is_answered,
                Err(error) if error.is_retryable() => false,
                Err(error) => return Err(error),
            };
            let Some(pause) = pauses.next().filter(|_| !is_answered) else { break };
            sleep(*pause).await;
        }
        Ok(self.transport.clock.clock().unwrap_or_default())
    }

    /// The time by the apiserver's clock so long ago; None if nothing was heard of that clock.
    pub fn time_before(&self, ago: Duration) -> Option<Timestamp> {
        let then = self.transport.machine.now().checked_sub(SignedDuration::try_from(ago).ok()?).ok()?;
        Some(self.transport.clock.clock()?.at(then))
    }

    /// The reason for waiting: credentials, or the apiserver's first answer.
    pub fn waits(&self) -> watch::Receiver<Option<String>> {
        self.transport.waits.subscribe()
    }

    /// What goes wrong though requests go on.
    pub fn troubles(&self) -> watch::Receiver<Option<String>> {
        self.transport.waits.troubles()
    }

    /// Probes a silent server, for [`Cluster::outage`].
    pub async fn probe_whenever_silent(&self) -> Infallible {
        self.transport.probe_whenever_silent().await
    }

    pub async fn open_log(&self, request: &LogRequest) -> Result<LogStream, Error> {
        // Boxed, so that its memory is freed once the log is open: there are thousands of tails that wait for days.
        Box::pin(request.open(&self.transport)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn opening_and_reading_a_log_may_be_spawned() {
        let server = testing::Server::start(vec![testing::ok("line\n")]).await;
        let cluster =
            testing::Machine::with(&format!("server: '{}'", server.url()), "token: t").plain_cluster();
        let request = testing::log_request();
        let tail = tokio::spawn(async move {
            let mut stream = cluster.open_log(&request).await?;
            stream.chunk().await.transpose()
        });
        assert_eq!(tail.await.unwrap().unwrap().unwrap(), "line\n");
    }
}
