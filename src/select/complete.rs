//! Decides when the selected pods, or the Jobs that they belong to, have completed.
//!
//! As long as a pod has not ended, neither has its Job. Once all have, each Job is asked again and again: it may start
//! another pod.

use std::{cell::Cell, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

use super::{
    failure::FailureReport,
    pod::{Absence, Condition, ContainerStatus, Pod, Status},
    resource::api_resource,
};
use crate::{
    cluster::{Cluster, Error, Objects, is_starting},
    completion::{Completion, Phase, Progress, Verdict},
    notice::{Notice, Scope as About},
    origin::{Kind as OriginKind, Origin, PodInfo},
    plan::Kind,
};

/// Pause between two questions for the same Job.
const AGAIN: Duration = Duration::from_secs(2);

/// Most refusals in a row that decide nothing: an apiserver that has just started refuses what it allows later, and a
/// proxy may answer in its place.
const PATIENT: usize = 2;

/// A Job whose pods are selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub namespace: String,
    pub name: String,
    uid: String,
    /// The number of pods that have to succeed.
    completions: usize,
}

/// The answer of a Job.
#[derive(Debug, PartialEq, Eq)]
enum State {
    /// With what is special about it.
    Underway(&'static str),
    Decided(Verdict),
}

pub struct Judge<'a> {
    cluster: &'a Cluster,
    /// With the refusals in a row of each.
    jobs: Vec<(Job, Cell<usize>)>,
    completion: Completion,
    /// Whether the pods that existed at the start are known.
    synced: Cell<bool>,
    /// Most refusals in a row that decide nothing.
    patience: Cell<usize>,
    changed: Notify,
    done: watch::Sender<bool>,
}

