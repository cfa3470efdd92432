//! Joins source, filter, order and sink into one run: from a plan to an exit code.

use std::{future::pending, io::Write, time::Duration};

use futures::{FutureExt, future::try_join};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep_until},
};

use crate::{
    exit::ExitCode,
    filter::Filter,
    io::Io,
    order::{Arrival, Order},
    plan::{Plan, StatsFormat},
    queue::{self, Receiver},
    render::Renderer,
    sink::{self, Closed, Print, Sink},
    source::{self, Outcome, Source},
    stats::Stats,
    usage_error::UsageError,
};

/// Longest wait for the final `--stats` report.
const REPORT: Duration = Duration::from_secs(1);

/// Runs `plan` until it is finished or a signal ends it.
pub async fn run(plan: Plan, mut io: Io) -> ExitCode {
    let renderer = match Renderer::new(&plan.display) {
        Ok(renderer) => renderer,
        Err(reason) => {
            // If standard error is closed, the error cannot be reported.
            let _ = writeln!(io.stderr, "stern-rs: {}", UsageError::new(reason));
            return ExitCode::Usage;
        }
    };
    let source = Source::new(&plan, io.stdin);
    let sink = Print::new(renderer, io.stdout, io.stderr);
    let stats = Stats::new(plan.stats.is_some());
    let asked = sink::report_whenever_asked(&stats, plan.stats.unwrap_or(StatsFormat::Text));
    let code = tokio::select! {
        code = flow(&plan, source, Arrival::default(), sink, &stats) => code,
        never = asked => match never {},
    };
    if let Some(format) = plan.stats {
        // A blocked standard error must not keep the run alive.
        let _ = sink::report(&stats, format).recv_timeout(REPORT);
    }
    code
}

async fn flow<O: Order>(
    plan: &Plan,
    source: Source<'_>,
    order: O,
    mut sink: impl Sink,
    stats: &Stats,
) -> ExitCode {
    let (sender, receiver) = queue::new(O::CAPACITY);
    let give = source.run(plan, stats, sender);
    let show = show(receiver, Filter::new(&plan.filter), order, &mut sink);
    let ended = tokio::select! {
        // If nothing can be shown any more, the run ends.
        ended = try_join(give.map(Ok), show) => ended.map(|(outcome, ())| outcome),
        // Ends at once: the sink may be blocked.
        code = signalled() => return code,
    };
    tokio::select! {
        code = finish(ended, sink) => code,
        code = signalled() => code,
    }
}

/// Shows all events of the queue: as many at once as are ready, and a single line immediately.
async fn show(
    mut queue: Receiver,
    mut filter: Filter,
    mut order: impl Order,
    sink: &mut impl Sink,
) -> Result<(), Closed> {
    loop {
        let mut next = tokio::select! {
            next = queue.next() => match next {
                None => break,
                next => next,
            },
            () = until(order.due()) => None,
            // Without this, only the next line would notice it.
            () = sink.closed() => return Err(Closed),
        };
        loop {
            let now = Instant::now();
            if let Some(mut queued) = next {
                filter.apply(&mut queued.event);
                order.push(queued, now);
            }
            while let Some(event) = order.pop(now) {
                sink.take(event).await?;
            }
            next = queue.ready();
            if next.is_none() {
                break;
            }
        }
        sink.idle().await?;
    }
    order.close();
    while let Some(event) = order.pop(Instant::now()) {
        sink.take(event).await?;
    }
    sink.idle().await
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
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
        Ok(()) => code,
        Err(error) => {
            let _ = writeln!(Io::process_stderr(), "stern-rs: cannot write standard output: {error}");
            ExitCode::Failed
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn signalled() -> ExitCode {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers, signals end the process by default.
        return pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => ExitCode::Interrupted,
        _ = terminate.recv() => ExitCode::Terminated,
    }
}

#[cfg(test)]
mod tests;
