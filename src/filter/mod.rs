//! Filters: select the wanted lines of a batch.
//!
//! A filter is a [`Predicate`] in its own file ([`pattern`] is the smallest example) and a line in [`Filter::new`].

mod by_record;
mod condition;
mod context;
mod continued;
mod pattern;

#[cfg(fuzzing)]
pub use condition::fuzz;
use std::{ops::Range, sync::Arc};

use crate::{
    event::{Batch, Event, Instant, Item},
    notice::{Notice, Scope},
    origin::Origin,
    pace::Pace,
    plan::FilterPlan,
};
use by_record::ByRecord;
use context::Context;
use continued::Continued;
use pattern::Pattern;

/// One criterion. It may keep state for each origin; an origin's lines come in order.
trait Predicate: Send {
    fn wants(&mut self, origin: &Arc<Origin>, message: &[u8]) -> bool;

    /// Whether a line was too hard to be judged since this was last asked, and is kept.
    fn exhausted(&mut self) -> bool {
        false
    }

    /// No more lines of this origin, or of this instance of it, will come.
    fn forget(&mut self, _: &Arc<Origin>) {}

    /// Keeps in `kept` the indices of the wanted items. Provided here so that each predicate gets its own copy: one
    /// virtual call for each batch instead of each line.
    fn narrow(&mut self, batch: &Batch, kept: &mut Vec<u32>) {
        kept.retain(|&index| match &batch.items[index as usize] {
            Item::Line(line) => self.wants(&batch.origin, batch.message(line)),
            Item::Gap(_) | Item::Separator => true,
        });
    }
}

/// All predicates of a run: a line is wanted if every predicate wants it.
pub struct Filter {
    /// Lines that these do not want are not even shown around wanted ones.
    hiding: Vec<Box<dyn Predicate>>,
    selecting: Vec<Box<dyn Predicate>>,
    by_record: Option<ByRecord>,
    context: Option<Context>,
    /// Asked by those two.
    continued: Continued,
    kept: Vec<u32>,
    /// The items that are looked at together: those that may be shown, and the wanted ones.
    piece: Vec<u32>,
    wanted: Vec<u32>,
    /// The origins of lines that were too hard to be judged.
    reported: Vec<Arc<Origin>>,
}

impl Filter {
    pub fn new(plan: &FilterPlan) -> Filter {
        let boxed = |pattern: Pattern| Box::new(pattern) as Box<dyn Predicate>;
        let (hiding, selecting) = (Pattern::exclude(plan).map(boxed), Pattern::include(plan).map(boxed));
        let context = Context::new(plan.context);
        let by_record = ByRecord::new(plan);
        Filter {
            by_record,
            context,
            ..Filter::of(hiding.into_iter().collect(), selecting.into_iter().collect())
        }
    }

    fn of(hiding: Vec<Box<dyn Predicate>>, selecting: Vec<Box<dyn Predicate>>) -> Filter {
        Filter {
            hiding,
            selecting,
            by_record: None,
            context: None,
            continued: Continued::default(),
            kept: Vec::new(),
            piece: Vec::new(),
            wanted: Vec::new(),
            reported: Vec::new(),
        }
    }

    fn wants_all(&self) -> bool {
        self.hiding.is_empty() && self.selecting.is_empty() && self.by_record.is_none()
    }

    /// Keeps the wanted lines and the gaps.
    pub fn select(&mut self, batch: &mut Batch) {
        if !self.wants_all() {
            self.begin(batch);
            self.look(batch, 0..batch.items.len());
            self.finish(batch);
        }
    }

    fn begin(&mut self, batch: &Batch) {
        self.kept.clear();
        if self.by_record.is_some() || self.context.is_some() {
            self.continued.look(batch);
        }
    }

