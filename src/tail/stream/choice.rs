//! Chooses the lines of an answer that are shown: those that are new, wanted, and this instance's.

use std::time::Duration;

use super::{
    super::{
        again::{Around, text},
        chosen::Chosen,
        early::Unseen,
        extent::Extent,
        logs::Logs,
        reach::End,
    },
    Doubt, Reading, SECOND, Terms,
};
use crate::{
    cluster::Error,
    event::{Gap, Instant, Item, Line},
    instance::Life,
    lines::{Found, Piece, Seen},
    schedule::Mode,
};

/// A line that comes this long after its stream was opened was written since then.
const LATE: Duration = Duration::from_secs(1);

impl<L: Logs> Reading<'_, L> {
    /// The instant from which lines can only be those of another instance.
    pub(super) fn foreign_from(&self) -> Option<Instant> {
        let Terms { current, doubt, bound, .. } = self.terms;
        let log_end = self.life.borrow().log_end().map(Instant::from);
        let is_replaced = matches!(*self.life.borrow(), Life::Replaced { .. });
        log_end.filter(|_| current && (doubt == Doubt::Stop || is_replaced)).or(bound)
    }

    /// Adds a line to `items` if it is new. The answer ends before a line that is in doubt or was not requested.
    pub(super) fn choose(
        &mut self,
        data: &[u8],
        line: Line,
        behind: &[Piece],
        foreign_from: Option<Instant>,
        chosen: &mut Chosen,
    ) -> End {
        let Terms { doubt, end: requested, .. } = self.terms;
        if foreign_from.is_some() && line.time >= foreign_from {
            return self.leave(data, line, chosen.is_empty() && self.place.lines == 0);
        }
        if requested.is_some() && line.time >= requested {
            return End::Beyond;
        }
        if self.is_too_early(line.time) {
            return End::Clean;
        }
        if let Some(beginning) = self.beginning.take()
            && line.time.is_some_and(|first| beginning.is_late(first))
        {
            *self.look = Some(beginning.look());
        }
        let around = Around { data, before: &chosen.items, behind };
        let is_read_on = self.mode == Mode::Follow && self.finder.is_none();
        if is_read_on && self.again.comes(line, &around, self.progress) {
            if let Some(gap) = self.again.skipped(data, line) {
                self.report.incomplete = true;
                chosen.items.push(Item::Gap(gap));
            }
            return line.time.map_or(End::Clean, End::Again);
        }
        let found = self.judge(data, line);
        if found == Found::Lost && doubt == Doubt::Stop {
            return End::Doubtful(line.time);
        }
        if found == Found::Known {
            return End::Clean;
        }
        if self.mode == Mode::Follow {
            self.again.pass(data, line, self.progress);
        }
        self.report_gaps(data, line, behind, found, chosen);
        self.show(data, line, chosen)
    }

    /// Leaves this line and all behind it to another instance. `first`: the answer begins with it.
    pub(super) fn leave(&mut self, data: &[u8], line: Line, first: bool) -> End {
        let is_whole = !self.progress.has_lines() && !self.progress.extent.is_bounded();
        let begins = line.time.filter(|_| first && is_whole);
        self.progress.left = begins.map(|time| Seen::new(time, text(data, line)));
        End::Doubtful(line.time)
    }

    /// Remembers the first wanted line of the log if the answer ended within it: one that begins later lacks it.
    pub(super) fn remember_beginning(&mut self, end: &Result<End, Error>) {
        let is_left = matches!(end, Ok(End::Doubtful(_) | End::Beyond | End::Enough));
        if let Some(begun) =
            self.splitter.begun().filter(|begun| !is_left && self.is_wanted_beginning(*begun))
        {
            self.progress.begins_within(begun);
        }
    }

    /// Whether a line of that instant, with which an answer goes on, would be the first wanted one of the log.
    pub(super) fn is_wanted_beginning(&self, time: Instant) -> bool {
        let Extent { first, until, .. } = self.progress.extent;
        let is_early = first.is_some_and(|first| (time, self.place.equals) < (first.time, first.equals));
        let mut ends = [self.foreign_from(), self.terms.end, until].into_iter().flatten();
        !self.progress.has_lines() && !is_early && ends.all(|end| time < end)
    }

    /// Adds the gaps before a new line, and a tear if lines may be another instance's from there on.
    /// `behind`: what follows it.
    fn report_gaps(&mut self, data: &[u8], line: Line, behind: &[Piece], found: Found, chosen: &mut Chosen) {
        let time = line.time;
        let first = !self.progress.has_lines() && chosen.is_empty();
        if first {
            self.progress.first = time;
        }
        // Without a status, the log may be another instance's from its first line on, and a look shows no more.
        let is_first = first || self.progress.position.is_behind_look() && chosen.is_empty();
        if is_first && !self.terms.settled || found == Found::Lost {
            let opened = self.opened_before(time);
            self.progress.mark_tear(time, self.report.incomplete, self.terms.reach, opened);
        }
        let shown_to = self.progress.shown_to();
        // An earlier tail showed the lines on both sides.
        let is_shown = time.is_some() && time <= shown_to;
        let is_lost = found == Found::Lost && !is_shown && !self.goes_on(time, behind);
        let says_unseen = self.report.says_unseen;
        let begins = time.filter(|_| first).map(|time| Seen::new(time, text(data, line)));
        let lacks_begun = first && self.progress.lacks_begun(begins);
        let mut report = |from| {
            self.report.incomplete = true;
            let gap = Gap::Between(from, time);
            if !self.report.is_reported(gap) {
                chosen.items.push(Item::Gap(gap));
            }
        };
        if is_lost {
            report(self.progress.latest().max(shown_to));
        }
        if !first {
            return;
        }
        self.progress.early.begins_with(begins);
        let foreign = self.progress.early.last_foreign().map(|early| early.time());
        let foreign = foreign.filter(|foreign| Some(*foreign) < time);
        if foreign.is_some() {
            // They were rotated away, and count all the same.
            let bytes = self.progress.early.take_bytes();
            if let Some(left) = &mut self.progress.quota().bytes {
                *left = left.saturating_sub(bytes);
            }
            if self.progress.quota().is_used_up() {
                // No more is wanted, and so nothing is missing.
                self.progress.early.is_whole();
                return;
            }
            report(foreign);
        }
        let is_before = |unseen: &Unseen| begins.is_some_and(|begins| unseen.is_before(begins));
        // Stamps may go back, so that the last line of a log, which was looked at, is older than its first one.
        let is_behind = |unseen: &Unseen| !unseen.is_first() && holds(behind, unseen.time);
        // Of a log that is older than the run, it may have been rotated away; not one that was seen there.
        let is_due = |unseen: &Unseen| self.fresh || unseen.is_previous && unseen.is_first();
        let unseen = self.progress.early.unseen().filter(|unseen| is_due(unseen) && is_before(unseen));
        let unseen = unseen.filter(|unseen| !is_behind(unseen));
        if let Some(unseen) = unseen
            && !(unseen.behind.is_none() && says_unseen)
            && foreign.is_none_or(|foreign| unseen.time < foreign)
        {
            report(unseen.behind);
        } else if lacks_begun && foreign.is_none() {
            report(None);
        }
    }

    /// Shows a new line, as far as it is wanted and no earlier tail showed it.
    fn show(&mut self, data: &[u8], line: Line, chosen: &mut Chosen) -> End {
        let extent = &self.progress.extent;
        if line.time.is_some() && extent.until.is_some() && line.time >= extent.until {
            self.place.past = true;
            return if extent.is_beyond(line.time) { End::Enough } else { End::Clean };
        }
        let mut is_early = self.is_early(data, line);
        let mut shown = line;
        if self.progress.quota().take(data, &mut shown) {
            // An earlier tail may have cut it like this.
            is_early |= shown != line && self.is_early(data, shown);
            self.place.unread_before |= is_early && self.progress.early.is_first(line.time);
            match is_early {
                true => chosen.read(line),
                false => chosen.show(line, shown),
            }
        }
        End::Clean
    }

    /// The instant up to which the stream was opened, by the clock of the node, if the first line of it came later.
    pub(super) fn opened_before(&self, line: Option<Instant>) -> Option<Instant> {
        let Terms { opened, date, .. } = self.terms;
        let silent = opened.elapsed();
        // By the apiserver's clock, and by the time of the line, which may have been on its way for longer.
        let estimate = Instant(line?.0 - silent.as_nanos() as i64).max(date.into());
        (self.mode == Mode::Follow && silent > LATE).then_some(Instant(estimate.0 + SECOND))
    }

    /// Whether an earlier tail showed this line.
    fn is_early(&mut self, data: &[u8], line: Line) -> bool {
        let early = &mut self.progress.early;
        let Some(time) = line.time.filter(|_| !early.is_empty()) else { return false };
        let line = early.as_read(time, text(data, line));
        early.take(line)
    }

    /// Whether a line was written before the first one that is wanted: requests name whole seconds.
    fn is_too_early(&mut self, time: Option<Instant>) -> bool {
        let (Some(first), Some(time)) = (self.progress.extent.first, time) else { return false };
        let equals = time == first.time && self.place.equals < first.equals;
        self.place.equals += usize::from(equals);
        equals || time < first.time
    }

    /// Whether a line follows the last one that was read, although the answer lacks that one.
    ///
    /// Some kubelets let a follower end with its file when the log is rotated: it is silent, but it sent all lines of
    /// the file. The new file continues there if its first line follows within the usual time between lines of this
    /// log.
    fn goes_on(&self, time: Option<Instant>, behind: &[Piece]) -> bool {
        let behind = behind.iter().filter_map(|piece| match piece {
            Piece::Line(line) => line.time,
            Piece::Untimed { .. } => None,
        });
        self.terms.after_silence && time.is_some_and(|time| self.progress.position.is_close_to(time, behind))
    }

    fn judge(&mut self, data: &[u8], line: Line) -> Found {
        let Some(finder) = &mut self.finder else { return Found::New };
        // Only a file that begins with this line continues the one before.
        self.terms.after_silence &= finder.is_untouched();
        let found = match finder.judge(line.time, &data[line.start as usize..line.end as usize]) {
            // The last line that was read may be before the few lines that were requested.
            Found::New if self.terms.few && finder.begins_within_an_instant() => Found::Lost,
            found => found,
        };
        if found != Found::Known {
            self.finder = None;
        }
        found
    }
}

/// Whether a line of this instant is among them.
fn holds(lines: &[Piece], time: Instant) -> bool {
    lines.iter().any(|piece| matches!(piece, Piece::Line(line) if line.time == Some(time)))
}
