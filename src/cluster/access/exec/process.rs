//! Runs a plugin's program: its words go to the user as they come, its output is bounded in size, and its run in time.

use std::{
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::AsyncReadExt,
    process::Command,
    time::{sleep, timeout},
};

use crate::{
    cleanup::Cleanup,
    cluster::error::root_cause,
    platform::{processes::Starting, terminal::Settings},
};

/// The largest output; credentials have some kilobytes.
const LARGEST: u64 = 1 << 20;

/// The longest run: a user may have to log in meanwhile, in a browser or on a telephone.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// Ctrl-C may end the plugin before this program hears of it, and then ends this program.
const SIGNAL: Duration = Duration::from_millis(100);

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

/// What the program prints; `interactive`: it may ask on the terminal. All that it starts is ended with it.
pub async fn output(mut command: Command, interactive: bool) -> Result<Vec<u8>, Error> {
    // Standard error is the user's: URLs and codes of a login must be seen at once.
    command.stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    if !interactive {
        let group = Starting::group(command.stdin(Stdio::null()));
        return run(&mut command, group).await;
    }
    // A group of its own would be in the background, and stop at its first question.
    let family = Starting::on_terminal();
    // A plugin that asked for a password may end before it shows typed text again.
    let _restored = Settings::of_stdin().map(|found| Cleanup::new(move || found.restore()));
    run(command.stdin(Stdio::inherit()), family).await
}

async fn run(command: &mut Command, starting: Starting) -> Result<Vec<u8>, Error> {
    let mut child = command.spawn().map_err(Error::NotStarted)?;
    let killed = starting.killer(&child).map(Cleanup::new);
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
    if !status.success() {
        sleep(SIGNAL).await;
    }
    // A plugin that has ended by itself may leave an agent behind.
    if let (Some(killed), Some(_)) = (killed, status.code()) {
        killed.forget();
    }
    match status.success() {
        true => Ok(printed),
        false => Err(Error::Failed(status)),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use tokio::net::unix::pipe::Receiver;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    /// With the test's own standard input.
    async fn in_group(mut command: Command) -> Result<Vec<u8>, Error> {
        let group = Starting::group(command.stdout(Stdio::piped()).kill_on_drop(true));
        run(&mut command, group).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_without_end_is_ended() {
        let error = output(shell("exec sleep 1000"), false).await.unwrap_err();
        assert_eq!(error.to_string(), "gave no credentials within 10 minutes, and was ended");
    }

    #[tokio::test]
    async fn an_output_without_end_is_ended() {
        assert!(matches!(output(shell("exec cat /dev/zero"), false).await, Err(Error::TooLarge)));
        assert_eq!(output(shell("head -c 1048576 /dev/zero"), false).await.unwrap().len(), 1 << 20);
    }

    /// The pipe, which all of them have open, ends with the last.
    #[tokio::test]
    async fn what_a_plugin_started_ends_with_it() {
        let (pipe, writer) = io::pipe().unwrap();
        let mut pipe = Receiver::from_owned_fd(pipe.into()).unwrap();
        let mut command = shell("exec 3>&0; sleep 1000 & echo started >&3; wait");
        command.stdin(writer);
        let running = tokio::spawn(in_group(command));
        pipe.read_exact(&mut [0; 8]).await.unwrap();
        running.abort();
        let ended = timeout(Duration::from_secs(60), pipe.read_to_end(&mut Vec::new())).await;
        assert!(ended.is_ok(), "something still runs");
    }

    #[tokio::test]
    async fn an_agent_that_a_plugin_leaves_behind_goes_on() {
        let (pipe, writer) = io::pipe().unwrap();
        let mut pipe = Receiver::from_owned_fd(pipe.into()).unwrap();
        let home = tempfile::tempdir().unwrap();
        let agent = "{ until [ -e go ]; do sleep 0.1; done; echo alive >&3; } >/dev/null & echo token";
        let mut command = shell(&format!("exec 3>&0; {agent}"));
        command.stdin(writer).current_dir(home.path());
        assert_eq!(in_group(command).await.unwrap(), b"token\n");
        std::fs::write(home.path().join("go"), "").unwrap();
        let mut text = String::new();
        pipe.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "alive\n");
    }
}
