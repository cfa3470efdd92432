//! Makes lines of bytes, for every source alike: where lines end, when each was written, how much is held of a long
//! one, and how a place among lines is found again.

mod long;
mod position;
mod split;
mod stamps;
mod timestamp;

pub use long::{LineLimit, Spool};
pub use position::{Finder, Found, Position, Seen};
pub use split::{Lines, Splitter};
pub use stamps::{Piece, Unstamped};
