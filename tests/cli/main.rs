//! The binary as a user runs it, against a double of the apiserver. One test binary, so that there is one to link.

mod harness;

mod command_line;
mod connection;
mod ending;
mod following;
mod history;
mod limits;
mod output;
mod resuming;
mod selection;
