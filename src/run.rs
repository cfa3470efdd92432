//! Joins source, filter, order and sink into one run: from a plan to an exit code.

use std::{
    io::{self, Write},
    pin::pin,
    time::Duration,
};

use futures::future::try_join;
use tokio::time::Instant;

use crate::{
    cannot_start, cannot_write, cleanup,
    completion::Completion,
    deadline::Deadline,
    event::Event,
    exit::ExitCode,
    flow::{Open, Stages, Stop, flow},
    grace::{self, Grace},
    io::Io,
    machine::Machine,
    notice::Notice,
    order::{Arrival, ByTime, Order, Settings},
    pace::Pace,
    plan::{self, Ending, OrderPlan, Plan, StatsFormat},
    queue,
    render::Renderer,
    signals::{Occasion, Report, Signals},
    sink::{self, Files, Lines, Pager, Print, Shown, Sink, Tee},
    source::{self, Outcome, Source},
    stats::Stats,
    summary::Summary,
    usage_error::UsageError,
};

/// Longest wait for the last words to be written.
const REPORT: Duration = Duration::from_secs(1);

const BLOCKED: &str = "stern-rs: the time of --timeout is over, and lines that were read could not be shown; perhaps standard \
                       output takes nothing, or the program of --jq has no end\n";

/// Runs `plan` until it is finished or a signal ends it.
pub async fn run(plan: Plan, io: Io, signals: &Signals) -> ExitCode {
    let Io { stdin, stdout, stderr } = io;
    let pager = match plan.pager.as_ref().map(|pager| Pager::find(pager, signals)).transpose() {
        Ok(pager) => pager,
        Err(reason) => return refused(plan.outputs.stderr.to(stderr), &reason, ExitCode::Failed),
    };
    let sink = match sink(&plan, stdout, stderr, pager.clone()) {
        Ok(sink) => sink,
        Err(code) => return code,
    };
    let source = Source::new(&plan, stdin);
    let stats = Stats::new(plan.stats.is_some());
    let summary = plan.summary.as_ref().map(Summary::new);
    signals.answer_with(report(&stats, summary.clone(), &plan));
    let mut code = match (plan.order, &plan.source) {
        (OrderPlan::ByTime { window }, plan::Source::Cluster(cluster)) => {
            let (follow, now) = (cluster.logs.follow, plan.machine.now().into());
            let held = plan.gathering.map_or(Duration::ZERO, |_| plan.record_wait());
            let settings = Settings { window, held, follow, now, late: stats.late() };
            let order = ByTime::new(settings, Instant::now());
            run_through(&plan, source, order, sink, (&stats, summary), signals).await
        }
        // Lines of standard input have no time.
        (OrderPlan::ByTime { .. } | OrderPlan::Arrival, _) => {
            run_through(&plan, source, Arrival::default(), sink, (&stats, summary), signals).await
        }
    };
    if let Some(failure) = pager.and_then(|pager| pager.failure()) {
        let after = match failure.lines {
            Lines::None => ExitCode::Failed,
            Lines::InPart if code == ExitCode::Done && plan.ending.until_match.is_empty() => ExitCode::Unread,
            Lines::InPart | Lines::Taken => code,
        };
        code = refused(plan.outputs.stderr.to(plan.machine.stderr()), &failure.reason, after);
    }
    if let Some(written) = signals.report_end() {
        // A blocked standard error must not keep the run alive.
        let _ = written.recv_timeout(REPORT);
    }
    code
}

