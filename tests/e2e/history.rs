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
fn sorted_lines_of_twenty_pods_are_those_of_kubectl_sorted() {
    let namespace = Namespace::new("sorted");
    let pods: Vec<_> = (10..30).map(|n| format!("web-{n}")).collect();
    for pod in &pods {
        let script =
            format!("for i in $(seq 500); do echo {pod} $i; usleep 1000; done; echo last; sleep 3600");
        namespace.create(Pod::new(pod).container("app", &script));
    }
    let mut truth = Vec::new();
    for pod in &pods {
        namespace.until_logged(pod, "app", "last");
        let log = namespace.kubectl(&["logs", pod, "--timestamps"]);
        let log = String::from_utf8(log).expect("text");
        // One node writes all timestamps, in one zone and with nine digits.
        truth.extend(log.lines().map(|line| {
            let (time, message) = line.split_once(' ').expect("a timestamp");
            (time.to_owned(), format!("{pod} app {message}"))
        }));
    }
    // Lines of the same instant stay in order.
    truth.sort_by(|a, b| a.0.cmp(&b.0));
    let expected: Vec<_> = truth.iter().map(|(_, line)| line).collect();
    for places in ["3", "20"] {
        let output = namespace.stern(&["web", "--no-follow", "--sort", "--max-log-requests", places]);
        assert!(output.lines() == expected, "the output differs from that of kubectl and sort");
    }
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
