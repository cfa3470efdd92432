//! Joins source, filter, order and sink into one run: from a plan to an exit code.

use std::{io::Write, time::Duration};

use futures::{FutureExt, future::try_join};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::{
    cannot_start, cannot_write, cleanup,
    exit::ExitCode,
    filter::Filter,
    flow::flow,
    io::Io,
    order::{Arrival, ByTime, Order, Settings},
    plan::{self, OrderPlan, Plan, StatsFormat},
    queue,
    render::Renderer,
    signals::{Report, Signals},
    sink::{self, Closed, Print, Shown, Sink},
    source::{self, Outcome, Source},
    stats::Stats,
    usage_error::UsageError,
};

/// Longest wait for the last words to be written.
const REPORT: Duration = Duration::from_secs(1);

/// Runs `plan` until it is finished or a signal ends it.
pub async fn run(plan: Plan, io: Io, signals: &Signals) -> ExitCode {
    let mut stderr = plan.outputs.stderr.to(io.stderr);
    let renderer = match Renderer::new(&plan.display) {
        Ok(renderer) => renderer,
        Err(reason) => {
            // If standard error is closed, the error cannot be reported.
            let _ = writeln!(stderr, "stern-rs: {}", UsageError::new(reason));
            return ExitCode::Usage;
        }
    };
    let stdout = match io.stdout {
        Ok(stdout) => plan.outputs.stdout.to(stdout),
        Err(error) => return cannot_write(stderr, &error),
    };
    let source = Source::new(&plan, io.stdin);
    let sink = match Print::new(renderer, stdout, stderr) {
        Ok(sink) => sink,
        Err(error) => return cannot_start(&error),
    };
    let stats = Stats::new(plan.stats.is_some());
    signals.answer_with(report(&stats, &plan));
    let code = match (plan.order, &plan.source) {
        (OrderPlan::ByTime { window }, plan::Source::Cluster(cluster)) => {
            let (follow, now) = (cluster.logs.follow, Timestamp::now().into());
            let settings = Settings { window, follow, now, late: stats.late() };
            let order = ByTime::new(settings, Instant::now());
            run_through(&plan, source, order, sink, &stats, signals).await
        }
        // Lines of standard input have no time.
        (OrderPlan::ByTime { .. } | OrderPlan::Arrival, _) => {
            run_through(&plan, source, Arrival::default(), sink, &stats, signals).await
        }
    };
    if let Some(written) = signals.report_end() {
        // A blocked standard error must not keep the run alive.
        let _ = written.recv_timeout(REPORT);
    }
    code
}

/// The cost so far on each SIGUSR1, and of the whole run for `--stats`.
fn report(stats: &Stats, plan: &Plan) -> Report {
    let (stats, format, passes) =
        (stats.clone(), plan.stats.unwrap_or(StatsFormat::Text), plan.outputs.stderr);
    Report { write: Box::new(move || sink::report(&stats, format, passes)), at_end: plan.stats.is_some() }
}

async fn run_through<O: Order>(
    plan: &Plan,
    source: Source<'_>,
    order: O,
    mut sink: impl Sink,
    stats: &Stats,
    signals: &Signals,
) -> ExitCode {
    let (sender, receiver) = queue::new(O::CAPACITY);
    let give = source.run(plan, stats, sender);
    let show = flow(receiver, Filter::new(&plan.filter), order, &mut sink);
    let ended = tokio::select! {
        // If nothing can be shown any more, the run ends.
        ended = try_join(give.map(Ok), show) => Ok(ended.map(|(outcome, ())| outcome)),
        code = signals.ended() => Err(code),
    };
    let ended = match ended {
        Ok(ended) => ended,
        // Ends at once: the sink may be blocked.
        Err(code) => {
            let words = sink.last_words();
            cleanup::all();
            if !words.is_empty() {
                let _ = sink::write_ahead(words, plan.outputs.stderr).recv_timeout(REPORT);
            }
            return code;
        }
    };
    tokio::select! {
        code = finish(ended, sink) => code,
        code = signals.ended() => {
            cleanup::all();
            code
        }
    }
}

/// Shows the remaining events, and reports the error.
async fn finish(ended: Result<Result<Outcome, source::Error>, Closed>, mut sink: impl Sink) -> ExitCode {
    let code = match ended {
        Ok(Ok(Outcome::Complete)) => ExitCode::Done,
        Ok(Ok(Outcome::Incomplete)) => ExitCode::Unread,
        Ok(Ok(Outcome::Failed)) => ExitCode::Failed,
        Ok(Ok(Outcome::Cancelled)) => ExitCode::Interrupted,
        Ok(Err(error)) => {
            let _ = sink.failed(&error.to_string()).await;
            ExitCode::Failed
        }
        // The reader closed the output, or writing failed: reported below.
        Err(Closed) => ExitCode::Done,
    };
    match sink.finish().await {
        Ok(Shown::InPart) if code == ExitCode::Done => ExitCode::Unread,
        Ok(_) => code,
        Err(error) => cannot_write(Io::process_stderr(), &error),
    }
}
