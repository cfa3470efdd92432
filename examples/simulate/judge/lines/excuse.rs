//! The lines that no client could show or miss: the exceptions from the promise that no line is missing without a
//! report.

use std::{ops::Range, time::Duration};

use apiserver::{Ended, Kind};

use super::{
    super::troubles::troubles,
    asked::Asked,
    book::{Book, Life},
    missing::Run,
    reads::Read,
    served::{was_taken_for_empty, was_taken_for_the_last, was_taken_for_the_next_of_its_second},
    told::{arrival, may_hold, tells, told, way},
    wanted::Wanted,
};
use crate::{
    script::{Asked as Asks, Broken, Fault, Followers, What},
    story::{Container, File, Line, Request, Story},
};

/// The time in which a line is shown when nothing fails, and after the last fault.
pub const SOON: Duration = Duration::from_secs(5);
pub const AFTER_FAULTS: Duration = Duration::from_secs(60);

/// When a silent stream is looked at if `--idle-check` does not say it.
const IDLE: Duration = Duration::from_secs(30);

/// A stream that ends sooner than the first is opened again after a pause, which is at most the second
/// (src/tail/follow.rs).
const STEADY: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_secs(11);

/// The time in which a follower reads what was written.
const READ: Duration = Duration::from_millis(20);

/// All that is known of a container.
pub struct Case<'c, 'a> {
    pub story: &'c Story,
    pub asked: &'c Asked,
    pub book: &'c Book<'a>,
    pub reads: &'c [Read],
    pub wanted: &'c [Wanted],
}

/// A reason for which lines may be missing without a report.
pub struct Excuse {
    #[expect(dead_code, reason = "for people: docs/reliability.md quotes it")]
    reason: &'static str,
    holds: fn(&Case<'_, '_>, &Run) -> bool,
}

/// Each is proven by what the cluster did, not by what the program says.
pub const EXCUSES: &[Excuse] = &[
    Excuse { reason: "the run ended before the lines were due", holds: was_not_due },
    Excuse { reason: "as many bytes were shown as were asked for", holds: is_beyond_limit },
    Excuse {
        reason: "they were rotated away before the log was opened: a reader gets the newest file only, and nothing says that there was another",
        holds: was_rotated_before_it_was_opened,
    },
    Excuse {
        reason: "the node's own follower went on in the next file before it had read this one to its end, and its stream does not show that",
        holds: was_skipped_by_the_node,
    },
    Excuse {
        reason: "an answer stopped, their file and the next one were rotated meanwhile, and the node's follower went on in the next one: its stream does not show that",
        holds: was_overtaken_while_blocked,
    },
    Excuse {
        reason: "the stream fell silent at a rotation, and checks of silent streams are turned off (--idle-check 0)",
        holds: is_not_checked,
    },
    Excuse {
        reason: "the stream fell silent, and its pod was gone, or their file with no line behind it, before it was to be checked and before anything told of its end",
        holds: was_gone_before_a_check_was_due,
    },
    Excuse {
        reason: "the stream fell silent, and its pod stopped meeting --condition for good before it was to be checked and before anything told of its end",
        holds: was_left_before_a_check_was_due,
    },
    Excuse {
        reason: "the next file begins with the same lines of the same instant as were shown last: they look like one place",
        holds: is_between_the_same,
    },
    Excuse {
        reason: "they were rotated away, and no line follows them: an empty file looks like one that nothing was written to",
        holds: has_nothing_behind,
    },
    Excuse { reason: "the pod was gone before any list or watch could tell of it", holds: was_never_known },
    Excuse {
        reason: "no list or watch could tell of the instance before it was forgotten, and no request found its log",
        holds: was_instance_never_known,
    },
    Excuse {
        reason: "the node served the empty log of a later instance in its place, of which no status told yet: both look the same",
        holds: was_taken_for_empty,
    },
    Excuse {
        reason: "the node served the log of the next instance in its place, all written in the second in which that one started, and no status reported its end yet: statuses have whole seconds",
        holds: was_taken_for_the_next_of_its_second,
    },
    Excuse {
        reason: "its log was gone before any request found a line in it, no status told of a later instance, and of these one was shown, or several with a reported gap between: the lines of the first one look like its own",
        holds: was_taken_for_the_last,
    },
    Excuse {
        reason: "an answer was cut, or its kubelet went away, and it looked complete, and ends are not checked \
                 (--confirm=false)",
        holds: is_not_confirmed,
    },
    Excuse {
        reason: "an answer was cut and looked complete behind a line that is the same as the last one of its log, of the same instant: the answer is compared to that one",
        holds: was_cut_among_the_same,
    },
    Excuse {
        reason: "an answer was cut and looked complete, and its log was removed before it could be asked for again",
        holds: was_gone_before_it_was_checked,
    },
];

