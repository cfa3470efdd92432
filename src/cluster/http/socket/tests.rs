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

/// The data of the next read, and its duration.
async fn read(socket: &mut Socket) -> (String, Duration) {
    let start = Instant::now();
    let data = socket.fill_buf().await.unwrap().to_vec();
    socket.consume(data.len());
    (String::from_utf8(data).unwrap(), start.elapsed())
}

/// Waits until this many bytes have arrived at a resting socket; the kernel does not use the paused clock.
fn arrived(socket: &Socket, count: usize) {
    let Wire::Resting(Resting::Tcp(stream)) = &socket.wire else { panic!("it does not rest") };
    while stream.peek(&mut [0; 64]).ok() != Some(count) {
        std::thread::yield_now();
    }
}

/// A socket that has delivered twice, and so rests.
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
async fn rare_data_is_read_at_once() {
    let (mut socket, mut peer) = with_latency().await;
    for _ in 0..3 {
        peer.write_all(b"line").await.unwrap();
        assert_eq!(read(&mut socket).await, ("line".into(), Duration::ZERO));
        tokio::time::advance(LATENCY).await;
    }
    assert!(socket.buffer.is_empty(), "a quiet socket keeps no buffer");
}

#[tokio::test(start_paused = true)]
async fn frequent_data_is_read_together() {
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
async fn arrivals_are_noted_with_and_without_rests() {
    for latency in [Duration::ZERO, LATENCY] {
        let pace = Pace { latency, ..Pace::default() };
        let (mut socket, mut peer) = pair(pace.clone()).await;
        tokio::time::sleep(Duration::from_secs(9)).await;
        peer.write_all(b"a").await.unwrap();
        assert_eq!(socket.read_u8().await.unwrap(), b'a');
        assert_eq!(pace.pulse.last(), Instant::now());
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
async fn a_socket_that_the_bandwidth_holds_back_does_not_rest_too() {
    let bandwidth = Some(Arc::new(Bandwidth::new(1000, Default::default())));
    let (mut socket, mut peer) =
        pair(Pace { latency: Duration::from_secs(1), bandwidth, ..Pace::default() }).await;
    peer.write_all(&[b'x'; 3000]).await.unwrap();
    let start = Instant::now();
    socket.read_exact(&mut [0; 3000]).await.unwrap();
    let taken = start.elapsed().as_secs_f64();
    assert!((2.7..3.1).contains(&taken), "{taken}");
}

#[tokio::test(start_paused = true)]
async fn an_attended_socket_is_read_at_once() {
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
async fn an_attended_socket_waits_for_the_bandwidth_too() {
    let bandwidth = Some(Arc::new(Bandwidth::new(1000, Default::default())));
    let (mut socket, mut peer) = pair(Pace { bandwidth, ..Pace::default() }).await;
    peer.write_all(&[b'x'; 300]).await.unwrap();
    let start = Instant::now();
    let mut all = 0;
    while all < 300 {
        all += read(&mut socket).await.0.len();
        // The next turn is requested and awaited.
        let mut cx = idle();
        let _ = Pin::new(&mut socket).poll_fill_buf(&mut cx);
        socket.attend().unwrap();
    }
    assert!(start.elapsed() >= Duration::from_millis(150), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn writes_go_out_while_reading_rests() {
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
