//! `--context-lines`: the records around the wanted lines of each container.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use bytes::BytesMut;

use super::continued::Continued;
use crate::{
    event::{Batch, Instant, Item, Line},
    origin::Origin,
    plan::ContextPlan,
};

/// Bytes of earlier lines that are held in all, and of each origin in any case.
const HELD: usize = if cfg!(test) { 2000 } else { 64 << 20 };
const HELD_OF_ORIGIN: usize = if cfg!(test) { 1000 } else { 16 << 10 };

/// Adds to the wanted lines those before and after them.
pub struct Context {
    plan: ContextPlan,
    /// By the origin's address, which is not reused while the origin is kept.
    around: HashMap<usize, (Arc<Origin>, Around)>,
    /// The items to show of the batch that is being taken.
    shown: Vec<Item>,
    /// Lines among them that came in earlier batches. They will stand behind the batch's own.
    earlier: BytesMut,
}

/// The state of one log.
#[derive(Default)]
struct Around {
    /// Lines that are shown if a wanted one follows: of the record that is being read, and of those before it.
    held: VecDeque<Held>,
    /// The number of records among them.
    heads: u64,
    /// How many records to show from the one that is being read on; None: this one is held.
    showing: Option<u64>,
    seam: Seam,
}

/// A line that is not shown yet.
struct Held {
    time: Option<Instant>,
    is_head: bool,
    place: Place,
}

enum Place {
    /// In the batch that is being taken.
    Here(Line),
    Earlier(Box<[u8]>),
}

/// The lines between the last one shown and the next one.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Seam {
    /// No line was shown before.
    #[default]
    Start,
    Nothing,
    /// Lines that are not shown.
    Hidden,
}

impl Context {
    /// None if no lines around the wanted ones are to be shown.
    pub fn new(plan: ContextPlan) -> Option<Context> {
        let any = plan != ContextPlan::default();
        any.then(|| Context { plan, around: HashMap::new(), shown: Vec::new(), earlier: BytesMut::new() })
    }

    /// Takes the next items of a batch: those that may be shown, and which of them are wanted.
    pub fn take(&mut self, batch: &Batch, items: &[u32], wanted: &[u32], continued: &Continued) {
        let Self { plan, around, shown, earlier } = self;
        let around =
            around.entry(address(&batch.origin)).or_insert_with(|| (batch.origin.clone(), Around::default()));
        let mut wanted = wanted.iter().peekable();
        let mut out = Out { batch, shown, earlier };
        for index in items {
            let is_wanted = wanted.next_if_eq(&index).is_some();
            match batch.items[*index as usize] {
                Item::Line(line) => {
                    let is_head = !continued.is(*index as usize);
                    around.1.take(*plan, line, is_head, is_wanted, &mut out);
                }
                // The lines before this place are not the context of those behind it.
                item @ (Item::Gap(_) | Item::Separator) => {
                    around.1.drop_all();
                    out.shown.push(item);
                }
            }
        }
    }

    /// Leaves the items to show in a batch that was taken, and copies those that may be shown later.
    pub fn finish(&mut self, batch: &mut Batch) {
        let limit = (HELD / self.around.len().max(1)).max(HELD_OF_ORIGIN);
        if let Some((_, around)) = self.around.get_mut(&address(&batch.origin)) {
            around.keep(batch, limit);
        }
        // The vector is used again.
        std::mem::swap(&mut batch.items, &mut self.shown);
        self.shown.clear();
        if !self.earlier.is_empty() {
            let mut data = BytesMut::with_capacity(batch.data.len() + self.earlier.len());
            data.extend_from_slice(&batch.data);
            data.extend_from_slice(&self.earlier);
            batch.data = data.freeze();
            self.earlier.clear();
        }
    }

    /// The time of the oldest line that is held of this origin.
    pub fn oldest(&self, origin: &Arc<Origin>) -> Option<Instant> {
        let (_, around) = self.around.get(&address(origin))?;
        around.held.iter().find_map(|line| line.time)
    }

    /// No more lines of this origin, or of this instance of it, will come.
    pub fn forget(&mut self, origin: &Arc<Origin>) {
        self.around.remove(&address(origin));
    }
}

