//! Lists, gets and watches.

use apiserver::{ApiServer, Pod, Workload};

use crate::client::{Response, get, json, message, names, open, request};

const PODS: &str = "/api/v1/namespaces/default/pods";

fn pods() -> ApiServer {
    let server = ApiServer::start();
    server.add_pod(Pod::new("api-1").label("app", "api").node("node-a"));
    server.add_pod(Pod::new("web-1").label("app", "web").label("tier", "front").node("node-b"));
    server.add_pod(Pod::new("web-2").namespace("shop").label("app", "web").node("node-a"));
    server
}

/// The type, the name and the resource version of the next event.
fn event(watch: &mut Response) -> (String, String, u64) {
    let event: serde_json::Value = serde_json::from_str(&watch.next()).expect("an event");
    let metadata = &event["object"]["metadata"];
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (text(&event["type"]), text(&metadata["name"]), text(&metadata["resourceVersion"]).parse().unwrap_or(0))
}

fn what(watch: &mut Response) -> String {
    let (what, name, _) = event(watch);
    format!("{what} {name}")
}

#[test]
fn a_list_is_of_one_namespace_or_of_all() {
    let server = pods();
    assert_eq!(names(&server, PODS), ["api-1", "web-1"]);
    assert_eq!(names(&server, "/api/v1/pods"), ["api-1", "web-1", "web-2"]);
}

#[test]
fn lists_are_selected_by_labels() {
    let server = pods();
    let selected = |selector: &str| names(&server, &format!("/api/v1/pods?labelSelector={selector}"));
    assert_eq!(selected("app%3Dweb"), ["web-1", "web-2"]);
    assert_eq!(selected("app!=web"), ["api-1"]);
    assert_eq!(selected("app in (web, db),tier"), ["web-1"]);
    assert_eq!(selected("app,!tier"), ["api-1", "web-2"]);
    assert_eq!(selected("tier notin (front)"), ["api-1", "web-2"]);
}

#[test]
fn lists_are_selected_by_fields() {
    let server = pods();
    let selected = |selector: &str| names(&server, &format!("/api/v1/pods?fieldSelector={selector}"));
    assert_eq!(selected("spec.nodeName=node-a"), ["api-1", "web-2"]);
    assert_eq!(selected("metadata.name=web-1,status.phase=Running"), ["web-1"]);
    let (status, message) = message(&server, "/api/v1/pods?fieldSelector=spec.color=red");
    assert_eq!(status, 400);
    assert!(message.ends_with("field label not supported: spec.color"), "{message}");
}

#[test]
fn lists_come_in_pages_of_one_snapshot() {
    let server = pods();
    let first = json(&server, "/api/v1/pods?limit=2");
    assert_eq!(first["metadata"]["remainingItemCount"], 1);
    server.delete_pod("shop/web-2");
    let token = first["metadata"]["continue"].as_str().unwrap();
    assert_eq!(names(&server, &format!("/api/v1/pods?limit=2&continue={token}")), ["web-2"]);
}

#[test]
fn pages_can_be_forced_and_expire() {
    let server = pods();
    server.set_page_size(1);
    let first = json(&server, "/api/v1/pods?resourceVersion=0");
    let token = first["metadata"]["continue"].as_str().unwrap();
    server.expire_continue_tokens();
    assert_eq!(get(&server, &format!("/api/v1/pods?continue={token}")).0, 410);
}

#[test]
fn one_object_names_its_kind() {
    let server = pods();
    server.add(Workload::deployment("web").namespace("shop").selects("app", "web"));
    let web = json(&server, "/apis/apps/v1/namespaces/shop/deployments/web");
    assert_eq!((&web["kind"], &web["apiVersion"]), (&"Deployment".into(), &"apps/v1".into()));
    assert_eq!(web["spec"]["selector"]["matchLabels"]["app"], "web");
    assert_eq!(
        message(&server, "/apis/apps/v1/namespaces/shop/deployments/db"),
        (404, "deployments.apps \"db\" not found".to_owned())
    );
}

#[test]
fn namespaces_and_nodes_come_with_pods() {
    let server = pods();
    assert_eq!(names(&server, "/api/v1/namespaces"), ["default", "kube-system", "shop"]);
    assert_eq!(names(&server, "/api/v1/nodes"), ["node-a", "node-b"]);
}

