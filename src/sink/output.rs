//! Writes to standard output and standard error, on its own thread; in a simulation, in a task.

use std::{
    future::pending,
    io::{self, Write},
    thread,
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::sleep,
};

use super::{Closed, Pager};
use crate::{io::Io, machine::Machine, platform::streams::Stream};

/// Interval of checks for a closed reader while nothing is written.
const LOOK: std::time::Duration = std::time::Duration::from_secs(1);

/// Most chunks that wait for the writer; each is about 128 KiB, unless its last batch has long lines.
const CHUNKS: usize = 2;

/// The largest buffer that is used again.
const KEPT: usize = 256 << 10;

enum Chunk {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
    /// Tells that the chunks before it are written.
    Mark(oneshot::Sender<()>),
}

/// Passes output to its own thread, so that a blocked standard output blocks nothing else.
pub struct Output {
    /// None once it finishes.
    chunks: Option<mpsc::Sender<Chunk>>,
    /// Whether standard output takes nothing more. Standard error does all the same.
    is_closed: watch::Receiver<bool>,
    /// Written buffers, to be reused.
    empty: mpsc::Receiver<Vec<u8>>,
    /// Used to check for a closed reader.
    stdout: Option<Stream>,
    /// Shows standard output until the user quits it.
    pager: Option<Pager>,
    /// The writer's result.
    result: oneshot::Receiver<io::Result<()>>,
}

impl Output {
    pub fn new(
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
        machine: &Machine,
    ) -> io::Result<Self> {
        let (chunks, receiver) = mpsc::channel(CHUNKS);
        let (used, empty) = mpsc::channel(CHUNKS + 1);
        let (report, result) = oneshot::channel();
        let (closing, is_closed) = watch::channel(false);
        let mut writer = Writer { stdout, stderr, used, closing, result: Ok(()) };
        match machine.simulation().cloned() {
            None => drop(thread::Builder::new().spawn(move || {
                let mut receiver = receiver;
                while let Some(chunk) = receiver.blocking_recv() {
                    writer.write(chunk);
                }
                writer.finish(report);
            })?),
            Some(simulated) => drop(tokio::spawn(async move {
                let mut receiver = receiver;
                while let Some(chunk) = receiver.recv().await {
                    if let Chunk::Stdout(bytes) = &chunk {
                        simulated.room(bytes.len()).await;
                    }
                    writer.write(chunk);
                }
                writer.finish(report);
            })),
        }
        Ok(Self { chunks: Some(chunks), is_closed, empty, stdout: None, pager: None, result })
    }

    /// Also notices the end of the pager that shows standard output.
    pub fn watch_pager(self, pager: Option<Pager>) -> Self {
        Self { pager, ..self }
    }

    /// Also notices a closed reader of this process's standard output while no line is written.
    pub fn watch_stdout(mut self) -> Self {
        self.stdout = Io::process_stdout().ok();
        self
    }

    /// An empty buffer for [`Output::stdout`].
    pub fn buffer(&mut self) -> Vec<u8> {
        self.empty.try_recv().unwrap_or_default()
    }

    /// Prints whole lines; waits while the writer is behind.
    pub async fn stdout(&mut self, bytes: Vec<u8>) -> Result<(), Closed> {
        if *self.is_closed.borrow() {
            return Err(Closed);
        }
        self.send(Chunk::Stdout(bytes)).await
    }

    /// Writes whole lines, after the earlier ones.
    pub async fn stderr(&mut self, bytes: Vec<u8>) -> Result<(), Closed> {
        self.send(Chunk::Stderr(bytes)).await
    }

    async fn send(&mut self, chunk: Chunk) -> Result<(), Closed> {
        self.chunks.as_ref().ok_or(Closed)?.send(chunk).await.map_err(|_| Closed)
    }

    /// Waits until everything so far is written, or nothing can be any more.
    pub async fn written(&mut self) {
        let (mark, is_written) = oneshot::channel();
        if self.send(Chunk::Mark(mark)).await.is_ok() {
            let _ = is_written.await;
        }
    }

    /// Waits until nothing can be written any more.
    pub async fn closed(&self) {
        let unread = async {
            while !self.stdout.as_ref().is_some_and(Stream::has_no_reader) {
                sleep(LOOK).await;
            }
        };
        let quit = async {
            match &self.pager {
                Some(pager) => pager.ended().await,
                None => pending().await,
            }
        };
        let mut is_closed = self.is_closed.clone();
        tokio::select! {
            biased;
            // An error means that the thread has ended.
            _ = is_closed.wait_for(|closed| *closed) => {}
            () = unread => {}
            () = quit => {}
        }
    }

    /// Waits until everything is written. A closed reader of standard output is not an error.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.chunks = None;
        match (&mut self.result).await {
            Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Ok(result) => result,
            Err(_) => Err(io::Error::other("the writer of standard output panicked")),
        }
    }
}

