//! Each line that was shown came in time: soon after it was written while nothing fails, and soon after the last fault.
//!
//! | what | bound |
//! |---|---|
//! | nothing fails around a line | [`SOON`] after it was written |
//! | a fault | [`AFTER_FAULT`] after its end, if it ended less than that before the line or began before the line had to be there |
//! | no stream is open that brings the line: requests wait for `--qps` | the time in which each of those that can wait has its turn ([`checks::wait`]) |
//! | logs are not followed | the requests for all of them at the rate of `--qps`, and those for one log one after the other |
//! | a container that is polled | its pause, which grows with its silence to a minute, and a turn of all others |
//! | a stream that fell silent without a word | the time until it is looked at: `--idle-check`, later the time for which the log was quiet |
//! | `--sort` | the window, and ten seconds for a container that hangs; all of its faults if logs are not followed |
//! | `--latency` | itself |
//! | `--with-previous` | the round trips of the requests for the log of an instance that has ended |
//! | `--max-bandwidth` | the time in which all that was written until then is read at that rate |

use std::time::Duration;

use super::{
    Problem,
    limits::{LogRequest, View, checks, open, rate},
    lines::book::Book,
    troubles::{AWAITED, Scope, Trouble, falls_silent},
};
use crate::{
    script::{Logs, Setting},
    story::{Container, Instance, Line, Story},
};

/// In which a line is shown while nothing fails.
const SOON: Duration = Duration::from_secs(5);

/// In which it is shown after a fault, whatever that was.
pub const AFTER_FAULT: Duration = Duration::from_secs(60);

/// The pause between two polls of a container (src/schedule/turns.rs).
const SOONEST: Duration = Duration::from_secs(1);
const LATEST: Duration = Duration::from_secs(60);

/// How long `--sort` waits for a container that makes no progress (`STALLED` in src/order/by_time/phase.rs).
const STALLED: Duration = Duration::from_secs(10);

/// Bytes beside a line: its stamp, its chunk and its share of heads; and lines are read again to find a place.
const BESIDE: usize = 100;
const AGAIN: f64 = 3.0;

/// The most bytes of a line that a runtime writes as one piece.
const PIECE: usize = 16 << 10;

/// The requests of a poll until it has asked for enough lines: four times as many each time, and at last for all.
const MORE_LINES: f64 = 6.0;

/// The same of one whose place was rotated away, with the questions whose log it is.
const WHOLE_LOG: f64 = MORE_LINES + 3.0;

/// A line of a container.
#[derive(Clone, Copy)]
struct Written<'a> {
    container: &'a Container,
    instance: &'a Instance,
    line: &'a Line,
    shown: Duration,
    /// When the last line was written that had been shown before this one was written.
    quiet_since: Duration,
    /// Whether a line of its instance was shown before.
    follows_another: bool,
}

/// Reports the first line of a container that was late.
pub fn judge(view: &View, book: &Book, problems: &mut Vec<Problem>) {
    let mut lines: Vec<_> = book
        .lives
        .iter()
        .enumerate()
        .flat_map(|(number, life)| {
            let lines = life.lines().iter().enumerate();
            let first = life.shown.iter().flatten().map(|shown| book.shown[*shown].at).min();
            lines.filter_map(move |(n, line)| Some((life, line, book.shown_at(number, n)?, first?)))
        })
        .collect();
    lines.sort_by_key(|(_, line, _, _)| line.at);
    let mut shown: Vec<_> = lines.iter().map(|(_, line, shown, _)| (*shown, line.at)).collect();
    shown.sort_unstable();
    let (mut shown, mut quiet_since) = (shown.into_iter().peekable(), Duration::ZERO);
    let late = lines.into_iter().find_map(|(life, line, at, first)| {
        while let Some((_, written)) = shown.next_if(|(shown, _)| *shown <= line.at) {
            quiet_since = quiet_since.max(written);
        }
        // No bound is shorter, and the others take long to find out.
        if at <= line.at.saturating_add(SOON) {
            return None;
        }
        let (container, instance) = (life.container, life.instance);
        let follows_another = first <= line.at;
        let written = Written { container, instance, line, shown: at, quiet_since, follows_another };
        let due = due(view, &written);
        (at > due).then_some((written, due))
    });
    problems.extend(late.map(|(Written { line, shown, .. }, due)| {
        let text = format!(
            "the line {:?} was written at {:.3} s, it was due at {:.3} s",
            String::from_utf8_lossy(&line.text[..line.text.len().min(40)]),
            line.at.as_secs_f64(),
            due.as_secs_f64()
        );
        Problem { kind: "late", container: book.title(), at: shown, text }
    }));
}

