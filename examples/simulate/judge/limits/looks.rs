//! A log that stays silent is looked at ever less often.

use std::time::Duration;

use super::{LogRequest, View, checks::is_same, name, problem};
use crate::{judge::Problem, story::Container};

/// The time over which looks at a silent log are counted: later ones come less often than once in it (`RARELY` in
/// src/tail/idle.rs).
const OVER: Duration = Duration::from_secs(60);

/// The most looks in it: three until it is known that the log stays silent, and one or two more as it is over.
const MOST: usize = 5;

/// After a line, a fault, or a change of the container, a log may be looked at for other reasons.
const CALM: Duration = Duration::from_secs(30);

pub fn judge(view: &View) -> Vec<Problem> {
    view.logs.iter().filter(|log| log.follows).filter_map(|log| too_many(view, log)).collect()
}

/// The first time in which a log was looked at too often although nothing came of it.
fn too_many(view: &View, log: &LogRequest) -> Option<Problem> {
    let (opened, _) = log.request.answered.filter(|(_, status)| *status == 200)?;
    let container = log.container?;
    let end = log.request.ended.map_or(view.story.ended, |(at, _)| at);
    let looks = view.logs.iter().filter(|look| !look.follows && is_same(look, log));
    let looks: Vec<_> = looks.map(|look| look.request.at).filter(|at| (opened..end).contains(at)).collect();
    let from = looks.windows(MOST + 1).find_map(|looks| {
        let (first, last) = (looks[0], looks[MOST]);
        let is_calm = first >= opened + CALM && is_calm(view, container, first, last);
        (last - first <= OVER && is_calm).then_some(first)
    })?;
    let text = format!("{} requests within {OVER:?}, {MOST} are allowed", MOST + 1);
    Some(problem("a silent log is looked at too often", name(log.request), from, text))
}

/// Whether nothing happened to the container in this time, and for a while before it.
fn is_calm(view: &View, container: &Container, from: Duration, until: Duration) -> bool {
    let is_near = |at: Duration| at <= until && at.saturating_add(CALM) >= from;
    let changes = container.instances.iter().flat_map(|instance| {
        let lines = instance.lines.iter().map(|line| line.at);
        lines.chain([Some(instance.started), instance.ended].into_iter().flatten())
    });
    let mut troubles = view.troubles.iter();
    !changes.chain(container.deleted).any(is_near)
        && !troubles.any(|trouble| trouble.from <= until && trouble.until.saturating_add(CALM) >= from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{judge::testing::story, script::Fault, story::Story};

    /// The log is followed, and looked at with this pause from the 60th second on.
    fn looked_at_every(pause: f64, change: impl FnOnce(&mut Story)) -> Vec<&'static str> {
        let mut story = story();
        story.reads("web-0", 0.5, "follow=true", None);
        for n in 0..7 {
            let time = 60.0 + pause * f64::from(n);
            story.reads("web-0", time, "tailLines=1", Some(time));
        }
        change(&mut story);
        judge(&View::new(&story)).iter().map(|problem| problem.kind).collect()
    }

    #[test]
    fn a_silent_log_is_looked_at_ever_less_often() {
        assert_eq!(looked_at_every(1.0, |_| ()), ["a silent log is looked at too often"]);
        assert_eq!(looked_at_every(12.1, |_| ()), [""; 0]);
    }

    #[test]
    fn behind_a_line_or_a_fault_a_log_may_be_looked_at_more_often() {
        assert_eq!(looked_at_every(1.0, |story| story.writes("web-0", [50.0])), [""; 0]);
        assert_eq!(looked_at_every(1.0, |story| story.fails(50.0, Fault::GoAway)), [""; 0]);
        assert_eq!(looked_at_every(1.0, |story| story.writes("web-0", [20.0])).len(), 1);
    }
}
