//! `--exit-on-complete`: the run ends once the Job or all pods have completed, with the right exit code.

use apiserver::{After, Answer, Gate, Match, Pod, Workload};
use serde_json::json;

use crate::harness::{World, stern_rs, timed};

const FLAGS: &str = "--exit-on-complete --timeout 60s";

fn migrate() -> Workload {
    Workload::job("migrate").selects("job-name", "migrate")
}

/// Adds a running pod of the Job, which has written this line.
fn start(world: &World, name: &str, line: &str) {
    world.add_pod(Pod::new(name).label("job-name", "migrate"));
    world.log(&format!("{name}/app")).push(line);
}

fn end(world: &World, name: &str, exit_code: i32) {
    let reason = if exit_code == 0 { "Completed" } else { "Error" };
    world.terminate_container(&format!("{name}/app"), exit_code, reason);
}

#[test]
fn a_job_is_followed_from_before_it_exists_to_its_end() {
    let world = World::new();
    let mut tail = world.start(&format!("job/migrate {FLAGS}"));
    tail.reported("waiting for it");
    let job = migrate();
    world.add(job.clone());
    start(&world, "migrate-1", "begin");
    tail.expect("migrate-1 app begin");
    world.log("migrate-1/app").push("end");
    end(&world, "migrate-1", 0);
    world.add(job.condition("Complete", "", ""));
    tail.expect("migrate-1 app end");
    tail.finish().never_reported("failed").exit(0);
}

#[test]
fn a_pod_that_its_job_retries_is_no_end() {
    let (world, job) = (World::new(), migrate());
    world.add(job.clone());
    start(&world, "migrate-1", "first");
    let mut tail = world.start(&format!("job/migrate {FLAGS}"));
    tail.expect("migrate-1 app first");
    end(&world, "migrate-1", 3);
    // The Job is asked, and goes on.
    tail.until(|account| account.requests.gets().path("/jobs/migrate").len() >= 2);
    start(&world, "migrate-2", "second");
    tail.expect("migrate-2 app second");
    end(&world, "migrate-2", 0);
    world.add(job.condition("Complete", "", ""));
    tail.finish().never_reported("exit 3 (").exit(0);
}

#[test]
fn a_job_that_failed_is_an_exit_code_of_its_own_with_the_codes_of_its_containers() {
    let world = World::new();
    world.add(migrate().condition(
        "Failed",
        "BackoffLimitExceeded",
        "Job has reached the specified backoff limit",
    ));
    start(&world, "migrate-1", "no such table");
    end(&world, "migrate-1", 3);
    let ran = world.run(&format!("job/migrate {FLAGS}")).stdout("migrate-1 app no such table\n");
    let err = ran.err();
    let (before, after) = err.split_once("! migrate-1 › app: failed: exit 3 (Error)\n").unwrap();
    assert!(before.ends_with("- migrate-1 › app (Error, exit 3)\n"), "it comes behind all lines: {err}");
    assert_eq!(
        after,
        "stern-rs: not completed: job \"migrate\" in namespace \"default\" failed: BackoffLimitExceeded: Job has reached \
         the specified backoff limit\n"
    );
    ran.exit(5);
}

/// With `ttlSecondsAfterFinished` the Job and its pods are removed.
#[test]
fn a_job_that_is_gone_at_once_is_judged_by_its_pods() {
    for (exit_code, code) in [(0, 0), (3, 5)] {
        let world = World::new();
        world.add(migrate());
        start(&world, "migrate-1", "a");
        let mut tail = world.start(&format!("job/migrate {FLAGS}"));
        tail.expect("migrate-1 app a");
        world.remove("jobs", "migrate");
        end(&world, "migrate-1", exit_code);
        tail.finish().exit(code);
    }
}

/// The answer about another one of that name is no answer about it.
#[test]
fn a_job_that_is_gone_in_one_of_several_namespaces_is_judged_by_its_pods() {
    for flags in [FLAGS, "--exit-on-complete --no-follow"] {
        let world = World::new();
        for namespace in ["shop", "test"] {
            let pod = Pod::new("migrate-1").namespace(namespace).label("job-name", "migrate");
            world.add_pod(pod.container("app").terminated(0, "Completed"));
            world.add(migrate().namespace(namespace).condition("Complete", "", ""));
        }
        // Once it is found, it is removed.
        world.on(Match::gets().path("/namespaces/test/jobs/").nth(1)).then(Answer::ok());
        world
            .on(Match::gets().path("/namespaces/test/jobs/"))
            .always(Answer::not_found("jobs.batch", "migrate"));
        world.run(&format!("job/migrate -n shop,test {flags}")).exit(0);
    }
}

