//! What only Windows has: a console for each process, and keys that are pressed in it.

use std::{
    env, fs, io,
    os::windows::process::CommandExt,
    path::Path,
    process::{self, Child, ExitStatus},
};

use keypress::{Key, press};

use super::{Ran, Tail};

/// The file that is always empty.
pub const NOTHING: &str = "NUL";

/// The variable with the directory of temporary files.
pub const TEMPORARY: &str = "TMP";

/// The variables of this machine that a program needs. Without `SystemRoot` there is no network.
pub const NEEDED: [&str; 5] = ["PATH", "PATHEXT", "SystemRoot", "ComSpec", "TEMP"];

/// The variable with the home directory.
pub const HOME: &str = "USERPROFILE";

/// A console of its own, without a window.
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// Wine fails so, now and then, to start a program beside others.
const ERROR_INTERNAL_ERROR: i32 = 1359;
const ATTEMPTS: usize = 5;

/// Has the process whose console [`presses_a_key`] uses.
const PROCESS: &str = "STERN_RS_TEST_PROCESS";
const KEY: &str = "STERN_RS_TEST_KEY";

/// A key that is pressed reaches all processes of a console, so each program gets one.
pub fn start(process: &mut process::Command) -> io::Result<Child> {
    process.creation_flags(CREATE_NO_WINDOW);
    let mut attempts = (0..ATTEMPTS).map(|_| process.spawn());
    let refused = |result: &io::Result<Child>| {
        result.as_ref().is_err_and(|error| error.raw_os_error() == Some(ERROR_INTERNAL_ERROR))
    };
    attempts.find(|result| !refused(result)).unwrap_or_else(|| process.spawn())
}

/// There are none.
pub fn signal(_: ExitStatus) -> Option<i32> {
    None
}

/// Gives a program one more name. Links need rights that few users have.
pub fn link(program: &str, name: &Path) -> io::Result<()> {
    fs::hard_link(program, name).or_else(|_| fs::copy(program, name).map(drop))
}

impl Tail<'_> {
    #[track_caller]
    pub fn interrupt(self) -> Ran {
        self.press("c");
        self.finish()
    }

    #[track_caller]
    pub fn ctrl_break(self) -> Ran {
        self.press("break");
        self.finish()
    }

    /// Nothing tells whether a process waits.
    pub fn asleep(&self) {}

    /// Who presses a key leaves its own console, so a process of its own does it: this program, with one test.
    #[track_caller]
    fn press(&self, key: &str) {
        let mut presser = process::Command::new(env::current_exe().expect("this program has a path"));
        presser.args(["--exact", "harness::platform::presses_a_key", "--nocapture"]);
        let ran = presser.env(PROCESS, self.child.id().to_string()).env(KEY, key).output();
        let ran = ran.expect("this program can be started");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    }
}

#[test]
fn presses_a_key() {
    let Ok(process) = env::var(PROCESS) else { return };
    let key = if env::var(KEY).is_ok_and(|key| key == "break") { Key::CtrlBreak } else { Key::CtrlC };
    press(key, process.parse().unwrap()).unwrap();
}
