//! `--jq`: shows what a program makes of each record, in place of its lines.
//!
//! The interpreter runs on a thread of its own: it needs a deep stack, and signals and requests must not wait for it.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use jaq_json::Val;
use jiff::Timestamp;
use tokio::{
    sync::mpsc as answers,
    time::{Instant, sleep},
};

use crate::{
    event::{Batch, Event, Item, Line, Merged, Stretch},
    fields::Reader,
    jq::{self, Program, State},
    notice::{Kind, Notice, Scope},
    origin::Origin,
    plan::JqPlan,
    shown,
};

/// Most bytes that the records of one event may become.
const MOST: usize = 256 << 20;

/// A single operation of a program that takes longer cannot be ended.
const STUCK: Duration = Duration::from_secs(10);

/// The time between looks at whether it goes on.
const LOOK: Duration = Duration::from_millis(250);

pub struct Jq {
    jobs: mpsc::Sender<Event>,
    done: answers::UnboundedReceiver<Done>,
    /// Counts the records that the thread has begun.
    records: Arc<AtomicU64>,
    /// By the origin's address, until it is closed.
    failed: HashMap<usize, Failed>,
    /// Whether all records have their results.
    whole: bool,
    /// The reason why nothing more will come.
    over: Option<String>,
}

/// An event rewritten.
struct Done {
    event: Event,
    failed: Vec<Failed>,
}

/// Records of one origin on which the program failed.
struct Failed {
    origin: Arc<Origin>,
    records: u64,
    /// The reason for the first one.
    reason: String,
}

impl Jq {
    pub fn new(plan: &JqPlan) -> Jq {
        let (jobs, receiver) = mpsc::channel();
        let (sender, done) = answers::unbounded_channel();
        let records = Arc::new(AtomicU64::new(0));
        let (plan, counter) = (plan.clone(), records.clone());
        let started = jq::spawn(move || {
            // It was compiled before.
            let Ok(program) = Program::compile(&plan.program) else { return };
            let mut worker = Worker {
                uses_time: plan.program.contains("$time"),
                reader: Reader::new(plan.vocabulary.clone()),
                plan,
                program,
                state: State::default(),
                records: counter,
            };
            while let Ok(event) = receiver.recv() {
                if sender.send(worker.rewrite(event)).is_err() {
                    return;
                }
            }
        });
        let over = started.err().map(|error| format!("--jq: the program has no thread to run on: {error}"));
        Jq { jobs, done, records, failed: HashMap::new(), whole: true, over }
    }

    /// Whether all records have their results.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The reason why nothing more can be shown.
    pub fn over(&self) -> Option<&str> {
        self.over.as_deref()
    }

    /// Puts results in place of the lines of an event. None: none can be had any more.
    pub async fn apply(&mut self, event: Event, notices: &mut Vec<Notice>) -> Option<Event> {
        if let Event::Closed(origin, _) = &event {
            notices.extend(self.failed.remove(&address(origin)).and_then(|failed| failed.count()));
        }
        if !matches!(event, Event::Batch(_) | Event::Merged(_)) {
            return Some(event);
        }
        let done = self.run(event).await?;
        for failed in done.failed {
            self.whole = false;
            match self.failed.get_mut(&address(&failed.origin)) {
                Some(before) => before.records += failed.records,
                None => {
                    notices.push(failed.first());
                    self.failed.insert(address(&failed.origin), failed);
                }
            }
        }
        Some(done.event)
    }

    async fn run(&mut self, event: Event) -> Option<Done> {
        if self.over.is_some() {
            return None;
        }
        // If the thread is gone, no answer comes either.
        let _ = self.jobs.send(event);
        let (mut begun, mut since) = (None, Instant::now());
        loop {
            tokio::select! {
                biased;
                done = self.done.recv() => {
                    if done.is_none() {
                        self.over = Some("--jq: the interpreter failed".to_owned());
                    }
                    return done;
                }
                () = sleep(LOOK) => {}
            }
            let now = Some(self.records.load(Ordering::Relaxed));
            if begun != now {
                (begun, since) = (now, Instant::now());
            } else if since.elapsed() >= STUCK {
                let seconds = STUCK.as_secs();
                self.over = Some(format!("--jq: the program works on one record for more than {seconds} s"));
                return None;
            }
        }
    }

    /// The numbers of records that failed and are still to be reported.
    pub fn last_words(&mut self) -> Vec<Notice> {
        let mut failed: Vec<_> = std::mem::take(&mut self.failed).into_values().collect();
        let names = |failed: &Failed| {
            let Origin { pod, container, .. } = &*failed.origin;
            (pod.namespace.clone(), pod.name.clone(), container.clone())
        };
        failed.sort_by_cached_key(names);
        failed.iter().filter_map(Failed::count).collect()
    }
}

impl Failed {
    fn first(&self) -> Notice {
        let reason = shown::one_line(&self.reason, shown::LONGEST);
        let text = format!("--jq failed: {reason}; such records are not shown");
        Scope::of(&self.origin).notice(Kind::Warning, text)
    }