/// The excuse for lines that are missing without a report.
pub fn excuse(case: &Case<'_, '_>, run: &Run) -> Option<&'static Excuse> {
    EXCUSES.iter().find(|excuse| (excuse.holds)(case, run))
}

pub fn life<'c, 'a>(case: &Case<'c, 'a>, run: &Run) -> &'c Life<'a> {
    &case.book.lives[run.life]
}

/// Only the end of a log, and only if nothing of a later instance was shown.
fn was_not_due(case: &Case<'_, '_>, run: &Run) -> bool {
    let life = life(case, run);
    let mut later = case.book.lives[run.life + 1..].iter();
    // A pod that was made again under the same name is read beside it.
    // Lines of an instance of which nothing told yet are shown too early: those before them may still come.
    let is_shown_in_turn = |later: &Life<'_>| {
        later.shown.iter().flatten().any(|shown| !later.is_untold(case.book.shown[*shown].at))
    };
    let is_last = run.after.is_none()
        && !later.any(|later| std::ptr::eq(later.container, life.container) && is_shown_in_turn(later));
    let first = life.lines()[run.lines.start].at.max(life.instance.known.unwrap_or_default());
    let troubles = troubles(case.story);
    let faults = troubles.iter().filter(|trouble| trouble.from <= case.story.ended);
    let faults = faults.map(|trouble| trouble.until).max();
    let calm = case.story.calm.max(faults.unwrap_or_default());
    let mut reads = case.reads.iter().filter(|read| !read.check && read.may_be_of(life));
    // Polls of a quiet log have pauses of up to a minute.
    let runs = |at: Duration| life.instance.ended.is_none_or(|ended| ended > at);
    let is_polled = reads.next_back().is_some_and(|read| read.poll || !read.follow && runs(read.at));
    let due = first.saturating_add(if is_polled { AFTER_FAULTS } else { SOON }).max(calm + AFTER_FAULTS);
    is_last && due > case.story.ended && case.asked.follow
}

fn is_beyond_limit(case: &Case<'_, '_>, run: &Run) -> bool {
    let Some(limit) = case.asked.limit_bytes.filter(|_| run.after.is_none()) else { return false };
    let shown = run.before.and_then(|before| case.book.shown_at(run.life, before)).unwrap_or(Duration::MAX);
    let joint = case.book.as_one(run.life, shown);
    // The last line may be cut before its newline.
    // One that was cut too early is whole in the log of its own instance.
    // Lines before them were perhaps given to their instance.
    let own = std::slice::from_ref(life(case, run));
    let given = case.book.bytes_uncut(own) + case.book.bytes_given(run.life, shown);
    let of_one = case.book.bytes_between_restarts(run.life, shown);
    let counts = [case.book.bytes_uncut(joint), Book::bytes_whole(joint), given].into_iter().chain(of_one);
    counts.max() >= Some(limit)
}

/// The file of each missing line.
fn files<'c>(case: &Case<'c, '_>, run: &Run) -> impl Iterator<Item = usize> + Clone + 'c {
    life(case, run).lines()[run.lines.clone()].iter().map(|line| line.file)
}

