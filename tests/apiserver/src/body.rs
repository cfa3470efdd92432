//! Bodies that grow while they are sent. A script cuts them into chunks and breaks them off.

use std::{
    collections::VecDeque,
    fmt,
    io::Write,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http_body::{Frame, SizeHint};
use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};

use crate::{
    account::{Ended, Request},
    connection::Connection,
    lock,
    script::{After, Answer, Chunks, Command, Event},
    server::Inner,
};

/// An open answer: it takes commands, and its [`Entry`] reports its end.
pub(crate) struct Stream {
    pub request: Arc<Request>,
    inner: Arc<Inner>,
    connection: Arc<Connection>,
    /// Commands of the test.
    commands: Mutex<VecDeque<Command>>,
    commanded: Notify,
    /// All parts so far were taken.
    idle: AtomicBool,
}

impl Stream {
    /// Lets nothing arrive any more on its connection.
    pub fn deaden(&self) {
        self.connection.deaden();
    }

    pub fn command(&self, command: Command) {
        lock(&self.commands).push_back(command);
        self.commanded.notify_one();
    }
}

/// Owns the entry of an answer in the list of open ones.
pub(crate) struct Meter {
    stream: Arc<Stream>,
    finished: bool,
}

impl Meter {
    pub fn new(inner: &Arc<Inner>, connection: &Arc<Connection>, request: &Arc<Request>) -> Self {
        let stream = Arc::new(Stream {
            request: Arc::clone(request),
            inner: Arc::clone(inner),
            connection: Arc::clone(connection),
            commands: Mutex::default(),
            commanded: Notify::new(),
            idle: AtomicBool::new(false),
        });
        lock(&inner.streams).insert(request.number, Arc::clone(&stream));
        Meter { stream, finished: false }
    }

    pub fn stream(&self) -> Arc<Stream> {
        Arc::clone(&self.stream)
    }

    pub fn answered(&self, status: u16) {
        self.stream.inner.ledger.answered(&self.stream.request, status);
    }

    fn count(&self, bytes: usize) {
        self.stream.request.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn end(&mut self, how: Ended) {
        self.finished = true;
        self.stream.inner.ledger.ended(&self.stream.request, how);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let Stream { request, inner, connection, .. } = &*self.stream;
        lock(&inner.streams).remove(&request.number);
        if !self.finished {
            self.end(if connection.is_killed() { Ended::Broken } else { Ended::Abandoned });
        }
    }
}

pub(crate) struct Body {
    parts: Option<mpsc::Receiver<Part>>,
    pending: Bytes,
    chunker: Chunker,
    flush: bool,
    gzip: bool,
    /// With `flush`, whether the previous chunk was flushed.
    flushed: bool,
    meter: Meter,
}

enum Part {
    Data(Bytes),
    Cut,
}

/// A script or a test broke the body off.
#[derive(Debug)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cut by a script")
    }
}

impl std::error::Error for Cut {}

impl Body {
    /// A body that is known completely.
    pub fn whole(data: impl Into<Bytes>, meter: Meter) -> Self {
        let chunker = Chunker::new(Chunks::Bytes(usize::MAX));
        Body { parts: None, pending: data.into(), chunker, flush: false, gzip: false, flushed: false, meter }
    }

