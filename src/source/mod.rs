//! Sources: where events come from.
//!
//! A source is one file or folder and one arm of [`Source`]. It runs independently until it has nothing more to give,
//! and puts its events into the queue.

mod cluster;
mod stdin;

use std::io::Read;

use crate::{
    completion::Completion,
    deadline::Held,
    plan::{self, Plan},
    queue::Sender,
    stats::Stats,
    usage_error::UsageError,
    without_number,
};
use cluster::Cluster;

pub enum Source<'a> {
    Stdin(Box<dyn Read + Send>),
    Cluster(Cluster<'a>),
}

/// How a source ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was read.
    Complete,
    /// Some lines could not be read; notices gave the details.
    Incomplete,
    /// Nothing could be read; notices gave the reasons.
    Failed,
    /// The user cancelled the prompt.
    Cancelled,
}

/// The source cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read standard input: {}", without_number(.0))]
    Stdin(#[from] std::io::Error),
    #[error(transparent)]
    Cluster(#[from] crate::cluster::Error),
    /// The cluster shows that the command line is wrong.
    #[error(transparent)]
    Usage(#[from] UsageError),
}

impl<'a> Source<'a> {
    pub fn new(plan: &'a Plan, stdin: Box<dyn Read + Send>) -> Source<'a> {
        match &plan.source {
            plan::Source::Stdin => Source::Stdin(stdin),
            plan::Source::Cluster(cluster) => Source::Cluster(Cluster::new(plan, cluster)),
        }
    }

    /// How far the selected pods have come, if that decides how the run ends.
    pub fn completion(&self) -> Option<Completion> {
        match self {
            Source::Stdin(_) => None,
            Source::Cluster(cluster) => cluster.completion(),
        }
    }

    /// Puts all events into `out`. They are shown to the end: the queue closes with its last sender. `held`
    /// is dropped unless the user is asked, and then after the answer.
    pub async fn run(self, plan: &Plan, stats: &Stats, out: Sender, held: Held) -> Result<Outcome, Error> {
        match self {
            Source::Stdin(stdin) => {
                drop(held);
                Ok(stdin::run(stdin, plan.lines, stats, out).await?)
            }
            Source::Cluster(cluster) => Ok(cluster.run(stats, out, held).await?),
        }
    }
}
