//! A TCP stream that is read seldom but much at a time while much comes.
//!
//! The apiserver sends a line or 2 KiB at a time, and waking for each costs more than reading it. A socket that
//! delivered twice within the latency rests: it is not read before the latency has passed, then all that is there is
//! read at once. While it rests it is not registered with the reactor, which would wake the process for every packet.

use std::{
    io::{self, IoSlice, Read, Write},
    mem,
    net::{Shutdown, TcpStream as StdStream},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use super::bandwidth::{Bandwidth, Progress};

/// What is read at once from a socket of which little is expected; a TLS record is not larger.
const SMALL: usize = 16 << 10;
/// The same after a rest, at first and at most. All of it is given back when the socket is quiet.
const MEDIUM: usize = 64 << 10;
const LARGE: usize = 256 << 10;

/// What all sockets together may read at once: many read less each.
const ALL: usize = 32 << 20;

/// How sockets are read.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    /// How long a line may wait for others. Zero: a socket never rests.
    pub latency: Duration,
    /// Since when all that rest are read at the same ticks, `latency` apart, so that the process wakes once for all of them;
    /// None: each for itself.
    pub ticks: Option<Instant>,
    pub bandwidth: Option<Arc<Bandwidth>>,
    /// Shared by all sockets that are read so, and so counts them.
    pub crowd: Arc<()>,
}

impl Pace {
    /// As much as one socket may read at once.
    fn most(&self) -> usize {
        (ALL / Arc::strong_count(&self.crowd)).clamp(SMALL, LARGE)
    }

    /// When a socket that was read now is to be read next.
    fn next(&self, now: Instant) -> Instant {
        let Some(start) = self.ticks else { return now + self.latency };
        let (passed, apart) =
            (now.saturating_duration_since(start).as_nanos(), self.latency.as_nanos().max(1));
        let rest = apart - passed % apart;
        now + Duration::from_nanos(u64::try_from(rest).unwrap_or_default())
    }
}

pub(super) struct Socket {
    wire: Wire,
    pace: Pace,
    /// When something was read last.
    last: Option<Instant>,
    /// Bytes that may be read because the bandwidth was taken already.
    granted: usize,
    progress: Progress,
    alarm: Option<Pin<Box<Sleep>>>,
    buffer: Vec<u8>,
    /// Where in `buffer` that lies which was read and not yet taken.
    start: usize,
    end: usize,
}

enum Wire {
    /// Registered with the reactor, which tells when there is something to read.
    Watched(TcpStream),
    /// Not registered. It is read when the alarm goes off.
    Resting(StdStream),
    /// Lost when it was to be registered anew.
    Lost,
}

