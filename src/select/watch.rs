//! Keeps a [`Tracker`] current with the pods of one namespace, or of all.

use std::{convert::Infallible, pin::pin, time::Duration};

use futures::StreamExt;
use kube::{
    Api,
    api::ListParams,
    runtime::{WatchStreamExt, watcher},
};

use super::{
    failure::FailureReport,
    pod::Pod,
    track::{Change, Tracker},
};
use crate::{
    cluster::{Asked, Cluster, Error},
    notice::{Notice, Scope as About},
};

/// Most pods on one page of a list.
pub const PAGE: u32 = 500;

/// Interval of lists where watching is forbidden; each also retries the watch.
const POLL: Duration = Duration::from_secs(5);
const POLLS_BEFORE_WATCH: usize = 12;

/// The pods of one namespace, or of all, that the selectors match.
pub struct Scope {
    pub cluster: Cluster,
    /// None: all namespaces.
    pub namespace: Option<String>,
    pub label_selector: Option<String>,
    pub field_selector: Option<String>,
    /// The name of the only pod that matters.
    pub pod: Option<String>,
    /// Whether all of its pods were created after the start.
    pub fresh: bool,
}

/// An update of a scope.
pub enum Update {
    Change(Change),
    /// All pods that existed at the start are known.
    Synced {
        containers: usize,
    },
    /// Something to report to the user.
    Notice(Notice),
}

impl Scope {
    /// Lists the pods once.
    pub async fn list(&self, tracker: &mut Tracker<'_>, report: &impl AsyncFn(Update)) -> Result<(), Error> {
        self.read(tracker, report).await?;
        report(Update::Synced { containers: tracker.containers() }).await;
        Ok(())
    }

    async fn read(&self, tracker: &mut Tracker<'_>, report: &impl AsyncFn(Update)) -> Result<(), Error> {
        let pods = self.pods().await?;
        tracker.relist();
        for pod in &pods {
            show(report, |changes| tracker.apply(pod, changes)).await;
        }
        show(report, |changes| tracker.relisted(changes)).await;
        Ok(())
    }

    /// The current pods.
    pub async fn pods(&self) -> Result<Vec<Pod>, Error> {
        match self.list_pods().await {
            Err(error) if error.is_forbidden() && self.pod.is_some() => self.get_pod(error).await,
            pods => pods,
        }
    }

    /// Follows the pods until dropped. Before the first complete list, an error that a retry cannot fix ends it.
    pub async fn follow(
        &self,
        tracker: &mut Tracker<'_>,
        report: &impl AsyncFn(Update),
    ) -> Result<Infallible, Error> {
        let mut state = Progress::default();
        loop {
            let error = self.watch(tracker, &mut state, report).await?;
            if !state.polling_reported {
                state.polling_reported = true;
                report(Update::Notice(
                    About::Cluster.warning(format!("{error}; listing every {} s instead", POLL.as_secs())),
                ))
                .await;
            }
            for _ in 0..POLLS_BEFORE_WATCH {
                match self.read(tracker, report).await {
                    Ok(()) => state.synced(tracker, report).await,
                    Err(error) => state.failed(error, report).await?,
                }
                tokio::time::sleep(POLL).await;
            }
        }
    }

    /// Watches until watching turns out to be forbidden, and returns that error.
    #[expect(clippy::unreachable, reason = "the stream of a watcher has no end")]
    async fn watch(
        &self,
        tracker: &mut Tracker<'_>,
        state: &mut Progress,
        report: &impl AsyncFn(Update),
    ) -> Result<Error, Error> {
        let config = watcher::Config {
            label_selector: self.label_selector.clone(),
            field_selector: self.fields(),
            page_size: Some(PAGE),
            ..watcher::Config::default()
        };
        let mut events = pin!(watcher(self.api(), config).default_backoff());
        while let Some(event) = events.next().await {
            match event {
                // No list was requested yet.
                Ok(watcher::Event::Init) => tracker.relist(),
                Ok(watcher::Event::InitDone) => {
                    show(report, |changes| tracker.relisted(changes)).await;
                    state.synced(tracker, report).await;
                }
                Ok(event) => {
                    self.take(event, tracker, report).await;
                    state.works(report).await;
                }
                Err(watcher::Error::InitialListFailed(error)) => {
                    let error = self.error(error, "list");
                    if error.is_forbidden() && self.pod.is_some() {
                        return Ok(error);
                    }
                    state.failed(error, report).await?;
                }
                Err(watcher::Error::WatchStartFailed(error)) => {
                    let error = self.error(error, "watch");
                    if error.is_forbidden() {
                        return Ok(error);
                    }
                    state.interrupted(error, report).await;
                }
                // Watches break often: only a failed restart is reported. A watch error is usually a 410, after which
                // the watcher lists again by itself.
                Err(
                    watcher::Error::WatchFailed(_)
                    | watcher::Error::WatchError(_)
                    | watcher::Error::NoResourceVersion,
                ) => {}
            }
        }
        unreachable!("a watcher never ends")
    }

