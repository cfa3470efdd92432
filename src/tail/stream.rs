//! Reads one answer to a log request and sends what is in it, as far as it is new.

use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use tokio::{
    sync::watch,
    time::{sleep, sleep_until, timeout},
};

use super::{
    check::{Checker, Look},
    idle::Idle,
    logs::{Answer, Logs},
    quota::Quota,
    tear::Tear,
};
use crate::{
    cluster::{Error, KubeletError},
    event::{Batch, Gap, Instant, Item, Line},
    instance::Life,
    lines::{Finder, Found, Lines, Piece, Position, Splitter},
    queue::Outlet,
    stats::Counter,
};

/// How much is gathered into one batch while more is there to be read at once. The apiserver sends a followed log one
/// line a chunk, so that handing on every chunk would cost more than reading it.
const BATCH: usize = 64 << 10;

/// How long a stream may be silent after its pod was deleted. The kubelet ends it when the container is gone; a node
/// that is lost does not.
pub const DRAIN: Duration = Duration::from_secs(10);

/// How much later than the answer to a check a stream may deliver the same line.
const GRACE: Duration = Duration::from_secs(1);

/// An answer that is being read.
pub struct Reading<'a, L: Logs> {
    pub stream: L::Answer,
    pub life: watch::Receiver<Life>,
    pub position: &'a mut Position,
    pub out: &'a Outlet,
    pub counter: &'a Counter,
    /// Set where the answer repeats what was read before.
    pub finder: Option<Finder>,
    pub doubt: Doubt,
    /// The last thing that the kubelet said instead of a line, so that it is told once.
    pub said: &'a mut String,
    /// What the kubelet says of a log that is gone is kept here, if it is no surprise.
    pub unsurprising: Option<&'a mut Option<String>>,
    /// Set when lines may have been missed.
    pub incomplete: &'a mut bool,
    /// Whether the stream before gave all that it had, and then fell silent.
    pub heard_out: bool,
    /// Whether it is the container's current log, which may be that of another instance.
    pub current: bool,
    /// From when on lines are in doubt.
    pub bound: Option<Instant>,
    /// From when on lines were not asked for.
    pub end: Option<Instant>,
    pub quota: &'a mut Quota,
    pub tear: &'a mut Option<Tear>,
    pub splitter: Splitter,
    /// Whether it may be ended for the sake of a connection of its own.
    pub movable: bool,
    /// For a stream whose silence is looked into.
    pub watchdog: Option<Watchdog<'a, L>>,
}

/// Looks into the silence of a stream.
pub struct Watchdog<'a, L> {
    pub idle: &'a mut Idle,
    pub checker: Checker<'a, L>,
}

/// What comes next in a stream.
enum Next {
    Chunk(Result<Bytes, Error>),
    End,
    /// Nothing, though there should be something.
    Silence,
    /// Nothing for this instance: it may be the next one's log, as is known now.
    Foreign,
}

/// What to do where an answer may be the log of another instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Read no further.
    Stop,
    /// Go on; where the last line that was read is not in it, say that lines may be missing.
    Tell,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Clean,
    /// Before a line of that instant: the last line that was read is not in it, or it is too late to be this instance's.
    Doubtful(Option<Instant>),
    /// Before a line that was written too late to be asked for.
    Beyond,
    /// As many lines or bytes as were asked for have come.
    Enough,
    /// It has not, but what came since the last tear may be the next instance's log.
    Foreign,
    /// It has not, but so much comes that a connection of its own would be cheaper.
    Busy,
    /// It has not, but fell silent while there are lines to come; or nobody can tell.
    Silent,
}

