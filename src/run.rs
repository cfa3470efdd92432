//! Joins the modules into one run: from a plan to an exit code.

use std::{
    borrow::Cow,
    convert::Infallible,
    io::{Read, Write},
    sync::Arc,
    time::Duration,
};

use futures::{
    FutureExt,
    future::{join, try_join},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

use crate::{
    batch::{Batch, Item},
    cluster::{self, Cluster, Trace},
    coverage,
    dry_run::DryRun,
    exit::ExitCode,
    filter::Filter,
    io::Io,
    lines::Spool,
    merge::{self, Event, Receiver, Sender},
    notice::{Notice, Said},
    output::{Closed, Output},
    plan::{ClusterPlan, Format, Plan, Selection, Source, StatsFormat},
    prompt,
    render::Renderer,
    schedule::Scheduler,
    select::{self, Selected},
    stats::Stats,
    stdin,
    tail::{self, Summary},
    usage_error::UsageError,
};

/// Bytes to gather before they are printed while there is more to print at once.
const CHUNK: usize = 128 << 10;

/// How long the last words about what it cost may take.
const SAYING: Duration = Duration::from_secs(1);

/// Targets and notices that may wait between selecting and tailing.
const SELECTED: usize = 256;

/// How long the apiserver must be away before it is told.
const SETTLED: Duration = Duration::from_secs(1);

/// How long nothing may happen before it is told what is waited for.
const PATIENT: Duration = Duration::from_secs(2);

/// Does what `plan` says, until it is done or a signal ends it.
pub async fn run(plan: Plan, mut io: Io) -> ExitCode {
    let is_stdin = matches!(plan.source, Source::Stdin);
    let renderer = match Renderer::new(&plan.display, is_stdin) {
        Ok(renderer) => renderer,
        Err(reason) => {
            // There is nowhere else to say that standard error is closed.
            let _ = writeln!(io.stderr, "stern-rs: {}", UsageError::new(reason));
            return ExitCode::Usage;
        }
    };
    let output = Output::new(io.stdout, io.stderr).watch_stdout();
    let stats = Stats::new(plan.stats.is_some());
    let told = say_whenever_asked(&stats, plan.stats.unwrap_or(StatsFormat::Text));
    let code = tokio::select! {
        code = produce_and_show(&plan, io.stdin, renderer, output, &stats) => code,
        never = told => match never {},
    };
    if let Some(format) = plan.stats {
        // Where nobody reads standard error, it is not for this that the run goes on.
        let _ = say(&stats, format).recv_timeout(SAYING);
    }
    code
}

/// Says what it cost so far, whenever it is asked to by SIGUSR1.
async fn say_whenever_asked(stats: &Stats, format: StatsFormat) -> Infallible {
    let Ok(mut asked) = signal(SignalKind::user_defined1()) else { return std::future::pending().await };
    while asked.recv().await.is_some() {
        say(stats, format);
    }
    std::future::pending().await
}

/// Says what it cost on standard error, past all that waits to be shown, and tells when it is said.
fn say(stats: &Stats, format: StatsFormat) -> std::sync::mpsc::Receiver<()> {
    let text = match format {
        StatsFormat::Text => stats.to_string(),
        StatsFormat::Json => format!("{}\n", stats.to_json()),
    };
    let (said, saying) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // There is nowhere else to say it.
        let _ = Io::process_stderr().write_all(text.as_bytes());
        let _ = said.send(());
    });
    saying
}

