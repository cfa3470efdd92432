//! The scheduler's state and its decisions. Every function is synchronous, and time is passed in.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{
    Bound, Load, Mode,
    followers::{Age, Bounds, Choice, Followers},
    turns::{self, Pace, Turns},
};
use crate::{origin::PodInfo, purpose::Purpose};

/// With a single place: how long it is lent at a time, and how long it is followed in at least.
pub const LENT: Duration = turns::SOONEST;

/// With a single place: the longest wait for an answer that is not counted.
pub const ANSWER: Duration = Duration::from_secs(10);

/// The time in which failures count as one.
const CROWDED: Duration = Duration::from_secs(2);

/// Identifies a member; ids are in order of arrival.
pub type Id = u64;

/// Identifies one claim of a member, so that an old claim cannot be mistaken for the next.
pub type Claimed = (Id, u64);

pub struct State {
    bounds: Bounds,
    /// The places that are wanted, and the most that the system has room for, if that is known.
    wanted: usize,
    room: Option<usize>,
    /// When there was no room last.
    crowded: Option<Instant>,
    members: HashMap<Id, Member>,
    followers: Followers,
    turns: Turns,
    /// Members that take the next free place: by purpose, then by arrival.
    queue: BTreeMap<(u8, u64), Id>,
    /// Places that are taken.
    open: usize,
    /// Members that are being polled.
    polling: Vec<Id>,
    readers: usize,
    pollers: usize,
    /// The same by node.
    exhausted: Arc<BTreeMap<String, usize>>,
    /// The follower in the only place, and since when it reads; until it has an answer, the latest time at which it
    /// counts as reading.
    lender: Option<(Id, Instant)>,
    /// Until when the only place is lent.
    lent: Option<Instant>,
    /// Counter for the ids of members and claims.
    count: u64,
    /// The waiting member that wakes for the next decision, and when.
    keeper: Option<(Id, Instant)>,
}

struct Member {
    age: Age,
    pod: Arc<PodInfo>,
    /// Notified when it has a new decision.
    bell: Arc<Notify>,
    /// Whether its log will be gone soon.
    ending: bool,
    /// The mode under which it is counted; None if it wants nothing.
    want: Option<Mode>,
    claim: Option<(u64, Claim)>,
    pace: Pace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    Waiting { order: u8 },
    Held { mode: Mode, recall: Recall },
}

/// Whether it must return the place that it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recall {
    No,
    /// Lent to others: it stays chosen.
    ForAWhile,
    ForGood,
}

impl State {
    pub fn new(places: usize, per_node: usize) -> State {
        let bounds = Bounds::new(places, per_node);
        State {
            bounds,
            wanted: places,
            room: None,
            crowded: None,
            members: HashMap::new(),
            followers: Followers::new(bounds),
            turns: Turns::default(),
            queue: BTreeMap::new(),
            open: 0,
            polling: Vec::new(),
            readers: 0,
            pollers: 0,
            exhausted: Arc::default(),
            lender: None,
            lent: None,
            count: 0,
            keeper: None,
        }
    }

    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// Sets the number of places; open requests are not closed.
    pub fn resize(&mut self, places: usize) {
        self.wanted = places;
        self.bounds = Bounds::new(self.room.map_or(places, |room| room.min(places)), self.bounds.per_node);
        self.followers.resize(self.bounds);
    }

    /// The system has no room for a request that has a place: there will be fewer places, at most `room`. False if
    /// there are none to give up.
    pub fn shrink(&mut self, room: usize, now: Instant) -> bool {
        // Many requests fail together.
        if self.crowded.is_some_and(|at| now < at + CROWDED) {
            return true;
        }
        let fewer = self.bounds.places - self.bounds.places / 8;
        let fewer = if fewer == self.bounds.places { fewer.saturating_sub(1) } else { fewer };
        if fewer == 0 {
            return false;
        }
        self.crowded = Some(now);
        self.room = Some(if self.room.is_none() { room.min(fewer) } else { fewer });
        self.resize(self.wanted);
        true
    }

    pub fn join(&mut self, pod: &Arc<PodInfo>, bell: Arc<Notify>) -> Id {
        self.count += 1;
        let (age, pod) = ((pod.created, self.count), pod.clone());
        let member = Member { age, pod, bell, ending: false, want: None, claim: None, pace: Pace::default() };
        self.members.insert(self.count, member);
        self.count
    }

    /// Removes a member.
    pub fn quit(&mut self, id: Id) {
        self.lay_down(id, None);
        self.members.remove(&id);
    }

