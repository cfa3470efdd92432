//! `--exit-on-complete`: how far the selected pods have come, and whether they, or their Job, have completed.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use crate::notice::Notice;

/// Most that are named in a message.
const NAMED: usize = 3;

/// Most failures that are reported.
const REPORTED: usize = 10;

/// Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Completion(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    /// By UID: the pods that exist.
    pods: BTreeMap<String, Progress>,
    gone: Gone,
    /// What is awaited beside pods.
    awaited: Option<String>,
    verdict: Option<Verdict>,
}

/// Pods that are gone.
#[derive(Debug, Default)]
struct Gone {
    succeeded: usize,
    failed: usize,
    /// The last of the failed ones, at most [`REPORTED`].
    failures: Vec<Progress>,
}

/// How far a pod has come.
#[derive(Debug, Clone)]
pub struct Progress {
    pub name: String,
    pub phase: Phase,
    /// About its containers that failed, and about itself if none did.
    pub failures: Vec<Notice>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// With a reason if it does not run.
    Underway(String),
    Succeeded,
    Failed,
}

/// The error says what did not complete.
pub type Verdict = Result<(), String>;

impl Completion {
    /// Takes the current state of a pod.
    pub fn see(&self, uid: String, progress: Progress) {
        self.0.borrow_mut().pods.insert(uid, progress);
    }

    /// The pod is gone. One that had not ended did not succeed.
    pub fn gone(&self, uid: &str) {
        let State { pods, gone, .. } = &mut *self.0.borrow_mut();
        match pods.remove(uid) {
            Some(Progress { phase: Phase::Succeeded, .. }) => gone.succeeded += 1,
            Some(failed) => {
                gone.failed += 1;
                if gone.failures.len() == REPORTED {
                    gone.failures.remove(0);
                }
                gone.failures.push(failed);
            }
            None => {}
        }
    }

    /// Something else than a pod is awaited, or nothing.
    pub fn awaits(&self, what: Option<String>) {
        self.0.borrow_mut().awaited = what;
    }

    /// Whether a pod has not ended.
    pub fn is_underway(&self) -> bool {
        self.0.borrow().pods.values().any(|pod| matches!(pod.phase, Phase::Underway(_)))
    }

    /// Whether this pod has ended, or is gone.
    pub fn has_ended(&self, uid: &str) -> bool {
        !matches!(self.0.borrow().pods.get(uid), Some(Progress { phase: Phase::Underway(_), .. }))
    }

    /// The number of pods that succeeded.
    pub fn succeeded(&self) -> usize {
        let state = self.0.borrow();
        state.gone.succeeded + state.pods.values().filter(|pod| pod.phase == Phase::Succeeded).count()
    }

    /// What the pods decide once all have ended; None if there was none.
    pub fn of_pods(&self) -> Option<Verdict> {
        let state = self.0.borrow();
        let failed: Vec<&Progress> = state.failed().collect();
        let count = state.gone.failed + failed.len() - state.gone.failures.len();
        let all = state.gone.succeeded + state.gone.failed + state.pods.len();
        match (count, all) {
            (_, 0) => None,
            (0, _) => Some(Ok(())),
            (count, all) => {
                let names = names(failed.iter().map(|pod| pod.name.clone()));
                Some(Err(format!("{count} of {all} pods failed: {names}")))
            }
        }
    }

    pub fn decide(&self, verdict: Verdict) {
        self.0.borrow_mut().verdict = Some(verdict);
    }

    /// The reasons for a verdict that is an error.
    pub fn failures(&self) -> Vec<Notice> {
        let state = self.0.borrow();
        match state.verdict {
            Some(Err(_)) => {
                state.failed().flat_map(|pod| pod.failures.iter().cloned()).take(REPORTED).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What had been decided when the run ended.
    pub fn verdict(&self) -> Verdict {
        let state = self.0.borrow();
        if let Some(verdict) = &state.verdict {
            return verdict.clone();
        }
        let underway = state.pods.values().filter_map(|pod| match &pod.phase {
            Phase::Underway(reason) if reason.is_empty() => Some(pod.name.clone()),
            Phase::Underway(reason) => Some(format!("{} ({reason})", pod.name)),
            _ => None,
        });
        let awaited = names(state.awaited.iter().cloned().chain(underway));
        Err(if awaited.is_empty() {
            "no pod was there".to_owned()
        } else {
            format!("still waiting for {awaited}")
        })
    }
}

impl State {
    fn failed(&self) -> impl Iterator<Item = &Progress> {
        let failed = self.pods.values().filter(|pod| pod.phase == Phase::Failed);
        self.gone.failures.iter().chain(failed)
    }
}

/// Some of the names, and how many more there are.
fn names(all: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = all.collect();
    let more = all.len().saturating_sub(NAMED);
    all.truncate(NAMED);
    let named = all.join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, phase: Phase) -> Progress {
        Progress { name: name.to_owned(), phase, failures: Vec::new() }
    }

    fn of(pods: &[(&str, Phase)]) -> Completion {
        let completion = Completion::default();
        for (name, phase) in pods {
            completion.see((*name).to_owned(), pod(name, phase.clone()));
        }
        completion
    }

    #[test]
    fn pods_decide_once_there_was_one() {
        assert_eq!(of(&[]).of_pods(), None);
        assert_eq!(of(&[("a", Phase::Succeeded)]).of_pods(), Some(Ok(())));
        let failed = of(&[("a", Phase::Succeeded), ("b", Phase::Failed)]);
        assert_eq!(failed.of_pods(), Some(Err("1 of 2 pods failed: b".to_owned())));
    }

    #[test]
    fn a_pod_that_is_gone_counts_as_it_was_last_seen() {
        let completion = of(&[("a", Phase::Succeeded), ("b", Phase::Underway(String::new()))]);
        completion.gone("a");
        completion.gone("unknown");
        assert_eq!((completion.of_pods(), completion.succeeded()), (Some(Ok(())), 1));
        completion.gone("b");
        assert_eq!(completion.of_pods(), Some(Err("1 of 2 pods failed: b".to_owned())));
    }

    #[test]
    fn many_failures_are_counted_and_some_named() {
        let completion = Completion::default();
        for n in 0..50 {
            completion.see(n.to_string(), pod(&format!("web-{n}"), Phase::Failed));
            completion.gone(&n.to_string());
        }
        let expected = "50 of 50 pods failed: web-40, web-41, web-42 and 7 more".to_owned();
        assert_eq!(completion.of_pods(), Some(Err(expected)));
    }

    #[test]
    fn without_a_verdict_it_says_what_is_awaited() {
        assert_eq!(of(&[]).verdict(), Err("no pod was there".to_owned()));
        let waits = Phase::Underway("app: ImagePullBackOff".to_owned());
        let completion = of(&[("a", Phase::Succeeded), ("b", waits)]);
        assert_eq!(completion.verdict(), Err("still waiting for b (app: ImagePullBackOff)".to_owned()));
        completion.awaits(Some("job \"x\"".to_owned()));
        let both = "still waiting for job \"x\", b (app: ImagePullBackOff)".to_owned();
        assert_eq!(completion.verdict(), Err(both));
        completion.decide(Ok(()));
        assert_eq!(completion.verdict(), Ok(()));
    }
}
