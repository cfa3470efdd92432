//! Finds a connection for each request: an HTTP/2 connection with room, an idle one, or a new one.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tower::BoxError;

use super::{
    body::Body,
    connector::{ConnectionOptions, Dialed, Dialer},
    http1,
    http2::{Connection, Failed, Slot},
    idle::IdleConnections,
    stream::Stream,
};
use crate::cluster::error::Error;

/// Most attempts of a request on different connections, if connections do not take it.
const MOST_ATTEMPTS: usize = 5;

/// Most logs with a connection of their own where they could share one.
pub const MOST_ALONE: usize = 8;

/// The time for which no log gets a connection of its own after one that failed.
const ALONE_AGAIN: Duration = Duration::from_secs(60);

/// Whether a request may share its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    Shared,
    /// Uses its own HTTP/1.1 connection if available: many small pieces cost half as much there.
    Alone,
}

/// Resolves when a request may be sent once more.
pub type Again<'a> = &'a (dyn Fn() -> BoxFuture<'a, ()> + Sync);

/// Connections to one server for the same purpose.
pub struct Pool {
    dialer: Dialer,
    options: ConnectionOptions,
    state: Mutex<State>,
    idle: Arc<IdleConnections>,
    alone: Arc<Semaphore>,
    /// Held while a connection is made that others may share.
    dialing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    shared: Vec<Arc<Connection>>,
    /// The server does not support HTTP/2.
    only_http1: bool,
    /// When a connection of its own last failed before its first answer: the server may know only HTTP/2.
    alone_failed: Option<Instant>,
    /// Number of failed connection attempts, and the last error.
    failures: u64,
    failure: Option<Error>,
}

/// A connection that takes a request.
enum Lane {
    Shared(Slot),
    /// An own connection; `reused` if it served requests before.
    Own {
        stream: Box<Stream>,
        reused: bool,
        /// One of the limited places for requests that could share a connection.
        place: Option<OwnedSemaphorePermit>,
    },
}

impl Pool {
    pub fn new(dialer: Dialer, options: ConnectionOptions) -> Pool {
        let (state, idle, alone) = (Mutex::default(), Arc::default(), Arc::new(Semaphore::new(MOST_ALONE)));
        Pool { dialer, options, state, idle, alone, dialing: tokio::sync::Mutex::default() }
    }

    /// Sends a request and waits for the head of its answer. If a connection does not take it, tries another, once
    /// `again` allows it: a server that closes its connections gets no more requests than others.
    pub async fn send(
        &self,
        request: &Request<Bytes>,
        sharing: Sharing,
        again: Again<'_>,
    ) -> Result<Response<Body>, BoxError> {
        let mut attempts = 1;
        loop {
            match self.attempt(request, sharing).await {
                Err(Failed { unprocessed: true, .. }) if attempts < MOST_ATTEMPTS => {
                    attempts += 1;
                    again().await;
                }
                result => return result.map_err(|failed| failed.error),
            }
        }
    }

    async fn attempt(&self, request: &Request<Bytes>, sharing: Sharing) -> Result<Response<Body>, Failed> {
        let alone = match sharing {
            Sharing::Alone => self.alone().await,
            Sharing::Shared => None,
        };
        let lane = match alone {
            Some(lane) => Ok(lane),
            None => {
                // Counts simultaneous requests before the first one gets its window.
                let _share = self.options.windows.share();
                self.lane().await
            }
        };
        let lane = lane.map_err(|error| Failed { error: error.into(), unprocessed: false })?;
        let sent = Instant::now();
        let answer = match lane {
            Lane::Shared(slot) => slot.send(request).await?.map(Body::Http2),
            Lane::Own { stream, reused, place } => {
                match http1::send(stream, request, self.idle.clone()).await {
                    Ok(answer) => answer.map(|body| Body::Http1 { body, _place: place }),
                    // The server may have closed it meanwhile.
                    Err(error) => {
                        let optional = place.is_some();
                        if optional && !reused {
                            self.state().alone_failed = Some(Instant::now());
                        }
                        return Err(Failed { error, unprocessed: reused || optional });
                    }
                }
            }
        };
        self.dialer.round_trip.answered(sent);
        Ok(answer)
    }

    /// An HTTP/1.1 connection. A failure is reported by the next attempt.
    async fn alone(&self) -> Option<Lane> {
        if self.state().alone_failed.is_some_and(|at| at.elapsed() < ALONE_AGAIN) {
            return None;
        }
        let place = Some(self.alone.clone().try_acquire_owned().ok()?);
        if let Some(stream) = self.idle.take() {
            return Some(Lane::Own { stream, reused: true, place });
        }
        let Ok(stream) = self.dialer.dial_http1(&self.options).await else {
            self.state().alone_failed = Some(Instant::now());
            return None;
        };
        Some(Lane::Own { stream: Box::new(stream), reused: false, place })
    }

    async fn lane(&self) -> Result<Lane, Error> {
        if let Some(lane) = self.free() {
            return Ok(lane);
        }
        let failures = self.state().failures;
        let mut turn = None;
        if !self.state().only_http1 {
            turn = Some(self.dialing.lock().await);
            if let Some(lane) = self.free() {
                return Ok(lane);
            }
            if let Some(failure) = self.failure_after(failures) {
                return Err(failure);
            }
        }
        if self.state().only_http1 {
            // Connections that are not shared are made concurrently.
            turn.take();
        }
        self.dial().await
    }

    /// The last connection error, if there were more failures than `failures`.
    fn failure_after(&self, failures: u64) -> Option<Error> {
        let state = self.state();
        if state.failures > failures { state.failure.clone() } else { None }
    }

    /// An existing connection with room. An idle one that served a busy log is not taken where requests can share one.
    fn free(&self) -> Option<Lane> {
        let mut state = self.state();
        state.shared.retain(|connection| !connection.is_closed());
        if let Some(slot) = state.shared.iter().find_map(Connection::slot) {
            return Some(Lane::Shared(slot));
        }
        let idle = state.only_http1.then(|| self.idle.take()).flatten();
        idle.map(|stream| Lane::Own { stream, reused: true, place: None })
    }

    /// A new connection.
    async fn dial(&self) -> Result<Lane, Error> {
        let mut dialed = self.dialer.dial(&self.options).await;
        if matches!(&dialed, Err(error) if error.is_out_of_files()) && self.idle.close_all() {
            dialed = self.dialer.dial(&self.options).await;
        }
        let mut state = self.state();
        match dialed {
            Ok(Dialed::Http1(stream)) => {
                state.only_http1 = true;
                Ok(Lane::Own { stream: Box::new(stream), reused: false, place: None })
            }
            Ok(Dialed::Http2(connection)) => {
                state.only_http1 = false;
                let connection = Arc::new(connection);
                state.shared.push(connection.clone());
                let none = || Error::from_http(self.dialer.server(), &NoStreams);
                connection.slot().map(Lane::Shared).ok_or_else(none)
            }
            Err(error) => {
                state.failures += 1;
                state.failure = Some(error.clone());
                Err(error)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server allows no streams, or closed at once.
#[derive(Debug, thiserror::Error)]
#[error("it accepts no requests")]
struct NoStreams;

#[cfg(test)]
mod tests;
