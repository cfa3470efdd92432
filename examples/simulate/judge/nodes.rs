//! Reports about the logs of a node: a request for one of them failed, and the same words do not come again soon.

use std::time::Duration;

use apiserver::Ended;

use super::{
    Problem,
    limits::View,
    lines::{notices::is_without_status, output::Text},
    promptness,
    troubles::{AWAITED, Nature, Trouble},
};
use crate::story::Request;

const OF_NODE: &str = "! cannot read logs of node ";

/// The same is said again after so long without it (`OVER` in src/notice.rs).
const AGAIN: Duration = Duration::from_secs(60);

/// From the failure of a request to the report of it.
const MOMENT: Duration = Duration::from_secs(1);

pub fn judge(view: &View) -> Vec<Problem> {
    let errors = Text::new(&view.story.stderr);
    let said = errors.lines().filter_map(|(at, line)| Some((at, std::str::from_utf8(line).ok()?)));
    let said: Vec<_> = said.filter(|(_, line)| line.starts_with(OF_NODE)).collect();
    let mut problems = Vec::new();
    for (number, (at, line)) in said.iter().enumerate() {
        let mut problem = |kind| {
            problems.push(Problem { kind, container: String::new(), at: *at, text: (*line).to_owned() });
        };
        let is_same = |(before, other): &(Duration, &str)| other == line && *at < *before + AGAIN;
        if said[..number].iter().any(is_same) && !is_unread(view, *at) {
            problem("a node is reported twice");
        }
        if !has_reason(view, *at, line) {
            problem("a report of a node that answers");
        }
    }
    problems
}

/// An output that is not read keeps what is said, so that two reports come at once.
fn is_unread(view: &View, at: Duration) -> bool {
    let is_near = |trouble: &Trouble| trouble.from <= at && trouble.until.saturating_add(AGAIN) >= at;
    view.troubles.iter().any(|trouble| trouble.what == Nature::Unread && is_near(trouble))
}

/// Whether a request for a log of that node failed right before.
fn has_reason(view: &View, at: Duration, line: &str) -> bool {
    let node = line[OF_NODE.len()..].split(':').next().unwrap_or_default();
    let since = at.saturating_sub(MOMENT + view.lag() + 2 * promptness::latency(view.setting));
    // Packets that are held up keep the end of a request.
    let since = view.held_up_since(at).map_or(since, |held_up| since.min(held_up.saturating_sub(MOMENT)));
    let is_then = |time: Duration| (since..=at + MOMENT + view.lag()).contains(&time);
    let fails = |request: &Request| match (request.answered, request.ended) {
        (Some((_, 200)), Some((ended, how))) => how != Ended::Complete && is_then(ended),
        (Some((_, 200)), None) => false,
        (Some((answered, _)), _) => is_then(answered),
        // That it was left is known once packets arrive.
        (None, ended) => ended.is_none_or(|(ended, _)| ended >= since),
    };
    // While packets are held up, a request may not arrive, and is awaited all the same.
    let words = line.split_once(": ").map_or("", |(_, words)| words);
    let was_away = |trouble: &Trouble| {
        trouble.what == Nature::Away && trouble.from <= at && trouble.until.saturating_add(AWAITED) >= at
    };
    let is_lost = is_without_status(words) && view.troubles.iter().any(was_away);
    is_unread(view, at)
        || is_lost
        || view.logs.iter().any(|log| {
            let is_of_node = log.container.is_some_and(|container| container.node == node);
            is_of_node && log.request.at <= at && fails(log.request)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        judge::testing::{at, story},
        script::Fault,
        story::Written,
    };

    /// A log of the node is refused after ten seconds, and this is said of the node when.
    fn with(said: &[(f64, &str)]) -> Vec<&'static str> {
        let mut story = story();
        // Another stream goes on meanwhile.
        story.reads("web-0", 0.5, "follow=true", Some(150.0)).ended = Some((at(150.0), Ended::Abandoned));
        story.reads("web-0", 10.0, "follow=true", Some(10.0)).answered = Some((at(10.0), 502));
        story.reads("web-0", 70.5, "follow=true", Some(70.5)).answered = Some((at(70.5), 502));
        story.reads("web-0", 20.0, "follow=true", Some(20.0)).answered = Some((at(20.0), 502));
        let written = |(time, node): &(f64, &str)| Written {
            at: at(*time),
            bytes: format!("{OF_NODE}{node}: 502 Bad Gateway; trying again\n").into_bytes(),
        };
        story.stderr = said.iter().map(written).collect();
        judge(&View::new(&story)).iter().map(|problem| problem.kind).collect()
    }

    #[test]
    fn a_node_is_reported_if_a_log_of_it_is_refused() {
        assert_eq!(with(&[(10.1, "node-1")]), [""; 0]);
        assert_eq!(with(&[(10.1, "node-2")]), ["a report of a node that answers"]);
        assert_eq!(with(&[(15.0, "node-1")]), ["a report of a node that answers"]);
    }

    #[test]
    fn a_request_that_cannot_arrive_is_a_reason() {
        let away = |text: &str, lasting: f64| {
            let mut story = story();
            story.fails(20.0, Fault::BlackHole(at(lasting)));
            let text = format!("{OF_NODE}node-1: {text}; trying again\n");
            story.stderr = vec![Written { at: at(90.0), bytes: text.into_bytes() }];
            judge(&View::new(&story)).len()
        };
        let unanswered = "no answer from http://apiserver within 30s";
        assert_eq!([away(unanswered, 20.0), away(unanswered, 5.0), away("502 Bad Gateway", 20.0)], [0, 1, 1]);
    }

    #[test]
    fn a_request_without_an_answer_is_a_reason() {
        let unanswered = |at_second: f64, left: f64| {
            let mut story = story();
            let request = story.reads("web-0", at_second, "follow=true", Some(left));
            (request.answered, request.ended) = (None, Some((at(left), Ended::Abandoned)));
            let text = format!("{OF_NODE}node-1: no answer within 30s; trying again\n");
            story.stderr = vec![Written { at: at(50.0), bytes: text.into_bytes() }];
            judge(&View::new(&story)).len()
        };
        assert_eq!((unanswered(20.0, 70.0), unanswered(20.0, 40.0), unanswered(60.0, 70.0)), (0, 1, 1));
    }

    #[test]
    fn a_node_is_reported_once_while_it_lasts() {
        assert_eq!(with(&[(10.1, "node-1"), (20.1, "node-1")]), ["a node is reported twice"]);
        assert_eq!(with(&[(10.1, "node-1"), (70.6, "node-1")]), [""; 0]);
    }
}
