//! Keeps idle connections of HTTP/1.1 for their next request.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Waker},
    time::Duration,
};

use tokio::{
    io::AsyncBufRead,
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::stream::Stream;

/// The most idle connections: as many as logs are read at once without following. A few stay for long, the others only
/// for as long as the next log may take to be opened.
const MOST_IDLE: usize = 64;
const IDLE_MANY: Duration = Duration::from_secs(5);
const FEW_IDLE: usize = 4;
const IDLE: Duration = Duration::from_secs(30);

/// Idle connections, the longest idle first.
#[derive(Default)]
pub struct IdleConnections(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    connections: Vec<(Box<Stream>, Instant)>,
    /// Closes connections that stay idle, while there are any.
    sweeper: Option<JoinHandle<()>>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(sweeper) = &self.sweeper {
            sweeper.abort();
        }
    }
}

impl IdleConnections {
    /// A connection that the server has not closed meanwhile, as far as can be known.
    pub fn take(&self) -> Option<Box<Stream>> {
        let mut waiting = self.lock();
        while let Some((mut stream, _)) = waiting.connections.pop() {
            // A connection with bytes before its request is as good as closed.
            let mut cx = Context::from_waker(Waker::noop());
            if Pin::new(&mut stream).poll_fill_buf(&mut cx).is_pending() {
                return Some(stream);
            }
        }
        None
    }

    /// Closes all; whether there were any.
    pub fn close_all(&self) -> bool {
        let connections = std::mem::take(&mut self.lock().connections);
        !connections.is_empty()
    }

    pub fn put(self: &Arc<Self>, stream: Box<Stream>) {
        let mut waiting = self.lock();
        if waiting.connections.len() < MOST_IDLE {
            waiting.connections.push((stream, Instant::now()));
        }
        if waiting.sweeper.is_none() {
            waiting.sweeper = Some(tokio::spawn(sweep(Arc::downgrade(self))));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the connections that have been idle for too long, until none is left.
async fn sweep(idle: Weak<IdleConnections>) {
    loop {
        sleep(IDLE_MANY).await;
        let Some(idle) = idle.upgrade() else { return };
        let mut waiting = idle.lock();
        let connections = &mut waiting.connections;
        let spare = connections.len().saturating_sub(FEW_IDLE);
        let is_over =
            |at: usize, since: Instant| since.elapsed() >= if at < spare { IDLE_MANY } else { IDLE };
        let over = connections.iter().enumerate().take_while(|(at, (_, since))| is_over(*at, *since)).count();
        connections.drain(..over);
        if connections.is_empty() {
            waiting.sweeper = None;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::io::{AsyncReadExt, BufReader, DuplexStream, duplex};

    use super::*;
    use crate::cluster::http::stream::{Proxied, Wire};

    /// The number of these that are closed.
    fn closed(peers: &mut [DuplexStream]) -> usize {
        let mut cx = Context::from_waker(Waker::noop());
        let is_closed = |peer: &mut DuplexStream| pin!(peer.read_u8()).poll(&mut cx).is_ready();
        peers.iter_mut().map(is_closed).filter(|closed| *closed).count()
    }

    #[tokio::test(start_paused = true)]
    async fn many_connections_wait_for_a_moment_and_few_for_longer() {
        let idle = Arc::<IdleConnections>::default();
        let mut peers = Vec::new();
        for _ in 0..MOST_IDLE + 5 {
            let (ours, theirs) = duplex(64);
            let ours: Box<dyn Proxied> = Box::new(ours);
            idle.put(Box::new(Stream::plain(Wire::Right(BufReader::new(ours)), None)));
            peers.push(theirs);
        }
        assert_eq!(closed(&mut peers), 5, "there is no room for more");
        let moment = Duration::from_millis(100);
        sleep(IDLE_MANY - moment).await;
        assert_eq!(closed(&mut peers), 5);
        sleep(moment * 2).await;
        assert_eq!(closed(&mut peers), MOST_IDLE + 5 - FEW_IDLE);
        let used = idle.take().unwrap();
        sleep(IDLE).await;
        assert_eq!(closed(&mut peers), MOST_IDLE + 4, "the one that is used again is left");
        assert!(idle.take().is_none());
        idle.put(used);
        sleep(IDLE - moment).await;
        assert_eq!(closed(&mut peers), MOST_IDLE + 4);
        sleep(IDLE_MANY + moment * 2).await;
        assert_eq!(closed(&mut peers), MOST_IDLE + 5);
    }
}