#[test]
fn a_pod_shows_all_that_the_test_has_set() {
    let server = ApiServer::start();
    server.add_pod(
        Pod::new("web-1")
            .owner("ReplicaSet", "web-7d9")
            .annotation("note", "x")
            .init_container("setup")
            .container("app")
            .restarts(2)
            .last_terminated(137, "OOMKilled")
            .container("proxy")
            .waiting("ImagePullBackOff", "no image")
            .ephemeral("debug")
            .deleting(),
    );
    let pod = json(&server, &format!("{PODS}/web-1"));
    let status = &pod["status"];
    assert_eq!(pod["metadata"]["ownerReferences"][0]["kind"], "ReplicaSet");
    assert!(pod["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(status["initContainerStatuses"][0]["state"]["terminated"]["reason"], "Completed");
    assert_eq!(status["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 137);
    assert_eq!(status["containerStatuses"][1]["state"]["waiting"]["message"], "no image");
    assert!(status["ephemeralContainerStatuses"][0]["state"]["running"].is_object());
    let ready = status["conditions"].as_array().unwrap().iter().find(|c| c["type"] == "Ready").unwrap();
    assert_eq!(ready["status"], "False");
}

#[test]
fn a_watch_sends_changes_since_a_version() {
    let server = pods();
    let version = json(&server, PODS)["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    server.add_pod(Pod::new("web-3"));
    let mut watch = open(&server, &format!("{PODS}?watch=true&resourceVersion={version}"));
    assert_eq!(what(&mut watch), "ADDED web-3");
    server.restart_container("web-3/app");
    assert_eq!(what(&mut watch), "MODIFIED web-3");
    server.delete_pod("web-3");
    let (deleted, name, at) = event(&mut watch);
    assert_eq!((deleted.as_str(), name.as_str()), ("DELETED", "web-3"));
    assert!(at > version.parse().unwrap());
}

#[test]
fn a_watch_of_a_selection_sees_pods_come_and_go() {
    let server = pods();
    let mut watch = open(&server, &format!("{PODS}?watch=true&labelSelector=app=web"));
    assert_eq!(what(&mut watch), "ADDED web-1");
    server.update_pod("web-1", |pod| pod.label("app", "old"));
    assert_eq!(what(&mut watch), "DELETED web-1");
    server.update_pod("api-1", |pod| pod.label("app", "web"));
    assert_eq!(what(&mut watch), "ADDED api-1");
}

#[test]
fn a_watch_list_marks_the_end_of_the_list() {
    let server = pods();
    let mut watch =
        open(&server, &format!("{PODS}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true"));
    assert_eq!((what(&mut watch), what(&mut watch)), ("ADDED api-1".to_owned(), "ADDED web-1".to_owned()));
    assert!(watch.next().contains("\"k8s.io/initial-events-end\":\"true\""));
}

#[test]
fn bookmarks_go_to_watches_that_asked() {
    let server = pods();
    let mut watch = open(&server, "/api/v1/pods?watch=true&resourceVersion=1000&allowWatchBookmarks=true");
    let last = (0..3).map(|_| event(&mut watch).2).last().unwrap();
    server.bookmark();
    assert_eq!(event(&mut watch), ("BOOKMARK".to_owned(), String::new(), last));
}

#[test]
fn a_watch_from_a_forgotten_version_gets_410() {
    let server = pods();
    server.compact();
    let mut watch = open(&server, &format!("{PODS}?watch=true&resourceVersion=1001"));
    let event: serde_json::Value = serde_json::from_str(&watch.next()).unwrap();
    assert_eq!((&event["type"], &event["object"]["code"]), (&"ERROR".into(), &410.into()));
    assert!(watch.chunk().unwrap().is_none());
}

#[test]
fn open_watches_can_be_expired() {
    let server = pods();
    let mut watch = open(&server, &format!("{PODS}?watch=true&resourceVersion=0&labelSelector=app=none"));
    server.expire_watches();
    assert!(watch.text().contains("\"code\":410"));
}

#[test]
fn a_watch_ends_after_its_timeout() {
    let server = ApiServer::start();
    assert_eq!(get(&server, &format!("{PODS}?watch=true&timeoutSeconds=1")), (200, String::new()));
}

#[test]
fn discovery_lists_the_served_resources() {
    let server = ApiServer::start();
    assert_eq!(json(&server, "/version")["major"], "1");
    assert_eq!(json(&server, "/apis")["groups"][0]["name"], "apps");
    assert_eq!(json(&server, "/apis/batch/v1")["resources"][1]["shortNames"][0], "cj");
    assert_eq!(get(&server, "/apis/example.com/v1/things").0, 404);
}

#[test]
fn five_thousand_pods_are_listed_and_watched() {
    let server = ApiServer::start();
    server.add_pods((0..5000).map(|n| Pod::new(format!("pod-{n}"))));
    assert_eq!(names(&server, PODS).len(), 5000);
    let mut watch = open(&server, &format!("{PODS}?watch=true"));
    for _ in 0..5000 {
        assert!(what(&mut watch).starts_with("ADDED pod-"));
    }
}

#[test]
fn a_long_list_is_compressed_if_the_request_allows_it() {
    let server = ApiServer::start();
    let text = "some words ".repeat(1000);
    let mut pods = (0..12).map(|n| Pod::new(format!("web-{n}")).annotation("text", &text));
    let encoding = || {
        let response = request(server.address(), PODS, &[("accept-encoding", "gzip")]).expect("an answer");
        response.header("content-encoding").map(str::to_owned)
    };
    server.add_pods(pods.by_ref().take(4));
    assert_eq!(encoding(), None);
    server.add_pods(pods);
    assert_eq!(encoding().as_deref(), Some("gzip"));
    assert_eq!(open(&server, PODS).header("content-encoding"), None);
}
