//! Sinks: the destinations of ordered events. During a run only this module, and the prompt while it asks, write to
//! standard output and standard error.
//!
//! A sink is a [`Sink`] in its own file, and a line in `run.rs` that chooses it.

mod ahead;
mod files;
mod output;
mod pager;
mod print;
mod tee;

use std::io;

pub use ahead::write_ahead;
pub use files::Files;
pub use pager::{Lines, Pager};
pub use print::Print;
pub use tee::Tee;

use crate::{event::Event, notice::Notice, pace::Pace};

pub trait Sink {
    /// Takes an event; it is shown at once or together with the next ones.
    async fn take(&mut self, event: Event, pace: &mut Pace) -> Result<(), Closed>;

    /// Shows everything taken so far: no further event is ready.
    async fn idle(&mut self) -> Result<(), Closed>;

    /// Waits until everything that was shown is written, as far as it can be.
    async fn written(&mut self);

    /// Waits until nothing can be shown any more. Meanwhile it may show what comes up beside the events.
    async fn closed(&mut self);

    /// Shows the error that ended the run, after all events.
    async fn failed(&mut self, error: &str) -> Result<(), Closed>;

    /// These notices and what is still to be reported, for standard error, if a signal ends the run before all is
    /// shown.
    fn last_words(&mut self, notices: &[Notice]) -> Vec<u8>;

    /// Waits until everything is shown. A reader that closed the output is not an error.
    async fn finish(&mut self) -> io::Result<Shown>;
}

/// How the lines were shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Whole,
    /// Some lines not as they should be; notices gave the reasons.
    InPart,
}

impl Shown {
    /// Of two sinks together.
    pub fn and(self, other: Shown) -> Shown {
        if self == Shown::Whole { other } else { self }
    }
}

/// Nothing can be shown any more; [`Sink::finish`] gives the reason.
#[derive(Debug)]
pub struct Closed;
