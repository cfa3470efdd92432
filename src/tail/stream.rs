//! Reads one answer to a log request and sends the lines in it that are new.

mod choice;
mod doubted;

use std::{ops::Range, pin::pin, time::Duration};

use bytes::Bytes;
use futures::FutureExt;
use jiff::Timestamp;
use tokio::{
    sync::watch,
    time::{sleep, sleep_until},
};

use super::{
    again::Again,
    beginning::{self, Beginning, Look},
    check::{Checker, is_half_a_stamp, is_within_stamp},
    chosen::Chosen,
    logs::{Answer, Logs},
    progress::Progress,
    reach::{End, Reach},
    report::Report,
    watchdog::{self, Watchdog},
};
use crate::{
    cluster::{Error, KubeletError, Traffic},
    event::{Batch, Gap, Instant, Item, Line},
    instance::Life,
    lines::{Finder, Lines, Piece, Seen, Splitter},
    schedule::Mode,
};

pub use doubted::Doubted;

/// The most bytes of one batch, which takes all that have arrived already. The apiserver sends a followed log with one
/// line per chunk, so that sending on each chunk alone would cost more than reading it.
const BATCH: usize = 64 << 10;

const SECOND: i64 = 1_000_000_000;

/// The longest silence of a stream after its pod was deleted. The kubelet ends it when the container is gone; a lost
/// node does not.
pub const DRAIN: Duration = Duration::from_secs(10);

/// The longest silence of a stream after its status reported that the instance has ended. The kubelet ends it with its
/// container; one that stays open may be the next instance's, or have lost its file.
const LEFT: Duration = Duration::from_secs(2);

/// The same once another instance has started: the previous log has the rest, until a further restart takes it away.
const REPLACED: Duration = Duration::from_millis(500);

/// An answer that is being read.
pub struct Reading<'a, L: Logs> {
    pub stream: L::Answer,
    pub life: watch::Receiver<Life>,
    pub progress: &'a mut Progress,
    pub report: &'a mut Report,
    /// Set if its first line may be another pod's.
    pub doubted: Option<Doubted<'a, L>>,
    /// Set if the answer repeats lines that were read before.
    pub finder: Option<Finder>,
    pub mode: Mode,
    pub terms: Terms,
    pub splitter: Splitter,
    /// Where the answer is, of what is wanted.
    pub place: Place,
    /// Whether a file is sent again.
    pub again: Again,
    /// Set if its beginning is expected to be early.
    pub beginning: Option<Beginning<L>>,
    /// The look at the beginning of the file, while it lasts.
    pub look: &'a mut Option<Look>,
    /// Whether all of the log is new, or was seen to have an earlier line than those that are shown.
    pub fresh: bool,
    /// Whether it may be ended to continue on a connection of its own.
    pub movable: bool,
    /// Set if the stream is checked when it is silent.
    pub watchdog: Option<Watchdog<'a, L>>,
    /// Looks at the last line if the answer ends within a line.
    pub ending: Option<Checker<'a, L>>,
}

/// The lines that an answer may hold, as far as that is known before it is read.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub doubt: Doubt,
    /// Whether it is the container's current log, which may be that of another instance.
    pub current: bool,
    /// The instant from which lines are in doubt.
    pub bound: Option<Instant>,
    /// Whether the lines before that instant are this instance's, as far as the status shows.
    pub settled: bool,
    /// The instant from which lines are unrequested.
    pub end: Option<Instant>,
    /// The time at which a followed log ends.
    pub deadline: Option<tokio::time::Instant>,
    /// How long its connection may rest before what has arrived is read.
    pub rest: Duration,
    /// Whether it continues after lines that were read before.
    pub resumes: bool,
    /// The time at which it began, and the same by the clock of the apiserver.
    pub opened: tokio::time::Instant,
    pub date: Timestamp,
    /// How the answer before ended, if nothing contradicted that since; else open.
    pub reach: Reach,
    /// Whether the stream before gave all that its file had, and then fell silent.
    pub after_silence: bool,
    /// Whether a poll requested a number of lines that may be too small.
    pub few: bool,
    /// Whether the log may be removed soon, so that a message of its removal is usual.
    pub ends: bool,
}

/// The lines of an answer that were read and are not wanted.
#[derive(Debug, Default, Clone, Copy)]
pub struct Place {
    /// Lines of the first instant that is wanted.
    equals: usize,
    /// Whether the answer ended within a line, which was not shown.
    pub within: bool,
    /// Whether a line was written at `--until` or later.
    past: bool,
    /// The number of whole lines, wanted or not.
    lines: usize,
    /// Whether a line shows that the tail before read this log in place of its own.
    unread_before: bool,
}

