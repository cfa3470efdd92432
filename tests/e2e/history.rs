//! Lines that were written before the start.

use crate::harness::{Namespace, Pod};

#[test]
fn without_following_every_line_is_shown_once_and_in_order() {
    let namespace = Namespace::new("complete");
    namespace.create(Pod::new("numbers").container("app", "seq 20000; sleep 3600"));
    namespace.until_logged("numbers", "app", "20000");
    let output = namespace.stern(&["numbers", "--no-follow", "--output", "raw"]);
    let expected: Vec<_> = (1..=20_000).map(|number| number.to_string()).collect();
    assert!(output.lines() == expected, "the output differs from that of seq");
}

#[test]
fn tail_shows_the_last_lines() {
    let namespace = Namespace::new("tail");
    namespace.run(Pod::new("numbers").container("app", "seq 100"));
    let output = namespace.stern(&["numbers", "--no-follow", "--tail", "3"]);
    assert_eq!(output.lines(), ["numbers app 98", "numbers app 99", "numbers app 100"]);
}

#[test]
fn since_leaves_out_what_is_older() {
    let namespace = Namespace::new("since");
    let script = "echo old; sleep 12; while :; do echo new; sleep 1; done";
    namespace.create(Pod::new("web").container("app", script));
    namespace.until_logged("web", "app", "new");
    let output = namespace.stern(&["web", "--no-follow", "--since", "6s", "--output", "raw"]);
    assert!(output.lines().contains(&"new"));
    assert!(!output.lines().contains(&"old"));
}

#[test]
fn previous_shows_the_life_before() {
    let namespace = Namespace::new("previous");
    let first_dies = r#"[ -e /state/lived ] && { echo "second life"; sleep 3600; }
                        touch /state/lived; echo "first life"; exit 1"#;
    let pod = Pod::new("web").restarting().container("app", first_dies);
    namespace.create(pod.container("steady", "echo steady; sleep 3600"));
    namespace.until_logged("web", "app", "second life");
    let output = namespace.stern(&["web", "--previous"]);
    assert_eq!(output.lines(), ["web app first life"]);
    assert_eq!(output.reported("web › steady"), 1);
    assert_eq!(output.code, Some(0));
}

#[test]
fn one_at_a_time_shows_init_containers_first() {
    let namespace = Namespace::new("init");
    let pod = Pod::new("web").init_container("fetch", "seq 3").init_container("unpack", "seq 3");
    namespace.run(pod.container("app", "seq 3").container("proxy", "seq 3"));
    let output = namespace.stern(&["web", "--no-follow", "--max-log-requests", "1"]);
    let lines = |container: &str| [1, 2, 3].map(|number| format!("web {container} {number}"));
    assert_eq!(output.lines(), ["fetch", "unpack", "app", "proxy"].map(lines).concat());
}
