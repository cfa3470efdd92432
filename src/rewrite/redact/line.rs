//! One line: what is to be hidden of it, and the line without that.

use std::ops::Range;

use aws_lc_rs::hmac::Key;

use super::{
    account, address, auth, jwt, mail, mask,
    number::{self, Run},
    own::Pattern,
    pair, pem, phone, provider,
    scout::{Candidate, Scout, Sign, Word},
    view::View,
    words::{Asked, asks},
};
use crate::{
    plan::redact::{Kind, Kinds, RedactPlan},
    shown::Sequences,
};

/// Bytes that are searched at once, so that candidates take little memory.
const PIECE: usize = 256 << 10;

/// How far a word may reach into the next piece.
const OVERLAP: usize = 16;

/// Most places in a line; the rest is hidden as one.
const MOST: usize = 100_000;

/// The reason why a place is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// By this pattern of the user.
    Own(usize),
    Kind(Kind),
    /// Too much to be searched.
    Unsearched,
}

/// A place of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    place: Range<usize>,
    pub label: Label,
    /// The value stands without quotes in JSON, which needs some around the mask: those of its key.
    quote: Option<Range<usize>>,
    /// How the value is written without escapes.
    value: Vec<u8>,
}

pub struct Detector {
    kinds: Kinds,
    scout: Scout,
    patterns: Vec<Pattern>,
    key: Key,
    /// Of the line that is being searched.
    hits: Vec<Hit>,
    candidates: Vec<Candidate>,
}

/// Up to where a text was looked at, so that nothing is looked at twice.
#[derive(Default)]
struct Done {
    digits: usize,
    keys: usize,
    named: usize,
    jwt: usize,
    pem: usize,
}

impl Detector {
    pub fn new(plan: &RedactPlan) -> Detector {
        Detector {
            kinds: plan.kinds,
            scout: Scout::new(plan.kinds),
            patterns: plan.patterns.iter().filter_map(Pattern::new).collect(),
            key: plan.key.clone(),
            hits: Vec::new(),
            candidates: Vec::new(),
        }
    }

    pub fn scout(&self) -> &Scout {
        &self.scout
    }

    /// Whether each line must be looked at, even one without candidates.
    pub fn looks_at_all(&self) -> bool {
        !self.patterns.is_empty() || self.kinds.has(Kind::Ip) || self.kinds.has(Kind::Mac)
    }

    pub fn hides_keys(&self) -> bool {
        self.kinds.has(Kind::Pem)
    }

    /// How a hit is called in reports.
    pub fn name(&self, label: Label) -> &str {
        match label {
            Label::Own(index) => self.patterns.get(index).map_or("", |pattern| &pattern.name),
            Label::Kind(kind) => kind.name(),
            Label::Unsearched => "unsearched",
        }
    }

    /// Finds what is to be hidden of a line, of which `known` are parts of private keys. The candidates are those in
    /// the line, if it was searched for them, and the place of the line that they count from.
    pub fn search(
        &mut self,
        line: &[u8],
        searched: Option<(&[Candidate], u32)>,
        known: Vec<Range<usize>>,
    ) -> &[Hit] {
        self.hits.clear();
        for place in known {
            self.hits.push(Hit { place, label: Label::Kind(Kind::Pem), quote: None, value: Vec::new() });
        }
        if searched.is_none_or(|(candidates, _)| !candidates.is_empty()) || self.looks_at_all() {
            let view = View::new(line);
            match searched {
                Some((candidates, base)) if view.is_line() => {
                    let mut done = Done::default();
                    let here = |candidate: &Candidate| Candidate { at: candidate.at - base, ..*candidate };
                    candidates.iter().for_each(|candidate| self.judge(&view, here(candidate), &mut done));
                }
                _ => self.search_all(&view),
            }
            self.search_for_others(&view, line);
        }
        self.settle(line);
        &self.hits
    }

