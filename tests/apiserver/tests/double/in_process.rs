//! A server on the runtime of its client: connections in memory, a paused clock, and nothing left to chance.

mod farewells;
mod faults;
mod lives;
mod repeats;
mod rotations;
mod wires;

use std::{fmt::Write as _, future::poll_fn, pin::Pin, sync::Mutex, time::Duration};

use apiserver::{ApiServer, Builder, Network, Pod};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::{
    body::{Body, Incoming},
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};

const START: &str = "2026-01-31T10:00:00Z";
const FOLLOW: &str = "/api/v1/namespaces/default/pods/web-1/log?follow=true&timestamps=true";

/// Runs the story on a paused clock.
fn simulate<T>(story: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(story)
}

fn web(builder: Builder) -> ApiServer {
    let server = builder.start_in_process(START.parse().unwrap());
    server.add_pod(Pod::new("web-1"));
    server
}

async fn pass(duration: Duration) {
    tokio::time::sleep(duration).await;
}

enum Client {
    Http1(http1::SendRequest<Empty<Bytes>>),
    Http2(http2::SendRequest<Empty<Bytes>>),
}

impl Client {
    async fn connect(network: &Network, offer_http2: bool) -> std::io::Result<Client> {
        let (wire, is_http2) = network.connect(offer_http2).await?;
        let io = TokioIo::new(wire);
        Ok(if is_http2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
            tokio::spawn(connection);
            Client::Http2(sender)
        } else {
            let (sender, connection) = http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            Client::Http1(sender)
        })
    }

    async fn get(&mut self, path: &str) -> hyper::Result<Response<Incoming>> {
        let request = Request::get(format!("http://double{path}")).header("host", "double");
        let request = request.body(Empty::new()).unwrap();
        match self {
            Client::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Client::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }

    /// Writes the status, the headers and the pieces of an answer, or the error, to the journal as they come.
    async fn read(&mut self, path: &str, name: &str, journal: &Mutex<String>) {
        let note = |text: String| writeln!(journal.lock().unwrap(), "{name} {path} {text}").unwrap();
        match self.get(path).await {
            Err(error) => note(format!("{error:?}")),
            Ok(answer) => {
                note(format!("{} {:?}", answer.status(), answer.headers()));
                let mut body = answer.into_body();
                while let Some(frame) = body.frame().await {
                    note(format!("{frame:?}"));
                    if frame.is_err() {
                        break;
                    }
                }
            }
        }
    }
}

/// The body of an answer.
async fn text(client: &mut Client, path: &str) -> String {
    let body = client.get(path).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// All that a body brings within a second.
async fn rest(body: &mut Incoming) -> String {
    let mut rest = String::new();
    let end = async {
        while let Some(piece) = next(body).await {
            rest += &piece.unwrap();
        }
    };
    // The body may stay open.
    let _ = tokio::time::timeout(Duration::from_secs(1), end).await;
    rest
}

/// The next piece of a body, as text.
async fn next(body: &mut Incoming) -> Option<Result<String, hyper::Error>> {
    let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
    Some(frame.map(|frame| String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()))
}
