//! `stern-rs`

use std::process::ExitCode;

/// That of musl takes several times as long.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    stern_rs::run(std::env::args_os().collect(), stern_rs::Io::process()).into()
}
