//! The reports of a tail: its lines, the gaps between them, and the notices about its container.

use bytes::Bytes;

use crate::{
    cluster::KubeletError,
    event::{Batch, Gap, Item, Restart},
    queue::Outlet,
    shown,
    stats::Counter,
};

pub struct Report {
    pub outlet: Outlet,
    pub counter: Counter,
    /// Whether lines may be missing.
    pub incomplete: bool,
    /// Whether it was reported that instances before this one were not read.
    pub says_unseen: bool,
    /// The gap between two lines that was reported last.
    gap: Option<Gap>,
    /// The kubelet's last words in place of a line, so that they are reported once.
    words: String,
    /// Whether they were that the node cannot follow another log.
    polled: bool,
    /// Whether such words ended the answer that was read last, so that the rest of the log was not read.
    broken_off: bool,
    /// Whether words ended it of which nothing is said: they were reported before, or are usual.
    unsaid: bool,
    /// Whether a cut line was reported.
    cut: bool,
    /// Whether lines without timestamps were reported.
    untimed: bool,
    /// The kubelet's message that the log was removed, if that is usual and no answer came since. It is reported if the
    /// pod remains.
    removed: Option<String>,
}

impl Report {
    pub fn new(outlet: Outlet, counter: Counter) -> Self {
        Self {
            outlet,
            counter,
            incomplete: false,
            says_unseen: false,
            gap: None,
            words: String::new(),
            polled: false,
            broken_off: false,
            unsaid: false,
            cut: false,
            untimed: false,
            removed: None,
        }
    }

    /// The log was opened: that of another instance, if there was a restart. `unseen`: instances before this one were
    /// not read.
    pub async fn opened(&mut self, restart: Option<Restart>, unseen: bool) {
        self.outlet.opened(restart).await;
        if unseen {
            self.unseen().await;
        }
    }

    /// Instances before this one were not read.
    pub async fn unseen(&mut self) {
        (self.incomplete, self.says_unseen) = (true, true);
        let text = "had restarted before it was seen; what it wrote earlier was not read";
        self.outlet.warning(text).await;
    }

    /// Lines may be missing. A log that was never opened has no place for a gap.
    pub async fn gap(&mut self, gap: Gap, opened: bool) {
        self.incomplete = true;
        if !opened {
            return self.outlet.warning("the log was removed before it could be read").await;
        }
        let (origin, items) = (self.outlet.origin().clone(), vec![Item::Gap(gap)]);
        self.outlet.batch(Batch { origin, data: Bytes::new(), items, rest: None }).await;
    }

    /// Another answer is about to be read: the log is there.
    pub fn answer_begins(&mut self) {
        (self.broken_off, self.unsaid) = (false, false);
        self.removed = None;
    }

    /// Takes words of the kubelet in place of a line. `ends`: the log may be removed soon; `runs`: its container still
    /// runs.
    pub async fn message(&mut self, text: &[u8], ends: bool, runs: bool) {
        let text = String::from_utf8_lossy(text);
        let error = KubeletError::of(&text);
        let words = shown::quoted(&text);
        let usual = match error {
            Some(KubeletError::NoContainer) => true,
            Some(KubeletError::NoFile) => !runs,
            _ => false,
        };
        if ends && usual {
            self.removed = Some(words);
            self.unsaid = true;
            return;
        }
        // It is polled from now on, and reported together with the others of its node.
        self.polled = error == Some(KubeletError::NoWatcher);
        self.broken_off |= !self.polled;
        self.unsaid |= !self.polled && self.words == words;
        if self.words != words {
            if !self.polled {
                self.outlet.warning(reported(&words)).await;
            }
            self.words = words;
        }
    }

    /// The log begins later than was asked for.
    pub async fn begins(&mut self, late: Option<String>) {
        if let Some(late) = late {
            self.outlet.warning(late).await;
        }
    }

    /// Whether this gap was reported last: a line at which the range ends is found again by every request.
    pub fn is_reported(&self, gap: Gap) -> bool {
        self.gap == Some(gap) && gap.bounds().iter().all(Option::is_some)
    }

    pub fn reported(&mut self, gap: Option<Gap>) {
        self.gap = gap.or(self.gap);
    }

    /// A line has no timestamp.
    pub async fn untimed(&mut self) {
        if !std::mem::replace(&mut self.untimed, true) {
            let text = "a kubelet sends lines without timestamps: after a break their logs can be resumed only by their content";
            self.outlet.common(text).await;
        }
    }

