//! Sinks: where events end, in their order. Only this room writes to standard output and standard error.
//!
//! A sink is a [`Sink`], one file each, and a line where `run.rs` chooses it.

mod output;
mod print;
mod stats;

use std::io;

pub use output::WholeLines;
pub use print::Print;
pub use stats::{report, report_whenever_asked};

use crate::event::Event;

pub trait Sink {
    /// Shows an event, at once or together with those that follow it.
    async fn take(&mut self, event: Event) -> Result<(), Closed>;

    /// Nothing more is there to be taken at once: shows all that was taken.
    async fn idle(&mut self) -> Result<(), Closed>;

    /// Waits until nothing can be shown any more.
    async fn closed(&self);

    /// Shows an error that ended the run, after all that was taken.
    async fn failed(&mut self, error: &str) -> Result<(), Closed>;

    /// Waits until all is shown. A reader that went away is no error.
    async fn finish(self) -> io::Result<()>;
}

/// Nothing can be shown any more; [`Sink::finish`] says why.
#[derive(Debug)]
pub struct Closed;