async fn produce_and_show(
    plan: &Plan,
    stdin: Box<dyn Read + Send>,
    renderer: Renderer,
    mut output: Output,
    stats: &Stats,
) -> ExitCode {
    let (sender, receiver) = merge::queue(merge::CAPACITY);
    let filter = Filter::new(&plan.filter);
    let produce = async {
        match &plan.source {
            Source::Stdin => {
                let done = stdin::spawn(stdin, plan.lines, stats, sender).await;
                done.ok()
                    .and_then(Result::err)
                    .map_or(Ok(ExitCode::Done), |error| Err(format!("cannot read standard input: {error}")))
            }
            Source::Cluster(wish) => match tail_cluster(plan, wish, stats, sender).await {
                Ok(Some(Summary { read: 0, failed: 1.., .. })) => Ok(ExitCode::Failed),
                Ok(Some(Summary { unread: 1.., .. })) => Ok(ExitCode::Unread),
                Ok(Some(_)) => Ok(ExitCode::Done),
                Ok(None) => Ok(ExitCode::Interrupted),
                Err(error) => Err(error.to_string()),
            },
        }
    };
    let ended = tokio::select! {
        // What was read is shown to the end: the queue closes with its last sender. Where it cannot be shown any more,
        // there is nothing left to do.
        ended = try_join(produce.map(Ok), show(receiver, &filter, renderer, &mut output)) => {
            ended.map(|(produced, ())| produced)
        }
        // Nothing is waited for: standard output may be blocked.
        code = signalled() => return code,
    };
    finish(ended, output).await
}

/// Writes what is left and tells what went wrong.
async fn finish(ended: Result<Result<ExitCode, String>, Closed>, mut output: Output) -> ExitCode {
    let mut code = ExitCode::Done;
    match ended {
        Ok(Ok(done)) => code = done,
        Ok(Err(error)) => {
            code = ExitCode::Failed;
            let _ = output.stderr(format!("stern-rs: {error}\n").into_bytes()).await;
        }
        // Its reader went away, or it cannot be written: that is told below.
        Err(Closed) => {}
    }
    tokio::select! {
        written = output.finish() => match written {
            Ok(()) => code,
            Err(error) => {
                let _ = writeln!(Io::process_stderr(), "stern-rs: cannot write standard output: {error}");
                ExitCode::Failed
            }
        },
        code = signalled() => code,
    }
}

/// None: asked what to tail, the user would not say.
async fn tail_cluster(
    plan: &Plan,
    wish: &ClusterPlan,
    stats: &Stats,
    sender: Sender,
) -> Result<Option<Summary>, cluster::Error> {
    let words = sender.clone();
    let trace = Trace::new(plan.verbosity, Arc::new(move |text| words.trace(Notice::Trace(text))));
    let cluster = Cluster::connect(&wish.connect, &wish.limits, trace, stats.clone())?;
    tokio::select! {
        ended = tail_in(&cluster, plan, wish, stats, &sender) => ended,
        never = tell_waits(cluster.waits(), &sender) => match never {},
    }
}

async fn tail_in(
    cluster: &Cluster,
    plan: &Plan,
    wish: &ClusterPlan,
    stats: &Stats,
    sender: &Sender,
) -> Result<Option<Summary>, cluster::Error> {
    let mut selection = Cow::Borrowed(&wish.selection);
    if wish.prompt {
        let Some(labels) = prompt::pick(cluster, &selection, plan.display.color_stderr).await? else {
            return Ok(None);
        };
        selection.to_mut().label_selector = Some(labels);
    }
    if wish.dry_run {
        dry_run(cluster, &selection, wish, sender).await?;
        return Ok(Some(Summary::default()));
    }
    let scheduler = Scheduler::new(wish.limits.log_requests.nearby, wish.limits.max_streams_per_node);
    let context = tail::Context {
        logs: cluster.clone(),
        scheduler: scheduler.clone(),
        plan: wish.logs.clone(),
        lines: plan.lines,
        out: sender.clone(),
        crowd: tail::Crowd::default(),
        stats: stats.clone(),
    };
    let keep_annotations = plan.display.format == Format::Json || plan.display.template.is_some();
    let (selected, receiver) = mpsc::channel(SELECTED);
    let selecting = select::run(cluster, &selection, wish.logs.follow, keep_annotations, selected);
    let tailing = tail::run(context, wish.limits.log_requests, receiver);
    tokio::select! {
        (selected, summary) = join(selecting, tailing) => selected.map(|()| Some(summary)),
        never = coverage::tell(scheduler.load(), wish.limits.qps, sender), if wish.logs.follow => match never {},
        never = tell_outages(cluster.outage(), sender) => match never {},
        never = cluster.probe_whenever_silent() => match never {},
    }
}