    /// The first one was reported.
    fn count(&self) -> Option<Notice> {
        let text = format!("--jq failed on {} records, which are not shown", self.records);
        (self.records > 1).then(|| Scope::of(&self.origin).warning(text))
    }
}

fn address(origin: &Arc<Origin>) -> usize {
    Arc::as_ptr(origin).addr()
}

/// The side of the thread.
struct Worker {
    plan: JqPlan,
    program: Program,
    state: State,
    reader: Reader,
    records: Arc<AtomicU64>,
    uses_time: bool,
}

impl Worker {
    fn rewrite(&mut self, event: Event) -> Done {
        let mut failed = Vec::new();
        let event = match event {
            Event::Batch(batch) => {
                let mut results = Results::default();
                self.stretch(batch.stretch(), &mut results, &mut failed);
                let Results { data, items } = results;
                Event::Batch(Batch { data: data.into(), items, ..batch })
            }
            Event::Merged(merged) => {
                let mut rewritten = Merged::default();
                for stretch in merged.stretches() {
                    let mut results = Results::default();
                    self.stretch(stretch, &mut results, &mut failed);
                    for item in &results.items {
                        match item {
                            Item::Line(line) => {
                                let message = &results.data[line.start as usize..line.end as usize];
                                rewritten.line(stretch.origin, line.time, message);
                            }
                            other => rewritten.item(stretch.origin, *other),
                        }
                    }
                }
                Event::Merged(rewritten)
            }
            other => other,
        };
        Done { event, failed }
    }

    fn stretch(&mut self, stretch: Stretch<'_>, results: &mut Results, failed: &mut Vec<Failed>) {
        let names = self.names(stretch.origin);
        for item in stretch.items {
            let Item::Line(line) = item else {
                results.items.push(*item);
                continue;
            };
            self.records.fetch_add(1, Ordering::Relaxed);
            let (start, count) = (results.data.len(), results.items.len());
            let Err(reason) = self.record(stretch.message(line), *line, &names, results) else { continue };
            // A part of its results would pass for all.
            results.data.truncate(start);
            results.items.truncate(count);
            match failed.iter_mut().find(|failed| Arc::ptr_eq(&failed.origin, stretch.origin)) {
                Some(failed) => failed.records += 1,
                None => failed.push(Failed { origin: stretch.origin.clone(), records: 1, reason }),
            }
        }
    }

    fn record(
        &mut self,
        message: &[u8],
        line: Line,
        names: &[Val; 5],
        results: &mut Results,
    ) -> Result<(), String> {
        if results.data.len() > MOST {
            return Err(format!("more than {} MiB come of the records that were read at once", MOST >> 20));
        }
        let value = jq::value(message, &mut self.reader)?;
        let [pod, namespace, container, context, node] = names.clone();
        let time = if self.uses_time { time(line) } else { Val::Null };
        let variables = [pod, namespace, container, context, node, time];
        self.program.run(&self.state, variables, value, |result| results.push(line, result))
    }

    /// The values of the variables that name the origin.
    fn names(&self, origin: &Origin) -> [Val; 5] {
        let named = |name: &str| match name {
            "" => Val::Null,
            name => Val::utf8_str(name.to_owned()),
        };
        let context = if origin.is_named() { self.plan.context.get() } else { None };
        let pod = &origin.pod;
        [
            named(&pod.name),
            named(&pod.namespace),
            named(&origin.container),
            named(context.map_or("", String::as_str)),
            named(&pod.node),
        ]
    }
}

fn time(line: Line) -> Val {
    let time = line.time.and_then(|time| Timestamp::from_nanosecond(time.0.into()).ok());
    time.map_or(Val::Null, |time| Val::utf8_str(format!("{time:.9}")))
}

/// Lines in place of others.
#[derive(Default)]
struct Results {
    data: Vec<u8>,
    items: Vec<Item>,
}

impl Results {
    /// A result has the time of its record. Formats show the lines of one as lines.
    fn push(&mut self, line: Line, result: &[u8]) {
        let start = self.data.len() as u32;
        self.data.extend_from_slice(result.strip_suffix(b"\n").unwrap_or(result));
        self.items.push(Item::Line(Line { start, end: self.data.len() as u32, ..line }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_record_without_an_end_ends_the_run_in_time() {
        let (jobs, _waiting) = mpsc::channel();
        let (_sender, done) = answers::unbounded_channel();
        let records = Arc::new(AtomicU64::new(7));
        let mut jq = Jq { jobs, done, records, failed: HashMap::new(), whole: true, over: None };
        let began = Instant::now();
        assert!(jq.apply(Event::Merged(Merged::default()), &mut Vec::new()).await.is_none());
        assert_eq!(jq.over(), Some("--jq: the program works on one record for more than 10 s"));
        assert!(began.elapsed() < Duration::from_secs(11), "{:?}", began.elapsed());
    }
}
