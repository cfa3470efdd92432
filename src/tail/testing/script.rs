//! Logs from a script: the lines written, the answers to requests, and a container as its kubelet knows it.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use jiff::Timestamp;
use kube::core::Status;
use tokio::time::{Instant, sleep};

use super::{at, line};
use crate::{
    cluster::{Asked, Error, LogRequest, Turn, broken},
    instance::{Instance, Standing},
    plan::Since,
    tail::logs::{Answer, Logs},
};

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

    /// The lines written by then.
    pub fn until(&self, seconds: f64) -> Written {
        Written(self.0.iter().filter(|(at, _)| *at <= seconds).cloned().collect())
    }

    /// The lines written from then on.
    pub fn from(&self, seconds: f64) -> Written {
        Written(self.0.iter().filter(|(at, _)| *at >= seconds).cloned().collect())
    }

    /// Its last lines, at most this many.
    pub fn last(&self, lines: usize) -> Written {
        Written(self.0[self.0.len().saturating_sub(lines)..].to_vec())
    }

    /// The kubelet's answer, with `sinceSeconds` counted back from the start.
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

    /// The answer to a request that is made at `now`: the lines written by then, and if it is followed, each line when
    /// it is written, until `end`.
    pub fn answer_at(&self, now: f64, end: Option<f64>, request: &LogRequest) -> Reply {
        let reply = self.until(now).answer(request);
        if !request.follow {
            return reply;
        }
        let mut reached = now;
        let mut wait_until = |reply: Reply, seconds: f64| {
            let reply = reply.silent((seconds - reached).max(0.0));
            reached = seconds.max(reached);
            reply
        };
        let later = self.0.iter().filter(|(at, _)| *at > now);
        let reply = later.fold(reply, |reply, (at, message)| wait_until(reply, *at).then(line(*at, message)));
        wait_until(reply, end.unwrap_or(1e6))
    }
}

/// One container as its kubelet knows it, by the clock: its instances, and which log is the current or the previous
/// one.
#[derive(Clone)]
pub struct Container {
    began: Instant,
    /// The start and the end of each instance, and its whole log.
    instances: Vec<(f64, Option<f64>, Written)>,
}

impl Container {
    /// Instances that end at some second, one after the other.
    pub fn new(instances: impl IntoIterator<Item = (f64, Option<f64>, Written)>) -> Container {
        Container { began: Instant::now(), instances: instances.into_iter().collect() }
    }

    /// One instance that goes on, and writes at these instants.
    pub fn writing(instants: impl IntoIterator<Item = f64>) -> Container {
        Container::new([(-60.0, None, Written::numbered(instants))])
    }

    pub fn now(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Once an instance has ended, and until the next one starts, its log is both the current and the previous one.
    pub fn answer(&self, request: &LogRequest) -> Reply {
        let now = self.now();
        let current = self.instances.iter().rposition(|(started, ..)| *started <= now);
        let waits = current.is_some_and(|n| self.instances[n].1.is_some_and(|ended| ended <= now));
        let asked = if request.previous && !waits { current.and_then(|n| n.checked_sub(1)) } else { current };
        match asked.map(|n| &self.instances[n]) {
            Some((_, end, log)) => log.answer_at(now, *end, request),
            None => Reply::refusal(400, NO_PREVIOUS),
        }
    }
}

/// In place of the restart count of an instance that the apiserver knows of: there is no such pod.
pub const NO_POD: u32 = u32::MAX;

/// The same: another pod has its name.
pub const OTHER_POD: u32 = NO_POD - 1;

/// The words of a kubelet that keeps no log of an instance before the current one.
pub const NO_PREVIOUS: &str = "previous terminated container \"app\" in pod \"web-1\" not found";

/// The answer to one request.
pub struct Reply {
    head: Result<(), Error>,
    wait: Duration,
    turn: Turn,
    busy: bool,
    body: VecDeque<Part>,
    /// The number of its bytes that were read.
    taken: Arc<AtomicUsize>,
}

enum Part {
    Data(Bytes),
    Wait(Duration),
    Break,
}

impl Reply {
    fn new(head: Result<(), Error>, body: impl Into<VecDeque<Part>>) -> Reply {
        let (wait, body, taken) = (Duration::ZERO, body.into(), Arc::default());
        Reply { head, wait, turn: Turn::Soon, busy: false, body, taken }
    }

    /// These bytes at once, and a clean end.
    pub fn of(data: impl Into<String>) -> Reply {
        Reply::new(Ok(()), [Part::Data(Bytes::from(data.into()))])
    }

    pub fn refusal(code: u16, message: &str) -> Reply {
        let asked = Asked { verb: "get", resource: "pods/log".into(), ..Asked::default() };
        let error = Error::from_status(&Status::failure(message, "").with_code(code), &asked);
        Reply::new(Err(error), [])
    }

    /// The connection breaks before there is an answer.
    pub fn lost() -> Reply {
        Reply::new(Err(broken()), [])
    }

    /// The head arrives this much later, and is dated halfway.
    pub fn after(self, seconds: f64) -> Reply {
        Reply { wait: Duration::from_secs_f64(seconds), ..self }
    }

    /// Its request was refused before, until a time for which the server asked.
    pub fn put_off(self) -> Reply {
        Reply { turn: Turn::PutOff, ..self }
    }

    /// Its request waited long for its turn.
    pub fn late(self) -> Reply {
        Reply { turn: Turn::Late, ..self }
    }

