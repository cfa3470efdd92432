//! A TCP stream that reads rarely, but much at a time, while much data arrives.
//!
//! The apiserver sends a line or 2 KiB at a time, and waking for each costs more than reading it. A socket that
//! delivered twice within the latency rests: it is not read until the latency has passed, then all available data is
//! read at once. While it rests it is not registered with the reactor, which would wake the process for every packet.

use std::{
    io::{self, IoSlice, Read, Write},
    mem,
    net::{Shutdown, TcpStream as StdStream},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use super::{
    bandwidth::{Bandwidth, Progress},
    pulse::Pulse,
};
use crate::machine::Wire as Simulated;

/// Read size of a socket that expects little data; a TLS record is not larger.
const SMALL: usize = 16 << 10;
/// Read sizes after a rest: initial and maximum. The memory is freed when the socket becomes quiet.
const MEDIUM: usize = 64 << 10;
const LARGE: usize = 256 << 10;

/// Most memory for the reads of all sockets: with many sockets each reads less.
const ALL: usize = 32 << 20;

/// Settings for reading sockets.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    /// How long a line may wait for others. Zero: a socket never rests.
    pub latency: Duration,
    /// Start of the common ticks, `latency` apart, at which all resting sockets are read, so that the process wakes
    /// once for all; None: each has its own time.
    pub ticks: Option<Instant>,
    pub bandwidth: Option<Arc<Bandwidth>>,
    /// Notified when data arrives.
    pub pulse: Arc<Pulse>,
    /// Shared by all sockets with these settings, to count them.
    pub crowd: Arc<()>,
}

impl Pace {
    /// Most bytes that one socket may read at once.
    fn most(&self) -> usize {
        (ALL / Arc::strong_count(&self.crowd)).clamp(SMALL, LARGE)
    }

    /// The next read of a socket that was read now.
    fn next(&self, now: Instant) -> Instant {
        let Some(start) = self.ticks else { return now + self.latency };
        let (passed, apart) =
            (now.saturating_duration_since(start).as_nanos(), self.latency.as_nanos().max(1));
        let rest = apart - passed % apart;
        now + Duration::from_nanos(u64::try_from(rest).unwrap_or_default())
    }
}

pub struct Socket {
    wire: Wire,
    pace: Pace,
    /// The time of the last read.
    last: Option<Instant>,
    /// Bytes that may be read because their bandwidth was already taken.
    granted: usize,
    progress: Progress,
    alarm: Option<Pin<Box<Sleep>>>,
    buffer: Vec<u8>,
    /// Range of `buffer` that was read and not taken yet.
    start: usize,
    end: usize,
}

enum Wire {
    /// It reports available data.
    Watched(Watched),
    /// Read when the alarm fires.
    Resting(Resting),
    /// Lost during a failed registration.
    Lost,
}

/// A connection that wakes the task for data.
pub enum Watched {
    /// Registered with the reactor.
    Tcp(TcpStream),
    Simulated(Box<dyn Simulated>),
}

/// A connection that wakes nothing.
enum Resting {
    /// Not registered.
    Tcp(StdStream),
    Simulated(Box<dyn Simulated>),
}

impl From<TcpStream> for Watched {
    fn from(stream: TcpStream) -> Watched {
        Watched::Tcp(stream)
    }
}

impl From<Box<dyn Simulated>> for Watched {
    fn from(stream: Box<dyn Simulated>) -> Watched {
        Watched::Simulated(stream)
    }
}

impl Watched {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Watched::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Watched::Simulated(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }

    /// Data, or the end, may be there.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Watched::Tcp(stream) => stream.poll_read_ready(cx),
            Watched::Simulated(stream) => Pin::new(stream).poll_fill_buf(cx).map_ok(drop),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, data: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self {
            Watched::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, data),
            Watched::Simulated(stream) => Pin::new(stream).poll_write_vectored(cx, data),
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Watched::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Watched::Simulated(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn rest(self) -> io::Result<Resting> {
        Ok(match self {
            Watched::Tcp(stream) => Resting::Tcp(stream.into_std()?),
            Watched::Simulated(stream) => Resting::Simulated(stream),
        })
    }
}

impl Resting {
    /// An error of this kind: nothing is available.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Resting::Tcp(stream) => stream.read(buffer),
            Resting::Simulated(stream) => {
                let mut buffer = ReadBuf::new(buffer);
                at_once(Pin::new(stream).poll_read(&mut idle(), &mut buffer))?;
                Ok(buffer.filled().len())
            }
        }
    }

    fn write(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Resting::Tcp(stream) => stream.write_vectored(data),
            Resting::Simulated(stream) => at_once(Pin::new(stream).poll_write_vectored(&mut idle(), data)),
        }
    }

    fn watch(self) -> io::Result<Watched> {
        Ok(match self {
            Resting::Tcp(stream) => Watched::Tcp(TcpStream::from_std(stream)?),
            Resting::Simulated(stream) => Watched::Simulated(stream),
        })
    }

    fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Resting::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Resting::Simulated(stream) => at_once(Pin::new(stream).poll_shutdown(&mut idle())),
        }
    }
}

