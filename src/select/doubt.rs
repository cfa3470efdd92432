//! Asks whether pods are gone that the watch or the list of a selection has no more.
//!
//! The apiserver reports a pod that leaves a selection by labels or fields as if it were deleted, and lists lack both.

use std::{future::pending, rc::Rc, time::Duration};

use futures::{FutureExt, StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};

use super::pod::Pod;
use crate::cluster::Error;

/// Most pods in doubt at a time. Others count as deleted, so that a change of thousands costs no more requests.
const MOST: usize = 100;

/// Most of them that are asked for at once.
const AT_ONCE: usize = 4;

/// A pod counts as deleted if nothing is known of it after this time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Pause between two questions for the same pod.
const AGAIN: Duration = Duration::from_secs(2);

/// The identity of a pod, and the pod that has its name now.
pub type Answer = (String, Result<Option<Pod>, Error>);

/// Questions whose answers are awaited.
pub struct Doubts {
    /// Whether pods may be asked for.
    asks: bool,
    asked: FuturesUnordered<LocalBoxFuture<'static, Answer>>,
    turns: Rc<Semaphore>,
}

impl Doubts {
    pub fn new(asks: bool) -> Doubts {
        Doubts { asks, asked: FuturesUnordered::new(), turns: Rc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The number of pods that may be asked for now.
    pub fn room(&self) -> usize {
        if self.asks { MOST.saturating_sub(self.asked.len()) } else { 0 }
    }

    /// Asks for a pod, again and again while a retry may help.
    pub fn ask(
        &mut self,
        identity: String,
        question: impl AsyncFn() -> Result<Option<Pod>, Error> + 'static,
    ) {
        let turns = self.turns.clone();
        let asking = async move {
            let _turn = turns.acquire().await;
            loop {
                match question().await {
                    Err(error) if error.is_retryable() => sleep(AGAIN).await,
                    answer => return answer,
                }
            }
        };
        let bounded = async move { (identity, timeout(PATIENCE, asking).await.unwrap_or(Ok(None))) };
        self.asked.push(bounded.boxed_local());
    }

    /// The next answer, if ever one comes.
    pub async fn answer(&mut self) -> Answer {
        match self.asked.next().await {
            Some(answer) => answer,
            None => pending().await,
        }
    }

    /// Pods may not be read by name: the others would be refused too.
    pub fn refused(&mut self) {
        self.asks = false;
        self.asked.clear();
    }
}

impl Default for Doubts {
    /// Asks nothing.
    fn default() -> Self {
        Self::new(false)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;
    use crate::cluster::{broken, refused};

    #[tokio::test(start_paused = true)]
    async fn pods_are_asked_for_a_few_at_a_time_and_not_without_end() {
        let (mut doubts, open) = (Doubts::new(true), Rc::new(Cell::new(0)));
        while doubts.room() > 0 {
            let open = open.clone();
            doubts.ask(String::new(), async move || {
                open.set(open.get() + 1);
                assert!(open.get() <= AT_ONCE);
                sleep(Duration::from_millis(10)).await;
                open.set(open.get() - 1);
                Ok(None)
            });
        }
        assert_eq!(doubts.asked.len(), MOST);
        while !doubts.asked.is_empty() {
            assert!(doubts.answer().await.1.is_ok());
        }
        assert_eq!((doubts.room(), Doubts::default().room()), (MOST, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_that_fails_is_asked_again_for_a_while() {
        let (mut doubts, began) = (Doubts::new(true), Instant::now());
        let failures = Cell::new(0);
        doubts.ask("web".to_owned(), async move || {
            failures.set(failures.get() + 1);
            if failures.get() < 3 { Err(broken()) } else { Ok(Some(Pod::default())) }
        });
        assert!(matches!(doubts.answer().await, (identity, Ok(Some(_))) if identity == "web"));
        assert_eq!(began.elapsed(), 2 * AGAIN);
        doubts.ask(String::new(), async || Err(broken()));
        doubts.ask(String::new(), async || pending().await);
        assert!(matches!((doubts.answer().await, doubts.answer().await), ((_, Ok(None)), (_, Ok(None)))));
        assert_eq!(began.elapsed(), 2 * AGAIN + PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_asked_behind_a_refusal() {
        let mut doubts = Doubts::new(true);
        for _ in 0..MOST {
            doubts.ask(String::new(), async || Err(refused(403, "no")));
        }
        assert!(doubts.answer().await.1.is_err_and(|error| error.is_forbidden()));
        doubts.refused();
        assert_eq!((doubts.room(), doubts.asked.len()), (0, 0));
    }
}