/// Such as those of an apiserver that has just started, and of a proxy in its place.
#[test]
fn a_refusal_or_two_do_not_decide_how_a_job_ended() {
    for refusal in
        [Answer::status(403, "Forbidden", "no roles yet"), Answer::text(404, "<html>no such page</html>")]
    {
        let world = World::new();
        let job = migrate();
        world.add(job.clone());
        start(&world, "migrate-1", "a");
        let mut tail = world.start(&format!("job/migrate {FLAGS}"));
        tail.expect("migrate-1 app a");
        world.on(Match::gets().path("/jobs/")).times(2, &refusal);
        end(&world, "migrate-1", 3);
        tail.until(|account| account.requests.gets().path("/jobs/").len() > 3);
        start(&world, "migrate-2", "b");
        tail.expect("migrate-2 app b");
        end(&world, "migrate-2", 0);
        world.add(job.condition("Complete", "", ""));
        tail.finish().never_reported("its pods").exit(0);
    }
}

/// Without the right to watch, pods are listed every five seconds, and the Job is asked more often.
#[test]
fn a_pod_that_a_job_ended_with_is_shown_though_no_list_had_it() {
    let world = World::new();
    world.forbid("watch", "pods", "*");
    let job = migrate();
    world.add(job.clone());
    let mut tail = world.start(&format!("job/migrate {FLAGS}"));
    // One before the watch is refused, and one behind it.
    tail.until(|account| {
        account.requests.lists().path("/pods").filter(|list| list.status().is_some()).len() > 1
    });
    start(&world, "migrate-1", "a");
    end(&world, "migrate-1", 0);
    world.add(job.condition("Complete", "", ""));
    tail.expect("migrate-1 app a");
    tail.finish().exit(0);
}

#[test]
fn a_job_that_needs_several_pods_is_not_complete_after_one() {
    let world = World::new();
    world.add(migrate().with("completions", json!(2)));
    start(&world, "migrate-1", "a");
    let mut tail = world.start(&format!("job/migrate {FLAGS}"));
    tail.expect("migrate-1 app a");
    world.remove("jobs", "migrate");
    end(&world, "migrate-1", 0);
    tail.finish().reported("is gone, and its pods did not complete it").exit(5);
}

#[test]
fn a_job_that_ended_without_a_pod_decides_too() {
    let world = World::new();
    world.add(migrate().condition("Complete", "", ""));
    world.run(&format!("job/migrate {FLAGS}")).stdout("").exit(0);
    world.add(migrate().condition("Failed", "DeadlineExceeded", ""));
    let ran = world.run(&format!("job/migrate {FLAGS}"));
    ran.reported("not completed: job \"migrate\" in namespace \"default\" failed: DeadlineExceeded\n")
        .exit(5);
}

#[test]
fn a_pod_that_never_started_does_not_hold_up_the_end_of_its_job() {
    let world = World::new();
    world.add(migrate().condition("Failed", "DeadlineExceeded", ""));
    let pod = Pod::new("migrate-1").label("job-name", "migrate").container("app");
    world.add_pod(pod.waiting("ImagePullBackOff", "").deleting());
    world.run(&format!("job/migrate {FLAGS}")).reported("DeadlineExceeded").exit(5);
}

#[test]
fn the_time_of_a_run_ends_the_wait_for_a_job() {
    let world = World::new();
    let reported = |words: &str| {
        let run = |time: &str| world.run(&format!("job/migrate --exit-on-complete {time}")).exit(5);
        timed(run, |ran| ran.err().contains(words)).reported(words);
    };
    reported("stern-rs: not completed within the time of --timeout: still waiting for job \"migrate\"\n");
    world.add(migrate().with("suspend", json!(true)));
    reported("still waiting for job \"migrate\" in namespace \"default\", which is suspended\n");
    world.add(migrate());
    let pod = Pod::new("migrate-1").label("job-name", "migrate").container("app");
    world.add_pod(pod.waiting("ImagePullBackOff", "no such image"));
    reported("still waiting for migrate-1 (app: ImagePullBackOff)\n");
}

