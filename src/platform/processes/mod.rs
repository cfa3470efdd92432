//! Programs that this one starts, with all that they start themselves.

#[cfg(unix)]
mod descendants;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{Members, Pipeline, Starting, ended_by};
#[cfg(windows)]
pub use windows::{Members, Pipeline, Starting, ended_by};
