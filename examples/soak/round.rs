//! One round: a cluster, a run of the program, and faults, all chosen by a seed.

use std::{
    collections::BTreeMap,
    fs, thread,
    time::{Duration, Instant},
};

use apiserver::{ApiServer, Match};
use fastrand::Rng;

use crate::{
    containers::Container,
    faults,
    judge::{Verdict, judge},
    program::Program,
};

/// The node of all pods.
const NODE: &str = "node-1";

/// The last line of every container.
const END: &str = "the end";

/// The time that a restart takes.
const RESTART: Duration = Duration::from_millis(30);

/// The time without output, after all faults are over, that counts as a failure.
const PATIENCE: Duration = Duration::from_secs(60);

struct Round {
    rng: Rng,
    server: ApiServer,
    program: Program,
    containers: Vec<Container>,
    happened: BTreeMap<&'static str, u32>,
}

/// Runs the round of this seed. Returns its verdict, and the number of faults of each kind.
pub fn run(seed: u64) -> (Verdict, BTreeMap<&'static str, u32>) {
    let mut rng = Rng::with_seed(seed);
    let server = if rng.bool() { ApiServer::builder().tls().start() } else { ApiServer::start() };
    let containers: Vec<_> = (0..rng.usize(1..40)).map(|n| Container::create(&server, n)).collect();
    let home = tempfile::tempdir().expect("temporary files can be written");
    let kubeconfig = home.path().join("kubeconfig");
    server.write_kubeconfig(&kubeconfig).expect("temporary files can be written");
    let limits = ["", " --qps -1 --max-log-requests 1000"][rng.usize(..2)];
    let args = format!("web --color never --request-timeout 2s{limits}");
    let program = Program::start(&kubeconfig, &args);
    // Faults begin once the program follows.
    server.wait_for(|account| account.requests.watches().iter().any(|watch| watch.status() == Some(200)));

    let mut round = Round { rng, server, program, containers, happened: BTreeMap::new() };
    for _ in 0..round.rng.u32(100..1000) {
        round.step();
    }
    let fell_silent = !round.settle();
    let Round { program, containers, happened, .. } = round;
    let ended = program.terminate();
    let mut verdict = judge(&containers, &ended);
    if fell_silent {
        verdict.problems.push("the program fell silent".to_owned());
    }
    if !verdict.problems.is_empty() {
        let written: String = containers.iter().map(Container::to_string).collect();
        let files = [("stdout", &ended.stdout), ("stderr", &ended.stderr), ("written", &written)];
        files.into_iter().for_each(|(name, text)| keep(seed, name, text, &mut verdict));
    }
    (verdict, happened)
}

impl Round {
    fn step(&mut self) {
        match self.rng.u32(..10) {
            0..6 => self.write(),
            6 => self.write_halves(),
            _ => self.disturb(),
        }
        self.pause(20);
    }

    fn any(&mut self) -> usize {
        self.rng.usize(..self.containers.len())
    }

    fn write(&mut self) {
        let at = self.any();
        self.containers[at].write(&self.server, &mut self.rng);
    }

    fn write_halves(&mut self) {
        let (at, pause) = (self.any(), Duration::from_millis(self.rng.u64(..20)));
        self.containers[at].halves(&self.server, || thread::sleep(pause));
    }

    fn pause(&mut self, most: u64) {
        thread::sleep(Duration::from_millis(self.rng.u64(..most)));
    }

    /// Lets the containers write for some time.
    fn write_on(&mut self) {
        for _ in 0..self.rng.u32(1..30) {
            self.write();
            self.pause(40);
        }
    }

    /// Matches the log requests of one container, and seldom those of all.
    fn some_logs(&mut self) -> Match {
        let at = self.any();
        match self.rng.u32(..10) {
            0 => Match::logs(),
            _ => Match::logs().path(&format!("/{}/", self.containers[at].pod)),
        }
    }

    fn disturb(&mut self) {
        let fault = self.fault();
        *self.happened.entry(fault).or_insert(0) += 1;
    }