/// When a line has to be there at last.
fn due(view: &View, came: &Written) -> Duration {
    let setting = view.setting;
    if came.line.at == Duration::MAX || is_not_asked_for(view, came) || is_out_of_sight(view, came) {
        return Duration::MAX;
    }
    // A container can be read once the apiserver knows of it, and a line without a newline once that has come.
    let known = came.instance.known.unwrap_or(came.instance.started);
    let written = meets_again(came.container, came.line.at).max(setting.start).max(known);
    let request = if is_streamed(view, came) { Duration::ZERO } else { checks::wait(view) };
    let mut bound = SOON + request + turn(view, came) + silence(view, came);
    bound += latency(setting);
    if setting.logs == Logs::FollowWithPrevious {
        bound += view.round_trip() * (ONCE + IN_DOUBT);
    }
    if setting.sort {
        bound += STALLED;
    }
    if !setting.logs.follows() {
        bound += all_logs(view);
    }
    if setting.max_bandwidth.is_some() {
        // Also those that are written while it has to wait for its turn, or for the end of a fault.
        let by = due_behind_faults(view, came, written, bound);
        bound += bandwidth(view, |line| line.at <= by);
    }
    due_behind_faults(view, came, written, bound)
}

/// When a line that was written then has to be there, with the faults that concern its log.
fn due_behind_faults(view: &View, came: &Written, written: Duration, bound: Duration) -> Duration {
    let setting = view.setting;
    let written = written.max(last_heard_of(view, bound));
    // Where logs wait for a place, those of other containers that are slow or fail keep the places; and the order of
    // all lines is known once every log was read, or given up.
    let reads_once = !setting.logs.follows() || view.is_past();
    let waits = open::log_requests(view) < view.story.containers.len() || setting.sort && reads_once;
    let Container { node, place, .. } = came.container;
    let concerns = |trouble: &Trouble| waits || trouble.disturbs(node, &place.pod);
    let due = after(view.troubles.iter().filter(|trouble| concerns(trouble)), written, bound);
    let awaited = unanswered(view, came.container, due);
    awaited.map_or(due, |until| due.max(until.saturating_add(AFTER_FAULT + bound)))
}

/// Until when a poll of its log was awaited that its node never answers: longer than the node is lost. The next one
/// comes after a pause, as behind an answer.
fn unanswered(view: &View, container: &Container, due: Duration) -> Option<Duration> {
    let is_lost = |at: Duration| {
        let mut of_node = view
            .troubles
            .iter()
            .filter(|trouble| matches!(&trouble.scope, Scope::Node(node) if *node == container.node));
        of_node.any(|trouble| (trouble.from..=trouble.until).contains(&at))
    };
    let polls = view
        .logs
        .iter()
        .filter(|log| may_be_poll(view, log) && log.container.is_some_and(|of| of.place == container.place));
    let unanswered = polls.map(|log| log.request).filter(|request| request.answered.is_none());
    let lost = unanswered.filter(|request| request.at <= due && is_lost(request.at));
    lost.filter_map(|request| Some(request.ended?.0.min(request.at + AWAITED))).max()
}

/// When something was heard last of the containers that `--sort` waits for, since they were there at the start and
/// could not be read: one that stops meeting `--condition` is waited for no longer, and the others for as long again.
fn last_heard_of(view: &View, bound: Duration) -> Duration {
    let start = view.setting.start;
    if !view.setting.sort || !view.setting.logs.follows() {
        return Duration::ZERO;
    }
    let left = view.story.containers.iter().filter_map(|container| {
        let (left, _) = container.meets.iter().find(|(at, meets)| !meets && *at > start)?;
        let is_read = view.logs.iter().any(|log| {
            log.container.is_some_and(|of| of.place == container.place)
                && matches!(log.request.answered, Some((at, 200)) if at <= *left)
        });
        (container.created <= start && !is_read).then_some(*left)
    });
    let mut left: Vec<_> = left.collect();
    left.sort_unstable();
    left.into_iter().fold(start, |last, left| if left <= last.saturating_add(bound) { left } else { last })
}

/// Whether a stream of its instance was open that brings it, and no request has to be made: before the first line is
/// shown of a stream that was opened late, the program asks whose log that is.
fn is_streamed(view: &View, came: &Written) -> bool {
    let opened = came.instance.started..=came.line.at;
    came.follows_another
        && view.logs.iter().filter(|log| log.follows).any(|log| {
            let is_of_it = log.container.is_some_and(|of| of.place == came.container.place);
            let is_open =
                log.request.ended.is_none_or(|(ended, _)| ended > came.line.at.saturating_add(SOON));
            is_of_it && is_open && matches!(log.request.answered, Some((at, 200)) if opened.contains(&at))
        })
}

