//! Stories made by hand: a run of three minutes that follows one container, and what a test changes in it.

use std::{collections::BTreeMap, time::Duration};

use apiserver::{Ended, Kind as Asked};
use stern_rs::ExitCode;

use crate::{
    script::{Event, Fault, Kind, Place, Script, Setting, What},
    story::{Container, Instance, Line, Request, Story},
};

pub const END: Duration = Duration::from_secs(180);

pub fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A run that a signal ended.
pub fn story() -> Story {
    let setting = Setting { start: Duration::ZERO, ..Setting::default() };
    Story {
        script: Script { seed: 0, setting, events: Vec::new(), output: None },
        clock: "2026-03-01T12:00:00Z".parse().unwrap(),
        pods: Vec::new(),
        containers: vec![container("web-0")],
        trace: Vec::new(),
        calm: Duration::ZERO,
        signalled: Some(END),
        requests: Vec::new(),
        taken: Vec::new(),
        leftovers: None,
        stdout: Vec::new(),
        stderr: Vec::new(),
        files: BTreeMap::new(),
        code: Ok(ExitCode::Terminated),
        ended: END,
    }
}

/// The container `app` of a pod, which runs all the time.
pub fn container(pod: &str) -> Container {
    let instance = Instance { known: Some(Duration::ZERO), ..Instance::new(0, Duration::ZERO) };
    Container {
        place: Place { pod: pod.to_owned(), container: "app".to_owned() },
        namespace: "default".to_owned(),
        node: "node-1".to_owned(),
        kind: Kind::Main,
        created: Duration::ZERO,
        meets: Vec::new(),
        instances: vec![instance],
        deleted: None,
    }
}

impl Story {
    /// The container of this pod writes a line at each of these times.
    pub fn writes(&mut self, pod: &str, times: impl IntoIterator<Item = f64>) {
        let lines = times.into_iter().map(|time| Line {
            at: at(time),
            stamp: self.clock + at(time),
            text: format!("at {time}").into_bytes(),
            file: 0,
        });
        let lines: Vec<_> = lines.collect();
        let container = self.containers.iter_mut().find(|container| container.place.pod == pod).unwrap();
        container.instances[0].lines.extend(lines);
    }

    pub fn fails(&mut self, time: f64, fault: Fault) {
        self.script.events.push(Event { at: at(time), what: What::Fault(fault) });
    }

    /// A request for a log with this query, that is answered at once and ends then.
    pub fn reads(&mut self, pod: &str, time: f64, query: &str, ended: Option<f64>) -> &mut Request {
        let path = format!("/api/v1/namespaces/default/pods/{pod}/log");
        let ended = ended.map(|time| (at(time), Ended::Complete));
        self.requests(Asked::Log, &path, time, &format!("container=app&{query}"), ended)
    }

    /// A list of the pods.
    pub fn lists(&mut self, time: f64) -> &mut Request {
        self.requests(Asked::List, "/api/v1/pods", time, "", Some((at(time), Ended::Complete)))
    }

    /// A watch of the pods, which lasts.
    pub fn watches(&mut self, time: f64) -> &mut Request {
        self.requests(Asked::Watch, "/api/v1/pods", time, "", None)
    }

    fn requests(
        &mut self,
        kind: Asked,
        path: &str,
        time: f64,
        query: &str,
        ended: Option<(Duration, Ended)>,
    ) -> &mut Request {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query: BTreeMap<_, _> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let number = self.requests.len() as u64 + 1;
        self.requests.push(Request {
            number,
            at: at(time),
            kind,
            path: path.to_owned(),
            query,
            http2: true,
            connection: 1,
            answered: Some((at(time), 200)),
            retry_after: None,
            bytes: 0,
            ended,
        });
        self.requests.last_mut().unwrap()
    }
}