impl Job {
    pub fn new(namespace: &str, name: &str, object: &Value) -> Job {
        let completions = object["spec"]["completions"].as_u64().unwrap_or(1);
        Job {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: object["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
            completions: completions.try_into().unwrap_or(usize::MAX),
        }
    }

    fn words(&self) -> String {
        format!("job \"{}\" in namespace \"{}\"", self.name, self.namespace)
    }

    /// The state that the Job's own conditions report; None if this is another Job of the same name.
    fn state(&self, object: &Value) -> Option<State> {
        if object["metadata"]["uid"].as_str().unwrap_or_default() != self.uid {
            return None;
        }
        let conditions = object["status"]["conditions"].clone();
        let conditions: Vec<Condition> = serde_json::from_value(conditions).unwrap_or_default();
        let holds = |name: &str| conditions.iter().find(|it| it.name == name && it.status == "True");
        Some(if holds("Complete").is_some() {
            State::Decided(Ok(()))
        } else if let Some(Condition { reason, message, .. }) = holds("Failed") {
            let why = [reason, message].into_iter().filter(|words| !words.is_empty());
            let why: String = why.map(|words| format!(": {words}")).collect();
            State::Decided(Err(format!("{} failed{why}", self.words())))
        } else if object["spec"]["suspend"] == true {
            State::Underway(", which is suspended")
        } else {
            State::Underway("")
        })
    }
}

impl<'a> Judge<'a> {
    pub fn new(cluster: &'a Cluster, jobs: Vec<Job>, completion: Completion) -> Judge<'a> {
        let (synced, patience) = (Cell::new(false), Cell::new(PATIENT));
        let (changed, done) = (Notify::new(), watch::Sender::new(false));
        let jobs = jobs.into_iter().map(|job| (job, Cell::new(0))).collect();
        Judge { cluster, jobs, completion, synced, patience, changed, done }
    }

    /// Whether Jobs decide, which may have started pods that no watch has reported.
    pub fn asks_jobs(&self) -> bool {
        !self.jobs.is_empty()
    }

    /// A pod that is selected, in its current state.
    pub fn see(&self, uid: String, progress: Progress) {
        self.completion.see(uid, progress);
        self.changed.notify_one();
    }

    pub fn gone(&self, uid: &str) {
        self.completion.gone(uid);
        self.changed.notify_one();
    }

    /// All pods that existed at the start are known.
    pub fn synced(&self) {
        self.synced.set(true);
        self.changed.notify_one();
    }

    /// Waits for the verdict.
    pub async fn done(&self) {
        // This is its sender.
        let _ = self.done.subscribe().wait_for(|done| *done).await;
    }

    /// Asks until there is a verdict.
    pub async fn run(&self, report: impl AsyncFn(Notice)) {
        let mut failure = FailureReport::default();
        loop {
            if !self.synced.get() || self.completion.is_underway() {
                self.changed.notified().await;
                continue;
            }
            if self.ask(&mut failure, &report).await {
                self.done.send_replace(true);
                return;
            }
            tokio::select! {
                biased;
                () = self.changed.notified() => {}
                () = sleep(AGAIN), if !self.jobs.is_empty() => {}
            }
        }
    }

    /// Asks once, of pods that are not followed.
    pub async fn once(&self, report: impl AsyncFn(Notice)) {
        self.patience.set(0);
        if !self.completion.is_underway() {
            self.ask(&mut FailureReport::default(), &report).await;
        }
    }

    /// Whether there is a verdict.
    async fn ask(&self, failure: &mut FailureReport, report: &impl AsyncFn(Notice)) -> bool {
        let verdict = match self.jobs.is_empty() {
            true => self.completion.of_pods(),
            false => self.ask_jobs(failure, report).await,
        };
        // A pod may have started meanwhile.
        let verdict = verdict.filter(|_| !self.completion.is_underway());
        let decided = verdict.is_some();
        if let Some(verdict) = verdict {
            self.completion.decide(verdict);
        }
        decided
    }

    /// None while one of them is underway. The first that failed decides.
    async fn ask_jobs(&self, failure: &mut FailureReport, report: &impl AsyncFn(Notice)) -> Option<Verdict> {
        let mut verdict = Ok(());
        for (job, refusals) in &self.jobs {
            let objects = Objects::new(api_resource(Kind::Job), Some(&job.namespace));
            let objects = Objects { name: Some(job.name.clone()), ..objects };
            let state = match self.cluster.get::<Value>(&objects, &job.name).await {
                Ok(object) => {
                    refusals.set(0);
                    job.state(&object).unwrap_or_else(|| self.of_missing(job))
                }
                Err(error) if error.is_retryable() => {
                    if let Some(notice) = failure.failed(&error) {
                        report(notice).await;
                    }
                    State::Underway("")
                }
                Err(_) if refusals.replace(refusals.get() + 1) < self.patience.get() => State::Underway(""),
                Err(error) if error.is_not_found() => self.of_missing(job),
                Err(error) => self.of_unreadable(&error, failure, report).await,
            };
            match state {
                State::Underway(special) => {
                    self.completion.awaits(Some(format!("{}{special}", job.words())));
                    return None;
                }
                State::Decided(of_job) => verdict = verdict.and(of_job),
            }
        }
        self.completion.awaits(None);
        Some(verdict)
    }

    /// A Job is removed soon after its end if that is wanted, and otherwise before it.
    fn of_missing(&self, job: &Job) -> State {
        State::Decided(match self.completion.succeeded() >= job.completions.max(1) {
            true => Ok(()),
            false => Err(format!("{} is gone, and its pods did not complete it", job.words())),
        })
    }

    async fn of_unreadable(
        &self,
        error: &Error,
        failure: &mut FailureReport,
        report: &impl AsyncFn(Notice),
    ) -> State {
        let Some(verdict) = self.completion.of_pods() else {
            if let Some(notice) = failure.failed(error) {
                report(notice).await;
            }
            return State::Underway("");
        };
        report(About::Cluster.warning(format!("{error}; its pods decide whether it succeeded"))).await;
        State::Decided(verdict)
    }
}

impl Progress {
    /// How far a pod has come; `info` names it. `absence_told`: a pod that failed before a container started is
    /// reported as such.
    pub fn of(pod: &Pod, info: &Arc<PodInfo>, absence_told: bool) -> Progress {
        let phase = match pod.status.phase.as_str() {
            "Succeeded" => Phase::Succeeded,
            "Failed" => Phase::Failed,
            // A node may take long to remove a pod that never started, or be away.
            _ if pod.deleting() && !runs(pod) => Phase::Failed,
            _ => Phase::Underway(waits_for(pod)),
        };
        let mut failures = failed_containers(pod, info);
        let is_told = absence_told && matches!(pod.absence(), Some(Absence::Failed { .. }));
        if failures.is_empty() && phase == Phase::Failed && !is_told {
            let Status { reason, message, .. } = &pod.status;
            let words = [reason.as_str(), message].into_iter().filter(|words| !words.is_empty());
            let words = words.collect::<Vec<_>>().join(": ");
            let words = match words.as_str() {
                "" if pod.deleting() => "deleted before it ended",
                "" => "no reason given",
                words => words,
            };
            failures.push(About::Pod(info.clone()).warning(format!("failed: {words}")));
        }
        Progress { name: pod.name().to_owned(), phase, failures }
    }

