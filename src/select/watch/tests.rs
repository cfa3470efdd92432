//! A server whose lists or watches fail again and again is asked ever less often.

use std::cell::{Cell, RefCell};

use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::{pause, timeout},
};

use super::{super::track::tests::everything, *};
use crate::{cluster::testing::Machine, instance::Life};

const PODS: &str = r#"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[]}"#;
const OLD: &str = r#"{"kind":"Status","status":"Failure","reason":"Expired","message":"too old","code":410}"#;

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn event(kind: &str, object: &str) -> String {
    answer("200 OK", &format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n"))
}

/// A server, and the scope of a namespace that is watched there.
async fn server() -> (TcpListener, Scope) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let scope = Scope {
        cluster: Machine::with(&format!("server: 'http://{address}'"), "token: t").plain_cluster(),
        namespace: Some("shop".to_owned()),
        label_selector: None,
        field_selector: None,
        pod: None,
        fresh: false,
    };
    (listener, scope)
}

/// Answers each request for pods, by whether it is a watch, until there is no answer.
async fn serve(listener: &TcpListener, mut answer: impl AsyncFnMut(bool) -> Option<String>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut request).await {
            let is_watch = String::from_utf8_lossy(&request[..read]).contains("watch=true");
            let Some(reply) = answer(is_watch).await else { return };
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
    }
}

/// The requests in ten minutes to a server that answers each list so, and each watch after this time so.
async fn requests(list: &str, watch: &str, after: Duration) -> usize {
    let (listener, scope) = server().await;
    let selection = everything();
    let mut tracker = Tracker::new(&selection, true, false, false);
    let mut count = 0;
    let serving = serve(&listener, async |is_watch| {
        count += 1;
        if is_watch {
            sleep(after).await;
        }
        Some(if is_watch { watch } else { list }.to_owned())
    });
    pause();
    let quiet = async |_| {};
    tokio::select! {
        never = timeout(Duration::from_secs(600), scope.follow(&mut tracker, &quiet)) => {
            assert!(never.is_err(), "it follows for ever");
        }
        () = serving => {}
    }
    tokio::time::resume();
    count
}

