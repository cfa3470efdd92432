//! `--multiline`: holds the lines of a record until all of them have come.

use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use bytes::BytesMut;
use tokio::time::Instant;

use super::Records;
use crate::{
    event::{self, Batch, Event, Item, Line},
    origin::Origin,
};

/// How long a record waits for its next line, unless lines come later because `--latency` delays them.
pub const WAIT: Duration = Duration::from_millis(100);

/// The most lines and bytes of a record that are held, and the bytes of all records together.
pub(super) const LINES: usize = 500;
pub(super) const BYTES: usize = 256 << 10;
const ALL: usize = if cfg!(test) { 1 << 20 } else { 16 << 20 };

/// How records pass that are whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gathering {
    /// As one message of several lines.
    Joined,
    /// Line by line, all in one batch.
    Whole,
}

/// Holds the last record of each log.
pub struct Gather {
    gathering: Gathering,
    /// How long a record waits for its next line.
    wait: Duration,
    /// By the origin's address, which is not reused while the origin is kept.
    logs: HashMap<usize, Log>,
    /// When records are due, in order; those that were renewed stand again behind.
    due: VecDeque<(Instant, usize)>,
    /// Bytes that are held.
    bytes: usize,
    /// The events that may go on.
    ready: VecDeque<Event>,
}

/// The record of one log that is being read.
struct Log {
    origin: Arc<Origin>,
    records: Records,
    /// Its lines so far, with newlines between them.
    data: Vec<u8>,
    lines: Vec<Line>,
    due: Instant,
    /// Events that may not overtake them.
    behind: Vec<Event>,
}

impl Gather {
    pub fn new(gathering: Gathering, wait: Duration) -> Gather {
        Gather {
            gathering,
            wait,
            logs: HashMap::new(),
            due: VecDeque::new(),
            bytes: 0,
            ready: VecDeque::new(),
        }
    }

    /// Takes an event; it is ready at once, or later.
    pub fn take(&mut self, event: Event, now: Instant) {
        match event {
            Event::Batch(batch) => self.batch(batch, now),
            Event::Reached(ref origin, _) | Event::CaughtUp(ref origin) => {
                match self.logs.get_mut(&address(origin)).filter(|log| !log.lines.is_empty()) {
                    Some(log) => log.wait(event),
                    None => self.ready.push_back(event),
                }
            }
            Event::Opened(ref origin, _) | Event::Closed(ref origin, _) => {
                let key = address(origin);
                self.release(key);
                self.logs.remove(&key);
                self.ready.push_back(event);
            }
            Event::Expected(_) | Event::Listed | Event::Merged(_) | Event::Notice(_) | Event::Text(_) => {
                self.ready.push_back(event);
            }
        }
    }

