//! Keys: which keys have a role, from the loggers that are in use, and from the user's config file.

use std::sync::{Arc, LazyLock};

use super::{
    Role,
    level::{Level, Scale},
};

/// The keys of each role, the one that decides first. A dot stands for a nested object too.
const ROLES: [(Role, &[&str]); 8] = [
    (
        Role::Level,
        &[
            "level",
            "severity",
            "@l",
            "lvl",
            "log.level",
            "levelname",
            "level_name",
            "loglevel",
            "log_level",
            "SeverityText",
            "severity_text",
            "@level",
            "error_severity",
            "Level.Name",
            "record.level.name",
        ],
    ),
    (
        Role::Message,
        &[
            "msg",
            "message",
            "@m",
            "fields.message",
            "@message",
            "body",
            "body.stringValue",
            "event",
            "short_message",
            "textPayload",
            "jsonPayload.message",
            "log",
            "@mt",
        ],
    ),
    (
        Role::Time,
        &[
            "ts",
            "time",
            "timestamp",
            "@timestamp",
            "@t",
            "datetime",
            "asctime",
            "t.$date",
            "instant",
            "timeMillis",
            "timeUnixNano",
            "__REALTIME_TIMESTAMP",
            "record.time",
        ],
    ),
    (
        Role::Error,
        &[
            "error",
            "error.message",
            "err",
            "err.message",
            "exception",
            "exception.message",
            "@x",
            "@x.message",
            "thrown",
            "thrown.message",
            "throwable",
            "exc_info",
            "exc_info.message",
            "fields.error",
        ],
    ),
    (
        Role::Stack,
        &[
            "stack",
            "stacktrace",
            "stack_trace",
            "error.stack_trace",
            "error.stack",
            "err.stack",
            "exception.stack_trace",
            "exception.stacktrace",
            "thrown.stackTrace",
            "thrown.extendedStackTrace",
            "@x",
            "@x.StackTrace",
            "errorVerbose",
        ],
    ),
    (
        Role::Logger,
        &[
            "logger",
            "logger_name",
            "loggerName",
            "log.logger",
            "SourceContext",
            "Category",
            "target",
            "channel",
            "@module",
        ],
    ),
    (Role::Caller, &["caller", "source", "src", "log.origin", "logging.googleapis.com/sourceLocation"]),
    (
        Role::Trace,
        &[
            "trace_id",
            "traceId",
            "trace.id",
            "@tr",
            "dd.trace_id",
            "traceparent",
            "logging.googleapis.com/trace",
            "request_id",
            "req_id",
            "requestId",
            "x-request-id",
            "correlation_id",
        ],
    ),
];

/// Keys that have a role only beside others.
const BESIDE: [(&str, Role, Marks); 5] = [
    ("s", Role::Level, Marks::MONGO),
    ("c", Role::Logger, Marks::MONGO),
    ("name", Role::Logger, Marks::PROCESS),
    ("file", Role::Caller, Marks::LINE),
    ("filename", Role::Caller, Marks::LINE),
];

/// Keys of numbers that are levels, the one that decides first.
const SCALES: [(&str, Scale); 7] = [
    ("level", Scale::Level),
    ("severityNumber", Scale::SeverityNumber),
    ("severity", Scale::Severity),
    ("PRIORITY", Scale::Priority),
    ("levelno", Scale::Python),
    ("level_value", Scale::Logback),
    ("severity_number", Scale::SeverityNumber),
];

/// Keys that tell how others are meant.
const MARKS: [(&str, Marks); 13] = [
    ("t.$date", Marks::MONGO),
    ("short_message", Marks::GELF),
    ("pid", Marks::PROCESS),
    ("levelname", Marks::PROCESS),
    ("line", Marks::LINE),
    ("lineno", Marks::LINE),
    ("@t", Marks::CLEF_TIME),
    ("@m", Marks::CLEF_MESSAGE),
    ("@mt", Marks::CLEF_MESSAGE),
    ("v", Marks::VERBOSITY),
    ("msg", Marks::MSG),
    ("ts", Marks::TS),
    ("err", Marks::ERR),
];

/// Keys that were seen in a record.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks(u16);

