//! Limits, from the requests at the server: none is exceeded, and no request waits for ever.
//!
//! The program counts when a request leaves or an answer arrives, the server half a round trip later or earlier, and a
//! new connection takes two round trips more than one that is open: one to be made, and one until the server has
//! announced its settings. So each check allows for [`View::lag`].

mod bandwidth;
pub mod checks;
mod connections;
mod looks;
pub mod open;
pub mod pauses;
pub mod rate;
mod resumes;
mod retries;

use std::time::Duration;

use apiserver::Kind;
use jiff::SignedDuration;

use super::{
    Problem,
    troubles::{Nature, Trouble, troubles},
};
use crate::{
    script::{Fault, Setting, What},
    story::{Container, Request, Story},
};

pub fn judge(view: &View) -> Vec<Problem> {
    let judges = [rate::judge, open::judge, bandwidth::judge, pauses::judge, retries::judge];
    let more = [checks::judge, connections::judge, looks::judge, resumes::judge];
    judges.into_iter().chain(more).flat_map(|judge| judge(view)).collect()
}

/// What all checks of limits look at.
pub struct View<'a> {
    pub story: &'a Story,
    pub setting: &'a Setting,
    pub troubles: Vec<Trouble>,
    pub logs: Vec<LogRequest<'a>>,
}

/// A request for a log.
pub struct LogRequest<'a> {
    pub request: &'a Request,
    /// None: no such container has run.
    pub container: Option<&'a Container>,
    pub follows: bool,
}

impl View<'_> {
    pub fn new(story: &Story) -> View<'_> {
        let logs = story.requests.iter().filter(|request| request.kind == Kind::Log);
        let logs = logs.map(|request| LogRequest {
            request,
            container: container(story, request),
            follows: request.query("follow") == Some("true"),
        });
        View { story, setting: &story.script.setting, troubles: troubles(story), logs: logs.collect() }
    }

    /// The most by which the times of two requests at the server differ from those at the program.
    pub fn lag(&self) -> Duration {
        self.round_trip() * 5 / 2 + Duration::from_millis(20)
    }

    /// When the range of `--until` ends. The apiserver's clock decides, in whole seconds.
    pub fn until(&self) -> Option<Duration> {
        self.until_by(self.setting.clocks.server)
    }

    fn until_by(&self, ahead: i64) -> Option<Duration> {
        until_by(self.story, ahead)
    }

    /// Whether the range is over as the program starts, by its own clock and by that of the apiserver: then it follows
    /// nothing, and all logs are read once.
    pub fn is_past(&self) -> bool {
        let clocks = [self.setting.clocks.server, self.setting.clocks.client];
        let start = self.setting.start;
        clocks.into_iter().all(|ahead| self.until_by(ahead).is_some_and(|until| until <= start))
    }

    /// The longest round trip of the run.
    pub fn round_trip(&self) -> Duration {
        let far = self.story.script.events.iter().filter_map(|event| match event.what {
            What::Fault(Fault::Far { round_trip, .. }) => Some(round_trip),
            _ => None,
        });
        far.chain([self.setting.server.round_trip]).max().unwrap_or_default()
    }

    /// The beginning of the time in which packets may have been held up, of which this instant is a part: what was sent
    /// in it arrives together at its end.
    pub fn held_up_since(&self, at: Duration) -> Option<Duration> {
        self.held_up_behind(at, Duration::ZERO)
    }

    /// The same for what may also have waited for so long after the packets arrived again.
    fn held_up_behind(&self, at: Duration, wait: Duration) -> Option<Duration> {
        let away = self.troubles.iter().filter(|trouble| trouble.what == Nature::Away);
        let late = self.lag() + wait;
        away.filter(|trouble| (trouble.from..=trouble.until.saturating_add(late)).contains(&at))
            .map(|trouble| trouble.from)
            .min()
    }
}

/// When the range of `--until` ends by a clock that is so many seconds ahead.
pub fn until_by(story: &Story, ahead: i64) -> Option<Duration> {
    let until = story.script.setting.until?.duration_since(story.clock) - SignedDuration::from_secs(ahead);
    Some(Duration::try_from(until).unwrap_or_default())
}

/// Where a log request goes: `/api/v1/namespaces/NAMESPACE/pods/POD/log?container=CONTAINER`.
fn container<'a>(story: &'a Story, request: &Request) -> Option<&'a Container> {
    let pod = request.path.rsplit('/').nth(1)?;
    let name = request.query("container")?;
    story.containers.iter().find(|container| container.place.pod == pod && container.place.container == name)
}

/// What a log request asks for, for people.
fn name(request: &Request) -> String {
    let mut parts = request.path.split('/').skip(4);
    let namespace = parts.next().unwrap_or_default();
    let pod = parts.nth(1).unwrap_or_default();
    format!("{namespace}/{pod}/{}", request.query("container").unwrap_or_default())
}

fn problem(kind: &'static str, container: String, at: Duration, text: String) -> Problem {
    Problem { kind, container, at, text }
}

#[cfg(test)]
mod tests;
