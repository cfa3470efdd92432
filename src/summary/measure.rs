//! The values of one field: percentiles, and the most frequent ones.

use sketches_ddsketch::DDSketch;

use crate::{
    fields::{Kind, Record},
    quantity::{self, Quantity, unit_of},
};

/// So many different values are kept exactly; of more, percentiles are right within one percent.
const EXACT: usize = 1000;

/// A field and its values.
pub struct Measure {
    pub name: String,
    pub unit: Unit,
    values: Values,
    /// Values that are no number, or of another unit.
    pub others: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// No value came yet.
    Unknown,
    Number,
    Seconds,
    Bytes,
}

/// Numbers with their counts.
enum Values {
    /// In ascending order.
    Exact(Vec<(f64, u64)>),
    Sketch(Box<DDSketch>),
}

impl Measure {
    pub fn new(name: &str) -> Measure {
        Measure { name: name.to_owned(), unit: Unit::Unknown, values: Values::Exact(Vec::new()), others: 0 }
    }

    pub fn see(&mut self, record: &Record<'_, '_>) {
        let Some(field) = record.find(self.name.as_bytes()) else { return };
        if matches!(field.kind(), Kind::Null | Kind::Object | Kind::Array) {
            return;
        }
        let value = std::str::from_utf8(field.raw()).ok().and_then(|text| value(&self.name, text));
        match value {
            Some((unit, number)) if self.unit == Unit::Unknown || self.unit == unit => {
                self.unit = unit;
                self.values.add(number);
            }
            _ => self.others += 1,
        }
    }

    pub fn count(&self) -> u64 {
        match &self.values {
            Values::Exact(values) => values.iter().map(|(_, count)| count).sum(),
            Values::Sketch(sketch) => sketch.count() as u64,
        }
    }

    /// The value that this part of all values does not exceed.
    pub fn quantile(&self, part: f64) -> Option<f64> {
        match &self.values {
            Values::Exact(values) => {
                let rank = (part * self.count() as f64).ceil().max(1.0) as u64;
                let mut before = 0;
                let reached = values.iter().find(|(_, count)| {
                    before += count;
                    before >= rank
                });
                reached.map(|(value, _)| *value)
            }
            Values::Sketch(sketch) => sketch.quantile(part).ok().flatten(),
        }
    }

    /// The most frequent values with their counts, if there are few different ones.
    pub fn frequent(&self, most: usize) -> Vec<(f64, u64)> {
        match &self.values {
            Values::Exact(values) if values.len() <= most => {
                let mut values = values.clone();
                values.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.total_cmp(&b.0)));
                values
            }
            _ => Vec::new(),
        }
    }
}

impl Values {
    fn add(&mut self, number: f64) {
        match self {
            Values::Sketch(sketch) => sketch.add(number),
            Values::Exact(values) => match values.binary_search_by(|(value, _)| value.total_cmp(&number)) {
                Ok(at) => values[at].1 += 1,
                Err(at) if values.len() < EXACT => values.insert(at, (number, 1)),
                Err(_) => {
                    let mut sketch = DDSketch::default();
                    values.iter().for_each(|(value, count)| sketch.add_with_count(*value, *count));
                    sketch.add(number);
                    *self = Values::Sketch(Box::new(sketch));
                }
            },
        }
    }
}

/// The number that a value says.
fn value(key: &str, text: &str) -> Option<(Unit, f64)> {
    // `inf` and `nan` are words.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if is_number {
        let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
        return Some(match unit_of(key.as_bytes()) {
            Some((quantity::Measure::Time, exponent)) => (Unit::Seconds, number / 10_f64.powi(-exponent)),
            Some((quantity::Measure::Bytes, _)) => (Unit::Bytes, number),
            None => (Unit::Number, number),
        });
    }
    let Quantity { measure, billionths } = Quantity::parse(text.as_bytes())?;
    let unit = match measure {
        quantity::Measure::Time => Unit::Seconds,
        quantity::Measure::Bytes => Unit::Bytes,
    };
    Some((unit, billionths as f64 / 1e9))
}
