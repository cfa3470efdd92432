//! Completes an unfinished command line from the flags, the kubeconfig and the cluster.
//!
//! The answer has the form of Go's cobra, which kubectl expects of its plugins. Completions that fail or take too long
//! are left out: a user who is typing wants neither errors nor delays.

mod choices;
mod live;

use std::fmt::Write;

use crate::{
    cli::{
        Unfinished, Word,
        flags::{self, Complete, Entry, GROUPS},
    },
    environment::Environment,
    shown::{LONGEST, is_hidden, one_line},
};
use live::Live;

/// The candidates for the last word, or for the part after its `=`.
#[derive(Debug, Default)]
struct Answer {
    candidates: Vec<Candidate>,
    /// The word goes on after a candidate.
    no_space: bool,
    /// It is the path of a file, which the shell completes.
    files: bool,
}

#[derive(Debug)]
struct Candidate {
    text: String,
    description: String,
}

impl Answer {
    fn of(texts: impl IntoIterator<Item = String>) -> Answer {
        let candidate = |text| Candidate { text, description: String::new() };
        Answer { candidates: texts.into_iter().map(candidate).collect(), ..Answer::default() }
    }

    /// The candidates, one a line, and cobra's `ShellCompDirective`: 2 is no space after it, 4 no files.
    fn to_text(&self) -> String {
        let mut text = String::new();
        // A name with a line break would be two candidates.
        let shown = self.candidates.iter().filter(|candidate| !candidate.text.contains(is_hidden));
        for Candidate { text: candidate, description } in shown {
            text.push_str(candidate);
            if !description.is_empty() {
                let _ = write!(text, "\t{}", one_line(description, LONGEST));
            }
            text.push('\n');
        }
        let directive = if self.no_space { 2 } else { 0 } + if self.files { 0 } else { 4 };
        let _ = writeln!(text, ":{directive}");
        text
    }
}

/// The answer may be empty.
pub async fn run(unfinished: Unfinished, env: &Environment) -> String {
    let answer = tokio::time::timeout_at(unfinished.due.into(), answer(unfinished, env)).await;
    answer.unwrap_or_default().to_text()
}

async fn answer(Unfinished { args, word, .. }: Unfinished, env: &Environment) -> Answer {
    let live = || args.and_then(|args| Live::new(args, env));
    match word {
        Word::Flag(typed) => flag(&typed),
        Word::Query(typed) => match typed.split_once('/') {
            None => Answer { no_space: true, ..Answer::of(choices::kinds(&typed)) },
            Some((kind, name)) => {
                let Some(live) = live() else { return Answer::default() };
                let names = live.of_kind(kind).await;
                Answer::of(beginning_with(name, names).map(|name| format!("{kind}/{name}")))
            }
        },
        Word::Value { flag, .. } if flag.completes == Complete::Files => {
            Answer { files: true, ..Answer::default() }
        }
        Word::Value { flag, glued, typed } => {
            let values = match choices::fixed(flag.completes, &typed) {
                Some(values) => values,
                None => {
                    let Some(live) = live() else { return Answer::default() };
                    live.values(flag.completes, &typed).await
                }
            };
            Answer::of(values.into_iter().map(|value| glued.clone() + &value))
        }
    }
}

/// The flags that begin so; hidden flags only where no other does.
fn flag(typed: &str) -> Answer {
    let described = |text: String, flag: &Entry| Candidate { text, description: flag.help.to_owned() };
    let Some(name) =
        typed.strip_prefix("--").or_else(|| typed.strip_prefix('-').filter(|name| name.is_empty()))
    else {
        // Shorthands are typed to their end; the shell adds a space.
        let flag = typed.chars().last().and_then(flags::short);
        let candidates = flag.map(|flag| described(typed.to_owned(), flag)).into_iter().collect();
        return Answer { candidates, ..Answer::default() };
    };
    let named = |hidden: bool| -> Vec<Candidate> {
        let groups = GROUPS.iter().filter(|group| group.hidden == hidden);
        let flags = groups.flat_map(|group| group.entries).filter(|flag| flag.name.starts_with(name));
        flags.map(|flag| described(format!("--{}", flag.name), flag)).collect()
    };
    let mut candidates = named(false);
    if candidates.is_empty() {
        candidates = named(true);
    }
    Answer { candidates, ..Answer::default() }
}

/// In order, and each once.
fn beginning_with(typed: &str, mut names: Vec<String>) -> impl Iterator<Item = String> {
    names.retain(|name| name.starts_with(typed));
    names.sort_unstable();
    names.dedup();
    names.into_iter()
}

