//! Lists, objects and events that are not as an apiserver writes them.

use apiserver::{Answer, Match, Pod};
use serde_json::{Value, json};

use crate::harness::World;

/// The list of the pods of this world, changed like this.
fn list(world: &World, change: impl FnOnce(&mut Value)) -> String {
    let mut list = world.pod_list("default");
    change(&mut list);
    list.to_string()
}

/// Runs against this answer to every list.
fn run(answer: impl FnOnce(&World) -> Answer) -> crate::harness::Ran {
    let world = World::web(["a"]);
    let answer = answer(&world);
    world.on(Match::lists()).always(answer);
    world.run("web --no-follow")
}

fn body(text: &str) -> Answer {
    Answer::text(200, text).header("content-type", "application/json")
}

#[test]
fn a_list_may_lack_what_is_not_needed() {
    let changes: [Change; 5] = [
        |list| list["metadata"] = Value::Null,
        |list| list["metadata"] = json!({"resourceVersion": null, "continue": null}),
        |list| list["kind"] = json!("List"),
        |list| _ = list.as_object_mut().unwrap().remove("kind"),
        |list| _ = list.as_object_mut().unwrap().remove("apiVersion"),
    ];
    for change in changes {
        run(|world| body(&list(world, change))).stdout("web-1 app a\n").exit(0);
    }
    run(|world| body(&format!("\u{feff}{}\n", list(world, |_| {})))).stdout("web-1 app a\n").exit(0);
    run(|world| Answer::text(200, &list(world, |_| {}))).stdout("web-1 app a\n").exit(0);
}

#[test]
fn a_list_without_items_is_empty() {
    let changes: [Change; 2] =
        [|list| list["items"] = Value::Null, |list| _ = list.as_object_mut().unwrap().remove("items")];
    for change in changes {
        let ran = run(|world| body(&list(world, change)));
        ran.stdout("").reported("no container matches in namespace \"default\"").exit(0);
    }
}

#[test]
fn a_document_that_is_no_list_of_pods_is_named() {
    for (answer, words) in [
        (
            "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"rows\":[]}",
            "a Table in place of a PodList",
        ),
        ("{\"kind\":\"ServiceList\",\"items\":[{\"spec\":[]}]}", "a ServiceList in place of a PodList"),
        ("{\"kind\":\"Pod\",\"metadata\":{}}", "a Pod in place of a PodList"),
        ("{}", "JSON without a kind (\"{}\") in place of a PodList; perhaps"),
        ("", "an empty answer in place of a PodList; perhaps"),
        (
            "<html><title>Log in</title></html>",
            "a web page (\"<html><title>Log in</title></html>\") in place of a",
        ),
        (
            "no healthy upstream",
            "text that is no JSON (\"no healthy upstream\") in place of a PodList; perhaps",
        ),
        ("{\"kind\":\"PodList\",\"items\":[]} and more", "JSON that cannot be read (trailing characters"),
        ("{\"kind\":\"PodList\",\"items\":[", "JSON that cannot be read (EOF"),
        (
            "{\"kind\":\"Status\",\"status\":\"Success\",\"message\":\"fine\"}",
            "a Status in place of a PodList: \"fine\"",
        ),
    ] {
        run(|_| body(answer)).fails_with(1, &["http://", words]);
    }
}

#[test]
fn a_status_counts_whatever_http_says() {
    let refusal = Answer::status(403, "Forbidden", "policy says no");
    let status = refusal.body_text();
    run(|_| body(&status)).fails_with(1, &["policy says no"]);
}

/// A change of a document.
type Change = fn(&mut Value);

/// A list of three pods, of which the second is odd.
fn odd(change: impl FnOnce(&mut Value)) -> World {
    let world = three_pods();
    let list = list(&world, |list| change(&mut list["items"][1]));
    world.on(Match::lists()).always(body(&list));
    world
}

fn three_pods() -> World {
    let world = World::new();
    for name in ["web-1", "web-2", "web-3"] {
        world.add_pod(Pod::new(name).label("app", "web").restarts(1).last_terminated(1, "Error"));
        world.log(&format!("{name}/app")).push(name);
    }
    world
}