    /// The next event that may go on.
    pub fn ready(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    /// When the next record is due.
    pub fn due(&mut self) -> Option<Instant> {
        loop {
            let &(due, key) = self.due.front()?;
            match self.logs.get(&key) {
                Some(log) if log.due == due && !log.lines.is_empty() => return Some(due),
                _ => self.due.pop_front(),
            };
        }
    }

    /// Lets the records go on that are due.
    pub fn pass(&mut self, now: Instant) {
        while let Some(due) = self.due()
            && due <= now
            && let Some((_, key)) = self.due.pop_front()
        {
            self.release(key);
        }
    }

    /// Lets all records go on: no more lines come.
    pub fn close(&mut self) {
        while let Some((_, key)) = self.due.pop_front() {
            self.release(key);
        }
    }

    fn batch(&mut self, batch: Batch, now: Instant) {
        let Self { gathering, wait, logs, due, bytes, ready } = self;
        let key = address(&batch.origin);
        let log = logs.entry(key).or_insert_with(|| Log::new(batch.origin.clone(), now));
        let mut out = Out::behind(&batch, *gathering);
        let before = log.data.len();
        for item in &batch.items {
            let Item::Line(line) = item else {
                log.give(&mut out);
                log.records = Records::default();
                out.items.push(*item);
                continue;
            };
            let message = batch.message(line);
            if !log.records.continues(line.time, message) {
                log.give(&mut out);
            }
            match message {
                // Nothing belongs to JSON in one line.
                [b'{', _, ..] => out.items.push(*item),
                _ => log.hold(line.time, message),
            }
            if log.lines.len() >= LINES || log.data.len() >= BYTES {
                log.give(&mut out);
            }
        }
        *bytes = *bytes - before + log.data.len();
        let passed = out.finish(batch);
        if !passed.items.is_empty() {
            ready.push_back(Event::Batch(passed));
            ready.extend(log.behind.drain(..));
        }
        if !log.lines.is_empty() {
            log.due = now + *wait;
            due.push_back((log.due, key));
        }
        while self.bytes > ALL
            && let Some((&largest, _)) =
                self.logs.iter().max_by_key(|(_, log)| (log.data.len(), Reverse(log.due)))
        {
            self.release(largest);
        }
    }

    /// Lets the record of a log go on.
    fn release(&mut self, key: usize) {
        let Some(log) = self.logs.get_mut(&key).filter(|log| !log.lines.is_empty()) else { return };
        self.bytes -= log.data.len();
        let batch =
            Batch { origin: log.origin.clone(), data: Default::default(), items: Vec::new(), rest: None };
        let mut out = Out::behind(&batch, self.gathering);
        log.give(&mut out);
        self.ready.push_back(Event::Batch(out.finish(batch)));
        self.ready.extend(log.behind.drain(..));
    }
}

impl Log {
    fn new(origin: Arc<Origin>, now: Instant) -> Log {
        Log {
            origin,
            records: Records::default(),
            data: Vec::new(),
            lines: Vec::new(),
            due: now,
            behind: Vec::new(),
        }
    }

    /// Of several that say how far the log was read, the last is enough.
    fn wait(&mut self, event: Event) {
        if let Event::Reached(..) = event {
            self.behind.retain(|other| !matches!(other, Event::Reached(..)));
        }
        self.behind.push(event);
    }

    fn hold(&mut self, time: Option<event::Instant>, message: &[u8]) {
        if !self.lines.is_empty() {
            self.data.push(b'\n');
        }
        let start = self.data.len() as u32;
        self.data.extend_from_slice(message);
        self.lines.push(Line { time, start, end: self.data.len() as u32 });
    }

    /// Moves the record behind what passes.
    fn give(&mut self, out: &mut Out) {
        let Some(first) = self.lines.first() else { return };
        let base = out.base + out.data.len() as u32;
        let moved =
            |line: &Line| Item::Line(Line { start: base + line.start, end: base + line.end, ..*line });
        match out.gathering {
            Gathering::Joined => match self.lines[..] {
                // No trace came behind the empty line: the message ends as its logger wrote it.
                [_, last] if last.start == last.end => out.items.extend(self.lines.iter().map(moved)),
                _ => out.items.push(moved(&Line { end: self.data.len() as u32, ..*first })),
            },
            Gathering::Whole => out.items.extend(self.lines.iter().map(moved)),
        }
        out.data.extend_from_slice(&self.data);
        self.lines.clear();
        self.data.clear();
        // A long record leaves no memory behind.
        self.data.shrink_to(BYTES / 16);
    }
}

/// What passes of a batch: lines of its own, and behind its data those that were held.
struct Out {
    gathering: Gathering,
    base: u32,
    data: BytesMut,
    items: Vec<Item>,
}

impl Out {
    fn behind(batch: &Batch, gathering: Gathering) -> Out {
        Out { gathering, base: batch.data.len() as u32, data: BytesMut::new(), items: Vec::new() }
    }

    fn finish(self, batch: Batch) -> Batch {
        let data = match self.data.is_empty() {
            true => batch.data,
            false => {
                let mut both = BytesMut::with_capacity(batch.data.len() + self.data.len());
                both.extend_from_slice(&batch.data);
                both.extend_from_slice(&self.data);
                both.freeze()
            }
        };
        Batch { data, items: self.items, ..batch }
    }
}

fn address(origin: &Arc<Origin>) -> usize {
    Arc::as_ptr(origin).addr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Closed, Gap, Reason};

    /// What passed, as text.
    struct Passed {
        gather: Gather,
        now: Instant,
        began: Instant,
    }