fn was_rotated_before_it_was_opened(case: &Case<'_, '_>, run: &Run) -> bool {
    let life = life(case, run);
    let Some(last) = files(case, run).max().filter(|_| run.before.is_none()) else { return false };
    let Some(rotated) = life.instance.files[last].rotated else { return false };
    let shown = run.after.and_then(|after| case.book.shown_at(run.life, after)).unwrap_or(Duration::MAX);
    let opens = || case.reads.iter().filter(|read| !read.check && read.may_be_of(life));
    // A stream that was open before gave its lines, unless it broke, or was left in a black hole.
    let first = life.lines()[run.lines.start].at;
    let until = arrival(case.story, first) + way(case.story, first) + READ;
    // One that had fallen silent gave nothing, and is not looked at before it is due.
    let is_silent = |opened: Duration| {
        rotated <= looked_at(case, first) && silenced(life).any(|at| (opened..=first).contains(&at))
    };
    let is_given = opens().any(|read| {
        let lasts = read.ended.is_none_or(|(at, how)| at > until && how == Ended::Abandoned);
        read.follow && lasts && read.opened().is_some_and(|opened| opened < first && !is_silent(opened))
    });
    !is_given && opens().any(|read| read.opened().is_some_and(|opened| opened >= rotated && read.at <= shown))
}

/// Lines that were written as the file was renamed: its followers are on their way to the next one.
fn was_skipped_by_the_node(case: &Case<'_, '_>, run: &Run) -> bool {
    let life = life(case, run);
    life.lines()[run.lines.clone()].iter().all(|line| {
        let file = &life.instance.files[line.file];
        file.followers == Followers::Skip && file.rotated == Some(line.at) && is_followed(case, life, file)
    })
}

/// Of a follower that is two files behind the rest of its own is lost. One that is not blocked is never so late.
fn was_overtaken_while_blocked(case: &Case<'_, '_>, run: &Run) -> bool {
    let life = life(case, run);
    let (Some(last), Some(after), true) = (files(case, run).max(), run.after, run.before.is_some()) else {
        return false;
    };
    let (file, next) = (&life.instance.files[last], life.instance.files.get(last + 1));
    let (Some(rotated), Some(again)) = (file.rotated, next.and_then(|next| next.rotated)) else {
        return false;
    };
    let is_blocked = |read: &Read| {
        case.story.script.events.iter().any(|event| match &event.what {
            What::Fault(Fault::WillBreak { asked, how: Broken::Stalls, lasting, .. }) => {
                let lasts = event.at..=event.at + *lasting;
                is_asked_for(asked, life, read) && lasts.contains(&read.at) && lasts.contains(&again)
            }
            _ => false,
        })
    };
    let mut followers = case.reads.iter().filter(|read| read.follow && read.may_be_of(life));
    let is_open = |read: &Read| {
        read.opened().is_some_and(|opened| opened <= rotated)
            && read.ended.is_none_or(|(ended, _)| ended >= again)
    };
    file.followers == Followers::GoOn
        && life.lines()[after].file == last + 1
        && followers.any(|read| is_open(read) && is_blocked(read))
}

/// Whether a follower was open when this file was rotated.
fn is_followed(case: &Case<'_, '_>, life: &Life<'_>, file: &File) -> bool {
    let rotated = file.rotated.unwrap_or(Duration::MAX);
    let mut followers = case.reads.iter().filter(|read| read.follow && read.may_be_of(life));
    followers.any(|read| {
        read.opened().is_some_and(|opened| opened <= rotated)
            && read.ended.is_none_or(|(ended, _)| ended >= rotated)
    })
}

fn is_not_checked(case: &Case<'_, '_>, run: &Run) -> bool {
    !case.asked.checks && is_in_silence(case, run)
}

/// Whether a stream was open that had fallen silent before these lines were written. If no line follows, the first of
/// them may have been rotated away before it was opened.
fn is_in_silence(case: &Case<'_, '_>, run: &Run) -> bool {
    let life = life(case, run);
    let lines = &life.lines()[run.lines.clone()];
    let is_silent = |read: &Read, opened: Duration| {
        let is_there =
            |line: &&Line| life.instance.files[line.file].rotated.is_none_or(|rotated| rotated > opened);
        let first = lines.iter().find(|line| run.after.is_some() || is_there(line));
        let Some(first) = first.map(|line| line.at) else { return false };
        silenced(life).any(|silenced| (opened..=first).contains(&silenced))
            && read.ended.is_none_or(|(ended, _)| ended >= first)
    };
    let mut streams = case.reads.iter().filter(|read| read.follow && read.may_be_of(life));
    streams.any(|read| read.opened().is_some_and(|opened| is_silent(read, opened)))
}

/// When the followers of its log fell silent.
fn silenced<'l>(life: &'l Life<'_>) -> impl Iterator<Item = Duration> + 'l {
    let rotated = life.instance.files.iter().filter(|file| file.followers == Followers::FallSilent);
    rotated.filter_map(|file| file.rotated).chain(life.instance.silenced.iter().copied())
}

