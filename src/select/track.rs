//! Tracks the state of each container of the pods that match.

use std::{collections::BTreeMap, mem::take, sync::Arc};

use regex::Regex;
use tokio::sync::watch;

use super::pod::{Absence, ContainerStatus, InstanceId, Named, Pod, State, Terminated};
use crate::{
    cluster::{KNOWN, is_starting},
    completion::Progress,
    event::Ending,
    instance::{Instance, Life},
    notice::{Kind, Notice, Scope},
    origin::{Kind as OriginKind, Origin, PodInfo},
    plan::{ContainerStates, Query, Selection},
};

/// Most reasons for waiting that are reported of a pod, and of a container. Kubernetes has some twenty.
const MOST_REASONS: usize = 30;

/// A change among the instances.
#[derive(Debug)]
pub enum Change {
    /// An instance to tail, its life, and whether it was created after the start.
    Started { instance: Arc<Instance>, life: watch::Receiver<Life>, fresh: bool },
    /// One or all of a pod's containers have not started, or the pod ended before any did.
    Absent(Notice),
    /// The pod with this UID, which had instances, is gone.
    Gone(String),
    /// The state of the pod with this UID, for `--exit-on-complete`.
    Progress(String, Progress),
}

/// Knows every container that matches, and its instance that is tailed.
pub struct Tracker<'a> {
    selection: &'a Selection,
    follow: bool,
    keep_annotations: bool,
    pods: BTreeMap<String, Tracked>,
    /// Generations of pods that met the condition before and do not now.
    dropped: BTreeMap<String, u64>,
    /// The number of pods and their containers in both, and the most: [`KNOWN`].
    known: usize,
    most: usize,
    /// Whether it is reported that there are more.
    full: bool,
    /// True until the first list is complete: `--container-state` applies to its containers.
    starting: bool,
    /// Counts relists: a pod that a finished relist did not contain is gone.
    generation: u64,
}

struct Tracked {
    info: Arc<PodInfo>,
    generation: u64,
    containers: BTreeMap<String, Slot>,
    /// Whether containers without a status are expected.
    awaited: bool,
    /// Reasons for missing containers that were reported.
    reported: Vec<String>,
}

/// One container of a pod.
#[derive(Default)]
struct Slot {
    origin: Option<Arc<Origin>>,
    /// The instance that is tailed now, or was last.
    instance: Option<InstanceId>,
    life: Option<watch::Sender<Life>>,
    /// The lives of earlier instances whose tails have not ended: their logs are gone after further restarts.
    earlier: Vec<watch::Sender<Life>>,
    /// Reasons for waiting that were reported.
    reported: Vec<String>,
}

/// How a new instance relates to the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// It existed before the start.
    Old,
    /// It existed, in a state that `--container-state` excludes.
    Unwanted,
    New,
}

/// The current state of a container.
struct Seen<'p> {
    kind: OriginKind,
    status: &'p ContainerStatus,
    sight: Sight,
    /// Whether its pod is being deleted.
    deleting: bool,
}

impl<'a> Tracker<'a> {
    /// `keep_annotations`: whether an output needs them; they can be larger than the rest of the pod. `fresh`: all
    /// pods seen so far were created after the start.
    pub fn new(selection: &'a Selection, follow: bool, keep_annotations: bool, fresh: bool) -> Self {
        Self {
            selection,
            follow,
            keep_annotations,
            pods: BTreeMap::new(),
            dropped: BTreeMap::new(),
            known: 0,
            most: KNOWN,
            full: false,
            starting: !fresh,
            generation: 0,
        }
    }

    /// Number of containers that matched so far, waiting ones included; a pod without statuses counts as one.
    pub fn containers(&self) -> usize {
        self.pods.values().map(|pod| pod.containers.len().max(pod.awaited.into())).sum()
    }

    /// Begins a list of all pods.
    pub fn relist(&mut self) {
        self.generation += 1;
    }

