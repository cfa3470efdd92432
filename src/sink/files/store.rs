//! Appends lines to the files, and keeps those that cannot be written for now.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{self, Read, Write},
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    Named, Piece, mark, member,
    place::{Opened, Place, Taken},
    writer::{Shared, lines_of},
};
use crate::{
    descriptors,
    notice::{Notice, Scope},
    plan::FilesPlan,
    platform::files::Id,
    without_number,
};

/// Most open files.
const MOST_OPEN: usize = 64;

/// How long a file that failed is left alone.
const RETRY: Duration = Duration::from_secs(5);

/// The longest wait for room for another open file.
const ROOM: Duration = Duration::from_secs(2);

/// How long lines wait until they are compressed together: the most that a kill costs.
const GATHER: Duration = Duration::from_secs(5);

/// Bytes that wait to be compressed, of all files: as many as can be written while a signal ends the run.
const GATHERED: usize = 512 << 10;

/// The open files, those that fail, and lines that wait to be compressed.
pub struct Store {
    place: Place,
    is_text: bool,
    compress: bool,
    /// With the time of the last use.
    open: HashMap<Named, (Opened, u64)>,
    most_open: usize,
    uses: u64,
    /// The files that this run has written: they need no look at their end.
    written: HashSet<Id>,
    /// Lines that wait to be compressed together, their bytes, and since when.
    gathered: HashMap<Named, Piece>,
    bytes: usize,
    since: Option<Instant>,
    failing: HashMap<Named, Failing>,
    /// Reasons that were reported, of files that still fail.
    known: HashSet<String>,
    told_of_others: bool,
    told_of_cut: bool,
    shared: Arc<Shared>,
    reports: UnboundedSender<Notice>,
}

/// A file that cannot be written for now.
struct Failing {
    reason: String,
    /// Whether a report named it.
    is_named: bool,
    next: Instant,
    /// Lines that it lacks since then.
    lines: u64,
}

impl Store {
    pub fn new(
        plan: &FilesPlan,
        is_text: bool,
        reports: UnboundedSender<Notice>,
        shared: Arc<Shared>,
    ) -> Store {
        let ending = if plan.compress { ".log.gz" } else { ".log" };
        Store {
            place: Place { dir: plan.dir.clone(), ending },
            is_text,
            compress: plan.compress,
            open: HashMap::new(),
            most_open: descriptors::keep_for_files(MOST_OPEN),
            uses: 0,
            written: HashSet::new(),
            gathered: HashMap::new(),
            bytes: 0,
            since: None,
            failing: HashMap::new(),
            known: HashSet::new(),
            told_of_others: false,
            told_of_cut: false,
            shared,
            reports,
        }
    }

    /// The time until the gathered lines are to be written; None: there are none.
    pub fn due_in(&self) -> Option<Duration> {
        self.since.map(|since| GATHER.saturating_sub(since.elapsed()))
    }

    pub fn take(&mut self, named: Named, mut piece: Piece) {
        if !self.compress {
            return self.append(&named, piece);
        }
        self.bytes += piece.text.len();
        let is_long = piece.rest.is_some();
        let gathered = self.gathered.entry(named).or_default();
        gathered.text.append(&mut piece.text);
        gathered.lines += piece.lines;
        gathered.rest = piece.rest;
        self.since.get_or_insert_with(Instant::now);
        if is_long || self.bytes >= GATHERED {
            self.write_gathered();
        }
    }

    pub fn write_gathered(&mut self) {
        (self.bytes, self.since) = (0, None);
        for (named, piece) in std::mem::take(&mut self.gathered) {
            self.append(&named, piece);
        }
    }

    fn append(&mut self, named: &Named, piece: Piece) {
        let lines = piece.lines;
        // Without time they stay counted as left.
        if !self.shared.is_late() && self.try_append(named, piece) {
            self.shared.left.fetch_sub(lines, Ordering::Relaxed);
        }
    }

    /// False: there was no time.
    fn try_append(&mut self, named: &Named, mut piece: Piece) -> bool {
        if let Some(failing) = self.failing.get(named) {
            if Instant::now() < failing.next {
                self.lost(named, piece.lines);
                return true;
            }
            if self.is_text {
                let mut text = Vec::new();
                mark(&format!("{} missing: {}", are(failing.lines), failing.reason), &mut text);
                text.append(&mut piece.text);
                piece.text = text;
            }
        }
        match self.write(named, &piece) {
            Ok(()) => self.written(named),
            Err(_) if self.shared.is_late() => return false,
            Err(error) => {
                self.failed(named, &error);
                self.lost(named, piece.lines);
            }
        }
        true
    }

    fn write(&mut self, named: &Named, piece: &Piece) -> io::Result<()> {
        let (compress, shared) = (self.compress, self.shared.clone());
        // It may take long, and a kill meanwhile must leave no file without a member.
        let member = match &piece.rest {
            None if compress => Some(member::packed(&piece.text, || shared.hurries())?),
            _ => None,
        };
        self.make_ready(named)?;
        let (opened, used) = self.open.get_mut(named).ok_or(io::ErrorKind::NotFound)?;
        self.uses += 1;
        *used = self.uses;
        let is_known = self.written.contains(&opened.id);
        let mut to = Counted { file: &opened.file, bytes: 0 };
        let written = match member {
            Some(member) => to.write_all(&member),
            None if compress => write_long_member(piece, &mut to, &shared),
            // Only a format whose lines have ends gives them to others.
            None if !is_known && piece.text.ends_with(b"\n") && opened.ends_within_line()? => {
                to.write_all(b"\n").and_then(|()| write_text(piece, &mut to, &shared))
            }
            None => write_text(piece, &mut to, &shared),
        };
        match written {
            Ok(()) => drop(self.written.insert(opened.id)),
            Err(_) => {
                self.written.remove(&opened.id);
                opened.take_back(to.bytes);
                self.open.remove(named);
            }
        }
        written
    }