/// The next part of a stream.
enum Next {
    Chunk(Result<Bytes, Error>),
    End,
    /// No bytes, although lines are missing.
    Silence,
    /// The time of the log is over.
    Over,
    /// The log begins late, or not.
    Begins(Option<String>),
    /// No bytes for this instance: according to the status, it has ended, or the log may be the next one's.
    Foreign,
}

/// The way to continue if an answer may be the log of another instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Read no further.
    Stop,
    /// Read on; if the last line that was read is not in the answer, report that lines may be missing.
    Report,
}

impl<L: Logs> Reading<'_, L> {
    /// Reads to the end. Lines that were read and not yet sent when the future is dropped do not count as read.
    pub async fn run(&mut self) -> Result<End, Error> {
        let end = self.read().await;
        self.remember_beginning(&end);
        match (end?, self.mode) {
            // All lines before that one came.
            (End::Clean, _) if self.place.past => Ok(End::Enough),
            (End::Clean, Mode::Read) => Ok(self.finish().await),
            (End::Clean, _) if !self.terms.resumes && self.is_cut_by_quota() => Ok(self.finish().await),
            // It may have been cut off: half a line is sent again when the log is resumed.
            (End::Clean, Mode::Follow | Mode::Poll | Mode::History) => {
                self.take_last_message().await;
                Ok(End::Clean)
            }
            (end, _) => Ok(end),
        }
    }

    /// Whether the answer has neither the lines that were read before nor any after them.
    pub fn misses_place(&self) -> bool {
        self.finder.as_ref().is_some_and(|finder| !finder.joins())
    }

    /// Whether the answer has no line, not even one that was read before.
    pub fn is_empty(&self) -> bool {
        match &self.finder {
            Some(finder) => finder.is_untouched(),
            None => !self.terms.resumes && self.place.lines == 0,
        }
    }

    async fn read(&mut self) -> Result<End, Error> {
        self.listen();
        loop {
            match self.next().await {
                Next::Chunk(chunk) => self.splitter.push(&chunk?),
                Next::End => return Ok(End::Clean),
                Next::Silence => return Ok(End::Silent),
                Next::Foreign => return Ok(End::Foreign),
                Next::Over => return Ok(End::Over),
                Next::Begins(late) => {
                    self.report.begins(late).await;
                    continue;
                }
            }
            let end = self.gather();
            while let Some(lines) = self.splitter.lines() {
                match self.send(lines).await {
                    End::Clean => {}
                    end => return Ok(end),
                }
            }
            match end {
                // Of one that has ended there may be no other.
                Some(end) => return end.map(|()| End::Clean),
                None if self.is_movable() && self.stream.wants_own_connection() => return Ok(End::Busy),
                None => {}
            }
            self.listen();
        }
    }

    /// All that came is shown: from now on it may be silent.
    fn listen(&mut self) {
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.idle.listen();
        }
    }

    /// Whether it may be left for another stream. The log may be gone by then if its pod is deleted or the instance has
    /// ended, and the stream ends soon.
    fn is_movable(&self) -> bool {
        self.movable && *self.life.borrow() == Life::Running
    }

    /// Waits for the next part. The stream of a deleted pod is read for a while longer.
    async fn next(&mut self) -> Next {
        let Self { stream, life, watchdog, progress, report, terms, look, mode, .. } = self;
        let is_foreign = |life: &Life| terms.current && progress.may_be_foreign(life);
        let mut left = pin!(left(life.clone(), *mode, terms.rest));
        let traffic = stream.traffic();
        let watched = life.clone();
        let ended = async {
            let ended = life.wait_for(|life| *life == Life::Deleted || is_foreign(life)).await;
            let ended = ended.map(|life| *life == Life::Deleted);
            match ended {
                Ok(deleted) => deleted,
                // The pod is not watched.
                Err(_) => std::future::pending().await,
            }
        };
        let chunk = tokio::select! {
            biased;
            chunk = stream.next() => chunk,
            deleted = ended => match deleted {
                true => tokio::select! {
                    biased;
                    chunk = stream.chunk() => chunk,
                    // That is no end.
                    () = sleep(DRAIN) => return Next::Foreign,
                    () = left.then(|()| held(traffic)) => return Next::Foreign,
                },
                false => return Next::Foreign,
            },
            () = &mut left => return Next::Foreign,
            late = beginning::seen(look) => return Next::Begins(late),
            () = until(terms.deadline) => return Next::Over,
            () = watchdog::silence(watchdog.as_mut(), &progress.position, &report.outlet, watched) => {
                return Next::Silence;
            }
        };
        if let Some(watchdog) = watchdog {
            watchdog.idle.heard();
        }
        chunk.map_or(Next::End, Next::Chunk)
    }

    /// Adds the bytes that have arrived already. The result is the end behind them, if that has arrived too.
    fn gather(&mut self) -> Option<Result<(), Error>> {
        let mut gathered = 0;
        while gathered < BATCH {
            match self.stream.chunk().now_or_never()? {
                Some(Ok(chunk)) => {
                    gathered += chunk.len();
                    self.splitter.push(&chunk);
                }
                Some(Err(error)) => return Some(Err(error)),
                None => return Some(Ok(())),
            }
        }
        None
    }

    /// Sends a last line without a newline once the log itself was seen to end with it.
    async fn finish(&mut self) -> End {
        let is_cut_by_quota = self.is_cut_by_quota();
        let wanted = self.progress.quota().bytes.filter(|_| is_cut_by_quota && !self.terms.resumes);
        while let Some(lines) = self.splitter.rest_within(wanted.unwrap_or(u64::MAX)) {
            let is_cut = match lines.pieces[..] {
                _ if is_cut_by_quota => false,
                [Piece::Line(line)] => self.is_new_end(&lines.data, line).await,
                _ => {
                    is_within_stamp(&lines)
                        && !self.progress.position.is_untimed()
                        && self.progress.ends_anew(None)
                }
            };
            if is_cut {
                return End::Unfinished;
            }
            match self.send(lines).await {
                End::Clean => {}
                end => return end,
            }
        }
        End::Clean
    }

    /// Whether this half of a line may be cut. That is seen without verifying each end.
    async fn is_new_end(&mut self, data: &[u8], line: Line) -> bool {
        let Some(time) = line.time else { return false };
        let end = Seen::new(time, &data[line.start as usize..line.end as usize]);
        if let Some(checker) = self.ending.take() {
            let mut half = checker.half().await;
            // Of so short a log the look is the same answer, which may be cut at the same length.
            if half.is_some() && self.place.lines < 2 {
                half = checker.half().await;
            }
            if let Some(half) = half {
                self.progress.ends_within(half);
            }
        }
        self.progress.ends_anew(Some(end))
    }

    /// Whether the bytes that were requested may end within this line: of all that was read, it alone has as many as
    /// are left.
    fn is_cut_by_quota(&self) -> bool {
        let requested = self.progress.extent.quota.bytes_to_request();
        requested.is_some_and(|requested| self.splitter.held() >= requested)
    }

    /// Takes the last message of the kubelet in place of a line. Half a line is left alone: it is sent again.
    async fn take_last_message(&mut self) {
        let Some(Lines { data, pieces, .. }) = self.splitter.rest() else { return };
        match pieces[..] {
            [Piece::Untimed { start, end }] if self.is_message(&data, start..end) => {
                self.report_message(&data).await;
            }
            [] => {}
            _ => self.place.within = true,
        }
    }

    async fn send(&mut self, lines: Lines) -> End {
        if let Some(loss) = lines.rest.loss() {
            self.report.cut(loss).await;
        }
        let Lines { data, pieces, rest } = lines;
        if let Some(Piece::Line(first)) = pieces.first()
            && let Some(doubted) = self.doubted.take()
            && first.time >= doubted.since
            && let Some(end) = self.doubt(doubted, &data, *first).await
        {
            return end;
        }
        self.progress.choose();
        let (mut chosen, mut end) = (Chosen::of(pieces.len()), End::Clean);
        let foreign_from = self.foreign_from();
        let whole = pieces.iter().filter(|piece| matches!(piece, Piece::Line(_))).count();
        let has_lines = whole > 0;
        for (number, piece) in pieces.iter().enumerate() {
            let behind = &pieces[number + 1..];
            end = match *piece {
                Piece::Line(line) => self.choose(&data, line, behind, foreign_from, &mut chosen),
                Piece::Untimed { start, end } if self.is_message(&data, start..end) => {
                    self.report_message(&data[start as usize..end as usize]).await;
                    End::Clean
                }
                Piece::Untimed { start, end } => {
                    self.report.untimed().await;
                    self.choose(&data, Line { time: None, start, end }, behind, foreign_from, &mut chosen)
                }
            };
            if end != End::Clean || self.progress.quota().is_used_up() {
                break;
            }
        }
        self.place.lines += whole;
        if std::mem::take(&mut self.place.unread_before) {
            self.report.gap(Gap::Unchecked(None), false).await;
        }
        // Lines that come again say nothing against an end that was verified.
        let says = self.progress.heard.is_some() || !chosen.items.is_empty() || !chosen.read.is_empty();
        if has_lines && says && !matches!(end, End::Doubtful(_)) {
            self.progress.heard = Some(tokio::time::Instant::now());
        }
        let rest = rest.kept().and_then(|rest| self.progress.quota().take_rest(rest));
        if end == End::Clean && self.progress.quota().is_used_up() {
            end = End::Enough;
        }
        let Chosen { items, read } = chosen;
        if items.is_empty() {
            self.progress.read(&data, &read);
            self.progress.sent();
            self.look_back(end);
            return end;
        }
        let batch = Batch { origin: self.report.outlet.origin().clone(), data, items, rest };
        let room = tokio::select! {
            biased;
            room = self.report.outlet.room(&batch) => room,
            never = self.stream.stow() => match never {},
        };
        let (mut lines, mut bytes, mut gap) = (0, 0, None);
        for item in &batch.items {
            let line = match item {
                Item::Line(line) => line,
                Item::Gap(reported) => {
                    gap = Some(*reported);
                    continue;
                }
                Item::Separator => continue,
            };
            let message = batch.message(line);
            if read.is_empty() {
                self.progress.position.advance(line.time, message);
            }
            lines += 1;
            bytes += message.len() as u64;
        }
        self.progress.read(&batch.data, &read);
        // A line behind the range is not read, though lines before it are reported as missing.
        let reported = gap.and_then(|gap| gap.bounds()[1]);
        self.progress.early.passed(self.progress.position.latest().max(reported));
        room.put(batch);
        self.progress.sent();
        self.report.reported(gap);
        self.look_back(end);
        self.report.counter.add(lines, bytes);
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.idle.arrived();
        }
        end
    }

    /// The lines that may come again are requested, and compared.
    fn look_back(&mut self, end: End) {
        if let End::Again(from) = end {
            self.progress.position.look_back_to(from);
        }
    }

    /// Whether a line without a timestamp is a message of the kubelet: one that is known, or one that ends a log whose
    /// lines have timestamps. Some kubelets give no timestamps at all.
    fn is_message(&self, data: &[u8], line: Range<u32>) -> bool {
        let (start, end) = (line.start as usize, line.end as usize);
        let ends = data.get(end) != Some(&b'\n');
        ends && !self.progress.position.is_untimed()
            || KubeletError::of(&String::from_utf8_lossy(&data[start..end])).is_some()
    }

    async fn report_message(&mut self, text: &[u8]) {
        if is_half_a_stamp(text) {
            return;
        }
        let runs = *self.life.borrow() == Life::Running;
        self.report.message(text, self.terms.ends, runs).await;
    }
}

