//! Flags that choose logs are obeyed: `--with-previous`, and `--condition`.

use std::time::Duration;

use super::{super::Problem, align, book::Life, excuse::Case, told::told, wanted::Start};

/// A stream is left so soon once its pod is known not to meet the condition.
const LEFT: Duration = Duration::from_secs(1);

pub fn judge(case: &Case<'_, '_>, start: Start, problems: &mut Vec<Problem>) {
    for life in &case.book.lives {
        if let Some(at) = lacks_the_previous(case, life, start) {
            let text = "the log of the instance before was never requested".to_owned();
            problems.push(Problem { kind: "no previous log", container: case.book.title(), at, text });
        }
        if let Some((at, text)) = shown_unmet(case, life) {
            problems.push(Problem { kind: "unwanted", container: case.book.title(), at, text });
        }
    }
}

/// When the log of an instance was opened that was there at the start, though the one before was never asked for.
fn lacks_the_previous(case: &Case<'_, '_>, life: &Life<'_>, start: Start) -> Option<Duration> {
    let container = life.container;
    let before = container.instances.get(life.number.checked_sub(1)?)?;
    let is_first = container.meets.is_empty() && start.names(life);
    let is_kept = before.previous.is_some() && before.removed.is_none();
    if !case.asked.with_previous || !is_first || !is_kept || case.reads.iter().any(|read| read.previous) {
        return None;
    }
    case.reads.iter().find(|read| !read.check && read.may_be_of(life)).and_then(|read| read.opened())
}

/// A line that was written while its pod was known not to meet the condition, and shown before it met it again.
fn shown_unmet(case: &Case<'_, '_>, life: &Life<'_>) -> Option<(Duration, String)> {
    let meets = &life.container.meets;
    let ends = meets.iter().skip(1).map(|(at, _)| *at).chain([Duration::MAX]);
    meets.iter().zip(ends).filter(|((_, meets), _)| !meets).find_map(|((since, _), again)| {
        let is_new = *since <= life.container.created;
        let left = match is_new {
            true => Duration::ZERO,
            false => told(case.story, life.container, Some(*since)).saturating_add(LEFT),
        };
        life.lines().iter().zip(&life.shown).find_map(|(line, shown)| {
            let shown = &case.book.shown[(*shown)?];
            let is_unmet = line.at >= left && shown.at < again;
            is_unmet.then(|| {
                (shown.at, format!("its pod did not meet the condition: {}", align::describe(shown)))
            })
        })
    })
}
