//! The permissions that a user needs.

use serde_json::json;

use crate::harness::{Namespace, Pod};

/// A namespace with a pod, and a user who may get only that pod and its log.
fn pod_and_reader(title: &str, script: &str) -> (Namespace, String) {
    let namespace = Namespace::new(title);
    namespace.create(Pod::new("web").container("app", script));
    let user = namespace.account(json!([
        {"apiGroups": [""], "resources": ["pods", "pods/log"], "resourceNames": ["web"], "verbs": ["get"]},
    ]));
    namespace.until_allowed(&user, &["get", "pods/web", "--subresource", "log"]);
    namespace.until_logged("web", "app", "hello");
    (namespace, user)
}

#[test]
fn get_on_one_pod_is_enough_to_show_it() {
    let (namespace, user) = pod_and_reader("get", "echo hello");
    let output = namespace.stern(&["pod/web", "--as", &user, "--no-follow"]);
    assert_eq!(output.lines(), ["web app hello"]);
    assert_eq!(output.stderr, "+ web › app\n- web › app\n");
    assert_eq!(output.code, Some(0));
}

#[test]
fn get_on_one_pod_is_enough_to_follow_it() {
    let (namespace, user) = pod_and_reader("get-follow", "while :; do echo hello; sleep 1; done");
    let mut tail = namespace.tail(&["pod/web", "--as", &user, "--tail", "0"]);
    tail.until_shown("web app hello\n");
    let output = tail.interrupt();
    assert_eq!(output.reported("not allowed to list pods"), 1);
}

#[test]
fn a_missing_list_permission_is_named() {
    let (namespace, user) = pod_and_reader("no-list", "echo hello");
    let output = namespace.stern(&["web", "--as", &user]);
    assert_eq!(output.code, Some(1));
    let wanted = [&user, "\"list\"", "\"pods\"", &format!("namespace \"{}\"", namespace.name)];
    for word in wanted {
        assert_eq!(output.reported(word), 1, "{word}");
    }
}

#[test]
fn a_missing_log_permission_is_named() {
    let namespace = Namespace::new("no-log");
    namespace.run(Pod::new("web").container("app", "echo hello"));
    let user = namespace.account(json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]));
    namespace.until_allowed(&user, &["list", "pods"]);
    let output = namespace.stern(&["web", "--as", &user, "--no-follow"]);
    assert_eq!(output.code, Some(1));
    for word in [&user, "\"get\"", "\"pods/log\"", &format!("namespace \"{}\"", namespace.name)] {
        assert_eq!(output.reported(word), 1, "{word}");
    }
}
