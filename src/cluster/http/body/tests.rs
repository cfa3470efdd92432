use std::{future::poll_fn, pin::Pin, sync::Arc, time::Duration};

use futures::FutureExt;
use http::Request;
use proptest::prelude::*;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream, ReadBuf, duplex},
    time::sleep,
};

use super::{
    super::{
        http2::Connection,
        stream::{Proxied, Stream, Wire},
        window::Windows,
    },
    *,
};

const LINES: &[u8] = b"one\ntwo\nthree\n";

/// A connection that reports a reset once, then an end, as the kernel does.
struct Reset {
    stream: DuplexStream,
    reported: bool,
}

impl AsyncRead for Reset {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_ready() && buffer.filled().len() == before && !self.reported {
            self.reported = true;
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        polled
    }
}

impl AsyncWrite for Reset {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The fate of a connection after everything was sent.
#[derive(Debug, Clone, Copy)]
enum Then {
    Open,
    Closed,
    Reset,
}

fn connection(then: Then) -> (Stream, DuplexStream) {
    let (ours, theirs) = duplex(1 << 20);
    let ours: Box<dyn Proxied> = match then {
        Then::Reset => Box::new(Reset { stream: ours, reported: false }),
        Then::Open | Then::Closed => Box::new(ours),
    };
    (Stream::plain(Wire::Right(BufReader::new(ours)), None), theirs)
}

fn request() -> Request<Bytes> {
    Request::get("https://double/").body(Bytes::new()).unwrap()
}

/// Ends the connection as requested; returns the part that must stay alive.
async fn end(mut stream: DuplexStream, then: Then) -> Option<DuplexStream> {
    match then {
        Then::Open => Some(stream),
        Then::Closed | Then::Reset => {
            stream.shutdown().await.unwrap();
            // Further data cannot be sent.
            None
        }
    }
}

/// The whole body of an HTTP/1.1 answer that arrives at once.
async fn over_http1(answer: &[u8], then: Then) -> (Vec<u8>, Vec<String>) {
    let (stream, mut peer) = connection(then);
    let answered = async {
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(peer.read_u8().await.unwrap());
        }
        peer.write_all(answer).await.unwrap();
        end(peer, then).await
    };
    let request = request();
    let sent = http1::send(Box::new(stream), &request, Arc::default());
    let (sent, _peer) = tokio::join!(sent, answered);
    all(Body::Http1 { body: sent.unwrap().into_body(), _place: None }).await
}

/// One frame of HTTP/2, of the first stream or the connection.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

fn data(payload: &[u8]) -> Vec<u8> {
    frame(DATA, 0, 1, payload)
}

/// The whole body of an HTTP/2 answer (without the frame of its head) that arrives at once. The result must be the
/// same if the body is stowed first.
async fn over_http2(answer: &[u8], then: Then) -> (Vec<u8>, Vec<String>) {
    let mut stowed = answered_over_http2(answer, then).await;
    assert!(poll_fn(|cx| stowed.poll_stow(cx)).now_or_never().is_none());
    let stowed = all(stowed).await;
    assert_eq!(all(answered_over_http2(answer, then).await).await, stowed);
    stowed
}

async fn answered_over_http2(answer: &[u8], then: Then) -> Body {
    let (stream, mut peer) = connection(then);
    let answered = async {
        peer.write_all(&frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100])).await.unwrap();
        peer.write_all(&frame(SETTINGS, 1, 0, &[])).await.unwrap();
        let mut preface = [0; 24];
        peer.read_exact(&mut preface).await.unwrap();
        loop {
            let mut head = [0; 9];
            peer.read_exact(&mut head).await.unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            peer.read_exact(&mut vec![0; length as usize]).await.unwrap();
            if head[3] == HEADERS {
                break;
            }
        }
        // `:status: 200`, and no more headers.
        peer.write_all(&[&frame(HEADERS, 4, 1, &[0x88]), answer].concat()).await.unwrap();
        end(peer, then).await
    };
    let sent = async {
        let connection = Arc::new(Connection::open(stream, Arc::new(Windows::new())).await.unwrap());
        connection.slot().unwrap().send(&request()).await.map_err(|failed| failed.error).unwrap()
    };
    let (sent, _peer) = tokio::join!(sent, answered);
    // Now everything sent was read: data and the end or error after it are available together.
    sleep(Duration::from_secs(1)).await;
    Body::Http2(sent.into_body())
}

