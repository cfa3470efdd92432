//! Reads standard input in place of a cluster: the same lines, without time and origin.

use std::{
    io::{self, Read},
    sync::Arc,
    thread,
};

use futures::executor::block_on;
use tokio::sync::oneshot;

use super::Outcome;
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
) -> io::Result<Outcome> {
    let (done, result) = oneshot::channel();
    let out = out.outlet(Arc::new(Origin::stdin()));
    let mut output = Output { counter: stats.counter(out.origin()), out, is_whole: true };
    thread::Builder::new().spawn(move || {
        block_on(output.out.opened(None));
        let result = read(input, Splitter::unstamped(limit), &mut output);
        let complete = result.is_ok() && output.is_whole;
        let closed = Closed { reason: Reason::Finished, opened: true, complete, restart_count: 0 };
        block_on(output.out.closed(closed));
        // The run may have ended already.
        let _ = done.send(result.map(|()| if complete { Outcome::Complete } else { Outcome::Incomplete }));
    })?;
    result.await.unwrap_or_else(|_| Err(io::Error::other("its thread failed")))
}

/// What came before an error is shown as well.
fn read(mut input: impl Read, mut splitter: Splitter<Unstamped>, output: &mut Output) -> io::Result<()> {
    let mut buffer = vec![0; READ];
    let ended = loop {
        match input.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
            Ok(0) => break Ok(()),
            Ok(read) => splitter.push(&buffer[..read]),
        }
        while let Some(lines) = splitter.lines() {
            output.send(lines);
        }
    };
    while let Some(lines) = splitter.rest() {
        output.send(lines);
    }
    ended
}

/// The destination of the lines.
struct Output {
    counter: Counter,
    out: Outlet,
    is_whole: bool,
}

impl Output {
    fn send(&mut self, Lines { data, pieces: items, rest }: Lines<Item>) {
        if let Some(loss) = rest.loss()
            && std::mem::replace(&mut self.is_whole, false)
        {
            block_on(self.out.warning(loss));
        }
        self.counter.add(items.len() as u64, data.len() as u64);
        let origin = self.out.origin().clone();
        block_on(self.out.batch(Batch { origin, data, items, rest: rest.kept() }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Event, queue};

    /// Gives its pieces, and then fails.
    struct Broken(Vec<&'static [u8]>);

    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.pop() {
                Some(mut piece) => piece.read(buffer),
                None => Err(io::ErrorKind::TimedOut.into()),
            }
        }
    }

    #[tokio::test]
    async fn an_error_is_no_end_and_what_came_before_it_is_shown() {
        let capacity = queue::Capacity { of_origin: 1 << 20, of_all: 1 << 20 };
        let (sender, mut receiver) = queue::new(capacity);
        let limit = LineLimit { bytes: 100, spool: false };
        let input = Broken(vec![b"e\ntwo", b"on"]);
        let ended = run(Box::new(input), limit, &Stats::new(false), sender).await;
        assert_eq!(ended.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
        let (mut text, mut complete) = (Vec::new(), None);
        while let Some(queued) = receiver.next().await {
            match queued.take() {
                Event::Batch(batch) => text.extend_from_slice(&batch.data),
                Event::Closed(_, closed) => complete = Some(closed.complete),
                _ => {}
            }
        }
        assert_eq!((&text[..], complete), (&b"one\ntwo"[..], Some(false)));
    }
}