#[test]
fn an_odd_field_of_a_pod_changes_nothing() {
    for field in OPTIONAL {
        let all = ["web-1 app web-1", "web-2 app web-2", "web-3 app web-3"];
        for value in values() {
            let world = odd(|pod| *pod.pointer_mut(field).unwrap() = value.clone());
            world.run("web --no-follow").lines(all).never_reported("! ").exit(0);
        }
        let world = odd(|pod| _ = remove(pod, field));
        world.run("web --no-follow").lines(all).never_reported("! ").exit(0);
    }
}

#[test]
fn an_event_with_an_odd_field_ends_no_tail_and_repeats_no_line() {
    let world = World::new();
    world.add_pod(Pod::new("web-1").label("app", "web").restarts(1).last_terminated(1, "Error"));
    world.log("web-1/app").push("a");
    let pod = world.pod_list("default")["items"][0].clone();
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    for field in OPTIONAL {
        // Another UID is another pod.
        for value in values().into_iter().filter(|value| field != "/metadata/uid" || !value.is_string()) {
            let mut odd = pod.clone();
            *odd.pointer_mut(field).unwrap() = value;
            let event = json!({"type": "MODIFIED", "object": odd});
            world.insert(Match::watches(), &format!("{event}\n"));
        }
    }
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    world.log("web-1/app").push("c");
    tail.expect("web-1 app c");
    tail.interrupt().never_reported("! ").exit(130);
}

/// The fields of a pod that no log needs.
const OPTIONAL: [&str; 16] = [
    "/metadata/uid",
    "/metadata/creationTimestamp",
    "/metadata/labels",
    "/metadata/labels/app",
    "/metadata/namespace",
    "/metadata/resourceVersion",
    "/spec",
    "/spec/nodeName",
    "/spec/containers",
    "/status/phase",
    "/status/conditions",
    "/status/containerStatuses/0/restartCount",
    "/status/containerStatuses/0/state",
    "/status/containerStatuses/0/state/running/startedAt",
    "/status/containerStatuses/0/lastState",
    "/status/containerStatuses/0/lastState/terminated",
];

/// Values that no apiserver gives to such a field.
fn values() -> Vec<Value> {
    let texts = ["", "never", "7", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "a\nb\u{1b}[2J"];
    let others = [
        json!(null),
        json!(false),
        json!(-1),
        json!(0.5),
        json!(1e300),
        json!(3_221_225_786_u32),
        json!(u64::MAX),
        json!([]),
        json!([[[null]]]),
        json!([{"type": "Ready", "status": null}]),
        json!({}),
        json!({"terminated": {"exitCode": "x", "finishedAt": "9999-12-31T23:59:59Z", "reason": null}}),
        json!({"a": 5}),
    ];
    texts.iter().map(|text| json!(text)).chain(others).collect()
}

fn remove(pod: &mut Value, field: &str) -> Option<Value> {
    let (place, name) = field.rsplit_once('/')?;
    pod.pointer_mut(place)?.as_object_mut()?.remove(name)
}

#[test]
fn pods_with_the_same_uid_are_all_shown() {
    let world = World::new();
    for name in ["web-1", "web-2", "web-3", "web-4"] {
        world.pod(name, [name]);
    }
    let list = list(&world, |list| {
        list["items"][1]["metadata"]["uid"] = list["items"][0]["metadata"]["uid"].clone();
        list["items"][2]["metadata"]["uid"] = json!("");
        list["items"][3]["metadata"]["uid"] = json!("");
    });
    world.on(Match::lists()).always(body(&list));
    let all = ["web-1 app web-1", "web-2 app web-2", "web-3 app web-3", "web-4 app web-4"];
    world.run("web --no-follow").lines(all).exit(0);
}

