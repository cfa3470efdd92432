//! A process that has ended, and assertions about it.

use std::process::ExitStatus;

use super::platform::signal;

pub struct Ran {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    /// The command line, all output and all requests, for the message of a failed test.
    pub(super) story: String,
}

impl Ran {
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn out_bytes(&self) -> &[u8] {
        &self.stdout
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    pub fn succeeded(&self) -> bool {
        self.status.success()
    }

    #[track_caller]
    fn same<T: PartialEq + std::fmt::Debug>(&self, what: &str, got: T, wanted: T) {
        assert!(got == wanted, "{what}\n     is {got:?}\nwanted {wanted:?}\n{}", self.story);
    }

    /// Standard output equals this.
    #[track_caller]
    pub fn stdout(self, wanted: &str) -> Self {
        self.same("standard output", self.out().as_str(), wanted);
        self
    }

    /// Standard error equals this.
    #[track_caller]
    pub fn stderr(self, wanted: &str) -> Self {
        self.same("standard error", self.err().as_str(), wanted);
        self
    }

    /// Standard output has these lines, in any order.
    #[track_caller]
    pub fn lines<'l>(self, wanted: impl IntoIterator<Item = &'l str>) -> Self {
        let out = self.out();
        self.same("standard output, sorted,", sorted(out.lines()), sorted(wanted));
        self
    }

    /// These containers were shown, as the notices name them: `web-1 › app`.
    #[track_caller]
    pub fn selected<'l>(self, wanted: impl IntoIterator<Item = &'l str>) -> Self {
        let err = self.err();
        let got = err.lines().filter_map(|line| line.strip_prefix("+ "));
        self.same("selected", sorted(got), sorted(wanted));
        self.exit(0)
    }

    /// Standard error contains this exactly once.
    #[track_caller]
    pub fn reported(self, text: &str) -> Self {
        self.same(&format!("the number of times it reported {text:?}"), self.err().matches(text).count(), 1);
        self
    }

    /// Standard error does not contain this.
    #[track_caller]
    pub fn never_reported(self, text: &str) -> Self {
        self.same(&format!("the number of times it reported {text:?}"), self.err().matches(text).count(), 0);
        self
    }

    #[track_caller]
    pub fn exit(self, wanted: i32) -> Self {
        self.same("the exit code", (self.status.code(), signal(self.status)), (Some(wanted), None));
        self
    }

    /// It failed with this exit code, an empty standard output, and this one line on standard error.
    #[track_caller]
    pub fn fails(self, code: i32, message: &str) -> Self {
        self.stdout("").stderr(&format!("stern-rs: {message}\n")).exit(code)
    }

    /// The same with a line that contains these parts.
    #[track_caller]
    pub fn fails_with(self, code: i32, parts: &[&str]) -> Self {
        let err = self.err();
        let one_line = err.starts_with("stern-rs: ") && err.matches('\n').count() == 1 && err.ends_with('\n');
        assert!(one_line, "standard error is not one line that begins with `stern-rs: `\n{}", self.story);
        for part in parts {
            assert!(err.contains(part), "standard error does not contain {part:?}\n{}", self.story);
        }
        self.stdout("").exit(code)
    }
}

/// Runs with a `--timeout` that is long enough for the work that comes before, on this machine and now: longer ones are
/// tried until the run was `ready`. The last run counts.
pub fn timed(run: impl Fn(&str) -> Ran, ready: impl Fn(&Ran) -> bool) -> Ran {
    let mut ran = run("--timeout 1s");
    for time in ["--timeout 4s", "--timeout 20s"] {
        if !ready(&ran) {
            ran = run(time);
        }
    }
    ran
}

fn sorted<'l>(lines: impl IntoIterator<Item = &'l str>) -> Vec<&'l str> {
    let mut lines: Vec<&str> = lines.into_iter().collect();
    lines.sort_unstable();
    lines
}
