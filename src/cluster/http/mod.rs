//! HTTP over cheap connections: sends requests and gives the bodies of answers. It uses `tls` and the proxy of
//! `access`, and knows nothing of Kubernetes, credentials and limits.
//!
//! From the bottom up: `socket` and `stream` give bytes, `http1` and `http2` turn them into answers, `route` reaches
//! a server, `connector` makes connections to it, and `pool` finds one for each request.

pub mod bandwidth;
pub mod body;
mod chunk;
pub mod connector;
pub mod encoding;
pub mod forwarder;
mod framing;
#[cfg(fuzzing)]
pub mod fuzz;
pub mod http1;
mod http2;
mod idle;
mod offer;
pub mod pool;
pub mod pulse;
mod round_trip;
pub mod route;
pub mod socket;
pub mod stream;
pub mod window;

pub use http2::MOST_STREAMS;
pub use pool::MOST_ALONE;