    /// A line is cut since its rest could not be stored.
    pub async fn cut(&mut self, loss: String) {
        if !std::mem::replace(&mut self.cut, true) {
            self.outlet.warning(loss).await;
        }
        self.incomplete = true;
    }

    /// Whether the last answer did not give all of the log: the kubelet reported an error in place of lines.
    pub fn is_broken_off(&self) -> bool {
        self.broken_off
    }

    /// Whether such words came of which nothing was said.
    pub fn is_unsaid(&self) -> bool {
        self.unsaid
    }

    /// Whether the node cannot follow another log.
    pub fn cannot_follow(&self) -> bool {
        self.polled
    }

    /// Whether the kubelet reported that the log was removed, and no line arrived since.
    pub fn is_removed(&self) -> bool {
        self.removed.is_some()
    }

    /// Lines arrived: the log is still there.
    pub fn lines_came(&mut self) {
        self.removed = None;
    }

    /// No more of the log will be read. Reports its removal unless that is `usual`, and returns whether it was removed.
    pub async fn removal(&mut self, usual: bool) -> bool {
        let Some(words) = self.removed.take() else { return false };
        if !usual && words != self.words {
            self.outlet.warning(reported(&words)).await;
        }
        true
    }
}

fn reported(words: &str) -> String {
    format!("the kubelet reports in place of lines: {words}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        event::Event,
        order::{Arrival, Order},
        origin::Origin,
        queue::{self, Receiver},
        stats::Stats,
    };

    const REMOVED: &[u8] = b"unable to retrieve container logs for containerd://1";

    fn report() -> (Report, Receiver) {
        let (out, events) = queue::new(Arrival::CAPACITY);
        let origin = Arc::<Origin>::default();
        let counter = Stats::default().counter(&origin);
        (Report::new(out.outlet(origin), counter), events)
    }

    fn notices(events: &mut Receiver) -> Vec<String> {
        let text = |event| match event {
            Event::Notice(notice) => notice.text,
            event => format!("{event:?}"),
        };
        std::iter::from_fn(|| events.ready()).map(|queued| text(queued.take())).collect()
    }

    #[tokio::test]
    async fn a_message_is_reported_once_until_another_comes() {
        let (mut report, mut events) = report();
        for text in ["a", "a", "b", "a"] {
            report.message(text.as_bytes(), false, true).await;
        }
        let reported = |text| format!("the kubelet reports in place of lines: “{text}”");
        assert_eq!(notices(&mut events), ["a", "b", "a"].map(reported));
    }

    #[tokio::test]
    async fn a_message_breaks_one_answer_off() {
        let (mut report, _events) = report();
        report.message(b"rpc error: code = Unavailable desc = EOF", false, true).await;
        assert!(report.is_broken_off() && !report.incomplete);
        report.answer_begins();
        assert!(!report.is_broken_off());
    }

    #[tokio::test]
    async fn words_that_were_reported_before_or_are_usual_are_unsaid() {
        let (mut report, _events) = report();
        for unsaid in [false, true] {
            report.answer_begins();
            report.message(b"rpc error: code = Unavailable desc = EOF", false, true).await;
            assert_eq!(report.is_unsaid(), unsaid);
        }
        report.answer_begins();
        assert!(!report.is_unsaid());
        report.message(REMOVED, true, true).await;
        assert!(report.is_unsaid());
    }

    #[tokio::test]
    async fn a_node_that_cannot_follow_is_not_reported_by_a_tail() {
        let (mut report, mut events) = report();
        report.message(b"failed to create fsnotify watcher: too many open files", false, true).await;
        assert!(report.cannot_follow() && notices(&mut events).is_empty() && !report.is_broken_off());
    }

    #[tokio::test]
    async fn a_usual_removal_is_kept_until_the_end() {
        for usual in [true, false] {
            let (mut report, mut events) = report();
            report.message(REMOVED, true, false).await;
            assert!(report.is_removed() && notices(&mut events).is_empty() && !report.is_broken_off());
            assert!(report.removal(usual).await && !report.is_removed());
            assert_eq!(notices(&mut events).len(), usize::from(!usual));
        }
    }

    #[tokio::test]
    async fn a_removal_before_the_end_is_reported_at_once() {
        let (mut report, mut events) = report();
        report.message(REMOVED, false, true).await;
        assert!(report.is_broken_off() && !report.is_removed());
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