/// Whether it is an old line that `--tail` or `--since` leaves out. It may be shown, since a log is asked for again in
/// whole seconds, and none of the lines of an instant that are alike is known as the last one.
fn is_not_asked_for(view: &View, came: &Written) -> bool {
    let is_of_it = |log: &&LogRequest| log.container.is_some_and(|of| of.place == came.container.place);
    let opened = view.logs.iter().find(is_of_it).map(|log| log.request);
    opened.is_some_and(|opened| {
        let number = |name| opened.query(name).and_then(|number| number.parse::<u64>().ok());
        let lines = &came.instance.lines;
        let written = lines.partition_point(|line| line.at <= opened.at);
        let is_before_tail = number("tailLines").is_some_and(|tail| {
            // Of equal lines, the one that is left out may be shown in place of this one.
            let is_equal = |line: &Line| line.stamp == came.line.stamp && line.text == came.line.text;
            lines[..written.saturating_sub(tail as usize)].iter().any(is_equal)
        });
        let is_older = number("sinceSeconds")
            .is_some_and(|since| came.line.at.saturating_add(Duration::from_secs(since)) <= opened.at);
        is_before_tail || is_older
    })
}

/// Whether its stream fell silent, and `--idle-check=0` lets none be looked at: it comes with the end of its instance.
fn is_out_of_sight(view: &View, came: &Written) -> bool {
    let silenced = || falls_silent(view.story, came.container);
    checks::idle(view).is_none() && silenced().any(|at| (came.instance.started..=came.line.at).contains(&at))
}

/// The requests for a log that is read once: a list, a read, and a look at its end; and as many to find out whose log
/// it is, which the second of a restart leaves open: the end of the other one, a question, and the read again.
const ONCE: u32 = 3;
const IN_DOUBT: u32 = 3;

/// The time in which all logs are read once. Each request waits for the limiter, and for one of the places for logs;
/// and those for one log are made one after the other, however many places there are.
fn all_logs(view: &View) -> Duration {
    let lives = if view.setting.logs == Logs::OnceWithPrevious { 2 } else { 1 };
    let requests = view.story.containers.len() as f64 * f64::from(lives * ONCE);
    let answer = view.lag() + latency(view.setting);
    let request = (1.0 / rate::qps(view.setting)).max(answer.as_secs_f64() / open::log_requests(view) as f64);
    Duration::from_secs_f64(requests * request) + view.round_trip() * lives * (ONCE + IN_DOUBT)
}

/// How long an answer to a log request may rest before it is read.
pub fn latency(setting: &Setting) -> Duration {
    Duration::from_millis(u64::from(setting.latency.unwrap_or_default()))
}

/// When the pod met `--condition`, at this instant or later.
fn meets_again(container: &Container, at: Duration) -> Duration {
    let meets = &container.meets;
    let now = meets.iter().rev().find(|(since, _)| *since <= at).is_none_or(|(_, meets)| *meets);
    let again = meets.iter().find(|(since, meets)| *meets && *since > at).map(|(since, _)| *since);
    if now { at } else { again.unwrap_or(at) }
}

/// So long after an instant, or after the last of the faults that keep something from being there by then.
pub fn after<'t>(troubles: impl Iterator<Item = &'t Trouble>, at: Duration, bound: Duration) -> Duration {
    let (mut due, patience) = (at.saturating_add(bound), AFTER_FAULT + bound);
    // In the order of their beginnings.
    for trouble in troubles {
        if trouble.from <= due && trouble.until.saturating_add(patience) > at {
            due = due.max(trouble.until.saturating_add(patience));
        }
    }
    due
}

/// When the end of a run has to be there.
pub struct Bounds<'a>(View<'a>);

impl Bounds<'_> {
    pub fn new(story: &Story) -> Bounds<'_> {
        Bounds(View::new(story))
    }

    /// After an event that decides the end.
    pub fn after(&self, at: Duration) -> Duration {
        let bound = SOON + checks::wait(&self.0) + bandwidth(&self.0, |_| true);
        after(self.0.troubles.iter(), at.max(self.0.setting.start), bound)
    }

    /// Of a run that reads all logs once.
    pub fn of_run(&self) -> Duration {
        self.of_run_until(self.0.setting.start)
    }

    /// Of a run that reads all logs to their ends from then on.
    pub fn of_run_until(&self, at: Duration) -> Duration {
        self.after(at).saturating_add(all_logs(&self.0))
    }
}

