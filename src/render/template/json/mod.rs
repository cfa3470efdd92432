//! JSON between messages and templates, by the rules of Go's `encoding/json`.

mod parse;
mod write;

pub use parse::{Numbers, parse_first, parse_object};
pub use write::{write, write_indented};
