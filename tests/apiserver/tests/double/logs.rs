//! Logs, as a kubelet serves them.

use crate::client::{self, get, message, open};
use apiserver::{After, Answer, ApiServer, Chunks, Ended, Match, Pod};

const LOG: &str = "/api/v1/namespaces/default/pods/web-1/log";

fn web() -> ApiServer {
    let server = ApiServer::start();
    server.add_pod(Pod::new("web-1"));
    server
}

fn counted(lines: usize) -> ApiServer {
    let server = web();
    let numbers = (0..lines).map(|n| n.to_string());
    server.log("web-1/app").lines_at("2026-01-01T00:00:00.5Z", 1_000_000_000, numbers);
    server
}

#[test]
fn a_log_is_given_whole() {
    assert_eq!(get(&counted(3), LOG), (200, "0\n1\n2\n".to_owned()));
}

#[test]
fn timestamps_have_nine_digits() {
    let server = web();
    server.log("web-1/app").push_at("2026-01-02T03:04:05.000000006Z", "hello");
    assert_eq!(get(&server, &format!("{LOG}?timestamps=true")).1, "2026-01-02T03:04:05.000000006Z hello\n");
}

#[test]
fn tail_counts_from_the_end() {
    let server = counted(3);
    assert_eq!(get(&server, &format!("{LOG}?tailLines=2")).1, "1\n2\n");
    assert_eq!(get(&server, &format!("{LOG}?tailLines=0")).1, "");
}

#[test]
fn since_time_is_cut_to_whole_seconds_and_inclusive() {
    assert_eq!(get(&counted(3), &format!("{LOG}?sinceTime=2026-01-01T00:00:01.9Z")).1, "1\n2\n");
}

#[test]
fn since_is_asked_of_each_line() {
    let server = web();
    let log = server.log("web-1/app");
    log.push_at("2026-01-01T00:00:05Z", "new").push_at("2026-01-01T00:00:01Z", "old");
    log.push_at("2026-01-01T00:00:06Z", "newer");
    assert_eq!(get(&server, &format!("{LOG}?sinceTime=2026-01-01T00:00:05Z")).1, "new\nnewer\n");
}

#[test]
fn since_seconds_goes_by_the_servers_clock() {
    let server = web();
    server.log("web-1/app").push("before");
    server.set_clock_ahead(3600);
    server.log("web-1/app").push("after");
    assert_eq!(get(&server, &format!("{LOG}?sinceSeconds=60")).1, "after\n");
}

#[test]
fn limit_bytes_cuts_within_a_line_and_ends_following() {
    let server = counted(3);
    assert_eq!(get(&server, &format!("{LOG}?limitBytes=3")).1, "0\n1");
    assert_eq!(get(&server, &format!("{LOG}?limitBytes=3&follow=true")).1, "0\n1");
}

#[test]
fn bytes_are_sent_as_they_are() {
    let server = web();
    server.log("web-1/app").push(b"\xff").push_raw("begun, ").push_raw("and ended");
    let mut response = open(&server, LOG);
    assert_eq!(response.chunk().unwrap().unwrap(), b"\xff\nbegun, and ended");
}

#[test]
fn a_line_in_parts_has_one_timestamp() {
    let server = web();
    server.log("web-1/app").push_raw("begun, ").push("and ended").push("next");
    let text = get(&server, &format!("{LOG}?timestamps=true")).1;
    let lines: Vec<&str> = text.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(lines, ["begun, and ended", "next"]);
}

#[test]
fn words_of_the_kubelet_have_no_timestamp() {
    let server = web();
    server.log("web-1/app").push_kubelet_error("failed to watch file");
    assert_eq!(get(&server, &format!("{LOG}?timestamps=true")).1, "failed to watch file\n");
}

#[test]
fn followed_lines_come_one_a_chunk_history_first() {
    let server = counted(2);
    let mut response = open(&server, &format!("{LOG}?follow=true"));
    assert_eq!((response.next(), response.next()), ("0\n".to_owned(), "1\n".to_owned()));
    server.log("web-1/app").push("live");
    assert_eq!(response.next(), "live\n");
}

