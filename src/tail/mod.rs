//! Follows one target for as long as its container lives.

mod batch;
mod position;
mod split;
mod timestamp;

pub use batch::{Batch, EndReason, Ended, Instant, Item, Line};
