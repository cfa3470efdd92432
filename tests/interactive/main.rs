//! What is asked of the user, and what is said while the user types.

mod complete;
mod prompt;
#[path = "../terminal/mod.rs"]
mod terminal;
