//! Few places for many containers.

use super::*;
use crate::schedule::state::{ANSWER, LENT};

/// Runs all tails for some seconds, each poll taking no time: for each, the tenths of a second followed and the
/// polls.
async fn fare(tails: &mut [Tail], seconds: u32, active: &[usize]) -> Vec<(usize, usize)> {
    let mut fared = vec![(0, 0); tails.len()];
    for _ in 0..seconds * 10 {
        let polls = poll_for(tails, Duration::from_millis(100), active).await;
        for (n, (tail, polls)) in tails.iter_mut().zip(polls).enumerate() {
            fared[n] = (fared[n].0 + usize::from(tail.follows()), fared[n].1 + polls);
        }
    }
    fared
}

#[tokio::test(start_paused = true)]
async fn with_few_places_the_newest_are_followed_and_none_starves() {
    for places in 1..=3 {
        for count in 2..=5 {
            let scheduler = Scheduler::new(places, 100);
            let mut tails = tails(&scheduler, count);
            fare(&mut tails, 20, &[]).await;
            let all: Vec<_> = (0..count).collect();
            let fared = fare(&mut tails, 60, &all).await;
            let followed = if count <= places { count } else { (places - 1).max(1) };
            let (others, newest) = fared.split_at(count - followed);
            // The only place is lent for no longer than the polls take.
            assert!(newest.iter().all(|&(tenths, _)| tenths >= 540), "{places}, {count}: {fared:?}");
            assert!(others.iter().all(|&(_, polls)| polls >= 40), "{places}, {count}: {fared:?}");
            let load = scheduler.load().borrow().clone();
            assert_eq!((load.following, load.polled), (followed, count - followed));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_only_place_is_followed_in_for_half_of_the_time_however_many_are_polled() {
    let scheduler = Scheduler::new(1, 100);
    let mut tails = tails(&scheduler, 500);
    let mut polled = vec![false; 500];
    let mut followed = 0;
    for _ in 0..3000 {
        // A poll takes a tenth of a second.
        let poll = tails.iter_mut().position(|tail| tail.poll(true));
        poll.into_iter().for_each(|n| polled[n] = true);
        advance(Duration::from_millis(100)).await;
        tails.iter_mut().for_each(|tail| {
            tail.mode();
        });
        followed += usize::from(tails[499].follows());
    }
    assert!((1300..1700).contains(&followed), "{followed}");
    assert!(polled[..499].iter().all(|&polled| polled), "{:?}", polled.iter().position(|&polled| !polled));
}

#[tokio::test(start_paused = true)]
async fn the_only_place_is_lent_to_a_log_that_will_be_gone() {
    let scheduler = Scheduler::new(1, 100);
    let mut tails = tails(&scheduler, 1);
    assert!(tails[0].follows());
    let mut ending = reader(&scheduler, Purpose::Ending);
    assert_eq!((tails[0].mode(), ending.mode()), (None, Some(Mode::Read)));
    drop(ending);
    assert!(tails[0].follows());
    let mut open = reader(&scheduler, Purpose::Open);
    assert_eq!((tails[0].mode(), open.mode()), (Some(Mode::Follow), None));
    advance(LENT).await;
    assert_eq!((open.mode(), tails[0].mode()), (None, None));
    assert_eq!(open.mode(), Some(Mode::Read));
}

/// The only place is lent after its time, and given back.
async fn lends(follower: &mut Tail, mut open: Tail) {
    advance(LENT).await;
    assert_eq!((open.mode(), follower.mode()), (None, None));
    assert_eq!(open.mode(), Some(Mode::Read));
    drop(open);
    assert!(follower.follows());
}

#[tokio::test(start_paused = true)]
async fn the_only_place_is_kept_until_its_log_was_answered_and_read() {
    let scheduler = Scheduler::new(1, 100);
    let mut follower = Tail { is_answered: false, ..idle(&scheduler, "node", 1) };
    follower.ask(Mode::Follow, Purpose::Open);
    let mut open = reader(&scheduler, Purpose::Open);
    advance(ANSWER / 2).await;
    assert_eq!((open.mode(), follower.mode()), (None, Some(Mode::Follow)));
    follower.grant.as_ref().unwrap().answered();
    lends(&mut follower, open).await;
    let mut open = reader(&scheduler, Purpose::Open);
    advance(ANSWER + LENT).await;
    assert_eq!((open.mode(), follower.mode()), (None, None), "no answer ever begins");
}

#[tokio::test(start_paused = true)]
async fn the_only_place_is_kept_until_a_question_about_its_log_was_answered() {
    let scheduler = Scheduler::new(1, 100);
    let mut follower = tail(&scheduler, "node", 1);
    let mut open = reader(&scheduler, Purpose::Open);
    let asks = |follower: &Tail| {
        let reply = std::future::pending::<()>();
        assert_eq!(follower.grant.as_ref().unwrap().asking(reply).now_or_never(), None);
    };
    asks(&follower);
    advance(ANSWER / 2).await;
    assert_eq!((open.mode(), follower.mode()), (None, Some(Mode::Follow)));
    assert_eq!(follower.grant.as_ref().unwrap().asking(async {}).now_or_never(), Some(()));
    lends(&mut follower, open).await;
    let mut open = reader(&scheduler, Purpose::Open);
    asks(&follower);
    advance(ANSWER + LENT).await;
    assert_eq!((open.mode(), follower.mode()), (None, None), "no answer comes");
}

#[tokio::test(start_paused = true)]
async fn a_newer_container_takes_the_only_place() {
    let scheduler = Scheduler::new(1, 100);
    let mut tails = tails(&scheduler, 2);
    fare(&mut tails, 5, &[0]).await;
    tails.push(tail(&scheduler, "node", 9));
    fare(&mut tails, 2, &[0]).await;
    let [(0, _), (0, _), (90.., 0)] = fare(&mut tails, 10, &[0]).await[..] else { panic!("not the newest") };
    tails.pop();
    let [(0, _), (90.., 0)] = fare(&mut tails, 10, &[0]).await[..] else { panic!("not the newest left") };
}