    /// A body that a [`Writer`] fills.
    pub fn streamed(meter: Meter, answer: &Answer, usual: Chunks) -> (Writer, Self) {
        // Room for one part: parts that a slow client does not take yet are not produced.
        let (sender, receiver) = mpsc::channel(1);
        let chunks = match &answer.chunks {
            Chunks::Usual => usual,
            chunks => chunks.clone(),
        };
        let mut events: Vec<_> = answer.events.clone();
        events.reverse();
        let writer = Writer {
            sender,
            stream: meter.stream(),
            // A pause between chunks needs each chunk to be a part of its own.
            paced: (!answer.pause.is_zero() || answer.step.is_some()).then(|| Chunker::new(chunks.clone())),
            answer: answer.clone(),
            events,
            bytes: 0,
            lines: 0,
            within: false,
        };
        let chunker = match writer.paced {
            Some(_) => Chunker::new(Chunks::Bytes(usize::MAX)),
            None => Chunker::new(chunks),
        };
        let body = Body {
            parts: Some(receiver),
            pending: Bytes::new(),
            chunker,
            flush: answer.flush,
            gzip: answer.gzip,
            flushed: true,
            meter,
        };
        (writer, body)
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = &mut *self;
        loop {
            if !this.pending.is_empty() {
                if this.flush && !this.flushed {
                    // hyper flushes when a body is pending.
                    this.flushed = true;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                this.flushed = false;
                let chunk = this.chunker.next(&mut this.pending);
                let chunk = if this.gzip { gzipped(&chunk) } else { chunk };
                this.meter.count(chunk.len());
                return Poll::Ready(Some(Ok(Frame::data(chunk))));
            }
            let next = match &mut this.parts {
                None => None,
                Some(parts) => match parts.poll_recv(cx) {
                    Poll::Pending => {
                        this.meter.stream.idle.store(true, Ordering::Relaxed);
                        return Poll::Pending;
                    }
                    ready => ready!(ready),
                },
            };
            match next {
                Some(Part::Data(data)) => this.pending = data,
                Some(Part::Cut) => {
                    this.meter.end(Ended::Broken);
                    return Poll::Ready(Some(Err(Cut)));
                }
                None => {
                    this.meter.end(Ended::Complete);
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        false
    }

    fn size_hint(&self) -> SizeHint {
        match self.parts {
            None => SizeHint::with_exact(self.pending.len() as u64),
            Some(_) => SizeHint::default(),
        }
    }
}

/// One member, at the level of a real apiserver.
pub(crate) fn gzipped(data: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).and_then(|()| encoder.finish()).expect("a vector takes all").into()
}

/// Cuts data as [`Chunks`] defines. A chunk ends with the data, so no data is held back.
struct Chunker {
    chunks: Chunks,
    at: usize,
    /// The part of the size at `at` that an earlier piece has used, in bytes.
    used: usize,
}

impl Chunker {
    fn new(chunks: Chunks) -> Self {
        if let Chunks::Sizes(sizes) = &chunks {
            assert!(sizes.iter().any(|size| *size > 0), "chunks of size 0 would never end");
        }
        Chunker { chunks, at: 0, used: 0 }
    }

    fn next(&mut self, data: &mut Bytes) -> Bytes {
        let length = match &self.chunks {
            Chunks::Usual => data.len(),
            Chunks::Bytes(size) => *size,
            Chunks::Lines => memchr::memchr(b'\n', data).map_or(data.len(), |newline| newline + 1),
            Chunks::Sizes(sizes) => {
                while sizes[self.at] <= self.used {
                    self.at = (self.at + 1) % sizes.len();
                    self.used = 0;
                }
                let length = (sizes[self.at] - self.used).min(data.len());
                self.used += length;
                length
            }
        };
        data.split_to(length.clamp(1, data.len()))
    }
}

/// The reason for a writer to stop.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A script ended the body.
    Scripted,
    /// The client has left.
    Gone,
}

/// Fills a body, and runs the actions of a script and the commands of a test.
pub(crate) struct Writer {
    sender: mpsc::Sender<Part>,
    stream: Arc<Stream>,
    answer: Answer,
    paced: Option<Chunker>,
    /// The remaining actions, last first.
    events: Vec<(After, Event)>,
    bytes: u64,
    lines: u64,
    /// The last bytes were a part of a line.
    within: bool,
}

impl Writer {
    /// Runs the actions before the first byte. Must be called at the beginning of a body.
    pub async fn begin(&mut self) -> Result<(), Stop> {
        self.write(Bytes::new()).await
    }

    pub async fn write(&mut self, mut data: Bytes) -> Result<(), Stop> {
        self.obey().await?;
        if self.has_words() {
            let rest = memchr::memchr(b'\n', &data).map_or(data.len(), |newline| newline + 1);
            let rest = data.split_to(rest);
            self.play(rest).await?;
            self.obey().await?;
        }
        self.play(data).await
    }

    /// Writes, with the actions of the script.
    async fn play(&mut self, mut data: Bytes) -> Result<(), Stop> {
        while let Some((after, event)) = self.events.last().cloned() {
            let Some(length) = self.distance(after, &data) else { break };
            let head = data.split_to(length);
            self.send(head).await?;
            self.events.pop();
            match event {
                Event::Do(command) => self.happen(command).await?,
                Event::Hold(gate) => self.wait(gate.wait()).await?,
            }
        }
        self.send(data).await
    }

    /// Waits for a future, and meanwhile runs the test's commands and notices a client that leaves.
    pub async fn wait(&mut self, event: impl Future) -> Result<(), Stop> {
        let mut event = std::pin::pin!(event);
        loop {
            let stream = Arc::clone(&self.stream);
            tokio::select! {
                biased;
                _ = &mut event => return Ok(()),
                () = self.sender.closed() => return Err(Stop::Gone),
                () = stream.commanded.notified() => self.obey().await?,
            }
        }
    }

    async fn obey(&mut self) -> Result<(), Stop> {
        while !self.has_words() {
            let command = lock(&self.stream.commands).pop_front();
            let Some(command) = command else { return Ok(()) };
            self.happen(command).await?;
        }
        Ok(())
    }

    /// Whether words wait for the end of a line: a kubelet writes whole lines before them.
    fn has_words(&self) -> bool {
        self.within && matches!(lock(&self.stream.commands).front(), Some(Command::Insert(_)))
    }

    /// The length of the data before that point, in bytes; None if the point is beyond.
    fn distance(&self, after: After, data: &[u8]) -> Option<usize> {
        match after {
            After::Bytes(count) => {
                let left = count.saturating_sub(self.bytes);
                (left <= data.len() as u64).then_some(left as usize)
            }
            After::Lines(count) => match count.saturating_sub(self.lines) {
                0 => Some(0),
                left => memchr::memchr_iter(b'\n', data).nth(left as usize - 1).map(|newline| newline + 1),
            },
        }
    }

    async fn happen(&mut self, command: Command) -> Result<(), Stop> {
        match command {
            Command::End => return Err(Stop::Scripted),
            Command::Cut => {
                // The client may have left meanwhile.
                let _ = self.sender.send(Part::Cut).await;
                self.sender.closed().await;
                return Err(Stop::Scripted);
            }
            Command::Reset => {
                self.settle().await;
                self.stream.connection.reset();
                self.sender.closed().await;
                return Err(Stop::Scripted);
            }
            Command::Insert(text) => self.put(text.into()).await?,
        }
        Ok(())
    }

    async fn send(&mut self, mut data: Bytes) -> Result<(), Stop> {
        if data.is_empty() {
            return Ok(());
        }
        self.bytes += data.len() as u64;
        self.within = !data.ends_with(b"\n");
        if self.events.iter().any(|(after, _)| matches!(after, After::Lines(_))) {
            self.lines += memchr::memchr_iter(b'\n', &data).count() as u64;
        }
        while let Some(chunker) = self.paced.as_mut().filter(|_| !data.is_empty()) {
            let chunk = chunker.next(&mut data);
            if let Some(gate) = self.answer.step.clone() {
                self.wait(gate.wait()).await?;
            }
            self.put(chunk).await?;
            if !self.answer.pause.is_zero() {
                self.wait(tokio::time::sleep(self.answer.pause)).await?;
            }
        }
        self.put(data).await
    }

    async fn put(&mut self, data: Bytes) -> Result<(), Stop> {
        if data.is_empty() {
            return Ok(());
        }
        let permit = self.sender.reserve().await.map_err(|_| Stop::Gone)?;
        self.stream.idle.store(false, Ordering::Relaxed);
        permit.send(Part::Data(data));
        Ok(())
    }

    /// Waits until all data has left this process, so that a break comes exactly after it.
    async fn settle(&self) {
        let settled = || self.stream.idle.load(Ordering::Relaxed) && !self.stream.connection.is_blocked();
        // A client that takes nothing loses it, as with any reset.
        let patience = Instant::now() + Duration::from_secs(10);
        while !self.sender.is_closed() && !settled() && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // An HTTP/2 connection writes in a task of its own.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
    }
}