    async fn take(
        &self,
        event: watcher::Event<Pod>,
        tracker: &mut Tracker<'_>,
        report: &impl AsyncFn(Update),
    ) {
        match event {
            watcher::Event::InitApply(pod) | watcher::Event::Apply(pod) => {
                show(report, |changes| tracker.apply(&pod, changes)).await;
            }
            watcher::Event::Delete(pod) => show(report, |changes| tracker.delete(&pod, changes)).await,
            watcher::Event::Init | watcher::Event::InitDone => {}
        }
    }

    fn api(&self) -> Api<Pod> {
        match &self.namespace {
            Some(namespace) => Api::namespaced(self.cluster.client(), namespace),
            None => Api::all(self.cluster.client()),
        }
    }

    /// A single pod is requested by its name, so that the right to list and watch only that pod is enough.
    fn fields(&self) -> Option<String> {
        let name = self.pod.as_ref().map(|pod| format!("metadata.name={pod}"));
        let fields: Vec<&str> = self.field_selector.iter().chain(&name).map(String::as_str).collect();
        (!fields.is_empty()).then(|| fields.join(","))
    }

    async fn list_pods(&self) -> Result<Vec<Pod>, Error> {
        let mut params = ListParams {
            label_selector: self.label_selector.clone(),
            field_selector: self.fields(),
            ..ListParams::default().limit(PAGE)
        };
        let (api, mut pods) = (self.api(), Vec::new());
        loop {
            match api.list(&params).await {
                Ok(page) => {
                    pods.extend(page.items);
                    params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
                    if params.continue_token.is_none() {
                        return Ok(pods);
                    }
                }
                Err(error) => {
                    let error = self.error(error, "list");
                    if !error.is_gone() || params.continue_token.is_none() {
                        return Err(error);
                    }
                    // The list expired between two pages.
                    params.continue_token = None;
                    pods.clear();
                }
            }
        }
    }

    /// Reads the single pod, for users who may only `get` it. `refused` is the error if that is forbidden too.
    async fn get_pod(&self, refused: Error) -> Result<Vec<Pod>, Error> {
        let Some(name) = &self.pod else { return Err(refused) };
        match self.api().get_opt(name).await {
            Ok(pod) => Ok(pod.into_iter().collect()),
            Err(error) => {
                let error = self.error(error, "get");
                Err(if error.is_forbidden() { refused } else { error })
            }
        }
    }

    fn error(&self, error: kube::Error, verb: &'static str) -> Error {
        let asked = Asked {
            verb,
            resource: "pods".to_owned(),
            namespace: self.namespace.clone(),
            name: self.pod.clone(),
        };
        Error::from_kube(error, &asked)
    }
}

/// Applies a change to the tracker and reports the results.
async fn show(report: &impl AsyncFn(Update), change: impl FnOnce(&mut Vec<Change>)) {
    let mut changes = Vec::new();
    change(&mut changes);
    for change in changes {
        report(Update::Change(change)).await;
    }
}

/// Progress of following, and the problems reported.
#[derive(Default)]
struct Progress {
    synced: bool,
    polling_reported: bool,
    failure: FailureReport,
}

impl Progress {
    async fn synced(&mut self, tracker: &Tracker<'_>, report: &impl AsyncFn(Update)) {
        self.works(report).await;
        if !self.synced {
            self.synced = true;
            report(Update::Synced { containers: tracker.containers() }).await;
        }
    }

    async fn works(&mut self, report: &impl AsyncFn(Update)) {
        let again = if self.synced { "the pods are watched again" } else { "the apiserver answers" };
        if let Some(text) = self.failure.works(again) {
            report(Update::Notice(About::Cluster.info(text))).await;
        }
    }

    /// A failed list: an error unless a list worked before, or a retry may work.
    async fn failed(&mut self, error: Error, report: &impl AsyncFn(Update)) -> Result<(), Error> {
        if !self.synced && !error.is_retryable() {
            return Err(error);
        }
        self.interrupted(error, report).await;
        Ok(())
    }

    async fn interrupted(&mut self, error: Error, report: &impl AsyncFn(Update)) {
        if let Some(notice) = self.failure.failed(&error) {
            report(Update::Notice(notice)).await;
        }
    }
}
