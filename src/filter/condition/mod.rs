//! `--where`: judges records by conditions on their fields.

#[cfg(fuzzing)]
pub mod fuzz;
mod missing;
mod resolve;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, cmp::Ordering};

use crate::{
    event::Instant,
    fields::{Field, Kind, Record},
    notice::Notice,
    origin::Origin,
    plan::condition::{Check, Condition, Expr, Literal, Relation, Test, Value},
    quantity::{BILLIONTHS, Decimal, Quantity, unit_of},
    search::{Exhausted, Matcher},
};
use missing::Missing;
use resolve::{Found, resolve};

/// A record and its place.
#[derive(Clone, Copy)]
pub struct Seen<'s> {
    pub record: Record<'s, 's>,
    pub origin: &'s Origin,
    /// Of the kubelet; None on standard input, so that the record's own counts.
    pub time: Option<Instant>,
}

/// All conditions of a run.
pub struct Conditions {
    conditions: Vec<(Condition<Matcher>, Missing)>,
    exhausted: bool,
}

impl Conditions {
    /// None: there are none.
    pub fn new(conditions: &[Condition]) -> Option<Conditions> {
        let compiled = |condition: &Condition| {
            let missing = Missing::new(condition);
            (condition.clone().map(&mut |pattern| Matcher::new(&pattern)), missing)
        };
        let conditions: Vec<_> = conditions.iter().map(compiled).collect();
        (!conditions.is_empty()).then_some(Conditions { conditions, exhausted: false })
    }

    /// Whether all conditions hold. A record that is too hard to search is wanted.
    pub fn hold(&mut self, seen: Seen) -> bool {
        let Conditions { conditions, exhausted } = self;
        let holds = conditions.iter_mut().try_fold(true, |all, (condition, missing)| {
            if !all {
                return Ok(false);
            }
            missing.next();
            holds(&mut condition.root, seen, missing)
        });
        holds.unwrap_or_else(|Exhausted| {
            *exhausted = true;
            true
        })
    }

    /// Whether a record was too hard to be judged since this was last asked.
    pub fn exhausted(&mut self) -> bool {
        std::mem::take(&mut self.exhausted)
    }

    /// Reports the fields that no record had.
    pub fn last_words(&self) -> Vec<Notice> {
        self.conditions.iter().flat_map(|(_, missing)| missing.notices()).collect()
    }
}

fn holds(expr: &mut Expr<Matcher>, seen: Seen, missing: &mut Missing) -> Result<bool, Exhausted> {
    match expr {
        Expr::All(parts) => {
            for part in parts {
                if !holds(part, seen, missing)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Expr::Any(parts) => {
            for part in parts {
                if holds(part, seen, missing)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Expr::Not(part) => Ok(!holds(part, seen, missing)?),
        Expr::Test(Test { path, check }) => {
            let mut exhausted = false;
            let path_of = missing.path(*path);
            let found = resolve(path_of, seen, &mut |found| {
                passes(check, found).unwrap_or_else(|Exhausted| {
                    exhausted = true;
                    true
                })
            });
            if !matches!(check, Check::Present) {
                missing.looked(*path, found.is_some(), seen.record);
            }
            if exhausted { Err(Exhausted) } else { Ok(found.unwrap_or(false)) }
        }
    }
}

fn passes(check: &mut Check<Matcher>, found: Found) -> Result<bool, Exhausted> {
    Ok(match check {
        Check::Present => true,
        Check::Equals(literal) => equals(literal, &found),
        Check::OneOf(literals) => literals.iter().any(|literal| equals(literal, &found)),
        Check::Ordered(relation, literal) => compare(literal, &found).is_some_and(|order| match relation {
            Relation::Less => order.is_lt(),
            Relation::AtMost => order.is_le(),
            Relation::More => order.is_gt(),
            Relation::AtLeast => order.is_ge(),
        }),
        Check::Contains(literal) => contains(literal, &found),
        Check::Matches(matcher) => match found.text() {
            Some(text) => matcher.is_match(&text)?,
            None => false,
        },
    })
}

fn equals(literal: &Literal, found: &Found) -> bool {
    match literal.value {
        Value::Text => found.text().is_some_and(|text| *text == *literal.text.as_bytes()),
        Value::Null => found.field().is_some_and(is_null),
        _ => compare(literal, found).is_some_and(Ordering::is_eq),
    }
}

fn is_null(field: Field) -> bool {
    field.kind() == Kind::Null || field.kind() == Kind::Bare && field.raw() == b"null"
}

/// The order of what was found and a literal; None: they are of different kinds.
fn compare(literal: &Literal, found: &Found) -> Option<Ordering> {
    match (literal.value, found) {
        (Value::Level(literal), Found::Level(level)) => Some(level.cmp(&literal)),
        (Value::Time(literal), Found::Time(time)) => Some(time.cmp(&literal)),
        (Value::Number, found) => {
            let literal = Decimal::parse(literal.text.as_bytes())?;
            Some(Decimal::parse(&scalar(found.field()?)?)?.compare(&literal))
        }
        (Value::Quantity(literal), Found::Field(field)) => quantity(*field, *field, literal),
        (Value::Quantity(literal), Found::Item { item, array }) => quantity(*item, *array, literal),
        (Value::Text | Value::Null | Value::Quantity(_) | Value::Level(_) | Value::Time(_), _) => None,
    }
}

/// A duration or size with its unit, or a number whose key names the unit: its own, or that of the array it is in.
fn quantity(field: Field, keyed: Field, literal: Quantity) -> Option<Ordering> {
    let text = scalar(field)?;
    let Some(number) = Decimal::parse(&text) else {
        let written = Quantity::parse(&text)?;
        return (written.measure == literal.measure).then(|| written.billionths.cmp(&literal.billionths));
    };
    let (measure, exponent) = unit_of(&keyed.key())?;
    let literal_text = literal.billionths.to_string();
    let literal_number = Decimal::parse(literal_text.as_bytes())?.shifted(BILLIONTHS);
    (measure == literal.measure).then(|| number.shifted(exponent).compare(&literal_number))
}

/// The text of a number or a string.
fn scalar<'m>(field: Field<'_, 'm>) -> Option<Cow<'m, [u8]>> {
    match field.kind() {
        Kind::Number | Kind::Bare => Some(Cow::Borrowed(field.raw())),
        Kind::String { .. } => Some(field.text()),
        Kind::Null | Kind::Bool | Kind::Object | Kind::Array => None,
    }
}

/// Whether an array has an item, or a text a part.
fn contains(literal: &Literal, found: &Found) -> bool {
    match found {
        Found::Field(field) | Found::Item { item: field, .. } if field.kind() == Kind::Array => {
            field.fields().any(|item| equals(literal, &Found::Item { item, array: *field }))
        }
        found => {
            found.text().is_some_and(|text| memchr::memmem::find(&text, literal.text.as_bytes()).is_some())
        }
    }
}
