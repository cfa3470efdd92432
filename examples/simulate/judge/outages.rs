//! Reports of outages: each that lasts is reported in time, so is its end, and nothing else is reported as one.

use std::time::Duration;

use super::{
    Problem,
    limits::{View, checks},
    lines::output::Text,
    troubles::{LONGEST_PAUSE, Nature, Scope, Trouble},
};

/// In which an outage is reported: ten seconds of silence, seven without an answer to a probe, and a second in which it
/// may end.
const REPORTED: Duration = Duration::from_secs(20);

/// In which its end is reported: the server is asked every ten seconds.
const OVER: Duration = Duration::from_secs(12);

/// So long after a fault requests may fail of it.
const REASON: Duration = Duration::from_secs(70);

/// What was said of the apiserver.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Unreachable,
    AnswersAgain,
}

pub fn judge(view: &View) -> Vec<Problem> {
    let said = said(&Text::new(&view.story.stderr));
    if !view.setting.logs.follows() {
        return Vec::new();
    }
    let baseless = said.iter().find(|(at, said)| *said == Said::Unreachable && !has_reason(view, *at));
    let baseless =
        baseless.map(|(at, _)| problem("an outage that is none", *at, "nothing failed before it".into()));
    let missed = outages(view).into_iter().filter_map(|outage| missed(view, &said, outage));
    baseless.into_iter().chain(missed).collect()
}

fn has_reason(view: &View, at: Duration) -> bool {
    // One of a pod or a node is none of the apiserver's.
    let mut of_all =
        view.troubles.iter().filter(|trouble| trouble.scope == Scope::All && trouble.what != Nature::Unread);
    of_all.any(|trouble| trouble.from <= at && trouble.until.saturating_add(REASON) >= at)
}

/// Times in which nothing of the apiserver answers. Those that overlap are left out: the end of one ends the other.
fn outages(view: &View) -> Vec<(Duration, Duration)> {
    let away = || view.troubles.iter().filter(|trouble| trouble.what == Nature::Away);
    let overlap = |one: &Trouble| away().filter(|other| overlaps(other, one.from, one.until)).count() > 1;
    away().filter(|trouble| !overlap(trouble)).map(|trouble| (trouble.from, trouble.until)).collect()
}

/// The report that is not there in time: of the outage, or of its end.
fn missed(view: &View, said: &[(Duration, Said)], (from, until): (Duration, Duration)) -> Option<Problem> {
    let wait = checks::wait(view);
    let last = |by: Duration| said.iter().rev().find(|(at, _)| *at <= by).map(|(_, said)| *said);
    let due = heard(view, from, until) + REPORTED + wait;
    // Before its first answer the program starts, and reports what it waits for.
    let began = view.story.requests.iter().any(|request| request.answered.is_some_and(|(at, _)| at < from));
    if began && until > due && can_say(view, from, due) && last(due) != Some(Said::Unreachable) {
        let text = format!(
            "it was away until {:.3} s, and no report came until {:.3} s",
            until.as_secs_f64(),
            due.as_secs_f64()
        );
        return Some(problem("an outage without a report", from, text));
    }
    let due = until.saturating_add(OVER + wait + view.lag());
    let others = view.troubles.iter().any(|trouble| trouble.from > from && overlaps(trouble, until, due));
    if !others && can_say(view, until, due) && last(due) == Some(Said::Unreachable) {
        let text = format!("no report of its end came until {:.3} s", due.as_secs_f64());
        return Some(problem("an outage without an end", until, text));
    }
    None
}

/// When the silence of an outage begins: with `--max-bandwidth`, what had come before it is read long after.
fn heard(view: &View, from: Duration, until: Duration) -> Duration {
    let taken = view.story.taken.iter().map(|taken| taken.at).filter(|at| (from..until).contains(at));
    taken.filter(|_| view.setting.max_bandwidth.is_some()).max().unwrap_or(from)
}

/// Whether the program runs then, may ask, and is heard.
fn can_say(view: &View, from: Duration, until: Duration) -> bool {
    let signalled = view.story.signalled.unwrap_or(Duration::MAX);
    let unread =
        view.troubles.iter().any(|trouble| trouble.what == Nature::Unread && overlaps(trouble, from, until));
    let may_pause = view.story.requests.iter().filter(|request| request.retry_after.is_some());
    let pauses = may_pause
        .map(|request| request.at)
        .any(|at| (from.saturating_sub(LONGEST_PAUSE)..until).contains(&at));
    until < view.story.ended.min(signalled) && from >= view.setting.start && !unread && !pauses
}

fn overlaps(trouble: &Trouble, from: Duration, until: Duration) -> bool {
    trouble.from <= until && trouble.until >= from
}

