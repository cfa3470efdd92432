//! The lives of pods, namespaces, nodes and their clocks.

use std::time::Duration;

use apiserver::{ApiServer, Outage, Pod};
use jiff::SignedDuration;
use serde_json::Value;

use super::{Client, pass, rest, simulate, text, web};

const PODS: &str = "/api/v1/namespaces/default/pods";
const POD: &str = "/api/v1/namespaces/default/pods/web-1";
const LOG: &str = "/api/v1/namespaces/default/pods/web-1/log";
const FOLLOW: &str = "/api/v1/namespaces/default/pods/web-1/log?follow=true";

async fn client(server: &ApiServer) -> Client {
    Client::connect(&server.network(), true).await.unwrap()
}

async fn json(client: &mut Client, path: &str) -> Value {
    serde_json::from_str(&text(client, path).await).unwrap()
}

async fn message(client: &mut Client, path: &str) -> String {
    json(client, path).await["message"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_pod_with_grace_writes_until_its_logs_are_removed() {
    simulate(async {
        let server = web(ApiServer::builder());
        let (log, mut client) = (server.log("web-1/app"), client(&server).await);
        let mut body = client.get(FOLLOW).await.unwrap().into_body();
        server.begin_deletion("web-1");
        log.push("got SIGTERM");
        server.terminate_container("web-1/app", 143, "Error");
        assert_eq!(rest(&mut body).await, "got SIGTERM\n");
        let pod = json(&mut client, POD).await;
        assert_eq!(pod["metadata"]["deletionTimestamp"], "2026-01-31T10:00:00Z");
        assert_eq!(pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"], 143);
        server.remove_logs("web-1");
        let text = text(&mut client, LOG).await;
        assert!(text.starts_with("unable to retrieve container logs for containerd://"), "{text}");
        server.delete_pod("web-1");
        assert_eq!(message(&mut client, POD).await, "pods \"web-1\" not found");
    });
}

#[test]
fn a_pod_without_grace_is_gone_before_its_containers() {
    simulate(async {
        let server = web(ApiServer::builder());
        let (log, mut client) = (server.log("web-1/app"), client(&server).await);
        let mut body = client.get(FOLLOW).await.unwrap().into_body();
        server.delete_without_grace("web-1");
        assert_eq!(message(&mut client, LOG).await, "pods \"web-1\" not found");
        log.push("still here");
        assert_eq!(rest(&mut body).await, "still here\n");
        log.end();
        assert_eq!(rest(&mut body).await, "");
        assert!(server.requests().logs().open().is_empty());
    });
}

#[test]
fn an_evicted_pod_has_failed() {
    simulate(async {
        let server = web(ApiServer::builder());
        server.evict("web-1", "The node was low on resource: memory.");
        let status = json(&mut client(&server).await, POD).await["status"].take();
        assert_eq!((&status["phase"], &status["reason"]), (&"Failed".into(), &"Evicted".into()));
        assert_eq!(status["containerStatuses"][0]["state"]["terminated"]["exitCode"], 137);
    });
}

#[test]
fn a_namespace_ends_after_its_pods() {
    simulate(async {
        let server = web(ApiServer::builder());
        server.add_pod(Pod::new("db-1").namespace("shop"));
        let mut client = client(&server).await;
        server.begin_namespace_deletion("shop");
        let namespace = json(&mut client, "/api/v1/namespaces/shop").await;
        assert_eq!(namespace["status"]["phase"], "Terminating");
        let pods = json(&mut client, "/api/v1/namespaces/shop/pods").await;
        assert!(pods["items"][0]["metadata"]["deletionTimestamp"].is_string());
        server.delete_namespace("shop");
        let pods = json(&mut client, "/api/v1/namespaces/shop/pods").await;
        assert_eq!(pods["items"].as_array().unwrap().len(), 0);
        assert_eq!(message(&mut client, "/api/v1/namespaces/shop").await, "namespaces \"shop\" not found");
        assert_eq!(json(&mut client, PODS).await["items"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn a_lost_node_is_silent_and_then_an_error() {
    simulate(async {
        let server = web(ApiServer::builder());
        let mut client = client(&server).await;
        let mut body = client.get(FOLLOW).await.unwrap().into_body();
        server.lose_node("node-1", Outage::Silent);
        server.log("web-1/app").push("unheard");
        assert_eq!(rest(&mut body).await, "");
        assert!(tokio::time::timeout(Duration::from_secs(3600), client.get(LOG)).await.is_err());
        server.lose_node("node-1", Outage::Unreachable(Duration::from_secs(30)));
        assert!(message(&mut client, LOG).await.ends_with("dial tcp node-1:10250: i/o timeout"));
        server.lose_node("node-1", Outage::TimedOut(Duration::from_secs(30)));
        assert_eq!(client.get(LOG).await.unwrap().status(), 504);
        server.find_node("node-1");
        assert_eq!(text(&mut client, LOG).await, "unheard\n");
    });
}

#[test]
fn a_crash_loop_may_be_faster_than_its_status() {
    simulate(async {
        let server = web(ApiServer::builder());
        let mut client = client(&server).await;
        server.hold_status("web-1");
        for n in 0..5 {
            server.log("web-1/app").push(format!("instance {n}"));
            server.crash_container("web-1/app", 1);
            server.restart_container("web-1/app");
        }
        let status = json(&mut client, POD).await["status"]["containerStatuses"][0].take();
        assert_eq!(status["restartCount"], 0);
        assert_eq!(text(&mut client, &format!("{LOG}?previous=true")).await, "instance 4\n");
        server.crash_container("web-1/app", 1);
        server.report_status("web-1");
        let status = json(&mut client, POD).await["status"]["containerStatuses"][0].take();
        assert_eq!(status["restartCount"], 5);
        assert_eq!(status["state"]["waiting"]["reason"], "CrashLoopBackOff");
        server.keep_no_previous("node-1");
        server.restart_container("web-1/app");
        let text = text(&mut client, &format!("{LOG}?previous=true")).await;
        assert!(text.starts_with("unable to retrieve container logs for "), "{text}");
    });
}

#[test]
fn a_sidecar_runs_beside_the_main_containers() {
    simulate(async {
        let server = web(ApiServer::builder());
        server.add_pod(Pod::new("db-1").init_container("setup").sidecar("proxy").container("db"));
        server.update_pod("db-1", |pod| pod.ephemeral("debug"));
        let pod = json(&mut client(&server).await, "/api/v1/namespaces/default/pods/db-1").await;
        assert_eq!(pod["spec"]["initContainers"][1]["restartPolicy"], "Always");
        assert!(pod["status"]["initContainerStatuses"][1]["state"]["running"].is_object());
        assert_eq!(pod["spec"]["ephemeralContainers"][0]["name"], "debug");
        assert_eq!(pod["status"]["phase"], "Running");
    });
}

#[test]
fn a_node_has_a_clock_of_its_own() {
    simulate(async {
        let server = web(ApiServer::builder());
        let mut client = client(&server).await;
        server.set_node_clock_ahead("node-1", SignedDuration::from_millis(90_500));
        server.log("web-1/app").push("line");
        server.restart_container("web-1/app");
        let log = text(&mut client, &format!("{LOG}?previous=true&timestamps=true")).await;
        assert_eq!(log, "2026-01-31T10:01:30.500000000Z line\n");
        let status = json(&mut client, POD).await["status"]["containerStatuses"][0].take();
        assert_eq!(status["state"]["running"]["startedAt"], "2026-01-31T10:01:30Z");
        assert_eq!(client.get(POD).await.unwrap().headers()["date"], "Sat, 31 Jan 2026 10:00:00 GMT");
        pass(Duration::from_secs(5)).await;
        // The kubelet counts by its own clock.
        let since = |seconds: u32| format!("{LOG}?previous=true&sinceSeconds={seconds}");
        assert_eq!(text(&mut client, &since(4)).await, "");
        assert_eq!(text(&mut client, &since(6)).await, "line\n");
    });
}

#[test]
fn a_pod_that_is_made_now_starts_by_the_clock_of_its_node() {
    simulate(async {
        let server = web(ApiServer::builder());
        server.set_clock_ahead(-40);
        server.set_node_clock_ahead("node-2", SignedDuration::from_millis(90_500));
        server.add_new_pod("node-2", || Pod::new("db-1").node("node-2").container("db"));
        let pod = json(&mut client(&server).await, "/api/v1/namespaces/default/pods/db-1").await;
        assert_eq!(pod["metadata"]["creationTimestamp"], "2026-01-31T09:59:20Z");
        let state = &pod["status"]["containerStatuses"][0]["state"];
        assert_eq!(state["running"]["startedAt"], "2026-01-31T10:00:50Z");
    });
}
