//! The statistics of a run that goes on, which a signal requests.

use rustix::process::Signal;

use crate::harness::World;

#[test]
fn nothing_is_kept_of_pods_that_are_gone() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    for n in 2..12 {
        let pod = format!("web-{n}");
        world.pod(&pod, ["b"]);
        tail.expect(&format!("{pod} app b"));
        world.delete_pod(&pod);
        tail.reported(&format!("- {pod} › app\n"));
    }
    tail.send(Signal::USR1);
    tail.reported("· default web-1 › app: 1 lines, ");
    tail.reported("· 10 removed containers: 10 lines, ");
    tail.interrupt();
}
