//! Lines: none missing without a report, none repeated, all in order, and no report without a reason.

mod align;
mod asked;
mod away;
pub mod book;
mod chosen;
mod doubts;
mod excuse;
mod gaps;
mod given_up;
mod missing;
pub mod notices;
pub mod output;
mod reads;
mod served;
#[cfg(test)]
mod tests;
pub mod told;
mod wanted;

use std::collections::BTreeMap;

use super::Problem;
use crate::story::{Container, Story};
use asked::Asked;
use book::Book;
use excuse::Case;
use output::{Name, Text};
use wanted::{Start, Want};

/// All that is wrong with the lines that were shown, and with what was said of those that were not.
#[cfg(test)]
pub fn judge(story: &Story) -> Vec<Problem> {
    judge_with(story, |_, _| ())
}

/// All that is wrong with the lines that were shown and with what was said of those that were not, and what else is
/// wrong with the book of each container.
pub fn judge_with(story: &Story, also: impl Fn(&Book<'_>, &mut Vec<Problem>)) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (stdout, stderr) = (Text::new(&story.stdout), Text::new(&story.stderr));
    let notices = notices::read(&stderr, &mut problems);
    let mut containers: BTreeMap<Name<'_>, Vec<&Container>> = BTreeMap::new();
    for container in &story.containers {
        containers
            .entry((&*container.namespace, &*container.place.pod, &*container.place.container))
            .or_default()
            .push(container);
    }
    let mut shown = output::read(&stdout, |name| containers.contains_key(&name), &mut problems);
    let (asked, start) = (Asked::of(&story.script.setting), Start::of(&story.requests));
    for (name, containers) in &containers {
        let said = notices.iter().filter(|notice| notice.name == *name).copied().collect();
        let mut book = Book::new(*name, containers, story, shown.remove(name).unwrap_or_default(), said);
        let reads = reads::of(&book, story);
        let whole = wanted::whole(&book, &asked, start, &reads);
        align::align(&mut book, &asked, whole, &reads, story, &mut problems);
        let wanted = wanted::wanted(&book, &asked, story, start, &reads);
        let case = Case { story, asked: &asked, book: &book, reads: &reads, wanted: &wanted };
        unwanted(&case, &mut problems);
        chosen::judge(&case, start, &mut problems);
        missing::judge(&case, &mut problems);
        gaps::judge(&case, &mut problems);
        also(&book, &mut problems);
    }
    problems
}

/// Lines that were shown and not asked for, and more bytes than were.
fn unwanted(case: &Case<'_, '_>, problems: &mut Vec<Problem>) {
    for (number, life) in case.book.lives.iter().enumerate() {
        let shown = || life.shown.iter().enumerate().filter_map(|(line, shown)| Some((line, (*shown)?)));
        let mut problem = |kind, at, text| {
            problems.push(Problem { kind, container: case.book.title(), at, text });
        };
        let first = shown().find(|(line, _)| case.wanted[number].of(life, *line) == Want::No);
        if let Some((_, shown)) = first {
            let line = &case.book.shown[shown];
            let text = format!("instance {}: {}", life.instance.restarts, align::describe(line));
            problem("unwanted", line.at, text);
        }
        let bytes = case.book.bytes(std::slice::from_ref(life));
        // The newline of the last line may be one too many.
        if let Some(limit) = case.asked.limit_bytes.filter(|limit| bytes > limit + 1) {
            problem("unwanted", case.story.ended, format!("{bytes} bytes were shown, and {limit} asked for"));
        }
    }
}
