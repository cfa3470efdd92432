//! Stories made by hand: of each rule one that keeps it and one that breaks it.

use std::{collections::BTreeMap, time::Duration};

use apiserver::{Ended, Kind as Asks};
use jiff::Timestamp;
use stern_rs::ExitCode;

use super::judge;
use crate::{
    script::{Followers, Kind, Place, Script, Setting},
    story::{Container, File, Instance, Line, Request, Story, Written},
};

mod chosen;
mod doubts;
mod ends;
mod gaps;
mod order;
mod ranges;
mod reports;
mod restarts;
mod silences;

/// The story of one container: `shop/web/app`.
struct Tale(Story);

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn clock() -> Timestamp {
    "2026-01-31T10:00:00Z".parse().expect("an instant")
}

/// The stamp of a line that was written then.
fn stamp(at: f64) -> String {
    format!("{:.9}", clock() + seconds(at))
}

fn instance(restarts: u32, started: f64) -> Instance {
    let started = seconds(started);
    Instance { known: Some(started), ..Instance::new(restarts, started) }
}

fn container(created: f64) -> Container {
    Container {
        place: Place { pod: "web".to_owned(), container: "app".to_owned() },
        namespace: "shop".to_owned(),
        node: "node-1".to_owned(),
        kind: Kind::Main,
        created: seconds(created),
        instances: vec![instance(0, created)],
        deleted: None,
        meets: Vec::new(),
    }
}

impl Tale {
    /// A container that runs from the start. The run begins after two seconds, and ends long after all.
    fn new() -> Tale {
        let story = Story {
            script: Script { seed: 0, setting: Setting::default(), events: Vec::new(), output: None },
            clock: clock(),
            pods: Vec::new(),
            containers: vec![container(0.0)],
            trace: Vec::new(),
            calm: Duration::ZERO,
            signalled: Some(seconds(300.0)),
            requests: Vec::new(),
            taken: Vec::new(),
            leftovers: None,
            stdout: Vec::new(),
            stderr: Vec::new(),
            files: BTreeMap::new(),
            code: Ok(ExitCode::Interrupted),
            ended: seconds(300.0),
        };
        Tale(story).asks(Asks::List, 2.0, "/api/v1/pods", &[]).asks(Asks::Watch, 2.1, "/api/v1/pods", &[])
    }

    fn asking(mut self, change: impl FnOnce(&mut Setting)) -> Tale {
        change(&mut self.0.script.setting);
        self
    }

    fn container(&mut self) -> &mut Container {
        self.0.containers.last_mut().expect("there is one")
    }

    fn current(&mut self) -> &mut Instance {
        self.container().instances.last_mut().expect("there is one")
    }

    fn writes(mut self, at: f64, text: &str) -> Tale {
        let file = self.current().files.len() - 1;
        let line = Line { at: seconds(at), stamp: clock() + seconds(at), text: text.into(), file };
        self.current().lines.push(line);
        self
    }

    fn rotates(mut self, at: f64) -> Tale {
        self.current().files.last_mut().expect("there is one").rotated = Some(seconds(at));
        self.current().files.push(File { opened: seconds(at), rotated: None, followers: Followers::GoOn });
        self
    }

    fn restarts(mut self, at: f64) -> Tale {
        (self.current().ended, self.current().previous) = (Some(seconds(at)), Some(seconds(at)));
        let restarts = self.current().restarts + 1;
        self.container().instances.push(instance(restarts, at));
        self
    }

    /// The pod is deleted, and another one of its name appears.
    fn recreates(mut self, at: f64) -> Tale {
        (self.current().ended, self.container().deleted) = (Some(seconds(at)), Some(seconds(at)));
        self.0.containers.push(container(at));
        self
    }

    fn asks(mut self, kind: Asks, at: f64, path: &str, query: &[(&str, &str)]) -> Tale {
        self.0.requests.push(Request {
            number: 1,
            at: seconds(at),
            kind,
            path: path.to_owned(),
            query: query
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>(),
            http2: true,
            connection: 1,
            answered: Some((seconds(at), 200)),
            retry_after: None,
            bytes: 1,
            ended: None,
        });
        self
    }

    /// A request for the log, whose answer lasts until then.
    fn reads(self, at: f64, until: f64, ended: Ended) -> Tale {
        let query = [("container", "app"), ("follow", "true")];
        let mut tale = self.asks(Asks::Log, at, "/api/v1/namespaces/shop/pods/web/log", &query);
        tale.0.requests.last_mut().expect("one was added").ended = Some((seconds(until), ended));
        tale
    }

    /// A stream that lasts.
    fn follows(self, at: f64) -> Tale {
        self.asks(
            Asks::Log,
            at,
            "/api/v1/namespaces/shop/pods/web/log",
            &[("container", "app"), ("follow", "true")],
        )
    }

    /// A request for the log that is refused with this status.
    fn refuses(self, at: f64, status: u16) -> Tale {
        let mut tale = self.reads(at, at, Ended::Complete);
        tale.0.requests.last_mut().expect("one was added").answered = Some((seconds(at), status));
        tale
    }

    /// Shows the line that was written at `at`, a moment later.
    fn shows(self, at: f64, text: &str) -> Tale {
        self.shows_at(at + 0.01, at, text)
    }

    fn shows_at(mut self, now: f64, at: f64, text: &str) -> Tale {
        let line = format!("shop web app {} {text}\n", stamp(at));
        self.0.stdout.push(Written { at: seconds(now), bytes: line.into_bytes() });
        self
    }

    /// A notice about the container.
    fn says(mut self, at: f64, text: &str) -> Tale {
        let line = format!("! shop web › app: {text}\n");
        self.0.stderr.push(Written { at: seconds(at), bytes: line.into_bytes() });
        self
    }

    fn says_line(mut self, at: f64, line: &str) -> Tale {
        self.0.stderr.push(Written { at: seconds(at), bytes: format!("{line}\n").into_bytes() });
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Story)) -> Tale {
        change(&mut self.0);
        self
    }

    fn is(self, kinds: &[&str]) {
        let problems = judge(&self.0);
        let found: Vec<_> = problems.iter().map(|problem| problem.kind).collect();
        let words: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(found, kinds, "{words:#?}");
    }

    fn passes(self) {
        self.is(&[]);
    }
}
