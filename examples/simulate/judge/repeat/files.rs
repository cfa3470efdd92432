//! The files of `--output-dir` hold what standard output shows of their container.

use std::{collections::BTreeMap, time::Duration};

use super::{
    super::{
        Problem,
        lines::{
            notices::{Notice, Said},
            output::{Name, Text},
        },
    },
    problem,
    read::name_of,
};
use crate::script::Form;

/// `notices`: of which the text has marks; None if it is not looked at.
pub fn judge(
    form: Form,
    text: &Text,
    files: &BTreeMap<String, Vec<u8>>,
    notices: Option<&[Notice]>,
) -> Vec<Problem> {
    let mut shown: BTreeMap<Name, Vec<&[u8]>> = BTreeMap::new();
    for (_, line) in text.lines() {
        if let Some(name) = name_of(form, line) {
            shown.entry(name).or_default().push(line);
        }
    }
    let mut files: BTreeMap<&str, &[u8]> = files.iter().map(|(path, bytes)| (&**path, &**bytes)).collect();
    let mut problems = Vec::new();
    for (name, lines) in shown {
        let (namespace, pod, container) = name;
        let title = format!("{namespace}/{pod}/{container}");
        let mut report = |kind, text| problems.push(problem(kind, title.clone(), Duration::ZERO, text));
        let Some(file) = files.remove(&*format!("{title}.log")) else {
            report("no file", format!("{} lines were shown", lines.len()));
            continue;
        };
        let is_mark = |line: &&[u8]| form == Form::Text && line.starts_with("── ".as_bytes());
        let (marks, written): (Vec<_>, Vec<_>) = file
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\n").unwrap_or(line))
            .partition(is_mark);
        if written != lines {
            let at = written.iter().zip(&lines).take_while(|(one, other)| one == other).count();
            let line = |lines: &[&[u8]]| lines.get(at).map(|line| String::from_utf8_lossy(line).into_owned());
            report(
                "another file",
                format!("line {at} is {:?}, and {:?} was shown", line(&written), line(&lines)),
            );
        }
        let gaps = notices.map(|notices| {
            let of_it = notices.iter().filter(|notice| notice.name == name);
            of_it.filter(|notice| matches!(notice.said, Said::Between(..))).count()
        });
        let marked =
            marks.iter().filter(|mark| String::from_utf8_lossy(mark).contains("missing between")).count();
        if gaps.is_some_and(|gaps| gaps != marked) {
            report("gaps are not marked", format!("{marked} in the file, {gaps:?} on standard error"));
        }
    }
    problems
}
