//! Turns pod events into targets that start and end.

mod target;

pub use target::{ContainerKind, Owner, PodInfo, Target};
