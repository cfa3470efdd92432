//! Follows one target for as long as its container lives.

mod batch;

pub use batch::{Batch, EndReason, Ended, Instant, Item, Line};
