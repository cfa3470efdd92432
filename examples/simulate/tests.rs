//! The simulator itself: a seed is one run, byte for byte.

use crate::{run, script::decide, story::Story};

#[test]
fn a_seed_is_the_same_run_each_time() {
    for seed in 0..12 {
        let script = decide(seed);
        let [first, second] = [run(&script).0, run(&script).0];
        assert!(!first.is_empty());
        let is_same = first.iter().map(Story::visible).eq(second.iter().map(Story::visible));
        assert!(is_same, "two runs of seed {seed} differ");
    }
}
