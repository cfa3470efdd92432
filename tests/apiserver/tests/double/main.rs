//! The double as a client sees it.

mod client;
mod cluster;
mod connections;
mod logs;
mod scripts;
