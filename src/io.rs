//! The three streams of a process, or of whoever stands in for one.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::AsFd,
};

use crate::output::WholeLines;

pub struct Io {
    pub stdin: Box<dyn Read + Send>,
    pub stdout: Box<dyn Write + Send>,
    pub stderr: Box<dyn Write + Send>,
}

impl Io {
    /// The streams of this process, unbuffered: whoever writes has gathered enough.
    pub fn process() -> Self {
        let stdout: Box<dyn Write + Send> = match io::stdout().as_fd().try_clone_to_owned() {
            Ok(stdout) => Box::new(WholeLines::new(File::from(stdout))),
            // It is closed; what std does about that is as good as anything.
            Err(_) => Box::new(io::stdout()),
        };
        Self { stdin: Box::new(io::stdin()), stdout, stderr: Box::new(io::stderr()) }
    }
}
