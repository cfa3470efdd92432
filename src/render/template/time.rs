//! Times: conversion of values, and Go's `time.Time` for templates.

use std::any::Any;

use gotemplate::{Answer, Function, Functions, Host, Kind, Signature, Type, Value, Width};
use gotime::{RFC3339_NANO, Time, Zone, from_decimal, from_text, load_location};

type Result<T> = std::result::Result<T, String>;

/// `toRFC3339Nano`, `toUTC` and `toTimestamp`. Unix seconds are shown in `local`.
pub fn functions(local: &Zone) -> Functions {
    let zone = || local.clone();
    let (rfc3339, utc, stamp) = (zone(), zone(), zone());
    Functions::from([
        (
            "toRFC3339Nano",
            Function::new(&[Type::Any], None, move |args, out| {
                time_or_zero(&args[0], &rfc3339).format(RFC3339_NANO, out);
                Ok(Answer::Text)
            }),
        ),
        (
            "toUTC",
            Function::new(&[Type::Any], None, move |args, _| {
                Ok(Answer::Value(Value::host(Instant(time_or_zero(&args[0], &utc).in_zone(Zone::Utc)))))
            }),
        ),
        (
            "toTimestamp",
            Function::new(&[Type::Any, Type::String], Some(Type::String), move |args, out| {
                let time = time(&args[0], &stamp)?;
                let zone = args.get(2).and_then(Value::as_text).unwrap_or_default();
                let zone = load_location(&String::from_utf8_lossy(zone), &stamp)?;
                time.in_zone(zone).format(args[1].as_text().unwrap_or_default(), out);
                Ok(Answer::Text)
            }),
        ),
    ])
}

fn time_or_zero(value: &Value<'_>, local: &Zone) -> Time {
    time(value, local).unwrap_or_else(|_| Time::zero())
}

fn time(value: &Value<'_>, local: &Zone) -> Result<Time> {
    let time = match value {
        Value::Str(text) => return from_text(text, local),
        Value::Number(text) => from_decimal(text, local),
        Value::Int(Width::Int | Width::Int64, seconds) => Some(Time::unix(*seconds, 0, local.clone())),
        Value::Nil | Value::Missing => Some(Time::zero()),
        Value::Object(object) => instant(&**object).cloned(),
        _ => None,
    };
    time.ok_or_else(|| {
        let mut reason = Vec::new();
        let shown = [value.clone(), value.clone()];
        gotemplate::printf(b"unable to cast %#v of type %T to time.Time", &shown, &mut reason);
        String::from_utf8_lossy(&reason).into_owned()
    })
}

fn instant<'h>(object: &'h (dyn Host + '_)) -> Option<&'h Time> {
    object.as_any()?.downcast_ref::<Instant>().map(|instant| &instant.0)
}

/// `time.Time`
struct Instant(Time);

const NOTHING: Signature = Signature { params: &[], rest: None };
const TEXT: Signature = Signature { params: &[Type::String], rest: None };
const TIME: Signature = Signature { params: &[Type::Host("time.Time")], rest: None };

impl Instant {
    /// A part of the date or the time of day, given by its layout.
    fn part(&self, layout: &str) -> i64 {
        let mut text = Vec::new();
        self.0.format(layout, &mut text);
        let text = String::from_utf8_lossy(&text);
        text.trim().parse().unwrap_or_default()
    }

    fn word(&self, layout: &str) -> Vec<u8> {
        let mut text = Vec::new();
        self.0.format(layout, &mut text);
        text
    }
}

impl Host for Instant {
    fn type_name(&self) -> &'static str {
        "time.Time"
    }

    fn text(&self, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(self.0.to_string().as_bytes());
        true
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }

    fn equals(&self, other: &dyn Host) -> bool {
        instant(other) == Some(&self.0)
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        match name {
            "Format" => Some(&TEXT),
            "Before" | "After" | "Equal" => Some(&TIME),
            "String" | "UTC" | "IsZero" | "Unix" | "UnixMilli" | "UnixMicro" | "UnixNano" | "Year"
            | "Month" | "Day" | "Weekday" | "YearDay" | "Hour" | "Minute" | "Second" | "Nanosecond" => {
                Some(&NOTHING)
            }
            _ => None,
        }
    }

    fn call(&self, name: &str, args: &[Value<'_>], out: &mut Vec<u8>) -> Result<Answer<'static>> {
        let (seconds, nanos) = self.0.since_epoch();
        let unix = |per_second: i64| {
            let fraction = i64::from(nanos) / (1_000_000_000 / per_second);
            Value::Int(Width::Int64, seconds.wrapping_mul(per_second).wrapping_add(fraction))
        };
        let int = |int| Value::Int(Width::Int, int);
        let other = match args.first() {
            Some(Value::Object(object)) => instant(&**object).map(Time::since_epoch),
            _ => None,
        };
        Ok(Answer::Value(match name {
            "Format" => {
                self.0.format(args.first().and_then(Value::as_text).unwrap_or_default(), out);
                return Ok(Answer::Text);
            }
            "String" => {
                self.text(out);
                return Ok(Answer::Text);
            }
            "UTC" => Value::host(Instant(self.0.clone().in_zone(Zone::Utc))),
            "IsZero" => Value::Bool(self.0 == Time::zero()),
            "Before" => Value::Bool(Some((seconds, nanos)) < other),
            "After" => Value::Bool(Some((seconds, nanos)) > other),
            "Equal" => Value::Bool(Some((seconds, nanos)) == other),
            "Unix" => unix(1),
            "UnixMilli" => unix(1_000),
            "UnixMicro" => unix(1_000_000),
            "UnixNano" => unix(1_000_000_000),
            "Year" => int(self.part("2006")),
            "Month" => Value::host(Named("time.Month", self.part("1"), self.word("January"))),
            "Day" => int(self.part("2")),
            "Weekday" => {
                let name = self.word("Monday");
                let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
                let day = days.iter().position(|day| name.starts_with(day.as_bytes()));
                Value::host(Named("time.Weekday", day.unwrap_or_default() as i64, name))
            }
            "YearDay" => int(self.part("002")),
            "Hour" => int(self.part("15")),
            "Minute" => int(self.part("4")),
            "Second" => int(self.part("5")),
            _ => int(nanos.into()),
        }))
    }
}

/// A number with its own type and name: a month or a day of the week.
struct Named(&'static str, i64, Vec<u8>);

impl Host for Named {
    fn type_name(&self) -> &'static str {
        self.0
    }

    fn kind(&self) -> Kind {
        Kind::Int(self.1)
    }

    fn text(&self, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(&self.2);
        true
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        (name == "String").then_some(&NOTHING)
    }

    fn call(&self, _: &str, _: &[Value<'_>], out: &mut Vec<u8>) -> Result<Answer<'static>> {
        self.text(out);
        Ok(Answer::Text)
    }
}
