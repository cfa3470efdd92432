//! The listener and its connections.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{oneshot, watch},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    access::Access,
    account::Ledger,
    answers,
    body::Stream,
    clock::Clock,
    cluster::World,
    connection::{Connection, Socket},
    lock,
    script::Scripts,
    tls::Tls,
};

/// The shared state of a server.
pub(crate) struct Inner {
    pub clock: Clock,
    pub world: Mutex<World>,
    /// Notifies the watches that `world` changed.
    pub changed: watch::Sender<()>,
    pub scripts: Scripts,
    pub ledger: Ledger,
    pub access: Mutex<Access>,
    pub streams: Mutex<HashMap<usize, Arc<Stream>>>,
    pub connections: Mutex<HashMap<u64, Arc<Connection>>>,
    /// Whether the server accepts connections.
    pub up: watch::Sender<bool>,
    pub tls: Option<Tls>,
    pub http: auto::Builder<TokioExecutor>,
    pub address: SocketAddr,
    pub round_trip: Duration,
}

/// Reserves a port. The returned socket holds it without listening, so that it stays reserved while the server is
/// down.
pub(crate) fn reserve() -> std::io::Result<(TcpSocket, SocketAddr)> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(4096)
}

/// Serves until the test drops the other end of `stopped`.
pub(crate) async fn run(inner: Arc<Inner>, mut stopped: oneshot::Receiver<()>) {
    let mut up = inner.up.subscribe();
    loop {
        let wanted = *up.borrow_and_update();
        let listener = wanted.then(|| listen(inner.address).expect("the port is ours"));
        inner.ledger.update(|account| account.listening = wanted);
        loop {
            let accepted = async {
                match &listener {
                    Some(listener) => listener.accept().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = &mut stopped => return,
                _ = up.changed() => break,
                stream = accepted => match stream {
                    Ok((stream, _)) => accept(&inner, stream),
                    // Probably no file descriptor is free; retry a little later.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
            }
        }
    }
}

fn accept(inner: &Arc<Inner>, stream: TcpStream) {
    let inner = Arc::clone(inner);
    let connection = Arc::new(Connection::new(inner.ledger.connected()));
    lock(&inner.connections).insert(connection.id, Arc::clone(&connection));
    // Chunks must leave at once. An error means that the socket is closed already.
    let _ = stream.set_nodelay(true);
    tokio::spawn(async move {
        let socket = Socket::new(stream, inner.round_trip, Arc::clone(&connection));
        match &inner.tls {
            None => serve(&inner, &connection, socket).await,
            Some(tls) => {
                let handshake = TlsAcceptor::from(Arc::clone(&tls.config)).accept(socket);
                let done = tokio::select! {
                    done = handshake => Some(done),
                    () = connection.killed.notified() => None,
                };
                match done {
                    Some(Ok(stream)) => {
                        let certified = stream.get_ref().1.peer_certificates().is_some();
                        connection.certified.store(certified, Ordering::Relaxed);
                        serve(&inner, &connection, stream).await;
                    }
                    Some(Err(error)) => {
                        inner.ledger.update(|account| account.handshake_errors.push(error.to_string()));
                    }
                    None => {}
                }
            }
        }
        lock(&inner.connections).remove(&connection.id);
        inner.ledger.disconnected();
    });
}

async fn serve(
    inner: &Arc<Inner>,
    connection: &Arc<Connection>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let (inner, connection) = (Arc::clone(inner), Arc::clone(connection));
        async move { Ok::<_, Infallible>(answers::answer(inner, connection, request).await) }
    });
    let served = inner.http.serve_connection(TokioIo::new(stream), service);
    let mut served = std::pin::pin!(served);
    loop {
        tokio::select! {
            biased;
            () = connection.killed.notified() => return,
            () = connection.draining.notified() => served.as_mut().graceful_shutdown(),
            // The account of each request has its end.
            _ = &mut served => return,
        }
    }
}
