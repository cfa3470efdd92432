//! Completion beside a pipe that has the name of a file.

use std::{
    fs::File,
    time::{Duration, Instant},
};

use super::completes;
use crate::harness::World;

#[test]
fn a_file_that_gives_nothing_delays_no_key() {
    let world = World::new();
    let path = world.home.fifo("fifo");
    // A writer that writes nothing.
    let _pipe = File::options().read(true).write(true).open(&path).unwrap();
    for args in ["--kubeconfig fifo --context ''", "--config fifo -n ''", "--kubeconfig fifo pod/"] {
        let begun = Instant::now();
        completes(&world, args, ":4");
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(6), "{args}: {took:?}");
    }
}
