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
    batch::{Batch, Item, Line},
    long_line::{self, LongLine},
    merge::Sender,
    plan::LineLimit,
    target::Target,
};

const READ: usize = 256 << 10;

/// Reads to the end on a thread of its own: a read from a terminal or a pipe cannot be cancelled.
pub fn spawn(
    input: Box<dyn Read + Send>,
    limit: LineLimit,
    out: Sender,
) -> oneshot::Receiver<io::Result<()>> {
    let (tell, result) = oneshot::channel();
    thread::spawn(move || {
        // Nobody may be left to be told.
        let _ = tell.send(read(input, limit, &out));
    });
    result
}

fn read(mut input: impl Read, limit: LineLimit, out: &Sender) -> io::Result<()> {
    let target = Arc::new(Target::default());
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
            send_long(&target, line, out);
        }
        if let Some(end) = memchr::memrchr(b'\n', &pending) {
            send(&target, pending.split_to(end + 1), limit, out);
        }
        if pending.len() > long_line::held(limit) {
            long = Some(LongLine::new(&pending.split(), limit));
        }
    }
    if let Some(line) = long {
        send_long(&target, line, out);
    }
    if !pending.is_empty() {
        send(&target, pending, limit, out);
    }
    Ok(())
}

fn send_long(target: &Arc<Target>, line: LongLine, out: &Sender) {
    let (data, rest) = line.end();
    let items = vec![Item::Line(Line { time: None, start: 0, end: data.len() as u32 })];
    block_on(out.batch(Batch { target: target.clone(), data: data.into(), items, rest }));
}

/// Sends the lines of `data`; the last may lack its newline.
fn send(target: &Arc<Target>, mut data: BytesMut, limit: LineLimit, out: &Sender) {
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
            line.end = line.start + long_line::cut(message, limit) as u32;
        }
    }
    block_on(out.batch(Batch { target: target.clone(), data: data.freeze(), items, rest: None }));
}
