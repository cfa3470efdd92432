//! The differences between operating systems: a folder for each topic, and in it a file for each platform.

pub mod files;
pub mod home;
pub mod limits;
pub mod processes;
pub mod programs;
pub mod signals;
pub mod streams;
pub mod terminal;