    /// Announces a future claim: followers are chosen among all known members.
    pub fn announce(&mut self, id: Id, want: Mode) {
        self.count_as(id, Some(want));
    }

    /// Claims a place, and replaces any other claim of this member.
    pub fn claim(&mut self, id: Id, want: Mode, purpose: Purpose) -> Claimed {
        self.count += 1;
        let claimed = (id, self.count);
        self.lay_down(id, Some(want));
        self.count_as(id, Some(want));
        if let Some(member) = self.members.get_mut(&id) {
            member.claim = Some((claimed.1, Claim::Waiting { order: purpose.order() }));
            // A turn that is due in a minute may be too late.
            if purpose.ends() && !std::mem::replace(&mut member.ending, true) {
                member.pace.hurry();
            }
        }
        self.line_up(id);
        claimed
    }

    /// The mode in which it was admitted, or when to check again; None: when it is notified.
    pub fn admitted(&self, (id, number): Claimed) -> Result<Mode, Option<Instant>> {
        match self.members.get(&id).and_then(|member| member.claim) {
            Some((held, Claim::Held { mode, .. })) if held == number => Ok(mode),
            _ => Err(self.keeper.filter(|&(keeper, _)| keeper == id).map(|(_, at)| at)),
        }
    }

    pub fn is_revoked(&self, (id, number): Claimed) -> bool {
        let claim = self.members.get(&id).and_then(|member| member.claim);
        !matches!(claim, Some((held, Claim::Held { recall: Recall::No, .. })) if held == number)
    }

    /// A question has to be answered before a line of its answer is shown: the wait does not count, as that for an
    /// answer. Else the place is lent before each reply, and no line is ever shown.
    pub fn asks(&mut self, (id, _): Claimed, now: Instant) {
        if let Some((_, since)) = self.lender.as_mut().filter(|(lender, _)| *lender == id) {
            *since = now + ANSWER;
        }
    }

    /// A claim has an answer. The first one counts.
    pub fn answered(&mut self, (id, _): Claimed, now: Instant) {
        if let Some((_, since)) = self.lender.as_mut().filter(|(lender, _)| *lender == id) {
            *since = now.min(*since);
        }
    }

    /// Ends a poll; the member waits for its next turn.
    pub fn polled(&mut self, claimed: Claimed, new_lines: bool, now: Instant) {
        if let Some(member) = self.holder(claimed) {
            member.rest(now, new_lines);
            let want = member.want;
            self.lay_down(claimed.0, want);
        }
    }

    /// Ends a claim, served or not.
    pub fn give_up(&mut self, claimed: Claimed, now: Instant) {
        let Some(member) = self.holder(claimed) else { return };
        let mut want = None;
        match member.claim {
            // A poll without a report must not be repeated at once.
            Some((_, Claim::Held { mode: Mode::Poll, .. })) => member.pace.rest(now, false),
            Some((_, Claim::Held { recall: Recall::ForAWhile, .. })) => {
                want = member.want;
                let (age, pod) = (member.age, member.pod.clone());
                self.followers.lent(age, &pod);
                self.lent = Some(now + LENT);
            }
            _ => {}
        }
        self.lay_down(claimed.0, want);
    }

    /// Takes a place if no member waits for it. Of several, polls of other nodes keep one: small requests to a node
    /// that hangs last for long.
    pub fn take_spare(&mut self) -> bool {
        let is_next = self.polling.is_empty() && self.pollers > 0 || self.only_polled_node().is_some();
        let kept = usize::from(is_next && self.bounds.kept > 1);
        let free = self.open + kept < self.bounds.places;
        self.open += usize::from(free);
        free
    }

    /// Whether a member waits for a place, since none is free.
    pub fn is_waited_for(&self) -> bool {
        !self.queue.is_empty()
    }

    pub fn return_spare(&mut self) {
        self.open -= 1;
    }

    fn holder(&mut self, (id, number): Claimed) -> Option<&mut Member> {
        self.members.get_mut(&id).filter(|member| matches!(member.claim, Some((held, _)) if held == number))
    }

    /// Ends a member's claim. A member that wants the same again stays counted, so that its place is not given away
    /// in between.
    fn lay_down(&mut self, id: Id, want: Option<Mode>) {
        let Some(member) = self.members.get(&id) else { return };
        if member.want != want || member.is_revoked() {
            self.count_as(id, None);
        }
        let Some(member) = self.members.get_mut(&id) else { return };
        match member.claim.take() {
            Some((number, Claim::Waiting { order })) => {
                self.queue.remove(&(order, number));
                self.turns.remove(id, &member.pace);
            }
            Some((_, Claim::Held { mode, .. })) => {
                self.open -= 1;
                if mode == Mode::Poll {
                    self.polling.retain(|polled| *polled != id);
                }
                self.lender.take_if(|(lender, _)| *lender == id);
            }
            None => {}
        }
    }

