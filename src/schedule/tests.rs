//! The scheduler as tails use it, on paused time.

mod few;
mod model;
mod rounds;

use std::pin::Pin;

use futures::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use tokio::time::advance;

use super::{
    followers::{CALM, TENURE},
    turns::{LATEST, SOONEST},
    *,
};
use crate::origin::PodInfo;

/// A tail that follows, or reads in polls, as the scheduler decides.
struct Tail {
    seat: Arc<Seat>,
    want: Mode,
    request: Option<BoxFuture<'static, Grant>>,
    grant: Option<Grant>,
    /// Whether its requests are answered at once.
    is_answered: bool,
}

impl Tail {
    fn ask(&mut self, want: Mode, purpose: Purpose) {
        let seat = self.seat.clone();
        self.want = want;
        self.grant = None;
        self.request = Some(async move { seat.request(want, purpose).await }.boxed());
        self.mode();
    }

    /// Its current mode; a revoked grant is requested again.
    fn mode(&mut self) -> Option<Mode> {
        if let Some(grant) = &self.grant
            && grant.revoked().now_or_never().is_some()
        {
            self.ask(self.want, Purpose::Resume);
        }
        if let Some(request) = &mut self.request
            && let Some(grant) = Pin::new(request).now_or_never()
        {
            if self.is_answered {
                grant.answered();
            }
            (self.request, self.grant) = (None, Some(grant));
        }
        self.grant.as_ref().map(|grant| grant.mode)
    }

    /// Polls if it may, and waits for its next turn.
    fn poll(&mut self, new_lines: bool) -> bool {
        let may = self.mode() == Some(Mode::Poll);
        if may && let Some(grant) = self.grant.take() {
            grant.polled(new_lines);
            self.ask(self.want, Purpose::Open);
        }
        may
    }

    fn follows(&mut self) -> bool {
        self.mode() == Some(Mode::Follow)
    }
}

fn pod(node: &str, created: usize) -> Arc<PodInfo> {
    let created = Timestamp::from_second(created as i64).ok();
    let pod = PodInfo { node: node.to_owned(), created, ..PodInfo::default() };
    Arc::new(pod)
}

/// A tail that wants to follow a container of this node and this age.
fn tail(scheduler: &Scheduler, node: &str, created: usize) -> Tail {
    let mut tail = idle(scheduler, node, created);
    tail.ask(Mode::Follow, Purpose::Open);
    tail
}

fn idle(scheduler: &Scheduler, node: &str, created: usize) -> Tail {
    let seat = Arc::new(scheduler.seat(&pod(node, created)));
    Tail { seat, want: Mode::Follow, request: None, grant: None, is_answered: true }
}

fn reader(scheduler: &Scheduler, purpose: Purpose) -> Tail {
    let mut tail = idle(scheduler, "node", 0);
    tail.ask(Mode::Read, purpose);
    tail
}

/// A tail that cannot follow.
fn polled(scheduler: &Scheduler, created: usize) -> Tail {
    let mut tail = idle(scheduler, "node", created);
    tail.ask(Mode::Poll, Purpose::Open);
    tail
}

fn two_polled(scheduler: &Scheduler) -> Vec<Tail> {
    (0..2).map(|n| polled(scheduler, n)).collect()
}

/// Tails on a node each, the oldest first.
fn tails(scheduler: &Scheduler, count: usize) -> Vec<Tail> {
    (0..count).map(|n| tail(scheduler, &format!("node-{n}"), n)).collect()
}

/// The tails that follow, after all received the decisions.
fn following(tails: &mut [Tail]) -> Vec<usize> {
    for _ in 0..3 {
        tails.iter_mut().for_each(|tail| {
            tail.mode();
        });
    }
    tails.iter_mut().enumerate().filter_map(|(n, tail)| tail.follows().then_some(n)).collect()
}

/// Runs polls for some time, each taking no time; gives their number for each tail.
async fn poll_for(tails: &mut [Tail], time: Duration, active: &[usize]) -> Vec<usize> {
    const STEP: Duration = Duration::from_millis(100);
    let mut polls = vec![0; tails.len()];
    for _ in 0..time.as_millis() / STEP.as_millis() {
        while tails.iter_mut().enumerate().any(|(n, tail)| {
            let polled = tail.poll(active.contains(&n));
            polls[n] += usize::from(polled);
            polled
        }) {}
        advance(STEP).await;
        // A tail that sleeps for the next decision must not oversleep.
        tails.iter_mut().for_each(|tail| {
            tail.mode();
        });
    }
    polls
}

#[tokio::test(start_paused = true)]
async fn as_long_as_all_fit_all_follow() {
    let scheduler = Scheduler::new(50, 100);
    let mut tails = tails(&scheduler, 50);
    assert_eq!(following(&mut tails).len(), 50);
    assert_eq!(*scheduler.load().borrow(), Load { following: 50, ..Load::default() });
}

