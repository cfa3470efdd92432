//! Progress of following: what was reported of it, and the pauses between attempts.

use std::{collections::BTreeSet, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::sleep;

use super::{
    super::{doubt::Doubts, failure::FailureReport, track::Tracker},
    Update,
};
use crate::{cluster::Error, notice::Scope as About};

/// The longest pause between attempts; jitter can double it.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Most pods and containers that are reported as unreadable.
const MOST_UNREADABLE: usize = 100;

/// Whether the error is about the watch itself. A server that is overloaded, or about to restart, is not asked for more.
pub(super) fn refuses_watches(error: &Error) -> bool {
    let for_now = error.status().is_some_and(|status| matches!(status.as_u16(), 429 | 503));
    !error.is_outage() && !error.is_common() && !for_now
}

/// The pauses between attempts, which grow.
#[derive(Default)]
pub(super) struct Pauses(Option<ExponentialBackoff>);

impl Pauses {
    pub(super) async fn pause(&mut self) {
        let pauses = self.0.get_or_insert_with(|| {
            ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(800))
                .with_max_delay(LONGEST_PAUSE)
                .without_max_times()
                .with_jitter()
                .build()
        });
        sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
    }
}

/// Progress of following, and the problems reported.
#[derive(Default)]
pub(super) struct Progress {
    synced: bool,
    polling_reported: bool,
    failure: FailureReport,
    /// Whether the pods are listed since each watch is refused.
    relisting: bool,
    /// The reports of pods and containers that are unreadable.
    unreadable: BTreeSet<String>,
    /// Pods that may be gone.
    pub(super) doubts: Doubts,
}

impl Progress {
    pub(super) fn new(doubts: Doubts) -> Progress {
        Progress { doubts, ..Progress::default() }
    }

    /// Reports once that the pods are listed so often, since they may not be watched.
    pub(super) async fn polls(&mut self, error: &Error, every: Duration, report: &impl AsyncFn(Update)) {
        self.relisting = false;
        if !std::mem::replace(&mut self.polling_reported, true) {
            let text = format!("{error}; asking every {} s instead", every.as_secs());
            report(Update::Notice(About::Cluster.warning(text))).await;
        }
    }

    pub(super) async fn synced(&mut self, tracker: &Tracker<'_>, report: &impl AsyncFn(Update)) {
        // A list that works is no watch that does.
        if !self.relisting {
            self.works(report).await;
        }
        if !self.synced {
            self.synced = true;
            report(Update::Synced { containers: tracker.containers() }).await;
        }
    }

    pub(super) async fn works(&mut self, report: &impl AsyncFn(Update)) {
        self.relisting = false;
        let again = if self.synced { "the pods are watched again" } else { "the apiserver answers" };
        if let Some(text) = self.failure.works(again) {
            report(Update::Notice(About::Cluster.info(text))).await;
        }
    }

    /// A failed list: an error unless a list worked before, or a retry may work, as if the version was too old.
    pub(super) async fn failed(&mut self, error: Error, report: &impl AsyncFn(Update)) -> Result<(), Error> {
        if !self.synced && !error.is_retryable() && !error.is_gone() {
            return Err(error);
        }
        self.interrupted(error, report).await;
        Ok(())
    }

    pub(super) async fn interrupted(&mut self, error: Error, report: &impl AsyncFn(Update)) {
        if let Some(notice) = self.failure.failed(&error) {
            report(Update::Notice(notice)).await;
        }
    }

    /// Reports once what cannot be read.
    pub(super) async fn unreadable(&mut self, text: String, report: &impl AsyncFn(Update)) {
        if self.is_new(&text) {
            report(Update::LeftOut(About::Cluster.warning(text))).await;
        }
    }

    /// Reports once that the pods are listed until a watch works again.
    pub(super) async fn relists(&mut self, error: &Error, report: &impl AsyncFn(Update)) {
        if !std::mem::replace(&mut self.relisting, true) {
            let text = format!("{error}; listing the pods again");
            report(Update::Notice(About::Cluster.warning(text))).await;
        }
    }

    /// Reports once why the pods are listed in place of a watch: none is left out.
    pub(super) async fn listed_again(&mut self, text: String, report: &impl AsyncFn(Update)) {
        if self.is_new(&text) {
            report(Update::Notice(About::Cluster.warning(text))).await;
        }
    }

    fn is_new(&mut self, text: &str) -> bool {
        self.unreadable.len() < MOST_UNREADABLE && self.unreadable.insert(text.to_owned())
    }
}
