//! The same story is the same, byte for byte, and simulated time costs none.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use apiserver::{After, Answer, ApiServer, Match, Pod, Request, Workload};
use tokio::time::Instant;

use super::{Client, FOLLOW, START, pass, simulate};

const WATCH: &str = "/api/v1/pods?watch=true&allowWatchBookmarks=true";

/// All answers of a story with both protocols, several watches, breaks and restarts, and then the account.
fn story() -> String {
    simulate(async {
        let began = Instant::now();
        let server = ApiServer::builder()
            .round_trip(Duration::from_millis(30))
            .start_in_process(START.parse().unwrap());
        server.add(Workload::deployment("web"));
        server.add_pods((1..4).map(|n| Pod::new(format!("web-{n}"))));
        server.on(Match::logs().nth(3)).then(Answer::ok().reset_after(After::Lines(1)));
        let journal = Arc::new(Mutex::new(String::new()));
        let other = &FOLLOW.replace("web-1", "web-2");
        let paths = [FOLLOW, WATCH, "/api/v1/pods", other, FOLLOW, WATCH, other, FOLLOW];
        for (n, path) in paths.map(str::to_owned).into_iter().enumerate() {
            for http2 in [false, true] {
                let (network, journal, path) = (server.network(), Arc::clone(&journal), path.clone());
                tokio::spawn(async move {
                    let mut client = Client::connect(&network, http2).await.unwrap();
                    let name = format!("{n} {http2}");
                    client.read(&path, &name, &journal).await;
                    client.read("/version", &name, &journal).await;
                });
            }
        }
        for n in 0..20 {
            pass(Duration::from_millis(7)).await;
            server.log("web-1/app").push(format!("line {n}"));
            match n {
                5 => server.cut(Match::logs().nth(1)),
                10 => server.restart_container("web-1/app"),
                15 => server.go_away(),
                18 => server.expire_watches(),
                _ => {}
            }
        }
        server.reset_connections();
        server.until(|account| account.requests.open().is_empty()).await;
        pass(Duration::from_secs(1)).await;
        server.down();
        pass(Duration::from_secs(1)).await;
        let mut journal = journal.lock().unwrap().clone();
        for request in server.requests().iter() {
            let Request { number, at, headers, .. } = &**request;
            writeln!(journal, "{number} {:?} {headers:?} {:?}", *at - began, request.ended()).unwrap();
        }
        journal + &server.account().to_string()
    })
}

#[test]
fn a_story_is_the_same_whenever_it_is_told() {
    let first = story();
    assert!(first.contains("line 8") && first.contains("2026-01-31T10:00:00"), "{first}");
    for _ in 0..5 {
        assert_eq!(first, story());
    }
}

#[test]
fn a_story_is_the_same_on_every_thread() {
    let [first, second] = [(); 2].map(|()| std::thread::spawn(story));
    let third = story();
    assert_eq!(first.join().unwrap(), third);
    assert_eq!(second.join().unwrap(), third);
}

#[test]
fn the_date_of_every_answer_is_simulated() {
    simulate(async {
        let server = super::web(ApiServer::builder());
        pass(Duration::from_secs(3600)).await;
        for http2 in [false, true] {
            let mut client = Client::connect(&server.network(), http2).await.unwrap();
            let answer = client.get("/version").await.unwrap();
            assert_eq!(answer.headers().get_all("date").iter().count(), 1);
            assert_eq!(answer.headers()["date"], "Sat, 31 Jan 2026 11:00:00 GMT");
        }
    });
}

#[test]
fn an_hour_passes_at_once() {
    simulate(async {
        let server = super::web(ApiServer::builder());
        let network = server.network();
        let journal = Arc::new(Mutex::new(String::new()));
        let noted = Arc::clone(&journal);
        let reading = tokio::spawn(async move {
            Client::connect(&network, true).await.unwrap().read(FOLLOW, "", &noted).await;
        });
        for n in 0..3600 {
            pass(Duration::from_secs(1)).await;
            server.log("web-1/app").push(format!("second {n}"));
        }
        server.delete_pod("web-1");
        reading.await.unwrap();
        assert_eq!(journal.lock().unwrap().matches("second ").count(), 3600);
    });
}
