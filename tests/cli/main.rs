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
mod ending;
mod faults;
mod files;
mod following;
mod history;
mod leaving;
mod levels;
mod limits;
mod lives;
mod messages;
mod odd_servers;
mod output;
mod polling;
mod pretty;
mod programs;
mod promises;
mod querying;
mod ranges;
mod records;
mod redacting;
mod redirects;
mod restarts;
mod resuming;
mod selection;
mod silence;
mod sorting;
mod sorting_with;
mod stopping;
mod summary;
mod transport;
mod watching;

// Signals, pipes with names, pseudo-terminals, and the scripts of a shell.
#[cfg(unix)]
mod documents;
#[cfg(unix)]
mod pager;
#[cfg(unix)]
mod picture;
#[cfg(unix)]
mod plugins;
#[cfg(unix)]
mod prompt;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod streams;
#[cfg(unix)]
mod terminals;
// Each system needs other descriptors for the same.
#[cfg(target_os = "linux")]
mod descriptors;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
#[path = "../terminal/mod.rs"]
mod terminal;
