//! The program under test: a task in the simulation, on a machine that is made for it.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use apiserver::Network;
use futures::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use stern_rs::{
    ExitCode, Io,
    simulation::{self, Connected, Machine, Simulated},
};
use tokio::{
    io::BufReader,
    sync::{oneshot, watch},
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::{
    meter::{Meter, Metered},
    story::Written,
    usage::{in_world, steps_of_world},
};

/// A run of the program.
pub struct Program {
    pub stdout: Stream,
    pub stderr: Stream,
    pub reader: watch::Sender<Reader>,
    /// What it took from its connections.
    pub taken: Meter,
    signal: Option<oneshot::Sender<ExitCode>>,
    task: JoinHandle<(Duration, Result<ExitCode, String>)>,
}

/// How fast standard output is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    Fast,
    /// So many bytes a second.
    Slow(u32),
    Stopped,
}

impl Program {
    /// `since`: the start of the simulation. `clock`: the time of the program's machine then.
    pub fn start(args: &[String], network: Network, since: Instant, clock: Timestamp) -> Program {
        let [stdout, stderr] = [(); 2].map(|()| Stream { since, written: Arc::default() });
        let reader = watch::Sender::new(Reader::Fast);
        let taken = Meter::new(since);
        let machine = Made {
            network,
            clock,
            since,
            stderr: stderr.clone(),
            reader: reader.subscribe(),
            taken: taken.clone(),
        };
        let (signal, heard) = oneshot::channel();
        let heard = async {
            match heard.await {
                Ok(code) => code,
                Err(_) => std::future::pending().await,
            }
        };
        let io = Io {
            stdin: Box::new(io::empty()),
            stdout: Ok(Box::new(stdout.clone())),
            stderr: Box::new(stderr.clone()),
        };
        let args: Vec<_> = ["stern-rs".to_owned()].iter().chain(args).map(Into::into).collect();
        // The future of a run stays on its thread.
        let run = async move {
            let code = simulation::run(args, io, Machine::simulated(Arc::new(machine)), heard).await;
            (since.elapsed(), code)
        };
        let task = tokio::task::spawn_local(run);
        Program { stdout, stderr, reader, taken, signal: Some(signal), task }
    }

    /// Sends a signal that ends a run with this code.
    pub fn signal(&mut self, code: ExitCode) {
        if let Some(signal) = self.signal.take() {
            // The run may have ended already.
            let _ = signal.send(code);
        }
    }

    pub fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits for the end: when it came, and the exit code.
    pub async fn end(&mut self) -> (Duration, Result<ExitCode, String>) {
        match (&mut self.task).await {
            Ok(end) => end,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// What was written to a stream, and when. Clones are the same stream.
#[derive(Clone)]
pub struct Stream {
    since: Instant,
    written: Arc<Mutex<Vec<Written>>>,
}

impl Stream {
    pub fn written(&self) -> MutexGuard<'_, Vec<Written>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let at = self.since.elapsed();
        in_world(|| self.written().push(Written { at, bytes: bytes.to_vec() }));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Made {
    network: Network,
    clock: Timestamp,
    since: Instant,
    stderr: Stream,
    reader: watch::Receiver<Reader>,
    taken: Meter,
}

impl Simulated for Made {
    fn now(&self) -> Timestamp {
        self.clock.checked_add(self.since.elapsed()).unwrap_or(Timestamp::MAX)
    }

    fn connect(&self, http2: bool) -> BoxFuture<'static, io::Result<Connected>> {
        let (network, taken) = (self.network.clone(), self.taken.clone());
        let connect = async move {
            let (wire, http2) = steps_of_world(network.connect(http2)).await?;
            let number = wire.number;
            Ok(Connected {
                wire: Box::new(Metered::new(in_world(|| BufReader::new(wire)), number, taken)),
                http2,
            })
        };
        connect.boxed()
    }

    fn room(&self, bytes: usize) -> BoxFuture<'static, ()> {
        let mut reader = self.reader.clone();
        let room = async move {
            let mut left = bytes as f64;
            loop {
                let (speed, began) = (*reader.borrow_and_update(), Instant::now());
                let (rate, wait) = match speed {
                    Reader::Fast => return,
                    Reader::Stopped => (0.0, Duration::MAX),
                    Reader::Slow(rate) => {
                        (f64::from(rate), Duration::from_secs_f64(left.max(0.0) / f64::from(rate)))
                    }
                };
                match timeout(wait, reader.changed()).await {
                    Ok(Ok(())) => left -= rate * began.elapsed().as_secs_f64(),
                    // All is read, or the simulation is over.
                    Err(_) | Ok(Err(_)) => return,
                }
            }
        };
        room.boxed()
    }

    fn stderr(&self) -> Box<dyn Write + Send> {
        Box::new(self.stderr.clone())
    }
}
