//! More containers than can be followed: the newest are followed, the others are polled in turn.

use apiserver::{Account, Answer, Match, Pod, Request};

use crate::harness::World;

/// Lets each pod write a line a second or more until the program disconnects.
fn write_on(world: &World, pods: usize) {
    let mut asked = 0;
    while world.account().open_connections > 0 {
        (0..pods).for_each(|n| {
            world.log(&format!("web-{n}/app")).push("on and on");
        });
        // Half of `--qps`.
        asked = world.requests().len().max(asked) + 25;
        world.wait_for(|account| account.requests.len() >= asked || account.open_connections == 0);
    }
}

/// With these arguments, all containers except the newest are polled.
const TWO: &str = "web -o raw --max-log-requests 2";

/// Two pods that are polled, and the newest, which is followed and writes nothing.
fn two() -> World {
    let world = World::web(["a"]);
    world.pod("web-2", ["b"]);
    world.pods(["web-3"]);
    world
}

#[test]
fn five_hundred_containers_are_shown_through_fifty_streams() {
    let world = World::new();
    world.add_pods((0..500).map(|n| Pod::new(format!("web-{n}"))));
    for n in 0..500 {
        world.log(&format!("web-{n}/app")).push(format!("line {n}"));
    }
    let mut tail = world.start("web -o raw --qps -1");
    let lines: Vec<String> = (0..500).map(|n| format!("line {n}")).collect();
    tail.expect_all(lines.iter().map(String::as_str));
    tail.reported("· following 45 of 500 containers, polling 455 ");
    assert!(world.account().peak_log_streams <= 50, "{}", world.account());
}

#[test]
fn polled_lines_are_shown_once_and_in_order() {
    let world = two();
    let mut tail = world.start(TWO);
    tail.expect_all(["a", "b"]);
    for round in 0..3 {
        let lines: Vec<String> = (0..4).map(|n| format!("{round}.{n}")).collect();
        world.log("web-1/app").extend(&lines);
        lines.iter().for_each(|line| tail.expect(line));
    }
    assert!(world.account().peak_log_streams <= 2, "{}", world.account());
    let followed = world.requests().logs().filter(|log| log.query("follow").is_some());
    assert_eq!((followed.len(), followed.path("/web-3/").len()), (1, 1));
}

#[test]
fn a_poll_asks_for_few_lines_and_for_more_until_it_has_found_its_place() {
    let world = two();
    let mut tail = world.start(TWO);
    tail.expect_all(["a", "b"]);
    let lines: Vec<String> = (0..100).map(|n| format!("line {n}")).collect();
    world.log("web-1/app").extend(&lines);
    lines.iter().for_each(|line| tail.expect(line));
    let asked = world.log_queries("tailLines");
    for few in ["20", "80", "320"] {
        assert!(asked.iter().any(|lines| lines == few), "{few} is not among {asked:?}");
    }
}

#[test]
fn lines_that_are_gone_before_their_turn_are_reported() {
    let world = two();
    let mut tail = world.start(TWO);
    tail.expect_all(["a", "b"]);
    world.log("web-1/app").push("lost").rotate().push("c");
    tail.expect("c");
    tail.reported("! web-1 › app: lines may be missing between ");
}

#[test]
fn a_polled_log_of_which_nothing_is_wanted_is_not_read_again_and_again() {
    let world = World::new();
    world.pods(["web-1", "web-2", "web-3"]);
    for pod in ["web-1/app", "web-2/app", "web-3/app"] {
        world.log(pod).push_at("2020-01-01T00:00:00Z", "old");
    }
    let mut tail = world.start(&format!("{TWO} --tail 0"));
    let resumed = |account: &Account| {
        account.requests.logs().path("/web-1/").filter(|log| log.query("sinceTime").is_some())
    };
    tail.until(|account| resumed(account).len() >= 2);
    world.log("web-1/app").push("new");
    tail.expect("new");
    let since = |log: &Request| log.query("sinceTime") == Some("2019-12-31T23:59:59Z");
    let resumed = resumed(&world.account());
    assert_eq!(resumed.filter(since).len(), resumed.len(), "{}", world.account());
}

#[test]
fn a_pod_that_is_being_deleted_does_not_wait_for_its_turn() {
    let world = two();
    let mut tail = world.start(TWO);
    tail.expect_all(["a", "b"]);
    let logs = || world.requests().logs().path("/web-1/").len();
    // After this silence its next turn is some seconds away.
    tail.until(|account| account.requests.logs().path("/web-1/").len() >= 4);
    world.log("web-1/app").push("last words");
    let before = logs();
    world.update_pod("web-1", Pod::deleting);
    tail.expect("last words");
    assert!(logs() <= before + 2);
}

