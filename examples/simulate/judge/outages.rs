//! Reports of outages: each that lasts is reported in time, so is its end, and nothing else is reported as one.

use std::time::Duration;

use apiserver::Ended;

use super::{
    Problem,
    limits::{View, checks},
    lines::{output::Text, told::arrival},
    troubles::{LONGEST_PAUSE, Nature, Trouble},
};
use crate::{
    script::{Broken, Fault, What},
    story::Request,
};

/// In which an outage is reported: ten seconds of silence, seven without an answer to a probe, and a second in which it
/// may end.
const REPORTED: Duration = Duration::from_secs(20);

/// In which its end is reported: the server is asked every ten seconds.
const OVER: Duration = Duration::from_secs(12);

/// So long after the first failure an outage is reported, if nothing is answered meanwhile (`SETTLED` in
/// src/source/cluster/waits.rs).
const SETTLED: Duration = Duration::from_secs(1);

/// An answer that asks for a longer pause counts as none (`LONG_PAUSE` in src/cluster/transport.rs).
const LONG_PAUSE: u64 = 3;

/// What was said of the apiserver.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Unreachable,
    /// The same, since a request had no answer for so long: others may have had one.
    Unanswered(Duration),
    AnswersAgain,
    /// The end of a report about requests for pods, whatever that was.
    PodsAgain,
    /// Such a report that is none of an outage.
    PodsFail,
}

impl Said {
    fn is_outage(self) -> bool {
        matches!(self, Said::Unreachable | Said::Unanswered(_))
    }
}

pub fn judge(view: &View) -> Vec<Problem> {
    let said = said(&Text::new(&view.story.stderr));
    if !view.setting.logs.follows() {
        return Vec::new();
    }
    let baseless = said.iter().find(|(at, said)| said.is_outage() && !has_reason(view, *at, *said));
    let baseless = baseless.map(|(at, _)| {
        let text = "nothing kept requests from being answered then".to_owned();
        problem("an outage that is none", *at, text)
    });
    let missed = outages(view).into_iter().filter_map(|outage| missed(view, &said, outage));
    baseless.into_iter().chain(end_of_none(&said)).chain(missed).collect()
}

/// A report that the apiserver is back, and none before it that it is not.
fn end_of_none(said: &[(Duration, Said)]) -> Option<Problem> {
    let (mut reported, mut is_out) = (false, false);
    let baseless = said.iter().find(|(_, said)| match said {
        Said::Unreachable | Said::Unanswered(_) => {
            (reported, is_out) = (true, true);
            false
        }
        Said::PodsFail => {
            reported = true;
            false
        }
        Said::AnswersAgain => !std::mem::take(&mut is_out),
        Said::PodsAgain => !reported,
    });
    baseless.map(|(at, _)| problem("an end of no outage", *at, "no report came before it".to_owned()))
}

/// Whether requests failed since the last answer came, and nothing was answered until the report.
fn has_reason(view: &View, at: Duration, said: Said) -> bool {
    let (lag, requests) = (view.lag(), || view.story.requests.iter());
    let since = match said {
        Said::Unanswered(time) => at.saturating_sub(time + SETTLED + lag),
        _ => heard_last(view, at).saturating_sub(lag),
    };
    // An output that is not read keeps the report.
    let mut unread = view.troubles.iter().filter(|trouble| trouble.what == Nature::Unread);
    let since = match unread.find(|trouble| overlaps(trouble, at.saturating_sub(SETTLED), at)) {
        Some(unread) => since.min(unread.from.saturating_sub(SETTLED + lag)),
        None => since,
    };
    let is_between = |time: Duration| (since..=at + lag).contains(&time);
    let mut away = view.troubles.iter().filter(|trouble| trouble.what == Nature::Away);
    if away.any(|trouble| overlaps(trouble, since, at)) {
        return true;
    }
    if let Said::Unanswered(time) = said {
        let is_late = |request: &Request| {
            let came = request.answered.map_or(Duration::MAX, |(answered, _)| answered);
            request.at <= since + SETTLED + lag * 2
                && came >= request.at.saturating_add(time).saturating_sub(lag)
        };
        return requests().filter(|request| request.at >= since).any(is_late);
    }
    let is_reset = |fault: &Fault| {
        let is_now = matches!(fault, Fault::ConnectionsReset | Fault::GoAwayAtOnce(_));
        // Over HTTP/1.1 a connection is closed, and a request may be on its way.
        let is_closed = matches!(fault, Fault::GoAway) && !view.setting.has_http2();
        is_now || is_closed || matches!(fault, Fault::Breaks(_, Broken::Reset))
    };
    let mut faults = view.story.script.events.iter().filter_map(|event| match &event.what {
        What::Fault(fault) => Some((event.at, fault)),
        _ => None,
    });
    faults.any(|(from, fault)| is_between(from) && is_reset(fault))
        || requests().any(|request| failed_at(request).is_some_and(is_between) || puts_off(request, at))
}

/// When the last answer came before this report: it was not the end of an outage then.
fn heard_last(view: &View, at: Duration) -> Duration {
    let answers = view.story.requests.iter().filter(|request| !puts_off(request, at));
    let answers = answers.filter_map(|request| Some(arrival(view.story, request.answered?.0)));
    answers.filter(|arrival| *arrival < at.saturating_sub(view.lag())).max().unwrap_or_default()
}

/// When a request failed that had no answer, or not all of it.
fn failed_at(request: &Request) -> Option<Duration> {
    request.ended.filter(|(_, how)| request.answered.is_none() || *how == Ended::Broken).map(|(at, _)| at)
}

