//! The command line of the simulator.

use std::{collections::BTreeSet, ops::Range, thread::available_parallelism, time::Duration};

pub const USAGE: &str = "\
simulate --seed N [--trace] [--shrink]   replay one seed
    --trace     print what happened when
    --shrink    print the shortest script that fails as the seed does
simulate --seeds A..B                    run the seeds from A up to B - 1
simulate [--seeds A..B] --minutes M      the same, as many as there is time for
    --twice     run each twice and compare the runs
    --open FILE expect the seeds that begin the lines of the file to fail
    --workers N run so many processes
";

/// Each is a process.
const MOST_WORKERS: u64 = 256;

pub enum Options {
    Help,
    One {
        seed: u64,
        traced: bool,
        shrunk: bool,
    },
    Many {
        work: Work,
        workers: u64,
        /// Seeds that are known to fail.
        open: Vec<u64>,
    },
    /// A child process.
    Worker(Work),
}

/// Seeds to run: every `step`th of a range.
#[derive(Debug, Clone)]
pub struct Work {
    pub seeds: Range<u64>,
    pub step: u64,
    /// No seed begins later than this.
    pub time: Option<Duration>,
    /// Runs each seed twice and compares the runs.
    pub twice: bool,
}

impl Options {
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
        let (mut seed, mut seeds, mut minutes, mut worker) = (None, None, None, None);
        let (mut traced, mut shrunk, mut twice) = (false, false, false);
        let (mut open, mut seen) = (Vec::new(), BTreeSet::new());
        let mut workers = available_parallelism().map_or(1, |count| count.get() as u64);
        while let Some(arg) = args.next() {
            let (arg, mut given) = match arg.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (arg, None),
            };
            if !seen.insert(arg.clone()) {
                return Err(format!("{arg} was given twice"));
            }
            let mut value =
                || given.take().or_else(|| args.next()).ok_or_else(|| format!("{arg} needs a value"));
            let number =
                |text: &str| text.parse::<u64>().map_err(|_| format!("{arg}: {text:?} is not a number"));
            match arg.as_str() {
                "--seed" => seed = Some(number(&value()?)?),
                "--seeds" => {
                    let text = value()?;
                    let range =
                        text.split_once("..").ok_or_else(|| format!("{arg}: {text:?} is not A..B"))?;
                    seeds = Some(number(range.0)?..number(range.1)?);
                }
                "--minutes" => minutes = Some(number(&value()?)?),
                "--workers" => workers = number(&value()?)?,
                "--worker" => worker = Some(number(&value()?)?.max(1)),
                "--help" | "-h" => return Ok(Options::Help),
                "--trace" => traced = true,
                "--shrink" => shrunk = true,
                "--twice" => twice = true,
                "--open" => open = open_seeds(&value()?)?,
                other => return Err(format!("{other:?} is no option; --help names them")),
            }
            if given.is_some() {
                return Err(format!("{arg} takes no value"));
            }
        }
        let seeds = match (seed, seeds, minutes) {
            (Some(_), None, None)
                if ["--twice", "--open", "--workers"].iter().any(|name| seen.contains(*name)) =>
            {
                return Err("--twice, --open and --workers are for --seeds or --minutes".to_owned());
            }
            (Some(seed), None, None) => return Ok(Options::One { seed, traced, shrunk }),
            (None, Some(_), _) | (None, None, Some(_)) if traced || shrunk => {
                return Err("--trace and --shrink are for --seed".to_owned());
            }
            (None, Some(seeds), _) if seeds.is_empty() && worker.is_none() => {
                return Err(format!("--seeds: {}..{} has no seed", seeds.start, seeds.end));
            }
            (None, Some(seeds), _) => seeds,
            (None, None, Some(_)) => 0..u64::MAX,
            _ => return Err(format!("give one of --seed, --seeds and --minutes\n{USAGE}")),
        };
        if minutes == Some(0) {
            return Err("--minutes begins at 1".to_owned());
        }
        if !(1..=MOST_WORKERS).contains(&workers) {
            return Err(format!("--workers is 1 to {MOST_WORKERS}"));
        }
        let time = minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60)));
        let work = Work { seeds, step: worker.unwrap_or(workers), time, twice };
        Ok(if worker.is_some() { Options::Worker(work) } else { Options::Many { work, workers, open } })
    }
}

/// A file with a seed at the beginning of each line, and what fails of it.
fn open_seeds(path: &str) -> Result<Vec<u64>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let seed = |line: &str| line.split(' ').next()?.parse().ok();
    lines.map(|line| seed(line).ok_or_else(|| format!("{path}: {line:?} has no seed"))).collect()
}
