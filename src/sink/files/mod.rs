//! Writes the lines of each origin to a file of its own, `DIR/namespace/pod/container.log`.
//!
//! [`writer`] is a thread of its own, so that a slow disk blocks nothing else; [`store`] appends, [`place`] opens the
//! files, [`member`] compresses.

mod member;
mod place;
mod store;
mod writer;

use std::{
    collections::{HashMap, VecDeque},
    hash::{Hash, Hasher},
    io,
    sync::Arc,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Shown;
use crate::{
    cleanup::Cleanup,
    event::{Batch, Item, Merged, Restart, Spool, Stretch},
    machine::Machine,
    notice::{Notice, Scope},
    origin::Origin,
    pace::Pace,
    plan::{Display, FilesPlan},
    render::{Renderer, missing, restarted},
    shown,
};
use writer::{Message, Writer};

/// Bytes to gather before they are written while more events are ready.
const CHUNK: usize = 128 << 10;

/// Most chunks that wait for the writer.
const CHUNKS: usize = 4;

pub struct Files {
    renderer: Renderer,
    /// Whether words may stand among the lines.
    is_text: bool,
    /// Rendered lines that were not passed to the writer yet.
    pieces: HashMap<Named, Piece>,
    bytes: usize,
    room: Arc<Semaphore>,
    writer: Writer,
    /// Reports of the writer that were not shown yet.
    reports: VecDeque<Notice>,
    /// Writes what was passed to the writer, at an end by a signal too.
    end: Option<Cleanup>,
}

/// An origin by its names: pods that follow one another under the same name share a file.
#[derive(Clone)]
struct Named(Arc<Origin>);

/// What is appended to a file.
#[derive(Default)]
struct Piece {
    text: Vec<u8>,
    /// Its number of lines from logs.
    lines: u64,
    /// The rest of the last line, if it is too long for memory. A newline follows.
    rest: Option<Spool>,
}

impl Files {
    /// `renderer` is that of the files.
    pub fn new(
        plan: &FilesPlan,
        display: &Display,
        renderer: Renderer,
        machine: &Machine,
    ) -> io::Result<Files> {
        let is_text = display.is_text();
        let (writer, end) = Writer::start(plan, is_text, machine)?;
        Ok(Files {
            renderer,
            is_text,
            pieces: HashMap::new(),
            bytes: 0,
            room: Arc::new(Semaphore::new(CHUNKS)),
            writer,
            reports: VecDeque::new(),
            end: Some(Cleanup::new(move || end.wait())),
        })
    }

    /// Takes the lines of a batch. Returns what is to be reported of them.
    pub async fn batch(&mut self, batch: &Batch, pace: &mut Pace) -> Vec<Notice> {
        let mut notices = Vec::new();
        self.stretch(batch.stretch(), batch.rest.as_ref(), &mut notices, pace).await;
        notices
    }

    /// The same for lines of several origins.
    pub async fn merged(&mut self, merged: &Merged, pace: &mut Pace) -> Vec<Notice> {
        let mut notices = Vec::new();
        for stretch in merged.stretches() {
            self.stretch(stretch, None, &mut notices, pace).await;
        }
        notices
    }

    async fn stretch(
        &mut self,
        mut stretch: Stretch<'_>,
        rest: Option<&Spool>,
        notices: &mut Vec<Notice>,
        pace: &mut Pace,
    ) {
        if stretch.items.is_empty() {
            return;
        }
        let named = Named(stretch.origin.clone());
        while !stretch.items.is_empty() {
            let (part, others) = stretch.split(pace.piece(usize::MAX));
            // It is kept before each pause: a signal may end the run there.
            let piece = self.pieces.entry(named.clone()).or_default();
            let before = piece.text.len();
            notices.extend(lines(&mut self.renderer, self.is_text, part, piece));
            self.bytes += piece.text.len() - before;
            if others.items.is_empty() {
                piece.rest = rest.cloned();
            }
            stretch = others;
            pace.done().await;
        }
        if rest.is_some() || self.bytes >= CHUNK {
            self.flush().await;
        }
    }

    /// Marks the border between two instances of a container.
    pub fn restarted(&mut self, origin: &Arc<Origin>, restart: &Restart) {
        if self.is_text {
            let piece = self.pieces.entry(Named(origin.clone())).or_default();
            let before = piece.text.len();
            mark(&restarted(restart), &mut piece.text);
            self.bytes += piece.text.len() - before;
        }
    }

    /// Drops what is kept of an origin. Returns what is still to be reported of it.
    pub fn closed(&mut self, origin: &Origin) -> Option<Notice> {
        self.renderer.forget(origin)
    }

    /// Passes everything taken so far to the writer; waits while it is behind.
    pub async fn flush(&mut self) {
        if self.pieces.is_empty() {
            return;
        }
        let room = self.room.clone().acquire_owned().await.ok();
        self.pass(room);
    }

    fn pass(&mut self, room: Option<OwnedSemaphorePermit>) {
        self.bytes = 0;
        // A template may print nothing.
        let pieces = self.pieces.drain().filter(|(_, piece)| !piece.text.is_empty() || piece.rest.is_some());
        self.writer.send(Message::Pieces(pieces.collect(), room));
    }

    /// Waits until [`Files::report`] has something.
    pub async fn reported(&mut self) {
        if self.reports.is_empty() {
            self.reports.extend(self.writer.report().await);
        }
    }

    /// The oldest report that was not shown yet.
    pub fn report(&mut self) -> Option<&Notice> {
        if self.reports.is_empty() {
            self.reports.extend(self.writer.report_now());
        }
        self.reports.front()
    }

    /// The oldest report was shown.
    pub fn shown(&mut self) {
        self.reports.pop_front();
    }

    /// Has everything written, as far as there is time, since a signal ends the run. Returns what is still to be
    /// reported.
    pub fn last_words(&mut self) -> Vec<Notice> {
        self.pass(None);
        drop(self.end.take());
        let mut words = self.words();
        words.extend(self.writer.left());
        words
    }

    fn words(&mut self) -> Vec<Notice> {
        let mut words = self.renderer.counts();
        while let Some(report) = self.report() {
            words.push(report.clone());
            self.shown();
        }
        words.extend(self.writer.lacks());
        words
    }

    /// Waits until everything is written.
    pub async fn finish(&mut self) -> (Shown, Vec<Notice>) {
        self.flush().await;
        let has_ended = self.writer.finish().await;
        let mut words = self.words();
        if !has_ended {
            words.push(
                Scope::Run.warning("the thread that writes the files failed: lines are missing in them"),
            );
        }
        let is_whole = self.renderer.is_whole() && self.writer.is_whole() && has_ended;
        if let Some(end) = self.end.take() {
            end.forget();
        }
        (if is_whole { Shown::Whole } else { Shown::InPart }, words)
    }
}

/// Renders lines of an origin.
fn lines(renderer: &mut Renderer, is_text: bool, stretch: Stretch<'_>, piece: &mut Piece) -> Option<Notice> {
    let mut notice = None;
    for items in stretch.items.chunk_by(|before, _| !matches!(before, Item::Gap(_))) {
        piece.lines += items.iter().filter(|item| matches!(item, Item::Line(_))).count() as u64;
        // Text has a line for a gap in place of what the format has.
        let (items, gap) = match items {
            [items @ .., Item::Gap(gap)] if is_text => (items, Some(gap)),
            items => (items, None),
        };
        notice = notice.or(renderer.lines(Stretch { items, ..stretch }, &mut piece.text));
        if let Some(gap) = gap {
            mark(&missing(*gap), &mut piece.text);
        }
    }
    notice
}

/// A line of words among those of a log.
fn mark(words: &str, out: &mut Vec<u8>) {
    let words = shown::one_line(words, shown::LONGEST);
    out.extend_from_slice(format!("── {words} ──\n").as_bytes());
}

impl Named {
    fn names(&self) -> [&str; 3] {
        let Origin { pod, container, .. } = &*self.0;
        [&pod.namespace, &pod.name, container]
    }
}

impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.names().hash(state);
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Named) -> bool {
        self.names() == other.names()
    }
}

impl Eq for Named {}