/// The bytes of a body, and the results after them: "end" or an error, for each further read.
async fn all(mut body: Body) -> (Vec<u8>, Vec<String>) {
    let (mut bytes, mut results) = (Vec::new(), Vec::new());
    while results.len() < 3 {
        match poll_fn(|cx| body.poll_chunk(cx)).await {
            Some(Ok(chunk)) => {
                assert!(results.is_empty(), "data behind {results:?}");
                bytes.extend(chunk);
            }
            Some(Err(error)) => results.push(error.to_string()),
            None => results.push("end".into()),
        }
    }
    (bytes, results)
}

/// Expects these bytes, then an error with these words, and never an end.
#[track_caller]
fn broke((bytes, results): (Vec<u8>, Vec<String>), wanted: &[u8], words: &str) {
    assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(wanted));
    assert!(results[0].contains(words), "{results:?} is not about {words:?}");
    assert!(!results.contains(&"end".into()), "{results:?}");
}

fn ended((bytes, results): (Vec<u8>, Vec<String>)) {
    assert_eq!(bytes, LINES);
    assert_eq!(results, ["end", "end", "end"]);
}

fn chunked(end: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n", LINES.len());
    [head.as_bytes(), LINES, b"\r\n", end.as_bytes()].concat()
}

#[tokio::test(start_paused = true)]
async fn an_error_right_behind_data_is_no_end_over_http1() {
    let reset = "connection reset";
    ended(over_http1(&chunked("0\r\n\r\n"), Then::Closed).await);
    broke(over_http1(&chunked(""), Then::Closed).await, LINES, "unexpected end of file");
    broke(over_http1(&chunked(""), Then::Reset).await, LINES, reset);
    broke(over_http1(&chunked("no size\r\n"), Then::Open).await, LINES, "no size");
    let counted = [b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", LINES].concat();
    broke(over_http1(&counted, Then::Closed).await, LINES, "unexpected end of file");
    broke(over_http1(&counted, Then::Reset).await, LINES, reset);
    let until_closed = [b"HTTP/1.1 200 OK\r\n\r\n", LINES].concat();
    ended(over_http1(&until_closed, Then::Closed).await);
    broke(over_http1(&until_closed, Then::Reset).await, LINES, reset);
}

#[tokio::test(start_paused = true)]
async fn an_error_right_behind_data_is_no_end_over_http2() {
    let lines = data(LINES);
    let sent = |then: Vec<u8>| [lines.clone(), then].concat();
    ended(over_http2(&sent(frame(DATA, 1, 1, &[])), Then::Open).await);
    // A server's error for a stream that it has sent completely changes nothing.
    let whole = [frame(DATA, 1, 1, &[]), frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 2])].concat();
    ended(over_http2(&sent(whole), Then::Closed).await);

    for (code, words) in [(0, "not a result of an error"), (2, "internal error"), (8, "no longer needed")] {
        broke(over_http2(&sent(frame(RST_STREAM, 0, 1, &[0, 0, 0, code])), Then::Open).await, LINES, words);
        let goes_away = sent(frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, code]));
        broke(over_http2(&goes_away, Then::Closed).await, LINES, "");
        let heard_out = sent(frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, code]));
        broke(over_http2(&heard_out, Then::Closed).await, LINES, "");
    }
    broke(over_http2(&lines, Then::Closed).await, LINES, "broken pipe");
    broke(over_http2(&lines, Then::Reset).await, LINES, "connection reset");
    broke(over_http2(&sent(frame(DATA, 0, 0, b"of no stream")), Then::Open).await, LINES, "protocol");
    let size = *Windows::new().size().borrow() as usize;
    let most = [b'x'; 16 << 10];
    let mut too_much = lines.clone();
    (0..size / most.len()).for_each(|_| too_much.extend(data(&most)));
    let taken = [LINES, &most.repeat(size / most.len() - 1)].concat();
    broke(over_http2(&too_much, Then::Open).await, &taken, "flow-control");
}

/// The frames of short lines that wait cost more memory than the lines.
#[tokio::test]
async fn a_burst_is_read_with_pauses() {
    const BURST: usize = 300 << 10;
    let (mut stream, mut peer) = connection(Then::Open);
    peer.write_all(&[0; BURST]).await.unwrap();
    let (mut read, mut in_a_row, mut pauses) = (0, 0, 0);
    while read < BURST {
        let more = stream.read(&mut [0; 8 << 10]).now_or_never();
        let more = more.map(Result::unwrap);
        (read, pauses) = (read + more.unwrap_or_default(), pauses + usize::from(more.is_none()));
        in_a_row = more.map_or(0, |more| in_a_row + more);
        assert!(in_a_row <= 72 << 10, "{in_a_row}");
    }
    assert_eq!(pauses, BURST / (64 << 10));
}