#[tokio::test(start_paused = true)]
async fn one_too_many_and_a_tenth_of_the_places_goes_to_polls() {
    let scheduler = Scheduler::new(50, 100);
    let mut tails = tails(&scheduler, 50);
    advance(TENURE).await;
    tails.push(tail(&scheduler, "node-50", 50));
    assert_eq!(following(&mut tails), (6..51).collect::<Vec<_>>());
    let load = scheduler.load().borrow().clone();
    assert_eq!((load.following, load.polled, load.bound), (45, 6, Some(Bound::LogRequests)));
    advance(SOONEST).await;
    tails.iter_mut().for_each(|tail| {
        tail.mode();
    });
    assert_eq!(tails.iter().filter(|tail| tail.grant.is_some()).count(), 50);
}

#[tokio::test(start_paused = true)]
async fn of_five_hundred_the_newest_are_followed_and_all_have_their_turn() {
    let scheduler = Scheduler::new(50, 100);
    let mut tails = tails(&scheduler, 500);
    let polls = poll_for(&mut tails, TENURE * 2, &[]).await;
    assert_eq!(following(&mut tails), (455..500).collect::<Vec<_>>());
    assert!(polls[5..455].iter().all(|&polls| polls > 0), "{polls:?}");
    assert!(scheduler.load().borrow().turn.is_some_and(|turn| turn >= Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn a_node_has_its_share_and_the_rest_of_it_is_polled() {
    let scheduler = Scheduler::new(50, 3);
    let mut tails: Vec<_> = (0..5).map(|n| tail(&scheduler, "small", n)).collect();
    tails.extend((5..15).map(|n| tail(&scheduler, &format!("node-{n}"), n)));
    poll_for(&mut tails, TENURE * 2, &[]).await;
    assert_eq!(following(&mut tails), (2..15).collect::<Vec<_>>());
    let load = scheduler.load().borrow().clone();
    assert_eq!((load.following, load.polled, load.bound), (13, 2, Some(Bound::StreamsPerNode)));
}

#[tokio::test(start_paused = true)]
async fn the_newest_that_is_polled_follows_when_a_follower_ends() {
    let scheduler = Scheduler::new(3, 100);
    let mut tails = tails(&scheduler, 5);
    poll_for(&mut tails, TENURE * 2, &[]).await;
    assert_eq!(following(&mut tails), [3, 4]);
    tails.pop();
    assert_eq!(following(&mut tails), [2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_newer_container_takes_the_place_of_the_oldest() {
    let scheduler = Scheduler::new(3, 100);
    let mut tails = tails(&scheduler, 4);
    poll_for(&mut tails, TENURE * 2, &[]).await;
    assert_eq!(following(&mut tails), [2, 3]);
    tails.push(tail(&scheduler, "node", 9));
    assert_eq!(tails[4].mode(), None, "it would be polled for nothing");
    assert_eq!(following(&mut tails), [3, 4]);
}

#[tokio::test(start_paused = true)]
async fn one_that_was_followed_is_polled_soon_again() {
    let scheduler = Scheduler::new(3, 100);
    let mut tails = tails(&scheduler, 4);
    poll_for(&mut tails, LATEST * 3, &[]).await;
    tails.pop();
    assert_eq!(following(&mut tails), [1, 2]);
    advance(TENURE).await;
    tails.push(tail(&scheduler, "node", 9));
    assert_eq!(following(&mut tails), [2, 3]);
    // After one second, and after two more: nothing came since.
    let polls = poll_for(&mut tails, SOONEST * 4, &[]).await;
    assert_eq!(polls[1], 2);
}

#[tokio::test(start_paused = true)]
async fn a_tail_that_has_just_begun_to_follow_is_left_alone() {
    let scheduler = Scheduler::new(3, 100);
    let mut tails = tails(&scheduler, 4);
    let before = following(&mut tails);
    tails.push(tail(&scheduler, "node", 9));
    poll_for(&mut tails, TENURE - Duration::from_secs(1), &[]).await;
    assert_eq!(following(&mut tails), before);
    poll_for(&mut tails, Duration::from_secs(2), &[]).await;
    assert_eq!(following(&mut tails), [3, 4]);
}

#[tokio::test(start_paused = true)]
async fn all_follow_again_when_all_have_fitted_for_a_while() {
    let scheduler = Scheduler::new(10, 100);
    let mut tails = tails(&scheduler, 11);
    poll_for(&mut tails, Duration::from_secs(1), &[]).await;
    tails.pop();
    poll_for(&mut tails, CALM - Duration::from_secs(1), &[]).await;
    assert_eq!(following(&mut tails).len(), 9);
    // One pod more, then one less, as in a rollout.
    tails.push(tail(&scheduler, "node", 11));
    tails.pop();
    poll_for(&mut tails, CALM - Duration::from_secs(1), &[]).await;
    assert_eq!(following(&mut tails).len(), 9);
    poll_for(&mut tails, Duration::from_secs(2), &[]).await;
    assert_eq!(following(&mut tails).len(), 10);
}

#[tokio::test(start_paused = true)]
async fn busy_logs_are_polled_every_second_and_others_ever_less_often() {
    let scheduler = Scheduler::new(1, 100);
    let mut tails = two_polled(&scheduler);
    // Polls after 1, 3, 7, 15, 31 and 63 seconds, then every minute.
    let polls = poll_for(&mut tails, Duration::from_secs(1 + 2 + 4 + 8 + 16 + 32), &[1]).await;
    assert_eq!(polls, [1 + 5, 63]);
    let polls = poll_for(&mut tails, LATEST * 10, &[1]).await;
    assert_eq!(polls, [10, 600]);
}

/// Its pod is being deleted.
#[tokio::test(start_paused = true)]
async fn a_log_that_will_soon_be_gone_is_polled_twice_a_second() {
    let scheduler = Scheduler::new(1, 100);
    let mut tails = [polled(&scheduler, 0)];
    poll_for(&mut tails, LATEST * 3, &[]).await;
    tails[0].ask(Mode::Poll, Purpose::Ending);
    let polls = poll_for(&mut tails, Duration::from_secs(10), &[]).await;
    assert!((20..=21).contains(&polls[0]), "{polls:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_writes_again_is_polled_soon_again() {
    let scheduler = Scheduler::new(1, 100);
    let mut tails = two_polled(&scheduler);
    poll_for(&mut tails, LATEST * 3, &[1]).await;
    poll_for(&mut tails, LATEST, &[0, 1]).await;
    let polls = poll_for(&mut tails, Duration::from_secs(10), &[0, 1]).await;
    assert_eq!(polls, [10, 10]);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_is_given_back_without_a_word_does_not_come_again_at_once() {
    let scheduler = Scheduler::new(1, 100);
    let mut tails = two_polled(&scheduler);
    assert_eq!((tails[0].mode(), tails[1].mode()), (Some(Mode::Poll), None));
    tails[0].ask(Mode::Poll, Purpose::Resume);
    assert_eq!((tails[0].mode(), tails[1].mode()), (None, Some(Mode::Poll)));
    tails[1].poll(false);
    assert_eq!((tails[0].mode(), tails[1].mode()), (None, None));
}

#[tokio::test(start_paused = true)]
async fn logs_never_polled_go_before_overdue_ones() {
    let scheduler = Scheduler::new(1, 100);
    let mut tails = two_polled(&scheduler);
    poll_for(&mut tails, Duration::from_secs(5), &[]).await;
    let held = reader(&scheduler, Purpose::Open);
    advance(LATEST).await;
    tails.push(polled(&scheduler, 2));
    drop(held);
    assert_eq!(tails.iter_mut().map(Tail::mode).collect::<Vec<_>>(), [None, None, Some(Mode::Poll)]);
}

#[tokio::test(start_paused = true)]
async fn logs_that_end_are_read_before_new_logs_and_before_all_polls() {
    let scheduler = Scheduler::new(1, 100);
    let mut polled: Vec<_> = (0..3).map(|n| polled(&scheduler, n)).collect();
    assert_eq!((polled[0].mode(), polled[1].mode()), (Some(Mode::Poll), None));
    let mut open = reader(&scheduler, Purpose::Open);
    let mut ending = reader(&scheduler, Purpose::Ending);
    // The pod of a tail that waits for its turn is deleted.
    polled[2].ask(Mode::Read, Purpose::Ending);
    let mut resume = reader(&scheduler, Purpose::Resume);
    polled[0].poll(false);
    for next in [&mut resume, &mut ending, &mut polled[2], &mut open] {
        assert_eq!(next.mode(), Some(Mode::Read));
        (next.grant, next.request) = (None, None);
    }
    assert_eq!(polled[1].mode(), Some(Mode::Poll));
}

#[tokio::test(start_paused = true)]
async fn those_who_read_once_have_their_share_though_the_places_are_followed() {
    let scheduler = Scheduler::new(10, 100);
    let mut tails = tails(&scheduler, 10);
    let mut reading = reader(&scheduler, Purpose::Open);
    assert_eq!((following(&mut tails).len(), reading.mode()), (9, Some(Mode::Read)));
    drop(reading);
    poll_for(&mut tails, CALM * 2, &[]).await;
    assert_eq!(following(&mut tails).len(), 10);
}

#[tokio::test(start_paused = true)]
async fn without_following_it_is_a_queue() {
    let scheduler = Scheduler::new(5, 100);
    let mut readers: Vec<_> = (0..20).map(|_| reader(&scheduler, Purpose::Open)).collect();
    for first in (0..20).step_by(5) {
        let admitted = readers.iter_mut().enumerate().filter_map(|(n, reader)| reader.mode().map(|_| n));
        assert_eq!(admitted.collect::<Vec<_>>(), (first..first + 5).collect::<Vec<_>>());
        readers[first..first + 5].iter_mut().for_each(|reader| reader.grant = None);
    }
    assert_eq!(*scheduler.load().borrow(), Load::default());
}

#[tokio::test(start_paused = true)]
async fn logs_that_a_node_cannot_follow_are_polled_though_there_is_room() {
    let scheduler = Scheduler::new(50, 100);
    let mut tails = tails(&scheduler, 2);
    tails[0].ask(Mode::Poll, Purpose::Open);
    assert_eq!((tails[0].mode(), tails[1].mode()), (Some(Mode::Poll), Some(Mode::Follow)));
    let load = scheduler.load().borrow().clone();
    assert_eq!((load.following, load.polled, load.bound), (1, 1, None));
    assert_eq!(load.exhausted.iter().collect::<Vec<_>>(), [(&"node-0".to_owned(), &1)]);
    tails[0].ask(Mode::Read, Purpose::Ending);
    assert!(scheduler.load().borrow().exhausted.is_empty());
}

/// It may not answer, and the polls of other nodes go on meanwhile.
#[tokio::test(start_paused = true)]
async fn the_last_place_for_polls_is_not_given_to_the_node_that_has_all_others() {
    let scheduler = Scheduler::new(20, 100);
    let poll = |node: &str| {
        let mut tail = idle(&scheduler, node, 0);
        tail.ask(Mode::Poll, Purpose::Open);
        tail
    };
    let (mut first, mut second) = (poll("lost"), poll("other"));
    assert_eq!((first.mode(), second.poll(true)), (Some(Mode::Poll), true));
    let mut third = poll("lost");
    assert_eq!(third.mode(), None);
    advance(SOONEST).await;
    assert_eq!((third.mode(), second.poll(true)), (None, true));
    // None of another node waits.
    drop(second);
    assert_eq!(third.mode(), Some(Mode::Poll));
}

#[tokio::test(start_paused = true)]
async fn a_spare_place_is_an_unused_one() {
    let scheduler = Scheduler::new(2, 100);
    let mut first = reader(&scheduler, Purpose::Open);
    let spare = scheduler.try_spare().expect("one place is free");
    assert!(scheduler.try_spare().is_none());
    let mut second = reader(&scheduler, Purpose::Open);
    assert_eq!((first.mode(), second.mode()), (Some(Mode::Read), None));
    drop(spare);
    assert_eq!(second.mode(), Some(Mode::Read));
}

/// Small requests to a node that hangs must not hold up the polls of others, nor may a poll of that node.
#[tokio::test(start_paused = true)]
async fn spare_places_leave_one_to_polls_of_other_nodes() {
    for hangs in [false, true] {
        let scheduler = Scheduler::new(20, 100);
        let mut hanging = idle(&scheduler, "hanging", 0);
        if hangs {
            hanging.ask(Mode::Poll, Purpose::Open);
            assert_eq!(hanging.mode(), Some(Mode::Poll));
        }
        let mut polled = polled(&scheduler, 0);
        assert!(polled.poll(false));
        let mut spares = Vec::new();
        while let Some(spare) = scheduler.try_spare() {
            spares.push(spare);
        }
        assert_eq!(spares.len(), 19 - usize::from(hangs));
        advance(LATEST).await;
        assert_eq!(polled.mode(), Some(Mode::Poll));
        drop(spares);
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_gives_up_leaves_the_queue() {
    let scheduler = Scheduler::new(1, 100);
    let held = reader(&scheduler, Purpose::Open);
    drop(reader(&scheduler, Purpose::Open));
    assert_eq!(scheduler.load().borrow().waiting, 0);
    drop(held);
    drop(reader(&scheduler, Purpose::Open));
    assert_eq!(reader(&scheduler, Purpose::Open).mode(), Some(Mode::Read));
}

/// Only the waiting tails keep time: they wake by themselves.
#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_ends_by_itself() {
    let scheduler = Scheduler::new(1, 100);
    let start = Instant::now();
    let polls = |new_lines| {
        let seat = scheduler.seat(&pod("node", 0));
        async move {
            for _ in 0..4 {
                seat.request(Mode::Poll, Purpose::Open).await.polled(new_lines);
            }
            start.elapsed().as_secs()
        }
    };
    assert_eq!(futures::join!(polls(true), polls(false), polls(true)), (3, 1 + 2 + 4, 3));
}