#[test]
fn without_following_chunks_have_2048_bytes() {
    let server = web();
    server.log("web-1/app").extend((0..10_000).map(|n| format!("line {n}")));
    let (chunks, _) = open(&server, LOG).chunks();
    assert!(chunks[..chunks.len() - 1].iter().all(|chunk| chunk.len() == 2048));
    assert_eq!(chunks.concat().lines().count(), 10_000);
}

#[test]
fn following_ends_with_the_container() {
    let server = counted(1);
    let mut response = open(&server, &format!("{LOG}?follow=true"));
    assert_eq!(response.next(), "0\n");
    server.log("web-1/app").push("last words");
    server.terminate_container("web-1/app", 0, "Completed");
    assert_eq!(response.text(), "last words\n");
    assert_eq!(get(&server, LOG).1, "0\nlast words\n");
}

#[test]
fn following_ends_with_the_pod() {
    let server = counted(1);
    let mut response = open(&server, &format!("{LOG}?follow=true"));
    server.delete_pod("web-1");
    assert_eq!(response.text(), "0\n");
    assert_eq!(message(&server, LOG), (404, "pods \"web-1\" not found".to_owned()));
}

#[test]
fn a_restart_makes_the_log_the_previous_one() {
    let server = counted(1);
    let before = server.container_id("web-1/app");
    server.restart_container("web-1/app");
    server.log("web-1/app").push("anew");
    assert_eq!(get(&server, LOG).1, "anew\n");
    assert_eq!(get(&server, &format!("{LOG}?previous=true")).1, "0\n");
    let status =
        &client::json(&server, "/api/v1/namespaces/default/pods/web-1")["status"]["containerStatuses"][0];
    assert_eq!(status["restartCount"], 1);
    assert_eq!(status["lastState"]["terminated"]["containerID"], before);
    assert_ne!(status["containerID"], before);
}

#[test]
fn a_container_that_waits_after_a_crash_shows_its_last_instance() {
    let server = counted(1);
    server.terminate_container("web-1/app", 1, "Error");
    server.update_pod("web-1", |pod| pod.waiting("CrashLoopBackOff", "back-off 10s"));
    assert_eq!(get(&server, LOG).1, "0\n");
    assert_eq!(get(&server, &format!("{LOG}?previous=true")).1, "0\n");
}

#[test]
fn refusals_are_in_the_kubelets_words() {
    let server = ApiServer::start();
    server.add_pod(
        Pod::new("web-1")
            .init_container("setup")
            .container("app")
            .waiting("ContainerCreating", "")
            .container("b"),
    );
    let message_of = |query: &str| message(&server, &format!("{LOG}?{query}"));
    let bad = |message: &str| (400, message.to_owned());
    assert_eq!(
        message_of(""),
        bad("a container name must be specified for pod web-1, choose one of: [setup app b]")
    );
    assert_eq!(message_of("container=x"), bad("container x is not valid for pod web-1"));
    assert_eq!(
        message_of("container=app"),
        bad("container \"app\" in pod \"web-1\" is waiting to start: ContainerCreating")
    );
    assert_eq!(
        message_of("container=b&previous=true"),
        bad("previous terminated container \"b\" in pod \"web-1\" not found")
    );
}

#[test]
fn a_pod_without_a_node_has_an_empty_log() {
    let server = ApiServer::start();
    server.add_pod(Pod::new("web-1").unscheduled());
    assert_eq!(get(&server, LOG), (200, String::new()));
}

#[test]
fn after_a_rotation_new_readers_see_only_what_came_since() {
    let server = counted(2);
    let mut follower = open(&server, &format!("{LOG}?follow=true"));
    server.log("web-1/app").rotate().push("new file");
    assert_eq!(get(&server, LOG).1, "new file\n");
    server.delete_pod("web-1");
    assert_eq!(follower.text(), "0\n1\nnew file\n");
}

