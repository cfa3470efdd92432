//! The number of lines that a poll requests: the kubelet finds the end of a log without reading all of it.

use tokio::time::Instant;

/// The fewest lines that are requested.
const FEWEST: u64 = 20;

/// Beyond this number the node has no less work: all lines since the last one are requested.
const MOST: u64 = 1 << 14;

/// So many times as many lines are requested if they were too few: each request takes a while, in which lines may be
/// rotated away.
const MORE: u64 = 4;

/// Adapts to the number of lines that a container writes.
#[derive(Debug)]
pub struct Window {
    /// Lines a second, as measured so far.
    rate: f64,
    /// The time of the last read.
    read: Instant,
    /// The number of lines that was too small, until the last line was found.
    missed: Option<u64>,
    polls: u64,
}

impl Window {
    pub fn new() -> Self {
        Self { rate: 0.0, read: Instant::now(), missed: None, polls: 0 }
    }

    /// The number of polls.
    pub fn polls(&self) -> u64 {
        self.polls
    }

    /// The number of lines to request now; None: all.
    pub fn lines(&self) -> Option<u64> {
        let expected = self.rate * self.read.elapsed().as_secs_f64();
        // The container may write twice as many as usual.
        let fitted = FEWEST + (2.0 * expected) as u64;
        let lines = fitted.max(self.missed.map_or(0, |missed| MORE * missed));
        Some(lines).filter(|lines| *lines <= MOST)
    }

    /// The last line printed was not among this many.
    pub fn missed(&mut self, lines: u64) {
        self.missed = Some(lines);
    }

    /// A poll reached the last line printed, and brought this many new ones.
    pub fn read(&mut self, new: u64) {
        let seconds = self.read.elapsed().as_secs_f64().max(0.001);
        // Halved at most, so that a burst is remembered for a while.
        self.rate = (new as f64 / seconds).max(self.rate / 2.0);
        self.read = Instant::now();
        self.missed = None;
        self.polls += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn little_is_asked_of_a_quiet_log() {
        let mut window = Window::new();
        advance(Duration::from_secs(60)).await;
        window.read(0);
        assert_eq!(window.lines(), Some(FEWEST));
    }

    #[tokio::test(start_paused = true)]
    async fn twice_of_what_is_expected_is_asked_of_a_busy_one() {
        let mut window = Window::new();
        advance(Duration::from_secs(10)).await;
        window.read(1000);
        advance(Duration::from_secs(5)).await;
        assert_eq!(window.lines(), Some(FEWEST + 1000));
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_that_was_too_small_grows_up_to_the_whole_log() {
        let mut window = Window::new();
        let mut asked = Vec::new();
        while let Some(lines) = window.lines() {
            asked.push(lines);
            window.missed(lines);
        }
        assert_eq!(asked, [20, 80, 320, 1280, 5120]);
        window.read(0);
        assert_eq!(window.lines(), Some(FEWEST));
    }
}