impl Marks {
    pub(super) const NONE: Marks = Marks(0);
    pub(super) const MONGO: Marks = Marks(1);
    pub(super) const GELF: Marks = Marks(2);
    pub(super) const PROCESS: Marks = Marks(4);
    pub(super) const LINE: Marks = Marks(8);
    pub(super) const CLEF_TIME: Marks = Marks(16);
    pub(super) const CLEF_MESSAGE: Marks = Marks(32);
    pub(super) const VERBOSITY: Marks = Marks(64);
    pub(super) const MSG: Marks = Marks(128);
    /// A number.
    pub(super) const TS: Marks = Marks(256);
    pub(super) const ERR: Marks = Marks(512);

    pub(super) fn add(&mut self, other: Marks) {
        self.0 |= other.0;
    }

    pub(super) fn has(self, all: Marks) -> bool {
        self.0 & all.0 == all.0
    }
}

/// The lower decides. A key in another case comes directly behind the same one.
pub(super) type Rank = u16;
/// Behind the keys of the user.
const BUILT_IN: Rank = 1 << 8;
/// Behind all words.
const NUMBERS: Rank = 1 << 10;
/// No key has it.
pub(super) const LAST: Rank = Rank::MAX;

/// A table of keys: those of the record itself, or those within an object whose key is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table(u8);

impl Table {
    pub(super) const ROOT: Table = Table(1);
    /// No key in it is known.
    pub(super) const NONE: Table = Table(0);
}

/// What a known key means.
#[derive(Debug)]
pub(super) struct Entry {
    key: Box<[u8]>,
    table: Table,
    pub(super) uses: Vec<(Role, Rank, Marks)>,
    pub(super) scale: Option<(Scale, Rank)>,
    pub(super) marks: Marks,
    /// Of the keys within its object.
    pub(super) within: Table,
}

/// The words of a house, from the config file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Words {
    /// A word or a number, and its level.
    pub levels: Vec<(String, Level)>,
    /// The keys of a role.
    pub fields: Vec<(Role, Vec<String>)>,
}

/// The keys and words that are known. Clones share them.
#[derive(Debug, Clone)]
pub struct Vocabulary(pub(super) Arc<Known>);

#[derive(Debug)]
pub(super) struct Known {
    entries: Vec<Entry>,
    /// Indices of entries, counted from one, at the hash of their keys or the next free slots.
    slots: Vec<u16>,
    levels: Vec<(Box<[u8]>, Level)>,
    tables: u8,
    /// The rank of the key whose word is the level whatever follows.
    pub(super) first: Rank,
}

const SLOTS: usize = 1 << 11;

impl Default for Vocabulary {
    fn default() -> Vocabulary {
        static BUILT_IN: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new(&Words::default()));
        BUILT_IN.clone()
    }
}

impl Vocabulary {
    pub fn new(words: &Words) -> Vocabulary {
        let mut known = Known {
            entries: Vec::new(),
            slots: vec![0; SLOTS],
            levels: words
                .levels
                .iter()
                .map(|(word, level)| (word.to_lowercase().into_bytes().into(), *level))
                .collect(),
            tables: Table::ROOT.0,
            first: BUILT_IN,
        };
        for (role, keys) in &words.fields {
            let rank = |index: usize| Rank::try_from(index).unwrap_or(BUILT_IN).min(BUILT_IN / 2 - 1) * 2;
            for (index, key) in keys.iter().enumerate() {
                known.insert(key, |entry| {
                    entry.uses.push((*role, rank(index), Marks::NONE));
                    if *role == Role::Level && entry.scale.is_none() {
                        entry.scale = Some((Scale::Level, rank(index) + NUMBERS));
                    }
                });
                if *role == Role::Level {
                    known.first = 0;
                }
            }
        }
        for (role, keys) in ROLES {
            for (rank, key) in (BUILT_IN..).step_by(2).zip(keys) {
                known.insert(key, |entry| entry.uses.push((role, rank, Marks::NONE)));
            }
        }
        for (rank, (key, role, marks)) in (NUMBERS - 100..).step_by(2).zip(BESIDE) {
            known.insert(key, |entry| entry.uses.push((role, rank, marks)));
        }
        for (rank, (key, scale)) in (NUMBERS + BUILT_IN..).step_by(2).zip(SCALES) {
            known.insert(key, |entry| entry.scale = entry.scale.or(Some((scale, rank))));
        }
        for (key, marks) in MARKS {
            known.insert(key, |entry| entry.marks.add(marks));
        }
        Vocabulary(Arc::new(known))
    }

