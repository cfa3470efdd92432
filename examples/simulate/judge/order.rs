//! `--sort`: without following, lines of all containers are in the order of their times.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{
    Problem,
    lines::output::{Name, Text, lines},
};
use crate::story::Story;

/// Lines of one record have no longer pause (`TOGETHER` in src/records/mod.rs).
const TOGETHER: SignedDuration = SignedDuration::from_millis(50);

/// The first line that stands behind a later one of another container. Lines of one container never change places, so
/// the time of one that steps back is the latest before it.
pub fn judge(story: &Story) -> Option<Problem> {
    let setting = &story.script.setting;
    if !setting.sort || setting.logs.follows() {
        return None;
    }
    let text = Text::new(&story.stdout);
    let mut places: BTreeMap<Name, (Timestamp, Timestamp)> = BTreeMap::new();
    let mut last = Timestamp::MIN;
    lines(&text).find_map(|(name, line)| {
        // A line without a time stands behind the one before it.
        let stamp = line.stamp?;
        let (place, before) = places.entry(name).or_insert((stamp, stamp));
        // So does one of a stack trace.
        let is_joined = line.text.starts_with(b"\tat") && stamp.duration_since(*before).abs() <= TOGETHER;
        if !is_joined {
            *place = stamp.max(*place);
        }
        *before = stamp;
        let is_late = *place < last;
        last = last.max(*place);
        is_late.then(|| {
            let text = format!("{place} behind {last}");
            Problem { kind: "not in the order of time", container: name.1.to_owned(), at: line.at, text }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        judge::testing::{at, story},
        script::Logs,
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
}
