//! Runs the whole program and a cluster full of faults in one process, on a clock of its own: one seed decides
//! everything.
//!
//! `cargo run --profile simulate --example simulate -- --seed N [--trace]` replays a seed and prints what happened
//! when; `--seeds A..B` and `--minutes M` run many, on all processors; `--twice` runs each twice and compares; `--open
//! FILE` names seeds that are known to fail, and then it is a failure if one of them passes; `--shrink` prints the
//! shortest script that fails as the seed does.
#![allow(clippy::expect_used, reason = "a simulation whose setup fails is no test of the program")]
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "the example reports on the terminal")]

mod judge;
mod meter;
mod options;
mod program;
mod script;
mod shrink;
mod story;
mod totals;
mod trace;
mod usage;
mod workers;
mod world;

#[cfg(test)]
mod tests;

use std::{
    io::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    time::Duration,
};

use judge::Problem;
use options::Options;
use script::Script;
use story::Story;

fn main() -> ExitCode {
    let args = std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    let options = match Options::parse(args) {
        Ok(options) => options,
        Err(error) => {
            complain(&error);
            return ExitCode::from(2);
        }
    };
    let failed = match options {
        Options::Help => !print(options::USAGE),
        Options::One { seed, traced, shrunk } => one(seed, traced, shrunk),
        Options::Many { work, workers, open } => workers::divide(&work, workers, &open),
        Options::Worker(work) => {
            workers::work(work);
            false
        }
    };
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Performs a script, once more with another output if it has one, and judges what came of it. A panic is a problem too,
/// and leaves no story.
fn run(script: &Script) -> (Vec<Story>, Vec<Problem>) {
    let run = AssertUnwindSafe(|| {
        let story = world::run(script);
        let mut problems = judge::judge(&story);
        let again = world::repeat(script, &story);
        if let Some((output, again)) = script.output.as_ref().zip(again.as_ref()) {
            problems.extend(judge::repeat::judge(output, &story, again));
        }
        ([story].into_iter().chain(again).collect(), problems)
    });
    catch_unwind(run).unwrap_or_else(|_| {
        let text = "standard error has its words".to_owned();
        let problem = Problem { kind: "a panic", container: String::new(), at: Duration::ZERO, text };
        (Vec::new(), vec![problem])
    })
}

/// Replays one seed; true if it fails.
fn one(seed: u64, traced: bool, shrunk: bool) -> bool {
    let mut script = script::decide(seed);
    let mut text = String::new();
    if shrunk {
        match run(&script).1.first() {
            Some(problem) => script = shrink::shrink(&script, problem),
            None => text += "nothing fails, so this is the whole script\n",
        }
    }
    text += &script.to_string();
    let (stories, problems) = run(&script);
    if let Some(story) = stories.first() {
        if traced {
            text += &format!("\n{}", trace::trace(story));
            for again in &stories[1..] {
                text += &format!("\nonce more:\n{}", trace::trace(again));
            }
        }
        text += &format!("\n{}", totals::Totals::of(story));
    }
    text.extend(problems.iter().map(|problem| format!("{problem}\n")));
    !print(&text) || !problems.is_empty()
}

/// Writes to standard error, which may be closed.
fn complain(error: &str) {
    #[expect(clippy::disallowed_methods, reason = "`eprintln!` panics if nothing reads its words")]
    let _ = writeln!(io::stderr(), "simulate: {error}");
}

/// Writes to standard output; false if that failed, which is reported unless the reader has seen enough.
fn print(text: &str) -> bool {
    #[expect(clippy::disallowed_methods, reason = "`print!` panics once the reader has seen enough")]
    let written = io::stdout().write_all(text.as_bytes());
    match written {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => true,
        Err(error) => {
            complain(&format!("cannot write to standard output: {error}"));
            false
        }
    }
}
