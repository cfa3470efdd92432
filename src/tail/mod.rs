//! Follows each instance until its container ends.

mod again;
mod beginning;
mod check;
mod chosen;
mod early;
mod extent;
mod follow;
mod idle;
mod last;
mod logs;
mod nodes;
mod progress;
mod quota;
mod reach;
mod report;
mod retry;
mod skipped;
mod stream;
mod tear;
#[cfg(test)]
mod testing;
mod watchdog;
mod whereabouts;
mod window;

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::Instant,
};

use crate::{
    cluster::Cluster,
    descriptors,
    event::{Closed, Reason},
    instance::{Instance, Life},
    lines::LineLimit,
    notice::Scope,
    origin::PodInfo,
    plan::{LogPlan, LogRequests},
    queue::Sender,
    schedule::{Mode, Scheduler},
    select::Selected,
    stats::Stats,
};
use follow::{Legacy, Tail};
use logs::Logs;
pub use nodes::Nodes;
pub use retry::Crowd;

/// Everything that all tails share.
#[derive(Clone)]
pub struct Context<L = Cluster> {
    pub logs: L,
    pub scheduler: Scheduler,
    pub plan: LogPlan,
    /// The time at which followed logs end.
    pub deadline: Option<Instant>,
    pub lines: LineLimit,
    /// How long a connection may rest before what has arrived is read.
    pub latency: Duration,
    pub out: Sender,
    pub crowd: Crowd,
    pub nodes: Nodes,
    pub stats: Stats,
}

/// The results of a run's tails.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Containers whose logs were read, at least in part.
    pub read: usize,
    /// Containers whose logs could not be read.
    pub failed: usize,
    /// Containers of whose logs some lines may not have been read.
    pub unread: usize,
    /// Namespaces whose pods cannot be read.
    pub left_out: usize,
}