    /// The level that a user means: the name of one, whatever the house's words are, or a word that records have.
    pub fn level(&self, word: &str) -> Option<Level> {
        let named = Level::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(word));
        named.or_else(|| self.0.level(word.as_bytes()))
    }
}

impl Known {
    /// The level of a word, the user's words first.
    pub(super) fn level(&self, word: &[u8]) -> Option<Level> {
        self.own(word).or_else(|| Level::of(word))
    }

    /// The level that the user gave a word or a number.
    pub(super) fn own(&self, word: &[u8]) -> Option<Level> {
        let word = word.trim_ascii();
        if self.levels.is_empty() {
            return None;
        }
        let lower = str::from_utf8(word).ok().filter(|word| !word.is_ascii()).map(str::to_lowercase);
        let word = lower.as_ref().map_or(word, |lower| lower.as_bytes());
        self.levels.iter().find(|(own, _)| own.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
    }

    /// What a key means, and whether it is spelled exactly so.
    #[inline]
    pub(super) fn find(&self, table: Table, key: &[u8]) -> Option<(&Entry, bool)> {
        let mut slot = hash(table, key)?;
        loop {
            let index = usize::from(*self.slots.get(slot)?);
            let entry = self.entries.get(index.checked_sub(1)?)?;
            if entry.table == table && entry.key.len() == key.len() {
                if *entry.key == *key {
                    return Some((entry, true));
                }
                if entry.key.eq_ignore_ascii_case(key) {
                    return Some((entry, false));
                }
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// Changes the entries of a path: with all ways to write its dots, as a key or as an object.
    fn insert(&mut self, path: &str, mut change: impl FnMut(&mut Entry)) {
        self.insert_within(Table::ROOT, path, &mut change);
    }

    fn insert_within(&mut self, table: Table, path: &str, change: &mut impl FnMut(&mut Entry)) {
        if let Some(entry) = self.entry(table, path) {
            change(entry);
        }
        for (dot, _) in path.match_indices('.') {
            let (outer, inner) = (&path[..dot], &path[dot + 1..]);
            let Some(new) = self.tables.checked_add(1) else { return };
            let Some(entry) = self.entry(table, outer) else { continue };
            if entry.within == Table::NONE {
                entry.within = Table(new);
            }
            let within = entry.within;
            self.tables = self.tables.max(within.0);
            self.insert_within(within, inner, change);
        }
    }

    /// None if it has no more room, or for an empty key.
    fn entry(&mut self, table: Table, key: &str) -> Option<&mut Entry> {
        let mut slot = hash(table, key.as_bytes())?;
        let index = loop {
            match usize::from(*self.slots.get(slot)?).checked_sub(1) {
                None if self.entries.len() >= SLOTS / 2 => return None,
                None => {
                    let key = key.as_bytes().into();
                    let (uses, scale) = (Vec::new(), None);
                    let entry = Entry { key, table, uses, scale, marks: Marks::NONE, within: Table::NONE };
                    self.entries.push(entry);
                    self.slots[slot] = self.entries.len() as u16;
                    break self.entries.len() - 1;
                }
                Some(index) => {
                    let entry = self.entries.get(index)?;
                    if entry.table == table && entry.key.eq_ignore_ascii_case(key.as_bytes()) {
                        break index;
                    }
                    slot = (slot + 1) % SLOTS;
                }
            }
        };
        self.entries.get_mut(index)
    }
}

/// The slot of a key in any case.
#[inline]
fn hash(table: Table, key: &[u8]) -> Option<usize> {
    let byte = |at: usize| usize::from(key[at] | 0x20);
    let last = key.len().checked_sub(1)?;
    let sum = byte(0) * 0x1f + byte(last / 2 + last % 2) * 0x83 + byte(last) * 0x11b + last * 0x2f1;
    Some((sum + usize::from(table.0) * 0x3a7) % SLOTS)
}
