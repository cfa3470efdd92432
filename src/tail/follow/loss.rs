//! Reports what is lost of a log for good, once it comes to its end.

use tokio::time::timeout;

use super::{Tail, instance::ANSWER};
use crate::{
    event::{Gap, Instant, Reason, Restart},
    instance::Life,
    notice::Scope,
    purpose::Purpose,
    schedule::Mode,
    tail::{
        logs::Logs,
        reach::Reach,
        whereabouts::{Log, Whereabouts},
    },
};

impl<L: Logs> Tail<L> {
    /// Reports that there are no lines of an instance that had ended before it was seen. Its log may be gone since
    /// long, so nothing counts as missing; unless lines of it came, and were gone when they were requested again.
    pub(super) async fn report_absence(&mut self, reason: &Reason) -> bool {
        let removed = self.report.removal(true).await;
        let is_gone = matches!(reason, Reason::Terminated(_) | Reason::Finished);
        let is_lost = self.whereabouts == Whereabouts::Lost;
        let is_unread = !self.was_opened() && *reason == Reason::Deleted;
        self.absent = is_unread || is_gone && (removed || is_lost || !self.was_opened());
        let is_in_vain = self.found_own && !self.progress.reach.has_ended();
        let is_over = !matches!(reason, Reason::Failed | Reason::Dropped);
        // Of a new container the next tail reports it.
        if is_in_vain && is_over && !(self.absent && self.fresh) {
            self.report.gap(Gap::Unchecked(None), self.was_opened()).await;
            return false;
        }
        if self.absent && is_gone && !self.fresh {
            let text = "the log of the previous instance is not there any more; the current one follows";
            self.context.out.notice(Scope::of(&self.instance.origin).info(text)).await;
        }
        *reason != Reason::Failed && !self.report.is_broken_off() && !self.report.incomplete
    }

    /// Reports the lines that are lost for good, if there are any.
    pub(super) async fn report_loss(&mut self, reason: &Reason) {
        // The pod may be gone by now, whatever ended the log.
        let is_gone = *self.life.borrow() == Life::Deleted;
        let usual = matches!(reason, Reason::Deleted | Reason::Dropped) || is_gone || self.is_deleting();
        let removed = self.report.removal(usual).await;
        let is_out_of_reach = match reason {
            Reason::Terminated(_) => removed || self.log().is_err(),
            // It was given up.
            Reason::Failed => true,
            Reason::Finished | Reason::Deleted | Reason::Dropped => false,
        };
        if is_out_of_reach {
            self.leave_to_later();
            self.ask_node().await;
        }
        let gap = self.gap_at_end(reason, removed);
        if removed || self.report.is_broken_off() || self.has_own_unseen_lines() {
            // A line that only the next instance can have written is not among what is reported of this one.
            let unseen = self.unseen().filter(|unseen| self.may_be_own(*unseen));
            self.progress.early.passed(unseen);
        }
        if let Some(since) = self.progress.handed_over_from().filter(|_| self.is_next_unreported()) {
            // Perhaps no other tail will report the restart.
            let restart = Restart { lines_since: Some(since), ..Restart::default() };
            self.report.opened(Some(restart), false).await;
        }
        if let Some(gap) = gap {
            self.report_gap(gap).await;
        }
        if let Some(gap) = self.gap_behind_early().filter(|_| is_gone) {
            self.report.gap(gap, true).await;
        }
        if *reason == Reason::Dropped && !self.was_opened() {
            self.report_early().await;
        }
    }

    /// Two restarts left nothing with which the end of its stream could be compared. The stream may have lost its file,
    /// and a kubelet that goes away ends it as if it were complete: whether it is there, a request shows.
    async fn ask_node(&mut self) {
        let is_open = self.progress.reach == Reach::Ended && self.progress.heard.is_some();
        if self.plan().confirm && is_open && self.grant.is_some() && self.is_replaced_twice() {
            // A failure is noted for the node.
            let current = self.last_line(Log::Current(Mode::Read), Purpose::Confirm);
            drop(timeout(ANSWER, current).await);
        }
    }

    /// The log will not be opened, and an earlier tail showed its first lines: reports the restart before them, since
    /// perhaps no other tail will. The rest of it is not read.
    async fn report_early(&mut self) {
        if let Some(restart) = self.restart.take_if(|restart| restart.lines_since.is_some()) {
            self.progress.reach = Reach::Open;
            self.progress.early.restart_is_reported();
            self.report.opened(Some(restart), false).await;
        }
    }