    /// Searches a text for candidates, and judges them.
    fn search_all(&mut self, view: &View<'_>) {
        let text = view.text();
        let mut done = Done::default();
        let mut candidates = std::mem::take(&mut self.candidates);
        for start in (0..text.len()).step_by(PIECE) {
            candidates.clear();
            let end = text.len().min(start + PIECE + OVERLAP);
            self.scout.find(&text[start..end], &mut candidates);
            let here = |candidate: &&Candidate| (candidate.at as usize) < PIECE;
            for candidate in candidates.iter().filter(here) {
                self.judge(view, Candidate { at: candidate.at + start as u32, ..*candidate }, &mut done);
            }
        }
        self.candidates = candidates;
    }

    fn judge(&mut self, view: &View<'_>, candidate: Candidate, done: &mut Done) {
        if self.hits.len() > MOST {
            return;
        }
        let Detector { hits, kinds, .. } = self;
        let mut found = Found { view, kinds: *kinds, hits };
        let (text, at) = (view.text(), candidate.at as usize);
        match candidate.sign {
            Sign::Encoded | Sign::Word(Word::Escape) => {}
            Sign::At => match auth::of_url(text, at).or_else(|| auth::of_source(text, at)) {
                Some(place) => found.add(Some(place), Kind::Auth),
                None => found.add(mail::find(text, at), Kind::Email),
            },
            Sign::Plus => {
                let place = phone::find(text, at);
                done.digits = place.as_ref().map_or(done.digits, |place| place.end.max(done.digits));
                found.add(place, Kind::Phone);
            }
            Sign::Digits => found.digits(at, done),
            // `passport` begins like `password`.
            Sign::Word(Word::Key | Word::Personal) => found.values(at, done),
            Sign::Word(Word::Sql) => found.add(pair::of_sql(view, at), Kind::Password),
            Sign::Word(Word::Scheme) => found.add(auth::scheme(text, at), Kind::Auth),
            Sign::Word(Word::Jwt) => found.add(jwt::find(text, at, &mut done.jwt), Kind::Jwt),
            Sign::Word(Word::Pem) if at < done.pem => {}
            Sign::Word(Word::Pem) => {
                let place = pem::find(text, at).map(|(place, _)| place);
                done.pem = place.as_ref().map_or(done.pem, |place| place.end);
                found.add(place, Kind::Pem);
            }
            Sign::Word(Word::Provider(provider)) => found.add(provider::find(text, at, provider), Kind::Key),
        }
    }

    /// Patterns of the user see the line as it is written, and as it reads.
    fn search_for_others(&mut self, view: &View<'_>, line: &[u8]) {
        let Detector { hits, patterns, kinds, .. } = self;
        if kinds.has(Kind::Ip) || kinds.has(Kind::Mac) {
            address::find(view.text(), *kinds, |place, kind| hits.push(Hit::new(view, place, kind, None)));
        }
        for (index, pattern) in patterns.iter_mut().enumerate() {
            let label = Label::Own(index);
            let mut is_whole = pattern.find(line, |place| {
                hits.push(Hit { value: line[place.clone()].to_vec(), place, label, quote: None });
            });
            if !view.is_line() {
                is_whole &= pattern.find(view.text(), |place| {
                    hits.push(Hit { label, ..Hit::new(view, place, Kind::Password, None) });
                });
            }
            if !is_whole {
                hits.push(Hit {
                    place: 0..line.len(),
                    label: Label::Unsearched,
                    quote: None,
                    value: Vec::new(),
                });
            }
        }
    }

    /// Sorts the hits, joins those that overlap, and leaves out those within masks.
    fn settle(&mut self, line: &[u8]) {
        if self.hits.is_empty() {
            return;
        }
        if self.hits.len() > MOST {
            let start = self.hits.iter().skip(MOST).map(|hit| hit.place.start).min().unwrap_or(0);
            self.hits.push(Hit {
                place: start..line.len(),
                label: Label::Unsearched,
                quote: None,
                value: Vec::new(),
            });
        }
        let masks: Vec<_> = mask::masks(line).collect();
        if !masks.is_empty() {
            self.hits.retain(|hit| {
                let next = masks.partition_point(|mask| mask.end <= hit.place.start);
                let mask = masks.get(next).filter(|mask| mask.start < hit.place.end);
                // A place around a mask stays: more than the mask is to be hidden.
                mask.is_none_or(|mask| hit.place.start < mask.start && hit.place.end > mask.end)
            });
        }
        self.hits.sort_by_key(|hit| (hit.place.start, hit.label));
        self.hits.dedup_by(|next, last| {
            let overlap = next.place.start < last.place.end;
            if overlap {
                let end = last.place.end.max(next.place.end);
                let is_longer = end > last.place.end;
                let is_unsearched = [next.label, last.label].contains(&Label::Unsearched);
                if next.label < last.label {
                    std::mem::swap(next, last);
                    last.place.start = last.place.start.min(next.place.start);
                } else if is_longer && last.label == next.label {
                    last.value.extend_from_slice(&next.value);
                }
                last.place.end = end;
                if is_unsearched {
                    // A pseudonym would be that of a part.
                    (last.label, last.quote) = (Label::Unsearched, None);
                }
            }
            overlap
        });
    }

