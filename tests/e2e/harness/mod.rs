//! Namespaces, pods, and the program that tails them.

mod namespace;
mod pod;
mod process;
mod rights;

use std::{
    env,
    ffi::OsString,
    thread,
    time::{Duration, Instant},
};

pub use namespace::Namespace;
pub use pod::Pod;
pub use process::{Output, Tail, command, stern, tail};
pub use rights::{Right, Rights};

/// The timeout of every wait: a busy machine starts a pod in half a minute, a second restart waits ten seconds.
const PATIENCE: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(100);

fn kubeconfig() -> OsString {
    env::var_os("STERN_RS_E2E_KUBECONFIG")
        .filter(|path| !path.is_empty())
        .expect("STERN_RS_E2E_KUBECONFIG must name the kubeconfig of a cluster to run these tests on")
}

/// Calls `look` until it returns something; None after [`PATIENCE`].
fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let found = look();
        if found.is_some() || start.elapsed() > PATIENCE {
            return found;
        }
        thread::sleep(PAUSE);
    }
}
