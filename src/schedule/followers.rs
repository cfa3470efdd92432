//! Chooses the containers to follow: the newest, within the limits on streams in total and on each node.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::Instant;

use crate::origin::PodInfo;

/// How long a follower keeps its place against a newer container, so that a stream is worth opening.
pub const TENURE: Duration = Duration::from_secs(10);

/// How long all must fit before all are followed again: during a rollout the number of pods keeps changing.
pub const CALM: Duration = Duration::from_secs(5);

/// The age of a container: creation of its pod, then order of arrival, which makes it unique.
pub type Age = (Option<Timestamp>, u64);

/// Limits on streams.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Concurrent log requests of all kinds.
    pub places: usize,
    /// Number of them reserved for polls when not all containers can be followed.
    pub kept: usize,
    /// Followers on one node.
    pub per_node: usize,
}

impl Bounds {
    pub fn new(places: usize, per_node: usize) -> Bounds {
        let places = places.max(1);
        Bounds { places, kept: (places / 10).max(1), per_node: per_node.max(1) }
    }

    /// Number of followers when not all can be followed.
    pub fn followed(&self) -> usize {
        if self.is_lent() { 1 } else { self.places - self.kept }
    }

    /// Whether there is only one place, which the follower shares with the others.
    pub fn is_lent(&self) -> bool {
        self.places == 1
    }
}

/// A decision about a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    Follow(Age),
    Poll(Age),
}

/// The containers that want to be followed, and the chosen ones.
pub struct Followers {
    bounds: Bounds,
    nodes: HashMap<String, Node>,
    chosen: BTreeMap<Age, Arc<PodInfo>>,
    /// For each node with room: its newest container that is not chosen.
    heads: BTreeMap<Age, Arc<PodInfo>>,
    /// When the oldest follower of a node must make room for a newer container.
    contests: BTreeSet<(Instant, String)>,
    /// Streams that were revoked and not yet returned.
    leaving: usize,
    candidates: usize,
    /// Number of candidates that could be followed if only the nodes' limits counted.
    followable: usize,
    full: bool,
    fits_since: Option<Instant>,
    next_review: Option<Instant>,
}

#[derive(Default)]
struct Node {
    chosen: BTreeMap<Age, Place>,
    others: BTreeMap<Age, Arc<PodInfo>>,
    leaving: usize,
    /// The entries of this node in `heads` and `contests`.
    head: Option<Age>,
    contest: Option<Instant>,
}

struct Place {
    since: Instant,
    /// Whether its stream may be open.
    held: bool,
}

impl Place {
    /// When it may be given to a newer container: at once if it was never used.
    fn tenure(&self) -> Instant {
        if self.held { self.since + TENURE } else { self.since }
    }
}

impl Node {
    fn candidates(&self) -> usize {
        self.chosen.len() + self.others.len()
    }

    fn has_room(&self, per_node: usize) -> bool {
        self.chosen.len() + self.leaving < per_node
    }

    fn newest_other(&self) -> Option<(Age, &Arc<PodInfo>)> {
        self.others.last_key_value().map(|(&age, pod)| (age, pod))
    }

    /// When the oldest follower must make room. One at a time: the next follows when its stream was returned.
    fn contest(&self) -> Option<Instant> {
        let ((newest, _), (&oldest, place)) = (self.newest_other()?, self.chosen.first_key_value()?);
        (self.leaving == 0 && newest > oldest).then(|| place.tenure())
    }
}

impl Followers {
    pub fn new(bounds: Bounds) -> Followers {
        Followers {
            bounds,
            nodes: HashMap::new(),
            chosen: BTreeMap::new(),
            heads: BTreeMap::new(),
            contests: BTreeSet::new(),
            leaving: 0,
            candidates: 0,
            followable: 0,
            full: false,
            fits_since: None,
            next_review: None,
        }
    }

