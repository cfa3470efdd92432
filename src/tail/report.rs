//! The reports of a tail: its lines, the gaps between them, and the notices about its container.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    batch::{Batch, Ended, Gap, Item},
    cluster::KubeletError,
    merge::Sender,
    notice::Notice,
    origin::Origin,
    stats::Counter,
};

pub struct Report {
    pub origin: Arc<Origin>,
    pub out: Sender,
    pub counter: Counter,
    /// Whether lines may be missing.
    pub incomplete: bool,
    /// The last message of the kubelet in place of a line, so that it is reported once.
    message: String,
    /// The kubelet's message that the log was removed, where that is usual. It is reported if the pod remains.
    removed: Option<String>,
}

impl Report {
    pub fn new(origin: Arc<Origin>, out: Sender, counter: Counter) -> Self {
        Self { origin, out, counter, incomplete: false, message: String::new(), removed: None }
    }

    /// The log was opened. `unseen`: instances before this one were not read.
    pub async fn opened(&mut self, unseen: bool) {
        self.out.notice(Notice::Started(self.origin.clone())).await;
        if unseen {
            self.incomplete = true;
            self.notice("had restarted before it was seen; what it wrote earlier was not read").await;
        }
    }

    pub async fn closed(&self, ended: Ended) {
        self.item(Item::Ended(ended)).await;
    }

    /// Lines may be missing. A log that was never opened has no place for a gap.
    pub async fn gap(&mut self, gap: Gap, opened: bool) {
        self.incomplete = true;
        match opened {
            true => self.item(Item::Gap(gap)).await,
            false => self.notice("gone before its log could be read").await,
        }
    }

    /// A notice about the container.
    pub async fn notice(&self, text: impl Into<String>) {
        self.out.notice(Notice::About(self.origin.clone(), text.into())).await;
    }

    /// A notice about a fault that affects many containers alike.
    pub async fn common(&self, text: String) {
        self.out.notice(Notice::Common(text)).await;
    }

    async fn item(&self, item: Item) {
        let batch = Batch { origin: self.origin.clone(), data: Bytes::new(), items: vec![item], rest: None };
        self.out.batch(batch).await;
    }

    /// Takes a message that came in place of a line. `ends`: the log may be removed soon; `runs`: its container still runs.
    pub async fn message(&mut self, text: &[u8], ends: bool, runs: bool) {
        let text = String::from_utf8_lossy(text);
        let error = KubeletError::of(&text);
        let usual = match error {
            Some(KubeletError::NoContainer) => true,
            Some(KubeletError::NoFile) => !runs,
            _ => false,
        };
        if ends && usual {
            self.removed = Some(text.into_owned());
            return;
        }
        self.incomplete |= error == Some(KubeletError::NoContainer);
        if self.message != text {
            self.message = text.into_owned();
            // It is reported for all containers of the node together.
            if error != Some(KubeletError::NoWatcher) {
                self.notice(self.message.clone()).await;
            }
        }
    }

    /// Whether the node cannot follow another log.
    pub fn cannot_follow(&self) -> bool {
        KubeletError::of(&self.message) == Some(KubeletError::NoWatcher)
    }

    /// Whether the kubelet said that the log was removed, and no line came since.
    pub fn is_removed(&self) -> bool {
        self.removed.is_some()
    }

    /// Lines came: the log is still there.
    pub fn lines_came(&mut self) {
        self.removed = None;
    }

    /// No more of the log will be read. Reports its removal unless that is `usual`, and says whether it was removed.
    pub async fn removal(&mut self, usual: bool) -> bool {
        let Some(message) = self.removed.take() else { return false };
        if !usual && message != self.message {
            self.notice(message).await;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        merge::{self, Event, Receiver},
        stats::Stats,
    };

    const REMOVED: &[u8] = b"unable to retrieve container logs for containerd://1";

    fn report() -> (Report, Receiver) {
        let (out, events) = merge::queue(1 << 20);
        let origin = Arc::<Origin>::default();
        let counter = Stats::default().counter(&origin);
        (Report::new(origin, out, counter), events)
    }

    fn notices(events: &mut Receiver) -> Vec<String> {
        let text = |event| match event {
            Event::Notice(Notice::About(_, text)) => text,
            event => format!("{event:?}"),
        };
        std::iter::from_fn(|| events.ready()).map(text).collect()
    }

    #[tokio::test]
    async fn a_message_is_reported_once_until_another_comes() {
        let (mut report, mut events) = report();
        for text in ["a", "a", "b", "a"] {
            report.message(text.as_bytes(), false, true).await;
        }
        assert_eq!(notices(&mut events), ["a", "b", "a"]);
        assert!(!report.incomplete);
    }

    #[tokio::test]
    async fn a_node_that_cannot_follow_is_not_reported_by_a_tail() {
        let (mut report, mut events) = report();
        report.message(b"failed to create fsnotify watcher: too many open files", false, true).await;
        assert!(report.cannot_follow() && notices(&mut events).is_empty());
    }

    #[tokio::test]
    async fn a_usual_removal_is_kept_until_the_end() {
        for usual in [true, false] {
            let (mut report, mut events) = report();
            report.message(REMOVED, true, false).await;
            assert!(report.is_removed() && notices(&mut events).is_empty() && !report.incomplete);
            assert!(report.removal(usual).await && !report.is_removed());
            assert_eq!(notices(&mut events).len(), usize::from(!usual));
        }
    }

    #[tokio::test]
    async fn a_removal_before_the_end_is_reported_at_once() {
        let (mut report, mut events) = report();
        report.message(REMOVED, false, true).await;
        assert!(report.incomplete && !report.is_removed());
        assert_eq!(notices(&mut events).len(), 1);
    }

    #[tokio::test]
    async fn a_missing_file_is_usual_once_the_container_has_ended() {
        for runs in [true, false] {
            let (mut report, _events) = report();
            report.message(b"open /0.log: no such file or directory", true, runs).await;
            assert_eq!(report.is_removed(), !runs);
        }
    }
}