    /// Finds the wanted items among these.
    fn look(&mut self, batch: &Batch, items: Range<usize>) {
        self.piece.clear();
        self.piece.extend((0_u32..).skip(items.start).take(items.len()));
        for predicate in &mut self.hiding {
            predicate.narrow(batch, &mut self.piece);
        }
        self.wanted.clone_from(&self.piece);
        for predicate in &mut self.selecting {
            predicate.narrow(batch, &mut self.wanted);
        }
        if let Some(by_record) = &mut self.by_record {
            by_record.look(batch, items.clone(), &self.continued);
            self.wanted.retain(|index| by_record.wants(*index as usize - items.start));
        }
        match &mut self.context {
            None => self.kept.extend_from_slice(&self.wanted),
            Some(context) => context.take(batch, &self.piece, &self.wanted, &self.continued),
        }
    }

    /// Leaves in the batch the items that were found.
    fn finish(&mut self, batch: &mut Batch) {
        match &mut self.context {
            None => batch.keep(&self.kept),
            Some(context) => context.finish(batch),
        }
    }

    /// Removes unwanted lines from an event. Reports once for each origin that a line could not be judged.
    pub async fn apply(&mut self, event: &mut Event, pace: &mut Pace) -> Option<Notice> {
        match event {
            Event::Batch(_) if self.wants_all() => None,
            Event::Batch(batch) => {
                self.begin(batch);
                let (mut from, all) = (0, batch.items.len());
                while from < all {
                    let to = from + pace.piece(all - from);
                    self.look(batch, from..to);
                    pace.done().await;
                    from = to;
                }
                self.finish(batch);
                let news = self.by_record.as_mut().and_then(ByRecord::news);
                news.or_else(|| self.exhausted(&batch.origin))
            }
            Event::Closed(origin, _) => {
                self.predicates().for_each(|it| it.forget(origin));
                self.continued.forget(origin);
                if let Some(by_record) = &mut self.by_record {
                    by_record.forget(origin);
                }
                if let Some(context) = &mut self.context {
                    context.forget(origin);
                }
                self.reported.retain(|reported| !Arc::ptr_eq(reported, origin));
                None
            }
            Event::Expected(_)
            | Event::Listed
            | Event::Opened(..)
            | Event::Merged(_)
            | Event::Reached(..)
            | Event::CaughtUp(_)
            | Event::Notice(_)
            | Event::Text(_) => None,
        }
    }

    /// What is to be reported at the end.
    pub fn last_words(&mut self) -> Vec<Notice> {
        self.by_record.as_mut().map(ByRecord::last_words).unwrap_or_default()
    }

    /// The time of the oldest line that is held back of the origin of this batch, and may be shown around a later one.
    pub fn held_back(&self, event: &Event) -> Option<Instant> {
        match (&self.context, event) {
            (Some(context), Event::Batch(batch)) => context.oldest(&batch.origin),
            _ => None,
        }
    }

    fn predicates(&mut self) -> impl Iterator<Item = &mut Box<dyn Predicate>> {
        self.hiding.iter_mut().chain(&mut self.selecting)
    }

