//! A command line with its environment and standard streams, before it runs.

use std::{
    io::{Write, pipe},
    process::{self, Stdio},
    sync::Arc,
    thread,
};

use apiserver::ApiServer;

use super::{Home, Ran, Tail, platform};

/// `stern-rs` with these arguments and without a cluster.
pub fn stern_rs(args: &str) -> Command<'static> {
    Command::new(env!("CARGO_BIN_EXE_stern-rs"), args, Arc::new(Home::new()), None)
}

/// The same, run as a plugin of kubectl.
pub fn kubectl_plugin(args: &str) -> Command<'static> {
    Command::new(env!("CARGO_BIN_EXE_kubectl-stern_rs"), args, Arc::new(Home::new()), None)
}

pub struct Command<'w> {
    process: process::Command,
    stdin: Option<Stdio>,
    stdout: Option<Stdio>,
    stderr: Option<Stdio>,
    /// Kept until the process has ended.
    _home: Arc<Home>,
    pub(super) server: Option<&'w ApiServer>,
    pub(super) args: Vec<String>,
}

impl<'w> Command<'w> {
    /// Its environment has nothing of this machine's except what it needs.
    pub(super) fn new(program: &str, args: &str, home: Arc<Home>, server: Option<&'w ApiServer>) -> Self {
        let args = words(args);
        let mut process = process::Command::new(program);
        process
            .args(&args)
            .env_clear()
            .env(platform::HOME, home.dir())
            .env("TZ", "UTC")
            .current_dir(home.dir());
        let needed = platform::NEEDED.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        process.envs(needed);
        Command { process, stdin: None, stdout: None, stderr: None, _home: home, server, args }
    }

    /// Adds one argument, which is not split.
    pub fn arg(mut self, arg: &str) -> Self {
        self.process.arg(arg);
        self.args.push(arg.to_owned());
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.process.env(name, value);
        self
    }

    /// Sets standard input, which is empty by default.
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = Some(stdin.into());
        self
    }

    /// Sets standard input to these bytes.
    pub fn input(self, bytes: impl AsRef<[u8]>) -> Self {
        let (reader, mut writer) = pipe().expect("the system has room for a pipe");
        let bytes = bytes.as_ref().to_vec();
        // The write fails if the program closes its end early.
        thread::spawn(move || writer.write_all(&bytes));
        self.stdin(reader)
    }

    /// Sets standard output, which is captured by default.
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = Some(stdout.into());
        self
    }

    /// Sets standard error, which is captured by default.
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.stderr = Some(stderr.into());
        self
    }

    pub fn start(mut self) -> Tail<'w> {
        self.process.stdin(self.stdin.take().unwrap_or_else(Stdio::null));
        self.process.stdout(self.stdout.take().unwrap_or_else(Stdio::piped));
        self.process.stderr(self.stderr.take().unwrap_or_else(Stdio::piped));
        let child = platform::start(&mut self.process).expect("the program was built for this test");
        // Our copy of a pipe must be closed, or its reader never sees the end.
        self.process.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
        Tail::new(child, self)
    }

    /// Runs the program to its end.
    pub fn run(self) -> Ran {
        self.start().finish()
    }
}

/// Splits as a shell does: at spaces, except within single quotes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    assert!(!quoted, "unclosed quote: {line}");
    words.extend(word);
    words
}
