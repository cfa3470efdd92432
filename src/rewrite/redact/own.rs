//! Patterns of the user.

use std::ops::Range;

use regex_automata::{Anchored, Input, meta::Regex};

use crate::{
    plan::redact::Own,
    search::{Finder, is_quick},
};

/// A pattern with the name that its matches get.
pub struct Pattern {
    pub name: String,
    finder: Finder,
    /// None: the pattern has no group, and all that matches is masked.
    groups: Option<Regex>,
    size: usize,
}

impl Pattern {
    /// None: it cannot be compiled, though it could before.
    pub fn new(own: &Own) -> Option<Pattern> {
        let finder = Finder::new(&[&own.pattern])?;
        let (groups, size) = (own.pattern.first_group(), own.pattern.size());
        Some(Pattern { name: own.name.clone(), finder, groups, size })
    }

    /// Gives what is to be masked. False: the line is too hard to search for all.
    pub fn find(&mut self, text: &[u8], mut found: impl FnMut(Range<usize>)) -> bool {
        let Pattern { finder, groups, size, .. } = self;
        if !finder.may_match(text) {
            return true;
        }
        let groups = groups.as_ref().filter(|_| is_quick(*size, text));
        finder.find_all(text, |place| {
            let place = groups.and_then(|regex| group(regex, text, place.clone())).unwrap_or(place);
            if !place.is_empty() {
                found(place);
            }
        })
    }
}

/// The first group of a match.
fn group(regex: &Regex, text: &[u8], place: Range<usize>) -> Option<Range<usize>> {
    let mut captures = regex.create_captures();
    let input = Input::new(text).range(place).anchored(Anchored::Yes);
    regex.search_captures(&input, &mut captures);
    captures.get_group(1).map(|span| span.range())
}
