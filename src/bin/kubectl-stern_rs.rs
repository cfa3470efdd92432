//! `kubectl stern-rs`: kubectl finds its plugins by this name.

use std::process::ExitCode;

fn main() -> ExitCode {
    stern_rs::run(std::env::args_os().collect(), stern_rs::Io::process()).into()
}
