//! The lines that a kubelet serves at a rotation, and those it does not.

use apiserver::{ApiServer, Log};
use hyper::body::Incoming;

use super::{Client, rest, simulate, text, web};

const LOG: &str = "/api/v1/namespaces/default/pods/web-1/log";
const FOLLOW: &str = "/api/v1/namespaces/default/pods/web-1/log?follow=true";

/// A client, the body of a followed log, and that log.
struct Follower {
    client: Client,
    body: Incoming,
    log: Log,
    server: ApiServer,
}

impl Follower {
    /// One that has read the line `old`.
    async fn new() -> Follower {
        let mut follower = Follower::of(ApiServer::builder(), &["old"]).await;
        assert_eq!(follower.rest().await, "old\n");
        follower
    }

    /// One that cannot read all of its log, since the client takes nothing.
    async fn busy() -> Follower {
        let backlog: Vec<String> = (0..20_000).map(|n| format!("old line with the number {n}")).collect();
        let lines: Vec<&str> = backlog.iter().map(String::as_str).collect();
        Follower::of(ApiServer::builder().window(16 << 10), &lines).await
    }

    async fn of(builder: apiserver::Builder, lines: &[&str]) -> Follower {
        let server = web(builder);
        let log = server.log("web-1/app");
        log.extend(lines);
        // With HTTP/1.1 the client reads no more than the test takes.
        let mut client = Client::connect(&server.network(), false).await.unwrap();
        let body = client.get(FOLLOW).await.unwrap().into_body();
        let client = Client::connect(&server.network(), false).await.unwrap();
        Follower { client, body, log, server }
    }

    async fn rest(&mut self) -> String {
        rest(&mut self.body).await
    }
}

#[test]
fn a_follower_goes_on_with_the_new_file() {
    simulate(async {
        let mut follower = Follower::new().await;
        follower.log.push("last").rename().push("renamed").reopen().push("new");
        assert_eq!(follower.rest().await, "last\nrenamed\nnew\n");
        follower.log.rename().reopen().push("newer");
        assert_eq!(follower.rest().await, "newer\n");
    });
}

#[test]
fn lines_that_are_late_for_the_old_file_are_served_to_nobody() {
    simulate(async {
        let mut follower = Follower::new().await;
        follower.log.push("last").rotate_losing(["late", "later"]).push("new");
        assert_eq!(follower.rest().await, "last\nnew\n");
        assert_eq!(text(&mut follower.client, LOG).await, "new\n");
        assert_eq!(follower.log.written(), 5);
    });
}

#[test]
fn a_line_may_lose_its_begin() {
    simulate(async {
        let mut follower = Follower::new().await;
        follower.log.rename().reopen_within("a line in", " two files");
        assert_eq!(follower.rest().await, " two files\n");
    });
}

#[test]
fn a_busy_follower_reads_its_file_to_the_end_first() {
    simulate(async {
        let mut follower = Follower::busy().await;
        follower.rest().await;
        follower.log.extend((0..20_000).map(|n| format!("more {n}")));
        tokio::task::yield_now().await;
        follower.log.rename().reopen_within("a line in", " two files").push("new");
        assert!(follower.rest().await.ends_with("more 19999\na line in two files\nnew\n"));
    });
}

#[test]
fn two_rotations_lose_a_file_and_repeat_the_newest_for_a_busy_follower() {
    simulate(async {
        let mut follower = Follower::busy().await;
        follower.rest().await;
        follower.log.extend((0..20_000).map(|n| format!("more {n}")));
        tokio::task::yield_now().await;
        follower.log.rename().reopen().push("between").rename().reopen().push("newest");
        assert!(follower.rest().await.ends_with("more 19999\nnewest\nnewest\n"));
    });
}

#[test]
fn a_follower_that_never_was_at_an_end_stays_with_its_file() {
    simulate(async {
        let mut follower = Follower::busy().await;
        follower.log.rename().reopen().push("new");
        assert!(follower.rest().await.ends_with("number 19999\n"));
        follower.log.rename().reopen().push("newest");
        assert_eq!(follower.rest().await, "newest\n");

        let mut follower = Follower::busy().await;
        follower.log.rename().reopen().push("new");
        follower.server.terminate_container("web-1/app", 0, "Completed");
        assert!(follower.rest().await.ends_with("number 19999\n"));
        assert!(super::next(&mut follower.body).await.is_none());
    });
}

#[test]
fn a_log_without_a_file_gives_the_kubelets_error() {
    simulate(async {
        let mut follower = Follower::new().await;
        follower.log.rename();
        let answer = text(&mut follower.client, LOG).await;
        assert!(
            answer.starts_with("failed to try resolving symlinks in path \"/var/log/pods/default_web-1_")
        );
        assert!(answer.ends_with("/app/0.log: no such file or directory"), "{answer}");
        follower.log.reopen();
        assert_eq!(text(&mut follower.client, LOG).await, "");
    });
}

#[test]
fn a_log_that_is_not_followed_is_read_as_it_was_before_a_rotation() {
    simulate(async {
        let mut follower = Follower::busy().await;
        let mut body = follower.client.get(LOG).await.unwrap().into_body();
        tokio::task::yield_now().await;
        follower.log.rename().reopen().push("new").rename().reopen();
        assert!(rest(&mut body).await.ends_with("number 19999\n"));
        assert!(super::next(&mut body).await.is_none());
    });
}
