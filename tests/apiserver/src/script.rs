//! Scripts: the answers that a test wants for certain requests, instead of the ordinary ones.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::Semaphore, time::Instant};

use crate::{account::Request, lock, refusals};

/// The kind of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    List,
    Watch,
    /// A get of one object.
    Get,
    Log,
    /// Discovery, versions, and unknown paths.
    Other,
}

/// The requests that a script applies to: all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct Match {
    kind: Option<Kind>,
    path: Vec<String>,
    query: Vec<(String, String)>,
    skip: u64,
}

impl Match {
    /// Every request.
    pub fn any() -> Self {
        Match::default()
    }

    pub fn lists() -> Self {
        Match { kind: Some(Kind::List), ..Match::default() }
    }

    pub fn watches() -> Self {
        Match { kind: Some(Kind::Watch), ..Match::default() }
    }

    pub fn gets() -> Self {
        Match { kind: Some(Kind::Get), ..Match::default() }
    }

    pub fn logs() -> Self {
        Match { kind: Some(Kind::Log), ..Match::default() }
    }

    /// Only requests whose path contains this, such as `/pods/web-1/`.
    pub fn path(mut self, part: &str) -> Self {
        self.path.push(part.to_owned());
        self
    }

    /// Only requests whose query parameter has this value.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Skips the first `count - 1` matching requests.
    pub fn nth(mut self, count: u64) -> Self {
        self.skip = count.saturating_sub(1);
        self
    }

    pub(crate) fn covers(&self, request: &Request) -> bool {
        self.kind.is_none_or(|kind| kind == request.kind)
            && self.path.iter().all(|part| request.path.contains(part))
            && self.query.iter().all(|(name, value)| request.query(name) == Some(value))
    }
}

/// A position in an answer: lines (or watch events, which are lines too), or bytes of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    Lines(u64),
    Bytes(u64),
}

/// The way a body is cut into HTTP chunks (HTTP/2: DATA frames).
#[derive(Debug, Clone)]
pub enum Chunks {
    /// As a real server does: a watch event, a line of a followed log, 2 KiB of any other log.
    Usual,
    /// One line each.
    Lines,
    /// This many bytes each.
    Bytes(usize),
    /// These sizes in turn, over and over.
    Sizes(Vec<usize>),
}

/// The answer to one request.
#[derive(Debug, Clone)]
pub struct Answer {
    pub(crate) delay: Duration,
    pub(crate) gates: Vec<Gate>,
    pub(crate) head: Head,
    pub(crate) chunks: Chunks,
    pub(crate) flush: bool,
    pub(crate) pause: Duration,
    pub(crate) step: Option<Gate>,
    pub(crate) events: Vec<(After, Event)>,
    pub(crate) gzip: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Head {
    Usual,
    Fixed { status: u16, headers: Vec<(String, String)>, body: String },
    Reset,
    Close,
    Never,
}

/// An action at a position of a body.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Do(Command),
    Hold(Gate),
}

/// An action on a body, of a script at a position or of a test at any time.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    End,
    Cut,
    Reset,
    Insert(String),
}

impl Answer {
    fn new(head: Head) -> Self {
        Answer {
            delay: Duration::ZERO,
            gates: Vec::new(),
            head,
            chunks: Chunks::Usual,
            flush: false,
            pause: Duration::ZERO,
            step: None,
            events: Vec::new(),
            gzip: false,
        }
    }

    /// The ordinary answer; chained calls may change or break it.
    pub fn ok() -> Self {
        Answer::new(Head::Usual)
    }

    /// An error with a body of kind `Status`.
    pub fn status(code: u16, reason: &str, message: &str) -> Self {
        Answer::json(code, &refusals::status(code, reason, message))
    }

    pub(crate) fn json(code: u16, body: &Value) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Answer::new(Head::Fixed { status: code, headers, body: body.to_string() })
    }

    /// Plain text, such as the error of a kubelet inside a log answer (200) or of a load balancer (502).
    pub fn text(code: u16, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
        Answer::new(Head::Fixed { status: code, headers, body: body.to_owned() })
    }

    /// Resets the connection (RST) before any header.
    pub fn reset() -> Self {
        Answer::new(Head::Reset)
    }

    /// Closes the connection before any header.
    pub fn close() -> Self {
        Answer::new(Head::Close)
    }

    /// Sends nothing, and keeps the connection open.
    pub fn never() -> Self {
        Answer::new(Head::Never)
    }

    /// The body of an answer other than the ordinary one.
    pub fn body_text(&self) -> String {
        match &self.head {
            Head::Fixed { body, .. } => body.clone(),
            other => panic!("{other:?} has no body of its own"),
        }
    }

    /// Adds a header to an answer other than the ordinary one.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match &mut self.head {
            Head::Fixed { headers, .. } => headers.push((name.to_owned(), value.to_owned())),
            other => panic!("{other:?} takes no headers"),
        }
        self
    }

    /// Compresses the answer, whatever the request accepts; each chunk of a stream is a member of its own.
    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// Waits before the headers.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Waits before the headers until the gate opens.
    pub fn hold(mut self, gate: &Gate) -> Self {
        self.gates.push(gate.clone());
        self
    }

    /// Cuts the body into these HTTP chunks.
    pub fn chunks(mut self, chunks: Chunks) -> Self {
        self.chunks = chunks;
        self
    }

    /// Flushes every chunk to the network before the next one is produced.
    pub fn flush(mut self) -> Self {
        self.flush = true;
        self
    }

    /// Waits between chunks.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Makes every chunk wait until the gate lets it pass.
    pub fn step(mut self, gate: &Gate) -> Self {
        self.step = Some(gate.clone());
        self
    }

    /// Ends the body there as if it were complete.
    pub fn end_after(self, after: After) -> Self {
        self.event(after, Event::Do(Command::End))
    }

    /// Cuts the body there: HTTP/1.1 closes the connection, HTTP/2 resets the stream.
    pub fn cut_after(self, after: After) -> Self {
        self.event(after, Event::Do(Command::Cut))
    }

    /// Resets the connection (RST) there. Data that the client has not received yet is lost, as with any reset.
    pub fn reset_after(self, after: After) -> Self {
        self.event(after, Event::Do(Command::Reset))
    }

    /// Inserts this text there.
    pub fn insert_after(self, after: After, text: &str) -> Self {
        self.event(after, Event::Do(Command::Insert(text.to_owned())))
    }

    /// Sends no more from there on, and no end either.
    pub fn stall_after(self, after: After) -> Self {
        self.hold_after(after, &Gate::new())
    }

    /// Makes the body wait there until the gate opens.
    pub fn hold_after(self, after: After, gate: &Gate) -> Self {
        self.event(after, Event::Hold(gate.clone()))
    }

    /// Ends a watch there with an `ERROR` event: its resource version is too old.
    pub fn expire_after(self, after: After) -> Self {
        self.insert_after(after, &refusals::watch_error()).end_after(after)
    }

    fn event(mut self, after: After, event: Event) -> Self {
        self.events.push((after, event));
        self
    }
}