impl<L: Logs> Reading<'_, L> {
    /// Reads to the end. What was read and not yet sent when the future is dropped is not counted as read.
    pub async fn run(&mut self) -> Result<End, Error> {
        loop {
            match self.next().await {
                Next::Chunk(chunk) => self.splitter.push(&chunk?),
                Next::End => return Ok(End::Clean),
                Next::Silence => return Ok(End::Silent),
                Next::Foreign => return Ok(End::Foreign),
            }
            let failed = self.gather();
            while let Some(lines) = self.splitter.lines() {
                match self.send(lines).await {
                    End::Clean => {}
                    end => return Ok(end),
                }
            }
            if self.movable && self.stream.wants_own_connection() {
                return Ok(End::Busy);
            }
            if let Some(error) = failed {
                return Err(error);
            }
        }
    }

    /// What comes next. A deleted pod is heard out.
    async fn next(&mut self) -> Next {
        let Self { stream, life, watchdog, position, tear, current, out, .. } = self;
        if let Some(watchdog) = watchdog {
            watchdog.idle.listen();
        }
        let tear = tear.as_ref().filter(|_| *current);
        let is_foreign = |life: &Life| tear.is_some_and(|tear| tear.can_be_of_next(life));
        let ended = async {
            let ended = life.wait_for(|life| *life == Life::Deleted || is_foreign(life)).await;
            let ended = ended.map(|life| *life == Life::Deleted);
            match ended {
                Ok(deleted) => deleted,
                // Where nobody watches the pod, nobody tells.
                Err(_) => std::future::pending().await,
            }
        };
        let chunk = tokio::select! {
            biased;
            chunk = stream.next() => chunk,
            deleted = ended => match deleted {
                true => timeout(DRAIN, stream.chunk()).await.unwrap_or(None),
                false => return Next::Foreign,
            },
            () = silence(watchdog.as_mut(), position, out) => return Next::Silence,
        };
        if let Some(watchdog) = watchdog {
            watchdog.idle.heard();
        }
        chunk.map_or(Next::End, Next::Chunk)
    }

    /// Adds what is there to be read at once.
    fn gather(&mut self) -> Option<Error> {
        let mut gathered = 0;
        while gathered < BATCH {
            match self.stream.chunk().now_or_never() {
                Some(Some(Ok(chunk))) => {
                    gathered += chunk.len();
                    self.splitter.push(&chunk);
                }
                Some(Some(Err(error))) => return Some(error),
                Some(None) | None => break,
            }
        }
        None
    }

    /// Sends a last line that no newline ends, now that no more comes.
    pub async fn finish(&mut self) -> End {
        while let Some(lines) = self.splitter.rest() {
            match self.send(lines).await {
                End::Clean => {}
                end => return end,
            }
        }
        End::Clean
    }

    /// Whether the bytes that were asked for end within a line.
    pub fn is_cut_by_quota(&self) -> bool {
        self.quota.bytes.is_some_and(|left| self.splitter.held() >= left)
    }

    /// Tells what the kubelet said last in place of a line. A line cut short is left alone: it comes again.
    pub async fn hear_out(&mut self) {
        if let Some(Lines { data, pieces, .. }) = self.splitter.rest()
            && matches!(pieces[..], [Piece::Untimed { .. }])
            && !data[0].is_ascii_digit()
        {
            self.tell(&data).await;
        }
    }

    async fn send(&mut self, lines: Lines) -> End {
        if self.splitter.is_cut(&lines) {
            *self.incomplete = true;
            self.tell(b"a line is cut: there is no room for it in the temporary directory (TMPDIR)").await;
        }
        let Lines { data, pieces, rest } = lines;
        let (mut items, mut end) = (Vec::with_capacity(pieces.len()), End::Clean);
        let log_end = self
            .life
            .borrow()
            .log_end()
            .map(Instant::from)
            .filter(|_| self.current && self.doubt == Doubt::Stop);
        let log_end = log_end.or(self.bound);
        for piece in pieces {
            match piece {
                Piece::Line(line) if log_end.is_some() && line.time >= log_end => {
                    end = End::Doubtful(line.time);
                }
                Piece::Line(line) if self.end.is_some() && line.time >= self.end => end = End::Beyond,
                Piece::Line(mut line) => match self.judge(&data, line) {
                    Found::Known => {}
                    Found::Lost if self.doubt == Doubt::Stop => end = End::Doubtful(line.time),
                    found => {
                        let first = self.position.latest().is_none() && items.is_empty();
                        if first || found == Found::Lost {
                            self.mark_tear(line);
                        }
                        if found == Found::Lost && !self.goes_on(line) {
                            *self.incomplete = true;
                            items.push(Item::Gap(Gap::Between(self.position.latest(), line.time)));
                        }
                        items.extend(self.quota.take(&data, &mut line).then_some(Item::Line(line)));
                    }
                },
                Piece::Untimed { start, end } => self.hear(&data[start as usize..end as usize]).await,
            }
            if end == End::Clean && self.quota.is_used_up() {
                end = End::Enough;
            }
            if end != End::Clean {
                break;
            }
        }
        if !items.is_empty() {
            let batch = Batch { origin: self.out.origin().clone(), data, items, rest };
            let room = tokio::select! {
                biased;
                room = self.out.room(&batch) => room,
                never = self.stream.stow() => match never {},
            };
            let (mut lines, mut bytes) = (0, 0);
            for item in &batch.items {
                if let Item::Line(line) = item
                    && let Some(time) = line.time
                {
                    let message = batch.message(line);
                    self.position.advance(time, message);
                    lines += 1;
                    bytes += message.len() as u64;
                }
            }
            room.put(batch);
            self.counter.add(lines, bytes);
            if let Some(watchdog) = &mut self.watchdog {
                watchdog.idle.arrived();
            }
        }
        end
    }

    /// Whether a line behind which the last one that was read is missing is the next one nevertheless.
    ///
    /// Some kubelets let a follower end with its file when the log is rotated: it is silent, but it gave all that was in
    /// the file. The new file goes on there, if it begins as soon after as lines of this log follow each other.
    fn goes_on(&self, line: Line) -> bool {
        self.heard_out && line.time.is_some_and(|time| self.position.is_close_to(time))
    }

    /// What was read until now and what comes from `line` on may be two instances' logs.
    fn mark_tear(&mut self, line: Line) {
        if self.current {
            let before = self.position.clone();
            let (incomplete, quota) = (*self.incomplete, *self.quota);
            *self.tear = Some(Tear { before, behind: line.time, incomplete, quota });
        }
    }

    /// Takes what bears no timestamp: words of the kubelet, or half a timestamp where the bytes that were asked for end.
    async fn hear(&mut self, text: &[u8]) {
        self.quota.take_bytes(text.len());
        if !self.quota.is_used_up() {
            self.tell(text).await;
        }
    }

    async fn tell(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        let error = KubeletError::of(&text);
        let gone = match error {
            Some(KubeletError::NoContainer) => true,
            Some(KubeletError::NoFile) => *self.life.borrow() != Life::Running,
            _ => false,
        };
        if let Some(kept) = self.unsurprising.as_mut().filter(|_| gone) {
            **kept = Some(text.into_owned());
            return;
        }
        *self.incomplete |= error == Some(KubeletError::NoContainer);
        if *self.said != text {
            *self.said = text.into_owned();
            // It is reported for all containers of the node together.
            if error == Some(KubeletError::NoWatcher) {
                return;
            }
            self.out.warning(self.said.clone()).await;
        }
    }

    fn judge(&mut self, data: &[u8], line: Line) -> Found {
        let (Some(finder), Some(time)) = (&mut self.finder, line.time) else { return Found::New };
        // Only a file that begins with this line goes on where the one before it ended.
        self.heard_out &= finder.is_untouched();
        let found = finder.judge(time, &data[line.start as usize..line.end as usize]);
        if found != Found::Known {
            self.finder = None;
        }
        found
    }
}

/// Waits until a stream is known to have missed something, or cannot be told not to have.
async fn silence<L: Logs>(watchdog: Option<&mut Watchdog<'_, L>>, position: &Position, out: &Outlet) {
    let Some(Watchdog { idle, checker }) = watchdog else { return std::future::pending().await };
    loop {
        sleep_until(idle.due()).await;
        match checker.look(position).await {
            Look::Fine(reached) => {
                idle.checked();
                if let Some(instant) = reached {
                    out.reached(instant).await;
                }
            }
            Look::Missed => {
                // Should that turn out wrong, it is not looked into again so soon.
                idle.checked();
                return sleep(GRACE).await;
            }
            // Opening the log again shows it as well.
            Look::NoRoom => return idle.checked(),
        }
    }
}
