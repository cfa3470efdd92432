//! The thread that has the files written, and what is known of it elsewhere. A simulation has no thread.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, mpsc::UnboundedReceiver, mpsc::unbounded_channel, oneshot};

use super::{Named, Piece, store::Store};
use crate::{
    grace::{self, LOOK},
    machine::Machine,
    notice::{Notice, Scope},
    plan::FilesPlan,
};

/// The time for what is still to be written, if a signal ends the run.
const LAST: Duration = Duration::from_millis(400);

/// The time to take back what is not whole by then. A busy disk may be slow.
const UNDO: Duration = Duration::from_millis(300);

/// Files that lack lines and are named at the end; others are counted.
const NAMED: usize = 10;

pub enum Message {
    /// With the room that they occupy until they are written.
    Pieces(Vec<(Named, Piece)>, Option<OwnedSemaphorePermit>),
    End,
}

/// The lines that each file lacks, and the last reason.
type Lacks = BTreeMap<PathBuf, (u64, String)>;

pub struct Writer {
    way: Way,
    reports: UnboundedReceiver<Notice>,
    shared: Arc<Shared>,
    ended: oneshot::Receiver<()>,
}

/// All that is known on both sides of the thread.
#[derive(Default)]
pub struct Shared {
    lacks: Mutex<Lacks>,
    /// Lines that were sent, and neither written nor lost yet.
    pub left: AtomicU64,
    /// A signal ends the run: nothing is written after this.
    due: OnceLock<Instant>,
}

impl Shared {
    pub fn lacks(&self) -> MutexGuard<'_, Lacks> {
        self.lacks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn hurries(&self) -> bool {
        self.due.get().is_some()
    }

    pub fn is_late(&self) -> bool {
        self.due.get().is_some_and(|due| Instant::now() >= *due)
    }
}

/// The store until its end, of which both sides learn.
struct Running {
    store: Store,
    ends: (Sender<()>, oneshot::Sender<()>),
}

impl Running {
    /// False: it was the last message, and everything is written.
    fn take(&mut self, message: Message) -> bool {
        let Message::Pieces(pieces, room) = message else {
            self.store.write_gathered();
            return false;
        };
        pieces.into_iter().for_each(|(named, piece)| self.store.take(named, piece));
        drop(room);
        true
    }

    fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let next = match self.store.due_in() {
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => messages.recv_timeout(wait),
            };
            let goes_on = match next {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Disconnected) => self.take(Message::End),
                Err(RecvTimeoutError::Timeout) => {
                    self.store.write_gathered();
                    true
                }
            };
            if !goes_on {
                return self.end();
            }
        }
    }

    fn end(self) {
        // Closes the files.
        drop(self.store);
        let (end, ended) = self.ends;
        // The run may wait for neither.
        let _ = end.send(());
        let _ = ended.send(());
    }
}

/// The way of messages to the store.
#[derive(Clone)]
enum Way {
    Thread(Sender<Message>),
    /// None: it has ended.
    Simulated(Arc<Mutex<Option<Running>>>),
}

impl Way {
    /// False: the store has ended.
    fn send(&self, message: Message) -> bool {
        match self {
            Way::Thread(messages) => messages.send(message).is_ok(),
            Way::Simulated(running) => {
                let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
                let goes_on = running.as_mut().map(|running| running.take(message));
                if goes_on == Some(false) {
                    running.take().into_iter().for_each(Running::end);
                }
                goes_on.is_some()
            }
        }
    }
}

/// Ends the thread, from any other.
pub struct End {
    way: Way,
    shared: Arc<Shared>,
    ended: Receiver<()>,
}

impl End {
    /// Waits until everything is written that was sent, for as long as a signal leaves time.
    pub fn wait(self) {
        let due = Instant::now() + LAST;
        let _ = self.shared.due.set(due);
        if !self.way.send(Message::End) {
            return;
        }
        while self.ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) && Instant::now() < due + UNDO {
            grace::step();
        }
    }
}

impl Writer {
    pub fn start(plan: &FilesPlan, is_text: bool, machine: &Machine) -> io::Result<(Writer, End)> {
        let (reporter, reports) = unbounded_channel();
        let (ended, is_ended) = oneshot::channel();
        let (end, at_end) = mpsc::channel();
        let shared = Arc::<Shared>::default();
        let store = Store::new(plan, is_text, reporter, shared.clone());
        let running = Running { store, ends: (end, ended) };
        let way = if machine.simulation().is_some() {
            Way::Simulated(Arc::new(Mutex::new(Some(running))))
        } else {
            let (messages, received) = mpsc::channel();
            thread::Builder::new().name("files".into()).spawn(move || running.run(&received))?;
            Way::Thread(messages)
        };
        let end = End { way: way.clone(), shared: shared.clone(), ended: at_end };
        Ok((Writer { way, reports, shared, ended: is_ended }, end))
    }

    pub fn send(&self, message: Message) {
        if let Message::Pieces(pieces, _) = &message {
            let lines = pieces.iter().map(|(_, piece)| piece.lines).sum();
            self.shared.left.fetch_add(lines, Ordering::Relaxed);
        }
        // It may have ended: a signal came.
        self.way.send(message);
    }

    /// Waits for a report.
    pub async fn report(&mut self) -> Option<Notice> {
        self.reports.recv().await
    }

    pub fn report_now(&mut self) -> Option<Notice> {
        self.reports.try_recv().ok()
    }

    /// Waits until everything is written. False: the thread failed.
    pub async fn finish(&mut self) -> bool {
        self.send(Message::End);
        (&mut self.ended).await.is_ok()
    }

    /// Whether all files have all lines.
    pub fn is_whole(&self) -> bool {
        self.shared.lacks().is_empty()
    }

    /// The lines that a signal left no time for.
    pub fn left(&self) -> Option<Notice> {
        let left = self.shared.left.load(Ordering::Relaxed);
        let text = || {
            format!(
                "files of --output-dir lack {}: a signal ended the run before they were written",
                lines_of(left)
            )
        };
        (left > 0).then(|| Scope::Run.warning(text()))
    }

    /// The files that lack lines.
    pub fn lacks(&self) -> Vec<Notice> {
        let lacks = self.shared.lacks();
        let mut notices: Vec<Notice> = Vec::new();
        for (path, (lines, reason)) in lacks.iter().take(NAMED) {
            let text = format!("{} lacks {}: {reason}", path.display(), lines_of(*lines));
            notices.push(Scope::Run.warning(text));
        }
        if lacks.len() > NAMED {
            let lines = lacks.values().skip(NAMED).map(|(lines, _)| lines).sum();
            let text = format!("{} more files lack {}", lacks.len() - NAMED, lines_of(lines));
            notices.push(Scope::Run.warning(text));
        }
        notices
    }
}

pub fn lines_of(count: u64) -> String {
    if count == 1 { "1 line".to_owned() } else { format!("{count} lines") }
}
