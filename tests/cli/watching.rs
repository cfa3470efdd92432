//! The watch of the pods breaks or is refused: streams continue, and later the missed changes are found.

use apiserver::{After, Answer, Match, Pod, Workload};

use crate::harness::World;

/// Ends the watch, refuses the next two requests, and returns standard error once a new pod is shown.
#[track_caller]
fn refuse(requests: fn() -> Match, refusal: Answer) -> String {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    let script = world.on(requests());
    script.times(2, &refusal);
    // Only a watch that is too old makes the program list again.
    world.expire_watches();
    tail.until(|_| script.given() > 0);
    world.log("web-1/app").push("b");
    tail.expect("web-1 app b");
    world.pod("web-2", ["c"]);
    tail.expect("web-2 app c");
    assert_eq!(world.requests().logs().len(), 2, "running streams are not touched");
    tail.interrupt().exit(130).err()
}

const QUIET: &str = "+ web-1 › app\n+ web-2 › app\n";

#[test]
fn a_watch_that_is_put_off_is_begun_again_without_a_word() {
    assert_eq!(refuse(Match::watches, Answer::too_many_requests(1)), QUIET);
}

/// If the next try succeeds, there is nothing to report.
#[test]
fn an_apiserver_that_breaks_connections_is_reported_once_at_most() {
    for refusal in [Answer::reset(), Answer::close()] {
        let reported = refuse(Match::watches, refusal);
        let (gone, back) =
            (reported.matches("; trying again\n").count(), reported.matches("answers again\n").count());
        assert!(gone <= 1 && back == gone, "{reported}");
    }
}

#[test]
fn a_watch_or_a_list_that_is_refused_for_a_while_is_reported_once() {
    let refusals =
        [Answer::internal_error("etcdserver: leader changed"), Answer::unavailable(), Answer::unauthorized()];
    for refusal in refusals {
        for requests in [Match::watches, Match::lists] {
            let reported = refuse(requests, refusal.clone());
            assert_eq!(reported.matches("; trying again\n").count(), 1, "{reported}");
            assert_eq!(reported.matches("· the pods are watched again\n").count(), 1, "{reported}");
        }
    }
}

/// A load balancer answers in place of the apiserver, or the credentials are no longer accepted.
#[test]
fn an_error_of_all_logs_is_reported_once_and_ends_none() {
    let page = Answer::text(200, "<html>Please log in</html>").header("content-type", "text/html");
    for (refusal, reported) in [(page, "answered with a web page"), (Answer::unauthorized(), "(401)")] {
        let world = World::new();
        world.add_pods((0..20).map(|n| Pod::new(format!("web-{n}"))));
        let mut tail = world.start("web -o raw");
        tail.until(|account| account.open_log_streams == 20);
        let script = world.on(Match::logs());
        script.always(refusal);
        if reported == "(401)" {
            // The watch is refused too.
            world.on(Match::watches()).times(3, &Answer::unauthorized());
            world.cut(Match::watches());
        }
        world.cut(Match::logs());
        tail.until(|account| account.requests.logs().len() >= 20 * 5);
        let lines: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        for line in &lines {
            world.log(&format!("web-{line}/app")).push(line);
        }
        script.stop();
        tail.expect_all(lines.iter().map(String::as_str));
        tail.interrupt().reported(reported);
    }
}

#[test]
fn a_permission_that_comes_and_goes_is_no_end() {
    let refusal = Answer::status(403, "Forbidden", "pods is forbidden: User \"jane\" cannot watch");
    let reported = refuse(Match::watches, refusal.clone());
    assert_eq!(reported.matches("asking every 5 s instead").count(), 1, "{reported}");
    let reported = refuse(Match::lists, refusal);
    assert_eq!(reported.matches("; trying again\n").count(), 1, "{reported}");
}

#[test]
fn a_namespace_that_fails_does_not_stop_the_others() {
    let world = World::web(["a"]);
    world.pod("shop/web-2", ["b"]);
    let mut tail = world.start("web -n default,shop");
    tail.expect_all(["default web-1 app a", "shop web-2 app b"]);
    tail.watches(2);
    world.on(Match::any().path("/shop/pods")).always(Answer::internal_error("gone mad"));
    world.expire_watches();
    tail.reported("gone mad");
    world.pod("web-3", ["c"]);
    tail.expect("default web-3 app c");
    for (log, shown) in [("web-1/app", "default web-1 app d"), ("shop/web-2/app", "shop web-2 app d")] {
        world.log(log).push("d");
        tail.expect(shown);
    }
    tail.interrupt().exit(130).reported("gone mad");
}