    /// How far a pod has come that left the selection: its end will not be seen.
    pub fn at_leave(pod: &Pod, info: &Arc<PodInfo>) -> Progress {
        let progress = Progress::of(pod, info, false);
        if !matches!(progress.phase, Phase::Underway(_)) {
            return progress;
        }
        let left = About::Pod(info.clone()).warning("failed: left the selection before it ended".to_owned());
        Progress { phase: Phase::Failed, failures: vec![left], ..progress }
    }
}

fn runs(pod: &Pod) -> bool {
    let Status { init_container_statuses, container_statuses, .. } = &pod.status;
    let mut statuses = [init_container_statuses, container_statuses].into_iter().flatten().flatten();
    statuses.any(|status| status.state.running.is_some())
}

/// The reason why a pod does not run yet, if it does not.
fn waits_for(pod: &Pod) -> String {
    if let Some(Absence::Held { reason, .. }) = pod.absence() {
        return reason.to_owned();
    }
    let Status { init_container_statuses, container_statuses, .. } = &pod.status;
    let statuses = [init_container_statuses, container_statuses].into_iter().flatten().flatten();
    let waiting = statuses.filter_map(|status| Some((&status.name, status.state.waiting.as_ref()?)));
    let mut unusual = waiting.filter(|(_, waiting)| !is_starting(&waiting.reason));
    match unusual.next() {
        Some((name, waiting)) => format!("{name}: {}", waiting.reason),
        None if pod.status.phase == "Pending" => "Pending".to_owned(),
        None => String::new(),
    }
}

/// The containers whose last end was a failure. Sidecars, which are ended with their pod, do not count.
fn failed_containers(pod: &Pod, info: &Arc<PodInfo>) -> Vec<Notice> {
    let Status { init_container_statuses, container_statuses, .. } = &pod.status;
    let init = init_container_statuses.iter().flatten().filter(|status| !is_sidecar(pod, &status.name));
    let init = init.map(|status| (OriginKind::Init, status));
    let main = container_statuses.iter().flatten().map(|status| (OriginKind::Container, status));
    let failed = |(kind, status): (OriginKind, &ContainerStatus)| {
        let ended = status.state.terminated.as_ref().or(status.last_state.terminated.as_ref())?;
        let code = ended.exit_code.filter(|code| *code != 0)?;
        let reason = Some(&ended.reason).filter(|reason| !reason.is_empty());
        let reason = reason.map_or(String::new(), |reason| format!(" ({reason})"));
        let origin = Arc::new(Origin { pod: info.clone(), container: status.name.clone(), kind });
        Some(About::Origin(origin).warning(format!("failed: exit {code}{reason}")))
    };
    init.chain(main).filter_map(failed).collect()
}

fn is_sidecar(pod: &Pod, name: &str) -> bool {
    let mut init = pod.spec.init_containers.iter().flatten();
    init.any(|container| container.name == name && container.restart_policy == "Always")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(spec: Value, status: Value) -> (Job, Value) {
        let object = json!({"metadata": {"uid": "u1"}, "spec": spec, "status": status});
        (Job::new("shop", "migrate", &object), object)
    }

    fn state(spec: Value, conditions: Value) -> Option<State> {
        let (job, object) = job(spec, json!({"conditions": conditions}));
        job.state(&object)
    }

    #[test]
    fn the_conditions_of_a_job_decide() {
        let condition = |name: &str, status: &str| json!([{"type": name, "status": status}]);
        assert_eq!(state(json!({}), Value::Null), Some(State::Underway("")));
        assert_eq!(state(json!({}), condition("Complete", "True")), Some(State::Decided(Ok(()))));
        // They announce the end, and pods may still run.
        for early in ["FailureTarget", "SuccessCriteriaMet"] {
            assert_eq!(state(json!({}), condition(early, "True")), Some(State::Underway("")));
        }
        assert_eq!(state(json!({}), condition("Failed", "False")), Some(State::Underway("")));
        let suspended = condition("Suspended", "True");
        assert_eq!(state(json!({"suspend": true}), suspended), Some(State::Underway(", which is suspended")));
    }

    #[test]
    fn a_job_that_failed_gives_its_reason() {
        let conditions = json!([{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
                                 "message": "Job has reached the specified\nbackoff limit"}]);
        let words = "job \"migrate\" in namespace \"shop\" failed: BackoffLimitExceeded: Job has reached the \
                     specified backoff limit";
        assert_eq!(state(json!({}), conditions), Some(State::Decided(Err(words.to_owned()))));
    }

    #[test]
    fn another_job_of_the_same_name_does_not_decide() {
        let (job, _) = job(json!({}), json!({}));
        assert_eq!(job.state(&json!({"metadata": {"uid": "u2"}})), None);
    }

    fn progress(status: Value) -> (Phase, Vec<String>) {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "web"},
            "spec": {"nodeName": "n", "initContainers": [{"name": "proxy", "restartPolicy": "Always"}, {"name": "setup"}]},
            "status": status,
        }))
        .expect("a pod");
        let Progress { phase, failures, .. } = Progress::of(&pod, &Arc::default(), false);
        (phase, failures.into_iter().map(|notice| notice.text).collect())
    }

    fn ended(name: &str, exit_code: i64) -> Value {
        json!({"name": name, "state": {"terminated": {"exitCode": exit_code, "reason": "Error"}}})
    }

    #[test]
    fn the_containers_that_failed_are_named_with_their_codes() {
        let failed = json!({"phase": "Failed", "initContainerStatuses": [ended("proxy", 137), ended("setup", 0)],
                            "containerStatuses": [ended("app", 3)]});
        assert_eq!(progress(failed), (Phase::Failed, vec!["failed: exit 3 (Error)".to_owned()]));
        let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "no memory"});
        assert_eq!(progress(evicted), (Phase::Failed, vec!["failed: Evicted: no memory".to_owned()]));
    }

    #[test]
    fn a_pod_that_does_not_start_gives_its_reason() {
        let waiting = json!({"name": "app", "state": {"waiting": {"reason": "ImagePullBackOff"}}});
        let pending = json!({"phase": "Pending", "containerStatuses": [waiting]});
        assert_eq!(progress(pending).0, Phase::Underway("app: ImagePullBackOff".to_owned()));
        let condition = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable"});
        let unscheduled = json!({"phase": "Pending", "conditions": [condition]});
        assert_eq!(progress(unscheduled).0, Phase::Underway("Unschedulable".to_owned()));
        assert_eq!(progress(json!({"phase": "Pending"})).0, Phase::Underway("Pending".to_owned()));
        assert_eq!(progress(json!({"phase": "Running"})).0, Phase::Underway(String::new()));
    }
}