#[test]
fn silenced_followers_hear_neither_lines_nor_the_end() {
    let server = counted(1);
    let mut follower = open(&server, &format!("{LOG}?follow=true"));
    assert_eq!(follower.next(), "0\n");
    server.log("web-1/app").silence_followers().push("unheard");
    let mut later = open(&server, &format!("{LOG}?follow=true&tailLines=1"));
    assert_eq!(later.next(), "unheard\n");
    assert_eq!(server.account().open_log_streams, 2);
    server.insert(Match::logs(), "probe\n");
    assert_eq!(follower.next(), "probe\n");
}

#[test]
fn a_stopped_kubelet_ends_streams_and_refuses_new_ones() {
    let server = counted(1);
    let mut follower = open(&server, &format!("{LOG}?follow=true"));
    assert_eq!(follower.next(), "0\n");
    server.stop_kubelet("node-1");
    assert_eq!(follower.text(), "");
    assert!(message(&server, LOG).1.ends_with("dial tcp node-1:10250: connect: connection refused"));
    server.start_kubelet("node-1");
    assert_eq!(get(&server, LOG).1, "0\n");
}

#[test]
fn a_million_lines_are_quick() {
    let server = web();
    server.log("web-1/app").extend((0..1_000_000).map(|_| [b'x'; 100]));
    let mut response = open(&server, &format!("{LOG}?timestamps=true"));
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().unwrap() {
        bytes += chunk.len();
    }
    assert_eq!(bytes, 132_000_000);
}

#[test]
fn a_thousand_streams_are_open_at_once() {
    let server = ApiServer::start();
    server.add_pods((0..1000).map(|n| Pod::new(format!("pod-{n}"))));
    let mut streams: Vec<_> = (0..1000)
        .map(|n| open(&server, &format!("/api/v1/namespaces/default/pods/pod-{n}/log?follow=true")))
        .collect();
    for n in 0..1000 {
        server.log(&format!("pod-{n}/app")).push(format!("hello from {n}"));
    }
    for (n, stream) in streams.iter_mut().enumerate() {
        assert_eq!(stream.next(), format!("hello from {n}\n"));
    }
    assert_eq!(server.account().peak_log_streams, 1000);
    drop(streams);
    server.wait_for(|account| account.open_connections == 0);
    assert!(server.requests().logs().iter().all(|log| log.ended() == Some(Ended::Abandoned)));
}

#[test]
fn chunks_are_cut_as_scripted() {
    let server = counted(2);
    server.on(Match::logs()).then(Answer::ok().chunks(Chunks::Sizes(vec![10, 1, 100])));
    let (chunks, _) = open(&server, &format!("{LOG}?timestamps=true")).chunks();
    assert_eq!(chunks, ["2026-01-01", "T", "00:00:00.500000000Z 0\n2026-01-01T00:00:01.500000000Z 1\n"]);
}

#[test]
fn a_cut_comes_after_exactly_so_many_bytes() {
    let server = counted(3);
    server.on(Match::logs()).then(Answer::ok().cut_after(After::Bytes(3)));
    let (chunks, end) = open(&server, LOG).chunks();
    assert_eq!((chunks.concat().as_str(), end.is_err()), ("0\n1", true));
    assert_eq!(server.requests()[0].ended(), Some(Ended::Broken));
    assert_eq!(server.requests()[0].bytes(), 3);
}

#[test]
fn a_node_follows_as_many_logs_as_it_has_inotify_instances() {
    let server = ApiServer::start();
    server.add_pod(Pod::new("web-1").node("small"));
    server.log("web-1/app").push("a");
    server.set_inotify_instances("small", 1);
    let follow = format!("{LOG}?follow=true");
    let _first = open(&server, &follow);
    server.wait_for(|account| account.followed["small"].open == 1);
    let refused = "a\nfailed to create fsnotify watcher: too many open files";
    assert_eq!(get(&server, &follow), (200, refused.to_owned()));
    assert_eq!(get(&server, LOG).1, "a\n");
    assert_eq!(server.account().followed["small"].peak, 1);
}