    impl Passed {
        fn new(gathering: Gathering) -> Passed {
            let now = Instant::now();
            Passed { gather: Gather::new(gathering, WAIT), now, began: now }
        }

        /// These lines of an origin arrive together.
        fn lines(&mut self, origin: &Arc<Origin>, lines: &[&str]) -> Vec<String> {
            let (mut data, mut items) = (String::new(), Vec::new());
            for line in lines {
                let start = data.len() as u32;
                data.push_str(line);
                let time = Some(event::Instant(0));
                items.push(match *line {
                    "|" => Item::Gap(Gap::Behind(None)),
                    _ => Item::Line(Line { time, start, end: data.len() as u32 }),
                });
            }
            self.take(Event::Batch(Batch { origin: origin.clone(), data: data.into(), items, rest: None }))
        }

        fn take(&mut self, event: Event) -> Vec<String> {
            self.gather.take(event, self.now);
            self.ready()
        }

        /// Time passes until then, in milliseconds since the start.
        fn pass(&mut self, until: u64) -> Vec<String> {
            self.now = self.began + Duration::from_millis(until);
            self.gather.pass(self.now);
            self.ready()
        }

        fn ready(&mut self) -> Vec<String> {
            let mut texts = Vec::new();
            while let Some(event) = self.gather.ready() {
                match event {
                    Event::Batch(batch) => texts.extend(batch.items.iter().map(|item| match item {
                        Item::Line(line) => String::from_utf8_lossy(batch.message(line)).into_owned(),
                        Item::Gap(_) | Item::Separator => "|".to_owned(),
                    })),
                    Event::Closed(..) => texts.push("closed".to_owned()),
                    Event::CaughtUp(_) => texts.push("caught up".to_owned()),
                    Event::Reached(_, at) => texts.push(format!("reached {}", at.0)),
                    other => panic!("{other:?}"),
                }
            }
            texts
        }
    }

    fn closed(origin: &Arc<Origin>) -> Event {
        let closed = Closed { reason: Reason::Finished, opened: true, complete: true, restart_count: 0 };
        Event::Closed(origin.clone(), closed)
    }

    #[test]
    fn a_record_passes_when_the_next_begins() {
        let (mut joined, web) = (Passed::new(Gathering::Joined), Arc::default());
        assert_eq!(joined.lines(&web, &["ERROR x", "\tat a"]), [""; 0]);
        assert_eq!(joined.lines(&web, &["\tat b", "INFO y"]), ["ERROR x\n\tat a\n\tat b"]);
        assert_eq!(joined.lines(&web, &["INFO z"]), ["INFO y"]);
        assert_eq!(joined.take(closed(&web)), ["INFO z", "closed"]);
    }

    #[test]
    fn lines_that_are_not_joined_pass_together() {
        let (mut whole, web) = (Passed::new(Gathering::Whole), Arc::default());
        assert_eq!(whole.lines(&web, &["ERROR x", "\tat a"]), [""; 0]);
        assert_eq!(whole.lines(&web, &["\tat b", "INFO y"]), ["ERROR x", "\tat a", "\tat b"]);
    }

    #[test]
    fn a_record_waits_100_ms_for_its_next_line() {
        let (mut joined, web) = (Passed::new(Gathering::Joined), Arc::default());
        joined.lines(&web, &["ERROR x"]);
        assert_eq!(joined.pass(99), [""; 0]);
        joined.lines(&web, &["\tat a"]);
        assert_eq!(joined.pass(198), [""; 0]);
        assert_eq!(joined.gather.due(), Some(joined.began + Duration::from_millis(199)));
        assert_eq!(joined.pass(199), ["ERROR x\n\tat a"]);
        assert_eq!((joined.gather.due(), joined.gather.bytes), (None, 0));
    }

    #[test]
    fn an_empty_line_without_a_trace_is_no_part_of_the_message() {
        let (mut joined, web) = (Passed::new(Gathering::Joined), Arc::default());
        assert_eq!(joined.lines(&web, &["ERROR x", "", "INFO y"]), ["ERROR x", ""]);
        assert_eq!(joined.lines(&web, &["ERROR z", ""]), ["INFO y"]);
        assert_eq!(joined.lines(&web, &["a.Error: b", "\tat c", ""]), [""; 0]);
        assert_eq!(joined.pass(100), ["ERROR z\n\na.Error: b\n\tat c\n"]);
    }

