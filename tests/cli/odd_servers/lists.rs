//! Lists, objects and events that are not as an apiserver writes them.

use apiserver::{Answer, Match};
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
    let world = World::new();
    for name in ["web-1", "web-2", "web-3"] {
        world.pod(name, [name]);
    }
    let list = list(&world, |list| change(&mut list["items"][1]));
    world.on(Match::lists()).always(body(&list));
    world
}

#[test]
fn an_odd_field_of_a_pod_changes_nothing() {
    let changes: [Change; 9] = [
        |pod| pod["metadata"]["creationTimestamp"] = json!("2026-02-30T00:00:00Z"),
        |pod| pod["metadata"]["creationTimestamp"] = json!(""),
        |pod| pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] = json!("never"),
        |pod| {
            pod["status"]["containerStatuses"][0]["lastState"] = json!({"terminated": {
            "exitCode": 3_221_225_786_u32, "finishedAt": "9999-12-31T23:59:59Z", "reason": null}});
        },
        |pod| pod["status"]["containerStatuses"][0]["restartCount"] = json!(-1),
        |pod| _ = pod["metadata"].as_object_mut().unwrap().remove("uid"),
        |pod| pod["metadata"]["labels"] = Value::Null,
        |pod| pod["metadata"]["namespace"] = Value::Null,
        |pod| pod["status"]["conditions"] = json!([{"type": "Ready", "status": null}]),
    ];
    for change in changes {
        let all = ["web-1 app web-1", "web-2 app web-2", "web-3 app web-3"];
        odd(change).run("web --no-follow").lines(all).never_reported("! ").exit(0);
    }
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
    let changes: [(Change, &str); 4] = [
        (|pod| pod["spec"] = json!("none"), "default/web-2: invalid type"),
        (|pod| pod["status"]["containerStatuses"] = json!(7), "default/web-2: invalid type"),
        (|pod| *pod = Value::Null, "\"null\": invalid type"),
        (|pod| pod["metadata"]["name"] = json!(""), "it has no name"),
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
fn an_event_that_cannot_be_read_is_reported_and_the_watch_goes_on() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    let event = json!({"type": "ADDED", "object": {"kind": "Pod", "spec": 7, "metadata": {"name": "odd"}}});
    world.insert(Match::watches(), &format!("{event}\n"));
    tail.reported("! a pod cannot be read and is left out: odd: invalid type");
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
    tail.interrupt().reported("the pods are watched again").exit(130);
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