/// Where lines and words go. An error was reported.
fn sink(
    plan: &Plan,
    stdout: io::Result<Box<dyn Write + Send>>,
    stderr: Box<dyn Write + Send>,
    pager: Option<Pager>,
) -> Result<Tee, ExitCode> {
    let stderr = plan.outputs.stderr.to(stderr);
    let renderers = Renderer::new(&plan.display).and_then(|shown| {
        let filed = plan.files.as_ref().map(|_| Renderer::new(&plan.display.for_files()));
        Ok((shown, filed.transpose()?))
    });
    let (shown, filed) = match renderers {
        Ok(renderers) => renderers,
        Err(reason) => {
            return Err(refused(stderr, &UsageError::new(reason).to_string(), ExitCode::Usage));
        }
    };
    let is_dry_run = matches!(&plan.source, plan::Source::Cluster(cluster) if cluster.dry_run);
    let is_quiet = plan.quiet && !is_dry_run;
    let stdout = match stdout {
        Ok(stdout) => stdout,
        Err(_) if is_quiet => Box::new(io::sink()),
        Err(error) => return Err(cannot_write(stderr, &error)),
    };
    let (stdout, stderr) = match &pager {
        Some(pager) => (Box::new(pager.stdout()) as Box<_>, pager.stderr(stderr)),
        None => (stdout, stderr),
    };
    let print = Print::new(shown, plan.outputs.stdout.to(stdout), stderr, &plan.machine);
    let mut print = print.map_err(|error| cannot_start(&error))?.watch_pager(pager);
    if !is_quiet && plan.machine.simulation().is_none() {
        print = print.watch_stdout();
    }
    let files = plan.files.as_ref().zip(filed);
    let files = files.map(|(files, renderer)| Files::new(files, &plan.display, renderer, &plan.machine));
    let files = files.transpose();
    Ok(Tee::new(print, files.map_err(|error| cannot_start(&error))?, is_quiet))
}

/// Reports why there is no run.
fn refused(mut stderr: impl Write, reason: &str, code: ExitCode) -> ExitCode {
    // If standard error is closed, the error cannot be reported.
    let _ = writeln!(stderr, "stern-rs: {reason}");
    code
}

/// The cost so far on each SIGUSR1, and of the whole run for `--stats`; before it what `--summary` counted.
fn report(stats: &Stats, summary: Option<Summary>, plan: &Plan) -> Report {
    let (stats, format, passes) = (stats.clone(), plan.stats, plan.outputs.stderr);
    let machine = plan.machine.clone();
    let at_end = format.is_some() || summary.is_some();
    let write = move |occasion| {
        let mut text = summary.as_ref().map(Summary::report).unwrap_or_default();
        match format.or((occasion == Occasion::Asked).then_some(StatsFormat::Text)) {
            Some(StatsFormat::Text) => text += &stats.to_string(),
            Some(StatsFormat::Json) => text += &format!("{}\n", stats.to_json()),
            None => {}
        }
        sink::write_ahead(text.into_bytes(), passes, &machine)
    };
    Report { write: Box::new(write), at_end }
}

/// How the work of a run ended.
enum End {
    /// The source gave all, and all of it is shown.
    Given(Result<Outcome, source::Error>),
    TimedOut,
    Stopped(Stop),
}

/// The reasons to end although the sink may be blocked.
enum Broken {
    Signal(ExitCode),
    /// The time is over, and the output takes nothing.
    Blocked,
}

async fn run_through<O: Order>(
    plan: &Plan,
    source: Source<'_>,
    order: O,
    mut sink: impl Sink,
    (stats, summary): (&Stats, Option<Summary>),
    signals: &Signals,
) -> ExitCode {
    let (sender, receiver) = queue::new(O::CAPACITY);
    let completion = source.completion();
    let deadline = Deadline::new(plan.ending.timeout);
    let (held, stuck) = deadline.hold();
    let mut stuck = pin!(stuck);
    let give = source.run(plan, stats, sender, held);
    let give = async {
        tokio::select! {
            biased;
            ended = give => Ok(End::Given(ended)),
            () = deadline.over() => Ok(End::TimedOut),
        }
    };
    let open = Open::default();
    let mut stages = Stages::new(plan, summary);
    let show = flow(receiver, &mut stages, order, &mut sink, &deadline, &open);
    let ended = tokio::select! {
        biased;
        // If nothing can be shown any more, the run ends.
        ended = try_join(give, show) => Ok(ended.map_or_else(End::Stopped, |(end, ())| end)),
        code = signals.ended() => Err(Broken::Signal(code)),
        () = &mut stuck => Err(Broken::Blocked),
    };
    if let Err(Broken::Signal(_)) = &ended {
        let show = async {
            if !O::WAITS {
                // If nothing can be shown any more, nothing can be written either.
                let _ = stages.show_held(None, &mut sink).await;
            }
            sink.written().await;
        };
        // A blocked output must not keep the run alive.
        Grace::of_part().bound(show).await;
        grace::step();
    }
    // A success that another flag defines does not depend on what could be written.
    let decides = completion.is_some() || !plan.ending.until_match.is_empty();
    let in_part = if decides { ExitCode::Done } else { ExitCode::Unread };
    let mut notices = match &ended {
        Ok(End::TimedOut) => open.unread(|origin| {
            completion.as_ref().is_some_and(|completion| completion.has_ended(&origin.pod.identity))
        }),
        _ => Vec::new(),
    };
    notices.extend(stages.last_words());
    let (mut code, words) = judge(ended.as_ref().unwrap_or(&End::TimedOut), &plan.ending, completion);
    if code == ExitCode::Done && !stages.rewriter.is_whole() {
        code = in_part;
    }
    if let Err(broken) = ended {
        return break_off(&broken, (code, in_part), sink.last_words(&notices), plan);
    }
    let broken = tokio::select! {
        biased;
        code = finish((code, in_part), notices, words, &mut sink, &plan.machine) => return code,
        code = signals.ended() => Broken::Signal(code),
        () = stuck => Broken::Blocked,
    };
    break_off(&broken, (code, in_part), sink.last_words(&[]), plan)
}