    #[test]
    fn json_in_one_line_passes_at_once() {
        let (mut joined, web) = (Passed::new(Gathering::Joined), Arc::default());
        assert_eq!(joined.lines(&web, &["a", "{\"b\":1}", "{}"]), ["a", "{\"b\":1}", "{}"]);
        assert_eq!(joined.lines(&web, &["  at x"]), [""; 0]);
        assert_eq!(joined.pass(100), ["  at x"]);
    }

    #[test]
    fn json_of_several_lines_is_one() {
        let (mut joined, web) = (Passed::new(Gathering::Joined), Arc::default());
        let passed = joined.lines(&web, &["{", "  \"a\": [", "    1", "  ]", "}", "{\"b\":1}"]);
        assert_eq!(passed, ["{\n  \"a\": [\n    1\n  ]\n}", "{\"b\":1}"]);
    }

    #[test]
    fn each_log_has_its_own_record() {
        let (mut joined, web, api) = (Passed::new(Gathering::Joined), Arc::default(), Arc::default());
        for (origin, line) in [(&web, "ERROR w"), (&api, "ERROR a"), (&web, "\tat w"), (&api, "\tat a")] {
            assert_eq!(joined.lines(origin, &[line]), [""; 0]);
        }
        assert_eq!(joined.pass(100), ["ERROR w\n\tat w", "ERROR a\n\tat a"]);
    }

    #[test]
    fn nothing_overtakes_a_record() {
        let (mut joined, web) = (Passed::new(Gathering::Joined), Arc::default());
        joined.lines(&web, &["ERROR x"]);
        let reached = |at| Event::Reached(web.clone(), event::Instant(at));
        for event in [reached(1), Event::CaughtUp(web.clone()), reached(2)] {
            assert_eq!(joined.take(event), [""; 0]);
        }
        joined.lines(&web, &["\tat a"]);
        assert_eq!(joined.pass(100), ["ERROR x\n\tat a", "caught up", "reached 2"]);
        assert_eq!(joined.take(reached(3)), ["reached 3"]);
        assert_eq!(joined.lines(&web, &["b", "|", "\tc"]), ["b", "|"]);
    }

    #[test]
    fn a_record_has_bounds() {
        let (mut joined, web) = (Passed::new(Gathering::Joined), Arc::default());
        let mut lines = vec!["head"];
        lines.extend(["\tat"; LINES]);
        let passed = joined.lines(&web, &lines);
        assert_eq!(passed.iter().map(|text| text.lines().count()).collect::<Vec<_>>(), [LINES]);
        assert_eq!(joined.pass(100), ["\tat"]);
        let long = format!("\t{}", "x".repeat(BYTES / 2));
        let passed = joined.lines(&web, &["head", &long, &long, &long]);
        assert_eq!(passed.iter().map(|text| text.lines().count()).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn of_too_many_bytes_the_longest_record_passes_first() {
        let mut joined = Passed::new(Gathering::Joined);
        let origins: Vec<Arc<Origin>> = (0..6).map(|_| Arc::default()).collect();
        let sizes = [200, 210, 220, 230, 190].map(|size| "x".repeat(size << 10));
        for (origin, text) in origins.iter().zip(&sizes) {
            let passed = joined.lines(origin, &[text]);
            assert_eq!(passed.len(), usize::from(Arc::ptr_eq(origin, &origins[4])));
            assert!(passed.iter().all(|text| text.len() == 230 << 10));
        }
        assert!(joined.gather.bytes <= ALL);
    }

    #[test]
    fn at_the_end_nothing_is_left() {
        let (mut joined, web) = (Passed::new(Gathering::Joined), Arc::default());
        joined.lines(&web, &["a", " b"]);
        joined.gather.close();
        assert_eq!((joined.ready(), joined.gather.due()), (vec!["a\n b".to_owned()], None));
    }
}
