//! Performs a script on the double, with the program beside it, and writes down what happened.

mod containers;
mod faults;
mod logs;
mod settle;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use apiserver::{ApiServer, Log};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use stern_rs::ExitCode;
use tokio::{
    task::LocalSet,
    time::{Instant, sleep_until},
};

pub use logs::REST;

use crate::{
    program::Program,
    script::{Ending, Event, Lines, Pace, Place, Restart, Script, What, noon},
    story::{Container, Leftovers, Pod, Story, Usage},
    usage,
};

/// After this time the program has listed what there is. In a script that looks for leftovers, pods come later.
const LISTED: Duration = Duration::from_secs(3);

/// Runs a script from its beginning to its end.
pub fn run(script: &Script) -> Story {
    perform(script, None)
}

/// Runs it once more with its output, for as long as it took before. None: it has none.
pub fn repeat(script: &Script, before: &Story) -> Option<Story> {
    let output = script.output.as_ref()?;
    let dir = tempfile::tempdir().expect("the machine has room for files");
    let end = before.signalled.unwrap_or(before.ended + Duration::from_secs(1));
    let mut story = perform(script, Some(Repeat { flags: output.flags(dir.path()), end }));
    files(dir.path(), dir.path(), &mut story.files);
    Some(story)
}

fn perform(script: &Script, repeat: Option<Repeat>) -> Story {
    fastrand::seed(script.seed);
    apiserver::surround_steps(usage::step_of_world);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime without I/O needs nothing of the machine");
    let local = LocalSet::new();
    let story =
        local.block_on(&runtime, usage::steps_of_world(async { World::new(script, repeat).run().await }));
    drop(local);
    story
}

/// Reads all files below a directory.
fn files(root: &Path, dir: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in dir.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(root, &path, found);
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            found.insert(name, std::fs::read(&path).unwrap_or_default());
        }
    }
}

/// Another run of a script.
struct Repeat {
    /// More arguments.
    flags: Vec<String>,
    /// When it ends at the latest: by a signal, as the first run.
    end: Duration,
}

struct World<'a> {
    script: &'a Script,
    repeat: Option<Repeat>,
    start: Instant,
    clock: Timestamp,
    server: ApiServer,
    program: Option<Program>,
    signalled: Option<Duration>,
    pods: BTreeMap<String, Pod>,
    containers: BTreeMap<Place, Container>,
    /// Those that are gone, and of whose name there is another one.
    past_pods: Vec<Pod>,
    past: Vec<Container>,
    /// Pods of which an event says that they are not ready.
    unready: BTreeSet<String>,
    /// Containers whose log has no file for a moment.
    renamed: BTreeSet<Place>,
    /// Nodes that keep no log of a previous instance.
    forgetful: BTreeSet<String>,
    /// Containers that wait for their restart.
    waiting: BTreeSet<Place>,
    /// Lines without a newline so far.
    unfinished: BTreeMap<Place, (Timestamp, Vec<u8>)>,
    /// How many reports of a pod are held back.
    held: BTreeMap<String, u32>,
    agenda: BTreeMap<(Duration, u64), Step<'a>>,
    steps: u64,
    trace: Vec<(Duration, String)>,
    /// Before the first pod, and after the last one.
    before: Option<Usage>,
    leftovers: Option<Leftovers>,
}

