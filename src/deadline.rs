//! `--timeout`: the time after which a run ends in order, and the wait for an output that takes nothing.

use std::{cell::Cell, future::pending, time::Duration};

use tokio::{
    sync::{oneshot, watch},
    time::{Instant, sleep, sleep_until},
};

/// How long an output may take nothing once the time is over.
const PATIENCE: Duration = Duration::from_secs(2);

pub struct Deadline {
    limit: Option<Duration>,
    over: watch::Sender<bool>,
    /// When the output took something last.
    moved: Cell<Instant>,
}

/// The time runs once this is dropped: it does not while a user is asked.
pub struct Held {
    _until_dropped: oneshot::Sender<()>,
}

impl Deadline {
    /// Without a limit it never comes.
    pub fn new(limit: Option<Duration>) -> Deadline {
        Deadline { limit, over: watch::Sender::new(false), moved: Cell::new(Instant::now()) }
    }

    /// The second part is the way of the time. It ends when the output has taken nothing for too long after the limit.
    pub fn hold(&self) -> (Held, impl Future<Output = ()>) {
        let (held, begun) = oneshot::channel();
        let held = Held { _until_dropped: held };
        let stuck = async {
            let _ = begun.await;
            match self.limit {
                Some(limit) => sleep(limit).await,
                None => pending().await,
            }
            self.moved.set(Instant::now());
            self.over.send_replace(true);
            self.stuck().await;
        };
        (held, stuck)
    }

    pub fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    /// Waits until the time is over.
    pub async fn over(&self) {
        // This is its sender.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    /// The output took something.
    pub fn moved(&self, now: Instant) {
        self.moved.set(now);
    }

    /// Waits until the output has taken nothing for too long.
    async fn stuck(&self) {
        loop {
            let due = self.moved.get() + PATIENCE;
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn the_time_runs_once_the_user_was_asked() {
        let (deadline, began) = (Deadline::new(Some(LIMIT)), Instant::now());
        let (held, stuck) = deadline.hold();
        let ask = async {
            sleep(LIMIT * 5).await;
            drop(held);
            deadline.over().await;
            began.elapsed()
        };
        tokio::select! {
            () = stuck => panic!("it was not over yet"),
            time = ask => assert_eq!(time, LIMIT * 6),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_output_that_goes_on_is_waited_for() {
        let (deadline, began) = (Deadline::new(Some(LIMIT)), Instant::now());
        let (held, stuck) = deadline.hold();
        drop(held);
        let show = async {
            while began.elapsed() < LIMIT + PATIENCE * 5 {
                sleep(PATIENCE / 2).await;
                deadline.moved(Instant::now());
            }
            pending::<()>().await;
        };
        tokio::select! {
            () = stuck => assert_eq!(began.elapsed(), LIMIT + PATIENCE * 6),
            () = show => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_it_never_comes() {
        let deadline = Deadline::new(None);
        let (held, stuck) = deadline.hold();
        drop(held);
        assert!(tokio::time::timeout(LIMIT * 10_000, stuck).await.is_err());
    }
}