#[test]
fn the_only_place_is_followed_in_and_lent() {
    let world = World::web(["a"]);
    world.pod("web-2", ["b"]);
    let mut tail = world.start("web -o raw --max-log-requests 1");
    tail.expect_all(["a", "b"]);
    tail.reported(
        "· following 1 of 2 containers, polling 1 every ~1 s; raise --max-log-requests to follow more\n",
    );
    for round in 0..3 {
        let lines: Vec<String> = (0..4).map(|n| format!("{round}.{n}")).collect();
        for pod in ["web-1/app", "web-2/app"] {
            world.log(pod).extend(&lines);
        }
        tail.expect_all(lines.iter().chain(&lines).map(String::as_str));
    }
    assert_eq!(world.account().peak_log_streams, 1);
    let followed = world.requests().logs().filter(|log| log.query("follow").is_some());
    assert_eq!(followed.path("/web-1/").len(), 0);
    assert!(followed.path("/web-2/").len() >= 2, "{}", world.account());
    tail.interrupt().never_reported("may be missing");
}

#[test]
fn the_newest_are_followed() {
    let world = World::new();
    for n in 0..12_i64 {
        let created = world.now() - jiff::SignedDuration::from_hours(100 - n);
        world.add_pod(Pod::new(format!("web-{n}")).created(created));
    }
    let tail = world.start("web --max-log-requests 10");
    tail.until(|account| account.requests.logs().filter(|log| log.query("follow").is_none()).len() >= 3);
    let followed = |n: usize| {
        let logs = world.requests().logs().path(&format!("/web-{n}/"));
        logs.iter().any(|log| log.is_open() && log.query("follow").is_some())
    };
    assert_eq!((0..12).filter(|n| followed(*n)).collect::<Vec<_>>(), (3..12).collect::<Vec<_>>());
}

#[test]
fn a_node_has_no_more_followers_than_it_can_bear() {
    let world = World::new();
    world
        .add_pods((0..6).map(|n| Pod::new(format!("web-{n}")).node(if n < 4 { "node-a" } else { "node-b" })));
    for n in 0..6 {
        world.log(&format!("web-{n}/app")).push(format!("line {n}"));
    }
    let mut tail = world.start("web -o raw --max-streams-per-node 2");
    let lines: Vec<String> = (0..6).map(|n| format!("line {n}")).collect();
    tail.expect_all(lines.iter().map(String::as_str));
    tail.reported("following 4 of 6 containers, polling 2 ");
    tail.reported("raise --max-streams-per-node to follow more");
    let open = world.requests().logs().open();
    assert_eq!(open.filter(|log| log.query("follow").is_some()).len(), 4);
}

#[test]
fn a_restart_is_shown_though_polls_take_all_that_they_may() {
    let world = World::new();
    world.add_pods((0..90).map(|n| Pod::new(format!("web-{n}"))));
    let tail = world.start("web");
    tail.watches(1);
    std::thread::scope(|scope| {
        scope.spawn(|| write_on(&world, 90));
        let tail = tail;
        let polls =
            |account: &Account| account.requests.logs().filter(|log| log.query("follow").is_none()).len();
        // By now the polls have used up the burst.
        tail.until(|account| polls(account) >= 4 * 45);
        for pod in ["web-0", "web-89"] {
            world.log(&format!("{pod}/app")).push("last words");
            world.restart_container(&format!("{pod}/app"));
            world.log(&format!("{pod}/app")).push("again");
            tail.shown(&format!("{pod} app again"), 1);
        }
        tail.interrupt().never_reported("may be missing");
    });
}

/// The timeout is shorter than the default, for the test.
#[test]
fn polls_that_are_never_answered_do_not_stop_polling() {
    let world = two();
    let mut tail = world.start("web -o raw --max-log-requests 1 --request-timeout 1s");
    tail.expect_all(["a", "b"]);
    let script = world.on(Match::logs());
    script.times(2, &Answer::never());
    tail.until(|_| script.given() == 2);
    world.log("web-1/app").push("c");
    world.log("web-2/app").push("d");
    tail.expect_all(["c", "d"]);
    tail.interrupt().never_reported("the apiserver answers again");
}