/// Many streams at once leave each a smaller window than was announced before.
#[tokio::test(start_paused = true)]
async fn a_stream_goes_on_though_its_window_shrinks_below_what_was_read() {
    const READ: usize = 320_000;
    let (stream, peer) = connection(Then::Open);
    let windows = Arc::new(Windows::new());
    let serving = async {
        let mut server = h2::server::handshake(peer).await.unwrap();
        let (_request, mut answer) = server.accept().await.unwrap().unwrap();
        let mut body = answer.send_response(Response::new(()), false).unwrap();
        body.send_data(Bytes::from(vec![b'x'; READ]), false).unwrap();
        let later = async {
            sleep(Duration::from_secs(2)).await;
            body.send_data(Bytes::from_static(LINES), true).unwrap();
        };
        tokio::join!(later, server.accept()).1.is_none()
    };
    let reading = async {
        let connection = Arc::new(Connection::open(stream, windows.clone()).await.unwrap());
        let answer =
            connection.slot().unwrap().send(&request()).await.map_err(|failed| failed.error).unwrap();
        let (mut body, mut read) = (Body::Http2(answer.into_body()), 0);
        let mut shares = Vec::new();
        while let Some(chunk) = poll_fn(|cx| body.poll_chunk(cx)).await {
            read += chunk.unwrap().len();
            if read == READ {
                shares.extend((0..40).map(|_| windows.share()));
            }
        }
        read
    };
    let read = tokio::select! {
        read = tokio::time::timeout(Duration::from_secs(20), reading) => read,
        _ = serving => panic!("the connection ended"),
    };
    assert_eq!(read.expect("it goes on"), READ + LINES.len());
}

#[tokio::test(start_paused = true)]
async fn bytes_that_were_read_already_come_once() {
    let (bytes, results) = all(Body::Whole(Bytes::from_static(LINES))).await;
    ended((bytes, results));
}

proptest! {
    #[test]
    fn an_answer_that_the_server_takes_back_is_no_whole_one(
        lines in prop::collection::vec("[a-z]{0,40}", 0..8),
        code in 0..16_u8,
        goes_away in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let whole: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        let frames: Vec<u8> = lines.iter().flat_map(|line| data(format!("{line}\n").as_bytes())).collect();
        let (broken, then) = match goes_away {
            true => (frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, code]), Then::Closed),
            false => (frame(RST_STREAM, 0, 1, &[0, 0, 0, code]), Then::Open),
        };
        let (bytes, results) = runtime.block_on(over_http2(&[frames, broken].concat(), then));
        prop_assert_eq!(String::from_utf8_lossy(&bytes), whole);
        prop_assert!(!results.contains(&"end".into()), "{results:?}");
    }

    #[test]
    fn an_answer_that_is_cut_anywhere_is_no_whole_one(
        lines in prop::collection::vec("[a-z]{0,40}", 1..8),
        cut in any::<prop::sample::Index>(),
        reset in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let then = if reset { Then::Reset } else { Then::Closed };
        let framed = |frame: fn(&[u8]) -> Vec<u8>, end: &[u8]| {
            let mut framed: Vec<u8> = lines.iter().flat_map(|line| frame(format!("{line}\n").as_bytes())).collect();
            framed.extend(end);
            framed.truncate(cut.index(framed.len()));
            framed
        };
        let whole: String = lines.iter().flat_map(|line| [line, "\n"]).collect();

        let in_chunks = framed(|line| [format!("{:x}\r\n", line.len()).as_bytes(), line, b"\r\n"].concat(), b"0\r\n\r\n");
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let (bytes, results) = runtime.block_on(over_http1(&[&head[..], &in_chunks].concat(), then));
        prop_assert!(whole.as_bytes().starts_with(&bytes) && !results.contains(&"end".into()), "{results:?}");

        let in_frames = framed(data, &frame(DATA, 1, 1, &[]));
        let (bytes, results) = runtime.block_on(over_http2(&in_frames, then));
        prop_assert!(whole.as_bytes().starts_with(&bytes) && !results.contains(&"end".into()), "{results:?}");
    }
}