    /// Counts the member under the mode it wants.
    fn count_as(&mut self, id: Id, want: Option<Mode>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let revoked = member.is_revoked();
        let before = std::mem::replace(&mut member.want, want);
        if before == want {
            return;
        }
        match before {
            Some(Mode::Read | Mode::History) => self.readers -= 1,
            Some(Mode::Poll) => {
                self.pollers -= 1;
                let exhausted = Arc::make_mut(&mut self.exhausted);
                if let Some(count) = exhausted.get_mut(&member.pod.node) {
                    *count -= 1;
                }
                exhausted.retain(|_, count| *count > 0);
            }
            Some(Mode::Follow) => self.followers.leave(member.age, &member.pod, revoked),
            None => {}
        }
        match want {
            Some(Mode::Read | Mode::History) => self.readers += 1,
            Some(Mode::Poll) => {
                self.pollers += 1;
                *Arc::make_mut(&mut self.exhausted).entry(member.pod.node.clone()).or_default() += 1;
            }
            Some(Mode::Follow) => self.followers.enter(member.age, &member.pod),
            None => {}
        }
        if want.is_none_or(Mode::is_read) {
            self.turns.forget(&mut member.pace);
        }
    }

    /// Puts a waiting member into its queue.
    fn line_up(&mut self, id: Id) {
        let Some(member) = self.members.get(&id) else { return };
        let Some((number, Claim::Waiting { order })) = member.claim else { return };
        let in_turn = match member.want {
            Some(Mode::Follow) => !self.followers.has_chosen(member.age),
            Some(Mode::Poll) => true,
            Some(Mode::Read | Mode::History) | None => false,
        };
        if in_turn {
            self.queue.remove(&(order, number));
            self.turns.insert(id, &member.pace);
        } else {
            self.turns.remove(id, &member.pace);
            self.queue.insert((order, number), id);
        }
    }

    /// Recomputes the schedule after a change.
    pub fn settle(&mut self, now: Instant) {
        for choice in self.followers.decide(now, self.readers, self.pollers) {
            match choice {
                Choice::Follow((_, id)) => self.promote(id),
                Choice::Poll((_, id)) => self.demote(id, now),
            }
        }
        while self.open < self.bounds.places
            && let Some((id, turn)) = self.next(now)
        {
            self.admit(id, now, turn);
        }
        self.lend(now);
        self.set_alarm(now);
    }

    /// The member that takes the next place, and whether for a poll.
    fn next(&self, now: Instant) -> Option<(Id, bool)> {
        let queued = self.queue.values().next().map(|&id| (id, false));
        let turn = self.next_turn(now).map(|id| (id, true));
        let lent = self.lent.is_some_and(|until| now < until);
        let borrower = if lent { self.first_reader().map(|(id, _)| (id, false)).or(turn) } else { None };
        borrower.or(queued).or(turn)
    }

    /// The first member that waits for one read.
    fn first_reader(&self) -> Option<(Id, &Member)> {
        let mut waiting = self.queue.values().filter_map(|&id| Some((id, self.members.get(&id)?)));
        waiting.find(|(_, member)| member.want.is_some_and(Mode::is_read))
    }

    /// Asks the follower in the only place to lend it, if it is time.
    fn lend(&mut self, now: Instant) {
        if self.next_loan(now).is_some_and(|at| at <= now)
            && let Some((id, _)) = self.lender.take()
            && let Some(member) = self.members.get_mut(&id)
            && let Some((_, Claim::Held { recall: recall @ Recall::No, .. })) = &mut member.claim
        {
            *recall = Recall::ForAWhile;
            member.bell.notify_one();
        }
    }

    /// When the follower in the only place must lend it to the waiting members.
    fn next_loan(&self, now: Instant) -> Option<Instant> {
        let earliest = self.lender?.1 + LENT;
        match self.first_reader() {
            Some((_, reader)) if reader.ending => Some(now),
            Some(_) => Some(earliest),
            None if self.turns.due(now).next().is_some() => Some(earliest),
            None => self.turns.next(now).map(|turn| turn.max(earliest)),
        }
    }

    fn promote(&mut self, id: Id) {
        self.line_up(id);
        if let Some(member) = self.members.get_mut(&id) {
            self.turns.forget(&mut member.pace);
        }
    }

