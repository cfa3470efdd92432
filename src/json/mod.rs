//! JSON as Go's `encoding/json` reads and writes it: validation, strings, and template values.

#[cfg(fuzzing)]
pub mod fuzz;
mod parse;
mod scan;
mod string;
mod valid;
mod write;

pub use parse::{Numbers, parse_first, parse_object};
pub use string::{unescape, write_string};
pub use valid::Validator;
pub use write::{write, write_indented};