    /// The lines behind those that were shown, if some may be missing.
    fn gap_at_end(&mut self, reason: &Reason, removed: bool) -> Option<Gap> {
        // The lines that an earlier tail showed too early are this instance's, if it has no others.
        let early = self.lost_behind_early().flatten();
        let early = early.or(self.progress.shown_to());
        let (reach, latest) = (self.progress.reach, self.progress.latest().max(early));
        let unchecked = Gap::Unchecked(self.progress.position.latest_read().max(early));
        let unread = !reach.is_opened() || !reach.has_ended() || self.is_end_in_doubt();
        let is_other_seen = self.has_unseen_lines();
        let is_begun = self.has_begun_unread();
        let is_next_unread = self.found_own && self.missing;
        match reason {
            // Another instance wrote lines, and no status reported it: it is its end that was not checked.
            Reason::Deleted | Reason::Finished if self.is_last_unknown() => {
                let next = self.progress.handed_over_to().filter(|_| !unread && !reach.is_short());
                Some(next.map_or(unchecked, |next| Gap::Unchecked(Some(next))))
            }
            Reason::Deleted => (unread || is_other_seen || is_begun || is_next_unread).then_some(unchecked),
            Reason::Terminated(_) if unread && removed => Some(unchecked),
            // Words in place of its rest were reported before, or are usual.
            Reason::Terminated(_) if unread && self.report.is_unsaid() => Some(Gap::Behind(latest)),
            // Another instance's log is in its place.
            Reason::Terminated(_)
                if unread && (self.log().is_err() || self.whereabouts == Whereabouts::Lost) =>
            {
                Some(unchecked)
            }
            Reason::Terminated(_) | Reason::Finished if reach.is_short() => Some(Gap::Behind(latest)),
            // A line was seen that is neither in this log nor in one that was shown since.
            Reason::Terminated(_) | Reason::Finished
                if is_other_seen
                    && !self.progress.has_lines()
                    && (self.fresh || self.has_seen_a_line_unwatched())
                    || self.has_own_unseen_lines()
                    || is_begun =>
            {
                Some(unchecked)
            }
            Reason::Terminated(_) | Reason::Finished => self.lost_behind_early().map(Gap::Behind),
            Reason::Dropped | Reason::Failed => None,
        }
    }

    /// The lines of a later instance behind those that were shown before this one's own, if their end was not seen: of
    /// a pod that is gone, no other tail will read that instance.
    fn gap_behind_early(&self) -> Option<Gap> {
        let early = &self.progress.early;
        let last = early.last_foreign().filter(|_| self.progress.has_lines() && !early.has_ended())?;
        (Some(last.time()) > self.progress.latest()).then_some(Gap::Unchecked(Some(last.time())))
    }

    /// The instant of a line of a later instance that was seen, and is not shown yet.
    fn unseen(&self) -> Option<Instant> {
        let unseen = self.progress.early.unseen().map(|unseen| unseen.time);
        unseen.filter(|unseen| Some(*unseen) > self.progress.latest())
    }

    /// The same, if the next one's tail will not show it.
    fn has_unseen_lines(&self) -> bool {
        self.unseen().is_some_and(|unseen| self.is_before_next(unseen))
    }

    /// Whether an answer ended within the first line of this instance, and no later one brought a line.
    fn has_begun_unread(&self) -> bool {
        let begun = self.progress.begun().filter(|_| !self.progress.has_lines());
        begun.is_some_and(|begun| self.is_before_next(begun))
    }

    /// Whether a line was written before the next instance started, if there is one.
    fn is_before_next(&self, line: Instant) -> bool {
        match *self.life.borrow() {
            Life::Replaced { started, .. } => Some(line) < started.map(Instant::from),
            _ => true,
        }
    }

    /// Whether such a line is this instance's own, of which none was shown: the next one started later.
    fn has_own_unseen_lines(&self) -> bool {
        let is_next = match *self.life.borrow() {
            Life::Replaced { restart_count, .. } => restart_count == self.instance.restart_count + 1,
            _ => false,
        };
        is_next && self.has_unseen_lines() && !self.progress.has_lines()
    }

    async fn report_gap(&mut self, gap: Gap) {
        let reach = self.progress.reach;
        if !reach.is_opened()
            && let Some(last) = self.lost_behind_early()
        {
            // An earlier tail showed its first lines.
            let unseen = self.progress.reach.open().unwrap_or_default();
            self.report.opened(self.restart.take(), unseen).await;
            // A refusal of their own log contradicts the end of the answer with them.
            if !self.progress.early.has_ended() || !reach.has_ended() {
                self.report.gap(Gap::Unchecked(last), true).await;
            }
            // They are no later instance's.
            self.progress.early.is_whole();
            return;
        }
        let skipped = self.restart.take().filter(|_| !reach.is_opened());
        if reach.has_unseen() || skipped.is_some_and(|restart| restart.skipped > 0) {
            self.report.unseen().await;
        }
        // An earlier tail of this instance showed the line that such a gap names.
        let has_place = reach.is_opened() || gap.bounds()[0].is_some();
        self.report.gap(gap, has_place).await;
        if reach.is_opened() && self.lost_behind_early().is_some() {
            // That is said of no later instance.
            self.progress.early.is_whole();
        }
    }

    /// Whether the apiserver or the kubelet was out of reach before the end of the log was verified: one that goes away
    /// ends its streams as if they were complete.
    pub(super) fn is_end_in_doubt(&self) -> bool {
        self.progress.heard.is_some_and(|since| self.was_out_since(since))
    }

    /// Whether one of them was, at this time or later.
    pub(super) fn was_out_since(&self, since: tokio::time::Instant) -> bool {
        let node = &self.instance.origin.pod.node;
        self.context.logs.was_out_since(since) || self.context.nodes.was_away_since(node, since)
    }

    /// Whether the node had another instance of the container, which no status reported while its logs were wanted.
    fn is_next_unreported(&self) -> bool {
        let is_left = matches!(*self.life.borrow(), Life::Deleted | Life::Dropped) || self.is_over();
        self.whereabouts == Whereabouts::Superseded && is_left
    }

    /// Whether the pod is gone, and the node had another instance of the container that no status reported.
    fn is_last_unknown(&self) -> bool {
        self.whereabouts == Whereabouts::Superseded && *self.life.borrow() == Life::Deleted
    }
}
