//! Reads one answer to a log request and sends what is in it, as far as it is new.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;

use super::{
    Batch, Item, Line,
    position::{Finder, Found, Position},
    split::{Piece, Splitter},
};
use crate::{
    cluster::{Error, LogStream},
    merge::Sender,
    notice::Notice,
    select::Target,
};

/// How much is gathered into one batch while more is there to be read at once. The apiserver sends a followed log one
/// line a chunk, so that handing on every chunk would cost more than reading it.
const BATCH: usize = 64 << 10;

/// An answer that is being read.
pub struct Reading<'a> {
    pub stream: LogStream,
    pub target: &'a Arc<Target>,
    pub position: &'a mut Position,
    pub out: &'a Sender,
    /// Set where the answer repeats what was read before.
    pub finder: Option<Finder>,
    /// What to do where the answer does not hold the last line that was read.
    pub if_lost: IfLost,
    pub splitter: Splitter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfLost {
    /// Read no further: it may be the log of another instance.
    Stop,
    /// Say that lines may be missing and go on.
    Tell,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Clean,
    /// The last line that was read is not in it.
    Lost,
}

impl Reading<'_> {
    /// Reads to the end. What was read and not yet sent when the future is dropped is not counted as read.
    pub async fn run(&mut self) -> Result<End, Error> {
        while let Some(chunk) = self.stream.chunk().await {
            self.splitter.push(&chunk?);
            let failed = self.gather();
            if let Some((data, pieces)) = self.splitter.lines()
                && self.send(data, pieces).await == End::Lost
            {
                return Ok(End::Lost);
            }
            if let Some(error) = failed {
                return Err(error);
            }
        }
        Ok(End::Clean)
    }

    /// Adds what is there to be read at once.
    fn gather(&mut self) -> Option<Error> {
        while self.splitter.pending() < BATCH {
            match self.stream.chunk().now_or_never() {
                Some(Some(Ok(chunk))) => self.splitter.push(&chunk),
                Some(Some(Err(error))) => return Some(error),
                Some(None) | None => break,
            }
        }
        None
    }

    /// Sends a last line that no newline ends, now that no more comes.
    pub async fn finish(&mut self) -> End {
        match self.splitter.rest() {
            Some((data, pieces)) => self.send(data, pieces).await,
            None => End::Clean,
        }
    }

    async fn send(&mut self, data: Bytes, pieces: Vec<Piece>) -> End {
        let (mut items, mut end) = (Vec::with_capacity(pieces.len()), End::Clean);
        for piece in pieces {
            match piece {
                Piece::Line(line) => match self.judge(&data, line) {
                    Found::Known => {}
                    Found::New => items.push(Item::Line(line)),
                    Found::Lost if self.if_lost == IfLost::Stop => {
                        end = End::Lost;
                        break;
                    }
                    Found::Lost => {
                        items.push(Item::Gap { after: self.position.latest(), before: line.time });
                        items.push(Item::Line(line));
                    }
                },
                Piece::Untimed { start, end } => {
                    let text = String::from_utf8_lossy(&data[start as usize..end as usize]).into_owned();
                    self.out.notice(Notice::About(self.target.clone(), text)).await;
                }
            }
        }
        if !items.is_empty() {
            let batch = Batch { target: self.target.clone(), data, items };
            let room = self.out.room(&batch).await;
            for item in &batch.items {
                if let Item::Line(line) = item
                    && let Some(time) = line.time
                {
                    self.position.advance(time, batch.message(line));
                }
            }
            room.batch(batch);
        }
        end
    }

    fn judge(&mut self, data: &[u8], line: Line) -> Found {
        let (Some(finder), Some(time)) = (&mut self.finder, line.time) else { return Found::New };
        let found = finder.judge(time, &data[line.start as usize..line.end as usize]);
        if found != Found::Known {
            self.finder = None;
        }
        found
    }
}
