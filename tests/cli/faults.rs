//! Every fault at every byte: containers write numbered lines while their streams break, and each line is shown
//! once, in order. One run follows all the containers of a table.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, pipe},
    time::Duration,
};

use apiserver::{After, Answer, ApiServer, Builder, Chunks, Gate, Match, Pod, Script};

use crate::harness::{Ran, World};

/// Lines that are hard to distinguish: equal, with equal timestamps, empty, or stamped before the line they follow.
const LINES: [&str; 8] = ["n=1", "same", "same", "", "n=5 zwei → ünïcödé ✓", "n=6", "same", "n=8"];

/// The line after all faults, so that a repeated line before it is seen.
const LAST: &str = "last";

/// The arguments of every run: no limit interferes.
const UNLIMITED: &str = "web --qps -1 --max-log-requests 5000";

/// A way for an answer to break.
type Break = fn(Answer, After) -> Answer;

const BREAKS: [Break; 3] = [Answer::end_after, Answer::cut_after, Answer::reset_after];

/// Pods that all write the same lines, each with faults of its own.
struct Table {
    world: World,
    pods: Vec<(String, Script, u64)>,
}

impl Table {
    fn new(server: Builder) -> Table {
        Table { world: World::of(server), pods: Vec::new() }
    }

    /// Adds a pod whose log requests get these answers in turn.
    fn pod(&mut self, answers: impl IntoIterator<Item = Answer>) {
        let name = format!("web-{}", self.pods.len());
        let script = self.world.on(Match::logs().path(&format!("/{name}/")));
        let answers: Vec<Answer> = answers.into_iter().collect();
        answers.iter().for_each(|answer| _ = script.then(answer.clone()));
        self.pods.push((name, script, answers.len() as u64));
    }

    /// Runs the program until all faults have happened, and checks the lines it printed.
    #[track_caller]
    fn run(self, args: &str) -> Ran {
        let Table { world, pods } = self;
        let start = world.now();
        world.add_pods(pods.iter().map(|(name, ..)| Pod::new(name)));
        for (name, ..) in &pods {
            write(&world, name, start);
        }
        let tail = world.start(&format!("{UNLIMITED} {args}"));
        tail.until(|_| pods.iter().all(|(_, script, count)| script.given() == *count));
        for (name, ..) in &pods {
            world.log(&format!("{name}/app")).push(LAST);
        }
        tail.shown(&format!(" {LAST}\n"), pods.len());
        let ran = tail.interrupt().exit(130);
        let expected: Vec<&str> = LINES.into_iter().chain([LAST]).collect();
        let mut shown = by_pod(&ran);
        for (name, ..) in &pods {
            let shown = shown.remove(name).unwrap_or_default();
            assert_eq!(shown, expected, "{name}, which had {:?}", answers_of(&world, name));
        }
        ran.never_reported("may be missing")
    }
}

/// Writes the lines. Standard output and standard error are stamped separately, so a later line may have an earlier
/// timestamp.
fn write(world: &World, pod: &str, start: jiff::Timestamp) {
    let log = world.log(&format!("{pod}/app"));
    log.lines_at(start, 0, &LINES[..3]);
    log.lines_at(start - Duration::from_nanos(500), 0, &LINES[3..4]);
    log.lines_at(start, 250, &LINES[4..]);
}

/// Bytes that the kubelet sends for the lines, with their timestamps and newlines.
fn length() -> u64 {
    LINES.iter().map(|line| "2026-01-31T10:00:00.000000000Z ".len() + line.len() + 1).sum::<usize>() as u64
}

/// The lines shown, by pod.
fn by_pod(ran: &Ran) -> BTreeMap<String, Vec<String>> {
    let mut shown = BTreeMap::<_, Vec<_>>::new();
    for line in ran.out().lines() {
        let (pod, line) = line.split_once(" app ").expect("every line has its pod and container");
        shown.entry(pod.to_owned()).or_default().push(line.to_owned());
    }
    shown
}

