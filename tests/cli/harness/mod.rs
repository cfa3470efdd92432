//! Runs the program, so that a test reads like the actions of a user.
//!
//! ```
//! let world = World::new();
//! world.pod("web-1", ["a"]);
//! let mut tail = world.start("web");
//! tail.expect("web-1 app a");
//! world.log("web-1/app").push("b");
//! tail.expect("web-1 app b");
//! tail.interrupt().exit(130);
//! ```

mod capture;
mod command;
mod documented;
mod home;
mod kubectl;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod platform;
mod ran;
mod tail;
mod world;

#[cfg(unix)]
pub use self::documented::is_explained;
pub use self::{
    command::{Command, kubectl_plugin, stern_rs},
    home::Home,
    kubectl::Decision,
    platform::{NOTHING, TEMPORARY, link},
    ran::{Ran, timed},
    tail::Tail,
    world::World,
};

use std::{io, path::Path, time::Duration};

/// The timeout of every wait. A test that passes never needs it, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The words of the system for the error of this operation, as the program writes them.
#[track_caller]
pub fn words<T>(failed: io::Result<T>) -> String {
    let Err(error) = failed else { panic!("it did not fail") };
    let text = error.to_string();
    let words = text.split(" (os error ").next().unwrap_or_default();
    words.trim_end_matches('.').to_owned()
}

/// A list of paths for a variable.
pub fn list<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> String {
    let paths = paths.into_iter().map(|path| path.as_ref().to_owned());
    let list = std::env::join_paths(paths).expect("no name has a separator");
    list.into_string().expect("the paths are UTF-8")
}

/// Paths in a text as the system writes them.
pub fn native(text: &str) -> String {
    text.replace('/', std::path::MAIN_SEPARATOR_STR)
}