/// Lists what would be tailed.
async fn dry_run(
    cluster: &Cluster,
    selection: &Selection,
    wish: &ClusterPlan,
    out: &Sender,
) -> Result<(), cluster::Error> {
    let (sender, mut selected) = mpsc::channel(SELECTED);
    let mut origins = Vec::new();
    let collect = async {
        while let Some(what) = selected.recv().await {
            match what {
                Selected::Started { instance, .. } => origins.push(instance.origin.clone()),
                Selected::Notice(notice) => out.notice(notice).await,
                Selected::Gone(_) => {}
            }
        }
    };
    let (listed, ()) = join(select::run(cluster, selection, false, false, sender), collect).await;
    listed?;
    out.text(DryRun::new(origins, wish, cluster.round_trip()).to_string()).await;
    Ok(())
}

/// Says what is waited for where nothing has happened for a while.
async fn tell_waits(mut waits: watch::Receiver<Option<String>>, out: &Sender) -> Infallible {
    loop {
        let Ok(what) = waits.wait_for(Option::is_some).await.map(|what| what.clone()) else {
            return std::future::pending().await;
        };
        if timeout(PATIENT, waits.wait_for(|now| *now != what)).await.is_err() {
            out.notice(Notice::Info(format!("waiting for {}", what.as_deref().unwrap_or_default()))).await;
            let _ = waits.wait_for(|now| *now != what).await;
        }
    }
}

/// Says once that the apiserver cannot be reached, and once that it can be again.
async fn tell_outages(mut outage: watch::Receiver<Option<cluster::Error>>, out: &Sender) -> Infallible {
    loop {
        if outage.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
        // What one request could not do, the next often can.
        sleep(SETTLED).await;
        let Some(error) = outage.borrow_and_update().clone() else { continue };
        out.notice(Notice::Warning(format!("{error}; trying again"))).await;
        if outage.wait_for(Option::is_none).await.is_ok() {
            out.notice(Notice::Info("the apiserver answers again".to_owned())).await;
        }
    }
}

/// Shows what arrives: as much at once as is there, and a single line at once.
async fn show(
    mut receiver: Receiver,
    filter: &Filter,
    mut renderer: Renderer,
    output: &mut Output,
) -> Result<(), Closed> {
    let (mut lines, mut said) = (output.buffer(), Said::default());
    loop {
        let mut next = tokio::select! {
            event = receiver.next() => event,
            // Not only the next line finds it out, which may be long in coming.
            () = output.closed() => return Err(Closed),
        };
        if next.is_none() {
            return Ok(());
        }
        while let Some(event) = next {
            let notices = match event {
                Event::Batch(mut batch) => {
                    filter.apply(&mut batch);
                    let failed = renderer.batch(&batch, &mut lines);
                    if let Some(rest) = &batch.rest
                        && !batch.items.is_empty()
                    {
                        show_rest(rest, &mut lines, output).await?;
                    }
                    failed.into_iter().chain(notices(&batch)).collect()
                }
                Event::Notice(notice) => vec![notice],
                Event::Text(text) => {
                    lines.extend_from_slice(text.as_bytes());
                    Vec::new()
                }
            };
            let mut words = Vec::new();
            for notice in notices.iter().filter(|notice| said.is_news(notice)) {
                renderer.notice(notice, &mut words);
                if let Notice::Ended(origin, _) = notice {
                    renderer.forget(origin);
                }
            }
            if lines.len() >= CHUNK || !words.is_empty() && !lines.is_empty() {
                let empty = output.buffer();
                output.stdout(std::mem::replace(&mut lines, empty)).await?;
            }
            if !words.is_empty() {
                output.stderr(words).await?;
            }
            next = receiver.ready();
        }
        if !lines.is_empty() {
            let empty = output.buffer();
            output.stdout(std::mem::replace(&mut lines, empty)).await?;
        }
    }
}