/// The answers to a pod's log requests, for the message of a failed test.
fn answers_of(world: &World, pod: &str) -> Vec<String> {
    let requests = world.requests().logs().path(&format!("/{pod}/"));
    requests
        .iter()
        .map(|log| format!("{:?} {:?} after {} B", log.status(), log.ended(), log.bytes()))
        .collect()
}

fn servers() -> [Builder; 2] {
    [ApiServer::builder(), ApiServer::builder().tls()]
}

/// Breaks at these bytes, in chunks of all sizes; the resumed stream breaks once more at another byte.
#[track_caller]
fn break_at(server: Builder, bytes: impl Iterator<Item = u64> + Clone) {
    let chunks = [Chunks::Usual, Chunks::Bytes(1), Chunks::Bytes(7), Chunks::Sizes(vec![30, 2, 50])];
    let mut table = Table::new(server);
    for (n, broken) in BREAKS.into_iter().enumerate() {
        for at in bytes.clone() {
            let chunks = chunks[(at as usize + n) % chunks.len()].clone();
            let again = (at * 7 + n as u64 * 100) % (length() + 1);
            table.pod([
                broken(Answer::ok().chunks(chunks.clone()).flush(), After::Bytes(at)),
                BREAKS[(at % 3) as usize](Answer::ok().chunks(chunks), After::Bytes(again)),
            ]);
        }
    }
    table.run("");
}

#[test]
fn a_stream_may_break_at_every_byte_and_then_again() {
    break_at(ApiServer::builder(), 0..=length());
}

/// Fewer bytes than without TLS, since each stream costs a handshake.
#[test]
fn an_encrypted_stream_may_break_anywhere_and_then_again() {
    break_at(ApiServer::builder().tls(), (0..=length()).step_by(9));
}

/// Temporary answers of an apiserver, a kubelet or a proxy in place of a log.
#[test]
fn a_log_may_be_refused_in_every_way_when_it_is_opened_again() {
    let refusals = [
        Answer::too_many_requests(1),
        Answer::internal_error("etcdserver: request timed out"),
        Answer::unavailable(),
        Answer::text(502, "<html>Bad Gateway</html>"),
        Answer::text(504, "Gateway Timeout"),
        Answer::status(400, "BadRequest", "container \"app\" in pod \"web\" is waiting to start"),
        Answer::status(403, "Forbidden", "pods \"web\" is forbidden: RBAC: not yet synced"),
        Answer::status(404, "NotFound", "the server could not find the requested resource ( pods/log web )"),
        Answer::unauthorized(),
        Answer::ok().hold(&Gate::new()),
        Answer::reset(),
        Answer::close(),
        Answer::never(),
    ];
    for server in servers() {
        let mut table = Table::new(server);
        for refusal in &refusals {
            for at in [0, 1, 30, 31, 34, 35, 150, length()] {
                table.pod([Answer::ok().cut_after(After::Bytes(at)), refusal.clone()]);
            }
        }
        table.run("--request-timeout 5s");
    }
}

/// The kubelet's or the container runtime's error in place of a line, and then the end of the stream.
#[test]
fn words_of_the_kubelet_within_a_log_lose_nothing() {
    let words = [
        "rpc error: code = Unavailable desc = error reading from server: EOF",
        "unable to retrieve container logs for containerd://0123456789abcdef",
        "failed to watch file: no space left on device\n",
        "Error: failed to try resolving symlinks in path",
    ];
    let mut table = Table::new(ApiServer::builder());
    for words in words {
        for lines in 0..=LINES.len() as u64 {
            let at = After::Lines(lines);
            for broken in BREAKS {
                table.pod([broken(Answer::ok().insert_after(at, words), at)]);
            }
        }
    }
    let pods = table.pods.len();
    let ran = table.run("");
    for words in words {
        assert!(ran.err().matches(words.trim_end()).count() >= pods / words.len(), "{words}");
    }
}

