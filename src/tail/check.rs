//! Compares what was read of a log with its last line, for which one small request is made.

use bytes::BytesMut;

use super::{
    position::{Position, Seen},
    timestamp::TimestampParser,
};
use crate::{
    batch::Instant,
    cluster::{Cluster, Error, LogRequest, Priority},
    schedule::Scheduler,
};

/// A last line that is longer than this is not judged.
const LONGEST: usize = 1 << 20;

/// What a look at the end of the log shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The last line was read, or cannot be judged.
    Fine,
    Missed,
    /// There is no room for a request beside the stream.
    NoRoom,
}

/// Looks beside a stream that is open.
pub struct Checker<'a> {
    pub cluster: &'a Cluster,
    pub scheduler: &'a Scheduler,
    /// What the stream was asked for.
    pub request: LogRequest,
    /// From when on lines are wanted where none was read yet.
    pub start: Option<Instant>,
}

impl Checker<'_> {
    pub async fn look(&self, position: &Position) -> Look {
        let Some(_spare) = self.scheduler.try_spare() else { return Look::NoRoom };
        match Box::pin(last_line(self.cluster, &self.request)).await {
            Ok(Some(line)) if position.misses(line, self.start) => Look::Missed,
            // What keeps a check from being answered is no reason to let go of the stream.
            Ok(_) | Err(_) => Look::Fine,
        }
    }
}

/// The last line of the log that `request` names, where it is whole and can be told.
pub async fn last_line(cluster: &Cluster, request: &LogRequest) -> Result<Option<Seen>, Error> {
    let request = LogRequest {
        follow: false,
        since: None,
        tail_lines: Some(1),
        limit_bytes: None,
        priority: Priority::Check,
        ..request.clone()
    };
    let mut stream = cluster.open_log(&request).await?;
    let mut answer = BytesMut::new();
    while let Some(chunk) = stream.chunk().await {
        answer.extend_from_slice(&chunk?);
        if answer.len() > LONGEST {
            return Ok(None);
        }
    }
    let Some(line) = answer.strip_suffix(b"\n") else { return Ok(None) };
    // More than one line is no answer to what was asked.
    let parsed = TimestampParser::default().parse(line).filter(|_| !line.contains(&b'\n'));
    Ok(parsed.map(|(time, length)| Seen::new(time, &line[length..])))
}