    /// Ends the list: pods missing from it are gone.
    pub fn relisted(&mut self, changes: &mut Vec<Change>) {
        let generation = self.generation;
        let (gone, kept) =
            take(&mut self.pods).into_iter().partition(|(_, pod)| pod.generation != generation);
        self.pods = kept;
        changes.extend(BTreeMap::into_iter(gone).map(|(uid, pod)| {
            self.known -= 1 + pod.containers.len();
            pod.end(&Life::Deleted);
            Change::Gone(uid)
        }));
        let (gone, kept) = take(&mut self.dropped).into_iter().partition(|(_, listed)| *listed != generation);
        self.dropped = kept;
        changes.extend(BTreeMap::into_keys(gone).map(|uid| {
            self.known -= 1;
            Change::Gone(uid)
        }));
        self.starting = false;
    }

    /// Takes the current state of a pod.
    pub fn apply(&mut self, pod: &Pod, changes: &mut Vec<Change>) {
        if !self.matches(pod) {
            return;
        }
        let identity = self.identity(pod);
        if self.selection.on_complete
            && let Some(info) = self.known(pod, &identity)
        {
            let told = self.meets_condition(pod) && has_wanted(pod, self.selection);
            changes.push(Change::Progress(identity.clone(), Progress::of(pod, &info, told)));
        }
        if !self.meets_condition(pod) {
            if let Some((uid, tracked)) = self.pods.remove_entry(&identity) {
                tracked.end(&Life::Dropped);
                self.known -= tracked.containers.len();
                self.dropped.insert(uid, self.generation);
            } else if let Some(listed) = self.dropped.get_mut(&identity) {
                *listed = self.generation;
            }
            return;
        }
        if self.dropped.remove(&identity).is_some() {
            self.known -= 1;
        }
        if !self.pods.contains_key(&identity) && !has_room(&mut self.known, self.most) {
            return self.report_full(changes);
        }
        let (mut full, known, most) = (false, &mut self.known, self.most);
        let tracked = self.pods.entry(identity.clone()).or_insert_with(|| Tracked {
            info: Arc::new(info(pod, identity, self.keep_annotations)),
            generation: 0,
            containers: BTreeMap::new(),
            awaited: false,
            reported: Vec::new(),
        });
        tracked.generation = self.generation;
        let node = &pod.spec.node_name;
        if !node.is_empty() && tracked.info.node != *node {
            let identity = tracked.info.identity.clone();
            tracked.info = Arc::new(info(pod, identity, self.keep_annotations));
        }
        let absence = pod.absence().filter(|_| has_wanted(pod, self.selection));
        tracked.awaited = absence.is_some();
        if let Some(absence) = absence {
            tracked.report_absence(absence, self.follow && !self.starting, changes);
        }
        // A new pod gets its statuses soon.
        if (!self.follow || self.starting) && !tracked.awaited && !pod.deleting() {
            tracked.report_unreported(pod, self.selection, changes);
        }
        for (kind, status) in statuses(pod, self.selection) {
            if !container_matches(self.selection, &status.name) {
                continue;
            }
            let first_seen = !tracked.containers.contains_key(&status.name);
            if first_seen && !has_room(known, most) {
                full = true;
                continue;
            }
            let slot = tracked.containers.entry(status.name.clone()).or_default();
            let sight = match (first_seen, self.starting) {
                (true, true) if !state_matches(self.selection.states, &status.state) => Sight::Unwanted,
                (true, true) => Sight::Old,
                // A pod that meets the condition only now may be old.
                (true, false) if self.selection.condition.is_some() => Sight::Old,
                _ => Sight::New,
            };
            let seen = Seen { kind, status, sight, deleting: pod.deleting() };
            // A new container may have restarted before its first status came.
            let is_fresh = self.follow && sight == Sight::New;
            if is_fresh || self.selection.with_previous && sight != Sight::Unwanted {
                changes.extend(slot.past(&tracked.info, &seen));
            }
            slot.apply(&tracked.info, seen, self.follow, changes);
        }
        if full {
            self.report_full(changes);
        }
    }

    /// All have ended as far as it matters: the rest of their logs is read, and not followed.
    pub fn complete(&self) {
        let slots = self.pods.values().flat_map(|pod| pod.containers.values());
        slots.for_each(Slot::complete);
    }

