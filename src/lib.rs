//! The log tailer for Kubernetes. The modules stand in the order in which data flows through them.
#![forbid(unsafe_code)]

// What the modules hand to each other.
pub mod batch;
pub mod notice;
pub mod target;

pub mod cli;
pub mod plan;

pub mod cluster;
pub mod schedule;
pub mod select;
pub mod stdin;
pub mod tail;

pub mod filter;
pub mod gotemplate;
pub mod gotime;
pub mod merge;
pub mod output;
pub mod render;

mod exit;
mod io;
mod run;

use std::{ffi::OsString, io::Write};

pub use exit::ExitCode;
pub use io::Io;

use cli::Command;
use plan::{Environment, Plan};

/// Does what `args` say, the program's name first, with the streams of `io`.
pub fn run(args: impl IntoIterator<Item = OsString>, mut io: Io) -> ExitCode {
    let env = Environment::of_process();
    let planned = cli::parse(args, &env).and_then(|command| match command {
        Command::Print(text) => Ok(Err(text)),
        Command::Run(args) => {
            for warning in &args.warnings {
                let _ = writeln!(io.stderr, "stern-rs: {warning}");
            }
            Plan::new(*args, &env).map(Ok)
        }
    });
    let plan = match planned {
        Ok(Ok(plan)) => plan,
        Ok(Err(text)) => return print(&mut io, &text),
        Err(error) => {
            // There is nowhere else to say that standard error is closed.
            let _ = writeln!(io.stderr, "stern-rs: {error}");
            return ExitCode::Usage;
        }
    };
    raise_open_files();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(io.stderr, "stern-rs: cannot start: {error}");
            return ExitCode::Failed;
        }
    };
    let code = runtime.block_on(run::run(plan, io));
    // Threads that wait for a name server or a blocked standard output are left behind.
    runtime.shutdown_background();
    code
}

/// Prints what was asked for in place of a run. A reader that went away is no error.
fn print(io: &mut Io, text: &str) -> ExitCode {
    match io.stdout.write_all(text.as_bytes()).and_then(|()| io.stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::Failed,
        _ => ExitCode::Done,
    }
}

/// Every stream may need a connection, and so a file; some systems allow 256 unless asked for more.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Where it is refused, what is allowed has to do.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
