//! Asks whose the first line of a log is: it may be another pod's, or a later instance's.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    super::{
        again::text,
        logs::{Answer, Logs},
        reach::End,
    },
    Reading,
};
use crate::{
    cluster::Error,
    event::{Instant, Line},
    instance::{Instance, Standing},
    lines::Seen,
    schedule::Grant,
};

/// How long a question that fails is asked again, and the pause before that. The lines wait meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_secs(1);

/// A log of which no line was read, and the instance that it should be of.
pub struct Doubted<'a, L> {
    pub logs: &'a L,
    pub instance: &'a Instance,
    pub grant: &'a Grant,
    /// The instant of the first line that can be another pod's, as far as that is known.
    pub since: Option<Instant>,
    /// Whether the time of a followed log is over: the pods are watched no longer.
    pub over: bool,
}

impl<L: Logs> Reading<'_, L> {
    /// Ends the answer at the line with which it begins, if nothing in it is to be shown by this tail.
    pub(super) async fn doubt(&mut self, doubted: Doubted<'_, L>, data: &[u8], first: Line) -> Option<End> {
        let Doubted { logs, instance, grant, over, .. } = doubted;
        let opened = self.opened_before(first.time);
        let begun = self.progress.begun;
        if let Some(time) = first.time.filter(|time| self.is_wanted_beginning(*time)) {
            // The place may be lent before the reply.
            self.progress.begins_with(Seen::new(time, text(data, first)));
        }
        let standing = tokio::select! {
            biased;
            standing = grant.asking(standing(logs, instance)) => standing,
            never = self.stream.stow() => match never {},
        };
        self.progress.begun = begun;
        let is_replaced = matches!(standing, Ok(Standing::Replaced { .. }));
        let is_anothers = match standing {
            // The next instance wrote nothing before it started, and nothing to a stream that was open by then.
            // Such a stream may be that of one between, but no other tail would show its lines.
            Ok(Standing::Replaced { started: Some(started), is_next }) => {
                let started = Instant::from(started);
                first.time.is_none_or(|time| time >= started || !is_next)
                    && opened.is_none_or(|opened| started < opened)
            }
            Ok(Standing::Replaced { started: None, .. }) => true,
            Ok(standing) => standing == Standing::OtherPod,
            Err(_) => false,
        };
        let until = self.progress.extent.until;
        let is_next = matches!(standing, Ok(Standing::Replaced { is_next: true, .. }));
        let is_past = until.is_some() && first.time >= until;
        // The tail of that one shows it. Without a watch there is none, but if nothing of it is in the range, the
        // previous log is to be read.
        if is_anothers && (!over || is_next && is_past) {
            return Some(self.leave(data, first, true));
        }
        // No other tail will show it, and of this instance there may be lines that were not read.
        let is_wanted =
            instance.started.is_none_or(|started| until.is_none_or(|until| until > started.into()));
        if is_anothers && is_replaced && is_wanted {
            self.report.unseen().await;
        }
        None
    }
}

/// The answer to this question. One that fails is asked again for a while: without an answer the lines are shown, and if
/// they are another pod's, its own tail shows them again.
async fn standing(logs: &impl Logs, instance: &Instance) -> Result<Standing, Error> {
    let began = tokio::time::Instant::now();
    loop {
        match logs.standing(instance).await {
            Err(error) if error.is_retryable() && began.elapsed() < PATIENCE => sleep(AGAIN).await,
            standing => return standing,
        }
    }
}