/// Wakes nothing.
fn idle() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn at_once<T>(polled: Poll<io::Result<T>>) -> io::Result<T> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl Socket {
    /// A socket that does not rest yet: the handshake must not be delayed.
    pub fn new(stream: impl Into<Watched>) -> Socket {
        Socket {
            wire: Wire::Watched(stream.into()),
            pace: Pace::default(),
            last: None,
            granted: 0,
            progress: Progress::default(),
            alarm: None,
            buffer: Vec::new(),
            start: 0,
            end: 0,
        }
    }

    pub fn pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// Its progress, if the bandwidth limit can hold it back.
    pub fn progress(&self) -> Option<Progress> {
        self.pace.bandwidth.as_ref().map(|_| self.progress.clone())
    }

    /// Ends a rest: the next data is awaited as on a quiet socket. Only the bandwidth limit still applies.
    pub fn attend(&mut self) -> io::Result<()> {
        self.last = None;
        if self.granted == 0 { self.watch() } else { Ok(()) }
    }

    /// Reads into the empty buffer. An empty buffer afterwards means the end.
    fn poll_refill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match &mut self.wire {
                Wire::Watched(stream) => {
                    ready!(stream.poll_ready(cx))?;
                    if let Some(turn) = self.turn(SMALL) {
                        self.rest_until(turn)?;
                        continue;
                    }
                    if let Some(read) = self.read_watched(cx)? {
                        self.delivered(read)?;
                        return Poll::Ready(Ok(()));
                    }
                }
                Wire::Resting(_) => {
                    if let Some(alarm) = &mut self.alarm {
                        ready!(alarm.as_mut().poll(cx));
                    }
                    if let Some(turn) = self.turn(self.pace.most()) {
                        self.rest_until(turn)?;
                        continue;
                    }
                    match self.read_resting()? {
                        Some(read) => {
                            self.delivered(read)?;
                            return Poll::Ready(Ok(()));
                        }
                        None => self.watch()?,
                    }
                }
                Wire::Lost => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            }
        }
    }

    /// None if the reactor's report was wrong.
    fn read_watched(&mut self, cx: &mut Context<'_>) -> io::Result<Option<usize>> {
        let size = self.room(SMALL);
        let Wire::Watched(stream) = &mut self.wire else { return Ok(None) };
        let mut buffer = ReadBuf::new(&mut self.buffer[..size]);
        let read = match stream.poll_read(cx, &mut buffer) {
            Poll::Ready(result) => result.map(|()| Some(buffer.filled().len())),
            Poll::Pending => Ok(None),
        };
        self.settle(*read.as_ref().unwrap_or(&None));
        read
    }

    /// None if nothing is available.
    fn read_resting(&mut self) -> io::Result<Option<usize>> {
        let size = self.room(self.granted.max(MEDIUM.min(self.pace.most())));
        let Wire::Resting(stream) = &mut self.wire else { return Ok(None) };
        let read = loop {
            match stream.read(&mut self.buffer[..size]) {
                Ok(read) => break Ok(Some(read)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(None),
                Err(error) => break Err(error),
            }
        };
        self.settle(*read.as_ref().unwrap_or(&None));
        read
    }

    /// Enlarges the buffer to at least `least`; returns the size that may be filled.
    fn room(&mut self, least: usize) -> usize {
        if self.buffer.len() < least {
            self.buffer = vec![0; least];
        }
        match self.pace.bandwidth {
            Some(_) => self.granted.min(self.buffer.len()),
            None => self.buffer.len(),
        }
    }

    /// When the bandwidth allows a read, if not now.
    fn turn(&mut self, wanted: usize) -> Option<Instant> {
        let bandwidth = self.pace.bandwidth.as_ref()?;
        if self.granted == 0 {
            self.granted = bandwidth.turn(wanted);
            let turn = bandwidth.take(self.granted);
            if turn > Instant::now() {
                self.progress.hold_until(turn);
                return Some(turn);
            }
        }
        let held_up = bandwidth.held_up();
        if let Some(turn) = held_up {
            self.progress.hold_until(turn);
        }
        held_up
    }

    /// Returns unused bandwidth.
    fn settle(&mut self, read: Option<usize>) {
        if let Some(bandwidth) = &self.pace.bandwidth {
            let read = read.unwrap_or_default();
            bandwidth.settle(self.granted, read);
            self.progress.read(read);
            self.granted = 0;
        }
    }

    /// Records a read and schedules the next one.
    fn delivered(&mut self, read: usize) -> io::Result<()> {
        (self.start, self.end) = (0, read);
        if read == 0 {
            return Ok(());
        }
        let now = Instant::now();
        self.pace.pulse.heard(now);
        if self.pace.latency.is_zero() {
            return Ok(());
        }
        let before = self.last.replace(now);
        match self.wire {
            Wire::Resting(_) => self.rest_until(self.rest_after(read, now)),
            _ if self.is_full_turn(read) => Ok(()),
            _ if before.is_some_and(|before| now - before < self.pace.latency) => {
                self.rest_until(self.pace.next(now))
            }
            _ => Ok(()),
        }
    }

    /// Shorter at high rates, before the kernel's buffer, which starts at 128 KiB, is full.
    fn rest_after(&self, read: usize, now: Instant) -> Instant {
        match read {
            _ if read == self.buffer.len() && read >= LARGE => now,
            _ if self.is_full_turn(read) => now,
            _ if read > MEDIUM => now + self.pace.latency.mul_f64(MEDIUM as f64 / read as f64),
            _ => self.pace.next(now),
        }
    }

    /// More may be there, and the bandwidth limit decides when it is read.
    fn is_full_turn(&self, read: usize) -> bool {
        self.pace.bandwidth.as_ref().is_some_and(|bandwidth| read >= bandwidth.turn(SMALL))
    }

    fn rest_until(&mut self, instant: Instant) -> io::Result<()> {
        match &mut self.alarm {
            Some(alarm) => alarm.as_mut().reset(instant),
            None => self.alarm = Some(Box::pin(sleep_until(instant))),
        }
        self.wire = match mem::replace(&mut self.wire, Wire::Lost) {
            Wire::Watched(stream) => Wire::Resting(stream.rest()?),
            resting => resting,
        };
        Ok(())
    }

    fn watch(&mut self) -> io::Result<()> {
        self.wire = match mem::replace(&mut self.wire, Wire::Lost) {
            Wire::Resting(stream) => Wire::Watched(stream.watch()?),
            watched => watched,
        };
        if self.start == self.end {
            self.buffer = Vec::new();
        }
        self.alarm = None;
        Ok(())
    }

    /// Writes directly; registers only if it must wait.
    fn poll_write_some(&mut self, cx: &mut Context<'_>, data: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        while let Wire::Resting(stream) = &mut self.wire {
            match stream.write(data) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.watch()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
        }
        match &mut self.wire {
            Wire::Watched(stream) => stream.poll_write(cx, data),
            _ => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.settle(None);
    }
}

impl AsyncBufRead for Socket {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.start == this.end {
            // A full buffer suggests that more data is available.
            if this.end == this.buffer.len() && (MEDIUM..this.pace.most()).contains(&this.end) {
                this.buffer = vec![0; this.end * 2];
            }
            (this.start, this.end) = (0, 0);
            ready!(this.poll_refill(cx))?;
        }
        Poll::Ready(Ok(&this.buffer[this.start..this.end]))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let this = self.get_mut();
        this.start = this.end.min(this.start + amount);
        // With many resting sockets, keep no large buffers: their data may remain unread for long.
        let is_spare = matches!(this.wire, Wire::Watched(_)) || this.pace.most() < LARGE;
        if this.start == this.end && is_spare {
            (this.buffer, this.start, this.end) = (Vec::new(), 0, 0);
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let data = ready!(self.as_mut().poll_fill_buf(cx))?;
        let amount = data.len().min(buffer.remaining());
        buffer.put_slice(&data[..amount]);
        self.consume(amount);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write_some(cx, &[IoSlice::new(data)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write_some(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().wire {
            Wire::Watched(stream) => stream.poll_shutdown(cx),
            Wire::Resting(stream) => Poll::Ready(stream.shutdown()),
            Wire::Lost => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests;