#[test]
fn a_pod_that_cannot_be_read_costs_only_itself() {
    let changes: [(Change, &str); 6] = [
        (|pod| *pod = Value::Null, "\"null\": it is no object"),
        (|pod| *pod = json!("web-2"), "\"\"web-2\"\": it is no object"),
        (|pod| pod["metadata"] = json!("web-2"), "it has no name"),
        (|pod| pod["metadata"]["name"] = json!(""), "it has no name"),
        (
            |pod| pod["metadata"]["name"] = json!("web-\u{1b}[31m\u{202e}\nFAKE › x"),
            "its name is impossible: \"web- [31m\u{fffd} FAKE › x\"",
        ),
        (|pod| pod["metadata"]["name"] = json!("web-".repeat(70_000)), "its name is impossible: \"web-web-"),
    ];
    for (change, words) in changes {
        let reported = format!("! a pod cannot be read and is left out: {words}");
        for flags in ["--no-follow", ""] {
            let world = odd(change);
            let mut tail = world.start(&format!("web {flags}"));
            tail.expect_all(["web-1 app web-1", "web-3 app web-3"]);
            tail.reported(&reported);
            match flags {
                "" => tail.interrupt().exit(130),
                _ => tail.finish().never_reported("no container matches").exit(3),
            };
        }
    }
}

#[test]
fn a_value_that_nothing_can_hold_costs_no_pod() {
    for value in ["1e999", "\"\\ud800\"", "-1E9999"] {
        for field in ["/status/containerStatuses/0/restartCount", "/metadata/labels/app", "/status/phase"] {
            let world = three_pods();
            let list = list(&world, |list| *list["items"][1].pointer_mut(field).unwrap() = json!("ODD"));
            world.on(Match::lists()).always(body(&list.replace("\"ODD\"", value)));
            let all = ["web-1 app web-1", "web-2 app web-2", "web-3 app web-3"];
            world.run("web --no-follow").lines(all).never_reported("! ").exit(0);
        }
    }
}

#[test]
fn a_pod_whose_namespace_cannot_be_read_costs_only_itself() {
    let changes: [(Change, &str); 2] = [
        (|pod| pod["metadata"]["namespace"] = json!(null), "web-2: it has no namespace"),
        (
            |pod| pod["metadata"]["namespace"] = json!("a\u{7}b"),
            "web-2: the name of its namespace is impossible: \"a b\"",
        ),
    ];
    for (change, words) in changes {
        let ran = odd(change)
            .run("web -A --no-follow")
            .lines(["default web-1 app web-1", "default web-3 app web-3"]);
        ran.reported(&format!("! a pod cannot be read and is left out: {words}")).exit(3);
    }
}

#[test]
fn a_container_that_cannot_be_read_costs_only_itself() {
    let changes: [(Change, &str); 4] = [
        (|pod| pod["status"] = json!(7), "it has no name"),
        (|pod| pod["status"]["containerStatuses"] = json!({"app": {}}), "it has no name"),
        (|pod| pod["status"]["containerStatuses"][0] = json!("app"), "it has no name"),
        (
            |pod| pod["status"]["containerStatuses"][0]["name"] = json!("app\u{9b}2J\", \"message\": \"x"),
            "its name is impossible: \"app 2J\", \"message\": \"x\"",
        ),
    ];
    for (change, words) in changes {
        let reported = format!("! default/web-2: a container cannot be read and is left out: {words}");
        let ran = odd(change).run("web --no-follow");
        ran.lines(["web-1 app web-1", "web-3 app web-3"]).reported(&reported).exit(3);
    }
}

#[test]
fn a_pod_of_more_containers_than_an_object_can_have_is_cut_and_reported() {
    let world = odd(|pod| {
        let status = pod["status"]["containerStatuses"][0].clone();
        pod["status"]["containerStatuses"] = (0..5_001)
            .map(|n| {
                let mut status = status.clone();
                status["name"] = json!(format!("c{n}"));
                status
            })
            .collect();
    });
    let ran = world.run("web --dry-run");
    let rows = ran.out().lines().filter(|line| line.contains(" web-2 ")).count();
    assert_eq!(rows, 5_000);
    ran.reported("! default/web-2: it has more than 5000 containers, and only so many are read").exit(3);
}

#[test]
fn an_event_that_cannot_be_read_is_reported_and_the_watch_goes_on() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    let event = json!({"type": "ADDED", "object": "odd"});
    world.insert(Match::watches(), &format!("{event}\n"));
    tail.reported("! a pod cannot be read and is left out: \"\"odd\"\": it is no object");
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    assert_eq!(world.requests().watches().len(), 1);
    tail.interrupt().exit(130);
}

