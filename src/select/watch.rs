//! Keeps a [`Tracker`] current with the pods of one namespace, or of all.

mod progress;

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use kube::api::{ApiResource, ListParams, WatchParams};
use tokio::{
    task::yield_now,
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{
    border,
    doubt::{Answer, Doubts},
    pod::Pod,
    track::{Change, Tracker},
};
use crate::{
    cluster::{Cluster, Error, Event, Objects},
    notice::{Notice, Scope as About},
    origin::PodInfo,
};
use progress::{Pauses, Progress, refuses_watches};

/// Interval of lists where watching is forbidden; each also retries the watch.
const POLL: Duration = Duration::from_secs(5);
const POLLS_BEFORE_WATCH: usize = 12;

/// A watch that lasted this long works, even without an event, and begins again at once.
const STEADY: Duration = Duration::from_secs(10);

/// After so many watches in a row that end soon and without an event, the pods are listed again.
const FRUITLESS: usize = 3;

/// How far the known clock of the apiserver may be off.
const CLOCK_SLACK: Duration = Duration::from_secs(2);

/// Events that are handled without a pause.
const IN_A_ROW: u64 = 64;

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
    /// A part of the scope cannot be read, for this reason.
    LeftOut(Notice),
}

/// How a watch ended that had begun.
enum End {
    /// Go on from the version that was reached.
    Over,
    /// The same, but there was no event.
    Fruitless,
    /// List again.
    Expired,
}

pub fn pods() -> ApiResource {
    let [version, api_version] = ["v1", "v1"].map(str::to_owned);
    ApiResource {
        group: String::new(),
        version,
        api_version,
        kind: "Pod".to_owned(),
        plural: "pods".to_owned(),
    }
}

impl Scope {
    /// The place of one pod, whatever selects it.
    pub fn of_pod(cluster: &Cluster, pod: &PodInfo) -> Scope {
        Scope {
            cluster: cluster.clone(),
            namespace: Some(pod.namespace.clone()),
            label_selector: None,
            field_selector: None,
            pod: Some(pod.name.clone()),
            fresh: false,
        }
    }

    /// Lists the pods once.
    pub async fn list(&self, tracker: &mut Tracker<'_>, report: &impl AsyncFn(Update)) -> Result<(), Error> {
        self.read_or_get(tracker, &mut Progress::default(), report).await?;
        report(Update::Synced { containers: tracker.containers() }).await;
        Ok(())
    }

    /// Lists the pods behind the last event of their watch, which may be late.
    pub async fn list_once_more(
        &self,
        tracker: &mut Tracker<'_>,
        at_most: Duration,
        report: &impl AsyncFn(Update),
    ) {
        let mut state = Progress::default();
        let listed = timeout(at_most, self.read_or_get(tracker, &mut state, report)).await;
        let error = match listed {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {at_most:?}"),
        };
        let text = format!("{error}; pods that a Job started last may be missing");
        report(Update::LeftOut(About::Cluster.warning(text))).await;
    }

    /// The pod of this scope, if it exists.
    pub async fn only_pod(&self) -> Result<Option<Pod>, Error> {
        let params = ListParams { field_selector: self.fields(), ..ListParams::default() };
        match self.cluster.list::<Pod>(&self.objects(), &params).await {
            Ok(page) => Ok(page.items.into_iter().next().map(|pod| self.placed(pod))),
            Err(error) if error.is_forbidden() => self.get_pod(error).await,
            Err(error) => Err(error),
        }
    }

    /// Follows the pods until dropped. Before the first complete list, an error that a retry cannot fix ends it.
    pub async fn follow(
        &self,
        tracker: &mut Tracker<'_>,
        report: &impl AsyncFn(Update),
    ) -> Result<Infallible, Error> {
        let mut state = Progress::new(Doubts::new(self.has_selectors()));
        loop {
            let error = self.watch(tracker, &mut state, report).await?;
            state.polls(&error, POLL, report).await;
            for _ in 0..POLLS_BEFORE_WATCH {
                match self.read_or_get(tracker, &mut state, report).await {
                    Ok(()) => state.synced(tracker, report).await,
                    Err(error) => state.failed(error, report).await?,
                }
                meanwhile(sleep(POLL), tracker, &mut state, report).await;
            }
        }
    }