#[tokio::test]
async fn a_server_that_fails_at_once_is_asked_ever_less_often() {
    let pods = answer("200 OK", PODS);
    for (list, watch) in [
        (&pods, &answer("200 OK", "")),
        (&pods, &answer("410 Gone", OLD)),
        (&pods, &answer("500 Oops", "oops")),
        (&pods, &event("ERROR", OLD)),
        (&pods, &event("ERROR", &OLD.replace("410", "500"))),
        (&pods, &event("BOOKMARK", r#"{"metadata":{"resourceVersion":"2"}}"#)),
        (&pods, &answer("200 OK", "<html>")),
        (&answer("500 Oops", "oops"), &pods),
    ] {
        let count = requests(list, watch, Duration::ZERO).await;
        // The longest pause is 15 to 30 seconds. Some failures cost two requests.
        assert!((20..110).contains(&count), "{count} requests: {list} {watch}");
    }
}

/// The apiserver is back, and has forgotten the version meanwhile.
#[tokio::test]
async fn a_watch_that_expires_after_failures_is_listed_again_soon() {
    let (listener, scope) = server().await;
    let selection = everything();
    let mut tracker = Tracker::new(&selection, true, false, false);
    let (mut watches, mut expired) = (0, None);
    let serving = serve(&listener, async |is_watch| {
        watches += usize::from(is_watch);
        let reply = match (is_watch, watches) {
            (true, ..8) => answer("500 Oops", "oops"),
            (true, _) => answer("410 Gone", OLD),
            (false, ..8) => answer("200 OK", PODS),
            (false, _) => return None,
        };
        expired = (watches == 8).then(Instant::now);
        Some(reply)
    });
    pause();
    let quiet = async |_| {};
    tokio::select! {
        _ = scope.follow(&mut tracker, &quiet) => {}
        () = serving => {}
    }
    let waited = expired.map(|at| at.elapsed());
    assert!(waited.is_some_and(|waited| waited < Duration::from_secs(2)), "{waited:?}");
}

/// The lists in two minutes of a server that refuses each watch with this status, and the notices.
async fn refused(status: &str) -> (usize, Vec<String>) {
    let (listener, scope) = server().await;
    let (selection, mut lists, said) = (everything(), 0, RefCell::new(Vec::new()));
    let mut tracker = Tracker::new(&selection, true, false, false);
    let refused = answer(status, "no watches here");
    let serving = serve(&listener, async |is_watch| {
        lists += usize::from(!is_watch);
        Some(if is_watch { refused.clone() } else { answer("200 OK", PODS) })
    });
    pause();
    let report = async |update| {
        if let Update::Notice(notice) = update {
            said.borrow_mut().push(notice.text);
        }
    };
    tokio::select! {
        never = timeout(Duration::from_secs(120), scope.follow(&mut tracker, &report)) => assert!(never.is_err()),
        () = serving => {}
    }
    tokio::time::resume();
    (lists, said.into_inner())
}

/// That would be more work for a server that has too much.
#[tokio::test]
async fn pods_are_not_listed_again_while_watches_are_refused_for_now() {
    for status in ["429 Too Many", "503 Unavailable"] {
        assert_eq!(refused(status).await.0, 1, "{status}");
    }
}

/// A proxy in between serves lists only.
#[tokio::test]
async fn pods_are_listed_again_if_no_watch_works() {
    for status in ["400 Bad Request", "405 Not Allowed", "501 Not Implemented", "504 Timed Out"] {
        let (lists, said) = refused(status).await;
        assert!((4..20).contains(&lists), "{lists} lists");
        let ends = said.iter().filter_map(|text| text.rsplit_once("; "));
        let words: Vec<&str> = ends.map(|(_, end)| end).collect();
        assert_eq!(words, ["trying again", "listing the pods again"], "{said:?}");
    }
}

#[tokio::test]
async fn a_first_list_that_is_too_old_is_asked_for_again() {
    let (listener, scope) = server().await;
    let selection = everything();
    let mut tracker = Tracker::new(&selection, true, false, false);
    let mut lists = 0;
    let serving = serve(&listener, async |is_watch| {
        lists += usize::from(!is_watch);
        match (is_watch, lists) {
            (true, _) => None,
            (false, 1) => Some(answer("410 Gone", OLD)),
            (false, _) => Some(answer("200 OK", PODS)),
        }
    });
    pause();
    let quiet = async |_| {};
    tokio::select! {
        _ = scope.follow(&mut tracker, &quiet) => {}
        () = serving => {}
    }
    assert_eq!(lists, 2);
}

#[tokio::test]
async fn a_watch_that_lasts_is_begun_again_at_once() {
    let (pods, over) = (answer("200 OK", PODS), answer("200 OK", ""));
    let count = requests(&pods, &over, STEADY).await;
    assert!((58..=61).contains(&count), "{count}");
}

#[tokio::test]
async fn a_watch_without_an_event_works_once_it_lasts() {
    let (listener, scope) = server().await;
    let selection = everything();
    let mut tracker = Tracker::new(&selection, true, false, false);
    let (mut watches, notices) = (0, RefCell::new(Vec::new()));
    let serving = serve(&listener, async |is_watch| {
        watches += usize::from(is_watch);
        Some(match (is_watch, watches) {
            (true, 1) => answer("500 Oops", "oops"),
            // It goes on.
            (true, _) => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
            (false, _) => answer("200 OK", PODS),
        })
    });
    let again = tokio::sync::Notify::new();
    let report = async |update| {
        if let Update::Notice(notice) = update {
            notices.borrow_mut().push(notice.text);
            if notices.borrow().len() == 2 {
                again.notify_one();
            }
        }
    };
    pause();
    let began = Instant::now();
    tokio::select! {
        _ = scope.follow(&mut tracker, &report) => {}
        () = serving => {}
        () = again.notified() => {}
    }
    assert_eq!(notices.borrow().last().map(String::as_str), Some("the pods are watched again"));
    let waited = began.elapsed();
    assert!((STEADY..2 * STEADY).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn a_server_that_always_has_another_event_lets_the_rest_run() {
    let pod = |n| {
        format!(
            r#"{{"type":"ADDED","object":{{"metadata":{{"name":"web-{n}","namespace":"shop","uid":"{n}"}},"status":{{
            "containerStatuses":[{{"name":"app","containerID":"{n}","state":{{"running":{{}}}}}}]}}}}}}"#
        )
        .replace('\n', "")
    };
    let events: String = (0..100).map(|n| pod(n) + "\n").collect();
    let (listener, scope) = server().await;
    let selection = everything();
    let mut tracker = Tracker::new(&selection, true, false, false);
    let (others, seen) = (Cell::new(0), RefCell::new(Vec::new()));
    let serving = serve(&listener, async |is_watch| {
        let body = if is_watch { &events } else { PODS };
        Some(answer("200 OK", body))
    });
    let all = tokio::sync::Notify::new();
    let report = async |update| {
        if let Update::Change(Change::Started { .. }) = update {
            seen.borrow_mut().push(others.get());
            if seen.borrow().len() == 100 {
                all.notify_one();
            }
        }
    };
    let counting = async {
        loop {
            others.update(|count| count + 1);
            yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = scope.follow(&mut tracker, &report) => {}
        () = serving => {}
        () = counting => {}
        () = all.notified() => {}
    }
    assert!(seen.borrow().first() < seen.borrow().last(), "{seen:?}");
}