    /// Opens its file unless it is open.
    fn make_ready(&mut self, named: &Named) -> io::Result<()> {
        if self.open.get(named).is_none_or(|(opened, _)| !opened.is_in_place()) {
            // Its lock must be free before it is opened again.
            self.open.remove(named);
            let opened = self.newly_opened(named)?;
            self.open.insert(named.clone(), (opened, 0));
        }
        Ok(())
    }

    fn newly_opened(&mut self, named: &Named) -> io::Result<Opened> {
        if self.open.len() >= self.most_open {
            let oldest = self.open.iter().min_by_key(|(_, (_, used))| *used).map(|(named, _)| named.clone());
            oldest.map(|oldest| self.open.remove(&oldest));
        }
        let begun = Instant::now();
        let opened = loop {
            match self.place.open(named, &self.written) {
                // Connections learn of the limit too, and leave room.
                Err(error)
                    if descriptors::is_exhausted(&error)
                        && begun.elapsed() < ROOM
                        && !self.shared.hurries() =>
                {
                    self.open.clear();
                    thread::sleep(ROOM / 100);
                }
                opened => break opened?,
            }
        };
        self.tell_of_second(named, &opened);
        Ok(opened)
    }

    /// Reports that a file has not the name of its container; once for each reason.
    fn tell_of_second(&mut self, named: &Named, opened: &Opened) {
        let (told, why) = match opened.first {
            Taken::Free => return,
            Taken::Locked => (&mut self.told_of_others, "is being written by another run"),
            Taken::Cut => {
                (&mut self.told_of_cut, "is cut at its end, and nothing behind that could be decompressed")
            }
        };
        if !std::mem::replace(told, true) {
            let (first, second) = (self.place.path(named), opened.path.display());
            let text = format!(
                "{} {why}, so this run writes {second}; other files may have such names too",
                first.display()
            );
            self.report(Scope::Run.warning(text));
        }
    }

    fn failed(&mut self, named: &Named, error: &io::Error) {
        let reason = match descriptors::is_exhausted(error) {
            true => descriptors::described(),
            false => without_number(error),
        };
        let is_news = self.known.insert(reason.clone());
        if is_news {
            let text = format!(
                "cannot write {}: {reason}; lines for it are missing until it can be written",
                self.place.path(named).display()
            );
            self.report(Scope::Run.warning(text));
        }
        let next = Instant::now() + RETRY;
        let first = || Failing { reason: String::new(), is_named: false, next, lines: 0 };
        let failing = self.failing.entry(named.clone()).or_insert_with(first);
        (failing.next, failing.reason) = (next, reason);
        failing.is_named |= is_news;
    }

    fn lost(&mut self, named: &Named, lines: u64) {
        let Some(failing) = self.failing.get_mut(named) else { return };
        failing.lines += lines;
        let mut lacks = self.shared.lacks();
        let lack = lacks.entry(self.place.path(named)).or_default();
        lack.0 += lines;
        lack.1.clone_from(&failing.reason);
    }

    fn written(&mut self, named: &Named) {
        let Some(failing) = self.failing.remove(named) else { return };
        if failing.is_named {
            let path = self.place.path(named);
            let text = format!("{} is written again; {} missing in it", path.display(), are(failing.lines));
            self.report(Scope::Run.warning(text));
        }
        if !self.failing.values().any(|other| other.reason == failing.reason) {
            self.known.remove(&failing.reason);
        }
    }

    fn report(&self, notice: Notice) {
        // The run may have ended.
        let _ = self.reports.send(notice);
    }
}

/// `2 lines are`
fn are(lines: u64) -> String {
    format!("{} {}", lines_of(lines), if lines == 1 { "is" } else { "are" })
}

/// Counts the bytes that reach a file.
struct Counted<'f> {
    file: &'f File,
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whole lines reach the file in one write.
fn write_text(piece: &Piece, to: &mut impl Write, shared: &Shared) -> io::Result<()> {
    match &piece.rest {
        None => to.write_all(&piece.text),
        Some(rest) => {
            let begin = piece.text.strip_suffix(b"\n").unwrap_or(&piece.text);
            copy(&mut begin.chain(rest.reader()), to, shared)?;
            to.write_all(b"\n")
        }
    }
}

fn write_long_member(piece: &Piece, to: &mut impl Write, shared: &Shared) -> io::Result<()> {
    let mut member = GzEncoder::new(to, Compression::default());
    write_text(piece, &mut member, shared)?;
    member.finish().map(drop)
}

fn copy(rest: &mut impl Read, to: &mut impl Write, shared: &Shared) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    while !shared.is_late() {
        let unread = |error| {
            let reason = without_number(&error);
            io::Error::other(format!("a long line cannot be read from its temporary file: {reason}"))
        };
        match rest.read(&mut buffer).map_err(unread)? {
            0 => return Ok(()),
            count => to.write_all(&buffer[..count])?,
        }
    }
    Err(io::Error::other("a signal ended the run"))
}
