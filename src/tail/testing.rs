//! Tails of one container whose logs a script gives, on a paused clock.

mod script;

use std::{
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{
    Context, Crowd, Nodes,
    follow::{Legacy, Tail},
};
use crate::{
    cluster::LogRequest,
    event::{self, Closed, Ending, Event, Item, Restart},
    instance::{Instance, Life},
    lines::LineLimit,
    notice::Kind,
    order::{Arrival, Order},
    origin::{Origin, PodInfo},
    plan::LogPlan,
    queue,
    schedule::Scheduler,
    stats::Stats,
};
use script::Scripted;
pub use script::{Container, NO_POD, NO_PREVIOUS, OTHER_POD, Reply, Written};

/// The time of the clock at its start.
const START: &str = "2026-01-31T10:00:00Z";

/// After the end of a range, for lines on their way.
const GRACE: Duration = Duration::from_secs(2);

/// All of a log, followed, with the defaults of the command line.
pub fn plan() -> LogPlan {
    LogPlan {
        follow: true,
        history_first: false,
        previous: false,
        since: None,
        late: None,
        until: None,
        tail: None,
        limit_bytes: None,
        idle_check: Some(Duration::from_secs(30)),
        confirm: true,
    }
}

/// The same without following.
pub fn as_it_is() -> LogPlan {
    LogPlan { follow: false, ..plan() }
}

fn start() -> Timestamp {
    START.parse().expect("a time")
}

/// The instant this many seconds after the start.
pub fn at(seconds: f64) -> Timestamp {
    start() + SignedDuration::from_secs_f64(seconds)
}

/// A line as the kubelet sends it, written this many seconds after the start.
pub fn line(seconds: f64, message: &str) -> String {
    format!("{} {message}\n", at(seconds).strftime("%Y-%m-%dT%H:%M:%S.%9fZ"))
}

/// The beginning of a story.
pub struct Setup {
    pub plan: LogPlan,
    pub life: Life,
    /// Of the first instance that is tailed, and whether it was created while the program ran.
    pub restart_count: u32,
    /// The time at which it started, in seconds, if its status has it.
    pub started: Option<f64>,
    pub fresh: bool,
    /// The time at which its pod was created, in seconds.
    pub created: f64,
    pub scheduler: Scheduler,
    /// Whether the output is blocked, until [`Story::take`].
    pub unread: bool,
}

impl Setup {
    pub fn new(plan: LogPlan) -> Setup {
        Setup {
            plan,
            life: Life::Running,
            restart_count: 0,
            started: None,
            fresh: false,
            created: -60.0,
            scheduler: Scheduler::new(50, 100),
            unread: false,
        }
    }

    pub fn begin(self, script: impl FnMut(&LogRequest) -> Reply + Send + 'static) -> Story {
        let mut story = Story::new(self.plan, self.scheduler, self.created, self.unread, script);
        story.context.logs.current.store(self.restart_count, Relaxed);
        story.life = story.tail(self.restart_count, self.started.map(at), self.life, self.fresh);
        story
    }
}

/// A container whose instances are tailed one after the other, and all that was reported of them so far.
pub struct Story {
    /// Of the latest instance.
    pub life: watch::Sender<Life>,
    context: Context<Scripted>,
    restart_count: u32,
    said: Arc<Mutex<Vec<String>>>,
    reached: Arc<Mutex<Vec<f64>>>,
    reading: watch::Sender<bool>,
    run: Option<JoinHandle<(Closed, Legacy)>>,
    origin: Arc<Origin>,
}

impl Story {
    /// Starts a tail of an instance with this life.
    pub fn begin(
        plan: LogPlan,
        life: Life,
        script: impl FnMut(&LogRequest) -> Reply + Send + 'static,
    ) -> Story {
        Setup { life, ..Setup::new(plan) }.begin(script)
    }

    /// Follows all of the log of a container that runs.
    pub fn follow(script: impl FnMut(&LogRequest) -> Reply + Send + 'static) -> Story {
        Story::begin(plan(), Life::Running, script)
    }

    fn new(
        plan: LogPlan,
        scheduler: Scheduler,
        created: f64,
        unread: bool,
        script: impl FnMut(&LogRequest) -> Reply + Send + 'static,
    ) -> Story {
        // The pauses between tries are the same in each run.
        fastrand::seed(7);
        let (out, mut events) = queue::new(Arrival::CAPACITY);
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let reached: Arc<Mutex<Vec<f64>>> = Arc::default();
        let (heard, instants) = (said.clone(), reached.clone());
        let (reading, mut may_read) = watch::channel(!unread);
        tokio::spawn(async move {
            while may_read.wait_for(|may| *may).await.is_ok()
                && let Some(event) = events.next().await
            {
                match event.take() {
                    Event::Reached(_, instant) => instants.lock().expect("no panic").push(seconds(instant)),
                    event => heard.lock().expect("no panic").extend(words(event)),
                }
            }
        });
        let until =
            plan.until.filter(|_| plan.follow).map(|until| until.duration_since(start()).unsigned_abs());
        let context = Context {
            deadline: until.map(|until| Instant::now() + until + GRACE),
            logs: Scripted::new(script),
            scheduler,
            plan,
            lines: LineLimit { bytes: 1 << 20, spool: false },
            latency: Duration::ZERO,
            out,
            crowd: Crowd::default(),
            nodes: Nodes::default(),
            stats: Stats::default(),
        };
        let (namespace, name, node) = ("default".into(), "web-1".into(), "node-1".into());
        let created = Some(at(created));
        let pod = Arc::new(PodInfo { namespace, name, node, created, ..PodInfo::default() });
        let origin = Arc::new(Origin { pod, container: "app".into(), ..Origin::default() });
        let life = watch::Sender::new(Life::Running);
        Story { life, context, restart_count: 0, said, reached, reading, run: None, origin }
    }

    /// Starts the tail of an instance, which waits for the one before.
    fn tail(
        &mut self,
        restart_count: u32,
        started: Option<Timestamp>,
        life: Life,
        fresh: bool,
    ) -> watch::Sender<Life> {
        let instance = Arc::new(Instance {
            origin: self.origin.clone(),
            container_id: format!("containerd://{restart_count}"),
            restart_count,
            started,
            // It was replaced before it was seen.
            is_past: matches!(life, Life::Replaced { .. }),
        });
        let context = self.context.clone();
        let seat = context.scheduler.seat(&self.origin.pod);
        let (sender, life) = watch::channel(life);
        let before = self.run.take();
        self.restart_count = restart_count;
        let seen_at = Instant::now();
        self.run = Some(tokio::spawn(async move {
            let legacy = match before {
                Some(before) => before.await.expect("no panic").1,
                None => Legacy::default(),
            };
            let mut tail = Tail::new(context, seat, instance, life, fresh, legacy, seen_at);
            let ended = tail.run().await;
            (ended, tail.into_legacy())
        }));
        sender
    }

    /// The status reports that another instance started in that second.
    pub fn restarts(&mut self, started: f64) {
        self.restarts_so_often(1, started);
    }

    /// The same after so many restarts at once.
    pub fn restarts_so_often(&mut self, restarts: u32, started: f64) {
        let (restart_count, started) = (self.restart_count + restarts, Some(at(started.floor())));
        self.apiserver_knows(restart_count);
        self.life.send_replace(Life::Replaced { ending: Ending::default(), restart_count, started });
        self.life = self.tail(restart_count, started, Life::Running, true);
    }

    /// The instance that had replaced the first one, which is past, before anything was seen.
    pub fn had_restarted(&mut self, started: f64) {
        let restart_count = self.restart_count + 1;
        self.apiserver_knows(restart_count);
        self.life = self.tail(restart_count, Some(at(started.floor())), Life::Running, false);
    }

    /// The same instance is selected again.
    pub fn comes_back(&mut self) {
        self.life = self.tail(self.restart_count, None, Life::Running, false);
    }

    /// The apiserver answers that this is the instance that runs.
    pub fn apiserver_knows(&self, restart_count: u32) {
        self.context.logs.current.store(restart_count, Relaxed);
        *self.context.logs.started.lock().expect("no panic") = None;
    }

    /// The same, and that this one started in that second.
    pub fn apiserver_knows_since(&self, restart_count: u32, started: f64) {
        self.apiserver_knows(restart_count);
        *self.context.logs.started.lock().expect("no panic") = Some(at(started.floor()));
    }

    /// That instance has ended, and waits for a restart.
    pub fn apiserver_knows_that_it_waits(&self) {
        self.context.logs.waits.store(true, Relaxed);
    }

    /// So many questions whose a log is break.
    pub fn questions_break(&self, questions: u32) {
        self.context.logs.breaks.store(questions, Relaxed);
    }

    /// It takes this long to answer whose a log is.
    pub fn apiserver_takes(&self, seconds: f64) {
        *self.context.logs.takes.lock().expect("no panic") = Duration::from_secs_f64(seconds);
    }

    /// The apiserver is out of reach for a moment.
    pub fn apiserver_fails(&self) {
        *self.context.logs.failed.lock().expect("no panic") = Some(Instant::now());
    }

    /// Unblocks the output.
    pub fn take(&self) {
        self.reading.send_replace(true);
    }

    /// Lets this time pass.
    pub async fn pass(&self, seconds: f64) {
        sleep(Duration::from_secs_f64(seconds)).await;
    }

    /// Lines as their messages, `+`, `-`, notices as `! …`, and those that are the same for many containers as `!! …`.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().expect("no panic").clone()
    }

    /// The second, counted from the start, up to which no line is missing, each time that the tail reported it.
    pub fn reached(&self) -> Vec<f64> {
        self.reached.lock().expect("no panic").clone()
    }

    /// The notices among them.
    pub fn notices(&self) -> Vec<String> {
        self.said().into_iter().filter(|said| said.starts_with('!')).collect()
    }

    /// All requests so far, with their seconds since the start.
    pub fn asked(&self) -> Vec<(f64, LogRequest)> {
        self.context.logs.asked.lock().expect("no panic").clone()
    }

    /// Waits for the end of the last tail.
    pub async fn end(mut self) -> (Closed, Vec<String>, Vec<(f64, LogRequest)>) {
        let run = self.run.take().expect("a tail");
        let (ended, _) = run.await.expect("no panic");
        tokio::task::yield_now().await;
        (ended, self.said(), self.asked())
    }
}

