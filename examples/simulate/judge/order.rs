//! `--sort`: without following, lines of all containers are in the order of their times; when following, those are that
//! came before a later one was shown.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    Problem,
    lines::{
        output::{Name, Shown, Text, lines},
        told::named,
    },
    promptness::latency,
    record::may_continue,
    troubles::troubles,
};
use crate::{
    script::Setting,
    story::{Container, Request, Story},
};

/// A line that was written this long ago has come on a stream that was open before, but for its way and `--latency`,
/// which is 100 ms.
const COMES: Duration = Duration::from_millis(150);

/// So long after a fault, lines may come late.
const AFTER: Duration = Duration::from_secs(70);

/// A shown line. Lines of one container never change places, so the time of one that steps back is the latest before it.
struct Placed<'t> {
    name: Name<'t>,
    shown: Shown<'t>,
    place: Timestamp,
}

/// The first line that stands behind a later one of another container, and should not.
pub fn judge(story: &Story) -> Option<Problem> {
    let setting = &story.script.setting;
    if !setting.sort {
        return None;
    }
    let text = Text::new(&story.stdout);
    let lines = placed(&text);
    if !setting.logs.follows() {
        return lines
            .windows(2)
            .find(|pair| pair[1].place < pair[0].place)
            .map(|pair| misplaced(&pair[1], &pair[0]));
    }
    if setting.max_bandwidth.is_some() {
        return None;
    }
    let (came, troubles) = (came(story), troubles(story));
    let is_calm = |from: Duration, until: Duration| {
        !troubles.iter().any(|trouble| trouble.from <= until && trouble.until.saturating_add(AFTER) >= from)
    };
    lines.iter().enumerate().find_map(|(number, line)| {
        let came = *came.get(&(line.name, line.shown.stamp?, line.shown.text))?;
        // The first lines of a stream are held back until it is known whose they are.
        let came =
            asked(story, line).map_or(came, |answered| came.max(answered.saturating_add(way(setting))));
        if !is_calm(came, line.shown.at) {
            return None;
        }
        let mut since = lines[..number].iter().rev().take_while(|other| other.shown.at > came);
        since.find(|other| other.place > line.place).map(|other| misplaced(line, other))
    })
}

fn misplaced(line: &Placed, other: &Placed) -> Problem {
    let text = format!("{} behind {}", line.place, other.place);
    let container = line.name.1.to_owned();
    Problem { kind: "not in the order of time", container, at: line.shown.at, text }
}

/// Lines without a time stand behind the one before them, and so does one of a stack trace.
fn placed<'t>(text: &'t Text) -> Vec<Placed<'t>> {
    let mut places: BTreeMap<Name, (Timestamp, Shown)> = BTreeMap::new();
    let lines = lines(text).filter_map(|(name, shown)| {
        let stamp = shown.stamp?;
        let (place, before) = places.entry(name).or_insert((stamp, shown));
        if !may_continue(before, &shown) {
            *place = stamp.max(*place);
        }
        *before = shown;
        Some(Placed { name, shown, place: *place })
    });
    lines.collect()
}

/// By when each line came, of those that were written while the log was followed.
fn came(story: &Story) -> HashMap<(Name<'_>, Timestamp, &[u8]), Duration> {
    let setting = &story.script.setting;
    let way = way(setting);
    let mut came = HashMap::new();
    for container in &story.containers {
        let streams: Vec<_> = story.requests.iter().filter(|request| follows(request, container)).collect();
        let name = (&*container.namespace, &*container.place.pod, &*container.place.container);
        let instances = container.instances.iter().filter(|instance| instance.silenced.is_empty());
        let lines = instances.flat_map(|instance| instance.lines.iter().map(|line| (instance.started, line)));
        for (started, line) in lines {
            // A stream stays with its instance, even while it is silent and does not end with it.
            let is_open = |request: &&Request| {
                request.answered.is_some_and(|(opened, _)| opened >= started && opened + way < line.at)
                    && request.ended.is_none_or(|(ended, _)| ended > line.at + way)
            };
            // Of equal lines, the last one comes last.
            let by = if streams.iter().any(is_open) { line.at + way } else { Duration::MAX };
            let known = came.entry((name, line.stamp, &*line.text)).or_insert(by);
            *known = by.max(*known);
        }
    }
    came
}

/// The time in which a packet comes, and is read.
fn way(setting: &Setting) -> Duration {
    setting.server.round_trip + COMES + latency(setting) * 2
}

