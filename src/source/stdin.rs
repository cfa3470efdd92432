//! Reads standard input in place of a cluster: the same lines, without time and origin.

use std::{
    io::{self, Read},
    sync::Arc,
    thread,
};

use futures::executor::block_on;
use tokio::sync::oneshot;

use crate::{
    event::{Batch, Closed, Item, Reason},
    lines::{LineLimit, Lines, Splitter, Unstamped},
    origin::Origin,
    queue::{Outlet, Sender},
    stats::{Counter, Stats},
};

const READ: usize = 256 << 10;

/// Reads to the end on its own thread: a read from a terminal or a pipe cannot be cancelled.
pub async fn run(
    input: Box<dyn Read + Send>,
    limit: LineLimit,
    stats: &Stats,
    out: Sender,
) -> io::Result<()> {
    let (done, result) = oneshot::channel();
    let out = out.outlet(Arc::new(Origin::stdin()));
    let output = Output { counter: stats.counter(out.origin()), out };
    thread::Builder::new().spawn(move || {
        block_on(output.out.opened());
        let result = read(input, Splitter::unstamped(limit), &output);
        let closed = Closed { reason: Reason::Finished, complete: result.is_ok(), restart_count: 0 };
        block_on(output.out.closed(closed));
        // The run may have ended already.
        let _ = done.send(result);
    })?;
    result.await.unwrap_or(Ok(()))
}

fn read(mut input: impl Read, mut splitter: Splitter<Unstamped>, output: &Output) -> io::Result<()> {
    let mut buffer = vec![0; READ];
    loop {
        match input.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(0) => break,
            Ok(read) => splitter.push(&buffer[..read]),
        }
        while let Some(lines) = splitter.lines() {
            output.send(lines);
        }
    }
    while let Some(lines) = splitter.rest() {
        output.send(lines);
    }
    Ok(())
}

/// The destination of the lines.
struct Output {
    counter: Counter,
    out: Outlet,
}

impl Output {
    fn send(&self, Lines { data, pieces: items, rest }: Lines<Item>) {
        self.counter.add(items.len() as u64, data.len() as u64);
        block_on(self.out.batch(Batch { origin: self.out.origin().clone(), data, items, rest }));
    }
}
