//! `--until-match`: the line behind which the output ends.

use std::sync::Arc;

use crate::{
    event::{Event, Item, Stretch},
    notice::{Notice, Scope},
    origin::Origin,
    pace::Pace,
    plan::LinePattern,
    search::{Exhausted, Matcher},
};

pub struct Until {
    patterns: Vec<Matcher>,
    /// Whether it was reported that a line could not be searched.
    reported: bool,
}

impl Until {
    pub fn new(patterns: &[LinePattern]) -> Until {
        Until { patterns: patterns.iter().map(Matcher::new).collect(), reported: false }
    }

    /// Cuts an event behind its first line that matches, and returns whether there is one. The notice is about lines
    /// that could not be searched.
    pub async fn cut(&mut self, event: &mut Event, pace: &mut Pace) -> (bool, Option<Notice>) {
        if self.patterns.is_empty() {
            return (false, None);
        }
        let (last, notice) = match &*event {
            Event::Batch(batch) => self.find([batch.stretch()], pace).await,
            Event::Merged(merged) => self.find(merged.stretches(), pace).await,
            _ => return (false, None),
        };
        match (event, last) {
            (Event::Batch(batch), Some(last)) => batch.items.truncate(last + 1),
            (Event::Merged(merged), Some(last)) => merged.truncate(last + 1),
            _ => {}
        }
        (last.is_some(), notice)
    }

    /// The index of the first item that matches.
    async fn find(
        &mut self,
        stretches: impl IntoIterator<Item = Stretch<'_>>,
        pace: &mut Pace,
    ) -> (Option<usize>, Option<Notice>) {
        let (mut before, mut hard) = (0, None);
        for mut rest in stretches {
            while !rest.items.is_empty() {
                let (piece, others) = rest.split(pace.piece(usize::MAX));
                let found = piece.items.iter().position(|item| self.matches(piece, item, &mut hard));
                if let Some(found) = found {
                    return (Some(before + found), hard.and_then(|origin| self.report(&origin)));
                }
                pace.done().await;
                before += piece.items.len();
                rest = others;
            }
        }
        (None, hard.and_then(|origin| self.report(&origin)))
    }

    /// Sets `hard` to the origin of a line that cannot be searched.
    fn matches(&mut self, stretch: Stretch<'_>, item: &Item, hard: &mut Option<Arc<Origin>>) -> bool {
        let Item::Line(line) = item else { return false };
        self.patterns.iter_mut().any(|pattern| match pattern.is_match(stretch.message(line)) {
            Ok(matches) => matches,
            Err(Exhausted) => {
                hard.get_or_insert_with(|| stretch.origin.clone());
                false
            }
        })
    }

    fn report(&mut self, origin: &Arc<Origin>) -> Option<Notice> {
        let news = !std::mem::replace(&mut self.reported, true);
        let text = "a long line is too hard to search for --until-match: such lines do not match";
        news.then(|| Scope::of(origin).warning(text))
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::event::{Batch, Gap, Line};

    fn batch(lines: &[&str]) -> Batch {
        let mut at = 0;
        let line = |text: &&str| {
            let start = at;
            at += text.len() as u32;
            Item::Line(Line { time: None, start, end: at })
        };
        let items = lines.iter().map(line).collect();
        Batch { origin: Default::default(), data: lines.concat().into(), items, rest: None }
    }

    /// Whether a line matched, and the number of items left.
    fn cut(patterns: &[&str], batch: Batch) -> (bool, usize) {
        let patterns: Vec<_> = patterns.iter().map(|pattern| LinePattern::new(pattern).unwrap()).collect();
        let mut event = Event::Batch(batch);
        let (found, notice) =
            Until::new(&patterns).cut(&mut event, &mut Pace::default()).now_or_never().unwrap();
        assert!(notice.is_none());
        let Event::Batch(batch) = event else { panic!("{event:?}") };
        (found, batch.items.len())
    }

    #[test]
    fn the_first_line_that_matches_any_pattern_is_the_last() {
        let lines = ["starting", "ready", "error", "ready"];
        assert_eq!(cut(&["^ready$"], batch(&lines)), (true, 2));
        assert_eq!(cut(&["error", "^start"], batch(&lines)), (true, 1));
        assert_eq!(cut(&["^read$"], batch(&lines)), (false, 4));
        assert_eq!(cut(&[], batch(&lines)), (false, 4));
    }

    #[test]
    fn gaps_before_the_line_stay() {
        let mut batch = batch(&["a", "b"]);
        batch.items.insert(0, Item::Gap(Gap::Behind(None)));
        assert_eq!(cut(&["a"], batch), (true, 2));
    }
}
