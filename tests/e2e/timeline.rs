//! Lines of many containers in the order of their time.

use jiff::Timestamp;

use crate::harness::{Namespace, Pod};

const PODS: usize = 20;
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
fn twenty_logs_without_following_are_sorted_as_all_their_lines_together() {
    let namespace = Namespace::new("sorted");
    namespace.apply(&Pod::new("web").label("app", "web").container("app", BURSTS).deployment(PODS as u32));
    let pods = namespace.pods_with_label("app=web", PODS);
    for pod in &pods {
        namespace.until_logged(pod, "app", "end");
    }
    let mut truth = Vec::new();
    for pod in &pods {
        let log = namespace.kubectl(&["logs", pod, "--timestamps"]);
        let log = String::from_utf8(log).expect("text");
        truth.extend(timed(&log.lines().map(|line| format!("{pod} app {line}\n")).collect::<String>()));
    }
    assert_eq!(truth.len(), PODS * (LINES + 1));
    // A stable sort: the lines of one pod keep their order.
    truth.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let args = ["-l", "app=web", "--no-follow", "--sort", "--timestamps", "--timezone", "UTC"];
    let output = namespace.stern(&args);
    assert_eq!(output.code, Some(0));
    assert!(timed(&output.lines().join("\n")) == truth, "the order is not that of the time");
    // Fewer streams than logs, so that they are read one after the other.
    let few = namespace.stern(&[&args[..], &["--max-log-requests", "3"]].concat());
    assert!(few.stdout == output.stdout, "another run has another order");
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
