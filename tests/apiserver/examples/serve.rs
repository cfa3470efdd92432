//! The double as a process of its own, for measuring a client: each pod has written LINES lines, one a microsecond and
//! all pods by turns, and then writes LINES_A_SECOND more.
//!
//! `cargo run --release -p apiserver --example serve -- KUBECONFIG PODS LINES [LINES_A_SECOND [http1]]`
#![allow(clippy::print_stdout, reason = "it reports to the terminal")]

use std::{env, error::Error, thread, time::Duration};

use apiserver::{ApiServer, Pod};
use jiff::{SignedDuration, Timestamp};

/// With its timestamp and newline a line is 163 bytes.
const LENGTH: usize = 131;

/// Writes per second.
const STEPS: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let number = |at: usize| args.get(at).map_or(Ok(0), |arg| arg.parse::<usize>());
    let path = args.first().ok_or("the path of a kubeconfig to write is missing")?;
    let (pods, lines, rate) = (number(1)?, number(2)?, number(3)?);

    let builder = ApiServer::builder().tls().max_streams(250);
    let server =
        if args.get(4).is_some_and(|arg| arg == "http1") { builder.http1() } else { builder }.start();
    let names: Vec<String> = (0..pods).map(|n| format!("bulk-{n}")).collect();
    server.add_pods(names.iter().map(Pod::new));
    let line = "x".repeat(LENGTH);
    let start = Timestamp::now() - SignedDuration::from_micros(lines as i64);
    for (nanoseconds, name) in (0..).zip(&names) {
        let first = start + SignedDuration::from_nanos(nanoseconds);
        server.log(&format!("{name}/app")).lines_at(first, 1_000, (0..lines).map(|_| &line));
    }
    server.write_kubeconfig(path)?;
    println!("{}", server.url());
    let mut due = 0.0;
    loop {
        thread::sleep(Duration::from_secs(1) / STEPS as u32);
        due += rate as f64 / STEPS as f64;
        for name in &names {
            server.log(&format!("{name}/app")).extend((0..due as usize).map(|_| &line));
        }
        due = due.fract();
    }
}