/// When a silent stream is looked at.
fn idle(case: &Case<'_, '_>) -> Duration {
    case.story.script.setting.idle_check.map_or(IDLE, |seconds| Duration::from_secs(seconds.into()))
}

/// When a stream that had fallen silent before this line is looked at last. In a black hole no look is answered, and the
/// next one comes as late as the first.
fn looked_at(case: &Case<'_, '_>, line: Duration) -> Duration {
    let idle = idle(case);
    case.story.script.events.iter().fold(line + idle, |due, event| match event.what {
        What::Fault(Fault::BlackHole(lasting)) if (event.at..event.at + lasting).contains(&due) => {
            event.at + lasting + idle
        }
        _ => due,
    })
}

/// By when the program knows that it has ended, or that its pod is being deleted.
pub fn end_or_deletion_told(case: &Case<'_, '_>, life: &Life<'_>) -> Duration {
    let place = &life.container.place;
    let mut pods = case.story.pods.iter();
    let pod = pods.find(|pod| pod.name == place.pod && pod.deleted == life.container.deleted);
    told(case.story, life.container, pod.and_then(|pod| pod.deleting)).min(life.end_told)
}

fn was_gone_before_a_check_was_due(case: &Case<'_, '_>, run: &Run) -> bool {
    let life = life(case, run);
    let first = life.lines()[run.lines.start].at;
    let Some(gone) = life.container.deleted.filter(|gone| life.gone() == Some(*gone)) else { return false };
    let told = end_or_deletion_told(case, life);
    // A look at the empty file behind theirs shows nothing, unless the container has ended.
    let ended = life.instance.ended.unwrap_or(gone);
    let is_read = case.reads.iter().any(|read| {
        let from = if read.check { ended } else { first };
        read.opened().is_some_and(|opened| (from..=gone).contains(&opened))
    });
    let lost = rotated_with_nothing_behind(case, run).filter(|_| !is_read).map_or(gone, |at| at.min(gone));
    let mut reads = case.reads.iter().filter_map(Read::opened);
    run.after.is_none()
        && is_in_silence(case, run)
        && (lost <= first + idle(case) && lost <= told)
        && !reads.any(|opened| (first..=lost).contains(&opened))
}

/// The log of a pod that does not meet the condition is not read, and goes on where it was once the pod meets it again.
fn was_left_before_a_check_was_due(case: &Case<'_, '_>, run: &Run) -> bool {
    let life = life(case, run);
    let first = life.lines()[run.lines.start].at;
    let Some((left, false)) = life.container.meets.last().copied() else { return false };
    if life.gone().is_some_and(|gone| gone < left) {
        return false;
    }
    let told = end_or_deletion_told(case, life);
    let mut reads = case.reads.iter().filter(|read| read.may_be_of(life)).filter_map(Read::opened);
    run.after.is_none()
        && is_in_silence(case, run)
        && (first..=first + idle(case)).contains(&left)
        && left <= told
        // An answer that was opened just before need not have been read by then.
        && !reads.any(|opened| first <= opened && opened + SOON <= left)
}

/// The lines that were shown last are also the first ones of the next file: who asks for the log again takes them for
/// the same. Which of them were shown is open: those of the next file, if the log was opened behind its first ones.
fn is_between_the_same(case: &Case<'_, '_>, run: &Run) -> bool {
    let (life, Range { start, end }) = (life(case, run), run.lines.clone());
    let lines = life.lines();
    let are_alike = |a: usize, b: usize| lines[a].stamp == lines[b].stamp && lines[a].text == lines[b].text;
    if run.before.is_none() || run.after.is_none() {
        return false;
    }
    let begins = |line: &usize| lines[*line].file > lines[*line - 1].file;
    let Some(begin) = (start + 1..=end).find(begins) else { return false };
    let count = end - begin;
    let is_same = match count {
        0 => are_alike(start, end),
        count => count <= start && (1..=count).all(|back| are_alike(start - back, end - back)),
    };
    let opened = life.instance.files[lines[begin].file].opened;
    let shown = case.book.shown_at(run.life, if count == 0 { end } else { start - 1 });
    let mut opens =
        case.reads.iter().filter(|read| !read.check && read.may_be_of(life)).filter_map(Read::opened);
    let is_opened_late = || {
        let lines = start - count..begin;
        let (before, after) = (life.neighbours(lines.start).0, Some(lines.start));
        count > 0 && was_rotated_before_it_was_opened(case, &Run { lines, before, after, ..run.clone() })
    };
    is_same && (opens.any(|at| at >= opened && shown.is_some_and(|shown| shown <= at)) || is_opened_late())
}