    /// Watches until watching turns out to be forbidden, and returns that error.
    async fn watch(
        &self,
        tracker: &mut Tracker<'_>,
        state: &mut Progress,
        report: &impl AsyncFn(Update),
    ) -> Result<Error, Error> {
        let (mut pauses, mut fruitless, mut refused) = (Pauses::default(), 0, 0);
        loop {
            let mut version = match self.read(tracker, state, report).await {
                Ok(version) => version,
                Err(error) if error.is_forbidden() && self.pod.is_some() => return Ok(error),
                Err(error) => {
                    state.failed(error, report).await?;
                    meanwhile(pauses.pause(), tracker, state, report).await;
                    continue;
                }
            };
            state.synced(tracker, report).await;
            let listed = Instant::now();
            loop {
                let began = Instant::now();
                let end = self.watch_from(&mut version, tracker, state, report).await;
                let lasted = began.elapsed() >= STEADY;
                let is_fruitless = !lasted && matches!(end, Ok(End::Fruitless));
                fruitless = if is_fruitless { fruitless + 1 } else { 0 };
                let was_refused = refused >= FRUITLESS;
                refused = match &end {
                    Ok(_) => 0,
                    Err(error) => refused + usize::from(refuses_watches(error)),
                };
                match end {
                    Ok(End::Fruitless) if fruitless >= FRUITLESS => {
                        // Once more after each list.
                        fruitless = FRUITLESS - 1;
                        let text = "the watch of the pods ends at once each time: listing them again and again, so new \
                                    pods are seen late; perhaps a proxy in between ends it";
                        state.listed_again(text.to_owned(), report).await;
                        break;
                    }
                    Ok(End::Over | End::Fruitless) => {}
                    // An answer: the failures before it are over, unless even a new list is too old.
                    Ok(End::Expired) if was_refused || listed.elapsed() >= STEADY => {
                        pauses = Pauses::default();
                        break;
                    }
                    Ok(End::Expired) => break,
                    Err(error) if error.is_forbidden() => return Ok(error),
                    // Perhaps a proxy in between serves no watch.
                    Err(error) if refused >= FRUITLESS => {
                        state.relists(&error, report).await;
                        break;
                    }
                    // The same would come from the same version.
                    Err(error) if error.is_malformed() => {
                        state.listed_again(format!("{error}; listing the pods again"), report).await;
                        break;
                    }
                    // Watches break often: only a failed restart is reported.
                    Err(error) => state.interrupted(error, report).await,
                }
                match lasted {
                    true => pauses = Pauses::default(),
                    false => meanwhile(pauses.pause(), tracker, state, report).await,
                }
            }
            meanwhile(pauses.pause(), tracker, state, report).await;
        }
    }

