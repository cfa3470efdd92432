//! Limits on streams and requests.

use std::time::Duration;

use apiserver::{After, Answer, ApiServer, Match, Pod};

use crate::harness::World;

fn pods(count: usize) -> World {
    with_pods(World::new(), count)
}

fn with_pods(world: World, count: usize) -> World {
    world.add_pods((0..count).map(|n| Pod::new(format!("web-{n:02}"))));
    for n in 0..count {
        world.log(&format!("web-{n:02}/app")).push("a");
    }
    world
}

#[test]
fn containers_that_cannot_be_followed_are_polled_and_all_are_shown() {
    let world = pods(63);
    let mut tail = world.start("web");
    let lines: Vec<_> = (0..63).map(|n| format!("web-{n:02} app a")).collect();
    tail.expect_all(lines.iter().map(String::as_str));
    tail.reported("· following 45 of 63 containers, polling 18 every ~");
    assert!(world.account().peak_log_streams <= 50, "{}", world.account());
    world.log("web-00/app").push("b");
    world.log("web-62/app").push("b");
    tail.expect_all(["web-00 app b", "web-62 app b"]);
    tail.interrupt().exit(130);
}

#[test]
fn more_logs_are_followed_if_asked_for() {
    let world = pods(63);
    let tail = world.start("web --max-log-requests 63");
    tail.until(|account| account.open_log_streams == 63);
}

#[test]
fn a_polled_container_is_followed_when_another_ends() {
    let world = pods(3);
    let mut tail = world.start("web --max-log-requests 2");
    tail.expect_all(["web-00 app a", "web-01 app a", "web-02 app a"]);
    tail.reported(
        "following 1 of 3 containers, polling 2 every ~1 s; raise --max-log-requests to follow more\n",
    );
    world.delete_pod("web-00");
    tail.reported("following all 2 containers\n");
    tail.until(|account| account.open_log_streams == 2);
    assert_eq!(world.account().peak_log_streams, 2);
    tail.interrupt();
}

#[test]
fn all_is_shown_in_the_end_whatever_waits() {
    let world = pods(20);
    let ran = world.run("web --no-follow --max-log-requests 5").exit(0);
    assert_eq!(ran.out().lines().count(), 20);
    assert!(world.account().peak_log_streams <= 5, "{}", world.account());
    ran.never_reported("wait");
}

/// The number of logs of 60 that are requested before the first answer. All are shown after it.
fn read_at_once(round_trip: u64, at_least: usize) -> usize {
    let far = World::far(ApiServer::builder().tls(), Duration::from_millis(round_trip));
    let world = with_pods(far, 60);
    let gate = world.hold(Match::logs());
    let tail = world.start("web --no-follow --confirm=false");
    tail.until(|account| account.requests.logs().len() >= at_least);
    let asked = world.requests().logs().len();
    gate.release();
    let ran = tail.finish().exit(0);
    assert_eq!((ran.out().lines().count(), world.requests().logs().len()), (60, 60));
    asked
}

#[test]
fn five_logs_are_read_at_once_without_following() {
    // More than five, because a busy machine is slow to answer; not each time.
    assert!((0..5).any(|_| read_at_once(0, 5) < 20));
}

#[test]
fn as_many_logs_are_read_at_once_without_following_as_the_distance_needs() {
    assert!((0..5).any(|_| read_at_once(100, 30) < 50));
    assert_eq!(read_at_once(200, 50), 50);
}

#[test]
fn one_at_a_time_shows_them_in_order() {
    let world = World::new();
    for pod in ["web-1", "web-2"] {
        world.add_pod(
            Pod::new(pod).container("proxy").container("app").init_container("setup").ephemeral("debug"),
        );
        for container in ["setup", "proxy", "app", "debug"] {
            world.log(&format!("{pod}/{container}")).push("a");
        }
    }
    let wanted = "web-1 setup a\nweb-1 proxy a\nweb-1 app a\nweb-1 debug a\n\
                  web-2 setup a\nweb-2 proxy a\nweb-2 app a\nweb-2 debug a\n";
    world.run("web --no-follow --max-log-requests 1").stdout(wanted);
}

#[test]
fn requests_wait_for_their_tokens() {
    let world = pods(5);
    let ran = world.run("web --no-follow --confirm=false --qps 2 --burst 2").exit(0);
    assert_eq!(ran.out().lines().count(), 5);
    // Six requests, two of them at once: the other four wait for a token each, 500 ms apart. The first may arrive late.
    let requests = world.requests();
    assert_eq!(requests.len(), 6);
    assert!(requests[5].at - requests[0].at > Duration::from_millis(700), "{}", world.account());
}

#[test]
fn no_limit_on_requests_is_possible() {
    let world = pods(30);
    world.run("web --no-follow --confirm=false --qps -1 --burst 1 --max-log-requests 30").exit(0);
    assert_eq!(world.requests().len(), 31);
}

