//! The way to a server in memory.

use std::{io, sync::Arc};

use crate::{
    connection::Carrier,
    server::{Inner, accept},
    wire::Wire,
};

/// A handle for clients on the runtime of the server.
#[derive(Clone)]
pub struct Network(pub(crate) Arc<Inner>);

impl Network {
    /// A connection, after a round trip, and whether it speaks HTTP/2: only if `http2` offers it and the server has it.
    /// Err: refused, as by a machine whose server is down.
    pub async fn connect(&self, http2: bool) -> io::Result<(Wire, bool)> {
        let Inner { path, up, .. } = &*self.0;
        path.travel().await;
        if !*up.borrow() {
            path.travel().await;
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (mut client, server) = path.lay();
        client.number = accept(&self.0, |_| Carrier::Memory(server));
        path.travel().await;
        Ok((client, http2 && self.0.http2))
    }
}
