//! Reaches the apiserver: an authenticated client, the logs of containers, and the limit on requests.

mod auth;
mod bandwidth;
mod body;
mod connector;
mod error;
mod exchange;
mod exec;
mod framing;
mod http1;
mod http2;
mod kubeconfig;
mod kubelet;
mod limit;
mod list;
mod logs;
mod outage;
mod pool;
mod proxy;
mod pulse;
mod round_trip;
mod settings;
mod socket;
mod stream;
#[cfg(test)]
pub(crate) mod testing;
mod trace;
mod transport;
mod waits;
mod window;

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio::sync::watch;
use tower::service_fn;

pub use error::{Asked, Error, Kind};
pub use kubeconfig::Named;
pub use kubelet::KubeletError;
pub use limit::{Limiter, POLLS};
pub use logs::{LogRequest, LogStream};
#[cfg(test)]
pub(crate) use testing::refused;
pub use trace::Trace;

use crate::{
    plan::{Connect, Limits},
    stats::Stats,
};
use kubeconfig::Host;
use settings::Settings;
use transport::Transport;

/// One cluster, as one user. Clones share their connections, credentials and limits.
#[derive(Clone)]
pub struct Cluster {
    transport: Arc<Transport>,
    client: kube::Client,
}

impl Cluster {
    /// Settles where the cluster is and who asks. Nothing is sent yet, and no exec plugin runs: the first request
    /// does both. It has to be called within a runtime.
    pub fn connect(
        connect: &Connect,
        limits: &Limits,
        trace: Option<Trace>,
        stats: Stats,
    ) -> Result<Cluster, Error> {
        let settings = Settings::settle(connect, &Host::of_process())?;
        Cluster::new(settings, connect, limits, trace, stats)
    }

    fn new(
        settings: Settings,
        connect: &Connect,
        limits: &Limits,
        trace: Option<Trace>,
        stats: Stats,
    ) -> Result<Cluster, Error> {
        let namespace = settings.namespace.clone();
        let transport = Arc::new(Transport::new(settings, connect, limits, trace, stats)?);
        let served = transport.clone();
        let service = service_fn(move |request| {
            let transport = served.clone();
            async move { transport.serve(request).await }
        });
        Ok(Cluster { transport, client: kube::Client::new(service, namespace) })
    }

    /// The namespace of the context, or of the pod that this runs in; else `default`.
    pub fn default_namespace(&self) -> &str {
        self.client.default_namespace()
    }

    /// The apiserver's URL, for messages.
    pub fn server(&self) -> &str {
        &self.transport.server_shown
    }

    /// For lists, watches and single objects. It retries nothing.
    pub fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// Why the apiserver cannot be reached, while it cannot.
    pub fn outage(&self) -> watch::Receiver<Option<Error>> {
        self.transport.outage.subscribe()
    }

    /// The time to the server and back, by the shortest exchange so far; None before the first.
    pub fn round_trip(&self) -> Option<Duration> {
        self.transport.round_trip()
    }

    /// Credentials, or the apiserver's first answer, while nothing can happen before they come.
    pub fn waits(&self) -> watch::Receiver<Option<String>> {
        self.transport.waits.subscribe()
    }

    /// Asks a server from which nothing comes whether it is there, so that [`Cluster::outage`] knows.
    pub async fn probe_whenever_silent(&self) -> Infallible {
        self.transport.probe_whenever_silent().await
    }

    pub async fn open_log(&self, request: &LogRequest) -> Result<LogStream, Error> {
        // What it needs is given back when the log is open: a tail waits for days, and there are thousands.
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
