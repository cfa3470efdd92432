//! What is gathered is what was written: the same lines in the same order, wherever a batch ends, in bounded messages.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    Gather, Gathering, WAIT,
    gather::{BYTES, LINES},
};
use crate::{
    event::{self, Batch, Event, Item, Line},
    origin::Origin,
};

/// The first byte of a line chooses its log, its time and whether the batch ends with it.
pub fn gather(input: &[u8]) {
    for gathering in [Gathering::Joined, Gathering::Whole] {
        let mut logs: [Log; 2] = Default::default();
        let (mut gather, mut now, mut milliseconds) = (Gather::new(gathering, WAIT), Instant::now(), 0);
        for line in input.split(|byte| *byte == b'\n') {
            let Some((steers, message)) = line.split_first() else { continue };
            let log = &mut logs[usize::from(steers & 1)];
            milliseconds += i64::from(steers >> 5) * 10;
            log.write(event::Instant(milliseconds * 1_000_000), message);
            if steers & 2 > 0 {
                gather.take(log.batch(), now);
            }
            if steers & 4 > 0 {
                now += WAIT / 2;
                gather.pass(now);
            }
            read(&mut gather, &mut logs);
            assert!(gather.due().is_none_or(|due| due <= now + WAIT));
        }
        for log in &mut logs {
            gather.take(log.batch(), now);
        }
        gather.close();
        read(&mut gather, &mut logs);
        assert!(logs.iter().all(|log| log.passed == log.written) && gather.due().is_none());
    }
}

#[derive(Default)]
struct Log {
    origin: Arc<Origin>,
    data: Vec<u8>,
    items: Vec<Item>,
    /// All its lines.
    written: Vec<u8>,
    passed: Vec<u8>,
}

impl Log {
    fn write(&mut self, time: event::Instant, message: &[u8]) {
        let start = self.data.len() as u32;
        self.data.extend_from_slice(message);
        self.items.push(Item::Line(Line { time: Some(time), start, end: self.data.len() as u32 }));
        self.written.extend_from_slice(message);
        self.written.push(b'\n');
    }

    fn batch(&mut self) -> Event {
        let (data, items) = (std::mem::take(&mut self.data), std::mem::take(&mut self.items));
        Event::Batch(Batch { origin: self.origin.clone(), data: data.into(), items, rest: None })
    }
}

fn read(gather: &mut Gather, logs: &mut [Log]) {
    while let Some(event) = gather.ready() {
        let Event::Batch(batch) = event else { continue };
        let Some(log) = logs.iter_mut().find(|log| Arc::ptr_eq(&log.origin, &batch.origin)) else { continue };
        for item in &batch.items {
            let Item::Line(line) = item else { continue };
            let message = batch.message(line);
            let lines = message.split(|byte| *byte == b'\n').count();
            assert!(lines <= LINES && (lines == 1 || message.len() <= BYTES + 4096));
            log.passed.extend_from_slice(message);
            log.passed.push(b'\n');
        }
    }
}