/// Tails every instance that `selected` names, until no more are selected and all have ended.
pub async fn run(
    context: Context,
    log_requests: LogRequests,
    mut selected: mpsc::Receiver<Selected>,
) -> Summary {
    let mut tails = Tails { context, tasks: JoinSet::new(), later: 0, pods: HashMap::new() };
    let mut summary = Summary::default();
    let mut selecting = true;
    while selecting || !tails.tasks.is_empty() {
        let places = log_requests.at(tails.context.logs.round_trip());
        tails.context.scheduler.resize(places.min(descriptors::most_logs()));
        tokio::select! {
            biased;
            Some(done) = tails.tasks.join_next() => match done {
                Ok(done) => tails.finish(done, &mut summary),
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
            what = selected.recv(), if selecting => match what {
                Some(Selected::Started { instance, life, fresh }) => tails.start(instance, life, fresh).await,
                Some(Selected::Gone(uid)) => tails.gone(&uid),
                Some(Selected::Listed) => tails.context.out.listed().await,
                Some(Selected::Notice(notice)) => tails.context.out.notice(notice).await,
                Some(Selected::LeftOut(notice)) => {
                    summary.left_out += 1;
                    tails.context.out.notice(notice).await;
                }
                None => selecting = false,
            },
        }
    }
    if tails.later > 0 && summary == Summary::default() {
        let text = format!("the range ends before any of {} containers started", tails.later);
        tails.context.out.notice(Scope::Cluster.info(text)).await;
    }
    summary
}

struct Tails {
    context: Context,
    tasks: JoinSet<Done>,
    /// The number of instances that started after the range.
    later: usize,
    /// By UID: the pods that exist, and those whose tails have not ended.
    pods: HashMap<String, Pod>,
}

struct Pod {
    info: Arc<PodInfo>,
    /// Resolves for each container when its last tail has ended.
    containers: HashMap<String, oneshot::Receiver<Legacy>>,
    /// The number of tails that have not ended.
    tails: usize,
    gone: bool,
}

struct Done {
    /// The UID of the pod.
    pod: String,
    /// Whether any of the log was read.
    read: bool,
    closed: Closed,
}

impl Tails {
    /// Starts a tail; it waits for the one before, of this instance or another, so that lines come in order.
    async fn start(&mut self, instance: Arc<Instance>, life: watch::Receiver<Life>, fresh: bool) {
        // A line has the same clock as the start of its container.
        let until = self.context.plan.until.filter(|_| !self.context.plan.previous);
        if until.is_some() && instance.started >= until {
            self.later += 1;
            return;
        }
        let uid = instance.origin.pod.identity.clone();
        let (ended, end) = oneshot::channel();
        let pod = self.pods.entry(uid.clone()).or_insert_with(|| Pod::new(instance.origin.pod.clone()));
        (pod.tails, pod.gone) = (pod.tails + 1, false);
        let before = pod.containers.insert(instance.origin.container.clone(), end);
        let context = self.context.clone();
        let seat = context.scheduler.seat(&instance.origin.pod);
        context.out.outlet(instance.origin.clone()).expected().await;
        let follows_at_once = context.plan.follow && (fresh || !context.plan.history_first);
        if follows_at_once && matches!(*life.borrow(), Life::Running | Life::Terminating) {
            seat.announce(Mode::Follow);
        }
        let is_last = !context.plan.follow && !instance.is_past;
        let seen_at = Instant::now();
        self.tasks.spawn(async move {
            let legacy = match before {
                // An error means that it has ended too.
                Some(before) => before.await.unwrap_or_default(),
                None => Legacy::default(),
            };
            // Its pod is selected again, and no more of this instance is wanted.
            if legacy.has_enough_of(&instance) {
                let restart_count = instance.restart_count;
                let closed =
                    Closed { reason: Reason::Finished, opened: false, complete: true, restart_count };
                context.out.outlet(instance.origin.clone()).closed(closed.clone()).await;
                let _ = ended.send(legacy);
                return Done { pod: uid, read: false, closed };
            }
            let mut tail = Tail::new(context, seat, instance, life, fresh, legacy, seen_at);
            let closed = tail.run().await;
            let read = tail.was_read();
            // There may be no next tail yet, and without following there is none behind that of the last instance.
            let _ = ended.send(if is_last { Legacy::default() } else { tail.into_legacy() });
            Done { pod: uid, read, closed }
        });
    }

    fn finish(&mut self, done: Done, summary: &mut Summary) {
        match done.read {
            true => summary.read += 1,
            false => summary.failed += usize::from(!done.closed.complete),
        }
        summary.unread += usize::from(!done.closed.complete);
        if let Some(pod) = self.pods.get_mut(&done.pod) {
            pod.tails -= 1;
        }
        self.forget(&done.pod);
    }

    fn gone(&mut self, uid: &str) {
        if let Some(pod) = self.pods.get_mut(uid) {
            pod.gone = true;
        }
        self.forget(uid);
    }

    /// Removes a pod of which no more lines will come.
    fn forget(&mut self, uid: &str) {
        if self.pods.get(uid).is_some_and(|pod| pod.gone && pod.tails == 0)
            && let Some(pod) = self.pods.remove(uid)
        {
            self.context.stats.gone(&pod.info, pod.containers.into_keys());
        }
    }
}

impl Pod {
    fn new(info: Arc<PodInfo>) -> Self {
        Self { info, containers: HashMap::new(), tails: 0, gone: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cluster::testing::Machine,
        event::Event,
        notice::Kind,
        order::{Arrival, Order},
        origin::Origin,
        queue,
    };

    fn tails(out: Sender) -> Tails {
        let context = Context {
            logs: Machine::with("server: 'http://127.0.0.1:1'", "token: t").plain_cluster(),
            scheduler: Scheduler::new(50, 100),
            plan: LogPlan {
                follow: true,
                history_first: false,
                previous: false,
                since: None,
                late: None,
                until: None,
                tail: None,
                limit_bytes: None,
                idle_check: None,
                confirm: true,
            },
            deadline: None,
            lines: LineLimit { bytes: 1 << 20, spool: false },
            latency: Duration::ZERO,
            out,
            crowd: Crowd::default(),
            nodes: Nodes::default(),
            stats: Stats::default(),
        };
        Tails { context, tasks: JoinSet::new(), later: 0, pods: HashMap::new() }
    }

    fn instance(pod: usize, container: &str) -> Arc<Instance> {
        let pod =
            Arc::new(PodInfo { identity: pod.to_string(), name: format!("job-{pod}"), ..PodInfo::default() });
        let origin = Origin { pod, container: container.into(), ..Origin::default() };
        Arc::new(Instance { origin: origin.into(), container_id: "a".into(), ..Instance::default() })
    }

    /// A pod can be reported as gone before its tail has ended, or later.
    #[tokio::test]
    async fn pods_that_are_gone_leave_nothing() {
        let (out, mut told) = queue::new(Arrival::CAPACITY);
        let mut tails = tails(out);
        let mut summary = Summary::default();
        for pod in 0..600 {
            for container in ["setup", "app"] {
                tails.start(instance(pod, container), watch::channel(Life::Deleted).1, true).await;
            }
            if pod % 2 == 0 {
                tails.gone(&pod.to_string());
            }
            assert_eq!(tails.pods.len(), 1);
            while let Some(done) = tails.tasks.join_next().await {
                tails.finish(done.expect("no tail panics"), &mut summary);
            }
            if pod % 2 == 1 {
                tails.gone(&pod.to_string());
            }
            assert_eq!(tails.pods.len(), 0);
        }
        assert_eq!(summary, Summary { failed: 1200, unread: 1200, ..Summary::default() });
        let stats = tails.context.stats.to_json();
        assert_eq!(stats["containers"].as_array().map(Vec::len), Some(0));
        assert_eq!(stats["gone"]["containers"], 1200);
        drop(tails);
        let (mut expected, mut notices, mut closed) = (0, 0, 0);
        while let Some(event) = told.ready().map(queue::Queued::take) {
            match event {
                Event::Expected(_) => expected += 1,
                Event::Closed(..) => closed += 1,
                Event::Notice(notice) => {
                    assert!(matches!((notice.kind, notice.scope), (Kind::Warning, Scope::Origin(_))));
                    notices += 1;
                }
                Event::CaughtUp(_) => {}
                event => panic!("{event:?}"),
            }
        }
        assert_eq!([expected, notices, closed], [1200; 3]);
    }
}
