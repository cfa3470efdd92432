//! Logs: containers write to them, and they are rotated. The double and the model change together.

use std::time::Duration;

use apiserver::Log;
use jiff::Timestamp;

use super::{Step, World};
use crate::{
    script::{Followers, Lines, PIECE, Place, Stamps, Texts},
    story::{Container, File, Instance, Line},
};

/// In this time followers read the rest of a file, unless they cannot.
const READ: Duration = Duration::from_millis(20);

/// The shortest time between two looks of a kubelet for logs to rotate (`containerLogMonitorInterval`).
const PERIOD: Duration = Duration::from_secs(3);

/// After this time the rest of a line follows: a runtime has it before it writes the first piece, unless the container
/// ends.
pub const REST: Duration = Duration::from_millis(7);

impl World<'_> {
    pub fn write(&mut self, place: &Place, lines: &Lines) -> bool {
        if !self.is_running(place) {
            return false;
        }
        let now = self.node_now(place);
        let Some(age) = self.age(place, now) else { return false };
        self.finish(place);
        let log = self.server.log(&self.path(place));
        let number = self.current(place).lines.len();
        let instance = self.container(place).instances.len();
        let texts = lines.texts(instance * 1_000_000 + number);
        match lines.texts {
            Texts::Long(_) => {
                for mut text in texts {
                    text.push(b'\n');
                    // The newline is written with the last piece.
                    let pieces = text.len().saturating_sub(2) / PIECE;
                    let (whole, last) = text.split_at(pieces * PIECE);
                    whole.chunks(PIECE).for_each(|piece| {
                        log.push_raw(piece);
                    });
                    log.push_raw(last);
                    text.pop();
                    self.record(place, now, text);
                }
            }
            Texts::Unfinished => {
                let mut texts = texts;
                let last = texts.pop().unwrap_or_default();
                log.lines_at(now, 0, &texts);
                texts.into_iter().for_each(|text| self.record(place, now, text));
                log.push_raw(&last);
                self.unfinished.insert(place.clone(), (now, last));
                self.plan_in(REST, Step::Finish(place.clone()));
            }
            _ => {
                let (start, step) = stamps(lines.stamps, lines.count, now, age);
                log.lines_at(start, step.into(), &texts);
                for (n, text) in texts.into_iter().enumerate() {
                    let stamp = start + Duration::from_nanos(u64::from(step) * n as u64);
                    self.record(place, stamp, text);
                }
            }
        }
        true
    }

    /// The rest of a line that has no newline yet.
    pub fn finish(&mut self, place: &Place) {
        if let Some((stamp, mut text)) = self.unfinished.remove(place) {
            self.server.log(&self.path(place)).push_raw(" and more\n");
            text.extend_from_slice(b" and more");
            self.record(place, stamp, text);
        }
    }

    /// The time by the clock of its node.
    fn node_now(&self, place: &Place) -> Timestamp {
        self.server.node_now(&self.containers[place].node)
    }

    /// How long its instance has run since the last line before it; None if that is stamped now or later: an instance
    /// starts behind the last line of the one before.
    fn age(&mut self, place: &Place, now: Timestamp) -> Option<Duration> {
        let age = self.now() - self.current(place).started;
        since_earlier(&self.container(place).instances, now).map(|since| age.min(since))
    }

    /// Lines without a newline at the end of the simulation.
    pub fn give_up(&mut self) {
        for (place, (stamp, text)) in std::mem::take(&mut self.unfinished) {
            self.record(&place, stamp, text);
            if let Some(line) = self.current(&place).lines.last_mut() {
                line.at = Duration::MAX;
            }
        }
    }

    pub fn record(&mut self, place: &Place, stamp: Timestamp, text: Vec<u8>) {
        let at = self.now();
        let instance = self.current(place);
        let file = instance.files.len() - 1;
        instance.lines.push(Line { at, stamp, text, file });
    }

    pub fn rotate(&mut self, place: &Place, followers: Followers) -> bool {
        if !self.may_be_rotated(place) {
            return false;
        }
        let log = self.server.log(&self.path(place));
        match followers {
            Followers::GoOn => {
                log.rotate();
            }
            Followers::AsKubelet => {
                log.rename().reopen();
            }
            Followers::Skip => {
                let (now, number) = (self.node_now(place), self.current(place).lines.len());
                let late: Vec<Vec<u8>> =
                    (0..3).map(|n| format!("late {}", number + n).into_bytes()).collect();
                log.rotate_losing(&late);
                for (n, text) in late.into_iter().enumerate() {
                    self.record(place, now + Duration::from_nanos(n as u64), text);
                }
            }
            Followers::FallSilent => {
                log.rotate();
                self.plan_in(READ, Step::Silence(place.clone(), log));
            }
        }
        self.open_file(place, followers);
        true
    }

    /// A runtime ends a line in the file in which it began it, and a kubelet leaves seconds between two rotations: a
    /// follower that is not blocked has gone on by then. For one that falls silent the next rotation takes lines away,
    /// so it comes no sooner than a kubelet makes it.
    fn may_be_rotated(&mut self, place: &Place) -> bool {
        let now = self.now();
        self.is_running(place)
            && !self.unfinished.contains_key(place)
            && !self.renamed.contains(place)
            && !is_just_rotated(&self.current(place).files, now)
    }

    /// The model of a new file.
    fn open_file(&mut self, place: &Place, followers: Followers) {
        // Without a fault all have been at the end of a file.
        if followers == Followers::AsKubelet && !self.script.calm().is_zero() {
            self.silenced(place);
        }
        let now = self.now();
        let files = &mut self.current(place).files;
        if let Some(file) = files.last_mut() {
            (file.rotated, file.followers) = (Some(now), followers);
        }
        files.push(File { opened: now, rotated: None, followers: Followers::GoOn });
    }

    pub fn rename(&mut self, place: &Place, lasting: Duration) -> bool {
        if !self.may_be_rotated(place) {
            return false;
        }
        let log = self.server.log(&self.path(place));
        log.rename();
        self.renamed.insert(place.clone());
        self.plan_in(lasting, Step::Reopen(place.clone(), log));
        true
    }

    pub fn reopen(&mut self, place: &Place, log: &Log) {
        if self.renamed.remove(place) {
            log.reopen();
            self.open_file(place, Followers::AsKubelet);
        }
    }

    pub fn fall_silent(&mut self, place: &Place) -> bool {
        if !self.is_running(place) {
            return false;
        }
        self.server.log(&self.path(place)).silence_followers();
        self.silenced(place);
        true
    }

    /// The followers of a log that was rotated have read the file before.
    pub fn silence(&mut self, place: &Place, log: &Log) {
        log.silence_followers();
        if self.is_running(place) {
            self.silenced(place);
        }
    }

    pub fn silenced(&mut self, place: &Place) {
        let now = self.now();
        self.current(place).silenced.push(now);
    }

    /// The way to a node is lost.
    pub fn silence_node(&mut self, node: &str) {
        let of_node = |container: &&Container| container.node == node && container.deleted.is_none();
        let places =
            self.containers.values().filter(of_node).filter(|container| !container.instances.is_empty());
        let places: Vec<Place> = places.map(|container| container.place.clone()).collect();
        places.iter().for_each(|place| self.silenced(place));
    }
}

