//! Reports what a run waits for: a first answer, and an apiserver that is away.

use std::{convert::Infallible, time::Duration};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::{cluster::Error, notice::Scope, queue::Sender};

/// How long the apiserver must be away before it is reported.
const SETTLED: Duration = Duration::from_secs(1);

/// How long nothing may happen before it is reported what is waited for.
const PATIENT: Duration = Duration::from_secs(2);

/// Reports what is waited for where nothing has happened for a while.
pub async fn report(mut waits: watch::Receiver<Option<String>>, out: &Sender) -> Infallible {
    loop {
        let Ok(what) = waits.wait_for(Option::is_some).await.map(|what| what.clone()) else {
            return std::future::pending().await;
        };
        if timeout(PATIENT, waits.wait_for(|now| *now != what)).await.is_err() {
            out.notice(Scope::Cluster.info(format!("waiting for {}", what.as_deref().unwrap_or_default())))
                .await;
            let _ = waits.wait_for(|now| *now != what).await;
        }
    }
}

/// Reports once that the apiserver cannot be reached, and once that it can be again.
pub async fn report_outages(mut outage: watch::Receiver<Option<Error>>, out: &Sender) -> Infallible {
    loop {
        if outage.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
        // The next request often can do what one could not.
        sleep(SETTLED).await;
        let Some(error) = outage.borrow_and_update().clone() else { continue };
        out.notice(Scope::Cluster.warning(format!("{error}; trying again"))).await;
        if outage.wait_for(Option::is_none).await.is_ok() {
            out.notice(Scope::Cluster.info("the apiserver answers again")).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cluster,
        event::Event,
        order::{Arrival, Order},
        queue::{self, Queued},
    };

    /// The words for these changes, each some seconds after the one before, and after how many seconds they come.
    async fn told<T, F: Future<Output = Infallible>>(
        tell: impl FnOnce(watch::Receiver<Option<T>>, Sender) -> F,
        changes: impl IntoIterator<Item = (u64, Option<T>)>,
    ) -> Vec<(u64, String)> {
        let (sender, mut receiver) = queue::new(Arrival::CAPACITY);
        let (state, began, mut told) = (watch::Sender::new(None), tokio::time::Instant::now(), Vec::new());
        let story = async {
            for (pause, change) in changes {
                sleep(Duration::from_secs(pause)).await;
                state.send_replace(change);
            }
            sleep(Duration::from_secs(60)).await;
        };
        let listen = async {
            while let Some(Event::Notice(notice)) = receiver.next().await.map(Queued::take) {
                told.push((began.elapsed().as_secs(), notice.text));
            }
        };
        tokio::select! {
            () = story => {}
            () = listen => {}
            never = tell(state.subscribe(), sender) => match never {},
        }
        told
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_reported_after_two_seconds_and_once() {
        let plugin = || Some("the credential plugin \"aws\"".to_owned());
        let server = || Some("https://a to answer".to_owned());
        let tell = async |waits, out: Sender| report(waits, &out).await;
        let waits = [(1, plugin()), (1, None), (1, plugin()), (10, server()), (1, None), (1, server())];
        assert_eq!(
            told(tell, waits).await,
            [
                (5, "waiting for the credential plugin \"aws\"".to_owned()),
                (17, "waiting for https://a to answer".to_owned()),
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_of_more_than_a_moment_is_reported_once_and_so_is_its_end() {
        let away = || Some(cluster::refused(503, "no"));
        let tell = async |outage, out: Sender| report_outages(outage, &out).await;
        let told = told(tell, [(1, away()), (30, away()), (30, None), (5, away()), (0, None)]).await;
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].0 == 2 && told[0].1.ends_with("; trying again"), "{told:?}");
        assert_eq!(told[1], (61, "the apiserver answers again".to_owned()));
    }
}