#[test]
fn a_retry_after_is_obeyed() {
    let world = World::web(["a"]);
    world.on(Match::logs()).then(Answer::too_many_requests(1));
    let ran = world.run("web --no-follow --confirm=false");
    ran.stdout("web-1 app a\n").stderr("+ web-1 › app\n- web-1 › app\n").exit(0);
    let logs = world.requests().logs();
    assert_eq!(logs.len(), 2);
    assert!(logs[1].at - logs[0].at > Duration::from_millis(900), "{}", world.account());
}

#[test]
fn a_running_stream_costs_no_more_requests() {
    let world = World::web(["a"]);
    let mut tail = world.start("web --qps 1 --burst 3");
    tail.expect("web-1 app a");
    tail.watches(1);
    for _ in 0..100 {
        world.log("web-1/app").push("b");
    }
    tail.expect_all(["web-1 app b"; 100]);
    tail.interrupt();
    assert_eq!(world.requests().len(), 3);
}

#[test]
fn a_stream_that_breaks_keeps_its_place_before_those_that_wait() {
    let world = World::web(["a", "b"]);
    world.add_pod(Pod::new("web-2"));
    world.log("web-2/app").push("of another");
    world.on(Match::logs().path("/web-1/")).then(Answer::ok().cut_after(After::Lines(1)));
    let wanted = "web-1 app a\nweb-1 app b\nweb-2 app of another\n";
    world.run("web --no-follow --max-log-requests 1").stdout(wanted);
}

#[test]
fn containers_beyond_the_share_of_a_node_are_polled() {
    let world = World::new();
    world.add_pods((0..4).map(|n| Pod::new(format!("web-{n}")).node("small")));
    for n in 0..4 {
        world.log(&format!("web-{n}/app")).push("a");
    }
    let mut tail = world.start("web --max-streams-per-node 3");
    tail.expect_all(["web-0 app a", "web-1 app a", "web-2 app a", "web-3 app a"]);
    tail.reported(
        "following 3 of 4 containers, polling 1 every ~1 s; raise --max-streams-per-node to follow more\n",
    );
    assert_eq!(world.account().followed["small"].peak, 3);
    tail.interrupt();
}

#[test]
fn a_node_that_is_out_of_inotify_is_polled_and_others_are_followed() {
    let world = World::new();
    let pods = [("web-1", "small"), ("web-2", "small"), ("web-3", "other")];
    world.add_pods(pods.map(|(name, node)| Pod::new(name).node(node)));
    world.set_inotify_instances("small", 1);
    for (name, _) in pods {
        world.log(&format!("{name}/app")).push("a");
    }
    let mut tail = world.start("web");
    tail.expect_all(["web-1 app a", "web-2 app a", "web-3 app a"]);
    tail.reported("· small cannot follow more logs; polling 1 of them, about every 1 s\n");
    for (name, _) in pods {
        world.log(&format!("{name}/app")).push("b");
    }
    tail.expect_all(["web-1 app b", "web-2 app b", "web-3 app b"]);
    tail.interrupt();
}

#[test]
fn nodes_that_are_out_of_inotify_are_reported_once_each() {
    let world = World::new();
    let node = |n: usize| ["small", "none"][n % 2];
    world.add_pods((0..40).map(|n| Pod::new(format!("web-{n:02}")).node(node(n))));
    world.set_inotify_instances("small", 0);
    world.set_inotify_instances("none", 0);
    for n in 0..40 {
        world.log(&format!("web-{n:02}/app")).push("a");
    }
    let mut tail = world.start("web -o raw");
    tail.expect_all(["a"; 40]);
    for node in ["small", "none"] {
        tail.reported(&format!("· {node} cannot follow more logs; polling 20 of them, about every 2 s\n"));
    }
    tail.interrupt().never_reported("fsnotify").never_reported("containers");
}

#[test]
fn a_dry_run_lists_and_opens_no_log() {
    let world = pods(3);
    let ran = world.run("web --dry-run --max-log-requests 2").exit(0);
    let out = ran.out();
    assert!(out.starts_with("NAMESPACE  OWNER"), "{out}");
    assert!(out.contains("containers   3 of 3 pods"), "{out}");
    assert!(out.contains("streams      1 at once") && out.contains("; 2 polled"), "{out}");
    assert_eq!((world.requests().logs().len(), world.requests().watches().len()), (0, 0));
}

#[test]
fn the_cost_is_reported_at_the_end() {
    let world = pods(3);
    let ran = world.run("web --no-follow --stats=json").exit(0);
    let stats: serde_json::Value = serde_json::from_str(ran.err().lines().last().unwrap()).unwrap();
    let number = |path: &str| stats.pointer(path).and_then(serde_json::Value::as_f64);
    for (path, wanted) in [
        ("/lines", 3.0),
        ("/requests/list", 1.0),
        ("/requests/watch", 0.0),
        ("/requests/open", 3.0),
        ("/requests/check", 3.0),
        ("/reconnects", 0.0),
        ("/containers/2/lines", 1.0),
    ] {
        assert_eq!(number(path), Some(wanted), "{path} of {stats}");
    }
    let peaks = ["/peak_streams", "/peak_connections"];
    assert!(peaks.iter().all(|path| number(path) >= Some(1.0)), "{stats}");
    assert!(number("/waited_seconds/qps").is_some(), "{stats}");
}
