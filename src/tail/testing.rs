//! A tail of one container whose logs a script gives, on a paused clock.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use kube::core::Status;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{
    Context, Crowd,
    follow::{Legacy, Tail},
    logs::{Answer, Logs},
};
use crate::{
    batch::{Ended, Item},
    cluster::{Asked, Error, LogRequest},
    instance::{Instance, Life},
    lines::LineLimit,
    merge::{self, Event},
    notice::Notice,
    origin::{Origin, PodInfo},
    plan::{LogPlan, Since},
    schedule::Scheduler,
    stats::Stats,
};

/// When the clock stands at its start.
const START: &str = "2026-01-31T10:00:00Z";

/// All of a log, followed, with the defaults of the command line.
pub fn plan() -> LogPlan {
    LogPlan {
        follow: true,
        previous: false,
        since: None,
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

/// The instant so many seconds after the start.
pub fn at(seconds: f64) -> Timestamp {
    start() + SignedDuration::from_secs_f64(seconds)
}

/// A line as the kubelet sends it, written so many seconds after the start.
pub fn line(seconds: f64, message: &str) -> String {
    format!("{} {message}\n", at(seconds).strftime("%Y-%m-%dT%H:%M:%S.%9fZ"))
}

/// A log that a kubelet has: the instant of each line, in seconds since the start, and its message.
#[derive(Clone)]
pub struct Written(Vec<(f64, String)>);

impl Written {
    pub fn lines(lines: impl IntoIterator<Item = (f64, String)>) -> Written {
        Written(lines.into_iter().collect())
    }

    /// Lines that are numbered from 0, one at each of these instants.
    pub fn numbered(instants: impl IntoIterator<Item = f64>) -> Written {
        Written::lines(instants.into_iter().enumerate().map(|(n, at)| (at, n.to_string())))
    }

    /// What was written by then.
    pub fn until(&self, seconds: f64) -> Written {
        Written(self.0.iter().filter(|(at, _)| *at <= seconds).cloned().collect())
    }

    /// What the kubelet gives of it, which counts `sinceSeconds` back from the start.
    pub fn answer(&self, request: &LogRequest) -> Reply {
        let first = request.tail_lines.map_or(0, |lines| self.0.len().saturating_sub(lines as usize));
        let wanted = |seconds: f64| match request.since {
            Some(Since::Time(time)) => at(seconds) >= time,
            Some(Since::Ago(ago)) => seconds >= -ago.as_secs_f64(),
            None => true,
        };
        let lines = self.0[first..].iter().filter(|(seconds, _)| wanted(*seconds));
        let mut text: String = lines.map(|(seconds, message)| line(*seconds, message)).collect();
        text.truncate(request.limit_bytes.map_or(usize::MAX, |limit| limit as usize));
        Reply::of(text)
    }
}

/// What one request gets.
pub struct Reply {
    head: Result<(), Error>,
    wait: Duration,
    body: VecDeque<Part>,
}

enum Part {
    Data(Bytes),
    Wait(Duration),
    Break,
}

impl Reply {
    /// These bytes at once, and a clean end.
    pub fn of(data: impl Into<String>) -> Reply {
        let body = [Part::Data(Bytes::from(data.into()))].into();
        Reply { head: Ok(()), wait: Duration::ZERO, body }
    }

    pub fn refusal(code: u16, message: &str) -> Reply {
        let asked = Asked { verb: "get", resource: "pods/log".into(), ..Asked::default() };
        let error = Error::from_status(&Status::failure(message, "").with_code(code), &asked);
        Reply { head: Err(error), wait: Duration::ZERO, body: VecDeque::new() }
    }

    /// The head comes so much later, and is dated halfway.
    pub fn after(self, seconds: f64) -> Reply {
        Reply { wait: Duration::from_secs_f64(seconds), ..self }
    }

    /// Then so much silence.
    pub fn silent(mut self, seconds: f64) -> Reply {
        self.body.push_back(Part::Wait(Duration::from_secs_f64(seconds)));
        self
    }

    pub fn then(mut self, data: impl Into<String>) -> Reply {
        self.body.push_back(Part::Data(Bytes::from(data.into())));
        self
    }

    /// It breaks in place of an end.
    pub fn broken(mut self) -> Reply {
        self.body.push_back(Part::Break);
        self
    }
}

type Script = Box<dyn FnMut(&LogRequest) -> Reply + Send>;

/// Logs as a script gives them.
#[derive(Clone)]
pub struct Scripted {
    began: Instant,
    script: Arc<Mutex<Script>>,
    asked: Arc<Mutex<Vec<(f64, LogRequest)>>>,
}

impl Logs for Scripted {
    type Answer = ScriptedAnswer;

    async fn open(&self, request: &LogRequest) -> Result<ScriptedAnswer, Error> {
        let seconds = self.began.elapsed().as_secs_f64();
        self.asked.lock().expect("no panic").push((seconds, request.clone()));
        let Reply { head, wait, body } = (self.script.lock().expect("no panic"))(request);
        sleep(wait / 2).await;
        let now = at(self.began.elapsed().as_secs_f64());
        let date = Timestamp::from_second(now.as_second()).expect("a time");
        sleep(wait / 2).await;
        head?;
        Ok(ScriptedAnswer { date, body, due: None })
    }

    async fn is_current(&self, _: &Instance) -> Result<bool, Error> {
        Ok(true)
    }
}

pub struct ScriptedAnswer {
    date: Timestamp,
    body: VecDeque<Part>,
    /// When the silence that began is over.
    due: Option<Instant>,
}

impl Answer for ScriptedAnswer {
    async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        self.chunk().await
    }

    async fn chunk(&mut self) -> Option<Result<Bytes, Error>> {
        loop {
            if let Some(Part::Wait(time)) = self.body.front() {
                let due = *self.due.get_or_insert(Instant::now() + *time);
                tokio::time::sleep_until(due).await;
                self.due = None;
            }
            match self.body.pop_front()? {
                Part::Data(data) => return Some(Ok(data)),
                Part::Wait(_) => {}
                Part::Break => return Some(Err(Reply::refusal(503, "it broke").head.err()?)),
            }
        }
    }

    async fn stow(&mut self) -> Infallible {
        std::future::pending().await
    }

    fn date(&self) -> Timestamp {
        self.date
    }

    fn wants_own_connection(&self) -> bool {
        false
    }
}

/// A tail that runs, and all that it said so far.
pub struct Story {
    pub life: watch::Sender<Life>,
    said: Arc<Mutex<Vec<String>>>,
    asked: Arc<Mutex<Vec<(f64, LogRequest)>>>,
    run: JoinHandle<Ended>,
}

impl Story {
    /// Starts a tail of an instance that is alive as `life` says.
    pub fn begin(
        plan: LogPlan,
        life: Life,
        script: impl FnMut(&LogRequest) -> Reply + Send + 'static,
    ) -> Story {
        let logs = Scripted {
            began: Instant::now(),
            script: Arc::new(Mutex::new(Box::new(script))),
            asked: Arc::default(),
        };
        let asked = logs.asked.clone();
        let (out, mut events) = merge::queue(merge::CAPACITY);
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = said.clone();
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                heard.lock().expect("no panic").extend(words(event));
            }
        });
        let pod = PodInfo { namespace: "default".into(), name: "web-1".into(), ..PodInfo::default() };
        let origin = Origin { pod: Arc::new(pod), container: "app".into(), ..Origin::default() };
        let instance = Arc::new(Instance {
            origin: Arc::new(origin),
            container_id: "containerd://1".into(),
            ..Instance::default()
        });
        let context = Context {
            logs,
            scheduler: Scheduler::new(50, 100),
            plan,
            lines: LineLimit { bytes: 1 << 20, spool: false },
            out,
            crowd: Crowd::default(),
            stats: Stats::default(),
        };
        let seat = context.scheduler.seat(&instance.origin.pod);
        let (life, receiver) = watch::channel(life);
        let mut tail = Tail::new(context, seat, instance, receiver, false, Legacy::default());
        let run = tokio::spawn(async move { tail.run().await });
        Story { life, said, asked, run }
    }

    /// Lets so much time pass.
    pub async fn pass(&self, seconds: f64) {
        sleep(Duration::from_secs_f64(seconds)).await;
    }

    /// Lines as their messages, `+`, `-`, and notices as `! …`.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().expect("no panic").clone()
    }

    /// All requests so far, with their seconds since the start.
    pub fn asked(&self) -> Vec<(f64, LogRequest)> {
        self.asked.lock().expect("no panic").clone()
    }

    /// Waits for the end of the tail.
    pub async fn end(self) -> (Ended, Vec<String>, Vec<(f64, LogRequest)>) {
        let ended = self.run.await.expect("no panic");
        tokio::task::yield_now().await;
        let said = self.said.lock().expect("no panic").clone();
        let asked = self.asked.lock().expect("no panic").clone();
        (ended, said, asked)
    }
}

fn words(event: Event) -> Vec<String> {
    match event {
        Event::Batch(batch) => {
            let item = |item: &Item| match item {
                Item::Line(line) => String::from_utf8_lossy(batch.message(line)).into_owned(),
                Item::Gap(gap) => format!("! {gap:?}"),
                Item::Ended(_) => "-".to_owned(),
            };
            batch.items.iter().map(item).collect()
        }
        Event::Notice(Notice::Started(_)) => vec!["+".to_owned()],
        Event::Notice(
            Notice::About(_, text) | Notice::Warning(text) | Notice::Common(text) | Notice::Info(text),
        ) => {
            vec![format!("! {text}")]
        }
        Event::Notice(notice) => vec![format!("! {notice:?}")],
        Event::Text(text) => vec![text],
    }
}
