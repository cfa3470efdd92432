//! Containers that their kubelet lost, and those of pods that it evicted.

use super::*;

/// Of an evicted pod, or one that a kubelet finds after its own start without its containers.
#[test]
fn a_container_that_its_kubelet_lost_has_ended_with_no_other_in_its_place() {
    let lost = json!({"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown", "startedAt": null,
                                     "finishedAt": null}});
    let before = restarted("b", 1)["lastState"].clone();
    for (id, last) in [("", &lost), ("b", &json!({})), ("", &before), ("b", &before)] {
        let selection = everything();
        let mut story = Story::new(&selection);
        let now =
            json!({"name": "app", "containerID": id, "restartCount": 1, "state": lost, "lastState": last});
        story.see(&pod(restarted("b", 1))).started().see(&pod(now.clone()));
        let ending =
            Ending { reason: "ContainerStatusUnknown".to_owned(), exit_code: Some(137), ..Ending::default() };
        assert_eq!((story.instances(), story.life(0)), (vec!["b"], Life::Terminated(ending)), "{now}");
        // The next one starts all the same.
        story.see(&pod(running("c", 2)));
        assert_eq!(story.instances(), ["b", "c"]);
        // The kubelet serves the log of the one before, if there is one.
        let mut late = Story::new(&selection);
        late.see(&pod(now));
        assert_eq!(late.instances(), if *last == before { vec!["a"] } else { Vec::new() });
    }
}

/// The kubelet forgets the status, or reports it as that of the next one, which it lost too.
#[test]
fn a_container_has_ended_with_its_pod_though_no_status_of_it_is_left() {
    let selection = everything();
    let lost = json!({"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}});
    let next = json!({"name": "app", "restartCount": 1, "state": lost, "lastState": lost});
    for left in [json!([]), json!([next])] {
        let with = |phase: &str| {
            pod_with(
                json!({"phase": phase, "reason": "Evicted", "message": "no memory", "containerStatuses": left}),
            )
        };
        let mut story = Story::new(&selection);
        story.see(&pod(running("a", 0))).started().see(&with("Running"));
        assert_eq!(story.life(0), Life::Running, "it may be started again");
        story.see(&with("Failed"));
        let evicted = Ending { reason: "Evicted".to_owned(), ..Ending::default() };
        assert_eq!(story.life(0), Life::Terminated(evicted), "{left}");
        // One that was evicted before the start is no log.
        let mut late = Story::new(&selection);
        late.see(&with("Failed"));
        assert!(late.instances().is_empty());
        assert_eq!(late.waits, ["failed: Evicted: no memory"]);
    }
}

#[test]
fn the_status_of_a_container_that_its_kubelet_lost_may_be_the_last_of_a_selected_pod() {
    let (selection, before) = (everything(), pod(running("a", 0)));
    let lost = json!({"name": "app", "state": {"terminated": {"exitCode": 137}}});
    let mut story = Story::new(&selection);
    story.see(&before).started().lose(&before, Some(&pod(lost)));
    assert!(matches!(story.life(0), Life::Terminated(_)), "{:?}", story.life(0));
}

/// Some servers give neither IDs nor dates.
#[test]
fn a_container_that_ended_for_a_reason_has_a_log() {
    let selection = everything();
    let ended = json!({"terminated": {"exitCode": 0, "reason": "Completed"}});
    let mut story = Story::new(&selection);
    story.see(&pod(json!({"name": "app", "containerID": "a", "state": ended})));
    assert_eq!(story.instances(), ["a"]);
}
