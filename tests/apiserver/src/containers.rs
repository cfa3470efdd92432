//! Containers of a pod, their states, and the JSON of their statuses.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    clock,
    metadata::{seconds, unique},
};

#[derive(Debug, Clone)]
pub(crate) struct Container {
    pub name: String,
    pub kind: Kind,
    pub state: State,
    pub last: Option<Terminated>,
    pub restarts: u32,
    /// False if the status of the container is absent: its kubelet has not seen the pod yet.
    pub reported: bool,
    pub image: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Init,
    /// An init container with the restart policy `Always`, which runs on beside the main ones.
    Sidecar,
    Main,
    Ephemeral,
}

#[derive(Debug, Clone)]
pub(crate) enum State {
    Waiting { reason: String, message: String },
    Running { id: String, started: Timestamp },
    Terminated(Terminated),
}

#[derive(Debug, Clone)]
pub(crate) struct Terminated {
    pub id: String,
    pub exit_code: i32,
    pub reason: String,
    pub started: Timestamp,
    pub finished: Timestamp,
}

pub(crate) fn new_container_id() -> String {
    format!("containerd://{:064x}", unique())
}

impl State {
    pub fn started() -> Self {
        State::Running { id: new_container_id(), started: clock::node_now() }
    }

    /// The ID of the instance whose log a request gets, if there is one.
    pub fn id(&self) -> Option<&str> {
        match self {
            State::Running { id, .. } => Some(id),
            State::Terminated(end) => Some(&end.id),
            State::Waiting { .. } => None,
        }
    }

    pub fn json(&self) -> Value {
        match self {
            State::Waiting { reason, message } if message.is_empty() => {
                json!({"waiting": {"reason": reason}})
            }
            State::Waiting { reason, message } => json!({"waiting": {"reason": reason, "message": message}}),
            State::Running { started, .. } => json!({"running": {"startedAt": seconds(*started)}}),
            State::Terminated(end) => end.json(),
        }
    }
}

impl Terminated {
    pub fn new(id: String, exit_code: i32, reason: &str, started: Timestamp) -> Self {
        Terminated { id, exit_code, reason: reason.to_owned(), started, finished: clock::node_now() }
    }

    pub fn json(&self) -> Value {
        json!({"terminated": {
            "exitCode": self.exit_code, "reason": self.reason, "containerID": self.id,
            "startedAt": seconds(self.started), "finishedAt": seconds(self.finished),
        }})
    }
}

impl Container {
    pub fn new(name: &str, kind: Kind) -> Self {
        let now = clock::node_now();
        let state = match kind {
            Kind::Init => State::Terminated(Terminated::new(new_container_id(), 0, "Completed", now)),
            Kind::Sidecar | Kind::Main | Kind::Ephemeral => State::started(),
        };
        let image = "image:1".to_owned();
        Container { name: name.to_owned(), kind, state, last: None, restarts: 0, reported: true, image }
    }

    pub fn terminate(&mut self, exit_code: i32, reason: &str) {
        let (id, started) = match &self.state {
            State::Running { id, started } => (id.clone(), *started),
            State::Terminated(end) => (end.id.clone(), end.started),
            State::Waiting { .. } => (new_container_id(), clock::node_now()),
        };
        self.state = State::Terminated(Terminated::new(id, exit_code, reason, started));
    }

    /// Makes the current state the last one. A waiting container keeps its last state.
    pub fn retire(&mut self) {
        if let State::Running { .. } = self.state {
            self.terminate(1, "Error");
        }
        if let State::Terminated(end) = &self.state {
            self.last = Some(end.clone());
        }
    }

    pub fn restart(&mut self) {
        self.retire();
        self.restarts += 1;
        self.state = State::started();
    }

    pub fn spec(&self) -> Value {
        let mut spec = json!({"name": self.name, "image": self.image});
        if self.kind == Kind::Sidecar {
            spec["restartPolicy"] = json!("Always");
        }
        spec
    }

    pub fn status(&self) -> Value {
        let ready = match self.kind {
            Kind::Init => matches!(&self.state, State::Terminated(end) if end.exit_code == 0),
            Kind::Sidecar | Kind::Main | Kind::Ephemeral => matches!(self.state, State::Running { .. }),
        };
        // A waiting container that ran before keeps the ID of its last instance, as a kubelet reports it.
        let id = self.state.id().or(self.last.as_ref().map(|last| last.id.as_str()));
        let mut status = json!({
            "name": self.name, "image": self.image, "imageID": "", "ready": ready,
            "restartCount": self.restarts,
            "started": matches!(self.state, State::Running { .. }), "state": self.state.json(),
            "lastState": self.last.as_ref().map_or_else(|| json!({}), Terminated::json),
        });
        if let Some(id) = id {
            status["containerID"] = json!(id);
        }
        status
    }
}