    /// A pod that meets the condition now, or did before.
    fn known(&self, pod: &Pod, identity: &str) -> Option<Arc<PodInfo>> {
        match self.pods.get(identity) {
            Some(tracked) => Some(tracked.info.clone()),
            None if self.meets_condition(pod) || self.dropped.contains_key(identity) => {
                Some(Arc::new(info(pod, identity.to_owned(), false)))
            }
            None => None,
        }
    }

    /// Reports once that there are more pods or containers than can be known.
    fn report_full(&mut self, changes: &mut Vec<Change>) {
        if !std::mem::replace(&mut self.full, true) {
            let text = format!(
                "more than {} pods and containers match, and the others are not shown; if that is right, a namespace or \
                 a selector makes them fewer",
                self.most
            );
            changes.push(Change::Absent(Scope::Cluster.warning(text)));
        }
    }

    /// Takes a deleted pod.
    pub fn delete(&mut self, pod: &Pod, changes: &mut Vec<Change>) {
        let identity = self.identity(pod);
        let tracked = self.pods.remove(&identity);
        if let Some(tracked) = &tracked {
            self.known -= 1 + tracked.containers.len();
            tracked.end(&Life::Deleted);
        }
        let dropped = self.dropped.remove(&identity);
        self.known -= usize::from(dropped.is_some());
        if dropped.is_some() || tracked.is_some() {
            changes.push(Change::Gone(identity));
        }
    }

    /// The identity of a pod; one whose UID is missing now is the one that is known by its name.
    fn identity(&self, pod: &Pod) -> String {
        let identity = pod.identity();
        if !pod.metadata.uid.is_empty() || self.starting || self.pods.contains_key(&identity) {
            return identity;
        }
        let mut known = self.pods.keys().chain(self.dropped.keys());
        known.find(|known| known.ends_with(&identity)).cloned().unwrap_or(identity)
    }

    fn matches(&self, pod: &Pod) -> bool {
        let name = pod.name();
        let named = match &self.selection.query {
            Query::Regex(regex) => regex.is_match(name),
            Query::Pod(exact) => exact == name,
            Query::Resource { .. } => true,
        };
        named && !any_matches(&self.selection.exclude_pod, name)
    }

    fn meets_condition(&self, pod: &Pod) -> bool {
        let Some(wanted) = &self.selection.condition else { return true };
        let conditions = pod.status.conditions.as_deref().unwrap_or_default();
        conditions.iter().any(|condition| condition.name == wanted.name && condition.status == wanted.status)
    }
}

impl Tracked {
    /// Reports once for each reason that a pod has no containers yet; `fresh`: the pod was created after the start.
    fn report_absence(&mut self, absence: Absence<'_>, fresh: bool, changes: &mut Vec<Change>) {
        let (key, words) = match absence {
            Absence::Usual(_) if fresh => return,
            Absence::Usual(reason) => (reason, reason.to_owned()),
            Absence::Held { reason, message } | Absence::Failed { reason, message } => {
                (reason, in_words(reason, message))
            }
        };
        if self.reported.len() >= MOST_REASONS || self.reported.iter().any(|reported| reported == key) {
            return;
        }
        self.reported.push(key.to_owned());
        let kind = if matches!(absence, Absence::Failed { .. }) { Kind::Failed } else { Kind::Waiting };
        changes.push(Change::Absent(Scope::Pod(self.info.clone()).notice(kind, words)));
    }

    /// Reports the containers of the spec that have no status, while others have.
    fn report_unreported(&mut self, pod: &Pod, selection: &Selection, changes: &mut Vec<Change>) {
        let init = pod.spec.init_containers.iter().filter(|_| selection.init_containers).flatten();
        let init = init.map(|container| (OriginKind::Init, container));
        let main = pod.spec.containers.iter().flatten().map(|container| (OriginKind::Container, container));
        for (kind, Named { name, .. }) in init.chain(main) {
            let is_reported = statuses(pod, selection).any(|(_, status)| status.name == *name);
            if is_reported || !container_matches(selection, name) || self.reported.contains(name) {
                continue;
            }
            self.reported.push(name.clone());
            let origin = Origin { pod: self.info.clone(), container: name.clone(), kind };
            let notice =
                Scope::Origin(Arc::new(origin)).notice(Kind::Waiting, "its node has not reported it yet");
            changes.push(Change::Absent(notice));
        }
    }

