//! Tests of the double through its clients' interface.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod cluster;
mod connections;
mod in_process;
mod logs;
mod scripts;
