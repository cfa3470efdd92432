//! Turns pod events into instances that start and end.

mod border;
mod complete;
mod doubt;
mod failure;
#[cfg(fuzzing)]
pub mod fuzz;
mod pod;
mod resource;
mod track;
mod watch;

use std::{cell::Cell, future::pending, pin::pin, sync::Arc, time::Duration};

use futures::{StreamExt, stream};
use tokio::{
    sync::{Notify, mpsc, watch as value},
    time::{Instant, sleep_until, timeout_at},
};

use complete::{Job, Judge};
use pod::{ContainerStatus, InstanceId};
pub(crate) use resource::api_resource;
use resource::{Found, Wait};
pub(crate) use watch::pods;

use crate::{
    cluster::{Cluster, Error},
    completion::Completion,
    instance::{Instance, Life, Standing},
    notice::{Notice, Scope as About},
    plan::{Query, Selection},
};
use track::{Change, Tracker};
use watch::{Scope, Update};

/// How long the apiserver may take to list pods once the time of `--until` is over, or all Jobs have completed.
const PATIENCE: Duration = Duration::from_secs(3);

const NO_ANSWER: &str =
    "the apiserver did not list all pods before the time of --until was over: lines may be missing";

/// Output of the selection, for tailing.
#[derive(Debug)]
pub enum Selected {
    /// An instance to tail, its life, and whether it was created after the start.
    Started {
        instance: Arc<Instance>,
        life: value::Receiver<Life>,
        fresh: bool,
    },
    /// The pod with this UID is gone: none of its containers starts any more.
    Gone(String),
    /// Every container that existed at the start was sent.
    Listed,
    Notice(Notice),
    /// A part of the selection cannot be read, for this reason.
    LeftOut(Notice),
}

/// Sends the instances that `selection` matches: continuously if `follow`, else once. `until`: the time from which no
/// new ones are awaited.
///
/// `keep_annotations`: whether an output shows them. A namespace that cannot be read is reported and left out; its
/// error is returned only if no other namespace is left.
pub async fn run(
    cluster: &Cluster,
    selection: &Selection,
    follow: bool,
    until: Option<Instant>,
    keep_annotations: bool,
    completion: &Completion,
    selected: mpsc::Sender<Selected>,
) -> Result<(), Error> {
    if let Query::Resource { kind, name } = &selection.query {
        completion.awaits(Some(format!("{} \"{name}\"", api_resource(*kind).kind.to_lowercase())));
    }
    let patience = until.map(|until| until + PATIENCE);
    let Some(found) = before(patience, scopes(cluster, selection, follow, until, &selected)).await else {
        send(&selected, Selected::LeftOut(About::Cluster.warning(NO_ANSWER))).await;
        return Ok(());
    };
    let (scopes, jobs) = found?;
    if scopes.is_empty() {
        // Until then there was none.
        return Ok(());
    }
    completion.awaits(None);
    let judge = Judge::new(cluster, jobs, completion.clone());
    let start = Start::new(scopes.len());
    let report = async |update: Update| {
        let notice = match update {
            Update::Change(Change::Started { instance, life, fresh }) => {
                return send(&selected, Selected::Started { instance, life, fresh }).await;
            }
            Update::Change(Change::Gone(uid)) => {
                judge.gone(&uid);
                return send(&selected, Selected::Gone(uid)).await;
            }
            Update::Change(Change::Progress(uid, progress)) => return judge.see(uid, progress),
            Update::Change(Change::Absent(notice)) => notice,
            Update::Synced { containers } => {
                if !start.scope_done(containers) {
                    return;
                }
                judge.synced();
                send(&selected, Selected::Listed).await;
                if !start.is_empty() {
                    return;
                }
                About::Cluster.info(nothing_matches(cluster, selection, follow))
            }
            Update::Notice(notice) => notice,
            Update::LeftOut(notice) => {
                start.left_out.set(true);
                return send(&selected, Selected::LeftOut(notice)).await;
            }
        };
        send(&selected, Selected::Notice(notice)).await;
    };
    let each = scopes.iter().map(|scope| async {
        let mut tracker = Tracker::new(selection, follow, keep_annotations, scope.fresh);
        if !follow {
            return scope.list(&mut tracker, &report).await;
        }
        tokio::select! {
            biased;
            failed = scope.follow(&mut tracker, &report) => failed.map(|never| match never {}),
            () = judge.done() => {
                if judge.asks_jobs() {
                    Box::pin(scope.list_once_more(&mut tracker, PATIENCE, &report)).await;
                }
                tracker.complete();
                Ok(())
            }
        }
    });
    // Without following, the output has the order in which the namespaces were given.
    let mut running = pin!(stream::iter(each).buffer_unordered(if follow { scopes.len() } else { 1 }));
    let (mut failed, mut over) = (0, pin!(start.over(until)));
    let notice = async |notice| send(&selected, Selected::Notice(notice)).await;
    let mut judging = pin!(judge.run(notice));
    let mut judges = selection.on_complete && follow;
    loop {
        let result = tokio::select! {
            biased;
            result = running.next() => result,
            listed = &mut over => {
                if !listed {
                    send(&selected, Selected::LeftOut(About::Cluster.warning(NO_ANSWER))).await;
                }
                None
            }
            () = &mut judging, if judges => {
                judges = false;
                continue;
            }
        };
        let Some(result) = result else { break };
        let Err(error) = result else { continue };
        failed += 1;
        if failed == scopes.len() {
            return Err(error);
        }
        send(&selected, Selected::LeftOut(About::Cluster.warning(error.to_string()))).await;
        report(Update::Synced { containers: 0 }).await;
    }
    if selection.on_complete && !follow {
        judge.once(notice).await;
    }
    Ok(())
}