/// Disruptions of a cluster while its containers write. Each takes effect at once; the last part undoes it.
type Disruption = (&'static str, fn(&World), fn(&World));

const DISRUPTIONS: [Disruption; 8] = [
    ("streams end", |world| world.end(Match::logs()), |_| {}),
    ("streams are cut", |world| world.cut(Match::logs()), |_| {}),
    ("streams are reset", |world| world.reset(Match::logs()), |_| {}),
    ("connections are reset", |world| world.reset_connections(), |_| {}),
    ("connections take no more requests", |world| world.go_away(), |_| {}),
    ("the apiserver is down", |world| world.down(), |world| world.up()),
    ("the kubelet is down", |world| world.stop_kubelet("node-1"), |world| world.start_kubelet("node-1")),
    ("logs are rotated", |world| PODS.iter().for_each(|pod| _ = app(world, pod).rotate()), |_| {}),
];

const PODS: [&str; 3] = ["web-1", "web-2", "web-3"];

fn app(world: &World, pod: &str) -> apiserver::Log {
    world.log(&format!("{pod}/app"))
}

/// Writes this many further lines to every log, twelve per timestamp.
fn number(world: &World, written: &mut u32, count: u32) {
    let lines = *written + 1..=*written + count;
    for burst in lines.collect::<Vec<_>>().chunks(12) {
        let now = world.now();
        for pod in PODS {
            app(world, pod).lines_at(now, 0, burst.iter().map(|n| format!("n={n}")));
        }
    }
    *written += count;
}

/// Lines that are written before, during and after each disruption are shown once.
#[test]
fn containers_write_on_while_the_cluster_breaks() {
    for server in servers() {
        for (what, disrupt, restore) in DISRUPTIONS {
            let (world, mut written) = (World::of(server.clone()), 0);
            world.pods(PODS);
            number(&world, &mut written, 1000);
            let tail = world.start(UNLIMITED);
            tail.until(|account| account.open_log_streams == PODS.len());
            number(&world, &mut written, 1000);
            disrupt(&world);
            number(&world, &mut written, 1000);
            restore(&world);
            number(&world, &mut written, 1000);
            tail.shown(&format!(" n={written}\n"), PODS.len());
            let ran = tail.interrupt().exit(130).never_reported("may be missing");
            let (shown, expected) = (by_pod(&ran), (1..=written).map(|n| format!("n={n}")));
            assert_eq!(shown.len(), PODS.len());
            assert!(shown.values().all(|lines| lines.iter().cloned().eq(expected.clone())), "{what}");
        }
    }
}

/// More lines than a position remembers: 200,000 in two seconds, a hundred per timestamp. Every third hundred is
/// stamped before the previous one, as standard error may be behind standard output.
#[test]
fn a_million_lines_are_shown_once_and_in_order() {
    const LINES: i64 = 1_000_000;
    let world = World::new();
    world.pods(["web-1"]);
    let (log, start) = (app(&world, "web-1"), world.now());
    for first in (0..LINES).step_by(100) {
        let (burst, back) = (first / 100, if first % 300 == 0 { 1_400 } else { 0 });
        let at = start + Duration::from_micros(burst as u64 * 1_000 + 2_000 - back);
        log.lines_at(at, 0, (first..first + 100).map(|n| format!("n={n}")));
    }
    let script = world.on(Match::logs().query("follow", "true"));
    let chunked = || Answer::ok().chunks(Chunks::Bytes(30_011));
    for (n, bytes) in [3_000_001, 11_000_003, 14_000_007, 12_000_011, 10_000_013].into_iter().enumerate() {
        script.then(BREAKS[n % BREAKS.len()](chunked(), After::Bytes(bytes)));
    }
    script.always(chunked());
    let (reader, writer) = pipe().unwrap();
    let tail = world.stern_rs("web -o raw --idle-check 0").stdout(writer).start();
    let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
    for n in 0..LINES {
        assert_eq!(lines.next(), Some(format!("n={n}")));
    }
    log.push(LAST);
    assert_eq!(lines.next().as_deref(), Some(LAST));
    assert!(script.given() > 5, "all breaks happened");
    tail.interrupt().stderr("+ web-1 › app\n");
    assert_eq!(lines.next(), None);
}
