//! `stern-rs`

use std::process::ExitCode;

fn main() -> ExitCode {
    stern_rs::run(std::env::args_os(), stern_rs::Io::process()).into()
}
