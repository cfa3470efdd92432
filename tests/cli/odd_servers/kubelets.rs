//! Kubelets other than the usual one: lines without timestamps, containers without IDs.

use apiserver::{After, Answer, Match, Pod};

use crate::harness::World;

const UNTIMED: &str = "! a kubelet sends lines without timestamps: after a break their logs can be resumed only by their content";

/// A world of pods whose kubelet gives no timestamps.
fn untimed<const N: usize>(lines: [&str; N]) -> World {
    let world = World::new();
    world.add_pod(Pod::new("web-1").untimed());
    world.log("web-1/app").extend(lines);
    world
}

#[test]
fn lines_without_timestamps_are_lines() {
    let lines = ["one", "failed to open the shop", "2026 was a year", "", "{\"a\":1}"];
    for flags in ["--no-follow", "--no-follow --tail 5", ""] {
        let world = untimed(lines);
        let mut tail = world.start(&format!("web -o raw {flags}"));
        for line in lines {
            tail.expect(line);
        }
        tail.reported(UNTIMED);
    }
    untimed(lines)
        .run("web -o raw --no-follow")
        .reported(UNTIMED)
        .never_reported("in place of lines")
        .exit(0);
}

#[test]
fn the_notice_comes_once_for_all_pods() {
    let world = World::new();
    world.add_pods((0..20).map(|n| Pod::new(format!("web-{n}")).untimed()));
    for n in 0..20 {
        world.log(&format!("web-{n}/app")).push("a");
    }
    world.run("web --no-follow").reported(UNTIMED).exit(0);
}

#[test]
fn a_log_without_timestamps_is_resumed_by_its_content() {
    for break_off in [Answer::end_after, Answer::cut_after, Answer::reset_after] {
        for after in [1, 2, 3, 5] {
            for flags in ["", "--tail 4"] {
                let world = untimed(["a", "same", "same", "b"]);
                let script = world.on(Match::logs());
                script.times(3, &break_off(Answer::ok(), After::Lines(after)));
                let mut tail = world.start(&format!("web -o raw {flags}"));
                for line in ["a", "same", "same", "b"] {
                    tail.expect(line);
                }
                tail.until(|_| script.given() == 3 || after == 5);
                for line in ["b", "c", "d"] {
                    world.log("web-1/app").push(line);
                    tail.expect(line);
                }
                tail.interrupt().never_reported("may be missing").exit(130);
            }
        }
    }
}

#[test]
fn a_log_without_timestamps_that_was_rotated_is_resumed_or_reported() {
    let world = untimed(["a", "b"]);
    let mut tail = world.start("web -o raw");
    tail.expect("a");
    tail.expect("b");
    let gate = world.hold(Match::logs());
    world.cut(Match::logs());
    world.log("web-1/app").rotate();
    world.log("web-1/app").extend(["c", "d"]);
    gate.release();
    tail.expect("c");
    tail.expect("d");
    tail.interrupt().reported("! web-1 › app: lines may be missing here, or repeated").exit(130);
}

#[test]
fn restarts_are_followed_without_timestamps_and_without_ids() {
    for without_ids in [false, true] {
        let world = World::new();
        world.add_pod(Pod::new("web-1").untimed().without_ids(without_ids));
        world.log("web-1/app").push("a");
        let mut tail = world.start("web -o raw");
        tail.expect("a");
        world.restart_container("web-1/app");
        world.log("web-1/app").push("b");
        tail.expect("b");
        world.log("web-1/app").push("c");
        tail.expect("c");
        tail.interrupt().never_reported("may be missing").exit(130);
    }
}

#[test]
fn a_sentence_of_the_kubelet_is_no_line_of_a_log_without_timestamps() {
    let world = untimed(["a"]);
    let sentence = "rpc error: code = Unavailable desc = error reading from server: EOF";
    world.log("web-1/app").push_kubelet_error(sentence);
    world.run("web -o raw --no-follow").stdout("a\n").reported(sentence).exit(3);
}

#[test]
fn lines_with_and_without_timestamps_are_all_shown_once() {
    let world = World::web(["a"]);
    world.log("web-1/app").push_kubelet_error("untimed 1").push("b");
    let script = world.on(Match::logs());
    script.times(2, &Answer::ok().cut_after(After::Lines(3)));
    let mut tail = world.start("web -o raw");
    for line in ["a", "untimed 1", "b"] {
        tail.expect(line);
    }
    tail.until(|_| script.given() == 2);
    world.log("web-1/app").push("c");
    tail.expect("c");
    tail.interrupt().exit(130);
}

#[test]
fn a_container_without_an_id_is_tailed_and_one_that_gets_it_late_is_the_same() {
    let world = World::new();
    world.add_pod(Pod::new("web-1").without_ids(true));
    world.log("web-1/app").push("a");
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.update_pod("web-1", |pod| pod.without_ids(false));
    world.log("web-1/app").push("b");
    tail.expect("web-1 app b");
    assert_eq!(world.requests().logs().len(), 1);
    world.restart_container("web-1/app");
    world.log("web-1/app").push("c");
    tail.expect("web-1 app c");
    tail.interrupt().exit(130);
}

#[test]
fn without_ids_the_previous_log_and_the_end_are_found_too() {
    let world = World::new();
    world.add_pod(Pod::new("web-1").without_ids(true));
    world.log("web-1/app").push("a");
    world.run("web --no-follow").stdout("web-1 app a\n").exit(0);
    world.restart_container("web-1/app");
    world.log("web-1/app").push("b");
    world.run("web --no-follow --previous").stdout("web-1 app a\n").exit(0);
    world.terminate_container("web-1/app", 1, "Error");
    world.run("web --no-follow").stdout("web-1 app b\n").exit(0);
}
