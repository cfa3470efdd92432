//! The listener and its connections.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{rt::TokioIo, server::conn::auto};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket},
    sync::{Notify, oneshot, watch},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    access::Access,
    account::Ledger,
    answers,
    body::Stream,
    clock::Clock,
    cluster::World,
    connection::{Carrier, Connection, Socket},
    farewell::Farewell,
    lock,
    script::Scripts,
    steps::{self, Tasks},
    tls::Tls,
    wire::Path,
};

/// The shared state of a server.
pub(crate) struct Inner {
    pub clock: Clock,
    pub world: Mutex<World>,
    /// Notifies the watches that `world` changed.
    pub changed: Arc<Notify>,
    pub scripts: Scripts,
    pub ledger: Ledger,
    pub access: Mutex<Access>,
    pub streams: Mutex<BTreeMap<u64, Arc<Stream>>>,
    pub connections: Mutex<BTreeMap<u64, Arc<Connection>>>,
    /// Whether the server accepts connections.
    pub up: watch::Sender<bool>,
    pub tls: Option<Tls>,
    pub http: auto::Builder<Tasks>,
    pub address: SocketAddr,
    /// Its round trip is that of TCP connections too, from their beginning on.
    pub path: Arc<Path>,
    pub http2: bool,
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
                biased;
                _ = &mut stopped => return,
                _ = up.changed() => break,
                stream = accepted => match stream {
                    Ok((stream, _)) => {
                        accept(&inner, |connection| Carrier::tcp(stream, inner.path.round_trip(), connection));
                    }
                    // Probably no file descriptor is free; retry a little later.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
            }
        }
    }
}

/// The number of the connection, counted from 1.
pub(crate) fn accept(inner: &Arc<Inner>, carrier: impl FnOnce(&Arc<Connection>) -> Carrier) -> u64 {
    let inner = Arc::clone(inner);
    let connection = Arc::new(Connection::new(inner.ledger.connected()));
    let number = connection.id;
    lock(&inner.connections).insert(connection.id, Arc::clone(&connection));
    let socket = Socket::new(carrier(&connection), Arc::clone(&connection));
    steps::spawn(async move {
        match &inner.tls {
            None => serve(&inner, &connection, socket).await,
            Some(tls) => {
                let handshake = TlsAcceptor::from(Arc::clone(&tls.config)).accept(socket);
                let done = tokio::select! {
                    biased;
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
    number
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
    let stream = Farewell::new(stream, Arc::clone(connection));
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