/// A gate that holds answers until a test opens it.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Semaphore>);

impl Default for Gate {
    fn default() -> Self {
        Gate::new()
    }
}

impl Gate {
    pub fn new() -> Self {
        Gate(Arc::new(Semaphore::new(0)))
    }

    /// Opens it for good.
    pub fn release(&self) {
        self.0.close();
    }

    /// Lets this many answers or chunks pass.
    pub fn pass(&self, count: usize) {
        self.0.add_permits(count);
    }

    pub(crate) async fn wait(&self) {
        // An error means that the gate was opened for good.
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
    }
}

/// The scripts of a server, in the order of their creation.
#[derive(Default)]
pub(crate) struct Scripts(Mutex<Vec<Arc<Mutex<Rule>>>>);

struct Rule {
    matches: Match,
    /// Its last answer is for requests up to then.
    until: Option<Instant>,
    seen: u64,
    queue: VecDeque<Answer>,
    always: Option<Answer>,
    given: u64,
}

impl Scripts {
    pub fn add(&self, matches: Match) -> Script {
        let rule = Rule { matches, until: None, seen: 0, queue: VecDeque::new(), always: None, given: 0 };
        let rule = Arc::new(Mutex::new(rule));
        lock(&self.0).push(Arc::clone(&rule));
        Script(rule)
    }

    pub fn clear(&self) {
        lock(&self.0).clear();
    }

    /// The answer of the first script that matches this request and has one left.
    pub fn answer(&self, request: &Request) -> Option<Answer> {
        lock(&self.0).iter().find_map(|rule| lock(rule).answer(request))
    }
}

impl Rule {
    fn answer(&mut self, request: &Request) -> Option<Answer> {
        if !self.matches.covers(request) {
            return None;
        }
        self.seen += 1;
        let lasts = self.until.is_none_or(|until| Instant::now() < until);
        if self.seen <= self.matches.skip {
            return None;
        }
        let answer = self.queue.pop_front().or_else(|| self.always.clone().filter(|_| lasts))?;
        self.given += 1;
        Some(answer)
    }
}

/// The answers to matching requests, in turn; the ordinary answer follows them.
///
/// ```no_run
/// # use apiserver::*;
/// # let server = ApiServer::start();
/// server.on(Match::logs().path("/web-1/"))
///     .then(Answer::too_many_requests(1))
///     .then(Answer::ok().cut_after(After::Bytes(100)));
/// ```
#[derive(Clone)]
pub struct Script(Arc<Mutex<Rule>>);

impl Script {
    /// Adds the answer to the next request.
    pub fn then(&self, answer: Answer) -> &Self {
        lock(&self.0).queue.push_back(answer);
        self
    }

    /// Adds the same answer for this many requests.
    pub fn times(&self, count: usize, answer: &Answer) -> &Self {
        lock(&self.0).queue.extend(std::iter::repeat_n(answer.clone(), count));
        self
    }

    /// Sets the answer to all further requests.
    pub fn always(&self, answer: Answer) -> &Self {
        let mut rule = lock(&self.0);
        rule.always = Some(answer);
        rule.until = None;
        drop(rule);
        self
    }

    /// Sets the answer to all further requests within this time.
    pub fn during(&self, time: Duration, answer: Answer) -> &Self {
        let mut rule = lock(&self.0);
        rule.always = Some(answer);
        rule.until = Some(Instant::now() + time);
        drop(rule);
        self
    }

    /// Removes the remaining answers: requests get the ordinary one from now on.
    pub fn stop(&self) {
        let mut rule = lock(&self.0);
        rule.queue.clear();
        rule.always = None;
    }

    /// The number of answers given so far.
    pub fn given(&self) -> u64 {
        lock(&self.0).given
    }
}
