//! The report, for people and as JSON.

use std::fmt::Write;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    Counts,
    frequent::Entry,
    measure::{Measure, Unit},
    row::{Names, Row},
};
use crate::{event::Instant, fields::Level, plan::SummaryFormat, shown};

/// Most messages that are listed of each kind.
const MESSAGES: usize = 10;

/// Different values of a field that are listed.
const VALUES: usize = 10;

const FULL: &str = "%Y-%m-%d %H:%M:%S";
const CLOCK: &str = "%H:%M:%S";

/// In seconds.
const MINUTE: f64 = 60.0;

const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)];

impl Counts {
    pub fn report(&self) -> String {
        match self.plan.format {
            SummaryFormat::Text => self.text(),
            SummaryFormat::Json => format!("{}\n", self.json()),
        }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let (rows, all) = self.rows.sorted();
        let zone = &self.plan.timezone;
        let _ = write!(out, "· {}", counted(all.sum(), "line"));
        if let (Some((first, last)), Some(seconds)) = (self.period.0, self.period.seconds()) {
            let _ = write!(out, " from {} to {}", time(first, zone, FULL), time(last, zone, FULL));
            if let Some(rate) = rate(all.sum(), seconds, 1.0) {
                let _ = write!(out, ", {rate:.1} a second");
            }
        }
        out.push('\n');
        self.table(&rows, &all, &mut out);
        for (title, frequent) in ["warnings and errors", "other messages"].into_iter().zip(&self.frequent) {
            let top = frequent.top(MESSAGES);
            if !top.is_empty() {
                let _ = writeln!(out, "· the most frequent {title}:");
            }
            let width = top.iter().map(|entry| shown::grouped(entry.count).len()).max().unwrap_or_default();
            for entry in top {
                message(entry, width, zone, &mut out);
            }
        }
        for measure in &self.measures {
            let _ = writeln!(out, "· {}", values(measure));
        }
        out
    }

    /// Lines by level, only of levels that there are.
    fn table(&self, rows: &[&Row], all: &Row, out: &mut String) {
        let name = |row: &Row| {
            let Names { namespace, owner, container } = &row.names;
            match (owner.is_empty(), self.plan.from_stdin) {
                (false, _) => format!("{namespace} {owner} {container}"),
                (true, true) => "standard input".to_owned(),
                (true, false) => "others".to_owned(),
            }
        };
        let columns: Vec<usize> =
            (0..all.lines.len()).rev().filter(|column| all.lines[*column] > 0).collect();
        let errors_a_minute =
            |errors| self.period.seconds().and_then(|seconds| rate(errors, seconds, MINUTE));
        let cells = |row: &Row| {
            let mut cells = vec![shown::grouped(row.sum())];
            cells.extend(columns.iter().map(|column| shown::grouped(row.lines[*column])));
            cells.extend(errors_a_minute(row.errors).map(|errors| format!("{errors:.1}")));
            cells
        };
        let mut head = vec!["lines".to_owned()];
        head.extend(columns.iter().map(|column| level_name(*column).to_owned()));
        head.extend(errors_a_minute(0).map(|_| "errors/min".to_owned()));
        let mut table = vec![(String::new(), head)];
        table.extend(rows.iter().map(|row| (shown::one_line(&name(row), shown::LONGEST), cells(row))));
        if rows.len() > 1 {
            table.push(("all".to_owned(), cells(all)));
        }
        let names = table.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..table[0].1.len())
            .map(|column| table.iter().filter_map(|(_, cells)| cells.get(column).map(String::len)).max())
            .map(Option::unwrap_or_default)
            .collect();
        for (name, cells) in table {
            let _ = write!(out, "  {name:names$}");
            for (cell, width) in cells.iter().zip(&widths) {
                let _ = write!(out, "  {cell:>width$}");
            }
            out.push('\n');
        }
    }

    fn json(&self) -> Value {
        let (rows, all) = self.rows.sorted();
        let row = |row: &Row| {
            let mut object = json!({ "lines": row.sum(), "levels": levels(row), "errors": row.errors });
            object["errors_per_minute"] =
                json!(self.period.seconds().and_then(|seconds| rate(row.errors, seconds, MINUTE)));
            object
        };
        let named = |named: &&Row| {
            let mut object = row(named);
            let Names { namespace, owner, container } = &named.names;
            object["namespace"] = json!(namespace);
            object["owner"] = json!(owner);
            object["container"] = json!(container);
            object
        };
        let mut report = row(&all);
        report["first"] = instant(self.period.0.map(|(first, _)| first));
        report["last"] = instant(self.period.0.map(|(_, last)| last));
        report["rows"] = rows.iter().map(named).collect();
        let messages = self.frequent.iter().flat_map(|frequent| frequent.top(MESSAGES));
        report["messages"] = messages.map(json_message).collect();
        report["fields"] = self.measures.iter().map(|it| (it.name.clone(), json_values(it))).collect();
        report
    }
}

