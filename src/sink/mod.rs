//! Sinks: the destinations of ordered events. During a run only this module, and the prompt while it asks, write to standard
//! output and standard error.
//!
//! A sink is a [`Sink`] in its own file, and a line in `run.rs` that chooses it.

mod output;
mod print;
mod stats;

use std::io;

pub use print::Print;
pub use stats::{report, report_whenever_asked};

use crate::event::Event;

pub trait Sink {
    /// Takes an event; it is shown at once or together with the next ones.
    async fn take(&mut self, event: Event) -> Result<(), Closed>;

    /// Shows everything taken so far: no further event is ready.
    async fn idle(&mut self) -> Result<(), Closed>;

    /// Waits until nothing can be shown any more.
    async fn closed(&self);

    /// Shows the error that ended the run, after all events.
    async fn failed(&mut self, error: &str) -> Result<(), Closed>;

    /// Waits until everything is shown. A reader that closed the output is not an error.
    async fn finish(self) -> io::Result<()>;
}

/// Nothing can be shown any more; [`Sink::finish`] gives the reason.
#[derive(Debug)]
pub struct Closed;