    /// Sets new limits.
    pub fn resize(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    pub fn enter(&mut self, age: Age, pod: &Arc<PodInfo>) {
        self.candidates += 1;
        self.change(&pod.node, |node| {
            node.others.insert(age, pod.clone());
        });
    }

    /// Removes a container; `revoked`: it returns a stream that was revoked.
    pub fn leave(&mut self, age: Age, pod: &PodInfo, revoked: bool) {
        self.candidates -= 1;
        self.leaving -= usize::from(revoked);
        self.chosen.remove(&age);
        self.change(&pod.node, |node| {
            node.leaving -= usize::from(revoked);
            node.chosen.remove(&age);
            node.others.remove(&age);
        });
    }

    /// Records that a chosen container opens its stream.
    pub fn opened(&mut self, age: Age, pod: &PodInfo, now: Instant) {
        self.change(&pod.node, |node| {
            if let Some(place) = node.chosen.get_mut(&age) {
                *place = Place { since: now, held: true };
            }
        });
    }

    /// Records that a chosen container lends its place; it stays chosen.
    pub fn lent(&mut self, age: Age, pod: &PodInfo) {
        self.change(&pod.node, |node| {
            if let Some(place) = node.chosen.get_mut(&age) {
                place.held = false;
            }
        });
    }

    pub fn has_chosen(&self, age: Age) -> bool {
        self.chosen.contains_key(&age)
    }

    /// Whether it is the next to be chosen when a stream is returned.
    pub fn is_next(&self, age: Age, pod: &PodInfo) -> bool {
        let newest =
            |node: &Node| node.leaving > 0 && node.newest_other().is_some_and(|(other, _)| other == age);
        self.leaving > 0 && self.heads.last_key_value().is_some_and(|(&head, _)| head == age)
            || self.nodes.get(&pod.node).is_some_and(newest)
    }

    /// Number of containers that are followed, or about to be.
    pub fn following(&self) -> usize {
        self.chosen.len()
    }

    pub fn candidates(&self) -> usize {
        self.candidates
    }

    /// Whether more containers want to be followed than there are places.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Whether more containers want to be followed than their nodes allow.
    pub fn exceed_nodes(&self) -> bool {
        self.candidates > self.followable
    }

    /// The next time at which a decision may change without any event.
    pub fn next_review(&self) -> Option<Instant> {
        self.next_review
    }

    /// Decides the changes. `readers` and `pollers` compete for the places.
    pub fn decide(&mut self, now: Instant, readers: usize, pollers: usize) -> Vec<Choice> {
        let mut choices = Vec::new();
        let limit = self.limit(now, readers, pollers);
        while self.chosen.len() > limit
            && let Some((oldest, pod)) = self.chosen.pop_first()
        {
            choices.push(self.dismiss(oldest, pod));
        }
        loop {
            while self.chosen.len() + self.leaving < limit
                && let Some((newest, pod)) = self.heads.pop_last()
            {
                choices.push(self.choose(newest, pod, now));
            }
            let Some(oldest) = self.outranked(now, limit) else { return choices };
            if let Some(pod) = self.chosen.remove(&oldest) {
                choices.push(self.dismiss(oldest, pod));
            }
        }
    }

    /// The current limit on followers.
    fn limit(&mut self, now: Instant, readers: usize, pollers: usize) -> usize {
        let bounds = self.bounds;
        let some_polled = self.exceed_nodes() || pollers > 0;
        let room = if some_polled { bounds.followed() } else { bounds.places };
        self.next_review = None;
        if self.followable + readers > room {
            self.full = true;
            self.fits_since = None;
        } else if self.full {
            let calm = *self.fits_since.get_or_insert(now) + CALM;
            self.full = now < calm;
            self.next_review = self.full.then_some(calm);
        }
        if self.full { bounds.followed() } else { room }
    }

    /// The follower that must now give its place to a newer container.
    fn outranked(&mut self, now: Instant, limit: usize) -> Option<Age> {
        let in_all = self.contest(limit);
        if let Some((at, oldest)) = in_all
            && at <= now
        {
            return Some(oldest);
        }
        let on_node = self.contests.first();
        if let Some((at, name)) = on_node
            && *at <= now
        {
            return self.nodes.get(name)?.chosen.first_key_value().map(|(&oldest, _)| oldest);
        }
        let reviews = [self.next_review, in_all.map(|(at, _)| at), on_node.map(|(at, _)| *at)];
        self.next_review = reviews.into_iter().flatten().min();
        None
    }

    /// When the oldest follower must make room for the newest candidate, and its age.
    fn contest(&self, limit: usize) -> Option<(Instant, Age)> {
        let ((newest, _), (&oldest, pod)) = (self.heads.last_key_value()?, self.chosen.first_key_value()?);
        let place = self.nodes.get(&pod.node)?.chosen.get(&oldest)?;
        let contested = self.leaving == 0 && self.chosen.len() >= limit && *newest > oldest;
        contested.then(|| (place.tenure(), oldest))
    }

    fn choose(&mut self, age: Age, pod: Arc<PodInfo>, now: Instant) -> Choice {
        self.change(&pod.node, |node| {
            node.others.remove(&age);
            node.chosen.insert(age, Place { since: now, held: false });
        });
        self.chosen.insert(age, pod);
        Choice::Follow(age)
    }

    fn dismiss(&mut self, age: Age, pod: Arc<PodInfo>) -> Choice {
        let name = pod.node.clone();
        let held = self.change(&name, |node| {
            let held = node.chosen.remove(&age).is_some_and(|place| place.held);
            node.others.insert(age, pod);
            node.leaving += usize::from(held);
            held
        });
        self.leaving += usize::from(held);
        Choice::Poll(age)
    }

    /// Changes a node and updates the totals.
    fn change<T>(&mut self, name: &str, change: impl FnOnce(&mut Node) -> T) -> T {
        let per_node = self.bounds.per_node;
        let mut node = self.nodes.remove(name).unwrap_or_default();
        if let Some(head) = node.head.take() {
            self.heads.remove(&head);
        }
        if let Some(contest) = node.contest.take() {
            self.contests.remove(&(contest, name.to_owned()));
        }
        self.followable -= node.candidates().min(per_node);
        let changed = change(&mut node);
        self.followable += node.candidates().min(per_node);
        if node.has_room(per_node) {
            node.head = node.newest_other().map(|(age, pod)| {
                self.heads.insert(age, pod.clone());
                age
            });
        } else {
            node.contest = node.contest();
            self.contests.extend(node.contest.map(|contest| (contest, name.to_owned())));
        }
        if node.candidates() + node.leaving > 0 {
            self.nodes.insert(name.to_owned(), node);
        }
        changed
    }
}
