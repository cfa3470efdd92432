//! The roles of docs/rbac.yaml: each gives what its way to use the program needs, and no right that it does not need.

use serde_json::{Value, json};

use crate::harness::{Namespace, Pod, Right, Rights};

const ALL: [&str; 4] = [".", "--no-follow", "--output=raw", "--exclude-pod=^none$"];

/// A namespace with the roles, and a pod `web-0` with the label `app=NAMESPACE`.
fn rights(title: &str) -> Rights {
    let rights = Rights::new(title);
    let namespace = &rights.namespace;
    let mut pod =
        Pod::new("web-0").label("app", &namespace.name).container("app", "echo hello").into_object();
    // It has a controller, so that no workload of the tests takes it for its own and deletes it.
    namespace.apply(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner"}}));
    let uid = namespace.kubectl(&["get", "configmap", "owner", "--output", "jsonpath={.metadata.uid}"]);
    let uid = String::from_utf8(uid).unwrap();
    pod["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid, "controller": true}]);
    namespace.apply(&pod);
    namespace.until_done("web-0");
    rights
}

fn is(right: &Right, verb: &str, resource: &str) -> bool {
    (&*right.verb, &*right.resource) == (verb, resource)
}

/// `not allowed to list pods …`, as docs/troubleshooting.md has it.
fn refusal(right: &Right) -> String {
    format!("not allowed to {} {}", right.verb, right.resource)
}

#[test]
fn the_logs_of_a_namespace_need_list_watch_and_the_log() {
    let rights = rights("rights-logs");
    assert_eq!(rights.run("stern-rs", &ALL).lines(), ["hello"]);
    rights.without_each("clusterrole/stern-rs-logs", "stern-rs", &[], |missing| {
        let output = rights.run("stern-rs", &ALL);
        if is(missing, "watch", "pods") {
            assert_eq!((output.code, output.lines()), (Some(0), vec!["hello"]), "{}", output.stderr);
            let mut tail = rights.start("stern-rs", &["."]);
            tail.until_shown("web-0 app hello\n");
            tail.until_reported("not allowed to watch pods");
            tail.until_reported("asking every 5 s instead");
            return;
        }
        assert_eq!((output.code, output.reported(&refusal(missing))), (Some(1), 1), "{}", output.stderr);
    });
}

#[test]
fn several_namespaces_need_the_same_in_each() {
    let (rights, other) = (rights("rights-here"), Namespace::new("rights-there"));
    other.run(Pod::new("web-0").container("app", "echo there"));
    let namespaces = format!("--namespace={},{}", rights.namespace.name, other.name);
    let args = [&ALL[..], &[&namespaces]].concat();
    let output = rights.run("stern-rs", &args);
    let refused = format!("not allowed to list pods in namespace \"{}\"", other.name);
    assert_eq!((output.code, output.lines(), output.reported(&refused)), (Some(3), vec!["hello"], 1));

    let binding = rights.named("stern-rs-logs");
    let binding = rights.namespace.kubectl(&["get", "rolebinding", &binding, "--output", "json"]);
    let mut binding: Value = serde_json::from_slice(&binding).unwrap();
    binding["metadata"] = json!({"name": "stern-rs-logs"});
    other.apply(&binding);
    let user = format!("system:serviceaccount:{}:{}", rights.namespace.name, rights.named("stern-rs"));
    other.until_allowed(&user, &["get", "pods", "--subresource", "log"]);
    let output = rights.run("stern-rs", &args);
    assert_eq!((output.code, output.sorted_lines()), (Some(0), vec!["hello", "there"]), "{}", output.stderr);
}

/// An object of this resource that selects the pods with this label, and has none of its own.
fn workload(right: &Right, label: &str) -> Value {
    let labels = json!({"app": label});
    let pod =
        json!({"containers": [{"name": "app", "image": "busybox:1.35"}], "nodeSelector": {"no": "node"}});
    let template = json!({"metadata": {"labels": labels}, "spec": pod});
    let (kind, spec) = match &*right.resource {
        "services" => ("Service", json!({"selector": labels, "ports": [{"port": 80}]})),
        "replicationcontrollers" => {
            ("ReplicationController", json!({"replicas": 0, "selector": labels, "template": template}))
        }
        "jobs" => {
            let mut template = template;
            template["spec"]["restartPolicy"] = "Never".into();
            let selector = json!({"matchLabels": labels});
            (
                "Job",
                json!({"parallelism": 0, "manualSelector": true, "selector": selector, "template": template}),
            )
        }
        resource => {
            let kind = match resource {
                "deployments" => "Deployment",
                "daemonsets" => "DaemonSet",
                "replicasets" => "ReplicaSet",
                "statefulsets" => "StatefulSet",
                _ => panic!("{right:?} is of no kind that selects pods"),
            };
            let mut spec = json!({"selector": {"matchLabels": labels}, "template": template});
            if resource != "daemonsets" {
                spec["replicas"] = 0.into();
            }
            if resource == "statefulsets" {
                spec["serviceName"] = "web".into();
            }
            (kind, spec)
        }
    };
    let version = if right.group.is_empty() { "v1".to_owned() } else { format!("{}/v1", right.group) };
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": label}, "spec": spec})
}

/// Adds a workload of each kind of the role, which selects `web-0`.
fn add_workloads(rights: &Rights, role: &str) {
    for right in rights.of(role) {
        rights.namespace.apply(&workload(&right, &rights.namespace.name));
    }
}

#[test]
fn a_workload_needs_get_on_its_kind() {
    let rights = rights("rights-kinds");
    let (role, name) = ("clusterrole/stern-rs-workloads", rights.namespace.name.clone());
    add_workloads(&rights, role);
    assert_eq!(rights.of(role).len(), 7);
    let run = |right: &Right| {
        let query = format!("{}/{name}", right.resource);
        rights.run("stern-rs", &[&query, "--no-follow", "--output=raw"])
    };
    for right in rights.of(role) {
        let output = run(&right);
        assert_eq!((output.code, output.lines()), (Some(0), vec!["hello"]), "{right:?}: {}", output.stderr);
    }
    rights.without_each(role, "stern-rs", &[], |missing| {
        let output = run(missing);
        assert_eq!((output.code, output.reported(&refusal(missing))), (Some(1), 1), "{}", output.stderr);
    });
}

#[test]
fn all_namespaces_need_list_on_the_kind() {
    let rights = rights("rights-everywhere");
    let (role, name) = ("clusterrole/stern-rs-workloads-everywhere", rights.namespace.name.clone());
    add_workloads(&rights, role);
    let label = format!("app={name}");
    let output = rights.run("stern-rs-everywhere", &["-A", "-l", &label, "--no-follow", "--output=raw"]);
    assert_eq!((output.code, output.lines()), (Some(0), vec!["hello"]), "{}", output.stderr);
    let run = |right: &Right| {
        let query = format!("{}/{name}", right.resource);
        rights.run("stern-rs-everywhere", &["-A", &query, "--no-follow", "--output=raw"])
    };
    for right in rights.of(role) {
        let output = run(&right);
        assert_eq!((output.code, output.lines()), (Some(0), vec!["hello"]), "{right:?}: {}", output.stderr);
    }
    rights.without_each(role, "stern-rs-everywhere", &[], |missing| {
        let output = run(missing);
        assert_eq!((output.code, output.reported(&refusal(missing))), (Some(1), 1), "{}", output.stderr);
    });
}

#[test]
fn completion_needs_list() {
    let rights = rights("rights-complete");
    add_workloads(&rights, "clusterrole/stern-rs-workloads-everywhere");
    let name = rights.namespace.name.clone();
    let node = rights.namespace.kubectl(&["get", "pod", "web-0", "--output", "jsonpath={.spec.nodeName}"]);
    let node = String::from_utf8(node).unwrap();
    let complete = |right: &Right| {
        let kind = format!("{}/", right.resource);
        let (words, wanted): (&[&str], _) = match &*right.resource {
            "namespaces" => (&["-n", &name], name.clone()),
            "nodes" => (&["--node", ""], node.clone()),
            _ => (&[&kind], format!("{kind}{name}")),
        };
        rights.complete("stern-rs-everywhere", words).lines().any(|line| line == wanted)
    };
    for role in ["clusterrole/stern-rs-completion", "clusterrole/stern-rs-workloads-everywhere"] {
        for right in rights.of(role) {
            // A slow answer completes nothing.
            rights.namespace.until(&format!("completed with {right:?}"), || complete(&right));
        }
        rights.without_each(role, "stern-rs-everywhere", &[], |missing| assert!(!complete(missing)));
    }
}

#[test]
fn one_pod_needs_get_on_it_and_its_log() {
    let rights = rights("rights-one-pod");
    rights.namespace.run(Pod::new("web-1").container("app", "echo other"));
    let run = |query| rights.run("stern-rs-one-pod", &[query, "--no-follow", "--output=raw"]);
    assert_eq!(run("pod/web-0").lines(), ["hello"]);
    let other = run("pod/web-1");
    assert_eq!((other.code, other.lines().len()), (Some(1), 0), "{}", other.stderr);
    let mut tail = rights.start("stern-rs-one-pod", &["pod/web-0"]);
    tail.until_shown("web-0 app hello\n");
    tail.until_reported("every 5 s instead");
    drop(tail);
    rights.without_each("role/stern-rs-one-pod", "stern-rs-one-pod", &["web-0"], |missing| {
        let output = run("pod/web-0");
        let refused =
            if missing.resource == "pods" { "not allowed to list pods".to_owned() } else { refusal(missing) };
        assert_eq!((output.code, output.reported(&refused)), (Some(1), 1), "{}", output.stderr);
    });
}

#[test]
fn a_job_decides_whether_it_succeeded_only_if_it_may_be_read() {
    let rights = Rights::new("rights-job");
    let container =
        json!({"name": "app", "image": "busybox:1.35", "command": ["sh", "-c", "echo hello; sleep 1"]});
    let spec = json!({"restartPolicy": "Never", "containers": [container]});
    rights.namespace.apply(&json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"},
        "spec": {"backoffLimit": 0, "template": {"spec": spec}},
    }));
    let args = ["job/migrate", "--exit-on-complete", "--timeout=2m", "--output=raw"];
    let output = rights.run("stern-rs", &args);
    assert_eq!((output.code, output.lines()), (Some(0), vec!["hello"]), "{}", output.stderr);
    rights.without_each("clusterrole/stern-rs-workloads", "stern-rs", &[], |missing| {
        if missing.resource == "jobs" {
            let output = rights.run("stern-rs", &args);
            assert_eq!((output.code, output.lines()), (Some(0), vec!["hello"]), "{}", output.stderr);
            assert_eq!(output.reported("its pods are found by the label job-name, and decide"), 1);
        }
    });
}
