//! The logs of a cluster's containers: selected, scheduled and tailed; with the prompt before and notices meanwhile.

mod coverage;
mod dry_run;
mod prompt;
mod waits;

use std::{borrow::Cow, sync::Arc, time::Duration};

use futures::{
    FutureExt,
    future::{join, try_join},
};
use tokio::{sync::mpsc, time::Instant};

use super::{Error, Outcome};
use crate::{
    cluster::{self, Trace},
    completion::Completion,
    deadline::Held,
    lines::LineLimit,
    notice::{Kind, Scope},
    plan::{ClockOf, ClusterPlan, LogPlan, Plan, Selection},
    queue::Sender,
    schedule::Scheduler,
    select::{self, Selected},
    stats::Stats,
    tail::{self, Summary},
};
use dry_run::DryRun;

/// Most instances and notices that wait between selection and tailing.
const SELECTED: usize = 256;

/// Lines that were written before `--until` arrive up to this long after it.
const GRACE: Duration = Duration::from_secs(2);

/// The pauses before further questions for the clock of an apiserver that is about to start.
const PAUSES: &[Duration] =
    &[Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

pub struct Cluster<'a> {
    plan: &'a ClusterPlan,
    completion: Completion,
    lines: LineLimit,
    verbosity: u8,
    /// Whether the prompt is in colour.
    color: bool,
    /// Whether annotations are shown; they can be larger than the rest of a pod.
    annotations: bool,
}

