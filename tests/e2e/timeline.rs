//! Lines by their time: in its order, and in ranges of it.

use jiff::Timestamp;

use crate::harness::{Namespace, Pod};

const LINES: usize = 300;

/// A container that writes lines in bursts, and then `end`.
const BURSTS: &str = "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); [ $((i%25)) = 0 ] && sleep 0.2; done; \
                      echo end; sleep 3600";

/// The pod, the time and the message of each line of `--timestamps`.
fn timed(text: &str) -> Vec<(Timestamp, String, String)> {
    let line = |line: &str| {
        let mut words = line.splitn(4, ' ');
        let mut next = || words.next().expect("pod, container, time and message");
        let (pod, _container, time, message) = (next(), next(), next(), next());
        (time.parse().expect("a time"), pod.to_owned(), message.to_owned())
    };
    text.lines().map(line).collect()
}

#[test]
fn followed_logs_are_sorted_too() {
    let namespace = Namespace::new("sorted-live");
    namespace.apply(&Pod::new("web").label("app", "web").container("app", BURSTS).deployment(5));
    let mut tail = namespace.tail(&["-l", "app=web", "--sort", "--timestamps", "--timezone", "UTC"]);
    tail.until_shown_times("end\n", 5);
    let output = tail.interrupt();
    let shown = timed(&output.lines().join("\n"));
    assert_eq!(shown.len(), 5 * (LINES + 1), "each line once");
    let late = shown.windows(2).filter(|pair| pair[0].0 > pair[1].0).count();
    // A node that is busy with other tests may deliver a line later than the window.
    assert!(late * 100 < shown.len(), "{late} of {} lines are out of order", shown.len());
}

#[test]
fn ranges_that_meet_hold_each_line_once() {
    let namespace = Namespace::new("ranges");
    namespace.create(Pod::new("web").container("app", BURSTS));
    namespace.until_logged("web", "app", "end");
    let all = namespace.stern(&["web", "--no-follow", "--timestamps", "--timezone", "UTC"]);
    let text = all.lines().join("\n");
    let times: Vec<String> = timed(&text).iter().map(|(time, ..)| time.to_string()).collect();
    // Between the first and the last line, and at the instant of a line.
    let (first, cut, last) = (&times[0], &times[LINES / 2], &times[LINES]);
    let range = |since: &str, until: &str| {
        let output = namespace.stern(&["web", "-t", "--timezone", "UTC", "--since", since, "--until", until]);
        assert_eq!(output.code, Some(0));
        output.lines().iter().map(|line| line.to_string()).collect::<Vec<_>>()
    };
    let [before, after] = [range(first, cut), range(cut, last)];
    assert_eq!((before.len(), after.len()), (LINES / 2, LINES - LINES / 2));
    assert_eq!([before, after].concat(), all.lines()[..LINES]);
}
