//! Filters: select the wanted lines of a batch.
//!
//! A filter is a [`Predicate`] in its own file ([`pattern`] is the smallest example) and a line in [`Filter::new`].

mod pattern;

use std::{ops::Range, sync::Arc};

use crate::{
    event::{Batch, Event, Item},
    notice::{Notice, Scope},
    origin::Origin,
    pace::Pace,
    plan::FilterPlan,
};
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
            Item::Gap(_) => true,
        });
    }
}

/// All predicates of a run: a line is wanted if every predicate wants it.
pub struct Filter {
    predicates: Vec<Box<dyn Predicate>>,
    kept: Vec<u32>,
    /// The items that are looked at together.
    piece: Vec<u32>,
    /// The origins of lines that were too hard to be judged.
    reported: Vec<Arc<Origin>>,
}

impl Filter {
    pub fn new(plan: &FilterPlan) -> Filter {
        let pattern = Pattern::new(plan).map(|pattern| Box::new(pattern) as Box<dyn Predicate>);
        Filter::of(pattern.into_iter().collect())
    }

    fn of(predicates: Vec<Box<dyn Predicate>>) -> Filter {
        Filter { predicates, kept: Vec::new(), piece: Vec::new(), reported: Vec::new() }
    }

    /// The indices of the wanted items and of the gaps; None: all items.
    pub fn select(&mut self, batch: &Batch) -> Option<&[u32]> {
        if self.predicates.is_empty() {
            return None;
        }
        self.kept.clear();
        self.look(batch, 0..batch.items.len());
        Some(&self.kept)
    }

    /// Adds the indices of the wanted items among these.
    fn look(&mut self, batch: &Batch, items: Range<usize>) {
        self.piece.clear();
        self.piece.extend((0_u32..).skip(items.start).take(items.len()));
        for predicate in &mut self.predicates {
            predicate.narrow(batch, &mut self.piece);
        }
        self.kept.extend_from_slice(&self.piece);
    }

    /// Removes unwanted lines from an event. Reports once for each origin that a line could not be judged.
    pub async fn apply(&mut self, event: &mut Event, pace: &mut Pace) -> Option<Notice> {
        match event {
            Event::Batch(_) if self.predicates.is_empty() => None,
            Event::Batch(batch) => {
                self.kept.clear();
                let (mut from, all) = (0, batch.items.len());
                while from < all {
                    let to = from + pace.piece(all - from);
                    self.look(batch, from..to);
                    pace.done().await;
                    from = to;
                }
                batch.keep(&self.kept);
                self.exhausted(&batch.origin)
            }
            Event::Closed(origin, _) => {
                self.predicates.iter_mut().for_each(|it| it.forget(origin));
                self.reported.retain(|reported| !Arc::ptr_eq(reported, origin));
                None
            }
            Event::Expected(_)
            | Event::Listed
            | Event::Opened(_)
            | Event::Merged(_)
            | Event::Reached(..)
            | Event::CaughtUp(_)
            | Event::Notice(_)
            | Event::Text(_) => None,
        }
    }

    fn exhausted(&mut self, origin: &Arc<Origin>) -> Option<Notice> {
        let any = self.predicates.iter_mut().fold(false, |any, predicate| predicate.exhausted() | any);
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

    #[expect(clippy::needless_update, reason = "it compiles with another filter too")]
    fn plan(include: Vec<LinePattern>, exclude: Vec<LinePattern>) -> FilterPlan {
        FilterPlan { include, exclude, ..FilterPlan::default() }
    }

    fn kept(include: &[&str], exclude: &[&str], lines: &[&str]) -> Vec<String> {
        let compile = |patterns: &[&str]| patterns.iter().map(|p| LinePattern::new(p).unwrap()).collect();
        let plan = plan(compile(include), compile(exclude));
        let mut batch = batch(lines);
        if let Some(kept) = Filter::new(&plan).select(&batch.clone()) {
            batch.keep(kept);
        }
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
        assert_eq!(Filter::new(&plan).select(&batch), Some(&[4][..]));
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
        let mut filter = Filter::of(vec![alternate]);
        let (web, api) = (Arc::<Origin>::default(), Arc::<Origin>::default());
        let mut shown = |origin: &Arc<Origin>| {
            let batch = Batch { origin: origin.clone(), ..batch(&["a"]) };
            filter.select(&batch).map(<[u32]>::len)
        };
        assert_eq!([shown(&web), shown(&api), shown(&web), shown(&api)], [1, 1, 0, 0].map(Some));
        shown(&web);
        let closed = crate::event::Closed {
            reason: crate::event::Reason::Finished,
            opened: true,
            complete: true,
            restart_count: 0,
        };
        let closed = &mut Event::Closed(web.clone(), closed);
        assert!(filter.apply(closed, &mut Pace::default()).now_or_never().is_some());
        assert_eq!(filter.select(&Batch { origin: web, ..batch(&["a"]) }), Some(&[0][..]));
    }
}
