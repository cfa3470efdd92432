//! Reaches the apiserver: an authenticated client, the logs of containers, and the limit on requests. It knows nothing of
//! the pods that are selected, of the reading of their logs, and of the output.
//!
//! This is the face of three rooms. `access` settles which cluster is meant and who asks; `http` makes connections and
//! sends requests over them, and takes from `access` the certificates and the proxy. The files here join the two: the
//! credentials that a request carries, the limiter that it waits for, the outage that it reveals. All three rooms share
//! `error` and `waits`, which know none of them.

mod access;
mod error;
mod exchange;
mod http;
mod kubelet;
mod limit;
mod logs;
mod outage;
#[cfg(test)]
pub(crate) mod testing;
mod trace;
mod transport;
mod waits;

use std::{convert::Infallible, sync::Arc, time::Duration};

use kube::{
    Api,
    api::{ApiResource, DynamicObject, ListParams, ObjectMeta},
};
use tokio::sync::watch;
use tower::service_fn;

pub use access::kubeconfig::Named;
pub use error::{Asked, Error};
pub use http::{MOST_ALONE, MOST_STREAMS};
pub use kubelet::KubeletError;
#[cfg(test)]
pub use limit::Limiter;
pub use limit::POLLS;
pub use logs::{LogRequest, LogStream};
#[cfg(test)]
pub(crate) use testing::refused;
pub use trace::Trace;

use crate::{
    plan::{Connect, Limits},
    stats::Stats,
};
use access::{kubeconfig::Host, settings::Settings};
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

    /// Lists objects, no more than their metadata: all that it takes to name them. The list is the one that the apiserver
    /// has at hand, which may be a moment old: that spares it a request to its storage. `namespace`: None for all, or for
    /// objects without one.
    pub async fn list_metadata(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        params: ListParams,
    ) -> Result<Vec<ObjectMeta>, Error> {
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(self.client(), namespace, resource),
            None => Api::all_with(self.client(), resource),
        };
        let listed = api.list_metadata(&params.match_any()).await.map_err(|error| {
            let (resource, namespace) = (resource.plural.clone(), namespace.map(str::to_owned));
            Error::from_kube(error, &Asked { verb: "list", resource, namespace, name: None })
        })?;
        Ok(listed.items.into_iter().map(|object| object.metadata).collect())
    }

    pub async fn open_log(&self, request: &LogRequest) -> Result<LogStream, Error> {
        // Boxed, so that its memory is given back when the log is open: a tail waits for days, and there are thousands.
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
