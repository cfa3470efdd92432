//! The source of logs: a cluster, or in tests a script on a paused clock.

use std::convert::Infallible;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::{
    cluster::{Cluster, Error, LogRequest, LogStream, Traffic, Turn},
    instance::{Instance, Standing},
    select,
};

pub trait Logs: Clone + Send + Sync + 'static {
    type Answer: Answer;

    /// Waits until the answer to a log request begins.
    fn open(&self, request: &LogRequest) -> impl Future<Output = Result<Self::Answer, Error>> + Send;

    /// Asks the apiserver whether the container's log still belongs to this instance.
    fn standing(&self, instance: &Instance) -> impl Future<Output = Result<Standing, Error>> + Send;

    /// Whether it does.
    fn is_current(&self, instance: &Instance) -> impl Future<Output = Result<bool, Error>> + Send {
        async { Ok(self.standing(instance).await?.is_current()) }
    }

    /// Whether the apiserver was out of reach at this time or later.
    fn was_out_since(&self, since: Instant) -> bool;
}

/// A log as it arrives. Dropping it ends the request.
pub trait Answer: Send {
    /// The next bytes; an error if a log that is not followed sends none for too long. None at the end.
    fn next(&mut self) -> impl Future<Output = Option<Result<Bytes, Error>>> + Send;

    /// The next bytes, however long they take. Cancel-safe.
    fn chunk(&mut self) -> impl Future<Output = Option<Result<Bytes, Error>>> + Send;

    /// To be awaited while nothing is read: stores the bytes that arrive meanwhile compactly. Cancel-safe.
    fn stow(&mut self) -> impl Future<Output = Infallible> + Send;

    /// The time at which the answer began, by the clock of the apiserver, in whole seconds; else by the local clock.
    fn date(&self) -> Timestamp;

    /// How its request got its turn.
    fn turn(&self) -> Turn;

    /// Whether it would be cheaper to go on as [`LogRequest::busy`].
    fn wants_own_connection(&self) -> bool;

    /// The progress of its connection, if the bandwidth limit can hold it back.
    fn traffic(&self) -> Option<Traffic> {
        None
    }
}

impl Logs for Cluster {
    type Answer = LogStream;

    async fn open(&self, request: &LogRequest) -> Result<LogStream, Error> {
        self.open_log(request).await
    }

    async fn standing(&self, instance: &Instance) -> Result<Standing, Error> {
        Box::pin(select::standing(self, instance)).await
    }

    fn was_out_since(&self, since: Instant) -> bool {
        self.was_out_since(since)
    }
}

impl Answer for LogStream {
    async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        self.next().await
    }

    async fn chunk(&mut self) -> Option<Result<Bytes, Error>> {
        self.chunk().await
    }

    async fn stow(&mut self) -> Infallible {
        self.stow().await
    }

    fn date(&self) -> Timestamp {
        self.date()
    }

    fn turn(&self) -> Turn {
        self.turn()
    }

    fn wants_own_connection(&self) -> bool {
        self.wants_own_connection()
    }

    fn traffic(&self) -> Option<Traffic> {
        self.traffic()
    }
}
