//! The simulator itself: a seed is one run, byte for byte.

use crate::{script::decide, world};

#[test]
fn a_seed_is_the_same_run_each_time() {
    for seed in 0..12 {
        let script = decide(seed);
        let (first, second) = (world::run(&script), world::run(&script));
        assert!(first.visible() == second.visible(), "two runs of seed {seed} differ");
    }
}
