//! `--until-match`: the line behind which the output ends.

use crate::{
    event::{Batch, Event, Item},
    notice::{Notice, Scope},
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

    /// Cuts an event behind its first line that matches, and returns whether there is one. The notice is about lines that
    /// could not be searched.
    pub async fn cut(&mut self, event: &mut Event, pace: &mut Pace) -> (bool, Option<Notice>) {
        let Event::Batch(batch) = event else { return (false, None) };
        if self.patterns.is_empty() {
            return (false, None);
        }
        let (mut from, all, mut hard) = (0, batch.items.len(), false);
        while from < all {
            let to = from + pace.piece(all - from);
            let found = (from..to).find(|&index| self.matches(batch, index, &mut hard));
            if let Some(last) = found {
                batch.items.truncate(last + 1);
                return (true, self.report(hard, batch));
            }
            pace.done().await;
            from = to;
        }
        (false, self.report(hard, batch))
    }

    fn matches(&mut self, batch: &Batch, index: usize, hard: &mut bool) -> bool {
        let Item::Line(line) = &batch.items[index] else { return false };
        self.patterns.iter_mut().any(|pattern| match pattern.is_match(batch.message(line)) {
            Ok(matches) => matches,
            Err(Exhausted) => {
                *hard = true;
                false
            }
        })
    }

    fn report(&mut self, hard: bool, batch: &Batch) -> Option<Notice> {
        let news = hard && !std::mem::replace(&mut self.reported, true);
        let text = "a long line is too hard to search for --until-match: such lines do not match";
        news.then(|| Scope::of(&batch.origin).warning(text))
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::event::{Gap, Line};

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
