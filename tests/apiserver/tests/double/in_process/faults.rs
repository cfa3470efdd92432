//! Answers that are late, in part, or refused for a while.

use std::time::Duration;

use apiserver::{After, Answer, ApiServer, Match, Pod};

use super::{Client, FOLLOW, next, pass, rest, simulate, web};

async fn client(server: &ApiServer) -> Client {
    Client::connect(&server.network(), true).await.unwrap()
}

#[test]
fn events_of_watches_may_be_late() {
    simulate(async {
        let server = web(ApiServer::builder());
        let mut client = client(&server).await;
        let mut watch = client.get("/api/v1/pods?watch=true").await.unwrap().into_body();
        next(&mut watch).await.unwrap().unwrap();
        server.delay_watches(Duration::from_secs(7));
        server.add_pod(Pod::new("web-2"));
        let began = tokio::time::Instant::now();
        assert!(next(&mut watch).await.unwrap().unwrap().contains("\"web-2\""));
        assert_eq!(began.elapsed(), Duration::from_secs(7));
    });
}

#[test]
fn an_answer_may_begin_and_never_end() {
    simulate(async {
        let server = web(ApiServer::builder());
        server.log("web-1/app").extend(["one", "two"]);
        server.on(Match::logs()).then(Answer::ok().stall_after(After::Bytes(34)));
        let mut log = client(&server).await.get(FOLLOW).await.unwrap().into_body();
        assert_eq!(rest(&mut log).await.len(), 34);
        assert!(tokio::time::timeout(Duration::from_secs(3600), next(&mut log)).await.is_err());
    });
}

#[test]
fn words_come_behind_a_line() {
    simulate(async {
        let server = web(ApiServer::builder());
        server.log("web-1/app").push_raw("half");
        let mut log = client(&server).await.get(FOLLOW).await.unwrap().into_body();
        assert!(next(&mut log).await.unwrap().unwrap().ends_with("half"));
        server.insert(Match::logs(), "words\n");
        server.end(Match::logs());
        server.log("web-1/app").push(" a line").push("unsent");
        assert_eq!(rest(&mut log).await, " a line\nwords\n");
    });
}

#[test]
fn answers_may_be_refused_for_a_while() {
    simulate(async {
        let server = web(ApiServer::builder());
        let mut client = client(&server).await;
        let later = server.now() + Duration::from_secs(90);
        server
            .on(Match::lists())
            .then(Answer::too_many_requests_until(later))
            .during(Duration::from_secs(60), Answer::bad_gateway());
        let first = client.get("/api/v1/pods").await.unwrap();
        assert_eq!(first.headers()["retry-after"], "Sat, 31 Jan 2026 10:01:30 GMT");
        pass(Duration::from_secs(59)).await;
        assert_eq!(client.get("/api/v1/pods").await.unwrap().status(), 502);
        pass(Duration::from_secs(1)).await;
        assert_eq!(client.get("/api/v1/pods").await.unwrap().status(), 200);
    });
}