fn said(errors: &Text) -> Vec<(Duration, Said)> {
    let said = |line: &[u8]| match std::str::from_utf8(line).ok()? {
        // The last two end a report about requests for pods.
        "· the apiserver answers again" | "· the apiserver answers" | "· the pods are watched again" => {
            Some(Said::AnswersAgain)
        }
        // A refusal of credentials is an answer.
        line if line.contains(" (401): ") => None,
        // This is about a node.
        line if line.starts_with("! cannot read logs of ") => None,
        line if line.starts_with("! ") && line.contains("http://apiserver") => Some(Said::Unreachable),
        _ => None,
    };
    errors.lines().filter_map(|(at, line)| Some((at, said(line)?))).collect()
}

fn problem(kind: &'static str, at: Duration, text: String) -> Problem {
    Problem { kind, container: String::new(), at, text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        judge::testing::{at, story},
        script::{Asked, Fault, Refusal},
        story::{Story, Taken, Written},
    };

    const REPORT: &str = "! cannot reach the apiserver http://apiserver: connection refused; trying again\n";
    const REFUSAL: &str =
        "! http://apiserver does not accept requests without credentials (401): “Unauthorized”\n";
    const OF_NODE: &str =
        "! cannot read logs of node node-3: no answer from http://apiserver within 30s; trying again\n";
    const OF_PODS: [&str; 2] =
        ["! no answer from http://apiserver within 60s; trying again\n", "· the pods are watched again\n"];
    const END: &str = "· the apiserver answers again\n";

    /// A run with an outage from the 30th to the 90th second, and what is said when.
    fn with(said: &[(f64, &str)]) -> Vec<&'static str> {
        kinds(&outage(said))
    }

    fn kinds(story: &Story) -> Vec<&'static str> {
        judge(&View::new(story)).iter().map(|problem| problem.kind).collect()
    }

    fn outage(said: &[(f64, &str)]) -> Story {
        let mut story = story();
        story.lists(1.0);
        story.fails(30.0, Fault::ServerAway(at(60.0)));
        let written =
            said.iter().map(|(time, text)| Written { at: at(*time), bytes: text.as_bytes().to_vec() });
        story.stderr = written.collect();
        story
    }

    #[test]
    fn an_outage_and_its_end_are_reported_in_time() {
        assert_eq!(with(&[(48.0, REPORT), (95.0, END)]), [""; 0]);
        assert_eq!(with(&[]), ["an outage without a report"]);
        assert_eq!(with(&[(85.0, REPORT), (95.0, END)]), ["an outage without a report"]);
        assert_eq!(with(&[(48.0, REPORT)]), ["an outage without an end"]);
        assert_eq!(with(&[(48.0, REPORT), (150.0, END)]), ["an outage without an end"]);
    }

    #[test]
    fn what_came_before_an_outage_and_is_read_slowly_is_no_silence() {
        let reported = |change: fn(&mut Story)| {
            let mut story = outage(&[(58.0, REPORT), (95.0, END)]);
            story.taken = vec![Taken { at: at(38.0), connection: 1, bytes: 100 }];
            change(&mut story);
            kinds(&story)
        };
        assert_eq!(reported(|story| story.script.setting.max_bandwidth = Some(9000)), [""; 0]);
        assert_eq!(reported(|_| ()), ["an outage without a report"]);
    }

    #[test]
    fn a_refusal_of_credentials_is_no_outage() {
        assert_eq!(with(&[(20.0, REFUSAL), (48.0, REPORT), (95.0, END), (96.0, REFUSAL)]), [""; 0]);
        assert_eq!(with(&[(48.0, REFUSAL)]), ["an outage without a report"]);
    }

    #[test]
    fn a_node_that_does_not_answer_is_no_outage() {
        assert_eq!(with(&[(48.0, REPORT), (95.0, END), (96.0, OF_NODE)]), [""; 0]);
        assert_eq!(with(&[(48.0, OF_NODE)]), ["an outage without a report"]);
    }

    #[test]
    fn a_watch_that_was_answered_after_its_time_is_no_outage() {
        let [late, again] = OF_PODS;
        assert_eq!(with(&[(48.0, REPORT), (95.0, END), (96.0, late), (97.0, again)]), [""; 0]);
    }

    #[test]
    fn the_fault_of_a_pod_is_no_reason_for_an_outage() {
        let refused = |asked| {
            let mut story: Story = story();
            let how = Refusal::Status(500);
            story.fails(30.0, Fault::Refused { asked, times: 1, how, lasting: at(5.0) });
            story.stderr = vec![Written { at: at(31.0), bytes: REPORT.as_bytes().to_vec() }];
            judge(&View::new(&story)).iter().map(|problem| problem.kind).collect::<Vec<_>>()
        };
        assert_eq!(refused(Asked::All), [""; 0]);
        assert_eq!(refused(Asked::Logs("web-0".to_owned())), ["an outage that is none"]);
    }

    #[test]
    fn an_outage_that_is_none_is_not_reported() {
        assert_eq!(
            with(&[(20.0, REPORT), (21.0, END), (48.0, REPORT), (95.0, END)]),
            ["an outage that is none"]
        );
    }
}