/// The exit code, if all is shown as it should be, and the error behind it.
fn judge(end: &End, ending: &Ending, completion: Option<Completion>) -> (ExitCode, Option<String>) {
    let (code, when) = match end {
        End::Stopped(Stop::Matched) => return (ExitCode::Done, None),
        End::Stopped(Stop::Over(reason)) => return (ExitCode::Failed, Some(reason.clone())),
        End::Given(Err(error @ source::Error::Usage(_))) => {
            return (ExitCode::Usage, Some(error.to_string()));
        }
        End::Given(Err(error)) => return (ExitCode::Failed, Some(error.to_string())),
        End::Given(Ok(Outcome::Cancelled)) => return (ExitCode::Interrupted, None),
        // A pod that never started has no log, and did not complete.
        End::Given(Ok(Outcome::Failed)) if completion.is_none() => return (ExitCode::Failed, None),
        End::Given(Ok(Outcome::Complete | Outcome::Failed)) => (ExitCode::Done, ""),
        End::Given(Ok(Outcome::Incomplete)) => (ExitCode::Unread, ""),
        End::TimedOut => (ExitCode::Done, " within the time of --timeout"),
        // If writing failed, that is reported in place of this.
        End::Stopped(Stop::Closed) => (ExitCode::Done, " before standard output was closed"),
    };
    // Of both, completion decides if neither came.
    if let Some(completion) = completion {
        return match completion.verdict() {
            Ok(()) => (ExitCode::Done, None),
            Err(why) => (ExitCode::NotComplete, Some(format!("not completed{when}: {why}"))),
        };
    }
    match ending.until_match.is_empty() {
        true => (code, None),
        false => (ExitCode::NoMatch, Some(format!("no line matched --until-match{when}"))),
    }
}

/// Ends at once. `in_part` is the code in place of [`ExitCode::Done`] if not all is shown.
fn break_off(
    broken: &Broken,
    (code, in_part): (ExitCode, ExitCode),
    mut words: Vec<u8>,
    plan: &Plan,
) -> ExitCode {
    grace::step();
    cleanup::all();
    grace::step();
    let code = match broken {
        Broken::Signal(code) => *code,
        Broken::Blocked => {
            words.extend_from_slice(BLOCKED.as_bytes());
            if code == ExitCode::Done { in_part } else { code }
        }
    };
    if !words.is_empty() {
        let _ = sink::write_ahead(words, plan.outputs.stderr, &plan.machine).recv_timeout(REPORT);
    }
    code
}

/// Shows the remaining events, and reports the error. `in_part` is as for [`break_off`].
async fn finish(
    (code, in_part): (ExitCode, ExitCode),
    notices: Vec<Notice>,
    words: Option<String>,
    sink: &mut impl Sink,
    machine: &Machine,
) -> ExitCode {
    let (mut unsaid, mut pace) = (None, Pace::default());
    for notice in notices {
        if sink.take(Event::Notice(notice), &mut pace).await.is_err() {
            break;
        }
    }
    if let Some(words) = words
        && sink.failed(&words).await.is_err()
    {
        unsaid = Some(words);
    }
    match sink.finish().await {
        Ok(Shown::InPart) if code == ExitCode::Done => in_part,
        Ok(_) => {
            // The reader of standard output went away.
            if let Some(words) = unsaid {
                let _ = writeln!(machine.stderr(), "stern-rs: {words}");
            }
            code
        }
        Err(error) => cannot_write(machine.stderr(), &error),
    }
}
