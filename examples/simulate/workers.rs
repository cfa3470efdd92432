//! Many seeds, divided among child processes: the program has statics, so that one process runs one seed at a time.

use std::{
    env,
    io::{self, BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use crate::{options::Work, print, run, script::decide, story::Story, totals::Totals};

/// The most problems of one seed that are printed: lines that are missing or repeated may be thousands.
const MOST_PROBLEMS: usize = 10;

/// Runs every seed and prints the sums and all failures; true if a seed failed that is not open, or an open one passed.
pub fn divide(work: &Work, workers: u64, open: &[u64]) -> bool {
    let children = (0..workers).map(|n| spawn(work, n));
    // All at once: the threads are started before the first one is waited for.
    let readers: Vec<_> = children.map(|child| thread::spawn(move || listen(child))).collect();
    let (mut totals, mut failed, mut ends) = (Totals::default(), Vec::new(), Vec::new());
    for reader in readers {
        let heard = reader.join().expect("a thread that reads does not panic");
        totals.add(&heard.totals);
        failed.extend(heard.failed);
        ends.push(heard.end);
    }
    let broken = ends.contains(&None);
    failed.sort_unstable();
    let mut text = format!("{totals}{:>12} failed: {failed:?}\n", failed.len());
    if broken {
        text += "a worker ended early\n";
    }
    let is_open = |seed: &&u64| open.contains(seed);
    let has_run = |seed: u64| {
        let worker = usize::try_from((seed - work.seeds.start) % workers).unwrap_or(0);
        ends[worker].is_some_and(|end| seed < end)
    };
    let closed = open.iter().filter(|seed| work.seeds.contains(seed) && has_run(**seed));
    let closed: Vec<_> = closed.filter(|seed| !failed.contains(seed)).collect();
    if failed.iter().any(|seed| is_open(&seed)) {
        text += &format!("known to fail: {:?}\n", failed.iter().filter(is_open).collect::<Vec<_>>());
    }
    if !closed.is_empty() {
        text += &format!("no longer open, take them from the list: {closed:?}\n");
    }
    let written = print(&text);
    failed.iter().any(|seed| !is_open(&seed)) || !closed.is_empty() || broken || !written
}

fn spawn(work: &Work, number: u64) -> Child {
    let this = env::current_exe().expect("the simulator has a path");
    let Work { seeds, step, time, twice } = work;
    let mut command = Command::new(this);
    command.args([
        "--seeds",
        &format!("{}..{}", seeds.start.saturating_add(number).min(seeds.end), seeds.end),
        "--worker",
        &step.to_string(),
    ]);
    if let Some(time) = time {
        command.args(["--minutes", &(time.as_secs() / 60).to_string()]);
    }
    if *twice {
        command.arg("--twice");
    }
    // It ends once this pipe is closed: with its parent.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the simulator can start itself")
}

/// What a worker reported.
struct Heard {
    totals: Totals,
    failed: Vec<u64>,
    /// The first seed that it left, at its end. None: it did not reach that.
    end: Option<u64>,
}

/// A worker prints a line for each count, for each seed that failed, and at its end. Any other line is shown as it is.
fn listen(mut child: Child) -> Heard {
    let mut heard = Heard { totals: Totals::default(), failed: Vec::new(), end: None };
    let stdout = child.stdout.take().expect("it is a pipe");
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        if let Some((count, name)) = line.strip_prefix("count ").and_then(|rest| rest.split_once(' ')) {
            *heard.totals.counts.entry(name.to_owned()).or_default() += count.parse::<u64>().unwrap_or(0);
        } else if let Some(seed) = line.strip_prefix("failed ").and_then(|seed| seed.parse().ok()) {
            heard.failed.push(seed);
        } else if let Some(seed) = line.strip_prefix("done ").and_then(|seed| seed.parse().ok()) {
            heard.end = Some(seed);
        } else {
            print(&format!("{line}\n"));
        }
    }
    // The line above tells how it ended.
    let _ = child.wait();
    heard
}

/// The work of a child.
pub fn work(work: Work) {
    let orphaned = Arc::new(AtomicBool::new(false));
    let learns = orphaned.clone();
    thread::spawn(move || {
        // Nothing comes: this waits for the end of the parent.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        learns.store(true, Ordering::Relaxed);
    });
    let begun = Instant::now();
    let (mut totals, mut end) = (Totals::default(), work.seeds.end);
    for seed in work.seeds.step_by(usize::try_from(work.step).unwrap_or(1)) {
        if work.time.is_some_and(|time| begun.elapsed() > time) {
            end = seed;
            break;
        }
        if orphaned.load(Ordering::Relaxed) {
            return;
        }
        let script = decide(seed);
        let (stories, problems) = run(&script);
        for problem in problems.iter().take(MOST_PROBLEMS) {
            println!("seed {seed}: {problem}");
        }
        if let Some(more @ 1..) = problems.len().checked_sub(MOST_PROBLEMS) {
            println!("seed {seed}: and {more} more");
        }
        let mut failed = !problems.is_empty();
        let is_same =
            |again: &[Story]| again.iter().map(Story::visible).eq(stories.iter().map(Story::visible));
        if work.twice && !is_same(&run(&script).0) {
            println!("seed {seed}: two runs differ");
            failed = true;
        }
        if failed {
            println!("failed {seed}");
        }
        totals.add(&stories.first().map(Totals::of).unwrap_or_default());
    }
    for (name, count) in totals.counts {
        println!("count {count} {name}");
    }
    println!("done {end}");
}
