//! Keeps a [`Tracker`] true to the pods of one namespace, or of all.

use std::{convert::Infallible, pin::pin, time::Duration};

use futures::StreamExt;
use kube::{
    Api,
    api::ListParams,
    runtime::{WatchStreamExt, watcher},
};

use super::{Tracker, pod::Pod, track::Change};
use crate::{
    cluster::{Asked, Cluster, Error},
    notice::{Kind, Notice, Scope as About},
};

/// The most pods on one page of a list.
pub const PAGE: u32 = 500;

/// How often the list is read where watching is forbidden, and how often watching is tried again there.
const POLL: Duration = Duration::from_secs(5);
const POLLS_BEFORE_WATCH: usize = 12;

/// The pods of one namespace, or of all, that selectors leave.
pub struct Scope {
    pub cluster: Cluster,
    /// None: all namespaces.
    pub namespace: Option<String>,
    pub label_selector: Option<String>,
    pub field_selector: Option<String>,
    /// The only pod that matters.
    pub pod: Option<String>,
    /// Whether all of its pods came into being while we looked on.
    pub fresh: bool,
}

/// What is told about a scope beside its instances.
pub enum Told {
    Change(Change),
    /// All that existed at the start is known.
    Synced {
        containers: usize,
    },
    /// Something that the user should know.
    Notice(Notice),
}

impl Scope {
    /// Shows the pods as they are now, once.
    pub async fn list(&self, tracker: &mut Tracker<'_>, tell: &impl AsyncFn(Told)) -> Result<(), Error> {
        self.read(tracker, tell).await?;
        tell(Told::Synced { containers: tracker.containers() }).await;
        Ok(())
    }

    async fn read(&self, tracker: &mut Tracker<'_>, tell: &impl AsyncFn(Told)) -> Result<(), Error> {
        let pods = self.pods().await?;
        tracker.relist();
        for pod in &pods {
            show(tell, |changes| tracker.apply(pod, changes)).await;
        }
        show(tell, |changes| tracker.relisted(changes)).await;
        Ok(())
    }

    /// The pods as they are now.
    pub async fn pods(&self) -> Result<Vec<Pod>, Error> {
        match self.list_pods().await {
            Err(error) if error.is_forbidden() && self.pod.is_some() => self.get_pod(error).await,
            pods => pods,
        }
    }

