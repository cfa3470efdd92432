//! Values that conditions compare fields with. Their form decides what is compared.

use jiff::Zoned;

use super::Subject;
use crate::{
    event::Instant,
    fields::{Level, Vocabulary},
    plan::{
        moment::{Edge, Moment},
        pattern::Room,
    },
    quantity::{Decimal, Quantity},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// Without quotes and escapes.
    pub text: String,
    pub value: Value,
}

/// What a literal is compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    Text,
    Null,
    /// The text is a number.
    Number,
    Quantity(Quantity),
    Level(Level),
    Time(Instant),
}

impl Value {
    /// Whether there is less and more of it.
    pub fn has_order(self) -> bool {
        !matches!(self, Value::Text | Value::Null)
    }
}

/// What reading a literal needs to know.
pub struct Literals<'a> {
    /// In the zone of `--timezone`.
    pub now: &'a Zoned,
    pub room: &'a Room,
    /// The levels of the house too.
    pub words: &'a Vocabulary,
}

impl Literals<'_> {
    /// The meaning of a literal beside this subject. The error is the reason.
    pub fn read(&self, subject: Subject, text: String, is_quoted: bool) -> Result<Literal, String> {
        let value = match subject {
            Subject::Level => Value::Level(self.level(&text)?),
            Subject::Time => Value::Time(self.time(&text)?),
            _ if is_quoted => Value::Text,
            _ => word(&text)?,
        };
        Ok(Literal { text, value })
    }

    fn time(&self, text: &str) -> Result<Instant, String> {
        let moment = Moment::parse(text)?;
        let none = || format!("\"{text}\" is not on the calendar");
        moment.at(self.now, Edge::Since).map(Instant::from).ok_or_else(none)
    }

    fn level(&self, text: &str) -> Result<Level, String> {
        self.words.level(text).ok_or_else(|| {
            let names = Level::ALL.map(Level::name).join(", ");
            format!("level is one of {names}, not \"{text}\"; .level is the field of that name")
        })
    }
}

/// A word without quotes.
fn word(text: &str) -> Result<Value, String> {
    if text == "null" {
        return Ok(Value::Null);
    }
    let digits = text.trim_start_matches(['+', '-', '.']);
    let bytes = text.as_bytes();
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(Value::Text);
    }
    if Decimal::parse(bytes).is_some() {
        return Ok(Value::Number);
    }
    Quantity::parse(bytes).map(Value::Quantity).ok_or_else(|| {
        format!("\"{text}\" is neither number nor duration nor size; quote it to compare text")
    })
}
