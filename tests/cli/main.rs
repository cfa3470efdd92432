//! The program as a user runs it, against a double of the apiserver. There is one test binary, so that only one is
//! linked.
#![allow(clippy::print_stderr, reason = "a test that fails shows what the program printed")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

mod as_kubectl;
mod command_line;
mod complete;
mod completing;
mod compression;
mod conditions;
mod connection;
mod context;
mod credentials;
mod deletion;
mod descriptors;
#[cfg(unix)]
mod documents;
mod ending;
mod faults;
mod files;
mod following;
mod history;
mod levels;
mod limits;
mod lives;
mod messages;
mod odd_servers;
mod output;
mod pager;
#[cfg(unix)]
mod picture;
mod plugins;
mod polling;
mod pretty;
mod programs;
mod promises;
mod prompt;
mod querying;
mod ranges;
mod records;
mod redacting;
mod redirects;
mod restarts;
mod resuming;
mod selection;
mod signals;
mod silence;
mod sorting;
mod sorting_with;
mod stopping;
mod streams;
mod summary;
mod terminals;
mod transport;
mod watching;

#[path = "../terminal/mod.rs"]
mod terminal;
