//! The program as a user runs it.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{eventually, kubeconfig};

/// Runs the program to its end.
pub fn stern(args: &[&str]) -> Output {
    tail(args).wait()
}

/// Starts the program.
pub fn tail(args: &[&str]) -> Tail {
    let mut child = command(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stdout = Reader::spawn(child.stdout.take().expect("it is piped"));
    let stderr = Reader::spawn(child.stderr.take().expect("it is piped"));
    Tail { args: args.join(" "), child, stdout, stderr }
}

/// The program with these arguments and the cluster's kubeconfig.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stern-rs"));
    command.arg("--kubeconfig").arg(kubeconfig()).args(args).env_remove("CLICOLOR_FORCE");
    command
}

/// The running program, and its output so far. Dropping it kills the program.
pub struct Tail {
    args: String,
    child: Child,
    stdout: Reader,
    stderr: Reader,
}

impl Tail {
    /// Waits until standard output contains this.
    pub fn until_shown(&mut self, text: &str) {
        self.until(&format!("{text:?} is on standard output"), |tail| {
            tail.stdout.text().contains(text).then_some(())
        });
    }

    /// Waits until standard output contains this so many times.
    pub fn until_shown_times(&mut self, text: &str, count: usize) {
        self.until(&format!("{text:?} is on standard output {count} times"), |tail| {
            (tail.stdout.text().matches(text).count() >= count).then_some(())
        });
    }

    /// Waits until standard error contains this.
    pub fn until_reported(&mut self, text: &str) {
        self.until(&format!("{text:?} is on standard error"), |tail| {
            tail.stderr.text().contains(text).then_some(())
        });
    }

    /// Waits until it ends by itself.
    pub fn wait(mut self) -> Output {
        let status =
            self.until("the program has ended", |tail| tail.child.try_wait().expect("it is our child"));
        Output {
            args: self.args.clone(),
            code: status.code(),
            stdout: self.stdout.all(),
            stderr: String::from_utf8_lossy(&self.stderr.all()).into_owned(),
        }
    }

    /// Presses Ctrl-C and waits for the end.
    pub fn interrupt(self) -> Output {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("it runs");
        self.wait()
    }

    fn until<T>(&mut self, what: &str, mut look: impl FnMut(&mut Self) -> Option<T>) -> T {
        let found = eventually(|| look(self));
        found.unwrap_or_else(|| panic!("timeout: not {what}"))
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            print_run(&self.args, &self.stdout.text(), &self.stderr.text());
        }
    }
}

/// The output of a run that has ended. A test that fails prints it.
pub struct Output {
    args: String,
    /// None if a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Output {
    /// Standard output, line by line.
    pub fn lines(&self) -> Vec<&str> {
        str::from_utf8(&self.stdout).expect("lines of text").lines().collect()
    }

    /// Standard output, sorted: concurrent streams have no order.
    pub fn sorted_lines(&self) -> Vec<&str> {
        let mut lines = self.lines();
        lines.sort_unstable();
        lines
    }

    /// The number of lines of standard error that contain this.
    pub fn reported(&self, text: &str) -> usize {
        self.stderr.lines().filter(|line| line.contains(text)).count()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if thread::panicking() {
            print_run(&self.args, &String::from_utf8_lossy(&self.stdout), &self.stderr);
        }
    }
}

fn print_run(args: &str, stdout: &str, stderr: &str) {
    eprintln!("--- stern-rs {args}\n--- its standard output\n{stdout}\n--- its standard error\n{stderr}");
}

/// Reads the output of a process continuously, so that the process never has to wait.
struct Reader {
    seen: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    fn spawn(mut from: impl Read + Send + 'static) -> Self {
        let seen = Arc::<Mutex<Vec<u8>>>::default();
        let into = seen.clone();
        let thread = thread::spawn(move || {
            let mut chunk = vec![0; 64 << 10];
            while let Ok(length @ 1..) = from.read(&mut chunk) {
                into.lock().expect("no reader panics").extend_from_slice(&chunk[..length]);
            }
        });
        Self { seen, thread: Some(thread) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().expect("no reader panics")).into_owned()
    }

    /// All output, once the process has ended.
    fn all(&mut self) -> Vec<u8> {
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it only reads");
        }
        std::mem::take(&mut self.seen.lock().expect("no reader panics"))
    }
}
