//! A connection over a distance: bytes arrive half a round trip after they were sent.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex, split},
    net::TcpStream,
    sync::{Semaphore, mpsc},
    time::{Instant, sleep_until},
};

use crate::connection::Connection;

/// The most bytes in flight in one direction: the sender waits for room.
const UNDER_WAY: usize = 1 << 20;

/// The server's end of a connection whose client is `round_trip` away. A reset and a close take as long as bytes.
pub(crate) fn far(client: TcpStream, round_trip: Duration, connection: Arc<Connection>) -> DuplexStream {
    let (server, wire) = duplex(64 << 10);
    tokio::spawn(async move {
        let (from_client, mut to_client) = client.into_split();
        let (from_server, mut to_server) = split(wire);
        let (now, delay) = (Instant::now(), round_trip / 2);
        // A client sends nothing before its connection is established.
        let upstream = carry(from_client, &mut to_server, now + round_trip, delay);
        tokio::select! {
            biased;
            () = carry(from_server, &mut to_client, now, delay) => {}
            () = endless(upstream) => {}
        }
        if connection.is_reset() {
            // Without lingering, closing sends RST instead of FIN. An error means that the socket is closed already.
            let _ = to_client.as_ref().set_zero_linger();
        }
    });
    server
}

/// Forwards bytes `delay` after their arrival or after `start`, and then the end.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    to: &mut (impl AsyncWrite + Unpin),
    start: Instant,
    delay: Duration,
) {
    let (departed, mut under_way) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let room = Semaphore::new(UNDER_WAY);
    let depart = async {
        let mut buffer = vec![0; 16 << 10];
        loop {
            let count = from.read(&mut buffer).await.unwrap_or(0);
            let arrival = Instant::now().max(start) + delay;
            // The semaphore is never closed; the permits return on arrival.
            let Ok(taken) = room.acquire_many(count as u32).await else { return };
            taken.forget();
            if departed.send((arrival, buffer[..count].to_vec())).is_err() || count == 0 {
                return;
            }
        }
    };
    let arrive = async {
        while let Some((arrival, bytes)) = under_way.recv().await {
            sleep_until(arrival).await;
            if bytes.is_empty() || to.write_all(&bytes).await.is_err() {
                break;
            }
            room.add_permits(bytes.len());
        }
        // An error means that the receiver has left.
        let _ = to.shutdown().await;
    };
    tokio::select! {
        biased;
        () = arrive => {}
        () = endless(depart) => {}
    }
}

/// Runs the work and then never resolves, so that the other direction decides.
async fn endless(work: impl Future<Output = ()>) {
    work.await;
    std::future::pending::<()>().await;
}