    /// Its stream deserves a connection of its own.
    pub fn busy(self) -> Reply {
        Reply { busy: true, ..self }
    }

    /// Then silence for this time.
    pub fn silent(mut self, seconds: f64) -> Reply {
        self.body.push_back(Part::Wait(Duration::from_secs_f64(seconds)));
        self
    }

    pub fn then(mut self, data: impl Into<String>) -> Reply {
        self.body.push_back(Part::Data(Bytes::from(data.into())));
        self
    }

    /// The connection breaks in place of an end.
    pub fn broken(mut self) -> Reply {
        self.body.push_back(Part::Break);
        self
    }

    /// In chunks of 16 KiB, each sent once it is read: `taken` counts the bytes.
    pub fn counted(mut self, taken: &Arc<AtomicUsize>) -> Reply {
        self.taken = taken.clone();
        let chunks = |part| match part {
            Part::Data(data) => {
                let starts = (0..data.len()).step_by(16 << 10);
                starts.map(|at| Part::Data(data.slice(at..data.len().min(at + (16 << 10))))).collect()
            }
            part => vec![part],
        };
        self.body = self.body.into_iter().flat_map(chunks).collect();
        self
    }

    /// Only the part that arrives within this many seconds.
    pub fn cut_after(mut self, seconds: f64) -> Reply {
        let mut left = Duration::from_secs_f64(seconds);
        let cut = self.body.iter().position(|part| match part {
            Part::Wait(time) if *time > left => true,
            Part::Wait(time) => {
                left -= *time;
                false
            }
            Part::Data(_) | Part::Break => false,
        });
        if let Some(cut) = cut {
            self.body.truncate(cut);
            self.body.push_back(Part::Wait(left));
        }
        self
    }
}

type Script = Box<dyn FnMut(&LogRequest) -> Reply + Send>;

/// Logs from a script.
#[derive(Clone)]
pub struct Scripted {
    began: Instant,
    script: Arc<Mutex<Script>>,
    /// All requests so far, with their seconds since the start.
    pub asked: Arc<Mutex<Vec<(f64, LogRequest)>>>,
    /// The restart count of the instance that the apiserver knows of.
    pub current: Arc<AtomicU32>,
    /// When that instance started, if the apiserver knows it.
    pub started: Arc<Mutex<Option<Timestamp>>>,
    /// Whether it knows that this one has ended and waits for a restart.
    pub waits: Arc<AtomicBool>,
    /// The number of next questions that break.
    pub breaks: Arc<AtomicU32>,
    /// How long the apiserver takes to answer whose a log is.
    pub takes: Arc<Mutex<Duration>>,
    /// When the apiserver was out of reach last.
    pub failed: Arc<Mutex<Option<Instant>>>,
}

impl Scripted {
    pub fn new(script: impl FnMut(&LogRequest) -> Reply + Send + 'static) -> Scripted {
        let script: Script = Box::new(script);
        Scripted {
            began: Instant::now(),
            script: Arc::new(Mutex::new(script)),
            asked: Arc::default(),
            current: Arc::default(),
            started: Arc::default(),
            waits: Arc::default(),
            breaks: Arc::default(),
            takes: Arc::default(),
            failed: Arc::default(),
        }
    }
}

impl Logs for Scripted {
    type Answer = ScriptedAnswer;

    async fn open(&self, request: &LogRequest) -> Result<ScriptedAnswer, Error> {
        let seconds = self.began.elapsed().as_secs_f64();
        self.asked.lock().expect("no panic").push((seconds, request.clone()));
        let Reply { head, wait, turn, busy, body, taken } = (self.script.lock().expect("no panic"))(request);
        sleep(wait / 2).await;
        let now = at(self.began.elapsed().as_secs_f64());
        let date = Timestamp::from_second(now.as_second()).expect("a time");
        sleep(wait / 2).await;
        head.map_err(|error| error.with_turn(turn))?;
        Ok(ScriptedAnswer { date, turn, busy, body, taken, due: None })
    }

    async fn standing(&self, instance: &Instance) -> Result<Standing, Error> {
        let takes = *self.takes.lock().expect("no panic");
        sleep(takes).await;
        if self.breaks.load(Relaxed) > 0 {
            self.breaks.fetch_sub(1, Relaxed);
            return Err(broken());
        }
        Ok(match self.current.load(Relaxed) {
            NO_POD => Standing::Gone,
            OTHER_POD => Standing::OtherPod,
            current if current != instance.restart_count => {
                let started = *self.started.lock().expect("no panic");
                Standing::Replaced { started, is_next: current == instance.restart_count + 1 }
            }
            _ if self.waits.load(Relaxed) => Standing::Waiting,
            _ => Standing::Current,
        })
    }

    fn was_out_since(&self, since: Instant) -> bool {
        *self.failed.lock().expect("no panic") >= Some(since)
    }
}

pub struct ScriptedAnswer {
    date: Timestamp,
    turn: Turn,
    busy: bool,
    body: VecDeque<Part>,
    taken: Arc<AtomicUsize>,
    /// The end of the silence that began.
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
                Part::Data(data) => {
                    self.taken.fetch_add(data.len(), Relaxed);
                    return Some(Ok(data));
                }
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

    fn turn(&self) -> Turn {
        self.turn
    }

    fn wants_own_connection(&self) -> bool {
        self.busy
    }
}