#[test]
fn all_pods_of_a_pattern_decide() {
    let world = World::web(["a"]);
    world.pod("web-2", ["b"]);
    let mut tail = world.start(&format!("web {FLAGS}"));
    tail.expect_all(["web-1 app a", "web-2 app b"]);
    end(&world, "web-1", 0);
    tail.reported("- web-1 › app");
    end(&world, "web-2", 0);
    tail.finish().exit(0);
}

#[test]
fn one_pod_that_failed_is_enough_to_fail() {
    let world = World::web(["a"]);
    world.pod("web-2", ["b"]);
    end(&world, "web-1", 0);
    end(&world, "web-2", 2);
    let ran = world.run(&format!("web {FLAGS} --only-log-lines"));
    ran.lines(["web-1 app a", "web-2 app b"])
        .stderr("! web-2 › app: failed: exit 2 (Error)\nstern-rs: not completed: 1 of 2 pods failed: web-2\n")
        .exit(5);
}

#[test]
fn a_pod_that_is_deleted_before_its_end_did_not_complete() {
    let world = World::web(["a"]);
    let mut tail = world.start(&format!("web {FLAGS}"));
    tail.expect("web-1 app a");
    world.delete_pod("web-1");
    tail.finish().reported("stern-rs: not completed: 1 of 1 pods failed: web-1\n").exit(5);
}

/// A kubelet before 1.21 forgets its containers.
#[test]
fn an_evicted_pod_is_over_though_its_containers_have_no_status() {
    let world = World::web(["a"]);
    let mut tail = world.start(&format!("web {FLAGS}"));
    tail.expect("web-1 app a");
    let refusal = r#"container "app" in pod "web-1" is not available"#;
    world.on(Match::logs()).always(Answer::status(400, "BadRequest", refusal));
    world.cut(Match::logs());
    world.update_pod("web-1", |pod| pod.failed("Evicted", "no memory").on("app").unreported());
    tail.finish().reported("the node removed this log before its end could be checked").exit(5);
}

#[test]
fn an_evicted_pod_that_never_ran_gives_its_reason() {
    let world = World::new();
    world.add_pod(Pod::new("web-1").never_started("Evicted", "the node was low on memory"));
    let ran = world.run(&format!("web {FLAGS}"));
    ran.stderr(
        "! web-1 failed: Evicted: the node was low on memory\n\
         stern-rs: not completed: 1 of 1 pods failed: web-1\n",
    )
    .exit(5);
}

/// The log stalls, or no answer comes; or there is no log.
#[test]
fn a_success_names_the_containers_that_were_not_read_to_the_end() {
    let world = World::new();
    for name in ["web-1", "web-2"] {
        world.add_pod(Pod::new(name).container("app").terminated(0, "Completed").phase("Succeeded"));
        world.log(&format!("{name}/app")).extend(["a", "b"]);
    }
    let unread = "! web-2 › app: not read to its end: the time of --timeout was over before\n";
    let run = |time: &str| world.run(&format!("web --exit-on-complete {time}"));
    {
        let _gate = world.hold(Match::logs().path("web-2"));
        let ran = timed(run, |ran| !ran.out().is_empty()).stdout("web-1 app a\nweb-1 app b\n").exit(0);
        ran.reported(unread).never_reported("web-1 › app: not read");
    }
    {
        let gate = Gate::new();
        let stalls = Answer::ok().hold_after(After::Lines(1), &gate);
        world.on(Match::logs().path("web-2")).always(stalls);
        let ran = timed(run, |ran| ran.out().contains("web-1") && ran.out().contains("web-2")).exit(0);
        ran.reported(unread).never_reported("web-1 › app: not read");
    }
    world.clear_scripts();
    world.on(Match::logs().path("web-2")).always(Answer::status(404, "NotFound", "no log"));
    let ran = world.run("web --exit-on-complete --timeout 5s").stdout("web-1 app a\nweb-1 app b\n").exit(0);
    ran.reported("! web-2 › app: ");
}