    /// Follows the pods for as long as it is awaited. Before it has seen the pods once, an error ends it that will not pass.
    pub async fn follow(
        &self,
        tracker: &mut Tracker<'_>,
        tell: &impl AsyncFn(Told),
    ) -> Result<Infallible, Error> {
        let mut state = Progress::default();
        loop {
            let why = self.watch(tracker, &mut state, tell).await?;
            if !state.told_polling {
                state.told_polling = true;
                tell(Told::Notice(
                    About::Cluster.warning(format!("{why}; asking every {} s instead", POLL.as_secs())),
                ))
                .await;
            }
            for _ in 0..POLLS_BEFORE_WATCH {
                match self.read(tracker, tell).await {
                    Ok(()) => state.synced(tracker, tell).await,
                    Err(error) => state.failed(error, tell).await?,
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
        tell: &impl AsyncFn(Told),
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
                // Nothing was asked for yet.
                Ok(watcher::Event::Init) => tracker.relist(),
                Ok(watcher::Event::InitDone) => {
                    show(tell, |changes| tracker.relisted(changes)).await;
                    state.synced(tracker, tell).await;
                }
                Ok(event) => {
                    self.take(event, tracker, tell).await;
                    state.works(tell).await;
                }
                Err(watcher::Error::InitialListFailed(error)) => {
                    let error = self.error(error, "list");
                    if error.is_forbidden() && self.pod.is_some() {
                        return Ok(error);
                    }
                    state.failed(error, tell).await?;
                }
                Err(watcher::Error::WatchStartFailed(error)) => {
                    let error = self.error(error, "watch");
                    if error.is_forbidden() {
                        return Ok(error);
                    }
                    state.interrupted(error, tell).await;
                }
                // A watch that breaks is an everyday thing; only where it cannot be started again is a word due.
                // A watch error is mostly a 410, after which the watcher lists again by itself.
                Err(
                    watcher::Error::WatchFailed(_)
                    | watcher::Error::WatchError(_)
                    | watcher::Error::NoResourceVersion,
                ) => {}
            }
        }
        unreachable!("a watcher never ends")
    }

    async fn take(&self, event: watcher::Event<Pod>, tracker: &mut Tracker<'_>, tell: &impl AsyncFn(Told)) {
        match event {
            watcher::Event::InitApply(pod) | watcher::Event::Apply(pod) => {
                show(tell, |changes| tracker.apply(&pod, changes)).await;
            }
            watcher::Event::Delete(pod) => show(tell, |changes| tracker.delete(&pod, changes)).await,
            watcher::Event::Init | watcher::Event::InitDone => {}
        }
    }

    fn api(&self) -> Api<Pod> {
        match &self.namespace {
            Some(namespace) => Api::namespaced(self.cluster.client(), namespace),
            None => Api::all(self.cluster.client()),
        }
    }

    /// A single pod is asked for by its name: whoever may list and watch that one only is allowed to.
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
                    // The list grew too old between two pages.
                    params.continue_token = None;
                    pods.clear();
                }
            }
        }
    }

    /// The one pod, where only `get` is allowed. `refused` is what is said if that is not allowed either.
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

/// Tells what comes of showing something to a tracker.
async fn show(tell: &impl AsyncFn(Told), change: impl FnOnce(&mut Vec<Change>)) {
    let mut changes = Vec::new();
    change(&mut changes);
    for change in changes {
        tell(Told::Change(change)).await;
    }
}

/// How far following has come, and what was said about it.
#[derive(Default)]
struct Progress {
    synced: bool,
    told_polling: bool,
    lost: Lost,
}

/// Whether the user was told that something cannot be seen at the moment.
#[derive(Default)]
pub struct Lost(bool);

impl Lost {
    /// Something to say, unless it was said. An apiserver that is away is told for all at once, by whoever runs them.
    pub fn failed(&mut self, error: &Error) -> Option<Notice> {
        let news = !self.0 && !error.is_outage();
        self.0 |= news;
        let text = format!("{error}; trying again");
        let kind = if error.is_common() { Kind::Common } else { Kind::Warning };
        news.then(|| About::Cluster.notice(kind, text))
    }

    /// These words, where it was told that it does not.
    pub fn works(&mut self, words: &str) -> Option<String> {
        std::mem::take(&mut self.0).then(|| words.to_owned())
    }
}

impl Progress {
    async fn synced(&mut self, tracker: &Tracker<'_>, tell: &impl AsyncFn(Told)) {
        self.works(tell).await;
        if !self.synced {
            self.synced = true;
            tell(Told::Synced { containers: tracker.containers() }).await;
        }
    }

    async fn works(&mut self, tell: &impl AsyncFn(Told)) {
        let again = if self.synced { "the pods are watched again" } else { "the apiserver answers" };
        if let Some(text) = self.lost.works(again) {
            tell(Told::Notice(About::Cluster.info(text))).await;
        }
    }

    /// A list failed: the end, unless it once worked, or may work soon.
    async fn failed(&mut self, error: Error, tell: &impl AsyncFn(Told)) -> Result<(), Error> {
        if !self.synced && !error.is_retryable() {
            return Err(error);
        }
        self.interrupted(error, tell).await;
        Ok(())
    }

    async fn interrupted(&mut self, error: Error, tell: &impl AsyncFn(Told)) {
        if let Some(notice) = self.lost.failed(&error) {
            tell(Told::Notice(notice)).await;
        }
    }
}