fn address(origin: &Arc<Origin>) -> usize {
    Arc::as_ptr(origin).addr()
}

/// The items to show of one batch.
struct Out<'a> {
    batch: &'a Batch,
    shown: &'a mut Vec<Item>,
    earlier: &'a mut BytesMut,
}

impl Out<'_> {
    fn line(&mut self, held: Held) {
        let line = match held.place {
            Place::Here(line) => line,
            Place::Earlier(message) => {
                let start = (self.batch.data.len() + self.earlier.len()) as u32;
                self.earlier.extend_from_slice(&message);
                Line { time: held.time, start, end: start + message.len() as u32 }
            }
        };
        self.shown.push(Item::Line(line));
    }
}

impl Around {
    fn take(&mut self, plan: ContextPlan, line: Line, is_head: bool, is_wanted: bool, out: &mut Out<'_>) {
        if is_head {
            self.showing =
                self.showing.and_then(|records| records.checked_sub(1)).filter(|records| *records > 0);
        }
        if is_wanted {
            self.showing = Some(plan.after.saturating_add(1));
        }
        let is_head = is_head || self.held.is_empty();
        self.hold(Held { time: line.time, is_head, place: Place::Here(line) }, plan.before);
        if self.showing.is_some() {
            self.show(out);
        }
    }

    /// Adds a line behind the held ones, of which its record and `before` others stay.
    fn hold(&mut self, line: Held, before: u64) {
        self.heads += u64::from(line.is_head);
        self.held.push_back(line);
        while self.heads > before.saturating_add(1) {
            self.drop_first();
        }
    }

    /// Drops the first of the held records, and returns its size.
    fn drop_first(&mut self) -> usize {
        let mut size = 0;
        while let Some(line) = self.held.pop_front() {
            self.heads -= u64::from(line.is_head);
            size += line.size();
            if self.held.front().is_some_and(|next| next.is_head) {
                break;
            }
        }
        self.hide();
        size
    }

    fn drop_all(&mut self) {
        while !self.held.is_empty() {
            self.drop_first();
        }
    }

    fn hide(&mut self) {
        if self.seam != Seam::Start {
            self.seam = Seam::Hidden;
        }
    }

    fn show(&mut self, out: &mut Out<'_>) {
        if self.seam == Seam::Hidden {
            out.shown.push(Item::Separator);
        }
        self.seam = Seam::Nothing;
        self.heads = 0;
        self.held.drain(..).for_each(|line| out.line(line));
    }

    /// Copies the held lines of this batch. Of more than `limit` bytes, the last records stay.
    fn keep(&mut self, batch: &Batch, limit: usize) {
        let mut size: usize = self.held.iter().map(Held::size).sum();
        while size > limit {
            size -= self.drop_first();
        }
        for line in &mut self.held {
            if let Place::Here(here) = &line.place {
                line.place = Place::Earlier(batch.message(here).into());
            }
        }
    }
}

