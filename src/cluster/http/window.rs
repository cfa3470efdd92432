//! The window of each HTTP/2 stream, that is its unread bytes in flight: smaller with more streams, so that the total
//! is limited.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// The total for all streams. A window of 64 KiB with a round trip of 50 ms allows 1.3 MB each second; each of 250
/// streams gets that much.
const UNREAD: usize = 16 << 20;
pub const MOST: usize = 1 << 20;
/// Room for a typical line, with few updates of the window.
const LEAST: usize = 4 << 10;

/// The windows of the streams of a pool.
#[derive(Debug)]
pub struct Windows {
    streams: Mutex<Streams>,
    size: watch::Sender<u32>,
}

#[derive(Debug)]
struct Streams {
    now: usize,
    /// The number of streams for which the size was computed: a power of two. It changes only when there are many
    /// more or far fewer.
    meant: usize,
}

impl Windows {
    pub fn new() -> Windows {
        let meant = UNREAD / MOST;
        Windows { streams: Mutex::new(Streams { now: 0, meant }), size: watch::Sender::new(size(meant)) }
    }

    /// Counts a stream, or a request that waits for a connection and will soon be one.
    pub fn share(self: &Arc<Self>) -> Share {
        self.count(|now| now + 1);
        Share(self.clone())
    }

    /// The size for each stream, as it changes.
    pub fn size(&self) -> watch::Receiver<u32> {
        self.size.subscribe()
    }

    fn count(&self, counted: impl Fn(usize) -> usize) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.now = counted(streams.now);
        if (streams.meant / 4..=streams.meant).contains(&streams.now) {
            return;
        }
        streams.meant = streams.now.next_power_of_two().max(UNREAD / MOST);
        self.size.send_if_modified(|before| {
            let size = size(streams.meant);
            std::mem::replace(before, size) != size
        });
    }
}

/// Counts as a stream until dropped.
pub struct Share(Arc<Windows>);

impl Drop for Share {
    fn drop(&mut self) {
        self.0.count(|now| now.saturating_sub(1));
    }
}

fn size(streams: usize) -> u32 {
    (UNREAD / streams).clamp(LEAST, MOST) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_streams_get_much_and_many_get_little() {
        let windows = Arc::new(Windows::new());
        let size = windows.size();
        let (mut shares, mut all) = (Vec::new(), Vec::new());
        for n in 1..=20_000_usize {
            shares.push(windows.share());
            let size = *size.borrow() as usize;
            assert!(size * n <= UNREAD || size == LEAST, "{n} streams have {size} each");
            assert!(size >= MOST / 8 || n > 128, "{n} streams have only {size} each");
            all.push(size);
        }
        all.dedup();
        assert_eq!(all.len(), 9, "it changes seldom: {all:?}");
        drop(shares);
        assert_eq!(*size.borrow() as usize, MOST);
    }

    #[test]
    fn streams_that_come_and_go_change_nothing() {
        let windows = Arc::new(Windows::new());
        let mut shares: Vec<_> = (0..1025).map(|_| windows.share()).collect();
        let mut size = windows.size();
        for _ in 0..100 {
            shares.truncate(525);
            shares.extend((0..500).map(|_| windows.share()));
        }
        assert!(!size.has_changed().unwrap());
        assert_eq!(*size.borrow_and_update(), 8 << 10);
    }
}