impl<'a> Cluster<'a> {
    pub fn new(plan: &'a Plan, cluster: &'a ClusterPlan) -> Cluster<'a> {
        Cluster {
            plan: cluster,
            completion: Completion::default(),
            lines: plan.lines,
            verbosity: plan.verbosity,
            color: plan.display.color_stderr,
            annotations: plan.display.shows_annotations(),
        }
    }

    /// How far the selected pods have come; None if that does not decide how the run ends.
    pub fn completion(&self) -> Option<Completion> {
        let decides = self.plan.selection.on_complete && !self.plan.dry_run;
        decides.then(|| self.completion.clone())
    }

    pub async fn run(self, stats: &Stats, out: Sender, held: Held) -> Result<Outcome, Error> {
        let asks = self.plan.prompt.then_some(held);
        let words = out.clone();
        let report = move |text| words.trace(Scope::Cluster.notice(Kind::Trace, text));
        let trace = Trace::new(self.verbosity, Arc::new(report));
        let ClusterPlan { connect, limits, .. } = self.plan;
        let cluster = cluster::Cluster::connect(connect, limits, trace, stats.clone()).await?;
        for remark in cluster.remarks() {
            out.notice(Scope::Cluster.info(remark)).await;
        }
        tokio::select! {
            biased;
            outcome = self.run_in(&cluster, stats, &out, asks) => outcome,
            never = waits::report(cluster.waits(), &out) => match never {},
            never = waits::report_troubles(cluster.troubles(), &out) => match never {},
        }
    }

    async fn run_in(
        &self,
        cluster: &cluster::Cluster,
        stats: &Stats,
        out: &Sender,
        asks: Option<Held>,
    ) -> Result<Outcome, Error> {
        let mut selection = Cow::Borrowed(&self.plan.selection);
        if self.plan.prompt {
            let Some(labels) = prompt::pick(cluster, &selection, self.color).await? else {
                return Ok(Outcome::Cancelled);
            };
            selection.to_mut().label_selector = Some(labels);
            drop(asks);
        }
        match self.plan.dry_run {
            true => self.dry_run(cluster, &selection, out).await,
            false => self.tail(cluster, &selection, stats, out).await.map(Outcome::from),
        }
    }

    /// Shows the logs until there are no more.
    async fn tail(
        &self,
        cluster: &cluster::Cluster,
        selection: &Selection,
        stats: &Stats,
        out: &Sender,
    ) -> Result<Summary, Error> {
        let limits = &self.plan.limits;
        let (logs, deadline) = self.in_range(cluster, out).await?;
        let scheduler = Scheduler::new(limits.log_requests.nearby, limits.max_streams_per_node);
        let context = tail::Context {
            logs: cluster.clone(),
            scheduler: scheduler.clone(),
            plan: logs.clone(),
            deadline,
            lines: self.lines,
            latency: limits.latency,
            out: out.clone(),
            crowd: tail::Crowd::default(),
            nodes: tail::Nodes::default(),
            stats: stats.clone(),
        };
        let (selected, receiver) = mpsc::channel(SELECTED);
        let (completion, annotations) = (&self.completion, self.annotations);
        let selecting =
            select::run(cluster, selection, logs.follow, deadline, annotations, completion, selected);
        // What follows does not end by itself, and no more pods would be found. Boxed, since their futures are deep.
        let found =
            Box::pin(selecting.map(|selected| if logs.follow { selected.map(Ok) } else { Ok(selected) }));
        let tailing = Box::pin(tail::run(context, limits.log_requests, receiver).map(Ok));
        let load = scheduler.load();
        let summary = tokio::select! {
            biased;
            done = try_join(found, tailing) => done.and_then(|(selected, summary)| selected.map(|()| summary)),
            never = coverage::report(load, limits.qps, logs.history_first, out), if logs.follow => match never {},
            never = waits::report_outages(cluster.outage(), out) => match never {},
            never = cluster.probe_whenever_silent() => match never {},
        }?;
        // Behind all lines.
        for failure in completion.failures() {
            out.notice(failure).await;
        }
        Ok(summary)
    }

    /// The logs to read by the apiserver's clock, and the time at which they end. Words of the calendar are shown as
    /// instants.
    async fn in_range(
        &self,
        cluster: &cluster::Cluster,
        out: &Sender,
    ) -> Result<(LogPlan, Option<Instant>), Error> {
        let ClusterPlan { asked, range, logs, .. } = self.plan;
        if !range.needs_clock() {
            return Ok((logs.clone(), None));
        }
        // Without following, the first failure ends the run.
        let clock = cluster.clock(if asked.follow { PAUSES } else { &[] }).await?;
        if let Some(difference) = clock.difference() {
            let text = format!(
                "the clock of this machine is {difference} the apiserver's, which is the one that counts"
            );
            out.notice(Scope::Cluster.warning(text)).await;
        }
        let now = clock.at(self.plan.connect.machine.now());
        let instants = range.at(now, ClockOf::Apiserver)?;
        if let Some(described) = range.described(now, &instants) {
            out.notice(Scope::Run.info(described)).await;
        }
        let logs = asked.clone().within(instants, now, ClockOf::Apiserver)?;
        let end = logs
            .until
            .filter(|_| logs.follow)
            .and_then(|until| Duration::try_from(until.duration_since(now)).ok());
        Ok((logs, end.and_then(|end| Instant::now().checked_add(end + GRACE))))
    }

    /// Lists the containers that would be tailed.
    async fn dry_run(
        &self,
        cluster: &cluster::Cluster,
        selection: &Selection,
        out: &Sender,
    ) -> Result<Outcome, Error> {
        let (sender, mut selected) = mpsc::channel(SELECTED);
        let (mut origins, mut outcome) = (Vec::new(), Outcome::Complete);
        let collect = async {
            while let Some(what) = selected.recv().await {
                match what {
                    Selected::Started { instance, .. } if instance.is_past => {}
                    Selected::Started { instance, .. } => origins.push(instance.origin.clone()),
                    Selected::Notice(notice) => out.notice(notice).await,
                    Selected::LeftOut(notice) => {
                        outcome = Outcome::Incomplete;
                        out.notice(notice).await;
                    }
                    Selected::Gone(_) | Selected::Listed => {}
                }
            }
        };
        let selection = Selection { on_complete: false, ..selection.clone() };
        let listing = select::run(cluster, &selection, false, None, false, &self.completion, sender);
        let (listed, ()) = join(listing, collect).await;
        listed?;
        out.text(DryRun::new(origins, self.plan, cluster.round_trip()).to_string()).await;
        Ok(outcome)
    }
}

impl From<Summary> for Outcome {
    fn from(summary: Summary) -> Outcome {
        match summary {
            Summary { read: 0, failed: 1.., .. } => Outcome::Failed,
            Summary { unread: 1.., .. } | Summary { left_out: 1.., .. } => Outcome::Incomplete,
            _ => Outcome::Complete,
        }
    }
}