    /// Takes the changes after `version`, which it keeps current, until the watch ends.
    async fn watch_from(
        &self,
        version: &mut String,
        tracker: &mut Tracker<'_>,
        state: &mut Progress,
        report: &impl AsyncFn(Update),
    ) -> Result<End, Error> {
        let (label_selector, field_selector) = (self.label_selector.clone(), self.fields());
        let params = WatchParams { label_selector, field_selector, ..WatchParams::default() };
        let objects = self.objects();
        let watch = self.cluster.watch(&objects, &params, version);
        let mut watch = match meanwhile(watch, tracker, state, report).await {
            Err(error) if error.is_gone() => return Ok(End::Expired),
            watch => watch?,
        };
        let (mut end, mut read, steady) = (End::Fruitless, 0_u64, Instant::now() + STEADY);
        loop {
            let event = {
                let mut next = pin!(watch.next::<Pod>());
                match meanwhile(timeout_at(steady, &mut next), tracker, state, report).await {
                    Ok(event) => event?,
                    // Of quiet pods, the next event is a bookmark, up to a minute later.
                    Err(_) => {
                        state.works(report).await;
                        meanwhile(next, tracker, state, report).await?
                    }
                }
            };
            let Some(event) = event else { break };
            read += 1;
            // A server that always has another event would let nothing else run. More pauses would only make this
            // program learn of ends later than it reads the ends of logs.
            if read % IN_A_ROW == 0 {
                yield_now().await;
            }
            let reached = match &event {
                Event::Applied(pod) | Event::Deleted(pod) | Event::Bookmark(pod) => {
                    pod.metadata.resource_version.clone()
                }
                Event::Unreadable { version, .. } => version.clone(),
                Event::Failed(_) => String::new(),
                Event::Odd(text) => {
                    let text = format!("an event of the watch cannot be read and is left out: {text}");
                    state.unreadable(text, report).await;
                    continue;
                }
            };
            if let Event::Failed(status) = &event {
                let error = watch.failed(status);
                return if error.is_gone() { Ok(End::Expired) } else { Err(error) };
            }
            end = End::Over;
            state.works(report).await;
            match event {
                Event::Applied(pod) => self.apply(pod, tracker, state, report).await,
                Event::Deleted(pod) => self.remove(pod, tracker, state, report).await,
                Event::Unreadable { text, .. } => state.unreadable(pod_left_out(&text), report).await,
                Event::Bookmark(_) | Event::Failed(_) | Event::Odd(_) => {}
            }
            if !reached.is_empty() {
                *version = reached;
            }
        }
        // Without a version there is nothing to watch from.
        Ok(if version.is_empty() { End::Expired } else { end })
    }

    /// Reads the current pods into the tracker. Returns the version of their list.
    async fn read(
        &self,
        tracker: &mut Tracker<'_>,
        state: &mut Progress,
        report: &impl AsyncFn(Update),
    ) -> Result<String, Error> {
        let (label_selector, field_selector) = (self.label_selector.clone(), self.fields());
        let params = ListParams { label_selector, field_selector, ..ListParams::default() };
        let mut pages = self.cluster.pages(self.objects(), params);
        let (mut version, asked) = (String::new(), Instant::now());
        while let Some((page, first)) = meanwhile(pages.next::<Pod>(), tracker, state, report).await? {
            if first {
                tracker.relist();
            }
            for pod in page.items {
                self.apply(pod, tracker, state, report).await;
            }
            for text in page.unreadable {
                state.unreadable(pod_left_out(&text), report).await;
            }
            version = page.version;
        }
        for pod in tracker.doubt_missing(state.doubts.room()) {
            self.ask_for(&pod, state);
        }
        show(report, |changes| tracker.relisted(changes)).await;
        if self.has_selectors() && !self.fresh {
            let listed = self.cluster.time_before(asked.elapsed() + CLOCK_SLACK);
            tracker.older_are_old(listed);
        }
        Ok(version)
    }

    /// Without one, no pod enters the selection or leaves it.
    fn has_selectors(&self) -> bool {
        self.label_selector.is_some() || self.field_selector.is_some()
    }

    /// The same, also for users who may only `get` the single pod.
    async fn read_or_get(
        &self,
        tracker: &mut Tracker<'_>,
        state: &mut Progress,
        report: &impl AsyncFn(Update),
    ) -> Result<(), Error> {
        match self.read(tracker, state, report).await {
            Err(error) if error.is_forbidden() && self.pod.is_some() => {
                let pod = self.get_pod(error).await?;
                tracker.relist();
                if let Some(pod) = pod {
                    self.apply(pod, tracker, state, report).await;
                }
                show(report, |changes| tracker.relisted(changes)).await;
                Ok(())
            }
            read => read.map(|_| ()),
        }
    }