/// Writes the chunks.
struct Writer {
    stdout: Box<dyn Write + Send>,
    stderr: Box<dyn Write + Send>,
    used: mpsc::Sender<Vec<u8>>,
    closing: watch::Sender<bool>,
    /// Of standard output.
    result: io::Result<()>,
}

impl Writer {
    fn write(&mut self, chunk: Chunk) {
        let mut bytes = match chunk {
            Chunk::Stdout(bytes) => {
                if self.result.is_ok() {
                    self.result = self.stdout.write_all(&bytes).and_then(|()| self.stdout.flush());
                    if self.result.is_err() {
                        self.closing.send_replace(true);
                    }
                }
                bytes
            }
            Chunk::Stderr(bytes) => {
                // A closed standard error cannot be reported; logs continue.
                let _ = self.stderr.write_all(&bytes);
                bytes
            }
            Chunk::Mark(mark) => {
                // The receiver may be gone.
                let _ = mark.send(());
                return;
            }
        };
        bytes.clear();
        if bytes.capacity() <= KEPT {
            // A surplus buffer is freed.
            let _ = self.used.try_send(bytes);
        }
    }

    fn finish(self, report: oneshot::Sender<io::Result<()>>) {
        let Writer { stdout, mut stderr, result, .. } = self;
        // A pager may have to end before.
        drop(stdout);
        let _ = stderr.flush();
        // The run may have ended already.
        let _ = report.send(result);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Keeps the written bytes, or refuses them.
    #[derive(Clone, Default)]
    struct Sink {
        written: Arc<Mutex<Vec<u8>>>,
        broken: Option<io::ErrorKind>,
    }

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.broken {
                Some(kind) => Err(kind.into()),
                None => self.written.lock().expect("no panic").write(bytes),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Sink {
        fn text(&self) -> String {
            String::from_utf8_lossy(&self.written.lock().expect("no panic")).into_owned()
        }
    }

    #[tokio::test]
    async fn everything_is_written_in_order_before_it_finishes() {
        let sink = Sink::default();
        let mut output = Output::new(Box::new(sink.clone()), Box::new(sink.clone()), &Machine::default())
            .expect("a thread");
        for n in 0..10 {
            output.stdout(format!("line {n}\n").into_bytes()).await.expect("open");
            output.stderr(b"- notice\n".to_vec()).await.expect("open");
        }
        output.finish().await.expect("written");
        let want: String = (0..10).map(|n| format!("line {n}\n- notice\n")).collect();
        assert_eq!(sink.text(), want);
    }

    #[tokio::test]
    async fn everything_so_far_is_written_behind_a_mark() {
        let sink = Sink::default();
        let mut output = Output::new(Box::new(sink.clone()), Box::new(Sink::default()), &Machine::default())
            .expect("a thread");
        for n in 1..=10 {
            output.stdout(b"line\n".to_vec()).await.expect("open");
            output.written().await;
            assert_eq!(sink.text(), "line\n".repeat(n));
        }
    }

    #[tokio::test]
    async fn a_buffer_that_grew_for_long_lines_is_not_kept() {
        let mut output =
            Output::new(Box::new(Sink::default()), Box::new(Sink::default()), &Machine::default())
                .expect("a thread");
        for (size, is_kept) in [(KEPT, true), (KEPT + 1, false)] {
            output.stdout(vec![b'x'; size]).await.expect("open");
            output.written().await;
            assert_eq!(output.buffer().capacity() > 0, is_kept, "{size}");
        }
    }

    #[tokio::test]
    async fn a_closed_pipe_is_a_quiet_end() {
        let broken = Sink { broken: Some(io::ErrorKind::BrokenPipe), ..Sink::default() };
        let mut output =
            Output::new(Box::new(broken), Box::new(Sink::default()), &Machine::default()).expect("a thread");
        while output.stdout(b"line\n".to_vec()).await.is_ok() {}
        assert!(output.finish().await.is_ok());
    }

    #[tokio::test]
    async fn a_full_disk_is_an_error() {
        let full = Sink { broken: Some(io::ErrorKind::StorageFull), ..Sink::default() };
        let mut output =
            Output::new(Box::new(full), Box::new(Sink::default()), &Machine::default()).expect("a thread");
        while output.stdout(b"line\n".to_vec()).await.is_ok() {}
        assert_eq!(output.finish().await.map_err(|error| error.kind()), Err(io::ErrorKind::StorageFull));
    }

    #[tokio::test]
    async fn a_closed_standard_error_does_not_stop_the_logs() {
        let (sink, broken) =
            (Sink::default(), Sink { broken: Some(io::ErrorKind::BrokenPipe), ..Sink::default() });
        let mut output =
            Output::new(Box::new(sink.clone()), Box::new(broken), &Machine::default()).expect("a thread");
        output.stderr(b"+ notice\n".to_vec()).await.expect("open");
        output.stdout(b"line\n".to_vec()).await.expect("open");
        output.finish().await.expect("written");
        assert_eq!(sink.text(), "line\n");
    }
}