/// Whether its answer asked for a pause that lasts.
fn puts_off(request: &Request, at: Duration) -> bool {
    let pause = request
        .retry_after
        .as_ref()
        .filter(|pause| pause.parse().is_ok_and(|pause: u64| pause >= LONG_PAUSE) || pause.contains(':'));
    pause.is_some()
        && request.answered.is_some_and(|(answered, _)| (answered..=answered + LONGEST_PAUSE).contains(&at))
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
    let last = |by: Duration| {
        let mut of_outages = said.iter().rev().filter(|(_, said)| *said != Said::PodsFail);
        of_outages.find(|(at, _)| *at <= by).map(|(_, said)| *said)
    };
    let due = heard(view, from, until) + REPORTED + wait;
    // Before its first answer the program starts, and reports what it waits for.
    let began = view.story.requests.iter().any(|request| request.answered.is_some_and(|(at, _)| at < from));
    if began && until > due && can_say(view, from, due) && !last(due).is_some_and(Said::is_outage) {
        let text = format!(
            "it was away until {:.3} s, and no report came until {:.3} s",
            until.as_secs_f64(),
            due.as_secs_f64()
        );
        return Some(problem("an outage without a report", from, text));
    }
    let due = until.saturating_add(OVER + wait + view.lag());
    let others = view.troubles.iter().any(|trouble| trouble.from > from && overlaps(trouble, until, due));
    if !others && can_say(view, until, due) && last(due).is_some_and(Said::is_outage) {
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
    errors.lines().filter_map(|(at, line)| Some((at, of_line(std::str::from_utf8(line).ok()?)?))).collect()
}

fn of_line(line: &str) -> Option<Said> {
    match line {
        "· the apiserver answers again" => Some(Said::AnswersAgain),
        "· the apiserver answers" | "· the pods are watched again" => Some(Said::PodsAgain),
        // This is about a node, or a container.
        line if line.starts_with("! cannot read logs of ") || line.contains(" › ") => None,
        // A refusal of credentials is an answer.
        line if line.starts_with("! ") && line.contains(" (401): ") => Some(Said::PodsFail),
        line if line.starts_with("! ") && line.contains("http://apiserver") => {
            let time = line.strip_prefix("! no answer from http://apiserver within ");
            let seconds = time.and_then(|time| time.split_once('s')?.0.parse().ok());
            Some(seconds.map_or(Said::Unreachable, |seconds| Said::Unanswered(Duration::from_secs(seconds))))
        }
        line if line.starts_with("! ") && line.ends_with("; trying again") => Some(Said::PodsFail),
        _ => None,
    }
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
    fn only_what_keeps_requests_from_being_answered_is_a_reason_for_an_outage() {
        let failed = |fault| {
            let mut story = story();
            story.lists(1.0);
            story.fails(30.0, fault);
            story.stderr = vec![Written { at: at(31.1), bytes: REPORT.as_bytes().to_vec() }];
            story
        };
        assert_eq!(kinds(&failed(Fault::ConnectionsReset)), [""; 0]);
        let mut answered = failed(Fault::ConnectionsReset);
        answered.lists(30.5);
        assert_eq!(kinds(&answered), ["an outage that is none"]);
        let refused = |how| Fault::Refused { asked: Asked::All, times: 1, how, lasting: at(5.0) };
        for fault in [refused(Refusal::Status(500)), Fault::WatchExpired] {
            assert_eq!(kinds(&failed(fault)), ["an outage that is none"]);
        }
        let mut closed = failed(Fault::GoAway);
        closed.script.setting.server.http2 = false;
        assert_eq!(kinds(&closed), [""; 0]);
        closed.script.setting.server.http2 = true;
        assert_eq!(kinds(&closed), ["an outage that is none"]);
        closed.script.setting.http1 = true;
        assert_eq!(kinds(&closed), [""; 0]);
        let mut closed = failed(refused(Refusal::Closed));
        let unanswered = closed.lists(30.0);
        (unanswered.answered, unanswered.ended) = (None, Some((at(30.0), Ended::Broken)));
        assert_eq!(kinds(&closed), [""; 0]);
        closed.lists(30.5);
        assert_eq!(kinds(&closed), ["an outage that is none"]);
    }

    #[test]
    fn a_request_without_an_answer_is_reported_after_its_time() {
        let late = |answered: f64| {
            let mut story = story();
            story.lists(1.0);
            story.watches(20.0).answered = Some((at(answered), 200));
            story.lists(50.0);
            story.stderr = vec![Written { at: at(80.0), bytes: OF_PODS[0].as_bytes().to_vec() }];
            kinds(&story)
        };
        assert_eq!(late(90.0), [""; 0]);
        assert_eq!(late(60.0), ["an outage that is none"]);
    }

    #[test]
    fn an_end_is_reported_only_behind_an_outage() {
        assert_eq!(with(&[(20.0, END), (48.0, REPORT), (95.0, END)]), ["an end of no outage"]);
        assert_eq!(with(&[(48.0, REPORT), (95.0, END), (96.0, END)]), ["an end of no outage"]);
        assert_eq!(with(&[(20.0, OF_PODS[1]), (48.0, REPORT), (95.0, END)]), ["an end of no outage"]);
    }

    #[test]
    fn an_outage_that_is_none_is_not_reported() {
        assert_eq!(
            with(&[(20.0, REPORT), (21.0, END), (48.0, REPORT), (95.0, END)]),
            ["an outage that is none"]
        );
    }
}
