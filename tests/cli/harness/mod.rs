//! Hides the process, so that a test reads like the story of a user.
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
mod home;
mod ran;
mod tail;
mod world;

pub use self::{
    command::{Command, kubectl_plugin, stern_rs},
    home::Home,
    ran::Ran,
    tail::Tail,
    world::World,
};

use std::time::Duration;

/// How long anything is waited for. It is never waited for in a test that passes, whatever else the machine does.
const PATIENCE: Duration = Duration::from_secs(60);
