//! Long work on lines lets other tasks run: those that read, report and send requests.

use std::time::Duration;

use tokio::{task::yield_now, time::Instant};

/// The longest work without a pause.
const LONG: Duration = Duration::from_millis(10);

/// Most lines between two looks at the clock.
const MOST: usize = 256;

/// Divides the work on a batch into pieces.
pub struct Pace {
    /// Lines of a piece.
    piece: usize,
    /// The begin of the piece.
    began: Instant,
    /// The last pause.
    since: Instant,
}

impl Default for Pace {
    fn default() -> Pace {
        let now = Instant::now();
        Pace { piece: MOST, began: now, since: now }
    }
}

impl Pace {
    /// The task has just waited.
    pub fn rested(&mut self) {
        self.since = Instant::now();
    }

    /// Begins a piece of at most `left` lines; gives its number of lines.
    pub fn piece(&mut self, left: usize) -> usize {
        self.began = Instant::now();
        self.piece.min(left)
    }

    /// Ends a piece, and pauses after long work.
    pub async fn done(&mut self) {
        let now = Instant::now();
        self.piece = if now - self.began > LONG { 1 } else { (2 * self.piece).min(MOST) };
        if now - self.since > LONG {
            yield_now().await;
            self.rested();
        }
    }
}