#[test]
fn a_watch_that_fails_is_reported_in_the_words_of_the_server() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    let status =
        json!({"kind": "Status", "status": "Failure", "message": "etcd gone", "reason": null, "code": 500});
    world.insert(Match::watches(), &format!("{}\n", json!({"type": "ERROR", "object": status})));
    tail.reported("! cannot watch pods in namespace \"default\": the apiserver answered 500");
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    tail.interrupt().reported("“etcd gone”").exit(130);
}

#[test]
fn a_success_that_proxies_make_of_another_counts_as_one() {
    for code in [201, 203] {
        run(|world| Answer::text(code, &list(world, |_| {}))).stdout("web-1 app a\n").exit(0);
    }
}

#[test]
fn an_answer_to_another_request_is_no_success() {
    for code in [202, 204, 205, 206, 300, 301, 304, 600] {
        let words = format!(" answered {code}");
        run(|world| Answer::text(code, &list(world, |_| {}))).fails_with(1, &["http://", &words]);
        let world = World::web(["a"]);
        world.on(Match::logs()).always(Answer::text(code, "2026-01-01T00:00:00Z a\n"));
        world.run("web --no-follow").stdout("").reported(&words).exit(1);
    }
}

#[test]
fn a_watch_that_answers_with_a_web_page_is_named_and_begun_again() {
    let world = World::web(["a"]);
    let script = world.on(Match::watches());
    script.always(Answer::text(200, "<html>Log in</html>"));
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.reported(
        "with a web page (\"<html>Log in</html>\") in place of a watch event; perhaps a login page",
    );
    script.stop();
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    tail.interrupt().exit(130);
}

#[test]
fn an_event_that_is_none_is_reported_and_the_watch_goes_on() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    for event in [
        "{\"type\":5,\"object\":{}}",
        "[1]",
        "{\"type\":\"MODIFIED\"}",
        "null",
        "{\"type\":\"ERROR\",\"object\":5}",
    ] {
        world.insert(Match::watches(), &format!("{event}\n"));
    }
    tail.reported("! an event of the watch cannot be read and is left out: \"[1]\"");
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    assert_eq!(world.requests().watches().len(), 1);
    tail.interrupt().reported("left out: an error without a Status: \"5\"").exit(130);
}

#[test]
fn new_pods_are_seen_though_a_proxy_answers_each_watch_with_a_list() {
    let world = World::web(["a"]);
    world.on(Match::watches()).always(body(&list(&world, |_| {})));
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.reported("with a PodList in place of a watch event; listing the pods again");
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    tail.interrupt().exit(130);
}

#[test]
fn new_pods_are_seen_though_each_watch_ends_at_once() {
    let world = World::web(["a"]);
    world.on(Match::watches()).always(body(""));
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    tail.interrupt().reported("! the watch of the pods ends at once each time: listing them again").exit(130);
}

#[test]
fn a_list_with_odd_metadata_is_read() {
    for odd in [json!("x"), json!(5), json!([])] {
        run(|world| body(&list(world, |list| list["metadata"] = odd))).stdout("web-1 app a\n").exit(0);
    }
}

/// They would need fifty times as much memory as here.
#[test]
fn pods_of_containers_that_need_too_much_memory_are_not_read() {
    let answer = |world: &World| {
        let containers = format!("[{}{{}}]", "{},".repeat(5_000));
        let pods = list(world, |list| {
            list["items"][0]["status"]["containerStatuses"] = json!([]);
            let pod = list["items"][0].clone();
            *list["items"].as_array_mut().unwrap() = vec![pod; 400];
        });
        body(&pods.replace("\"containerStatuses\":[]", &format!("\"containerStatuses\":{containers}"))).gzip()
    };
    run(answer).fails_with(
        1,
        &["the content of an answer from http://", " has more than 256 MiB, which is too much"],
    );
}

#[test]
fn a_log_that_is_a_status_is_a_refusal() {
    for status in
        [Answer::status(403, "Forbidden", "policy says no"), Answer::status(200, "", "policy says no")]
    {
        let world = World::web(["a"]);
        world.on(Match::logs()).always(Answer::text(200, &status.body_text()));
        world.run("web --no-follow").stdout("").reported("policy says no");
    }
}
