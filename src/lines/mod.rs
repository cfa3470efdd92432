//! Turns bytes into lines, for every source: line ends, timestamps, limits on long lines, and positions that can be
//! found again.

mod finder;
#[cfg(fuzzing)]
pub mod fuzz;
mod long;
mod position;
mod split;
mod stamps;
mod timestamp;

pub use finder::{Finder, Found};
pub use long::{LineLimit, is_cut, length, uncut};
pub use position::{BACK, LineEnd, Position, Seen};
pub use split::{Lines, Splitter};
pub use stamps::{Piece, Unstamped};