/// Completions of the last item of a list with commas, with the items before it.
fn in_list(typed: &str, mut names: Vec<String>) -> Vec<String> {
    let (before, last) = typed.rfind(',').map_or(("", typed), |comma| typed.split_at(comma + 1));
    names.retain(|name| !before.split(',').any(|item| item == name));
    beginning_with(last, names).map(|name| format!("{before}{name}")).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli;

    /// The completions of the last of `words`, without a cluster.
    async fn complete(words: &[&str]) -> String {
        let argv =
            ["stern-rs", "__complete", "--kubeconfig", "/dev/null"].iter().chain(words).map(OsString::from);
        let Ok(cli::Command::Complete(unfinished)) = cli::parse(argv, &Environment::bare()) else {
            panic!("{words:?}")
        };
        run(*unfinished, &Environment::bare()).await
    }

    #[test]
    fn a_candidate_that_would_steer_the_shell_is_left_out() {
        let names = ["web", "a\nb", "a\tb", "a\x1b[2J", "a\u{202e}b", "a\u{9b}b", "유니코드"];
        assert_eq!(Answer::of(names.map(str::to_owned)).to_text(), "web\n유니코드\n:4\n");
        let described = Candidate { text: "a".to_owned(), description: "two\nlines\x1b[2J".to_owned() };
        let answer = Answer { candidates: vec![described], ..Answer::default() };
        assert_eq!(answer.to_text(), "a\ttwo lines [2J\n:4\n");
    }

    #[tokio::test]
    async fn flags_come_with_their_descriptions() {
        let said = complete(&["--name"]).await;
        assert_eq!(said, "--namespace\tSearch these namespaces, not the context's\n:4\n");
        assert!(complete(&["-"]).await.contains("\n--since\t"));
        assert!(complete(&["-tA"]).await.starts_with("-tA\t"));
    }

    #[tokio::test]
    async fn hidden_flags_come_where_no_other_begins_so() {
        assert!(!complete(&["--"]).await.contains("--insecure"));
        assert!(complete(&["--insec"]).await.starts_with("--insecure-skip-tls-verify\t"));
    }

    #[tokio::test]
    async fn fixed_choices_stand_alone_glued_or_after_an_equals() {
        assert_eq!(complete(&["-o", "j"]).await, "json\n:4\n");
        assert_eq!(complete(&["--output=j"]).await, "json\n:4\n");
        assert_eq!(complete(&["-oj"]).await, "-ojson\n:4\n");
        assert_eq!(complete(&["-t=s"]).await, "short\n:4\n");
        assert_eq!(complete(&["--no-follow="]).await, "true\nfalse\n:4\n");
    }

    #[tokio::test]
    async fn entries_of_a_list_are_not_offered_again() {
        assert_eq!(complete(&["--container-state", "running,r"]).await, ":4\n");
        assert_eq!(
            complete(&["--container-state", "running,"]).await,
            "running,all\nrunning,terminated\nrunning,waiting\n:4\n"
        );
    }

    #[tokio::test]
    async fn conditions_go_on_in_the_case_in_which_they_were_begun() {
        assert_eq!(complete(&["--condition", "rea"]).await, "ready\n:4\n");
        assert_eq!(
            complete(&["--condition", "Ready="]).await,
            "Ready=true\nReady=false\nReady=unknown\n:4\n"
        );
    }

    #[tokio::test]
    async fn kinds_end_with_a_slash_and_no_space() {
        assert_eq!(complete(&["dep"]).await, "deployment/\n:6\n");
        assert_eq!(complete(&["sts"]).await, "sts/\n:6\n");
    }

    #[tokio::test]
    async fn files_are_left_to_the_shell() {
        assert_eq!(complete(&["--kubeconfig", "x"]).await, ":0\n");
    }

    #[tokio::test]
    async fn zones_are_named() {
        assert_eq!(complete(&["--timezone", "Asia/Seo"]).await, "Asia/Seoul\n:4\n");
    }

    #[tokio::test]
    async fn without_a_cluster_there_is_nothing_and_no_error() {
        for words in [&["-n", ""][..], &["deploy/"], &["-c", "a"], &["--context", ""], &["-x", "--", ""]] {
            let said = complete(words).await;
            assert!(
                said == ":4\n" || words.last() == Some(&"") && said.ends_with(":6\n"),
                "{words:?}: {said}"
            );
        }
    }
}