    fn demote(&mut self, id: Id, now: Instant) {
        let Some(member) = self.members.get_mut(&id) else { return };
        if let Some((_, Claim::Held { mode: Mode::Follow, recall })) = &mut member.claim {
            *recall = Recall::ForGood;
            member.bell.notify_one();
            // Its lines came on the stream: a poll at once brings none, and would seem to show that it is silent.
            member.rest(now, true);
        }
        self.line_up(id);
    }

    fn next_turn(&self, now: Instant) -> Option<Id> {
        if self.polling.len() >= self.bounds.kept {
            return None;
        }
        let full = self.full_node();
        self.turns.due(now).find(|id| {
            self.members.get(id).is_some_and(|member| {
                // A poll would be wasted on a member that is about to follow.
                !self.followers.is_next(member.age, &member.pod) && full != Some(&*member.pod.node)
            })
        })
    }

    /// The node of all polls under way, if only one more fits, and a container of another node waits for its turn: a
    /// node that does not answer would keep all of them waiting.
    fn full_node(&self) -> Option<&str> {
        let is_last = self.polling.len() + 1 == self.bounds.kept;
        if is_last { self.only_polled_node() } else { None }
    }

    /// The node of all polls under way, if a container of another node waits for its turn.
    fn only_polled_node(&self) -> Option<&str> {
        let node = |id: Id| self.members.get(&id).map(|member| &*member.pod.node);
        let first = self.polling.first().copied().and_then(node);
        let is_other = |id: Id| node(id) != first;
        let is_only = !self.polling.iter().copied().any(is_other) && self.turns.all().any(is_other);
        first.filter(|_| is_only)
    }

    fn admit(&mut self, id: Id, now: Instant, turn: bool) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let Some((number, claim)) = member.claim else { return };
        let mode = match member.want {
            _ if turn => Mode::Poll,
            Some(Mode::Follow) => Mode::Follow,
            _ => Mode::Read,
        };
        let Claim::Waiting { order } = claim else { return };
        self.queue.remove(&(order, number));
        match mode {
            Mode::Poll => {
                self.turns.remove(id, &member.pace);
                self.turns.begin(&mut member.pace, now);
                self.polling.push(id);
            }
            Mode::Follow => {
                self.followers.opened(member.age, &member.pod, now);
                self.lender = self.bounds.is_lent().then_some((id, now + ANSWER));
            }
            Mode::Read | Mode::History => {}
        }
        self.open += 1;
        member.claim = Some((number, Claim::Held { mode, recall: Recall::No }));
        member.bell.notify_one();
    }

    /// Chooses a waiting member that wakes for the next decision that no event triggers.
    fn set_alarm(&mut self, now: Instant) {
        let may_poll = self.open < self.bounds.places && self.polling.len() < self.bounds.kept;
        let turn = if may_poll { self.turns.next(now) } else { None };
        let at = [turn, self.followers.next_review(), self.next_loan(now)].into_iter().flatten().min();
        let waits = self.turns.first().or_else(|| self.queue.first_key_value().map(|(_, &id)| id));
        let keeper = waits.zip(at);
        // A member that wakes too early notices it by itself.
        let in_time = match (keeper, self.keeper) {
            (Some((id, at)), Some((before, set))) => id == before && set <= at,
            (None, _) => true,
            (Some(_), None) => false,
        };
        self.keeper = keeper;
        if !in_time
            && let Some((id, _)) = keeper
            && let Some(member) = self.members.get(&id)
        {
            member.bell.notify_one();
        }
    }

    pub fn load(&mut self, now: Instant) -> Load {
        let following = self.followers.following();
        let polled = self.followers.candidates() - following + self.pollers;
        let bound = match polled {
            0 => None,
            _ if self.followers.is_full() && self.bounds.places < self.wanted => Some(Bound::OpenFiles),
            _ if self.followers.is_full() => Some(Bound::LogRequests),
            _ => self.followers.exceed_nodes().then_some(Bound::StreamsPerNode),
        };
        let turn = self.turns.round(polled, self.polling.len(), now);
        let exhausted = self.exhausted.clone();
        Load { following, polled, waiting: self.queue.len(), turn, bound, exhausted }
    }
}

impl Member {
    /// Records a poll.
    fn rest(&mut self, now: Instant, new_lines: bool) {
        match self.ending {
            true => self.pace.rest_briefly(now),
            false => self.pace.rest(now, new_lines),
        }
    }

    /// Whether it holds a stream that it must return.
    fn is_revoked(&self) -> bool {
        matches!(self.claim, Some((_, Claim::Held { recall: Recall::ForGood, .. })))
    }
}
