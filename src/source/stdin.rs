//! Reads standard input in place of a cluster: the same lines, without time and origin.

use std::{
    io::{self, Read},
    sync::Arc,
    thread,
};

use bytes::{Buf, BytesMut};
use futures::executor::block_on;
use tokio::sync::oneshot;

use crate::{
    event::{Batch, Closed, Item, Line, Reason},
    long_line::{self, LongLine},
    origin::Origin,
    plan::LineLimit,
    queue::{Outlet, Sender},
    stats::{Counter, Stats},
};

const READ: usize = 256 << 10;

/// Reads to the end on a thread of its own: a read from a terminal or a pipe cannot be cancelled.
pub async fn run(
    input: Box<dyn Read + Send>,
    limit: LineLimit,
    stats: &Stats,
    out: Sender,
) -> io::Result<()> {
    let (done, result) = oneshot::channel();
    let out = out.outlet(Arc::new(Origin::default()));
    let lines = Lines { counter: stats.counter(out.origin()), limit, out };
    thread::spawn(move || {
        block_on(lines.out.opened());
        let result = read(input, &lines);
        let closed = Closed { reason: Reason::Finished, complete: result.is_ok(), restart_count: 0 };
        block_on(lines.out.closed(closed));
        // The run may have ended meanwhile.
        let _ = done.send(result);
    });
    result.await.unwrap_or(Ok(()))
}

fn read(mut input: impl Read, lines: &Lines) -> io::Result<()> {
    let mut pending = BytesMut::new();
    let mut long: Option<LongLine> = None;
    loop {
        let from = pending.len();
        pending.resize(from + READ, 0);
        let read = input.read(&mut pending[from..]);
        pending.truncate(from + *read.as_ref().unwrap_or(&0));
        match read {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
            Ok(0) => break,
            Ok(_) => {}
        }
        if let Some(mut line) = long.take() {
            let end = memchr::memchr(b'\n', &pending);
            line.push(&pending.split_to(end.unwrap_or(pending.len())));
            if end.is_none() {
                long = Some(line);
                continue;
            }
            pending.advance(1);
            lines.send_long(line);
        }
        if let Some(end) = memchr::memrchr(b'\n', &pending) {
            lines.send(pending.split_to(end + 1));
        }
        if pending.len() > long_line::held(lines.limit) {
            long = Some(LongLine::new(&pending.split(), lines.limit));
        }
    }
    if let Some(line) = long {
        lines.send_long(line);
    }
    if !pending.is_empty() {
        lines.send(pending);
    }
    Ok(())
}

/// Where the lines go.
struct Lines {
    limit: LineLimit,
    counter: Counter,
    out: Outlet,
}

impl Lines {
    fn send_long(&self, line: LongLine) {
        let (data, rest) = line.end();
        let items = vec![Item::Line(Line { time: None, start: 0, end: data.len() as u32 })];
        self.counter.add(1, data.len() as u64);
        block_on(self.out.batch(Batch { origin: self.out.origin().clone(), data: data.into(), items, rest }));
    }

    /// The last line may lack its newline.
    fn send(&self, mut data: BytesMut) {
        let mut items = Vec::with_capacity(data.len() / 64 + 1);
        let mut start = 0;
        let last = (data.last() != Some(&b'\n')).then_some(data.len());
        for end in memchr::memchr_iter(b'\n', &data).chain(last) {
            items.push(Item::Line(Line { time: None, start: start as u32, end: end as u32 }));
            start = end + 1;
        }
        for item in &mut items {
            if let Item::Line(line) = item {
                let message = &mut data[line.start as usize..line.end as usize];
                line.end = line.start + long_line::cut(message, self.limit) as u32;
            }
        }
        self.counter.add(items.len() as u64, data.len() as u64);
        block_on(self.out.batch(Batch {
            origin: self.out.origin().clone(),
            data: data.freeze(),
            items,
            rest: None,
        }));
    }
}