impl Held {
    /// In bytes.
    fn size(&self) -> usize {
        let message = match &self.place {
            Place::Here(line) => (line.end - line.start) as usize,
            Place::Earlier(message) => message.len(),
        };
        size_of::<Held>() + message
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Gap;

    fn context(before: u64, after: u64) -> (Context, Continued) {
        (Context::new(ContextPlan { before, after }).expect("lines around"), Continued::default())
    }

    /// Lines that begin with `*` are wanted. Each string is a batch of words.
    fn shown(before: u64, after: u64, batches: &[&str]) -> Vec<String> {
        let mut context = context(before, after);
        let origin = Arc::<Origin>::default();
        batches.iter().map(|words| pass(&mut context, &origin, words)).collect()
    }

    /// A `|` is a gap; a word that begins with `_` is indented.
    fn pass((context, continued): &mut (Context, Continued), origin: &Arc<Origin>, words: &str) -> String {
        let data = words.replace('_', "\t");
        let (mut items, mut at) = (Vec::new(), 0);
        for word in data.split(' ') {
            let end = at + word.len() as u32;
            items.push(match word {
                "|" => Item::Gap(Gap::Behind(None)),
                _ => Item::Line(Line { time: None, start: at, end }),
            });
            at = end + 1;
        }
        let mut batch = Batch { origin: origin.clone(), data: data.clone().into(), items, rest: None };
        let all: Vec<u32> = (0..batch.items.len() as u32).collect();
        let is_wanted =
            |index: &u32| data.split(' ').nth(*index as usize).is_some_and(|word| word.contains('*'));
        continued.look(&batch);
        // In two pieces.
        let (some, others) = all.split_at(all.len() / 2);
        for piece in [some, others] {
            let wanted: Vec<u32> = piece.iter().copied().filter(is_wanted).collect();
            context.take(&batch, piece, &wanted, continued);
        }
        context.finish(&mut batch);
        let text = |item: &Item| match item {
            Item::Line(line) => String::from_utf8_lossy(batch.message(line)).replace('\t', "_"),
            Item::Gap(_) => "|".to_owned(),
            Item::Separator => "--".to_owned(),
        };
        batch.items.iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn lines_before_and_after_a_wanted_one_are_shown() {
        assert_eq!(shown(1, 2, &["a b *c d e f"]), ["b *c d e"]);
        assert_eq!(shown(0, 1, &["a *b c d"]), ["*b c"]);
        assert_eq!(shown(1, 0, &["a b *c d"]), ["b *c"]);
    }

    #[test]
    fn a_separator_stands_where_lines_are_left_out() {
        assert_eq!(shown(1, 1, &["a b *c d e f *g h"]), ["b *c d -- f *g h"]);
        assert_eq!(shown(1, 1, &["*a b c *d", "e f g *h"]), ["*a b c *d", "e -- g *h"]);
    }

    #[test]
    fn groups_that_touch_or_overlap_are_one() {
        assert_eq!(shown(1, 1, &["*a b c *d *e f *g"]), ["*a b c *d *e f *g"]);
    }

    #[test]
    fn context_reaches_over_batches_and_shows_no_line_twice() {
        assert_eq!(shown(2, 1, &["a b", "c", "*d", "e f", "*g"]), ["", "", "b c *d", "e", "f *g"]);
    }

    #[test]
    fn each_origin_has_its_own_context() {
        let mut context = context(1, 1);
        let (web, api) = (Arc::<Origin>::default(), Arc::<Origin>::default());
        let passed = [(&web, "a"), (&api, "A"), (&web, "*b"), (&api, "B"), (&web, "c d"), (&api, "*C")]
            .map(|(origin, words)| pass(&mut context, origin, words));
        assert_eq!(passed, ["", "", "a *b", "", "c", "B *C"]);
    }

    #[test]
    fn a_record_of_several_lines_counts_as_one() {
        let log = "a b _b1 _b2 *c _c1 d _d1 e";
        assert_eq!(shown(1, 1, &[log]), ["b _b1 _b2 *c _c1 d _d1"]);
        assert_eq!(
            shown(1, 1, &["a b _b1", "_b2 *c", "_c1 d _d1", "_d2 e"]),
            ["", "b _b1 _b2 *c", "_c1 d _d1", "_d2"]
        );
    }

    #[test]
    fn a_record_is_shown_whole_if_any_of_its_lines_is_wanted() {
        assert_eq!(shown(0, 1, &["a b _b1 _*b2 _b3 c d"]), ["b _b1 _*b2 _b3 c"]);
    }

    #[test]
    fn context_does_not_reach_over_a_gap() {
        assert_eq!(shown(2, 0, &["*x a | *b"]), ["*x | -- *b"]);
    }

    #[test]
    fn an_origin_that_is_closed_leaves_nothing() {
        let mut context = context(1, 1);
        let origin = Arc::<Origin>::default();
        pass(&mut context, &origin, "*a b c");
        context.0.forget(&origin);
        context.1.forget(&origin);
        assert_eq!((pass(&mut context, &origin, "*d"), Arc::strong_count(&origin)), ("*d".to_owned(), 3));
    }

    #[test]
    fn few_bytes_are_held_of_long_lines() {
        let long = "x".repeat(HELD / 2);
        let batches = ["*a", "b", &long, &long, "c", "*d"];
        let shown = shown(9, 0, &batches);
        assert_eq!(shown.last(), Some(&format!("-- {long} c *d")));
    }
}