/// When a question about its pod was answered last before a line was shown.
fn asked(story: &Story, line: &Placed) -> Option<Duration> {
    let (namespace, pod, _) = line.name;
    let path = format!("/api/v1/namespaces/{namespace}/pods");
    let is_of_it = |request: &&Request| named(request) == Some(pod) && request.path == path;
    let answered = story.requests.iter().filter(is_of_it).filter_map(|request| request.answered);
    answered.map(|(at, _)| at).filter(|at| *at <= line.shown.at).max()
}

fn follows(request: &Request, container: &Container) -> bool {
    let (namespace, pod) = (&container.namespace, &container.place.pod);
    request.path == format!("/api/v1/namespaces/{namespace}/pods/{pod}/log")
        && request.query("container") == Some(&container.place.container)
        && request.query("follow") == Some("true")
        && request.answered.is_some_and(|(_, status)| status == 200)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        judge::testing::{at, container, story},
        script::{Fault, Logs},
        story::Written,
    };

    fn kinds(lines: &[(&str, u32)]) -> Vec<&'static str> {
        let mut story = story();
        (story.script.setting.sort, story.script.setting.logs) = (true, Logs::Once);
        let lines =
            lines.iter().map(|(pod, second)| format!("shop {pod} app 2026-03-01T12:00:{second:02}Z x\n"));
        story.stdout = vec![Written { at: at(1.0), bytes: lines.collect::<String>().into_bytes() }];
        judge(&story).into_iter().map(|problem| problem.kind).collect()
    }

    #[test]
    fn lines_of_all_containers_are_in_the_order_of_their_times() {
        assert_eq!(kinds(&[("a", 1), ("b", 2), ("a", 2), ("b", 3)]), [""; 0]);
        assert_eq!(kinds(&[("a", 1), ("b", 3), ("a", 2)]), ["not in the order of time"]);
    }

    #[test]
    fn a_line_that_steps_back_stays_behind_the_one_before() {
        assert_eq!(kinds(&[("a", 1), ("b", 3), ("b", 2), ("a", 4)]), [""; 0]);
    }

    /// A line that was written at 3 s is shown before one of another container from 2 s, whose stream was opened then.
    fn live(opened: f64, change: impl FnOnce(&mut Story)) -> Vec<&'static str> {
        let mut story = story();
        story.script.setting.sort = true;
        story.containers.push(container("web-1"));
        story.writes("web-0", [3.0]);
        story.writes("web-1", [2.0]);
        story.reads("web-0", 0.5, "follow=true", None);
        story.reads("web-1", opened, "follow=true", None);
        let lines = [(3.2, "web-0", 3), (3.3, "web-1", 2)];
        story.stdout = lines
            .map(|(now, pod, second)| {
                let line = format!("default {pod} app 2026-03-01T12:00:{second:02}Z at {second}\n");
                Written { at: at(now), bytes: line.into_bytes() }
            })
            .into();
        change(&mut story);
        judge(&story).into_iter().map(|problem| problem.kind).collect()
    }

    #[test]
    fn a_followed_line_that_came_before_a_later_one_was_shown_stands_before_it() {
        assert_eq!(live(0.5, |_| ()), ["not in the order of time"]);
        assert_eq!(live(1.99, |_| ()), [""; 0]);
        assert_eq!(live(0.5, |story| story.stdout[0].at = at(2.0)), [""; 0]);
        assert_eq!(live(0.5, |story| story.fails(1.0, Fault::ConnectionsReset)), [""; 0]);
        assert_eq!(
            live(0.5, |story| story.fails(9.0, Fault::ConnectionsReset)),
            ["not in the order of time"]
        );
    }

    #[test]
    fn a_stream_brings_no_lines_of_the_next_instance() {
        let starts = |time: f64| live(0.5, |story| story.containers[1].instances[0].started = at(time));
        assert_eq!((starts(0.4).len(), starts(0.6).len()), (1, 0));
    }

    #[test]
    fn lines_come_no_sooner_than_it_is_known_whose_they_are() {
        let asks = |pod: &'static str, time| {
            live(0.5, move |story| {
                let request = story.lists(time);
                request.path = "/api/v1/namespaces/default/pods".to_owned();
                request.query.insert("fieldSelector".to_owned(), format!("metadata.name={pod}"));
            })
        };
        assert_eq!(asks("web-1", 3.29), [""; 0]);
        assert_eq!((asks("web-1", 2.5).len(), asks("web-0", 3.29).len()), (1, 1));
    }
}