fn has_nothing_behind(case: &Case<'_, '_>, run: &Run) -> bool {
    life(case, run).instance.ended.is_none() && rotated_with_nothing_behind(case, run).is_some()
}

/// When these lines were rotated away, if no line follows them.
fn rotated_with_nothing_behind(case: &Case<'_, '_>, run: &Run) -> Option<Duration> {
    let life = life(case, run);
    let last = files(case, run).max().filter(|_| run.after.is_none())?;
    let has_later = life.lines().last().is_some_and(|line| line.file > last);
    life.instance.files[last].rotated.filter(|_| !has_later)
}

fn is_not_confirmed(case: &Case<'_, '_>, run: &Run) -> bool {
    let life = life(case, run);
    let mut reads = case.reads.iter().filter(|read| read.may_be_of(life) && !read.check);
    let node = &life.container.node;
    let is_left = |at: Duration| {
        case.story.script.events.iter().any(|event| match &event.what {
            What::Fault(Fault::KubeletAway(away, _)) => {
                away == node && (event.at..=event.at + READ).contains(&at)
            }
            _ => false,
        })
    };
    let looks_complete = |read: &Read| {
        let at = read.ended.filter(|(_, how)| *how == Ended::Complete).map(|(at, _)| at);
        is_cut_short(case, life, read) || at.is_some_and(is_left)
    };
    !case.asked.confirms && run.after.is_none() && reads.any(looks_complete)
}

fn was_gone_before_it_was_checked(case: &Case<'_, '_>, run: &Run) -> bool {
    let life = life(case, run);
    let gone = life.gone().unwrap_or(Duration::MAX);
    let reads = || case.reads.iter().filter(|read| read.may_be_of(life) && !read.check);
    let is_cut = reads().any(|read| {
        let cut = read.ended.filter(|(_, how)| *how == Ended::Complete).map(|(at, _)| at);
        let Some((opened, at)) = read.opened().zip(cut) else { return false };
        let pause = if at - opened < STEADY { PAUSE } else { SOON };
        // A refusal tells that something is in doubt; that there is no previous log says nothing of this one.
        let mut later =
            reads().filter_map(|read| read.answered.filter(|(_, status)| !read.previous || *status != 400));
        (is_cut_short(case, life, read) || is_left_by_kubelet(case, life, at))
            && gone <= asked_again(case, at, pause)
            && !later.any(|(later, _)| at < later && later <= gone)
    });
    run.after.is_none() && is_cut
}

/// Which of the lines were shown is open.
fn was_cut_among_the_same(case: &Case<'_, '_>, run: &Run) -> bool {
    let life = life(case, run);
    let lines = life.lines();
    let are_alike = |a: usize, b: usize| lines[a].stamp == lines[b].stamp && lines[a].text == lines[b].text;
    let (Range { start, end }, Some(shown)) = (run.lines.clone(), run.before.or(run.after)) else {
        return false;
    };
    let last = life.shown.iter().rposition(Option::is_some);
    let mut up_to_the_last = start.min(shown)..=last.unwrap_or_default().max(end - 1);
    // The line behind which the answer was cut is like the last one of the log, whichever of the two was shown.
    let at_the_last = match lines.len() {
        len if end == len => start.checked_sub(1).is_some_and(|cut| are_alike(cut, end - 1)),
        len => end + 1 == len && are_alike(start, end),
    };
    let is_alike = at_the_last || up_to_the_last.all(|line| are_alike(line, shown));
    let mut reads = case.reads.iter().filter(|read| read.may_be_of(life) && !read.check);
    is_alike && reads.any(|read| is_cut_short(case, life, read))
}