fn pod(n: usize, metadata: Value) -> Value {
    let (name, uid) = (format!("web-{n}"), format!("u{n}"));
    let mut pod = json!({
        "metadata": {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": "2"},
        "status": {"containerStatuses": [{"name": "app", "containerID": uid, "state": {"running": {}}}]},
    });
    if let (Some(all), Some(more)) = (pod["metadata"].as_object_mut(), metadata.as_object()) {
        all.extend(more.clone());
    }
    pod
}

fn list(pods: Vec<Value>) -> String {
    answer(
        "200 OK",
        &json!({"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": pods}).to_string(),
    )
}

/// Watches a selection by label of which these pods are gone at once, one by one. `named` answers requests for a single
/// pod. Returns these, and the lives of the pods once all have changed.
async fn lost(pods: Vec<Value>, named: impl Fn(&str) -> String) -> (Vec<String>, Vec<Life>) {
    let (listener, scope) = server().await;
    let scope = Scope { label_selector: Some("app=web".to_owned()), ..scope };
    let (asked, lives) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let deleted: String =
        pods.iter().map(|pod| json!({"type": "DELETED", "object": pod}).to_string() + "\n").collect();
    let replies = |request: &str| match request.split_whitespace().nth(1).unwrap() {
        path if path.contains("watch=") => answer("200 OK", &deleted),
        path if path.contains("labelSelector=") => list((0..pods.len()).map(|n| pod(n, json!({}))).collect()),
        path => {
            asked.borrow_mut().push(path.to_owned());
            named(path)
        }
    };
    let connections = stream::unfold((), async |()| Some((listener.accept().await.unwrap().0, ())));
    let serving = connections.for_each_concurrent(None, async |mut stream| {
        let mut request = vec![0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut request).await {
            let reply = replies(&String::from_utf8_lossy(&request[..read]));
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
    });
    let report = async |update| {
        if let Update::Change(Change::Started { life, .. }) = update {
            lives.borrow_mut().push(life);
        }
    };
    let settled = async {
        loop {
            yield_now().await;
            let lives: Vec<Life> = lives.borrow().iter().map(|life| life.borrow().clone()).collect();
            if lives.len() == pods.len() && !lives.contains(&Life::Running) {
                return lives;
            }
        }
    };
    let selection = everything();
    let mut tracker = Tracker::new(&selection, true, false, false);
    let lives = tokio::select! {
        _ = scope.follow(&mut tracker, &report) => panic!("it follows for ever"),
        () = serving => panic!("it serves for ever"),
        lives = settled => lives,
    };
    (asked.into_inner(), lives)
}

#[tokio::test]
async fn a_pod_that_is_reported_as_deleted_is_asked_for_unless_it_had_a_grace_period() {
    let deleting = json!({"deletionTimestamp": "2026-01-31T10:00:00Z"});
    let pods = vec![pod(0, json!({})), pod(1, json!({})), pod(2, json!({})), pod(3, deleting)];
    let (mut asked, lives) = lost(pods, |path| match path {
        path if path.contains("web-0") => list(vec![pod(0, json!({}))]),
        path if path.contains("web-1") => list(vec![pod(1, json!({"uid": "another"}))]),
        _ => list(Vec::new()),
    })
    .await;
    asked.sort();
    let question = |n| format!("/api/v1/namespaces/shop/pods?&fieldSelector=metadata.name%3Dweb-{n}");
    assert_eq!(asked, [question(0), question(1), question(2)]);
    assert_eq!(lives, [Life::Dropped, Life::Deleted, Life::Deleted, Life::Deleted]);
}

#[tokio::test]
async fn pods_that_may_not_be_read_by_name_count_as_deleted_and_are_asked_for_no_more() {
    let pods = (0..20).map(|n| pod(n, json!({}))).collect();
    let (asked, lives) = lost(pods, |_| answer("403 Forbidden", "no")).await;
    // A few at a time, by a list and then a get.
    assert!((2..=8).contains(&asked.len()), "{asked:?}");
    assert_eq!(lives, vec![Life::Deleted; 20]);
}
