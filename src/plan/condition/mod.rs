//! `--where`: conditions on the fields of records.

mod literal;
mod parse;
mod path;
#[cfg(test)]
mod tests;

use crate::plan::LinePattern;

pub use literal::{Literal, Literals, Value};
pub use parse::parse;
pub use path::{Keys, Name, Path, Step, Subject};

/// Reads a condition at a fixed time.
#[cfg(any(test, fuzzing))]
pub fn of(text: &str) -> Result<Condition, String> {
    let now = jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1_769_871_600);
    let now = now.to_zoned(jiff::tz::TimeZone::UTC);
    let (room, words) = (super::pattern::Room::beside([]), crate::fields::Vocabulary::default());
    parse(text, &Literals { now: &now, room: &room, words: &words })
}

/// A condition as it was typed, whose regular expressions are `P`.
#[derive(Debug, Clone)]
pub struct Condition<P = LinePattern> {
    pub root: Expr<P>,
    /// Those that its tests name by their index, each once.
    pub paths: Vec<Path>,
}

/// Any number of conditions may be joined: they are nested no deeper than [`parse`] allows.
#[derive(Debug, Clone)]
pub enum Expr<P> {
    All(Vec<Expr<P>>),
    Any(Vec<Expr<P>>),
    Not(Box<Expr<P>>),
    Test(Test<P>),
}

/// True if any value at the path passes the check, so never if there is none.
#[derive(Debug, Clone)]
pub struct Test<P> {
    pub path: usize,
    pub check: Check<P>,
}

#[derive(Debug, Clone)]
pub enum Check<P> {
    Present,
    Equals(Literal),
    OneOf(Vec<Literal>),
    Ordered(Relation, Literal),
    Contains(Literal),
    Matches(P),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    Less,
    AtMost,
    More,
    AtLeast,
}

impl<P> Condition<P> {
    /// The same with other patterns.
    pub fn map<Q>(self, pattern: &mut impl FnMut(P) -> Q) -> Condition<Q> {
        Condition { root: self.root.map(pattern), paths: self.paths }
    }

    /// Whether it looks at texts that may continue in the lines behind the first one of a record.
    pub fn needs_whole_records(&self) -> bool {
        self.paths.iter().any(|path| path.subject.may_have_lines())
    }
}

impl<P> Expr<P> {
    fn map<Q>(self, pattern: &mut impl FnMut(P) -> Q) -> Expr<Q> {
        let mut each = |parts: Vec<Expr<P>>| parts.into_iter().map(|part| part.map(pattern)).collect();
        match self {
            Expr::All(parts) => Expr::All(each(parts)),
            Expr::Any(parts) => Expr::Any(each(parts)),
            Expr::Not(part) => Expr::Not(Box::new(part.map(pattern))),
            Expr::Test(Test { path, check }) => Expr::Test(Test { path, check: check.map(pattern) }),
        }
    }

    /// Its patterns.
    pub fn patterns<'e>(&'e self, found: &mut Vec<&'e P>) {
        match self {
            Expr::All(parts) | Expr::Any(parts) => parts.iter().for_each(|part| part.patterns(found)),
            Expr::Not(part) => part.patterns(found),
            Expr::Test(Test { check: Check::Matches(pattern), .. }) => found.push(pattern),
            Expr::Test(_) => {}
        }
    }
}

impl<P> Check<P> {
    fn map<Q>(self, pattern: &mut impl FnMut(P) -> Q) -> Check<Q> {
        match self {
            Check::Present => Check::Present,
            Check::Equals(literal) => Check::Equals(literal),
            Check::OneOf(literals) => Check::OneOf(literals),
            Check::Ordered(relation, literal) => Check::Ordered(relation, literal),
            Check::Contains(literal) => Check::Contains(literal),
            Check::Matches(it) => Check::Matches(pattern(it)),
        }
    }
}