    /// The single pod. `refused` is the error if that is forbidden too.
    async fn get_pod(&self, refused: Error) -> Result<Option<Pod>, Error> {
        let Some(name) = &self.pod else { return Err(refused) };
        match self.cluster.get::<Pod>(&self.objects(), name).await {
            Ok(pod) => Ok(Some(self.placed(pod))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(if error.is_forbidden() { refused } else { error }),
        }
    }

    async fn apply(
        &self,
        pod: Pod,
        tracker: &mut Tracker<'_>,
        state: &mut Progress,
        report: &impl AsyncFn(Update),
    ) {
        let mut pod = self.placed(pod);
        match border::admit(&mut pod) {
            Ok(left_out) => {
                for text in left_out {
                    state.unreadable(text, report).await;
                }
                show(report, |changes| tracker.apply(&pod, changes)).await;
            }
            Err(text) => state.unreadable(pod_left_out(&text), report).await,
        }
    }

    /// Takes a pod that was deleted, or only left the selection.
    async fn remove(
        &self,
        pod: Pod,
        tracker: &mut Tracker<'_>,
        state: &mut Progress,
        report: &impl AsyncFn(Update),
    ) {
        let pod = self.placed(pod);
        // One that ends within a grace period is deleted.
        let may_be_there = state.doubts.room() > 0 && !pod.deleting();
        match may_be_there.then(|| tracker.doubt(&pod)).flatten() {
            Some(pod) => self.ask_for(&pod, state),
            None => show(report, |changes| tracker.delete(&pod, changes)).await,
        }
    }

    fn ask_for(&self, pod: &Arc<PodInfo>, state: &mut Progress) {
        let scope = Scope::of_pod(&self.cluster, pod);
        state.doubts.ask(pod.identity.clone(), async move || scope.only_pod().await);
    }

    /// The pod, in the namespace that was asked, whatever its metadata names.
    fn placed(&self, mut pod: Pod) -> Pod {
        if let Some(namespace) = &self.namespace {
            pod.metadata.namespace.clone_from(namespace);
        }
        pod
    }

    fn objects(&self) -> Objects {
        Objects { resource: pods(), namespace: self.namespace.clone(), name: self.pod.clone() }
    }

    /// A single pod is requested by its name, so that the right to list and watch only that pod is enough.
    fn fields(&self) -> Option<String> {
        let name = self.pod.as_ref().map(|pod| format!("metadata.name={pod}"));
        let fields: Vec<&str> = self.field_selector.iter().chain(&name).map(String::as_str).collect();
        (!fields.is_empty()).then(|| fields.join(","))
    }
}

fn pod_left_out(text: &str) -> String {
    format!("a pod cannot be read and is left out: {text}")
}

/// Awaits this, and takes answers about pods in doubt meanwhile.
async fn meanwhile<T>(
    awaited: impl Future<Output = T>,
    tracker: &mut Tracker<'_>,
    state: &mut Progress,
    report: &impl AsyncFn(Update),
) -> T {
    let mut awaited = pin!(awaited);
    loop {
        let answer = tokio::select! {
            biased;
            answer = state.doubts.answer() => answer,
            done = &mut awaited => return done,
        };
        settle(answer, tracker, state, report).await;
    }
}

/// Takes the answer to the question whether a pod is gone.
async fn settle(
    (identity, answer): Answer,
    tracker: &mut Tracker<'_>,
    state: &mut Progress,
    report: &impl AsyncFn(Update),
) {
    let pod = match answer {
        Ok(pod) => pod.and_then(|mut pod| border::admit(&mut pod).is_ok().then_some(pod)),
        Err(error) if error.is_forbidden() => {
            state.doubts.refused();
            return show(report, |changes| tracker.settle_all(changes)).await;
        }
        Err(_) => None,
    };
    show(report, |changes| tracker.settle(&identity, pod.as_ref(), changes)).await;
}

/// Applies a change to the tracker and reports the results.
async fn show(report: &impl AsyncFn(Update), change: impl FnOnce(&mut Vec<Change>)) {
    let mut changes = Vec::new();
    change(&mut changes);
    for change in changes {
        report(Update::Change(change)).await;
    }
}

#[cfg(test)]
mod tests;
