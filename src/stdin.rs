//! Reads standard input in place of a cluster: the same lines, without time and origin.

use std::{
    io::{self, Read},
    sync::Arc,
    thread,
};

use bytes::BytesMut;
use futures::executor::block_on;
use tokio::sync::oneshot;

use crate::{
    batch::{Batch, Item, Line},
    merge::Sender,
    target::Target,
};

const READ: usize = 256 << 10;

/// Reads to the end on a thread of its own: a read from a terminal or a pipe cannot be cancelled.
pub fn spawn(input: Box<dyn Read + Send>, out: Sender) -> oneshot::Receiver<io::Result<()>> {
    let (tell, result) = oneshot::channel();
    thread::spawn(move || {
        // Nobody may be left to be told.
        let _ = tell.send(read(input, &out));
    });
    result
}

fn read(mut input: impl Read, out: &Sender) -> io::Result<()> {
    let target = Arc::new(Target::default());
    let mut pending = BytesMut::new();
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
        if let Some(end) = memchr::memrchr(b'\n', &pending[from..]) {
            send(&target, pending.split_to(from + end + 1), out);
        }
    }
    if !pending.is_empty() {
        send(&target, pending, out);
    }
    Ok(())
}

/// Sends the lines of `data`; the last may lack its newline.
fn send(target: &Arc<Target>, data: BytesMut, out: &Sender) {
    let data = data.freeze();
    let mut items = Vec::with_capacity(data.len() / 64 + 1);
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', &data).chain((data.last() != Some(&b'\n')).then_some(data.len())) {
        items.push(Item::Line(Line { time: None, start: start as u32, end: end as u32 }));
        start = end + 1;
    }
    block_on(out.batch(Batch { target: target.clone(), data, items }));
}
