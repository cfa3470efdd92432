//! Words of a kubelet in place of lines, with status 200.

use apiserver::{After, Answer, Match};

use crate::harness::{Ran, World};

/// Sentences of the kubelet, of its reader of logs, and of container runtimes.
const SENTENCES: [&str; 16] = [
    "failed to try resolving symlinks in path \"/l/0.log\": lstat /l: no such file or directory",
    "failed to open log file \"/l/0.log\": open /l/0.log: no such file or directory",
    "failed to open log file \"/l/0.log\": open /l/0.log: permission denied",
    "failed to tail 10 lines of log file \"/l/0.log\": read /l/0.log: input/output error",
    "failed to seek 4096 in log file \"/l/0.log\": seek /l/0.log: invalid argument",
    "failed to read log file \"/l/0.log\": read /l/0.log: stale NFS file handle",
    "failed to watch directory \"/l\": no space left on device",
    "failed to get parse function: unsupported log format: \"\\x00\\x00\\x00\\n\"",
    "unable to retrieve container logs for containerd://4f0c",
    "Unable to retrieve pod logs",
    "rpc error: code = Unavailable desc = connection error: desc = \"transport: dial unix: connect\"",
    "rpc error: code = NotFound desc = an error occurred when try to find container \"4f0c\": not found",
    "container status is nil",
    "context deadline exceeded",
    "Error: No such container: 4f0c",
    "Error response from daemon: configured logging driver does not support reading",
];

fn reported(words: &str) -> String {
    format!("! web-1 › app: the kubelet reports in place of lines: “{words}”\n")
}

/// The log of `web-1` has the line `a`, and these words in place of the next one; `web-2` has the line `b`.
fn broken_off(words: &str, after: u64) -> World {
    let world = World::web(["a"]);
    world.pod("web-2", ["b"]);
    let lines = After::Lines(after);
    world.on(Match::logs().path("/web-1/")).always(Answer::ok().insert_after(lines, words).end_after(lines));
    world
}

#[track_caller]
fn run(world: &World, query: &str) -> Ran {
    world.run(&format!("{query} --no-follow -o raw"))
}

#[test]
fn words_in_place_of_a_whole_log_are_reported_and_nothing_was_read() {
    for words in SENTENCES {
        run(&broken_off(words, 0), "web-1").stdout("").reported(&reported(words)).exit(1);
        run(&broken_off(&format!("{words}\n"), 0), "web-1").stdout("").reported(&reported(words)).exit(1);
    }
}

#[test]
fn words_in_place_of_one_log_among_others_leave_it_unread() {
    for words in SENTENCES {
        run(&broken_off(words, 0), "web").stdout("b\n").reported(&reported(words)).exit(3);
    }
}

#[test]
fn words_behind_lines_leave_the_rest_unread() {
    for words in SENTENCES {
        run(&broken_off(words, 1), "web-1").stdout("a\n").reported(&reported(words)).exit(3);
    }
}

#[test]
fn words_within_few_bytes_are_reported_too() {
    run(&broken_off(SENTENCES[0], 0), "web-1 --limit-bytes 5")
        .stdout("")
        .reported(&reported(SENTENCES[0]))
        .exit(1);
}

#[test]
fn the_same_words_of_a_program_are_lines() {
    let world = World::web([]);
    world.log("web-1/app").extend(SENTENCES);
    let shown = SENTENCES.map(|words| format!("{words}\n")).concat();
    run(&world, "web-1").stdout(&shown).stderr("+ web-1 › app\n- web-1 › app\n").exit(0);
}

#[test]
fn words_that_a_later_answer_makes_up_for_count_no_more() {
    let world = World::web(["a"]);
    let lost = Answer::ok().insert_after(After::Lines(1), SENTENCES[10]).end_after(After::Lines(1));
    world.on(Match::logs().query("follow", "true")).then(lost);
    let mut tail = world.start("web-1 -o raw");
    tail.expect("a");
    tail.reported(&reported(SENTENCES[10]));
    world.log("web-1/app").push("b");
    tail.expect("b");
    tail.interrupt().never_reported("may be missing");
}

#[test]
fn half_a_timestamp_is_no_word_of_the_kubelet() {
    let world = World::web(["a", "b"]);
    world.on(Match::logs()).then(Answer::ok().end_after(After::Bytes(40)));
    run(&world, "web-1").stdout("a\nb\n").never_reported("kubelet").exit(0);
}

#[test]
fn endless_words_are_one_short_line() {
    for words in
        ["\0".repeat(800_000), format!("rpc error: code = Internal desc = {}", "x".repeat(8_000_000))]
    {
        let ran = run(&broken_off(&words, 0), "web-1").stdout("").exit(1);
        assert!(ran.err().lines().all(|line| line.len() < 1_500), "{} bytes", ran.err().len());
        assert!(!ran.err().contains('\0') && ran.err().lines().count() == 3, "{}", ran.err());
    }
}
