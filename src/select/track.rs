//! Tracks the state of each container of the pods that match.

mod slot;

use std::{collections::BTreeMap, mem::take, sync::Arc};

use jiff::Timestamp;
use regex::Regex;
use tokio::sync::watch;

use super::pod::{Absence, ContainerStatus, Named, Pod, State};
use crate::{
    cluster::KNOWN,
    completion::Progress,
    event::Ending,
    instance::{Instance, Life},
    notice::{Kind, Notice, Scope},
    origin::{Kind as OriginKind, Origin, PodInfo},
    plan::{ContainerStates, Query, Selection},
};
use slot::{Seen, Sight, Slot, in_words};

/// Most reasons for waiting that are reported of a pod, and of a container. Kubernetes has some twenty.
const MOST_REASONS: usize = 30;

/// A pod that left the selection is forgotten after so many more: no watch reports its end.
const MOST_LEFT: u64 = 1000;

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
    /// Pods that are there and were selected before, and are not now.
    dropped: BTreeMap<String, Dropped>,
    /// Counts the pods that left the selection.
    departures: u64,
    /// The number of pods and their containers in both, and the most: [`KNOWN`].
    known: usize,
    most: usize,
    /// Whether it is reported that there are more.
    full: bool,
    /// True until the first list is complete: `--container-state` applies to its containers.
    starting: bool,
    /// Counts relists: a pod that a finished relist did not contain is gone.
    generation: u64,
    /// A pod that was created before this time, and is seen later, was not selected then.
    listed: Option<Timestamp>,
}

/// Why a pod is not selected any more.
#[derive(Debug, PartialEq, Eq)]
enum Dropped {
    /// It does not meet the condition, as of the list of this generation.
    Unmet(u64),
    /// It left the selection of lists and watches, as the pod of this number.
    Left(u64),
}

struct Tracked {
    info: Arc<PodInfo>,
    generation: u64,
    /// Whether the watch or a list has it no more, and it is asked for.
    doubted: bool,
    containers: BTreeMap<String, Slot>,
    /// Whether containers without a status are expected.
    awaited: bool,
    /// Reasons for missing containers that were reported.
    reported: Vec<String>,
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
            departures: 0,
            known: 0,
            most: KNOWN,
            full: false,
            starting: !fresh,
            generation: 0,
            listed: None,
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

    /// The pods that the list lacks and of which something is read, at most so many. They may only have left the
    /// selection: they are kept until [`Tracker::settle`].
    pub fn doubt_missing(&mut self, most: usize) -> Vec<Arc<PodInfo>> {
        let missing = self.pods.values_mut().filter(|pod| pod.generation != self.generation);
        missing.filter_map(Tracked::doubt).take(most).collect()
    }

    /// Ends the list: pods missing from it are gone.
    pub fn relisted(&mut self, changes: &mut Vec<Change>) {
        let generation = self.generation;
        self.remove_all(|pod| pod.generation != generation && !pod.doubted, changes);
        let is_gone = |dropped: &Dropped| matches!(dropped, Dropped::Unmet(listed) if *listed != generation);
        let (gone, kept) = take(&mut self.dropped).into_iter().partition(|(_, dropped)| is_gone(dropped));
        self.dropped = kept;
        changes.extend(BTreeMap::into_keys(gone).map(|uid| {
            self.known -= 1;
            Change::Gone(uid)
        }));
        self.starting = false;
    }

