//! Reports long waits: for a first answer, and for an unreachable apiserver.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use crate::{cluster::Error, notice::Scope, queue::Sender};

/// How long the apiserver must be unreachable before it is reported.
const SETTLED: Duration = Duration::from_secs(1);

/// How long a wait lasts before it is reported.
const PATIENT: Duration = Duration::from_secs(2);

/// The time in which the same wait is not reported again: many logs may be slow, one after the other.
const AGAIN: Duration = Duration::from_secs(60);

/// Reports long waits.
pub async fn report(mut waits: watch::Receiver<Option<String>>, out: &Sender) -> Infallible {
    let mut reported = BTreeMap::<Option<String>, Instant>::new();
    loop {
        let Ok(what) = waits.wait_for(Option::is_some).await.map(|what| what.clone()) else {
            return std::future::pending().await;
        };
        reported.retain(|_, at| at.elapsed() < AGAIN);
        if timeout(PATIENT, waits.wait_for(|now| *now != what)).await.is_err() {
            if !reported.contains_key(&what) {
                let text = format!("waiting for {}", what.as_deref().unwrap_or_default());
                out.notice(Scope::Cluster.info(text)).await;
                reported.insert(what.clone(), Instant::now());
            }
            let _ = waits.wait_for(|now| *now != what).await;
        }
    }
}

/// Reports each trouble once.
pub async fn report_troubles(mut troubles: watch::Receiver<Option<String>>, out: &Sender) -> Infallible {
    while troubles.changed().await.is_ok() {
        let trouble = troubles.borrow_and_update().clone();
        if let Some(trouble) = trouble {
            out.notice(Scope::Cluster.warning(trouble)).await;
        }
    }
    std::future::pending().await
}

/// Reports once when the apiserver becomes unreachable, and once when it answers again.
pub async fn report_outages(mut outage: watch::Receiver<Option<Error>>, out: &Sender) -> Infallible {
    loop {
        if outage.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
        // The next request often succeeds.
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

    /// The notices for these changes (each with a delay in seconds), and when they appear, in seconds.
    async fn notices<T, F: Future<Output = Infallible>>(
        report: impl FnOnce(watch::Receiver<Option<T>>, Sender) -> F,
        changes: impl IntoIterator<Item = (u64, Option<T>)>,
    ) -> Vec<(u64, String)> {
        let (sender, mut receiver) = queue::new(Arrival::CAPACITY);
        let (state, began, mut reported) = (watch::Sender::new(None), Instant::now(), Vec::new());
        let story = async {
            for (pause, change) in changes {
                sleep(Duration::from_secs(pause)).await;
                state.send_replace(change);
            }
            sleep(Duration::from_secs(60)).await;
        };
        let listen = async {
            while let Some(Event::Notice(notice)) = receiver.next().await.map(Queued::take) {
                reported.push((began.elapsed().as_secs(), notice.text));
            }
        };
        tokio::select! {
            () = story => {}
            () = listen => {}
            never = report(state.subscribe(), sender) => match never {},
        }
        reported
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_reported_after_two_seconds_and_once() {
        let plugin = || Some("the credential plugin \"aws\"".to_owned());
        let server = || Some("https://a to answer".to_owned());
        let report = async |waits, out: Sender| report(waits, &out).await;
        let waits = [(1, plugin()), (1, None), (1, plugin()), (10, server()), (1, None), (1, server())];
        assert_eq!(
            notices(report, waits).await,
            [
                (5, "waiting for the credential plugin \"aws\"".to_owned()),
                (17, "waiting for https://a to answer".to_owned()),
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_of_more_than_a_moment_is_reported_once_and_so_is_its_end() {
        let away = || Some(cluster::refused(503, "no"));
        let report = async |outage, out: Sender| report_outages(outage, &out).await;
        let reported = notices(report, [(1, away()), (30, away()), (30, None), (5, away()), (0, None)]).await;
        assert_eq!(reported.len(), 2, "{reported:?}");
        assert!(reported[0].0 == 2 && reported[0].1.ends_with("; trying again"), "{reported:?}");
        assert_eq!(reported[1], (61, "the apiserver answers again".to_owned()));
    }
}
