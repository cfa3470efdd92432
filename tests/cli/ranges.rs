//! Ranges of time: `--since` and `--until`, by the clock of the apiserver.

use apiserver::{After, Answer, Gate, Match, Pod, Requests};
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::harness::{Ran, World, stern_rs};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// A container that has run for two hours and written a line every ten minutes of the last one: `60`, `50` … `0`
/// minutes old.
fn world() -> World {
    world_ahead(0)
}

/// The same of a server whose clock is so many seconds ahead.
fn world_ahead(seconds: i64) -> World {
    let world = World::new();
    world.set_clock_ahead(seconds);
    world.add_pod(Pod::new("web-1").container("app").started(world.now() - 2 * HOUR));
    write_hour(&world, "web-1/app");
    world
}

fn write_hour(world: &World, log: &str) {
    for age in (0..=6).rev() {
        world.log(log).push_at(world.now() - minutes(10 * age), (10 * age).to_string());
    }
}

/// As one would type it, in UTC.
fn ago(world: &World, age: i64) -> String {
    (world.now() - minutes(age)).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The requests for logs, but for those that only look whether a log begins late since it was rotated.
fn reads(world: &World) -> Requests {
    world.requests().logs().filter(|log| log.query("limitBytes").is_none())
}

trait Shows {
    fn shows(self, lines: &str) -> Ran;
}

impl Shows for Ran {
    /// Standard output has these messages.
    #[track_caller]
    fn shows(self, lines: &str) -> Ran {
        let lines: String = lines.split_whitespace().map(|line| format!("{line}\n")).collect();
        self.stdout(&lines).exit(0)
    }
}

#[test]
fn a_range_in_the_past_is_shown_and_ends() {
    let world = world();
    world.run("web -o raw --since 45m --until 15m").shows("40 30 20");
    let (since, until) = (ago(&world, 45), ago(&world, 15));
    world.run(&format!("web -o raw --since {since} --until {until}")).shows("40 30 20");
    world.run(&format!("web -o raw --since-time {since}Z --until {until}+00:00")).shows("40 30 20");
    assert!(world.requests().watches().is_empty());
    assert!(reads(&world).iter().all(|log| log.query("follow").is_none()) && reads(&world).len() == 3);
}

#[test]
fn a_range_includes_its_start_and_excludes_its_end() {
    let world = World::new();
    world.add_pod(Pod::new("web-1").container("app").started("2020-01-31T00:00:00Z".parse().unwrap()));
    let log = world.log("web-1/app");
    for (time, line) in [
        ("2020-01-31T14:04:59.999999999Z", "before"),
        ("2020-01-31T14:05:00Z", "first"),
        ("2020-01-31T14:05:00.25Z", "second"),
        ("2020-01-31T14:09:59.999999999Z", "last"),
        ("2020-01-31T14:10:00Z", "behind"),
    ] {
        log.push_at(time, line);
    }
    let range = |since: &str, until: &str| {
        world.run(&format!("web -o raw --since 2020-01-31T{since} --until 2020-01-31T{until}"))
    };
    range("14:05", "14:10").shows("first second last");
    range("14:05:00.25", "14:10").shows("second last");
    range("14:05", "14:09:59.999999999").shows("first second");
    range("14:05:00.000000001", "14:05:00.25").shows("");
}

/// The line in the middle ends an answer that has much more.
#[test]
fn an_answer_is_read_no_further_than_its_range() {
    let world = world();
    let more = Gate::new();
    world.on(Match::logs()).then(Answer::ok().hold_after(After::Lines(4), &more));
    world.run("web -o raw --since 2h --until 35m").shows("60 50 40");
    assert_eq!(reads(&world).len(), 1, "the end needs no confirmation");
    more.release();
}

/// Lines are written in order, but for steps of the clock.
#[test]
fn a_clock_that_was_set_back_a_little_loses_no_line() {
    let world = World::new();
    world.add_pod(Pod::new("web-1").container("app").started("2020-01-31T00:00:00Z".parse().unwrap()));
    let log = world.log("web-1/app");
    log.push_at("2020-01-31T14:09:59Z", "before").push_at("2020-01-31T14:10:01Z", "ahead");
    log.push_at("2020-01-31T14:09:59.5Z", "set back").push_at("2020-01-31T14:10:02Z", "end");
    log.push_at("2020-01-31T14:09:59.9Z", "much later");
    let ran = world.run("web -o raw --since 2020-01-31 --until 2020-01-31T14:10");
    ran.stdout("before\nset back\n").exit(0);
}

#[test]
fn what_began_after_the_range_is_not_read() {
    let world = world();
    world.add_pod(Pod::new("web-2").container("app").started(world.now() - minutes(10)));
    world.run("web -o raw --since 1h --until 15m").shows("50 40 30 20").never_reported("web-2");
    assert_eq!(world.requests().logs().path("/web-2/").len(), 0);
}

#[test]
fn a_range_before_all_containers_says_why_it_is_empty() {
    let world = world();
    let ran = world.run("web --since 5h --until 3h");
    ran.stdout("").stderr("· the range ends before any of 1 containers started\n").exit(0);
}

#[test]
fn a_time_that_is_not_in_quotes_is_no_query() {
    for words in ["web --since 2026-05-31 14:05:10", "--since 2026-05-31 14:05:10"] {
        let quoted = "a day and a time are one word in quotes: '2026-05-31 14:05:10'";
        stern_rs(words).run().fails_with(2, &["\"14:05:10\" is a time", quoted]);
    }
}

#[test]
fn a_log_without_a_line_behind_the_range_is_confirmed() {
    let world = world();
    world.run("web -o raw --since 45m --until now").shows("40 30 20 10 0");
    assert_eq!((reads(&world).len(), world.looks()), (2, 1));
}

#[test]
fn an_answer_that_was_cut_within_the_range_is_continued() {
    let world = world();
    world.on(Match::logs()).then(Answer::ok().end_after(After::Lines(2)));
    world.run("web -o raw --since 2h --until 15m").shows("60 50 40 30 20");
}

#[test]
fn the_last_lines_before_the_end_are_shown() {
    let world = world();
    world.run("web -o raw --since 2h --until 25m --tail 2").shows("40 30");
    world.run("web -o raw --since 2h --until 25m --tail 9").shows("60 50 40 30");
    world.run("web -o raw --since 90m --until 75m --tail 2").shows("");
    world.run("web -o raw --since 2h --until 25m --tail 2 --limit-bytes 4").shows("40 3");
    world.run("web --since 2h --until 25m --tail 0").fails_with(2, &["--tail=0", "--until"]);
    world.run("web --since 2h --until 25m --tail 1000001").fails_with(2, &["--tail", "1000000"]);
}

/// Many lines have the same instant.
#[test]
fn the_last_lines_are_counted_within_an_instant_too() {
    let world = World::new();
    let then = "2020-01-31T14:00:00.5Z";
    world.add_pod(Pod::new("web-1").container("app").started("2020-01-31T00:00:00Z".parse().unwrap()));
    for line in ["a", "b", "c", "d"] {
        world.log("web-1/app").push_at(then, line);
    }
    world.log("web-1/app").push_at("2020-01-31T15:00:00Z", "behind");
    for (tail, shown) in [(1, "d"), (3, "b c d"), (4, "a b c d")] {
        world
            .run(&format!("web -o raw --since 2020-01-31 --until 2020-01-31T14:30 --tail {tail}"))
            .shows(shown);
    }
}

#[test]
fn bytes_are_those_of_the_range() {
    let world = world();
    world.run("web -o raw --since 35m --until 15m --limit-bytes 4").stdout("30\n2\n").exit(0);
}

#[test]
fn a_previous_instance_has_ranges_too() {
    let world = world();
    world.restart_container("web-1/app");
    world.run("web -o raw --previous --since 45m --until 25m").shows("40 30");
    world.run("web -o raw --previous --until 25m --tail 1").shows("30");
}

#[test]
fn until_now_reads_what_there_is_and_ends() {
    world().run("web -o raw --until now").shows("60 50 40 30 20 10 0");
}

#[test]
fn words_mean_the_clock_of_the_server_and_are_shown() {
    let world = world_ahead(-3 * 86_400);
    let today = world.now().to_zoned(jiff::tz::TimeZone::UTC);
    let day = |days: i64| today.date().checked_sub(days.days()).unwrap();
    let ran = world.run("web -o raw --since yesterday --until now");
    ran.shows("60 50 40 30 20 10 0")
        .reported(&format!("· since {} 00:00:00 +00:00, until ", day(1)))
        .reported(
            "! the clock of this machine is 72h ahead of the apiserver's, which is the one that counts\n",
        );
    assert_eq!(reads(&world)[0].query("sinceTime"), Some(&*format!("{}T00:00:00Z", day(1))));
}

#[test]
fn a_time_is_one_of_the_zone() {
    let world = world();
    let ran = world.run("web --since 2020-01-31T14:05 --until 2020-02-01 --timezone Asia/Seoul");
    ran.exit(0).reported("· since 2020-01-31 14:05:00 +09:00, until 2020-02-01 00:00:00 +09:00\n");
    let ran = world.run("web --since 2020-01-31T14:05:00.25 --until 2020-02-01 --timezone Asia/Seoul");
    ran.exit(0).reported("· since 2020-01-31 14:05:00.25 +09:00, until 2020-02-01 00:00:00 +09:00\n");
    let ran = world.run("web --only-log-lines --since 2020-01-31 --until 2020-02-01");
    ran.stdout("").stderr("").exit(0);
}

#[test]
fn instants_and_durations_need_no_explanation() {
    for range in
        ["--since 5m", "--since 2020-01-31T14:05:00Z", "--since @1769785200", "--since 1h --until 5m"]
    {
        world().run(&format!("web --no-follow {range}")).exit(0).never_reported("· ");
    }
}

#[test]
fn a_clock_that_is_off_is_reported_once_and_only_if_it_matters() {
    let world = world_ahead(93);
    let words =
        "! the clock of this machine is 1m 33s behind the apiserver's, which is the one that counts\n";
    world.run("web --no-follow --since 14:05").reported(words).exit(0);
    world.run("web --no-follow --since 5m").never_reported("the clock").exit(0);
    world.set_clock_ahead(2);
    world.run("web --no-follow --since 14:05").never_reported("the clock").exit(0);
}

/// A load balancer answers while the apiserver starts.
#[test]
fn the_clock_of_a_server_that_is_about_to_start_is_waited_for() {
    let world = world_ahead(-72 * 3600);
    world.on(Match::any().path("/version")).then(Answer::text(502, "Bad Gateway"));
    let words = "! the clock of this machine is 72h ahead of the apiserver's, which is the one that counts\n";
    world.run("web -o raw --until now").shows("60 50 40 30 20 10 0").reported(words);
}

/// One that is future for a clock that is behind is not.
#[test]
fn a_start_in_the_future_is_refused_by_the_clock_of_the_server() {
    let world = world();
    let later = (world.now() + HOUR).to_string();
    let ran = world.run(&format!("web --since {later}"));
    ran.fails_with(2, &["--since: ", " is in the future"]);
    world.set_clock_ahead(7200);
    world.run(&format!("web --no-follow --since {later}")).exit(0);
    stern_rs("web --since 2999-01-01")
        .run()
        .fails_with(2, &["--since: 2999-01-01 00:00:00 +00:00 is in the future"]);
}

#[test]
fn a_time_before_all_logs_is_no_limit() {
    for start in ["--since 0001-01-01", "--since-time 0001-01-01T00:00:00Z", "--since 1600-01-01"] {
        world().run(&format!("web -o raw --no-follow {start}")).shows("60 50 40 30 20 10 0");
    }
}

#[test]
fn the_end_of_the_calendar_is_in_the_future() {
    for start in ["--since 9999-12-31", "--since 9999-12-31T23:59:59Z", "--since-time 9999-12-31T23:59:59Z"] {
        stern_rs(&format!("web {start}")).run().fails_with(2, &["the end of the year 9999 is in the future"]);
    }
    let tail = world().run("web -o raw --since 5m --until 9999-12-31 --until-match 0");
    tail.stdout("0\n").exit(0);
}

#[test]
fn a_time_that_rfc_3339_does_not_have_is_refused() {
    for time in ["2026-01-31T12:00:00+25:00", "2026-01-31T12:00:60Z", "2026-01-31", "1769785200", "5m"] {
        let words = format!("\"{time}\" is not an RFC 3339 time");
        stern_rs(&format!("web --since-time {time}")).run().fails_with(2, &["--since-time: ", &words]);
    }
}

#[test]
fn an_empty_start_is_the_default() {
    let world = world();
    world.run("web -o raw --no-follow --since ''").shows("60 50 40 30 20 10 0");
    assert_eq!(reads(&world)[0].query("sinceSeconds"), Some("172800"));
}

#[test]
fn a_range_that_is_empty_is_refused() {
    let empty = |range: &str, parts: &[&str]| stern_rs(&format!("web {range}")).run().fails_with(2, parts);
    empty("--since 1h --until 2h", &["--since: ", " is not before --until, "]);
    let ran = stern_rs("web --since 1h --until 2h").run();
    assert!(!ran.err().contains('.'), "fractions of a second: {}", ran.err());
    empty("--since 2020-01-31 --until 2020-01-31", &["is not before --until, 2020-01-31 00:00:00 +00:00"]);
    empty("--since-time 2020-01-31T00:00:00Z --until 2019-01-01", &["--since-time: "]);
    empty("--until 2020-01-31", &["--until: ", "give --since too"]);
}

#[test]
fn what_is_no_time_is_refused_with_a_hint() {
    let refused = |flag: &str, text: &str, hint: &str| {
        stern_rs("web").arg(flag).arg(text).run().fails_with(2, &[flag, hint]);
    };
    refused("--since", "5", "a unit is missing: 5m is minutes");
    refused("--until", "1y", "a year is 365d");
    refused("--until", "12:00 KST", "[Asia/Seoul]");
    refused("--until", "+5m", "+5m from now is --timeout");
    refused("--since", "last monday", "monday alone");
    refused("--since", "2562048h", "\"2562048h\" is longer than 292 years");
    refused("--until", "0", "\"0\" is not clear; give now, or remove --until");
}

/// Follows until then, also a container that starts meanwhile.
#[test]
fn a_range_into_the_future_ends_by_itself() {
    let world = world();
    let until = (world.now() + SignedDuration::from_secs(2)).to_string();
    let mut tail = world.start(&format!("web -o raw --since 5m --until {until}"));
    tail.expect("0");
    tail.until(|account| account.open_log_streams == 1);
    world.log("web-1/app").push("live");
    tail.expect("live");
    world.log("web-1/app").push_at(until.parse::<Timestamp>().unwrap(), "too late");
    tail.finish().stdout("0\nlive\n").reported("- web-1 › app\n").exit(0);
}

/// By the clock of this machine, it was over an hour ago.
#[test]
fn a_range_that_is_not_past_for_the_server_is_followed() {
    let world = world_ahead(-3600);
    let until = world.now() + SignedDuration::from_secs(2);
    let tail = world.start(&format!("web -o raw --tail 0 --until {until}"));
    tail.until(|account| account.open_log_streams == 1);
    world.log("web-1/app").push("live");
    tail.finish().stdout("live\n").exit(0);
}

#[test]
fn a_range_ends_although_its_workload_does_not_exist() {
    let world = World::new();
    let run = |args: &str| {
        let until = world.now() + SignedDuration::from_secs(1);
        world.run(&format!("job/nosuch --until {until} {args}")).stdout("")
    };
    run("").stderr("· jobs \"nosuch\" not found in namespace \"default\"; waiting for it\n").exit(0);
    run("--exit-on-complete").reported("not completed: still waiting for job \"nosuch\"\n").exit(5);
    run("--until-match a").reported("no line matched --until-match").exit(4);
}

#[test]
fn a_range_ends_although_the_server_lists_nothing() {
    let world = World::web(["a"]);
    let _lists = world.hold(Match::lists());
    let _gets = world.hold(Match::gets());
    for query in ["web", "deploy/web"] {
        let until = world.now() + SignedDuration::from_secs(1);
        let ran = world.run(&format!("{query} --until {until}"));
        ran.reported("! the apiserver did not list all pods before the time of --until was over").exit(3);
    }
}

/// The line past the end comes before the time.
#[test]
fn a_line_past_the_end_ends_a_followed_log() {
    let world = world();
    let until = world.now() + HOUR;
    let mut tail = world.start(&format!("web -o raw --since 5m --until {until}"));
    tail.expect("0");
    tail.until(|account| account.open_log_streams == 1);
    world.log("web-1/app").push_at(until + SignedDuration::from_secs(2), "past");
    tail.reported("- web-1 › app\n");
    tail.interrupt().stdout("0\n");
}

#[test]
fn a_log_that_cannot_be_read_to_the_end_of_its_range_is_reported() {
    let world = world();
    let until = (world.now() + SignedDuration::from_secs(1)).to_string();
    let mut tail = world.start(&format!("web -o raw --since 5m --until {until}"));
    tail.expect("0");
    tail.until(|account| account.open_log_streams == 1);
    world.on(Match::logs()).always(Answer::status(403, "Forbidden", "no"));
    world.cut(Match::logs());
    tail.finish().stdout("0\n").exit(3);
}

/// A container that has run for two hours and written a kilobyte every so many seconds since half an hour ago, as far
/// as its log shows.
fn rotated(every: i64) -> (World, Timestamp) {
    let world = World::new();
    let now = world.now();
    world.add_pod(Pod::new("web-1").container("app").started(now - 2 * HOUR));
    let first = now - minutes(30);
    let lines = vec!["x".repeat(1000); (1800 / every) as usize];
    world.log("web-1/app").lines_at(first, every * 1_000_000_000, lines);
    (world, first)
}

/// Of a kilobyte a second, an hour and a half are more than a file has.
#[test]
fn a_log_that_begins_late_since_it_was_rotated_is_reported() {
    let (world, first) = rotated(1);
    let first =
        first.to_zoned(jiff::tz::TimeZone::get("Asia/Seoul").unwrap()).strftime("%Y-%m-%d %H:%M:%S +09:00");
    let words = format!("! web-1 › app: log starts at {first}; perhaps older lines were rotated away\n");
    for range in
        ["--since 1h --no-follow", "--since 1h --until 5m", "--since 1h --until 35m", "--until 1m --since 5h"]
    {
        world.run(&format!("web --timezone Asia/Seoul {range}")).reported(&words).exit(0);
    }
    let tail = world.start("web --timezone Asia/Seoul --since 1h -i nothing");
    tail.reported(&words);
    tail.interrupt().reported("log starts at");
    world.terminate_container("web-1/app", 0, "Completed");
    world.run("web --timezone Asia/Seoul --since 1h --no-follow").reported(&words).exit(0);
}

/// The look at the beginning of the file waits for one of the places.
#[test]
fn a_log_that_begins_late_is_looked_at_within_the_limit_of_requests() {
    let (world, _) = rotated(1);
    world.run("web --since 1h --max-log-requests 1 --no-follow").reported("log starts at");
    world.run("web --since 1h --max-log-requests 1 --timeout 1s").never_reported("log starts at");
    assert_eq!(world.account().peak_log_streams, 1);
}

/// The container was quiet until now, and fails with many words.
#[test]
fn a_log_that_begins_with_the_last_words_of_its_container_is_not_reported() {
    let world = World::new();
    let now = world.now();
    world.add_pod(Pod::new("web-1").container("app").started(now - 2 * HOUR));
    world.log("web-1/app").lines_at(now, 1_000, vec!["x".repeat(1000); 100]);
    world.run("web --since 1h --no-follow").never_reported("log starts at");
}

/// Its container writes too little to have filled a file.
#[test]
fn a_log_that_was_quiet_until_then_is_not_reported() {
    let (world, _) = rotated(10);
    world.run("web --since 1h --no-follow").never_reported("log starts at");
}

/// It was quiet before as it was after that.
#[test]
fn a_log_that_began_with_much_at_once_is_not_reported() {
    for (age, later) in [(minutes(30), &[10, 5, 2][..]), (SignedDuration::from_secs(40), &[])] {
        let world = World::new();
        let now = world.now();
        world.add_pod(Pod::new("web-1").container("app").started(now - 2 * HOUR));
        world.log("web-1/app").lines_at(now - age, 1_000, vec!["x".repeat(1000); 100]);
        for age in later {
            world.log("web-1/app").lines_at(now - minutes(*age), 1_000, vec!["x".repeat(1000)]);
        }
        world.run("web --since 1h --no-follow").never_reported("log starts at").exit(0);
    }
}

#[test]
fn a_log_that_begins_as_asked_is_not_looked_at() {
    let (world, _) = rotated(1);
    for range in
        ["--since 25m", "--since 30m", "", "--since 0", "--since 1h --tail 3", "--since 3h --previous"]
    {
        world.run(&format!("web --no-follow -o raw {range}")).never_reported("log starts at");
    }
    assert!(world.requests().logs().filter(|log| log.query("limitBytes").is_some()).is_empty());
}

/// Of a container that has started since, there is no older line.
#[test]
fn a_log_that_begins_with_its_container_is_not_reported() {
    let world = World::new();
    world.add_pod(Pod::new("web-1").container("app").started(world.now() - minutes(31)));
    world.log("web-1/app").lines_at(world.now() - minutes(30), 100_000_000, vec!["x".repeat(1000); 100]);
    world.run("web --since 1h --no-follow").never_reported("log starts at");
}
