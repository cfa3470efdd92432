//! Runs a plugin's program: its words go to the user as they come, its output is bounded in size, and its run in time.

use std::{
    fs::File,
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{io::AsyncReadExt, process::Command, time::timeout};

use crate::cluster::error::root_cause;

/// The largest output; credentials have some kilobytes.
const LARGEST: u64 = 1 << 20;

/// The longest run: a user may have to log in meanwhile, in a browser or on a telephone.
const LONGEST: Duration = Duration::from_secs(10 * 60);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot be started: {}", root_cause(.0))]
    NotStarted(io::Error),
    #[error("has no output that can be read: {}", root_cause(.0))]
    Unread(io::Error),
    #[error("printed more than 1 MiB, and was ended")]
    TooLarge,
    #[error("gave no credentials within {} minutes, and was ended", LONGEST.as_secs() / 60)]
    TooLong,
    #[error("failed ({0}); its own words, if any, are above")]
    Failed(ExitStatus),
}

/// What the program prints. Standard error is the user's: URLs and codes of a login must be seen at once.
pub async fn output(mut command: Command, interactive: bool) -> Result<Vec<u8>, Error> {
    command
        .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    // In a terminal, a group of its own would be in the background, and stop at its first question there. All that it
    // starts is ended by Ctrl-C there, as this program is.
    let own_group = File::open("/dev/tty").is_err();
    if own_group {
        command.process_group(0);
    }
    let mut child = command.spawn().map_err(Error::NotStarted)?;
    let mut group = Group(child.id().filter(|_| own_group));
    let mut printed = Vec::new();
    let run = async {
        if let Some(stdout) = child.stdout.take() {
            stdout.take(LARGEST + 1).read_to_end(&mut printed).await.map_err(Error::Unread)?;
        }
        if printed.len() as u64 > LARGEST {
            return Err(Error::TooLarge);
        }
        child.wait().await.map_err(Error::Unread)
    };
    let status = timeout(LONGEST, run).await.map_err(|_| Error::TooLong)??;
    // A plugin that has ended by itself may leave an agent behind.
    group.0 = None;
    match status.success() {
        true => Ok(printed),
        false => Err(Error::Failed(status)),
    }
}

/// The process group of a plugin, by its leader; it is ended when this is dropped.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0.and_then(|leader| Pid::from_raw(leader.try_into().ok()?)) {
            // An error means that it has ended by itself.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}