/// The time until a container that is polled has its turn, or one that is followed in the only place, which it lends,
/// has it back.
fn turn(view: &View, came: &Written) -> Duration {
    if !view.setting.logs.follows() {
        return Duration::ZERO;
    }
    let most = open::log_requests(view);
    // Each request waits for the limiter, and for one of the places for polls. Its answer rests with the connection.
    let answer = (view.lag() + latency(view.setting)).as_secs_f64();
    let request = (1.0 / (rate::qps(view.setting) * 0.5)).max(answer / (most / 10).max(1) as f64);
    let since = came.line.at.saturating_sub(LATEST);
    let of_it = |container: &Container| container.place == came.container.place;
    let polled = view.logs.iter().any(|log| {
        (since..=came.shown).contains(&log.request.at)
            && may_be_poll(view, log)
            && log.container.is_some_and(of_it)
    });
    let rotated = rotated(view, since, came.shown) as f64;
    let mut asked = view.logs.iter().filter(|log| log.container.is_some_and(of_it)).map(|log| log.request.at);
    // It waits for its first turn, for which there is no pause.
    let waits = most < view.story.containers.len() && asked.next().is_some_and(|at| at > came.line.at);
    if !polled && !waits {
        let lent = if rotated > 0.0 { WHOLE_LOG } else { MORE_LINES };
        return Duration::from_secs_f64(if most == 1 { lent * request } else { 0.0 });
    }
    let quiet = came.line.at.saturating_sub(came.quiet_since);
    // Pauses double, so the last one is as long as the silence before it.
    let pause = if polled { (quiet * 2).clamp(SOONEST, LATEST) } else { Duration::ZERO };
    // A turn takes two requests of each container, and some more of those that wrote much.
    let requests = view.story.containers.len() as f64 * 2.0 + MORE_LINES + rotated * WHOLE_LOG;
    // The only place is followed in for half of the time.
    pause + Duration::from_secs_f64(requests * request * if most == 1 { 2.0 } else { 1.0 })
}

/// The number of containers whose log was rotated in this time.
fn rotated(view: &View, from: Duration, until: Duration) -> usize {
    let is_rotated = |container: &&Container| {
        let mut files = container.instances.iter().flat_map(|instance| &instance.files);
        files.any(|file| file.rotated.is_some_and(|at| (from..=until).contains(&at)))
    };
    view.story.containers.iter().filter(is_rotated).count()
}

/// Whether a request of a run that follows may be one that reads a log in turn: not one that looks at the last line.
fn may_be_poll(view: &View, log: &LogRequest) -> bool {
    let query = |name| log.request.query(name);
    let bounded = query("sinceSeconds").is_some() || query("sinceTime").is_some();
    // Of a log without lines the polls look like that with `--tail=1`.
    let looks = query("tailLines") == Some("1") && !bounded && view.setting.tail != Some(1);
    !log.follows && query("previous").is_none() && !looks
}

/// The time until a stream is looked at that fell silent.
fn silence(view: &View, came: &Written) -> Duration {
    let fallen = falls_silent(view.story, came.container).filter(|at| *at <= came.line.at).max();
    let Some((fallen, idle)) = fallen.zip(checks::idle(view)) else { return Duration::ZERO };
    let instances = came.container.instances.iter();
    let lines = instances.flat_map(|instance| &instance.lines).map(|line| line.at);
    let heard = lines.filter(|at| *at < fallen).max().unwrap_or_default();
    let quiet = came.line.at.saturating_sub(heard);
    // Looks come after `idle`, then after that again, then after a minute, and after twice as long each time.
    let until_looked = if quiet <= idle * 2 { idle } else { idle.max(quiet + Duration::from_secs(60)) };
    // The last piece of a line tells nothing of those before it, so such a line is found by the next look.
    let pieces = came.instance.lines.iter().any(|line| line.text.len() >= PIECE);
    let again = if pieces { idle.max(quiet + Duration::from_secs(60)) } else { Duration::ZERO };
    until_looked + again + checks::wait(view)
}

/// The time in which lines that are written before are read at the allowed rate.
fn bandwidth(view: &View, before: impl Fn(&Line) -> bool) -> Duration {
    let Some(rate) = view.setting.max_bandwidth.map(f64::from) else { return Duration::ZERO };
    let instances = view.story.containers.iter().flat_map(|container| &container.instances);
    let lines = instances.flat_map(|instance| &instance.lines).filter(|line| before(line));
    let bytes: usize = lines.map(|line| line.text.len() + BESIDE).sum();
    Duration::from_secs_f64(bytes as f64 * AGAIN / rate)
}

#[cfg(test)]
mod tests;