    /// Appends the line with masks.
    pub fn write(&self, line: &[u8], out: &mut Vec<u8>) {
        let mut done = 0;
        for hit in &self.hits {
            out.extend_from_slice(&line[done..hit.place.start]);
            let quote = hit.quote.clone().map_or(&[][..], |quote| &line[quote]);
            out.extend_from_slice(quote);
            match hit.label {
                Label::Own(index) => {
                    let name = self.patterns.get(index).map_or("", |pattern| &pattern.name);
                    mask::write(&self.key, name, &hit.value, out);
                }
                Label::Kind(kind) if !kind.is_secret() => {
                    mask::write(&self.key, kind.name(), &mask::normal(kind, &hit.value), out);
                }
                Label::Kind(_) | Label::Unsearched => out.extend_from_slice(mask::SECRET.as_bytes()),
            }
            out.extend_from_slice(quote);
            // A colour that ends within a value must end all the same.
            let hidden = &line[hit.place.clone()];
            let sequences = Sequences::new(hidden).filter(|sequence| hidden[sequence.start] == 0x1b);
            sequences.for_each(|sequence| out.extend_from_slice(&hidden[sequence]));
            done = hit.place.end;
        }
        out.extend_from_slice(&line[done..]);
    }
}

/// Takes what is found in a text.
struct Found<'f, 'v> {
    view: &'f View<'v>,
    kinds: Kinds,
    hits: &'f mut Vec<Hit>,
}

impl Found<'_, '_> {
    fn add(&mut self, place: Option<Range<usize>>, kind: Kind) {
        if let Some(place) = place.filter(|_| self.kinds.has(kind)) {
            self.hits.push(Hit::new(self.view, place, kind, None));
        }
    }

    /// The numbers around a digit.
    fn digits(&mut self, at: usize, done: &mut Done) {
        let text = self.view.text();
        if let Some(place) = account::find(text, at) {
            done.digits = done.digits.max(place.end);
            self.add(Some(place), Kind::Iban);
        }
        if at >= done.digits {
            let run = Run::around(text, at, done.digits);
            run.numbers(self.kinds, |number| {
                self.hits.push(Hit::new(self.view, number.place, number.kind, number.number));
            });
            done.digits = run.end().max(at + 1);
        }
    }

    /// The values of a key.
    fn values(&mut self, at: usize, done: &mut Done) {
        let (view, kinds) = (self.view, self.kinds);
        pair::find(view, at, kinds, &mut done.keys, |value| {
            let hit = Hit::new(view, value.place, value.kind, value.bare);
            self.hits.push(match value.end {
                Some(end) => Hit { place: hit.place.start..end, ..hit },
                None => hit,
            });
        });
        let Some((key, value)) = pair::personal(view, at, &mut done.named) else { return };
        let passport = number::passport(view.text(), value).filter(|_| asks(key, Asked::Passport));
        if passport.is_some() {
            self.add(passport, Kind::Passport);
        } else if value >= done.digits && view.text().get(value).is_some_and(u8::is_ascii_digit) {
            self.digits(value, done);
        }
    }
}

impl Hit {
    /// A place of the text of a view.
    fn new(view: &View<'_>, place: Range<usize>, kind: Kind, quote: Option<usize>) -> Hit {
        let value = if kind.is_secret() { Vec::new() } else { view.text()[place.clone()].to_vec() };
        let quote = quote.map(|at| view.byte(at));
        Hit { place: view.line(place), label: Label::Kind(kind), quote, value }
    }
}