impl Socket {
    /// A socket that does not rest yet: making a connection is not to be slowed down.
    pub fn new(stream: TcpStream) -> Socket {
        Socket {
            wire: Wire::Watched(stream),
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

    /// How far it has come, where the bandwidth may hold it back.
    pub fn progress(&self) -> Option<Progress> {
        self.pace.bandwidth.as_ref().map(|_| self.progress.clone())
    }

    /// Ends a rest: what comes next is awaited, and is no more of what came so often. Only the bandwidth is waited for.
    pub fn attend(&mut self) -> io::Result<()> {
        self.last = None;
        if self.granted == 0 { self.watch() } else { Ok(()) }
    }

    /// Reads into the empty buffer. Nothing in it afterwards is the end.
    fn poll_refill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match &mut self.wire {
                Wire::Watched(stream) => {
                    ready!(stream.poll_read_ready(cx))?;
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

    /// None where the reactor was wrong.
    fn read_watched(&mut self, cx: &mut Context<'_>) -> io::Result<Option<usize>> {
        let size = self.room(SMALL);
        let Wire::Watched(stream) = &mut self.wire else { return Ok(None) };
        let mut buffer = ReadBuf::new(&mut self.buffer[..size]);
        let read = match Pin::new(stream).poll_read(cx, &mut buffer) {
            Poll::Ready(result) => result.map(|()| Some(buffer.filled().len())),
            Poll::Pending => Ok(None),
        };
        self.settle(*read.as_ref().unwrap_or(&None));
        read
    }

    /// None where there is nothing.
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

    /// Makes the buffer at least so large; how much of it may be filled.
    fn room(&mut self, least: usize) -> usize {
        if self.buffer.len() < least {
            self.buffer = vec![0; least];
        }
        match self.pace.bandwidth {
            Some(_) => self.granted.min(self.buffer.len()),
            None => self.buffer.len(),
        }
    }

    /// When the bandwidth allows a read, if that is not now.
    fn turn(&mut self, wanted: usize) -> Option<Instant> {
        let bandwidth = self.pace.bandwidth.as_ref()?;
        if self.granted > 0 {
            return None;
        }
        self.granted = bandwidth.turn(wanted);
        let turn = bandwidth.take(self.granted);
        let later = turn > Instant::now();
        if later {
            self.progress.hold_until(turn);
        }
        later.then_some(turn)
    }

    /// Gives back the bandwidth that was not used.
    fn settle(&mut self, read: Option<usize>) {
        if let Some(bandwidth) = &self.pace.bandwidth {
            let read = read.unwrap_or_default();
            bandwidth.give_back(self.granted.saturating_sub(read));
            self.progress.read(read);
            self.granted = 0;
        }
    }

    /// Notes what was read and decides when to read again.
    fn delivered(&mut self, read: usize) -> io::Result<()> {
        (self.start, self.end) = (0, read);
        if read == 0 || self.pace.latency.is_zero() {
            return Ok(());
        }
        let now = Instant::now();
        let before = self.last.replace(now);
        match self.wire {
            Wire::Resting(_) => self.rest_until(self.rest_after(read, now)),
            _ if before.is_some_and(|before| now - before < self.pace.latency) => {
                self.rest_until(self.pace.next(now))
            }
            _ => Ok(()),
        }
    }

    /// Shorter where so much comes that the kernel's buffer, which starts at 128 KiB, would be full.
    fn rest_after(&self, read: usize, now: Instant) -> Instant {
        match read {
            _ if read == self.buffer.len() && read >= LARGE => now,
            // The bandwidth says when.
            _ if read >= SMALL && self.pace.bandwidth.is_some() => now,
            _ if read > MEDIUM => now + self.pace.latency.mul_f64(MEDIUM as f64 / read as f64),
            _ => self.pace.next(now),
        }
    }

    fn rest_until(&mut self, instant: Instant) -> io::Result<()> {
        match &mut self.alarm {
            Some(alarm) => alarm.as_mut().reset(instant),
            None => self.alarm = Some(Box::pin(sleep_until(instant))),
        }
        self.wire = match mem::replace(&mut self.wire, Wire::Lost) {
            Wire::Watched(stream) => Wire::Resting(stream.into_std()?),
            resting => resting,
        };
        Ok(())
    }

    fn watch(&mut self) -> io::Result<()> {
        self.wire = match mem::replace(&mut self.wire, Wire::Lost) {
            Wire::Resting(stream) => Wire::Watched(TcpStream::from_std(stream)?),
            watched => watched,
        };
        if self.start == self.end {
            self.buffer = Vec::new();
        }
        self.alarm = None;
        Ok(())
    }

    /// Writes as it is, and registered only where it has to wait.
    fn poll_write_with(
        &mut self,
        cx: &mut Context<'_>,
        write: impl Fn(&mut StdStream) -> io::Result<usize>,
        poll_write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        while let Wire::Resting(stream) = &mut self.wire {
            match write(stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.watch()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
        }
        match &mut self.wire {
            Wire::Watched(stream) => poll_write(Pin::new(stream), cx),
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
            // A buffer that was read full has more behind it.
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
        // Of many that rest, most may do so for long: nobody may take what they read.
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
        let write = |stream: &mut StdStream| stream.write(data);
        self.get_mut().poll_write_with(cx, write, |stream, cx| stream.poll_write(cx, data))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = |stream: &mut StdStream| stream.write_vectored(data);
        self.get_mut().poll_write_with(cx, write, |stream, cx| stream.poll_write_vectored(cx, data))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().wire {
            Wire::Watched(stream) => Pin::new(stream).poll_shutdown(cx),
            Wire::Resting(stream) => Poll::Ready(stream.shutdown(Shutdown::Write)),
            Wire::Lost => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    const LATENCY: Duration = Duration::from_millis(5);

    async fn pair(pace: Pace) -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut socket = Socket::new(client);
        socket.pace(pace);
        (socket, listener.accept().await.unwrap().0)
    }

    async fn with_latency() -> (Socket, TcpStream) {
        pair(Pace { latency: LATENCY, ..Pace::default() }).await
    }

    /// What the next read gives, and how long it took.
    async fn read(socket: &mut Socket) -> (String, Duration) {
        let start = Instant::now();
        let data = socket.fill_buf().await.unwrap().to_vec();
        socket.consume(data.len());
        (String::from_utf8(data).unwrap(), start.elapsed())
    }

    /// Waits until so many bytes have arrived at a socket that rests: the kernel takes its time, which is not ours.
    fn arrived(socket: &Socket, count: usize) {
        let Wire::Resting(stream) = &socket.wire else { panic!("it does not rest") };
        while stream.peek(&mut [0; 64]).ok() != Some(count) {
            std::thread::yield_now();
        }
    }

    /// A socket that has just delivered twice, and so rests.
    async fn busy() -> (Socket, TcpStream) {
        let (mut socket, mut peer) = with_latency().await;
        for text in ["a", "b"] {
            peer.write_all(text.as_bytes()).await.unwrap();
            assert_eq!(read(&mut socket).await, (text.into(), Duration::ZERO));
        }
        assert!(matches!(socket.wire, Wire::Resting(_)));
        (socket, peer)
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_now_and_then_is_read_at_once() {
        let (mut socket, mut peer) = with_latency().await;
        for _ in 0..3 {
            peer.write_all(b"line").await.unwrap();
            assert_eq!(read(&mut socket).await, ("line".into(), Duration::ZERO));
            tokio::time::advance(LATENCY).await;
        }
        assert!(socket.buffer.is_empty(), "a quiet socket keeps no buffer");
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_often_is_read_together() {
        let (mut socket, mut peer) = busy().await;
        for _ in 0..3 {
            peer.write_all(b"c").await.unwrap();
            peer.write_all(b"d").await.unwrap();
            arrived(&socket, 2);
            assert_eq!(read(&mut socket).await, ("cd".into(), LATENCY));
        }
    }

    #[test]
    fn sockets_that_rest_are_read_at_the_same_ticks() {
        let start = Instant::now();
        let pace = Pace { latency: LATENCY, ticks: Some(start), ..Pace::default() };
        for millis in [10, 11, 14] {
            assert_eq!(pace.next(start + Duration::from_millis(millis)), start + LATENCY * 3);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rest_that_ends_with_nothing_is_the_last() {
        let (mut socket, mut peer) = busy().await;
        let late = async {
            tokio::time::sleep(LATENCY * 10).await;
            peer.write_all(b"c").await.unwrap();
        };
        let (read, ()) = tokio::join!(read(&mut socket), late);
        assert_eq!(read, ("c".into(), LATENCY * 10));
        assert!(matches!(socket.wire, Wire::Watched(_)) && socket.buffer.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn without_latency_it_never_rests() {
        let (mut socket, mut peer) = pair(Pace::default()).await;
        for _ in 0..5 {
            peer.write_all(b"line").await.unwrap();
            assert_eq!(read(&mut socket).await, ("line".into(), Duration::ZERO));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_bandwidth_bounds_all_sockets_together() {
        let pace = Pace {
            latency: LATENCY,
            bandwidth: Some(Arc::new(Bandwidth::new(1000, Default::default()))),
            ..Pace::default()
        };
        let (mut one, mut peer_of_one) = pair(pace.clone()).await;
        let (mut other, mut peer_of_other) = pair(pace).await;
        let data = [b'x'; 1000];
        peer_of_one.write_all(&data).await.unwrap();
        peer_of_other.write_all(&data).await.unwrap();
        let start = Instant::now();
        let (mut first, mut second) = ([0; 1000], [0; 1000]);
        let (first, second) = tokio::join!(one.read_exact(&mut first), other.read_exact(&mut second));
        first.unwrap();
        second.unwrap();
        let taken = start.elapsed().as_secs_f64();
        assert!((1.7..2.1).contains(&taken), "{taken}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_attended_to_is_read_at_once() {
        let (mut socket, mut peer) = busy().await;
        socket.attend().unwrap();
        peer.write_all(b"answer").await.unwrap();
        assert_eq!(read(&mut socket).await, ("answer".into(), Duration::ZERO));
        assert!(matches!(socket.wire, Wire::Watched(_)), "what came before no longer counts");
        peer.write_all(b"more").await.unwrap();
        assert_eq!(read(&mut socket).await, ("more".into(), Duration::ZERO));
        assert!(matches!(socket.wire, Wire::Resting(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_bandwidth_is_waited_for_by_what_is_attended_to_as_well() {
        let bandwidth = Some(Arc::new(Bandwidth::new(1000, Default::default())));
        let (mut socket, mut peer) = pair(Pace { bandwidth, ..Pace::default() }).await;
        peer.write_all(&[b'x'; 300]).await.unwrap();
        let start = Instant::now();
        let mut all = 0;
        while all < 300 {
            all += read(&mut socket).await.0.len();
            // The next turn is asked for, and it is waited for.
            let mut cx = Context::from_waker(std::task::Waker::noop());
            let _ = Pin::new(&mut socket).poll_fill_buf(&mut cx);
            socket.attend().unwrap();
        }
        assert!(start.elapsed() >= Duration::from_millis(150), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_written_while_it_rests_goes_out() {
        let (mut socket, mut peer) = busy().await;
        socket.write_all(b"ping").await.unwrap();
        let mut heard = [0; 4];
        peer.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"ping");
        assert!(matches!(socket.wire, Wire::Resting(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn more_than_the_peer_takes_is_written_when_it_does() {
        let (mut socket, mut peer) = busy().await;
        let data = vec![7; 16 << 20];
        let written = async {
            socket.write_all(&data).await.unwrap();
            socket.shutdown().await.unwrap();
        };
        let mut heard = Vec::new();
        let (_, heard_all) = tokio::join!(written, peer.read_to_end(&mut heard));
        heard_all.unwrap();
        assert!(heard == data);
    }

    #[tokio::test(start_paused = true)]
    async fn each_of_many_sockets_reads_little_at_once_and_keeps_nothing() {
        let pace = Pace { latency: LATENCY, ..Pace::default() };
        let (mut socket, mut peer) = pair(pace.clone()).await;
        let crowd = vec![pace; 1000];
        let data = vec![b'x'; 4 << 20];
        let sent = async { peer.write_all(&data).await.unwrap() };
        let received = async {
            let (mut received, mut most) = (0, 0);
            while received < data.len() {
                let read = read(&mut socket).await.0.len();
                (received, most) = (received + read, most.max(read));
                assert!(socket.buffer.is_empty());
            }
            most
        };
        let ((), most) = tokio::join!(sent, received);
        assert!(most * crowd.len() <= ALL, "{most}");
        drop(crowd);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_is_seen_in_a_rest_too() {
        let (mut socket, peer) = busy().await;
        drop(peer);
        arrived(&socket, 0);
        assert_eq!(read(&mut socket).await, (String::new(), LATENCY));
    }

    #[tokio::test(start_paused = true)]
    async fn much_is_read_in_large_pieces_and_in_order() {
        let (mut socket, mut peer) = with_latency().await;
        let data: Vec<u8> = (0..4_000_000_u32).flat_map(u32::to_be_bytes).collect();
        let sent = async {
            peer.write_all(&data).await.unwrap();
            drop(peer);
        };
        let received = async {
            let (mut received, mut reads) = (Vec::new(), 0);
            loop {
                let piece = socket.fill_buf().await.unwrap();
                if piece.is_empty() {
                    return (received, reads);
                }
                received.extend_from_slice(piece);
                let length = piece.len();
                socket.consume(length);
                reads += 1;
            }
        };
        let (_, (received, reads)) = tokio::join!(sent, received);
        assert!(received == data);
        assert!(reads < data.len() / SMALL, "{reads}");
    }
}