#[test]
fn a_success_decides_although_a_part_is_not_shown() {
    let world = World::new();
    world.add_pod(Pod::new("web-1").container("app").terminated(0, "Completed").phase("Succeeded"));
    world.log("web-1/app").push("a");
    world.home.write("logs/default/web-1", "not a directory");
    let ran = world.run(&format!("web --output-dir logs {FLAGS}")).stdout("web-1 app a\n").exit(0);
    ran.reported("lacks 1 line");
    let ran = world.run(&format!("web --template '{{{{index .Message 99}}}}' {FLAGS}")).exit(0);
    ran.reported("expanding template failed");
}

/// It runs on when the container that counts has ended, and is then stopped.
#[test]
fn a_sidecar_does_not_decide() {
    let world = World::new();
    world.add(migrate().condition("Complete", "", ""));
    let pod = Pod::new("migrate-1").label("job-name", "migrate").container("app").terminated(0, "Completed");
    world.add_pod(pod.container("proxy").terminated(137, "Error").phase("Succeeded"));
    world.log("migrate-1/app").push("a");
    world.run(&format!("job/migrate {FLAGS}")).stdout("migrate-1 app a\n").exit(0);
}

/// Its last status says that it runs, and no other will come.
#[test]
fn a_container_whose_end_is_not_reported_holds_up_nothing() {
    let world = World::web(["a"]);
    world.update_pod("web-1", |pod| pod.phase("Succeeded"));
    world.run(&format!("web {FLAGS}")).stdout("web-1 app a\n").exit(0);
}

#[test]
fn pods_that_run_on_complete_nothing() {
    let world = World::web(["a"]);
    let run = |time: &str| world.run(&format!("web --exit-on-complete {time}"));
    let ran = timed(run, |ran| !ran.out().is_empty()).stdout("web-1 app a\n");
    ran.reported("stern-rs: not completed within the time of --timeout: still waiting for web-1\n").exit(5);
    let ran = world.run("web --exit-on-complete --no-follow").stdout("web-1 app a\n");
    ran.reported("stern-rs: not completed: still waiting for web-1\n").exit(5);
    let ran = world.run("none --exit-on-complete --no-follow");
    ran.reported("stern-rs: not completed: no pod was there\n").exit(5);
}

#[test]
fn without_following_the_state_of_now_counts() {
    let world = World::new();
    world.add(migrate().condition("Complete", "", ""));
    start(&world, "migrate-1", "a");
    end(&world, "migrate-1", 0);
    world.run("job/migrate --exit-on-complete --no-follow").stdout("migrate-1 app a\n").exit(0);
}

#[test]
fn a_line_that_matches_comes_before_the_completion() {
    let world = World::web(["ready"]);
    world.run(&format!("web {FLAGS} --until-match ready")).exit(0);
    end(&world, "web-1", 3);
    world.run(&format!("web {FLAGS} --until-match never")).exit(5);
    world.run(&format!("web {FLAGS} --until-match ready")).exit(0);
}

#[test]
fn a_job_that_may_not_be_read_is_judged_by_its_pods() {
    let world = World::new();
    world.add(migrate());
    world.forbid("get", "jobs", "default");
    start(&world, "migrate-1", "a");
    end(&world, "migrate-1", 0);
    let ran = world.run(&format!("job/migrate {FLAGS}")).stdout("migrate-1 app a\n");
    ran.reported("; its pods are found by the label job-name, and decide whether it succeeded\n").exit(0);
}

#[test]
fn an_apiserver_that_fails_for_a_while_is_asked_again() {
    let world = World::new();
    world.add(migrate().condition("Complete", "", ""));
    start(&world, "migrate-1", "a");
    let mut tail = world.start(&format!("job/migrate {FLAGS}"));
    tail.expect("migrate-1 app a");
    world.on(Match::gets().path("/jobs/migrate")).times(9, &Answer::unavailable());
    end(&world, "migrate-1", 0);
    tail.finish().exit(0);
}

#[test]
fn it_has_no_effect_on_standard_input() {
    let ran = stern_rs("--stdin --exit-on-complete").input("a\n").run().stdout("a\n");
    ran.reported("ignored with --stdin, which asks no cluster: --exit-on-complete").exit(0);
}