/// Shows what follows the data of the last line in `lines`, before that line's newline.
async fn show_rest(rest: &Spool, lines: &mut Vec<u8>, output: &mut Output) -> Result<(), Closed> {
    lines.pop_if(|last| *last == b'\n');
    let Ok(mut reader) = rest.reader() else { return Ok(()) };
    loop {
        let empty = output.buffer();
        output.stdout(std::mem::replace(lines, empty)).await?;
        // The file is there for as long as it is open, and nobody else writes to it.
        match (&mut reader).take(CHUNK as u64).read_to_end(lines) {
            Ok(1..) => {}
            Ok(0) | Err(_) => break,
        }
    }
    lines.push(b'\n');
    Ok(())
}

/// What a batch has to say beside its lines.
fn notices(batch: &Batch) -> Vec<Notice> {
    let notice = |item: &Item| match item {
        Item::Line(_) => None,
        Item::Gap(gap) => Some(Notice::Gap(batch.origin.clone(), *gap)),
        Item::Ended(ended) => Some(Notice::Ended(batch.origin.clone(), ended.clone())),
    };
    batch.items.iter().filter_map(notice).collect()
}

/// Waits for Ctrl-C or SIGTERM.
async fn signalled() -> ExitCode {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers, the signals end the process by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => ExitCode::Interrupted,
        _ = terminate.recv() => ExitCode::Terminated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words for these changes, each some seconds after the one before, and after how many seconds they come.
    async fn told<T, F: Future<Output = Infallible>>(
        tell: impl FnOnce(watch::Receiver<Option<T>>, Sender) -> F,
        changes: impl IntoIterator<Item = (u64, Option<T>)>,
    ) -> Vec<(u64, String)> {
        let (sender, mut receiver) = merge::queue(merge::CAPACITY);
        let (state, began, mut told) = (watch::Sender::new(None), tokio::time::Instant::now(), Vec::new());
        let story = async {
            for (pause, change) in changes {
                sleep(Duration::from_secs(pause)).await;
                state.send_replace(change);
            }
            sleep(Duration::from_secs(60)).await;
        };
        let listen = async {
            while let Some(Event::Notice(Notice::Info(text) | Notice::Warning(text))) = receiver.next().await
            {
                told.push((began.elapsed().as_secs(), text));
            }
        };
        tokio::select! {
            () = story => {}
            () = listen => {}
            never = tell(state.subscribe(), sender) => match never {},
        }
        told
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_waited_for_is_told_after_two_seconds_and_once() {
        let plugin = || Some("the credential plugin \"aws\"".to_owned());
        let server = || Some("https://a to answer".to_owned());
        let tell = async |waits, out: Sender| tell_waits(waits, &out).await;
        let waits = [(1, plugin()), (1, None), (1, plugin()), (10, server()), (1, None), (1, server())];
        assert_eq!(
            told(tell, waits).await,
            [
                (5, "waiting for the credential plugin \"aws\"".to_owned()),
                (17, "waiting for https://a to answer".to_owned()),
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_of_more_than_a_moment_is_told_once_and_so_is_its_end() {
        let away = || Some(cluster::refused(503, "no"));
        let tell = async |outage, out: Sender| tell_outages(outage, &out).await;
        let told = told(tell, [(1, away()), (30, away()), (30, None), (5, away()), (0, None)]).await;
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].0 == 2 && told[0].1.ends_with("; trying again"), "{told:?}");
        assert_eq!(told[1], (61, "the apiserver answers again".to_owned()));
    }
}
