//! Connections in memory: their distance, their ends, black holes.

use std::{io::ErrorKind, time::Duration};

use apiserver::{ApiServer, Match, Wire};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::Instant,
};

use super::{Client, FOLLOW, next, pass, simulate, web};

const FAR: Duration = Duration::from_millis(100);

fn far() -> ApiServer {
    web(ApiServer::builder().round_trip(FAR))
}

async fn wire(server: &ApiServer) -> Wire {
    server.connect(false).await.unwrap().0
}

#[test]
fn an_answer_comes_two_round_trips_after_the_connect() {
    simulate(async {
        let (server, began) = (far(), Instant::now());
        let mut client = Client::connect(&server.network(), false).await.unwrap();
        assert_eq!(began.elapsed(), FAR);
        client.get("/version").await.unwrap();
        assert_eq!(began.elapsed(), 2 * FAR);
        server.set_round_trip(3 * FAR);
        client.get("/version").await.unwrap();
        assert_eq!(began.elapsed(), 5 * FAR);
    });
}

#[test]
fn http2_is_spoken_where_both_have_it() {
    simulate(async {
        for (builder, offered, spoken) in [
            (ApiServer::builder(), true, true),
            (ApiServer::builder(), false, false),
            (ApiServer::builder().http1(), true, false),
        ] {
            assert_eq!(web(builder).connect(offered).await.unwrap().1, spoken);
        }
    });
}

#[test]
fn a_server_that_is_down_refuses_connections() {
    simulate(async {
        let (server, network) = (far(), far().network());
        assert_eq!(network.connect(true).await.err().unwrap().kind(), ErrorKind::ConnectionRefused);
        let mut open = wire(&server).await;
        server.down();
        assert_eq!(server.connect(true).await.err().unwrap().kind(), ErrorKind::ConnectionRefused);
        assert_eq!(open.read(&mut [0; 8]).await.unwrap(), 0);
        server.up();
        wire(&server).await;
    });
}

#[test]
fn a_reset_is_an_error_half_a_round_trip_later() {
    simulate(async {
        let server = far();
        let mut open = wire(&server).await;
        server.reset_connections();
        let began = Instant::now();
        assert_eq!(open.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(began.elapsed(), FAR / 2);
        assert_eq!(open.write(b"GET").await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_reader_that_takes_nothing_stops_the_server() {
    simulate(async {
        let server = web(ApiServer::builder().window(64 << 10));
        server.log("web-1/app").extend((0..10_000).map(|n| format!("a line with the number {n}")));
        let mut open = wire(&server).await;
        open.write_all(format!("GET {FOLLOW} HTTP/1.1\r\nhost: double\r\n\r\n").as_bytes()).await.unwrap();
        pass(Duration::from_secs(60)).await;
        let sent = server.requests()[0].bytes();
        assert!((32 << 10..512 << 10).contains(&sent), "{sent}");
        let mut read = vec![0; 500_000];
        open.read_exact(&mut read).await.unwrap();
        assert!(server.requests()[0].bytes() >= 300_000);
    });
}

#[test]
fn nothing_arrives_through_a_black_hole_until_it_is_lifted() {
    simulate(async {
        let server = far();
        let mut client = Client::connect(&server.network(), true).await.unwrap();
        let mut log = client.get(FOLLOW).await.unwrap().into_body();
        server.log("web-1/app").push("before");
        assert!(next(&mut log).await.unwrap().unwrap().ends_with("before\n"));
        server.black_hole(true);
        server.log("web-1/app").push("meanwhile");
        let silent = Duration::from_secs(3600);
        assert!(tokio::time::timeout(silent, next(&mut log)).await.is_err());
        assert!(tokio::time::timeout(silent, server.connect(true)).await.is_err());
        server.black_hole(false);
        assert!(next(&mut log).await.unwrap().unwrap().ends_with("meanwhile\n"));
        server.connect(true).await.unwrap();
    });
}

#[test]
fn a_connection_may_be_found_reset_behind_a_black_hole() {
    simulate(async {
        let server = far();
        let mut client = Client::connect(&server.network(), false).await.unwrap();
        let mut log = client.get(FOLLOW).await.unwrap().into_body();
        server.black_hole(true);
        server.reset(Match::logs());
        assert!(tokio::time::timeout(Duration::from_secs(60), next(&mut log)).await.is_err());
        server.black_hole(false);
        assert!(next(&mut log).await.unwrap().is_err());
    });
}

#[test]
fn a_dead_connection_is_silent_beside_others() {
    simulate(async {
        let server = far();
        let mut client = Client::connect(&server.network(), true).await.unwrap();
        let mut log = client.get(FOLLOW).await.unwrap().into_body();
        server.deaden(Match::logs());
        server.log("web-1/app").push("unheard");
        let silent = Duration::from_secs(3600);
        assert!(tokio::time::timeout(silent, next(&mut log)).await.is_err());
        assert!(tokio::time::timeout(silent, client.get("/version")).await.is_err());
        server.reset_connections();
        assert!(tokio::time::timeout(silent, next(&mut log)).await.is_err());
        Client::connect(&server.network(), true).await.unwrap().get("/version").await.unwrap();
    });
}
