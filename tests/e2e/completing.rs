//! Jobs to their end, and the lives of a container, on a real cluster.

use serde_json::{Value, json};

use crate::harness::{Namespace, Pod};

/// A Job that runs this script, and again once if it fails.
fn job(script: &str) -> Value {
    let container = json!({"name": "app", "image": "busybox:1.35", "command": ["sh", "-c", script]});
    let spec = json!({"restartPolicy": "Never", "containers": [container]});
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"},
        "spec": {"backoffLimit": 1, "template": {"spec": spec}},
    })
}

const FLAGS: [&str; 5] = ["job/migrate", "--exit-on-complete", "--timeout", "2m", "--output=raw"];

#[test]
fn a_job_is_followed_from_before_it_exists_until_it_has_succeeded() {
    let namespace = Namespace::new("succeeds");
    let mut tail = namespace.tail(&FLAGS);
    tail.until_reported("waiting for it");
    namespace.apply(&job("echo begin; sleep 1; echo end"));
    let output = tail.wait();
    assert_eq!((output.code, output.lines()), (Some(0), vec!["begin", "end"]), "{}", output.stderr);
}

#[test]
fn a_job_that_fails_twice_is_followed_until_it_has_failed() {
    let namespace = Namespace::new("fails");
    namespace.apply(&job("echo boom; exit 3"));
    let output = namespace.stern(&FLAGS);
    assert_eq!((output.code, output.lines()), (Some(5), vec!["boom", "boom"]), "{}", output.stderr);
    assert_eq!(output.stderr.matches("› app: failed: exit 3 (Error)\n").count(), 2, "{}", output.stderr);
    assert!(output.stderr.contains("failed: BackoffLimitExceeded"), "{}", output.stderr);
}

#[test]
fn the_previous_life_of_a_container_comes_before_the_current_one() {
    let namespace = Namespace::new("lives");
    let script = r#"life=$(($(cat /state/life 2>/dev/null || echo 0) + 1)); echo $life >/state/life
                    echo "life $life"; sleep 3; [ $life = 2 ] && sleep 3600
                    echo "life $life ends"; exit 1"#;
    namespace.create(Pod::new("web").restarting().container("app", script));
    namespace.until_logged("web", "app", "life 2");
    // The status comes later than the log.
    namespace.until_restarted("web", 1);
    let output = namespace.stern(&["web", "--with-previous", "--no-follow", "--output=raw"]);
    assert_eq!((output.code, output.lines()), (Some(0), vec!["life 1", "life 1 ends", "life 2"]));
    assert_eq!(output.reported("── web › app restarted: Error, exit 1, ran "), 1, "{}", output.stderr);
}
