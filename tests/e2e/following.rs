//! Pods that start, restart and go while they are followed.

use crate::harness::{Namespace, Pod};

const HELLO: &str = "echo hello; sleep 3600";

#[test]
fn a_pod_that_comes_later_is_picked_up() {
    let namespace = Namespace::new("new");
    let mut tail = namespace.tail(&["web"]);
    tail.until_reported("no container matches");
    for name in ["web-1", "web-2"] {
        namespace.create(Pod::new(name).container("app", HELLO));
        tail.until_shown(&format!("{name} app hello\n"));
        tail.until_reported(&format!("+ {name} › app\n"));
    }
    assert_eq!(tail.interrupt().lines(), ["web-1 app hello", "web-2 app hello"]);
}

#[test]
fn the_last_lines_of_a_deleted_pod_are_shown() {
    let namespace = Namespace::new("deleted");
    let script = r#"trap 'for i in $(seq 1000); do echo "bye $i"; done; exit' TERM
                    echo hello
                    while :; do sleep 0.1; done"#;
    namespace.create(Pod::new("web").grace_seconds(30).container("app", script));
    let mut tail = namespace.tail(&["web", "--output", "raw"]);
    tail.until_shown("hello\n");
    namespace.delete("web");
    tail.until_reported("- web › app");

    let expected: Vec<_> = ["hello".to_owned()].into_iter().chain(numbered("bye", 1000)).collect();
    assert_eq!(tail.interrupt().lines(), expected);
}

#[test]
fn a_restarting_container_shows_every_line_of_every_life_once() {
    let namespace = Namespace::new("restarts");
    // Each instance lives long enough for a busy apiserver to learn of it.
    let script = r#"life=$(($(cat /state/life 2>/dev/null || echo 0) + 1)); echo $life >/state/life
                    for i in $(seq 500); do echo "life $life, line $i"; done
                    sleep 6; [ $life = 3 ] && sleep 3600
                    echo "life $life ends"; exit 1"#;
    let mut tail = namespace.tail(&["web", "--output", "raw"]);
    tail.until_reported("no container matches");
    namespace.create(Pod::new("web").restarting().container("app", script));
    tail.until_shown("life 3, line 500\n");
    let output = tail.interrupt();

    let mut expected = Vec::new();
    for life in 1..=3 {
        expected.extend(numbered(&format!("life {life}, line"), 500));
        expected.push(format!("life {life} ends"));
    }
    expected.pop();
    assert_eq!(output.lines(), expected);
    let counts = ["+ web › app", "- web › app", "── web › app restarted: Error, exit 1, ran "];
    assert_eq!(counts.map(|text| output.reported(text)), [1, 2, 2], "{}", output.stderr);
}

#[test]
fn a_container_that_cannot_start_is_reported_once() {
    let namespace = Namespace::new("waiting");
    let mut tail = namespace.tail(&["web"]);
    namespace.create(Pod::new("web").container_without_image("app"));
    tail.until_reported("waits: ImagePullBackOff");
    // The kubelet alternates between the two.
    namespace.until_waiting("web", "app", "ErrImagePull");
    namespace.until_waiting("web", "app", "ImagePullBackOff");
    let output = tail.interrupt();
    assert_eq!(output.reported("! web › app waits: ImagePullBackOff"), 1);
    assert_eq!(output.reported("! web › app waits: ErrImagePull"), 1);
}

fn numbered(word: &str, last: u32) -> impl Iterator<Item = String> {
    (1..=last).map(move |number| format!("{word} {number}"))
}