/// By level, only those that there are.
fn levels(row: &Row) -> Value {
    let counts = row.lines.iter().enumerate().filter(|(_, lines)| **lines > 0);
    counts.map(|(column, lines)| (level_name(column).to_owned(), json!(lines))).collect()
}

fn level_name(column: usize) -> &'static str {
    Level::ALL.get(column).map_or("none", |level| level.name())
}

/// None if the time is too short to speak of a rate.
fn rate(count: u64, seconds: f64, of: f64) -> Option<f64> {
    (seconds >= 1.0).then(|| count as f64 / seconds * of)
}

fn message(entry: &Entry, width: usize, zone: &TimeZone, out: &mut String) {
    let text = shown::one_line(&String::from_utf8_lossy(&entry.message), shown::LONGEST);
    let level = entry.level.map_or("", Level::name);
    let about = if entry.excess > 0 { "at most " } else { "" };
    let _ = write!(out, "  {about}{:>width$} × {level:6} {text}", shown::grouped(entry.count));
    if let Some((first, last)) = entry.seen.bounds() {
        let (first, last) = (time(first, zone, CLOCK), time(last, zone, CLOCK));
        let _ = match first == last {
            true => write!(out, "  ({first})"),
            false => write!(out, "  ({first} to {last})"),
        };
    }
    out.push('\n');
}

fn json_message(entry: &Entry) -> Value {
    let bounds = entry.seen.bounds();
    json!({
        "message": String::from_utf8_lossy(&entry.message),
        "level": entry.level.map(Level::name),
        "count": entry.count,
        "excess": entry.excess,
        "first": instant(bounds.map(|(first, _)| first)),
        "last": instant(bounds.map(|(_, last)| last)),
    })
}

/// One line about a field.
fn values(measure: &Measure) -> String {
    let name = shown::one_line(&measure.name, shown::LONGEST);
    if measure.count() + measure.others == 0 {
        return format!("{name}: no record has this field");
    }
    let mut out = format!("{name}: {}", counted(measure.count(), "value"));
    let shown = |value| in_unit(measure.unit, value);
    for (title, part) in QUANTILES {
        if let Some(value) = measure.quantile(part) {
            let _ = write!(out, ", {title} {}", shown(value));
        }
    }
    let frequent = measure.frequent(VALUES);
    if frequent.len() > 1 {
        let frequent =
            frequent.iter().map(|(value, count)| format!("{} × {}", shown::grouped(*count), shown(*value)));
        let _ = write!(out, "; {}", frequent.collect::<Vec<_>>().join(", "));
    }
    let _ = match measure.others {
        0 => Ok(()),
        1 => write!(out, "; 1 other is not counted, as it is no number"),
        others => write!(out, "; {} others are not counted, as they are no numbers", shown::grouped(others)),
    };
    out
}

fn json_values(measure: &Measure) -> Value {
    let mut object = json!({ "count": measure.count(), "others": measure.others });
    object["unit"] = match measure.unit {
        Unit::Seconds => json!("seconds"),
        Unit::Bytes => json!("bytes"),
        Unit::Number | Unit::Unknown => Value::Null,
    };
    for (title, part) in QUANTILES {
        object[title] = json!(measure.quantile(part));
    }
    let frequent = measure.frequent(VALUES);
    object["values"] =
        frequent.iter().map(|(value, count)| json!({ "value": value, "count": count })).collect();
    object
}

fn in_unit(unit: Unit, value: f64) -> String {
    let (value, unit) = match unit {
        Unit::Seconds if value.abs() >= 1.0 || value == 0.0 => (value, "s"),
        Unit::Seconds if value.abs() >= 1e-3 => (value * 1e3, "ms"),
        Unit::Seconds if value.abs() >= 1e-6 => (value * 1e6, "µs"),
        Unit::Seconds => (value * 1e9, "ns"),
        Unit::Bytes if value.abs() >= 1e6 => (value / 1e6, "MB"),
        Unit::Bytes if value.abs() >= 1e3 => (value / 1e3, "kB"),
        Unit::Bytes => (value, "B"),
        Unit::Number | Unit::Unknown => (value, ""),
    };
    // Three digits are as exact as an estimate is.
    let decimals = match value.abs() {
        size if size >= 100.0 || value.fract() == 0.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}{unit}")
}

/// `1 line`, `2 lines`
fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", shown::grouped(number))
}

fn time(time: Instant, zone: &TimeZone, format: &str) -> String {
    let Ok(time) = Timestamp::from_nanosecond(time.0.into()) else { return String::new() };
    time.to_zoned(zone.clone()).strftime(format).to_string()
}

fn instant(time: Option<Instant>) -> Value {
    let time = time.and_then(|time| Timestamp::from_nanosecond(time.0.into()).ok());
    json!(time.map(|time| format!("{time:.3}")))
}