    fn fault(&mut self) -> &'static str {
        match self.rng.u32(..42) {
            0..8 => {
                let (logs, answer) = faults::broken(self.some_logs(), &mut self.rng);
                self.server.on(logs).then(answer);
                "a log will break"
            }
            8..16 => {
                let (logs, count) = (self.some_logs(), self.rng.usize(1..4));
                self.server.on(logs).times(count, &faults::refusal(&mut self.rng));
                "a log will be refused"
            }
            16..19 => {
                let logs = faults::followed(self.some_logs());
                self.server.end(logs);
                "streams end"
            }
            19..22 => {
                let logs = self.some_logs();
                self.server.cut(logs);
                "streams are cut"
            }
            22..25 => {
                let logs = self.some_logs();
                self.server.reset(logs);
                "streams are reset"
            }
            25 => {
                self.server.reset_connections();
                "all connections are reset"
            }
            26 => {
                self.server.go_away();
                "connections take no more requests"
            }
            27 => {
                self.server.down();
                self.write_on();
                self.server.up();
                "the apiserver is away"
            }
            28 => {
                self.server.stop_kubelet(NODE);
                self.write_on();
                self.server.start_kubelet(NODE);
                "the kubelet is away"
            }
            29 => {
                self.server.end(Match::watches());
                "watches end"
            }
            30 => {
                self.server.compact();
                self.server.expire_watches();
                "watches are too old"
            }
            31 => {
                let count = self.rng.usize(1..4);
                let refused = if self.rng.bool() { Match::watches() } else { Match::lists() };
                self.server.on(refused).times(count, &faults::refused_watch(&mut self.rng));
                self.server.end(Match::watches());
                "watches are refused"
            }
            32 | 33 => self.rotate(),
            34 => self.restart(false),
            35 => self.restart(true),
            36 => self.report(),
            37 => self.silence(),
            38 => self.forbid(),
            39 => {
                let length = Duration::from_millis(self.rng.u64(..300));
                self.program.neglect(length);
                "standard output is not read"
            }
            _ => {
                let container = Container::create(&self.server, self.containers.len());
                self.containers.push(container);
                "a pod is added"
            }
        }
    }

    /// Rotates a log that is being read, and only once: a client cannot see the loss of lines before the first line
    /// that it reads, nor a second rotation while it is late.
    fn rotate(&mut self) -> &'static str {
        let at = self.any();
        if self.containers[at].rotated || !self.is_read(at) {
            return "a log is not rotated";
        }
        let container = &mut self.containers[at];
        container.rotated = true;
        self.server.log(&container.path()).rotate();
        "a log is rotated"
    }

    /// Restarts a container that is being read: the instances before the first line that a client reads are unknown to
    /// it.
    fn restart(&mut self, unreported: bool) -> &'static str {
        let at = self.any();
        if !self.is_read(at) || self.containers[at].unreported {
            return "a container does not restart";
        }
        let container = &mut self.containers[at];
        container.instance += 1;
        container.unreported = unreported;
        if unreported {
            self.server.hold_status(&container.pod);
        }
        self.server.restart_container(&container.path());
        // A container does not start at once.
        thread::sleep(RESTART);
        if unreported { "a container restarts and it is not reported" } else { "a container restarts" }
    }

    fn report(&mut self) -> &'static str {
        for container in self.containers.iter_mut().filter(|container| container.unreported) {
            container.unreported = false;
            self.server.report_status(&container.pod);
        }
        "restarts are reported"
    }

    fn silence(&mut self) -> &'static str {
        let at = self.any();
        self.server.log(&self.containers[at].path()).silence_followers();
        "a stream falls silent"
    }

    /// Forbids a log that was readable: any other refusal is final.
    fn forbid(&mut self) -> &'static str {
        let at = self.any();
        if !self.is_read(at) {
            return "a log is not forbidden";
        }
        let logs = Match::logs().path(&format!("/{}/", self.containers[at].pod));
        self.server.on(logs.clone()).times(self.rng.usize(1..4), &faults::forbidden(&mut self.rng));
        self.server.cut(logs);
        "a log is forbidden"
    }

    /// Whether a line of the running instance was shown.
    fn is_read(&self, at: usize) -> bool {
        self.containers[at].first_line().is_some_and(|line| self.program.shown(&line, 0).1 > 0)
    }

    /// Ends all faults and waits until the last lines are shown; false if the program falls silent before.
    fn settle(&mut self) -> bool {
        self.server.clear_scripts();
        self.report();
        for container in &mut self.containers {
            container.end(&self.server, END);
        }
        let last = format!(" app {END}\n");
        let (mut length, mut since) = (0, Instant::now());
        while since.elapsed() < PATIENCE {
            let (now, count) = self.program.shown(&last, 0);
            if count >= self.containers.len() {
                // A repeated line may arrive a little later.
                thread::sleep(Duration::from_millis(100));
                return true;
            }
            if now > length {
                (length, since) = (now, Instant::now());
            }
            thread::sleep(Duration::from_millis(50));
        }
        false
    }
}

/// Keeps a text in a file, for the analysis of a failure.
fn keep(seed: u64, name: &str, text: &str, verdict: &mut Verdict) {
    let path = std::env::temp_dir().join(format!("stern-rs-soak-{seed}.{name}"));
    if fs::write(&path, text).is_ok() {
        verdict.problems.push(format!("{name} is in {}", path.display()));
    }
}