/// What is to be done at some time.
enum Step<'a> {
    Start,
    Signal,
    Measure,
    Event(&'a Event),
    GoOn {
        place: &'a Place,
        lines: &'a Lines,
        pace: Pace,
        until: Duration,
    },
    /// The container waits for its restart. The time is that of its pod, which another one may replace.
    BackOff(Place, Duration, i32),
    Started(Place, Duration, &'a Restart),
    Report(String),
    /// The rest of a line.
    Finish(Place),
    Silence(Place, Log),
    /// The file of a log that had none.
    Reopen(Place, Log),
    /// The grace of a pod that is being deleted is over.
    Killed(String),
    Gone(String),
    /// Ends a fault.
    Over(&'static str, Box<dyn FnOnce(&mut World)>),
}

impl<'a> World<'a> {
    fn new(script: &'a Script, repeat: Option<Repeat>) -> Self {
        let mut rng = Rng::with_seed(!script.seed);
        // A time of day within a second, so that seconds of clocks and of the simulation differ.
        let clock = noon() + SignedDuration::from_nanos(rng.i64(0..1_000_000_000));
        let start = Instant::now();
        let setting = &script.setting;
        let mut builder = ApiServer::builder().round_trip(setting.server.round_trip);
        if !setting.server.http2 {
            builder = builder.http1();
        }
        if let Some(streams) = setting.server.max_streams {
            builder = builder.max_streams(streams);
        }
        let server = builder.start_in_process(clock);
        server.set_clock_ahead(setting.clocks.server);
        for (node, ahead) in &setting.clocks.nodes {
            server.set_node_clock_ahead(node, SignedDuration::from_millis(*ahead));
        }
        let mut world = World {
            script,
            repeat,
            start,
            clock,
            server,
            program: None,
            signalled: None,
            pods: BTreeMap::new(),
            containers: BTreeMap::new(),
            past_pods: Vec::new(),
            past: Vec::new(),
            unready: BTreeSet::new(),
            renamed: BTreeSet::new(),
            forgetful: BTreeSet::new(),
            waiting: BTreeSet::new(),
            unfinished: BTreeMap::new(),
            held: BTreeMap::new(),
            agenda: BTreeMap::new(),
            steps: 0,
            trace: Vec::new(),
            before: None,
            leftovers: None,
        };
        world.plan(setting.start, Step::Start);
        if let Ending::Signal(at) = setting.ending {
            world.plan(at, Step::Signal);
        }
        if setting.ending == Ending::Leftovers {
            world.plan(setting.start + LISTED, Step::Measure);
        }
        script.events.iter().for_each(|event| world.plan(event.at, Step::Event(event)));
        world
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Steps of one instant are done in the order in which they were planned.
    fn plan(&mut self, at: Duration, step: Step<'a>) {
        self.steps += 1;
        self.agenda.insert((at, self.steps), step);
    }

    fn plan_in(&mut self, wait: Duration, step: Step<'a>) {
        self.plan(self.now() + wait, step);
    }

    fn tell(&mut self, words: impl Into<String>) {
        self.trace.push((self.now(), words.into()));
    }

    async fn run(mut self) -> Story {
        while let Some(((at, _), step)) = self.agenda.pop_first() {
            sleep_until(self.start + at).await;
            if self.is_over() {
                break;
            }
            self.step(step);
        }
        self.settle().await
    }

    /// The program has ended, so that nothing more matters.
    fn is_over(&self) -> bool {
        self.program.as_ref().is_some_and(Program::has_ended)
    }

    fn step(&mut self, step: Step<'a>) {
        match step {
            Step::Start => {
                let skew = SignedDuration::from_secs(self.script.setting.clocks.client);
                let mut arguments = self.script.setting.arguments();
                arguments.extend(self.repeat.iter().flat_map(|repeat| repeat.flags.clone()));
                self.tell(format!("stern-rs {}", arguments.join(" ")));
                let program =
                    Program::start(&arguments, self.server.network(), self.start, self.clock + skew);
                self.program = Some(program);
            }
            Step::Signal => self.signal(),
            Step::Measure => self.before = Some(usage::now(self.now())),
            Step::Event(event) => self.happen(&event.what),
            Step::GoOn { place, lines, pace, until } => self.go_on(place, lines, pace, until),
            Step::BackOff(place, created, exit) => self.back_off(&place, created, exit),
            Step::Started(place, created, restart) => self.start_again(&place, created, restart),
            Step::Report(pod) => self.report(&pod),
            Step::Finish(place) => self.finish(&place),
            Step::Reopen(place, log) => self.reopen(&place, &log),
            Step::Silence(place, log) => self.silence(&place, &log),
            Step::Killed(pod) => self.kill(&pod),
            Step::Gone(pod) => self.remove(&pod),
            Step::Over(words, end) => {
                self.tell(words);
                end(self);
            }
        }
    }

    fn signal(&mut self) {
        self.tell("a signal ends the run");
        self.signalled = Some(self.now());
        if let Some(program) = &mut self.program {
            program.signal(ExitCode::Terminated);
        }
    }

    fn happen(&mut self, what: &'a What) {
        let done = match what {
            What::Appears(pod) => self.add(pod),
            What::Joins(place) => self.join(place),
            What::Writes(place, lines) => self.write(place, lines),
            What::GoesOn(place, lines, pace) => {
                self.go_on(place, lines, *pace, self.now() + pace.lasting);
                true
            }
            What::Restarts(place, restart) => self.restart(place, restart),
            What::Ends { place, exit } => self.end(place, *exit),
            What::Rotates(place, followers) => self.rotate(place, *followers),
            What::HasNoFile(place, lasting) => self.rename(place, *lasting),
            What::FallsSilent(place) => self.fall_silent(place),
            What::Deleted { pod, grace } => self.delete(pod, *grace),
            What::NamespaceDeleted { namespace, grace } => self.delete_namespace(namespace, *grace),
            What::Ready { pod, ready } => self.set_ready(pod, *ready),
            What::Fault(fault) => self.fault(fault),
        };
        if !matches!(what, What::GoesOn(..)) || !done {
            let not = if done { "" } else { " (no longer possible)" };
            self.tell(format!("{what}{not}"));
        }
    }

    /// Writes for people only what begins and ends.
    fn go_on(&mut self, place: &'a Place, lines: &'a Lines, pace: Pace, until: Duration) {
        if self.write(place, lines) || self.is_alive(place) {
            let next = self.now() + pace.every.max(Duration::from_millis(1));
            if next < until {
                self.plan(next, Step::GoOn { place, lines, pace, until });
            }
        }
    }
}