/// Asks the apiserver whether the container's log still belongs to this instance.
pub async fn standing(cluster: &Cluster, instance: &Instance) -> Result<Standing, Error> {
    let scope = Scope::of_pod(cluster, &instance.origin.pod);
    let Some(pod) = scope.only_pod().await? else { return Ok(Standing::Gone) };
    let asked = InstanceId::new(&instance.container_id, instance.restart_count);
    if !pod.may_be(&instance.origin.pod.identity) {
        return Ok(Standing::OtherPod);
    }
    let status = pod.container(&instance.origin.container);
    let is_current = |status: &&ContainerStatus| {
        status.instance().is_some_and(|current| current.is(&asked)) || status.loss_of(&asked).is_some()
    };
    Ok(match status.filter(is_current) {
        Some(status) if status.state.waiting.is_some() => Standing::Waiting,
        Some(_) => Standing::Current,
        None => {
            let next = instance.restart_count.saturating_add(1);
            let current = status.and_then(|status| Some((status.instance()?, status.started())));
            // Not an older one: a status may come from behind.
            let current = current.filter(|(current, _)| current.restarts >= next);
            let is_next = current.as_ref().is_some_and(|(current, _)| current.restarts == next);
            Standing::Replaced { started: current.and_then(|(_, started)| started), is_next }
        }
    })
}

/// Counts the scopes that have not been listed yet.
struct Start {
    scopes_left: Cell<usize>,
    containers: Cell<usize>,
    /// Whether a pod could not be read, so that it is not known whether it matches.
    left_out: Cell<bool>,
    listed: Notify,
}

impl Start {
    fn new(scopes: usize) -> Start {
        Start {
            scopes_left: Cell::new(scopes),
            containers: Cell::new(0),
            left_out: Cell::new(false),
            listed: Notify::new(),
        }
    }

    /// Waits until the time is over, and a little longer until all scopes have been listed; gives whether they have.
    async fn over(&self, until: Option<Instant>) -> bool {
        let Some(until) = until else { return pending().await };
        sleep_until(until).await;
        before(Some(until + PATIENCE), self.listed.notified()).await.is_some()
    }

    /// Whether that was the last scope.
    fn scope_done(&self, containers: usize) -> bool {
        self.containers.update(|sum| sum + containers);
        self.scopes_left.update(|left| left.saturating_sub(1));
        if self.scopes_left.get() == 0 {
            self.listed.notify_one();
        }
        self.scopes_left.get() == 0
    }

    /// Whether no scope holds a container.
    fn is_empty(&self) -> bool {
        self.containers.get() == 0 && !self.left_out.get()
    }
}

/// The result, unless the time is over before.
async fn before<T>(end: Option<Instant>, result: impl Future<Output = T>) -> Option<T> {
    match end {
        Some(end) => timeout_at(end, result).await.ok(),
        None => Some(result.await),
    }
}

async fn send(selected: &mpsc::Sender<Selected>, what: Selected) {
    // A closed channel means that the run is ending.
    let _ = selected.send(what).await;
}

fn nothing_matches(cluster: &Cluster, selection: &Selection, follow: bool) -> String {
    let place = selection.namespaces.described(cluster.default_namespace());
    let then = if follow { "; waiting for it" } else { "" };
    format!("no container matches in {place}{then}")
}

/// The scopes to read: every namespace, with its label selector; and the Jobs among what was found.
async fn scopes(
    cluster: &Cluster,
    selection: &Selection,
    follow: bool,
    until: Option<Instant>,
    selected: &mpsc::Sender<Selected>,
) -> Result<(Vec<Scope>, Vec<Job>), Error> {
    let scope = |namespace: Option<String>, label_selector: Option<String>| Scope {
        cluster: cluster.clone(),
        namespace,
        label_selector,
        field_selector: selection.field_selector.clone(),
        pod: match &selection.query {
            Query::Pod(name) => Some(name.clone()),
            _ => None,
        },
        fresh: false,
    };
    let Query::Resource { kind, name } = &selection.query else {
        let labels = &selection.label_selector;
        let namespaces = selection.namespaces.each(cluster.default_namespace());
        let scopes = namespaces.into_iter().map(|name| scope(name.map(str::to_owned), labels.clone()));
        return Ok((scopes.collect(), Vec::new()));
    };
    let report = async |what| send(selected, what).await;
    let wait = if follow { Wait::Until(until) } else { Wait::Never };
    let Selection { namespaces, on_complete, .. } = selection;
    let found = resource::find_in(cluster, (*kind, name), namespaces, wait, *on_complete, report).await?;
    let jobs = found.iter().filter_map(|found| found.job.clone()).collect();
    let of_found =
        |found: Found| Scope { fresh: found.fresh, ..scope(Some(found.namespace), Some(found.selector)) };
    Ok((found.into_iter().map(of_found).collect(), jobs))
}
