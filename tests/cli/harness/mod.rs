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
mod ran;
mod tail;
mod world;

pub use self::{
    command::{Command, kubectl_plugin, stern_rs},
    documented::is_explained,
    home::Home,
    kubectl::Decision,
    ran::Ran,
    tail::Tail,
    world::World,
};

use std::time::Duration;

/// The timeout of every wait. A test that passes never needs it, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
