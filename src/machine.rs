//! The machine of a run: its time, its connections and its threads. A simulation gives another one.

use std::{
    fmt,
    io::{self, Write},
    sync::Arc,
};

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::{
    io::{AsyncBufRead, AsyncWrite},
    task::{JoinError, spawn_blocking},
};

use crate::io::Io;

/// The machine that this process runs on, or a simulated one. Clones are the same.
#[derive(Clone, Default)]
pub struct Machine(Option<Arc<dyn Simulated>>);

/// A machine that a simulation makes, on tokio's clock and on one thread.
pub trait Simulated: Send + Sync {
    fn now(&self) -> Timestamp;

    /// A connection to the apiserver. `http2`: whether HTTP/2 is offered.
    fn connect(&self, http2: bool) -> BoxFuture<'static, io::Result<Connected>>;

    /// Waits until the reader of standard output has room for so many bytes.
    fn room(&self, bytes: usize) -> BoxFuture<'static, ()>;

    /// Standard error, which always has room.
    fn stderr(&self) -> Box<dyn Write + Send>;
}

/// A connection in memory.
pub struct Connected {
    pub wire: Box<dyn Wire>,
    /// Whether it speaks HTTP/2 from the start.
    pub http2: bool,
}

pub trait Wire: AsyncBufRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncBufRead + AsyncWrite + Send + Sync + Unpin> Wire for T {}

impl Machine {
    pub fn simulated(machine: Arc<dyn Simulated>) -> Machine {
        Machine(Some(machine))
    }

    /// None: the real one.
    pub fn simulation(&self) -> Option<&Arc<dyn Simulated>> {
        self.0.as_ref()
    }

    pub fn now(&self) -> Timestamp {
        self.0.as_ref().map_or_else(Timestamp::now, |simulated| simulated.now())
    }

    /// Standard error, to be written ahead of all waiting output.
    pub fn stderr(&self) -> Box<dyn Write + Send> {
        self.0.as_ref().map_or_else(Io::process_stderr, |simulated| simulated.stderr())
    }

    /// Does what may block, on a thread for that.
    pub async fn block<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        match &self.0 {
            Some(_) => Ok(work()),
            None => spawn_blocking(work).await,
        }
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Simulated" } else { "Real" })
    }
}
