//! A stream that breaks for the first time is opened again soon: only if that fails the pauses grow.

use std::time::Duration;

use apiserver::Ended;

use super::{LogRequest, View, checks, checks::is_same, name, problem};
use crate::{
    judge::{
        Problem,
        troubles::{LONGEST_PAUSE, Nature, Trouble},
    },
    story::Container,
};

/// The longest pause before the first request behind it (`SPREAD` in src/tail/retry.rs), and somewhat more.
const SOON: Duration = Duration::from_secs(2);

/// The pauses of a log that brought lines for so long are short again.
const WELL: Duration = Duration::from_secs(60);

pub fn judge(view: &View) -> Vec<Problem> {
    let soon = SOON + checks::wait(view) + view.lag();
    view.logs.iter().filter(|log| log.follows).filter_map(|log| late(view, log, soon)).collect()
}

/// A stream that broke, and nothing was asked of its log for too long.
fn late(view: &View, log: &LogRequest, soon: Duration) -> Option<Problem> {
    let container = log.container?;
    let (broke, _) = log.request.ended.filter(|(_, how)| *how == Ended::Broken)?;
    let (since, due) = (broke.saturating_sub(WELL), broke + soon);
    let opened = log.request.answered.filter(|(_, status)| *status == 200).map(|(at, _)| at)?;
    let others = || view.logs.iter().filter(|other| is_same(other, log));
    let has_failed = others().filter(|other| (since..broke).contains(&other.request.at)).any(|other| {
        let is_whole = other.request.ended.is_none_or(|(_, how)| how != Ended::Broken);
        !is_whole || other.request.answered.is_none_or(|(_, status)| status != 200)
    });
    let is_asked = others().any(|other| (broke..=due).contains(&other.request.at));
    let can_ask = broke >= opened + WELL && runs(view, container, since, due) && arrives(view, broke, due);
    let text = || format!("a stream of it broke, and no request came for {soon:?}");
    (can_ask && !has_failed && !is_asked)
        .then(|| problem("a stream that broke is not opened again soon", name(log.request), broke, text()))
}

/// Whether the program and the container run all this time.
fn runs(view: &View, container: &Container, from: Duration, until: Duration) -> bool {
    let ends = container.deleted.unwrap_or(Duration::MAX).min(view.story.ended);
    let stays = |at: Option<Duration>| at.is_none_or(|at| at > until || at < from);
    let mut instances = container.instances.iter();
    let signalled = view.story.signalled.unwrap_or(Duration::MAX);
    ends.min(signalled) > until
        && instances.all(|instance| stays(instance.ended) && stays(Some(instance.started)))
}

/// Whether requests arrive in this time, and none is put off.
fn arrives(view: &View, from: Duration, until: Duration) -> bool {
    let is_other = |trouble: &&Trouble| trouble.from != from || trouble.what == Nature::Away;
    let mut troubles = view.troubles.iter().filter(is_other);
    let mut pauses = view.story.requests.iter().filter(|request| request.retry_after.is_some());
    view.setting.max_bandwidth.is_none()
        && !troubles.any(|trouble| trouble.from <= until && trouble.until.saturating_add(SOON) >= from)
        && !pauses.any(|request| request.at <= until && request.at + LONGEST_PAUSE >= from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        judge::testing::{at, story},
        script::Fault,
        story::Story,
    };

    /// The stream breaks after a hundred seconds, and is asked for again then.
    fn asked_again(time: f64, change: impl FnOnce(&mut Story)) -> Vec<&'static str> {
        let mut story = story();
        story.reads("web-0", 0.5, "follow=true", None).ended = Some((at(100.0), Ended::Broken));
        story.reads("web-0", time, "follow=true", None);
        change(&mut story);
        judge(&View::new(&story)).iter().map(|problem| problem.kind).collect()
    }

    #[test]
    fn a_stream_that_breaks_is_opened_again_soon() {
        assert_eq!(asked_again(101.0, |_| ()), [""; 0]);
        assert_eq!(asked_again(115.0, |_| ()), ["a stream that broke is not opened again soon"]);
    }

    #[test]
    fn one_that_cannot_be_asked_for_need_not_be() {
        assert_eq!(asked_again(115.0, |story| story.fails(100.0, Fault::ServerAway(at(10.0)))), [""; 0]);
        assert_eq!(asked_again(115.0, |story| story.containers[0].deleted = Some(at(101.0))), [""; 0]);
    }
}
