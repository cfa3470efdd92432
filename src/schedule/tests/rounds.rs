//! The duration of rounds with very many containers, and its estimate, against the limiter on paused time.

use std::cell::RefCell;

use futures::future::{join, join_all};
use tokio::time::sleep;

use super::*;
use crate::{cluster::Limiter, plan::LogRequests};

const QPS: f64 = 50.0;

/// The times of each container's polls, in seconds, and the expected turn after each second.
struct Seen {
    polls: Vec<Vec<f64>>,
    turns: Vec<u64>,
}

impl Seen {
    /// The time at which all had been polled `times` times.
    fn round(&self, times: usize) -> f64 {
        let polled = self.polls.iter().filter(|polls| !polls.is_empty());
        polled.map(|polls| polls[times - 1]).fold(0.0, f64::max)
    }
}

/// Polls containers that write all the time, with the default limits; each answer takes `answer`.
async fn watch_polls(containers: usize, answer: Duration, seconds: u64) -> Seen {
    let (scheduler, limiter) = (Scheduler::new(50, usize::MAX), Limiter::new(Some(QPS), 100));
    let polls = RefCell::new(vec![Vec::new(); containers]);
    let start = Instant::now();
    let seats: Vec<_> = (0..containers).map(|n| scheduler.seat(&pod(&n.to_string(), n))).collect();
    seats.iter().for_each(|seat| seat.announce(Mode::Follow));
    let tail = async |n: usize, seat: &Seat| {
        let mut purpose = Purpose::FirstPoll;
        loop {
            let grant = seat.request(Mode::Follow, Purpose::Open).await;
            if grant.mode == Mode::Follow {
                limiter.acquire(Purpose::Open).await;
                return std::future::pending::<()>().await;
            }
            limiter.acquire(std::mem::replace(&mut purpose, Purpose::Poll)).await;
            polls.borrow_mut()[n].push(start.elapsed().as_secs_f64());
            sleep(answer).await;
            grant.polled(true);
        }
    };
    let mut turns = Vec::new();
    let look = async {
        for _ in 0..seconds {
            sleep(Duration::from_secs(1)).await;
            let turn = scheduler.load().borrow().expected_turn(Some(QPS));
            turns.push(turn.map_or(0, |turn| turn.as_secs()));
        }
    };
    let tails = join_all(seats.iter().enumerate().map(|(n, seat)| tail(n, seat)));
    tokio::select! {
        ((), _) = join(look, tails) => unreachable!("those who follow never end"),
        () = sleep(Duration::from_secs(seconds) + Duration::from_millis(1)) => {}
    }
    Seen { polls: polls.take(), turns }
}

#[tokio::test(start_paused = true)]
async fn the_first_round_of_ten_thousand_takes_all_requests_and_its_estimate_is_right() {
    let seen = watch_polls(10_000, Duration::from_millis(1), 700).await;
    // 9,955: the saved burst covers 55; first at the full rate, later at half of it.
    let first = seen.round(1);
    assert!((197.0..200.0).contains(&first), "{first}");
    let second = seen.round(2) - first;
    assert!((395.0..400.0).contains(&second), "{second}");
    assert!(seen.turns.iter().all(|turn| (390..=420).contains(turn)), "{:?}", seen.turns);
}

#[tokio::test(start_paused = true)]
async fn the_estimate_heeds_answers_that_take_long() {
    let seen = watch_polls(500, Duration::from_millis(600), 200).await;
    // Five at once, each taking 0.6 s.
    let first = seen.round(1);
    assert!((54.0..56.0).contains(&first), "{first}");
    assert!(seen.turns[1..].iter().all(|turn| (50..=75).contains(turn)), "{:?}", seen.turns);
}

/// Seconds to read logs once, each with a request to confirm its end.
async fn read_all(logs: usize, round_trip: Duration, places: LogRequests) -> f64 {
    let (scheduler, limiter) = (Scheduler::new(places.nearby, 100), Limiter::new(Some(QPS), 100));
    let start = Instant::now();
    let read = async |n: usize| {
        let seat = scheduler.seat(&pod("node", n));
        let _grant = seat.request(Mode::Read, Purpose::Open).await;
        for _ in 0..2 {
            limiter.acquire(Purpose::Open).await;
            sleep(round_trip).await;
        }
    };
    // The limit is known once the pods were listed.
    scheduler.resize(places.at(Some(round_trip)));
    join_all((0..logs).map(read)).await;
    start.elapsed().as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn far_away_so_many_logs_are_read_at_once_that_the_limit_on_requests_binds() {
    let places = LogRequests { nearby: 5, most: 50 };
    let requests = (2.0 * 286.0 - 100.0) / QPS;
    for millis in [1, 50, 100, 200, 600] {
        let taken = read_all(286, Duration::from_millis(millis), places).await;
        assert!(taken < requests + 2.0, "{millis} ms: {taken}");
    }
    let taken = read_all(286, Duration::from_millis(600), LogRequests::fixed(5)).await;
    assert!((60.0..80.0).contains(&taken), "{taken}");
}

#[tokio::test(start_paused = true)]
async fn with_fewer_places_than_are_taken_none_is_granted() {
    let scheduler = Scheduler::new(5, 100);
    let mut readers: Vec<_> = (0..6).map(|_| reader(&scheduler, Purpose::Open)).collect();
    scheduler.resize(2);
    readers.remove(0);
    assert_eq!(readers[4].mode(), None);
    readers.drain(..3);
    assert_eq!(readers[1].mode(), Some(Mode::Read));
}
