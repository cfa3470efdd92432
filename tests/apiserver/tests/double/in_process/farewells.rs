//! Connections that a server ends with a GOAWAY.

use std::time::Duration;

use apiserver::{Answer, ApiServer, Match};

use super::{Client, FOLLOW, next, pass, rest, simulate, web};

#[test]
fn requests_after_the_last_stream_of_a_goaway_may_be_sent_again() {
    simulate(async {
        let server = web(ApiServer::builder());
        let mut client = Client::connect(&server.network(), true).await.unwrap();
        let mut log = client.get(FOLLOW).await.unwrap().into_body();
        server.on(Match::any().path("/version")).then(Answer::never());
        let asked = tokio::spawn(async move { client.get("/version").await });
        pass(Duration::from_secs(1)).await;
        server.log("web-1/app").push("before");
        pass(Duration::from_secs(1)).await;
        server.go_away_at_once(1);
        let refused = asked.await.unwrap().unwrap_err();
        assert!(format!("{refused:?}").contains("GoAway(b\"\", NO_ERROR, Remote)"), "{refused:?}");
        assert_eq!(next(&mut log).await.unwrap().unwrap().split(' ').next_back(), Some("before\n"));
        assert!(next(&mut log).await.unwrap().is_err());
        assert_eq!(server.account().open_connections, 0);
    });
}

#[test]
fn a_goaway_comes_between_two_frames_of_a_busy_answer() {
    simulate(async {
        let server = web(ApiServer::builder().window(1000));
        server.log("web-1/app").extend((0..20_000).map(|n| format!("a line with the number {n}")));
        let mut client = Client::connect(&server.network(), true).await.unwrap();
        let mut log = client.get(FOLLOW).await.unwrap().into_body();
        next(&mut log).await.unwrap().unwrap();
        server.go_away_at_once(1);
        let error = loop {
            match next(&mut log).await.unwrap() {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(format!("{error:?}").contains("BrokenPipe"), "{error:?}");
    });
}

#[test]
fn http1_keeps_connections_with_an_open_answer() {
    simulate(async {
        let server = web(ApiServer::builder());
        let mut busy = Client::connect(&server.network(), false).await.unwrap();
        let mut log = busy.get(FOLLOW).await.unwrap().into_body();
        let mut idle = Client::connect(&server.network(), false).await.unwrap();
        super::text(&mut idle, "/version").await;
        server.go_away_at_once(0);
        assert!(idle.get("/version").await.is_err());
        server.log("web-1/app").push("after");
        assert!(rest(&mut log).await.ends_with("after\n"));
        assert_eq!(server.account().open_connections, 1);
    });
}