    fn end(&self, life: &Life) {
        for slot in self.containers.values() {
            slot.end(life);
        }
    }
}

impl Slot {
    fn apply(
        &mut self,
        pod: &Arc<PodInfo>,
        Seen { kind, status, sight, deleting }: Seen,
        follow: bool,
        changes: &mut Vec<Change>,
    ) {
        let life = |instance: &InstanceId| life(status, instance, deleting);
        self.report_waiting(pod, kind, status, follow, changes);
        let Some(instance) = status.instance() else { return };
        let before = self.instance.replace(instance.clone());
        if before.as_ref().is_some_and(|before| before.is(&instance)) {
            self.update(life(&instance));
            self.pass_if_waiting(status);
            return;
        }
        let ended = before.as_ref().and_then(|before| status.ending(before));
        self.update(Life::Replaced {
            ending: ended.map(|end| ending(end, deleting)).unwrap_or_default(),
            restart_count: status.restart_count,
            started: status.started(),
        });
        if before.is_some() {
            self.pass(status.restart_count);
        }
        self.earlier.extend(self.life.take());
        self.pass_if_waiting(status);
        if sight == Sight::Unwanted {
            return;
        }
        let (sender, receiver) = watch::channel(life(&instance));
        self.life = Some(sender);
        let instance = Instance {
            origin: self.origin(pod, &status.name, kind),
            container_id: instance.container,
            restart_count: status.restart_count,
            started: status.started(),
            is_past: false,
        };
        let fresh = sight == Sight::New;
        changes.push(Change::Started { instance: Arc::new(instance), life: receiver, fresh });
    }

    /// The instance before the one that is seen first, which is about to be.
    fn past(&mut self, pod: &Arc<PodInfo>, &Seen { kind, status, sight, deleting }: &Seen) -> Option<Change> {
        let (InstanceId { container, restarts }, terminated) =
            status.previous().filter(|_| self.instance.is_none())?;
        let (sender, life) = watch::channel(Life::Replaced {
            ending: ending(terminated, deleting),
            restart_count: status.restart_count,
            started: status.started(),
        });
        self.earlier.push(sender);
        let instance = Instance {
            origin: self.origin(pod, &status.name, kind),
            container_id: container,
            restart_count: restarts,
            started: terminated.started_at,
            is_past: true,
        };
        Some(Change::Started { instance: Arc::new(instance), life, fresh: sight == Sight::New })
    }

    /// Another instance started: the earlier ones are no longer the previous one. Lines that were read too early may
    /// still be those of the first one after them.
    fn pass(&mut self, restarts: u32) {
        self.earlier.retain(|earlier| !earlier.is_closed());
        for earlier in &self.earlier {
            earlier.send_if_modified(|life| match life {
                Life::Replaced { restart_count, .. } => {
                    std::mem::replace(restart_count, restarts) != restarts
                }
                _ => false,
            });
        }
    }

    /// An instance that waits to be started again has the current log and the previous one, as if the next one had
    /// started.
    fn pass_if_waiting(&mut self, status: &ContainerStatus) {
        if status.state.waiting.is_some() {
            self.pass(status.restart_count.saturating_add(1));
        }
    }

    fn complete(&self) {
        if let Some(life) = &self.life {
            life.send_if_modified(|life| {
                let runs = matches!(life, Life::Running | Life::Terminating);
                if runs {
                    *life = Life::Terminated(Ending::default());
                }
                runs
            });
        }
    }

    /// The container is gone, or no longer wanted. The rest of an earlier instance was written while it was.
    fn end(&self, life: &Life) {
        self.update(life.clone());
        if *life == Life::Dropped {
            return;
        }
        for earlier in &self.earlier {
            earlier.send_replace(life.clone());
        }
    }

    fn update(&self, life: Life) {
        if let Some(sender) = &self.life {
            sender.send_if_modified(|before| std::mem::replace(before, life.clone()) != life);
        }
    }

