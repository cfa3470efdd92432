//! The log tailer for Kubernetes. Modules are listed in the order of the data flow.

// Types that the modules exchange.
mod completion;
mod event;
mod instance;
mod notice;
mod origin;
mod purpose;
mod queue;
mod shown;

mod cleanup;
mod cli;
mod descriptors;
mod environment;
mod grace;
mod machine;
mod plan;
mod platform;
mod quantity;
mod small_file;
mod usage_error;

mod source;

mod cluster;
mod schedule;
mod select;
mod stats;
mod tail;

mod fields;
mod json;
mod lines;
mod records;

mod search;

mod jq;

mod deadline;
mod filter;
mod flow;
mod order;
mod pace;
mod rewrite;
mod summary;

mod render;
mod sink;

mod complete;
mod exit;
mod io;
mod run;
mod signals;

#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;

use std::{ffi::OsString, io::Write, time::Duration};

pub use exit::ExitCode;
pub use io::Io;

/// The path of a line from a batch to bytes, for benchmarks.
#[doc(hidden)]
pub mod bench {
    pub use crate::{
        event::{Batch, Instant, Item, Line},
        fields::Reader,
        filter::Filter,
        origin::{Origin, PodInfo},
        plan::{Display, FilterPlan, Format, LinePattern, PrettyPlan, Template, TemplateErrors, Timestamps},
        render::Renderer,
    };
}

/// The program on a machine that a simulator makes.
#[doc(hidden)]
pub mod simulation {
    use std::ffi::OsString;

    pub use crate::machine::{Connected, Machine, Simulated, Wire};
    use crate::{
        ExitCode, Io,
        cli::{self, Command},
        environment::Environment,
        plan::Plan,
        signals::Signals,
    };

    /// Runs the command line `args` (the program's name first) until it ends, or until `signal` gives the exit code of
    /// a signal. Err: the command line is wrong, for the reason given, or needs no run.
    pub async fn run(
        args: impl IntoIterator<Item = OsString>,
        io: Io,
        machine: Machine,
        signal: impl Future<Output = ExitCode> + Send + 'static,
    ) -> Result<ExitCode, String> {
        let env = Environment { machine, ..Environment::bare() };
        let args = match cli::parse(args, &env) {
            Ok(Command::Run(args)) => args,
            Ok(Command::Print(text)) => return Err(text),
            Ok(Command::Complete(_)) => return Err(String::new()),
            Err(error) => return Err(error.to_string()),
        };
        let plan = Plan::new(&args, &env).map_err(|error| error.to_string())?;
        Ok(crate::run::run(plan, io, &Signals::simulated(signal)).await)
    }
}

use cli::Command;
use environment::Environment;
use plan::{Outputs, Plan};
use signals::Signals;

/// Runs the command line `args` (the program's name first) with the streams of `io`.
// Generic, it would be compiled with the binary, with a second copy of much that the library has.
pub fn run(args: Vec<OsString>, mut io: Io) -> ExitCode {
    let signals = Signals::listen();
    let room = descriptors::prepare();
    let env = Environment::of_process();
    let outputs = Outputs::without_plan(&env);
    let command = cli::parse(args, &env);
    if let (Ok(Command::Run(_) | Command::Complete(_)), Err(error)) = (&command, &room) {
        return cannot_start(error);
    }
    let planned = match command {
        Ok(Command::Run(args)) => {
            let mut stderr = outputs.stderr.to(&mut io.stderr);
            for warning in &args.warnings {
                let _ = writeln!(stderr, "stern-rs: {warning}");
            }
            drop(stderr);
            Plan::new(&args, &env)
        }
        Ok(Command::Print(text)) => return print(io, outputs, &text),
        Ok(Command::Complete(unfinished)) => {
            // A plugin must not ask there meanwhile.
            platform::terminal::leave();
            let answer = block_on(signals.or_ended(complete::run(*unfinished, &env)));
            return answer.map_or(ExitCode::Failed, |answer| {
                answer.map_or_else(|code| code, |answer| print(io, outputs, &answer))
            });
        }
        Err(error) => Err(error),
    };
    match planned {
        Ok(plan) => block_on(run::run(plan, io, &signals)).unwrap_or_else(|error| cannot_start(&error)),
        Err(error) => {
            // If standard error is closed, the error cannot be reported.
            let _ = writeln!(outputs.stderr.to(io.stderr), "stern-rs: {error}");
            ExitCode::Usage
        }
    }
}

/// Longer than any run: the runtime panics without room for the first thread of those that may block.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

fn block_on<T>(future: impl Future<Output = T>) -> std::io::Result<T> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().thread_keep_alive(FOREVER).build()?;
    let done = runtime.block_on(future);
    // Abandons threads that wait for a name server or a blocked standard output.
    runtime.shutdown_background();
    Ok(done)
}

/// Prints the text requested instead of a run. A closed reader is not an error.
fn print(io: Io, outputs: Outputs, text: &str) -> ExitCode {
    let printed = io.stdout.and_then(|stdout| {
        let mut stdout = outputs.stdout.to(stdout);
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    });
    match printed {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => cannot_write(io.stderr, &error),
        _ => ExitCode::Done,
    }
}

/// Reports what is missing for a run.
fn cannot_start(error: &std::io::Error) -> ExitCode {
    let _ = writeln!(Io::process_stderr(), "stern-rs: cannot start: {}", without_number(error));
    ExitCode::Failed
}

/// Reports that standard output cannot be written.
fn cannot_write(mut stderr: impl Write, error: &std::io::Error) -> ExitCode {
    // If standard error is closed too, only the exit code is left.
    let _ = writeln!(stderr, "stern-rs: cannot write standard output: {}", without_number(error));
    ExitCode::Failed
}

fn without_number(error: &std::io::Error) -> String {
    words(&error.to_string()).to_owned()
}

/// `No space left on device` for `No space left on device (os error 28)`, and without the full stop that Windows adds
fn words(text: &str) -> &str {
    text.split_once(" (os error ").map_or(text, |(words, _)| words.trim_end_matches('.'))
}