    fn exhausted(&mut self, origin: &Arc<Origin>) -> Option<Notice> {
        let record = self.by_record.as_mut().is_some_and(ByRecord::exhausted);
        let any = self.predicates().fold(record, |any, predicate| predicate.exhausted() | any);
        if !any || self.reported.iter().any(|reported| Arc::ptr_eq(reported, origin)) {
            return None;
        }
        self.reported.push(origin.clone());
        let text = "a long line is too hard to search for the patterns: such lines are shown unfiltered";
        Some(Scope::of(origin).warning(text))
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::{
        event::{Gap, Line},
        plan::LinePattern,
    };

    fn plan(include: Vec<LinePattern>, exclude: Vec<LinePattern>) -> FilterPlan {
        FilterPlan { include, exclude, ..FilterPlan::default() }
    }

    fn kept(include: &[&str], exclude: &[&str], lines: &[&str]) -> Vec<String> {
        let compile = |patterns: &[&str]| patterns.iter().map(|p| LinePattern::new(p).unwrap()).collect();
        let plan = plan(compile(include), compile(exclude));
        let mut batch = batch(lines);
        Filter::new(&plan).select(&mut batch);
        let message = |item: &Item| match item {
            Item::Line(line) => String::from_utf8(batch.message(line).to_vec()).unwrap(),
            other => format!("{other:?}"),
        };
        batch.items.iter().map(message).collect()
    }

    fn batch(lines: &[&str]) -> Batch {
        let mut items = Vec::new();
        let mut at = 0;
        for line in lines {
            items.push(Item::Line(Line { time: None, start: at, end: at + line.len() as u32 }));
            at += line.len() as u32 + 1;
        }
        Batch { origin: Arc::default(), data: lines.join("\n").into(), items, rest: None }
    }

    const LINES: &[&str] = &["alpha error one", "beta WARN two", "", "gamma [error] three error"];

    #[test]
    fn without_patterns_everything_stays() {
        assert_eq!(kept(&[], &[], LINES), LINES);
    }

    #[test]
    fn include_keeps_what_any_pattern_matches() {
        assert_eq!(kept(&["error", "WARN"], &[], LINES), [LINES[0], LINES[1], LINES[3]]);
        assert_eq!(kept(&["error,one"], &[], LINES), [""; 0]);
    }

    #[test]
    fn exclude_drops_what_any_pattern_matches() {
        assert_eq!(kept(&[], &["error", "WARN"], LINES), [""]);
    }

    #[test]
    fn exclude_wins_over_include() {
        assert_eq!(kept(&["error"], &["three"], LINES), [LINES[0]]);
    }

    #[test]
    fn anchors_see_the_message_without_its_newline() {
        assert_eq!(kept(&["^alpha", "two$"], &[], LINES), [LINES[0], LINES[1]]);
    }

    #[test]
    fn gaps_stay() {
        let plan = plan(Vec::new(), vec![LinePattern::new("").unwrap()]);
        let mut batch = batch(LINES);
        batch.items.push(Item::Gap(Gap::Behind(None)));
        Filter::new(&plan).select(&mut batch);
        assert_eq!(batch.items, [Item::Gap(Gap::Behind(None))]);
    }

    /// Wants every second line of each origin.
    #[derive(Default)]
    struct Alternate(std::collections::HashMap<usize, bool>);

    impl Predicate for Alternate {
        fn wants(&mut self, origin: &Arc<Origin>, _: &[u8]) -> bool {
            let wanted = self.0.entry(Arc::as_ptr(origin).addr()).or_default();
            *wanted = !*wanted;
            *wanted
        }

        fn forget(&mut self, origin: &Arc<Origin>) {
            self.0.remove(&Arc::as_ptr(origin).addr());
        }
    }

    #[test]
    fn a_predicate_keeps_its_state_for_each_origin_until_that_is_closed() {
        let alternate = Box::new(Alternate::default());
        let mut filter = Filter::of(Vec::new(), vec![alternate]);
        let (web, api) = (Arc::<Origin>::default(), Arc::<Origin>::default());
        let mut shown = |origin: &Arc<Origin>| {
            let mut batch = Batch { origin: origin.clone(), ..batch(&["a"]) };
            filter.select(&mut batch);
            batch.items.len()
        };
        assert_eq!([shown(&web), shown(&api), shown(&web), shown(&api)], [1, 1, 0, 0]);
        shown(&web);
        let closed = crate::event::Closed {
            reason: crate::event::Reason::Finished,
            opened: true,
            complete: true,
            restart_count: 0,
        };
        let closed = &mut Event::Closed(web.clone(), closed);
        assert!(filter.apply(closed, &mut Pace::default()).now_or_never().is_some());
        let mut batch = Batch { origin: web, ..batch(&["a"]) };
        filter.select(&mut batch);
        assert_eq!(batch.items.len(), 1);
    }
}