    /// Reports once for each reason that a container cannot start.
    fn report_waiting(
        &mut self,
        pod: &Arc<PodInfo>,
        kind: OriginKind,
        status: &ContainerStatus,
        follow: bool,
        changes: &mut Vec<Change>,
    ) {
        let Some(waiting) = &status.state.waiting else { return };
        // A usual reason is reported only without following, since nothing else explains the missing log.
        let usual = waiting.reason.is_empty() || is_starting(&waiting.reason);
        if self.reported.len() >= MOST_REASONS
            || self.reported.contains(&waiting.reason)
            || (usual && (follow || status.instance().is_some()))
        {
            return;
        }
        self.reported.push(waiting.reason.clone());
        let reason = in_words(&waiting.reason, &waiting.message);
        let scope = Scope::Origin(self.origin(pod, &status.name, kind));
        changes.push(Change::Absent(scope.notice(Kind::Waiting, reason)));
    }

    /// Origins are shared by all instances while the pod stays the same.
    fn origin(&mut self, pod: &Arc<PodInfo>, name: &str, kind: OriginKind) -> Arc<Origin> {
        if let Some(origin) = self.origin.as_ref().filter(|origin| Arc::ptr_eq(&origin.pod, pod)) {
            return origin.clone();
        }
        let origin = Arc::new(Origin { pod: pod.clone(), container: name.to_owned(), kind });
        self.origin.insert(origin).clone()
    }
}

/// Whether one more may be known, which it then is.
fn has_room(known: &mut usize, most: usize) -> bool {
    let room = *known < most;
    *known += usize::from(room);
    room
}

fn in_words(reason: &str, message: &str) -> String {
    match (reason, message) {
        ("", "") => "no reason given".to_owned(),
        (reason, "") => reason.to_owned(),
        ("", message) => message.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

fn life(status: &ContainerStatus, instance: &InstanceId, deleting: bool) -> Life {
    match status.ending(instance) {
        Some(terminated) => Life::Terminated(ending(terminated, deleting)),
        None if deleting => Life::Terminating,
        None => Life::Running,
    }
}

fn ending(terminated: &Terminated, deleting: bool) -> Ending {
    Ending {
        reason: terminated.reason.clone(),
        exit_code: terminated.exit_code,
        finished: terminated.finished_at,
        deleting,
    }
}

/// The statuses in the order in which logs are shown: init containers first.
fn statuses<'p>(
    pod: &'p Pod,
    selection: &Selection,
) -> impl Iterator<Item = (OriginKind, &'p ContainerStatus)> {
    let status = &pod.status;
    let lists = [
        (OriginKind::Init, &status.init_container_statuses, selection.init_containers),
        (OriginKind::Container, &status.container_statuses, true),
        (OriginKind::Ephemeral, &status.ephemeral_container_statuses, selection.ephemeral_containers),
    ];
    lists
        .into_iter()
        .filter(|(_, _, wanted)| *wanted)
        .flat_map(|(kind, list, _)| list.iter().flatten().map(move |status| (kind, status)))
}

/// Whether the pod will have wanted containers once their statuses arrive.
fn has_wanted(pod: &Pod, selection: &Selection) -> bool {
    let init = pod.spec.init_containers.iter().filter(|_| selection.init_containers);
    let mut named = init.chain(&pod.spec.containers).flatten();
    named.any(|container| container_matches(selection, &container.name))
}

fn container_matches(selection: &Selection, name: &str) -> bool {
    selection.container.is_match(name) && !any_matches(&selection.exclude_container, name)
}

fn any_matches(regexes: &[Regex], name: &str) -> bool {
    regexes.iter().any(|regex| regex.is_match(name))
}

fn state_matches(wanted: ContainerStates, state: &State) -> bool {
    wanted == ContainerStates::ALL
        || wanted.running && state.running.is_some()
        || wanted.waiting && state.waiting.is_some()
        || wanted.terminated && state.terminated.is_some()
}

fn info(pod: &Pod, identity: String, keep_annotations: bool) -> PodInfo {
    PodInfo {
        namespace: pod.namespace().to_owned(),
        name: pod.name().to_owned(),
        identity,
        node: pod.spec.node_name.clone(),
        owner: pod.owner(),
        labels: pod.metadata.labels.clone(),
        annotations: pod.metadata.annotations.clone().filter(|_| keep_annotations),
        created: pod.created(),
    }
}

#[cfg(test)]
pub(super) mod tests;