/// Whether a fault ended this answer as if it were complete.
pub fn is_cut_short(case: &Case<'_, '_>, life: &Life<'_>, read: &Read) -> bool {
    let mut events = case.story.script.events.iter();
    events.any(|event| {
        let (asked, from, until) = match &event.what {
            What::Fault(Fault::Breaks(asked, Broken::Ends)) => (asked, Duration::ZERO, event.at),
            What::Fault(Fault::WillBreak { asked, how: Broken::Ends, lasting, .. }) => {
                (asked, event.at, event.at + *lasting)
            }
            _ => return false,
        };
        let is_asked = is_asked_for(asked, life, read);
        let is_its_end = read.ended.is_some_and(|(at, how)| at >= event.at && how == Ended::Complete);
        is_asked && is_its_end && (from..=until).contains(&read.at)
    })
}

/// Whether a fault is about such a request for this log.
fn is_asked_for(asked: &Asks, life: &Life<'_>, read: &Read) -> bool {
    let pod = &life.container.place.pod;
    match asked {
        Asks::Logs(of) => of == pod,
        Asks::Followed(of) => of == pod && read.follow,
        Asks::AllLogs | Asks::All => true,
        Asks::Watches | Asks::Lists => false,
    }
}

/// Whether the kubelet went away as this answer ended, and no request for another log of its node found that out.
fn is_left_by_kubelet(case: &Case<'_, '_>, life: &Life<'_>, ended: Duration) -> bool {
    let node = &life.container.node;
    let is_of_node = |path: &str| {
        let mut containers = case.story.containers.iter().filter(|container| container.node == *node);
        containers.any(|Container { namespace, place, .. }| {
            path.ends_with(&format!("/namespaces/{namespace}/pods/{}/log", place.pod))
        })
    };
    case.story.script.events.iter().any(|event| {
        let What::Fault(Fault::KubeletAway(away, lasting)) = &event.what else { return false };
        let mut requests = case.story.requests.iter().filter(|request| request.kind == Kind::Log);
        let found_out = requests.any(|request| {
            let refused = request.answered.filter(|(_, status)| *status == 500).map(|(at, _)| at);
            refused.is_some_and(|at| (event.at..=event.at + *lasting).contains(&at))
                && is_of_node(&request.path)
        });
        away == node && (event.at..=event.at + READ).contains(&ended) && !found_out
    })
}

/// When a log is asked for again at last of which an answer ended then: in a black hole nobody learns that it is out of
/// reach.
fn asked_again(case: &Case<'_, '_>, ended: Duration, pause: Duration) -> Duration {
    case.story.script.events.iter().fold(ended + pause, |due, event| match event.what {
        What::Fault(Fault::BlackHole(lasting)) if event.at <= due => due.max(event.at + lasting + pause),
        _ => due,
    })
}

fn was_instance_never_known(case: &Case<'_, '_>, run: &Run) -> bool {
    let life = life(case, run);
    let is_found = case.reads.iter().any(|read| read.opened().is_some() && read.may_be_of(life));
    let gone = [life.instance.forgotten, life.container.deleted].into_iter().flatten().min();
    let (Some(known), gone) = (life.instance.known, gone.unwrap_or(Duration::MAX)) else { return !is_found };
    let mut pods = case.story.requests.iter();
    // A watch that begins later tells what it missed.
    let first = pods.find(|request| tells(case.story, request, life.container, known).is_some());
    let is_told = first.is_some_and(|first| first.kind == Kind::Watch || may_hold(first, gone));
    !is_found && !is_told
}

fn was_never_known(case: &Case<'_, '_>, run: &Run) -> bool {
    let container = life(case, run).container;
    let known = container.instances.iter().filter_map(|instance| instance.known).min();
    let Some(known) = known else { return true };
    let gone = container.deleted.unwrap_or(Duration::MAX);
    // A question for the pod that had its name before says only that this one is another.
    let others = &case.book.lives[..run.life];
    let is_another = others.iter().any(|other| !std::ptr::eq(other.container, container));
    // One that is asked about another container tells nothing of this one, of which there is no tail.
    let is_about_others = is_another || case.reads.is_empty();
    let is_question = |request: &Request| is_about_others && request.query("fieldSelector").is_some();
    let mut pods =
        case.story.requests.iter().filter(|request| may_hold(request, gone) && !is_question(request));
    !pods.any(|request| tells(case.story, request, container, known).is_some())
}
