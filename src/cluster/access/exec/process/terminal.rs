//! Restores the terminal after a plugin that asked for a password, and ended before it showed typed text again.

use std::io::stdin;

use rustix::{
    process::getpgrp,
    termios::{OptionalActions, tcgetattr, tcgetpgrp, tcsetattr},
};

use crate::cleanup::Cleanup;

/// Restores the settings of standard input as they are now.
pub fn restored() -> Option<Cleanup> {
    let found = tcgetattr(stdin()).ok()?;
    Some(Cleanup::new(move || {
        // A process in the background would be stopped. An error means that the terminal is gone.
        if tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp()) {
            let _ = tcsetattr(stdin(), OptionalActions::Now, &found);
        }
    }))
}
