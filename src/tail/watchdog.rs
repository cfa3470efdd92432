//! Compares a stream that is silent with its log.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{sleep, sleep_until},
};

use super::{
    check::{Checker, Look},
    idle::Idle,
    logs::Logs,
};
use crate::{instance::Life, lines::Position, queue::Outlet};

/// The longest time after the answer to a check in which a stream may deliver the same line.
const GRACE: Duration = Duration::from_secs(1);

/// Checks a stream that is silent.
pub struct Watchdog<'a, L> {
    pub idle: &'a mut Idle,
    pub checker: Checker<'a, L>,
}

/// Waits until a stream is known to have missed a line, or there is no room to check.
pub async fn silence<L: Logs>(
    watchdog: Option<&mut Watchdog<'_, L>>,
    position: &Position,
    outlet: &Outlet,
    life: watch::Receiver<Life>,
) {
    let Some(Watchdog { idle, checker }) = watchdog else { return std::future::pending().await };
    let mut deleting = std::pin::pin!(deleting(life));
    loop {
        tokio::select! {
            biased;
            () = sleep_until(idle.due()) => {}
            () = &mut deleting, if idle.may_hurry() => {
                idle.hurry();
                continue;
            }
        }
        match checker.look(position).await {
            Look::Fine(reached) => {
                idle.checked();
                if let Some(instant) = reached {
                    outlet.reached(instant).await;
                }
            }
            Look::Empty(at) => idle.found_empty(at),
            Look::Failed => idle.failed(),
            Look::Missed => {
                // If that proves wrong, the next check comes later.
                idle.checked();
                return sleep(GRACE).await;
            }
            // Opening the log again shows missing lines too.
            Look::NoRoom => return idle.checked(),
        }
    }
}

/// Waits until the pod is being deleted: soon there will be no log to compare with.
async fn deleting(mut life: watch::Receiver<Life>) {
    if life.wait_for(|life| *life == Life::Terminating).await.is_err() {
        // The pod is not watched.
        std::future::pending::<()>().await;
    }
}
