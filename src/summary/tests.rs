//! Reports of whole runs of lines.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::*;
use crate::{
    event::Batch,
    plan::SummaryFormat,
    render::testing::{batch, origin},
};

fn plan(fields: &[&str]) -> SummaryPlan {
    SummaryPlan {
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        format: SummaryFormat::Text,
        timezone: TimeZone::UTC,
        from_stdin: false,
    }
}

fn summary(plan: &SummaryPlan, batches: impl IntoIterator<Item = Batch>) -> Summary {
    let summary = Summary::new(plan);
    batches.into_iter().for_each(|batch| summary.see(&Event::Batch(batch)));
    summary
}

fn web(lines: &[&str]) -> Batch {
    let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
    batch(&origin("shop", "web-0", "app"), &lines)
}