    /// A pod that was created before this time, as of the first list, and is seen later existed before the start.
    pub fn older_are_old(&mut self, listed: Option<Timestamp>) {
        self.listed = self.listed.or(listed);
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
                tracked.containers.values().for_each(Slot::dismiss);
                self.known -= tracked.containers.len();
                self.dropped.insert(uid, Dropped::Unmet(self.generation));
            } else if let Some(dropped) = self.dropped.get_mut(&identity) {
                *dropped = Dropped::Unmet(self.generation);
            }
            return;
        }
        let comes_back = self.dropped.remove(&identity).is_some();
        self.known -= usize::from(comes_back);
        if !self.pods.contains_key(&identity) && !has_room(&mut self.known, self.most) {
            return self.report_full(changes);
        }
        let is_first = !self.pods.contains_key(&identity);
        let is_old = is_first && pod.created().is_some_and(|created| Some(created) < self.listed);
        let (mut full, known, most) = (false, &mut self.known, self.most);
        let tracked = self.pods.entry(identity.clone()).or_insert_with(|| Tracked {
            info: Arc::new(info(pod, identity, self.keep_annotations)),
            generation: 0,
            doubted: false,
            containers: BTreeMap::new(),
            awaited: false,
            reported: Vec::new(),
        });
        (tracked.generation, tracked.doubted) = (self.generation, false);
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
                // A pod that meets the condition, or has the label, only now may be old.
                (true, false) if comes_back || self.selection.condition.is_some() || is_old => Sight::Old,
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
        if pod.has_ended() {
            tracked.lose_unreported(pod);
        }
        if full {
            self.report_full(changes);
        }
    }

    /// All have ended as far as it matters: the rest of their logs is read, and not followed.
    pub fn complete(&self) {
        let slots = self.pods.values().flat_map(|pod| pod.containers.values());
        slots.for_each(|slot| slot.complete(&Ending::default()));
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
        self.remove(self.identity(pod), changes);
    }

    fn remove(&mut self, identity: String, changes: &mut Vec<Change>) {
        let tracked = self.pods.remove(&identity);
        if let Some(tracked) = &tracked {
            self.known -= 1 + tracked.containers.len();
            tracked.delete();
        }
        let dropped = self.dropped.remove(&identity);
        self.known -= usize::from(dropped.is_some());
        if dropped.is_some() || tracked.is_some() {
            changes.push(Change::Gone(identity));
        }
    }

    /// A pod that the watch calls deleted, if it matters whether it only left the selection: it is kept until
    /// [`Tracker::settle`].
    pub fn doubt(&mut self, pod: &Pod) -> Option<Arc<PodInfo>> {
        let identity = self.identity(pod);
        self.pods.get_mut(&identity).and_then(Tracked::doubt)
    }

    /// Takes the answer about a pod in doubt: the pod that has its name `now`, if one is known.
    pub fn settle(&mut self, identity: &str, now: Option<&Pod>, changes: &mut Vec<Change>) {
        // Else it has come back meanwhile, or is gone.
        if self.pods.get(identity).is_some_and(|pod| pod.doubted) {
            match now.filter(|pod| pod.may_be(identity)) {
                Some(pod) => self.leave(identity, pod, changes),
                None => self.remove(identity.to_owned(), changes),
            }
        }
    }

    /// All pods in doubt count as deleted.
    pub fn settle_all(&mut self, changes: &mut Vec<Change>) {
        self.remove_all(|pod| pod.doubted, changes);
    }

    fn remove_all(&mut self, is_gone: impl Fn(&Tracked) -> bool, changes: &mut Vec<Change>) {
        let (gone, kept) = take(&mut self.pods).into_iter().partition(|(_, pod)| is_gone(pod));
        self.pods = kept;
        changes.extend(BTreeMap::into_iter(gone).map(|(uid, pod)| {
            self.known -= 1 + pod.containers.len();
            pod.delete();
            Change::Gone(uid)
        }));
    }

    /// Takes a pod that left the selection. Of one that has ended no more comes.
    fn leave(&mut self, identity: &str, pod: &Pod, changes: &mut Vec<Change>) {
        let Some((uid, tracked)) = self.pods.remove_entry(identity) else { return };
        tracked.leave(pod);
        self.known -= tracked.containers.len();
        if self.selection.on_complete {
            changes.push(Change::Progress(uid.clone(), Progress::at_leave(pod, &tracked.info)));
        }
        if pod.has_ended() {
            self.known -= 1;
            return changes.push(Change::Gone(uid));
        }
        self.departures += 1;
        let oldest = Dropped::Left(self.departures.saturating_sub(MOST_LEFT));
        let oldest = self.dropped.iter().find(|(_, dropped)| **dropped == oldest).map(|(uid, _)| uid.clone());
        if let Some(oldest) = oldest {
            self.remove(oldest, changes);
        }
        self.dropped.insert(uid, Dropped::Left(self.departures));
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

    /// Marks the pod as one to ask for, unless it is one or nothing of it was read.
    fn doubt(&mut self) -> Option<Arc<PodInfo>> {
        let was_read = self.containers.values().any(|slot| slot.life.is_some());
        (was_read && !std::mem::replace(&mut self.doubted, was_read)).then(|| self.info.clone())
    }

    /// The pod has ended: a kubelet may have forgotten the status of a container, as before 1.21, or report it as the one
    /// behind the one that it lost.
    fn lose_unreported(&self, pod: &Pod) {
        let reason = pod.status.reason.clone();
        let ending = Ending { reason, deleting: pod.deleting(), ..Ending::default() };
        let is_lost = |name: &str| pod.container(name).is_none_or(ContainerStatus::is_lost);
        let lost = self.containers.iter().filter(|(name, _)| is_lost(name));
        lost.for_each(|(_, slot)| slot.complete(&ending));
    }

    fn delete(&self) {
        self.containers.values().for_each(Slot::delete);
    }

    /// The pod left the selection, and is as it is here.
    fn leave(&self, pod: &Pod) {
        for (name, slot) in &self.containers {
            slot.leave(pod.container(name), pod.deleting());
        }
    }
}

/// Whether one more may be known, which it then is.
fn has_room(known: &mut usize, most: usize) -> bool {
    let room = *known < most;
    *known += usize::from(room);
    room
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
