//! An HTTP proxy that records its targets.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use crate::{lock, runtime, tls};

/// Forwards `CONNECT host:port` and requests for a full URL. Dropping it stops it.
pub struct Proxy {
    scheme: &'static str,
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    heads: Mutex<Vec<String>>,
    /// Answers everything with 407 unless this is the value of `Proxy-Authorization`.
    credentials: Mutex<Option<String>>,
    /// Answers everything with these bytes.
    answer: Mutex<Option<String>>,
    /// The target of every connection, in place of the requested one.
    destination: Mutex<Option<SocketAddr>>,
}

impl Shared {
    async fn connect(&self, host: &str) -> io::Result<TcpStream> {
        let destination = *lock(&self.destination);
        match destination {
            Some(address) => TcpStream::connect(address).await,
            None => TcpStream::connect(host).await,
        }
    }
}

impl Proxy {
    pub fn start() -> Self {
        Proxy::with(None)
    }

    /// A proxy that is reached over TLS, with this chain and key in PEM.
    pub fn https(chain_and_key: &str) -> Self {
        Proxy::with(Some(tls::certified(chain_and_key)))
    }

    fn with(tls: Option<Arc<ServerConfig>>) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let runtime = runtime();
        let shared = Arc::new(Shared::default());
        let listener = {
            let _entered = runtime.enter();
            let bound = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
            bound.set_nonblocking(true).expect("a new socket accepts options");
            TcpListener::from_std(bound).expect("the runtime accepts a new socket")
        };
        let address = listener.local_addr().expect("a bound socket has an address");
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || runtime.block_on(run(listener, tls, served, stopped)));
        Proxy { scheme, address, shared, stop: Some(stop), thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Requires this value of `Proxy-Authorization`, such as `Basic dTpw`.
    pub fn require(&self, credentials: &str) {
        *lock(&self.shared.credentials) = Some(credentials.to_owned());
    }

    /// Answers everything with these bytes, and closes the connection.
    pub fn answer(&self, answer: &str) {
        *lock(&self.shared.answer) = Some(answer.to_owned());
    }

    /// Connects every client to this address, so that a test may use any server name.
    pub fn lead_to(&self, address: SocketAddr) {
        *lock(&self.shared.destination) = Some(address);
    }

    /// The targets so far: `host:port` of each CONNECT, the URL of each other request.
    pub fn targets(&self) -> Vec<String> {
        let heads = lock(&self.shared.heads);
        heads.iter().filter_map(|head| head.split(' ').nth(1).map(str::to_owned)).collect()
    }

    /// The heads of all requests, with their headers.
    pub fn heads(&self) -> Vec<String> {
        lock(&self.shared.heads).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was printed already.
            let _ = thread.join();
        }
    }
}

async fn run(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    shared: Arc<Shared>,
    mut stopped: oneshot::Receiver<()>,
) {
    let tls = tls.map(TlsAcceptor::from);
    loop {
        tokio::select! {
            biased;
            _ = &mut stopped => return,
            Ok((client, _)) = listener.accept() => {
                let (shared, tls) = (Arc::clone(&shared), tls.clone());
                // An error closes the connection, which is all that the client sees.
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => pass(tls.accept(client).await?, &shared).await,
                        None => pass(client, &shared).await,
                    }
                });
            }
        }
    }
}

async fn pass(mut client: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) -> io::Result<()> {
    let answer = lock(&shared.answer).clone();
    if let Some(answer) = answer {
        // Whatever comes first may not even be HTTP.
        client.read_buf(&mut Vec::with_capacity(1 << 16)).await?;
        client.write_all(answer.as_bytes()).await?;
        return client.shutdown().await;
    }
    let Some(head) = read_head(&mut client).await? else { return Ok(()) };
    lock(&shared.heads).push(head.clone());
    let demanded = lock(&shared.credentials).clone();
    let shown = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("proxy-authorization").then(|| value.trim().to_owned())
    });
    if demanded.is_some() && demanded != shown {
        let refusal =
            "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        return client.write_all(refusal.as_bytes()).await;
    }
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if method == "CONNECT" {
        let mut server = shared.connect(target).await?;
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        copy_bidirectional(&mut client, &mut server).await?;
        return Ok(());
    }
    let host = target.trim_start_matches("http://").split('/').next().unwrap_or_default();
    let mut server = shared.connect(host).await?;
    server.write_all(head.as_bytes()).await?;
    let (mut from_server, mut to_server) = server.split();
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let requests = async {
        // The requests have no bodies, so one head follows another.
        while let Some(head) = read_head(&mut from_client).await? {
            lock(&shared.heads).push(head.clone());
            to_server.write_all(head.as_bytes()).await?;
        }
        io::Result::Ok(())
    };
    tokio::select! {
        biased;
        result = requests => result,
        result = tokio::io::copy(&mut from_server, &mut to_client) => result.map(drop),
    }
}

/// Reads up to and including the empty line; None at the end of the connection.
async fn read_head(from: &mut (impl AsyncReadExt + Unpin)) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match from.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}