/// The stamp of the first of so many lines that are written now, and the nanoseconds between two. None is much ahead of
/// the clock, or in a second that has not begun: the next instance starts behind the last line, and its status has
/// whole seconds.
fn stamps(stamps: Stamps, count: u32, now: Timestamp, age: Duration) -> (Timestamp, u32) {
    match stamps {
        Stamps::Equal => (now, 0),
        Stamps::Back(back) => (now - Duration::from_nanos(back.into()).min(age), 0),
        Stamps::Steps(step) => {
            let step = step.min(900_000 / count.max(1));
            let span = Duration::from_nanos(u64::from(step) * u64::from(count.saturating_sub(1)));
            match (now + span).as_second() == now.as_second() {
                true => (now, step),
                false if span <= age => (now - span, step),
                false => (now, 0),
            }
        }
    }
}

/// The time since the last line of instances before the current one: the longest if there is none, and None if that is
/// not over.
fn since_earlier(instances: &[Instance], now: Timestamp) -> Option<Duration> {
    let (_, earlier) = instances.split_last()?;
    let last = earlier.iter().rev().find_map(|instance| instance.lines.iter().map(|line| line.stamp).max());
    let Some(last) = last else { return Some(Duration::MAX) };
    Duration::try_from(now.duration_since(last)).ok()?.checked_sub(Duration::from_nanos(1))
}

fn is_just_rotated(files: &[File], now: Duration) -> bool {
    files.iter().any(|file| {
        let pause = if file.followers == Followers::FallSilent { PERIOD } else { READ };
        file.rotated.is_some_and(|rotated| now < rotated + pause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_rotated_again_once_its_followers_can_have_read_the_file_before() {
        let file = |rotated| File { opened: Duration::ZERO, rotated, followers: Followers::AsKubelet };
        let at = Duration::from_secs(7);
        let files = [file(Some(at)), file(None)];
        assert!(is_just_rotated(&files, at) && !is_just_rotated(&files, at + READ));
        assert!(!is_just_rotated(&files[1..], Duration::ZERO));
        let silent = [File { followers: Followers::FallSilent, ..file(Some(at)) }];
        assert!(is_just_rotated(&silent, at + READ) && !is_just_rotated(&silent, at + PERIOD));
    }

    /// Lines that are written at once are stamped up to a millisecond ahead of the clock.
    #[test]
    fn an_instance_writes_behind_the_last_line_of_the_one_before() {
        let now = Timestamp::from_second(7).unwrap();
        let ahead = |nanos: u64| {
            let (at, stamp) = (Duration::ZERO, now + Duration::from_nanos(nanos));
            let mut before = Instance::new(0, Duration::ZERO);
            before.lines.push(Line { at, stamp, text: Vec::new(), file: 0 });
            [before, Instance::new(1, Duration::ZERO), Instance::new(2, Duration::ZERO)]
        };
        let since = |now| since_earlier(&ahead(5), now);
        assert_eq!(since(now), None);
        assert_eq!(since(now + Duration::from_nanos(5)), None);
        assert_eq!(since(now + Duration::from_nanos(9)), Some(Duration::from_nanos(3)));
        assert_eq!(since_earlier(&ahead(5)[..1], now), Some(Duration::MAX));
    }

    #[test]
    fn no_line_is_stamped_in_a_second_that_has_not_begun() {
        let second = Timestamp::from_second(7).unwrap();
        let (before, age) = (second - Duration::from_nanos(5), Duration::from_secs(1));
        assert_eq!(stamps(Stamps::Steps(2), 3, before, age), (before, 2));
        assert_eq!(stamps(Stamps::Steps(2), 4, before, age), (before - Duration::from_nanos(6), 2));
        assert_eq!(stamps(Stamps::Steps(2), 4, before, Duration::from_nanos(5)), (before, 0));
        assert_eq!(
            stamps(Stamps::Back(9), 1, second, Duration::from_nanos(4)),
            (second - Duration::from_nanos(4), 0)
        );
    }
}
