//! Follows containers that write while everything around them breaks, and checks every line.
//!
//! `cargo run --release --example soak -- [--seed N] [--minutes M]` runs rounds until the time is over, at least one.
//! Each round has a seed of its own, which determines its events. The seed of a failed round is printed, and
//! `--seed N --minutes 0` repeats that round.
#![allow(clippy::expect_used, reason = "a round whose setup fails is no test of the program")]
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "the example reports on the terminal")]

mod containers;
mod faults;
mod judge;
mod program;
mod round;

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    process::ExitCode,
    time::{Duration, Instant},
};

use judge::Verdict;

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    if args.first().is_some_and(|arg| arg == program::AS_PROGRAM) {
        return stern_rs::run(args, stern_rs::Io::process()).into();
    }
    match options(&args) {
        Some((seed, length)) => soak(seed, length),
        None => {
            eprintln!("usage: soak [--seed N] [--minutes M]");
            ExitCode::from(2)
        }
    }
}

/// The seed of the first round, and the time for all rounds.
fn options(args: &[OsString]) -> Option<(u64, Duration)> {
    let (mut seed, mut minutes) = (fastrand::u64(..1_000_000_000), 1.0);
    for pair in args.chunks(2) {
        let [name, value] = pair else { return None };
        let value = value.to_str()?;
        match name.to_str()? {
            "--seed" => seed = value.parse().ok()?,
            "--minutes" => minutes = value.parse().ok()?,
            _ => return None,
        }
    }
    Some((seed, Duration::try_from_secs_f64(minutes * 60.0).ok()?))
}

fn soak(first: u64, length: Duration) -> ExitCode {
    let start = Instant::now();
    let (mut total, mut faults, mut failed) = (Verdict::default(), BTreeMap::new(), Vec::new());
    let mut rounds = 0;
    for seed in first.. {
        let (verdict, happened) = round::run(seed);
        println!("seed {seed}: {verdict}");
        if !verdict.problems.is_empty() {
            failed.push(seed);
        }
        total.add(verdict);
        for (fault, count) in happened {
            *faults.entry(fault).or_insert(0) += count;
        }
        rounds += 1;
        if start.elapsed() >= length {
            break;
        }
    }
    println!("\n{rounds} rounds in {:.1} minutes", start.elapsed().as_secs_f64() / 60.0);
    println!("{} faults: {faults:?}", faults.values().sum::<u32>());
    println!("{total}");
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("FAILED with these seeds: {failed:?}");
    ExitCode::FAILURE
}