/// The watch misses both changes.
#[test]
fn pods_that_came_and_restarted_while_the_watch_was_away_are_shown() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    let gate = world.hold(Match::watches());
    world.end(Match::watches());
    world.log("web-1/app").push("last words");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("b");
    world.add_pod(Pod::new("web-2"));
    world.log("web-2/app").push("c");
    tail.expect("web-1 app last words");
    gate.release();
    tail.expect_all(["web-1 app b", "web-2 app c"]);
    tail.interrupt().never_reported("may be missing");
}

/// Answers that a start may get while an apiserver, or a proxy before it, restarts.
fn restarting() -> [Answer; 7] {
    [
        Answer::reset(),
        Answer::close(),
        Answer::ok().cut_after(After::Bytes(20)),
        Answer::status(429, "TooManyRequests", "later"),
        Answer::text(502, "Bad Gateway"),
        Answer::unavailable(),
        Answer::text(504, "Gateway Timeout"),
    ]
}

#[test]
fn a_start_while_the_apiserver_restarts_is_waited_for() {
    let worlds = restarting().map(|answer| {
        let (pattern, workload) = (World::web(["a"]), World::web(["a"]));
        pattern.on(Match::lists()).then(answer.clone());
        workload.on(Match::gets()).then(answer);
        workload.update_pod("web-1", |pod| pod.label("app", "web"));
        workload.add(Workload::deployment("web").selects("app", "web"));
        [pattern, workload]
    });
    let start = |world, query| (world, World::start(world, query));
    let tails =
        worlds.iter().flat_map(|[pattern, workload]| [start(pattern, "web"), start(workload, "deploy/web")]);
    for (_, mut tail) in tails.collect::<Vec<_>>() {
        tail.expect("web-1 app a");
        let reported = tail.interrupt().exit(130).err();
        let (lost, back) =
            (reported.matches("; trying again\n").count(), reported.matches(" answers").count());
        assert!(lost <= 1 && back <= lost, "{reported}");
    }
}

#[test]
fn a_start_while_the_apiserver_is_down_is_reported_once_and_so_is_its_end() {
    let world = World::web(["a"]);
    world.down();
    let mut tail = world.start("web");
    tail.reported("cannot reach the apiserver");
    world.up();
    tail.expect("web-1 app a");
    tail.reported("· the apiserver answers again\n");
    let ran = tail.interrupt().exit(130).reported("; trying again\n").reported("answers again");
    // The hint is given only if the apiserver was never reached.
    ran.reported("connection refused; is it running there?; trying again\n");
}

#[test]
fn a_failing_start_without_following_ends_at_once() {
    for answer in restarting() {
        let world = World::web(["a"]);
        world.on(Match::any()).always(answer);
        for how in ["--no-follow", "--previous", "--dry-run"] {
            world.run(&format!("web {how}")).stdout("").exit(1);
        }
    }
}

#[test]
fn if_watching_is_forbidden_the_list_is_repeated() {
    let world = World::web(["a"]);
    world.forbid("watch", "pods", "*");
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    let lists = world.requests().lists().len();
    tail.until(|account| account.requests.lists().len() > lists);
    let reported = "! not allowed to watch pods in namespace \"default\": the apiserver answered 403 Forbidden: “pods is forbidden: ";
    tail.interrupt().reported(reported).reported("asking every 5 s instead").exit(130);
}

#[test]
fn if_every_watch_is_refused_the_list_is_repeated() {
    let world = World::web(["a"]);
    world.on(Match::watches()).always(Answer::status(405, "MethodNotAllowed", "no watches here"));
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    tail.interrupt().reported("; listing the pods again").never_reported("watched again").exit(130);
}

#[test]
fn a_watch_that_ends_is_begun_again() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    world.end(Match::watches());
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    tail.interrupt().stderr("+ web-1 › app\n+ web-2 › app\n");
}

#[test]
fn a_watch_that_is_too_old_is_begun_with_a_list() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    world.expire_watches();
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    tail.until(|account| account.requests.lists().len() == 2);
    tail.interrupt().stderr("+ web-1 › app\n+ web-2 › app\n");
}

#[test]
fn a_pod_that_went_without_a_watch_is_dropped() {
    let world = World::web(["a"]);
    world.pod("web-2", ["b"]);
    let mut tail = world.start("web");
    tail.expect_all(["web-1 app a", "web-2 app b"]);
    tail.watches(1);
    let gate = world.hold(Match::watches());
    world.expire_watches();
    world.delete_pod("web-2");
    gate.release();
    tail.reported("- web-2 › app\n");
    world.log("web-1/app").push("still here");
    tail.expect("web-1 app still here");
    tail.interrupt();
}