/// Waits until a followed instance has been over for longer than its stream may be silent: the end of that is read once
/// the connection has rested.
async fn left(mut life: watch::Receiver<Life>, mode: Mode, rest: Duration) {
    let is_over = |life: &Life| matches!(life, Life::Terminated(_) | Life::Replaced { .. });
    let over = mode == Mode::Follow && life.wait_for(is_over).await.is_ok();
    if !over {
        return std::future::pending().await;
    }
    let replaced = async {
        let replaced = life.wait_for(|life| matches!(life, Life::Replaced { .. })).await.is_ok();
        match replaced {
            true => sleep(REPLACED + rest).await,
            false => std::future::pending().await,
        }
    };
    tokio::select! {
        () = replaced => {}
        () = sleep(LEFT + rest) => {}
    }
}

/// Waits while the bandwidth limit holds a connection back: the end of a stream may be behind other logs there.
async fn held(traffic: Option<Traffic>) {
    let Some(traffic) = traffic else { return };
    let begun = traffic.reached();
    while let Some(again) = traffic.ask_again(begun, REPLACED) {
        sleep_until(again).await;
    }
}

/// Waits until the time of a log is over.
pub async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Ending;

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_stream_whose_connection_rests_is_awaited() {
        let replaced = Life::Replaced { ending: Ending::default(), restart_count: 1, started: None };
        for (life, pause) in [(replaced, REPLACED), (Life::Terminated(Ending::default()), LEFT)] {
            for rest in [0, 1].map(Duration::from_secs) {
                let (_sender, life) = watch::channel(life.clone());
                let begun = tokio::time::Instant::now();
                left(life, Mode::Follow, rest).await;
                assert_eq!(begun.elapsed(), pause + rest);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_not_silent_while_its_connection_is_held_back() {
        let begun = tokio::time::Instant::now();
        held(None).await;
        held(Some(Traffic::default())).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        let (traffic, lasting) = (Traffic::default(), Duration::from_secs(5));
        traffic.hold_until(begun + lasting);
        held(Some(traffic)).await;
        assert!(begun.elapsed() >= lasting && begun.elapsed() < lasting + Duration::from_secs(1));
    }
}
