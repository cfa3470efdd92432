//! The log of a container over all its lives, and what was shown of it.

use std::{ops::RangeInclusive, time::Duration};

use jiff::Timestamp;

use super::{
    super::troubles::{Nature, troubles},
    asked,
    notices::{Notice, Said},
    output::{Name, Shown},
    told::{end_known, told},
};
use crate::story::{Container, Instance, Line, Story};

/// All that was written and shown under one name.
pub struct Book<'a> {
    pub name: Name<'a>,
    /// In order, also those of pods that were made again under the same name.
    pub lives: Vec<Life<'a>>,
    pub shown: Vec<Shown<'a>>,
    pub notices: Vec<Notice<'a>>,
    /// While lines are shown late, and notices at once: lines that are sorted wait for those of other logs, and all
    /// lines for an output that is read slowly.
    held: Vec<RangeInclusive<Duration>>,
}

pub struct Life<'a> {
    pub container: &'a Container,
    /// Its place among the lives of its container.
    pub number: usize,
    pub instance: &'a Instance,
    /// By when the program has been told of it, and of its end; never: [`Duration::MAX`].
    pub told: Duration,
    pub end_told: Duration,
    /// Of each line, its place among all that was shown.
    pub shown: Vec<Option<usize>>,
}

impl<'a> Life<'a> {
    pub fn lines(&self) -> &'a [Line] {
        &self.instance.lines
    }

    pub fn is_shown(&self) -> bool {
        self.shown.iter().any(Option::is_some)
    }

    /// The last line before this one that was shown, and the first one from it on.
    pub fn neighbours(&self, line: usize) -> (Option<usize>, Option<usize>) {
        let before = (0..line).rev().find(|line| self.shown[*line].is_some());
        let after = (line..self.shown.len()).find(|line| self.shown[*line].is_some());
        (before, after)
    }

    /// The latest stamp of the shown lines before this one. Of a line of which only the last piece was shown, that is
    /// the piece's.
    pub fn latest(&self, before: usize, shown: &[Shown<'_>]) -> Option<Timestamp> {
        let lines = self.lines()[..before].iter().zip(&self.shown);
        lines.filter_map(|(line, number)| shown[(*number)?].stamp.max(Some(line.stamp))).max()
    }

    /// Whether nothing told of this instance yet: for the program it is still the one before.
    pub fn is_untold(&self, at: Duration) -> bool {
        self.number > 0 && self.told > at
    }

    /// When the kubelet stopped serving its log, if it did.
    pub fn gone(&self) -> Option<Duration> {
        [self.instance.removed, self.container.deleted].into_iter().flatten().min()
    }
}

impl<'a> Book<'a> {
    pub fn new(
        name: Name<'a>,
        containers: &[&'a Container],
        story: &Story,
        shown: Vec<Shown<'a>>,
        notices: Vec<Notice<'a>>,
    ) -> Self {
        let lives = containers.iter().flat_map(|container| {
            container.instances.iter().enumerate().map(|(number, instance)| Life {
                container,
                number,
                instance,
                told: told(story, container, instance.known),
                end_told: told(story, container, end_known(story, container, instance)),
                shown: vec![None; instance.lines.len()],
            })
        });
        let slow = troubles(story).into_iter().filter(|trouble| trouble.what == Nature::Unread);
        let sorted = story.script.setting.sort.then_some(Duration::ZERO..=Duration::MAX);
        let held = slow.map(|trouble| trouble.from..=trouble.until).chain(sorted).collect();
        Book { name, lives: lives.collect(), shown, notices, held }
    }

    pub fn title(&self) -> String {
        let (namespace, pod, container) = self.name;
        format!("{namespace}/{pod}/{container}")
    }

    /// This life and those before it that were one instance for the program then: no status told of the later ones yet.
    pub fn as_one(&self, life: usize, at: Duration) -> &[Life<'a>] {
        let is_untold = |life: &usize| self.lives[*life].is_untold(at);
        let untold = (0..=life).rev().take_while(is_untold).count();
        &self.lives[life - untold..=life]
    }

    /// The bytes that were shown of these lives.
    pub fn bytes(&self, lives: &[Life<'a>]) -> u64 {
        let shown = lives.iter().flat_map(|life| life.shown.iter().flatten());
        shown.map(|shown| self.shown[*shown].text.len() as u64 + 1).sum()
    }

    /// The same with those that `--max-line` cut.
    pub fn bytes_uncut(&self, lives: &[Life<'a>]) -> u64 {
        let shown = lives.iter().flat_map(|life| life.shown.iter().flatten());
        shown.map(|shown| asked::length(self.shown[*shown].text) as u64 + 1).sum()
    }

    /// The same with all that `--limit-bytes` cut: an instance whose lines were shown too early has them whole in its
    /// own log.
    pub fn bytes_whole(lives: &[Life<'a>]) -> u64 {
        let lines = lives.iter().flat_map(|life| life.lines().iter().zip(&life.shown));
        lines.filter(|(_, shown)| shown.is_some()).map(|(line, _)| line.text.len() as u64 + 1).sum()
    }

    /// The bytes of lines of lives before this one that the last report of a restart until then gave to it: an instance
    /// that ended within a second, and whose log is not kept, may have written them or not.
    pub fn bytes_given(&self, life: usize, at: Duration) -> u64 {
        let mut reports = self.notices.iter().rev().filter(|notice| notice.at <= at);
        let since = reports.find_map(|notice| match notice.said {
            Said::Restarted { lines_since, .. } => Some(lines_since),
            _ => None,
        });
        let Some(since) = since.flatten() else { return 0 };
        let lines = self.lives[..life].iter().flat_map(|life| life.lines().iter().zip(&life.shown));
        let given = lines.filter(|(line, _)| line.stamp >= since).filter_map(|(_, shown)| *shown);
        given.map(|shown| asked::length(self.shown[shown].text) as u64 + 1).sum()
    }

    /// The bytes of lines of this life and those before it that were shown until then and since the last report of a
    /// restart, if another one follows: of one instance, as the program took it. A report of that instant may come
    /// before the lines or behind them.
    pub fn bytes_between_restarts(&self, life: usize, at: Duration) -> Vec<u64> {
        let restarts = self.notices.iter().filter(|notice| matches!(notice.said, Said::Restarted { .. }));
        let restarts: Vec<_> = restarts.map(|notice| notice.at).collect();
        let shown = self.lives[..=life].iter().flat_map(|life| life.shown.iter().flatten());
        let shown: Vec<_> = shown.map(|shown| &self.shown[*shown]).filter(|shown| shown.at <= at).collect();
        let between = |until: Duration| {
            let (before, behind): (Vec<_>, Vec<_>) =
                restarts.iter().copied().partition(|restart| *restart <= until);
            let since = before.into_iter().max();
            let shown = shown.iter().filter(|shown| Some(shown.at) > since);
            let bytes = shown.map(|shown| asked::length(shown.text) as u64 + 1).sum();
            (!behind.is_empty()).then_some(bytes)
        };
        [at, at.saturating_sub(Duration::from_nanos(1))].into_iter().filter_map(between).collect()
    }

    /// Whether a line that was shown then may have been read long before.
    pub fn is_held(&self, shown: Duration) -> bool {
        self.held.iter().any(|held| held.contains(&shown))
    }

    /// When a line was shown.
    pub fn shown_at(&self, life: usize, line: usize) -> Option<Duration> {
        self.lives[life].shown[line].map(|shown| self.shown[shown].at)
    }
}