fn seconds(instant: event::Instant) -> f64 {
    (instant.0 - event::Instant::from(at(0.0)).0) as f64 / 1e9
}

fn words(event: Event) -> Vec<String> {
    match event {
        Event::Batch(batch) => {
            let item = |item: &Item| match item {
                Item::Line(line) => String::from_utf8_lossy(batch.message(line)).into_owned(),
                Item::Gap(gap) => format!("! {gap:?}"),
                Item::Separator => "--".to_owned(),
            };
            batch.items.iter().map(item).collect()
        }
        Event::Opened(_, None) => vec!["+".to_owned()],
        Event::Opened(_, Some(Restart { skipped, lines_since, .. })) => {
            let late = lines_since.map_or(String::new(), |since| format!(" since {}", seconds(since)));
            vec![format!("restarted {}{late}", skipped + 1)]
        }
        Event::Closed(_, closed) if closed.opened => vec!["-".to_owned()],
        Event::Reached(..) => vec!["reached".to_owned()],
        Event::CaughtUp(_) | Event::Closed(..) => Vec::new(),
        event @ (Event::Expected(_) | Event::Listed | Event::Merged(_)) => vec![format!("{event:?}")],
        Event::Notice(notice) if notice.kind == Kind::Common => vec![format!("!! {}", notice.text)],
        Event::Notice(notice) => vec![format!("! {}", notice.text)],
        Event::Text(text) => vec![text],
    }
}
