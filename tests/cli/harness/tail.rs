//! A running process.

use std::{fmt, process::Child};

use apiserver::Account;
use memchr::memmem;

use super::{Command, Ran, capture::Capture, documented::unexplained};

/// A running process. Dropping it kills it, and after a failure prints its output and its requests.
pub struct Tail<'w> {
    pub(super) child: Child,
    stdout: Capture,
    stderr: Capture,
    command: Command<'w>,
    /// Bytes of standard output that were expected so far, as lines.
    expected: usize,
}

impl<'w> Tail<'w> {
    pub(super) fn new(mut child: Child, command: Command<'w>) -> Self {
        let stdout = child.stdout.take().map_or_else(Capture::nothing, Capture::of);
        let stderr = child.stderr.take().map_or_else(Capture::nothing, Capture::of);
        Tail { child, stdout, stderr, command, expected: 0 }
    }

    /// Waits for the next line of standard output, which is this one. Every line must be expected: [`Tail::finish`]
    /// fails on others.
    #[track_caller]
    pub fn expect(&mut self, line: &str) {
        self.expect_all([line]);
    }

    /// Waits for the next lines of standard output, which are these in any order.
    #[track_caller]
    pub fn expect_all<'l>(&mut self, lines: impl IntoIterator<Item = &'l str>) {
        let mut wanted: Vec<&str> = lines.into_iter().collect();
        let find = |bytes: &[u8]| {
            let mut ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            let (end, _) = ends.nth(wanted.len() - 1)?;
            Some(bytes[..=end].to_vec())
        };
        let Some(bytes) = self.stdout.wait_for(self.expected, find) else {
            panic!("timeout: {wanted:?} is missing on standard output");
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut next: Vec<&str> = text.lines().collect();
        wanted.sort_unstable();
        next.sort_unstable();
        assert_eq!(next, wanted, "the next lines on standard output");
        self.expected += bytes.len();
    }

    /// Waits until standard output contains this `count` times.
    #[track_caller]
    pub fn shown(&self, text: &str, count: usize) {
        let times = |shown: &[u8]| memmem::find_iter(shown, text).count();
        let found = self.stdout.wait_for(0, |shown| (times(shown) >= count).then_some(()));
        let times = times(&self.stdout.bytes());
        assert!(found.is_some(), "timeout: {text:?} is on standard output {times} times, not {count}");
    }

    /// Waits until standard error contains this.
    #[track_caller]
    pub fn reported(&self, text: &str) {
        let find = |written: &[u8]| String::from_utf8_lossy(written).contains(text).then_some(());
        let found = self.stderr.wait_for(0, find);
        assert!(found.is_some(), "timeout: {text:?} is missing on standard error");
    }

    /// Waits until the server's account meets the condition.
    #[track_caller]
    pub fn until(&self, condition: impl Fn(&Account) -> bool) {
        self.command.server.expect("it runs against a server").wait_for(condition);
    }

    /// Waits until at least this many watches of pods were answered.
    #[track_caller]
    pub fn watches(&self, count: usize) {
        self.until(|account| {
            account.requests.watches().filter(|watch| watch.status() == Some(200)).len() >= count
        });
    }

    /// Waits for its end. Fails if lines were expected and unexpected ones follow them.
    #[track_caller]
    pub fn finish(mut self) -> Ran {
        assert!(self.stderr.ended() && self.stdout.ended(), "timeout: the program did not end");
        let status = self.child.wait().expect("the process is a child");
        let unexplained = unexplained(&String::from_utf8_lossy(&self.stderr.bytes()));
        assert!(unexplained.is_empty(), "docs/troubleshooting.md does not explain {unexplained:?}\n{self}");
        let stdout = self.stdout.bytes();
        if self.expected > 0 {
            let rest = String::from_utf8_lossy(&stdout[self.expected..]);
            assert!(rest.is_empty(), "unexpected on standard output: {rest:?}");
        }
        Ran { status, stdout, stderr: self.stderr.bytes(), story: self.to_string() }
    }
}

impl fmt::Display for Tail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tail { stdout, stderr, command, .. } = self;
        writeln!(f, "$ stern-rs {}", command.args.join(" "))?;
        writeln!(f, "--- standard output\n{stdout}--- standard error\n{stderr}---")?;
        match command.server {
            Some(server) => write!(f, "the server saw {}", server.account()),
            None => Ok(()),
        }
    }
}

impl Drop for Tail<'_> {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{self}");
        }
    }
}
