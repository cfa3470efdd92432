//! Notices as lines for standard error.

use jiff::{
    Timestamp,
    fmt::friendly::{Spacing, SpanPrinter},
};

use super::color::{Palette, Style};
use crate::{
    event::{Closed, Ending, Gap, Instant, Reason, Restart},
    notice::{Kind, Notice, Scope},
    origin::{Origin, PodInfo},
    plan::Display,
    shown,
};

pub struct Notices {
    palette: Palette,
    started: Style,
    ended: Style,
    warning: Style,
    info: Style,
    namespace: bool,
    only_log_lines: bool,
}

impl Notices {
    pub fn new(display: &Display) -> Notices {
        let color = display.color_stderr;
        Notices {
            palette: Palette::new(display, color),
            started: Style::sgr_if(color, "92;1"),
            ended: Style::sgr_if(color, "91;1"),
            warning: Style::sgr_if(color, "93;1"),
            info: Style::sgr_if(color, "2"),
            namespace: display.namespace_in_prefix,
            only_log_lines: display.only_log_lines,
        }
    }

    /// `+ pod › container`, `── pod › container restarted: reason ──`
    pub fn opened(&self, origin: &Origin, restart: Option<&Restart>, out: &mut Vec<u8>) {
        match restart {
            None => self.life((&self.started, "+"), origin, "", out),
            Some(restart) => self.marker(origin, restart, out),
        }
    }

    /// The border between two instances of a container.
    fn marker(&self, origin: &Origin, restart: &Restart, out: &mut Vec<u8>) {
        if self.only_log_lines || !origin.is_named() {
            return;
        }
        begin((&self.started, RULE), out);
        self.names(&origin.pod, Some(&origin.container), out);
        out.push(b' ');
        words(&restarted(restart), out);
        out.push(b' ');
        self.started.paint(RULE, out);
        out.push(b'\n');
    }

    /// `- pod › container (reason)`
    pub fn closed(&self, origin: &Origin, closed: &Closed, out: &mut Vec<u8>) {
        if !closed.opened {
            return;
        }
        self.life((&self.ended, "-"), origin, &reason(closed), out);
    }

    fn life(&self, sign: (&Style, &str), origin: &Origin, reason: &str, out: &mut Vec<u8>) {
        if self.only_log_lines || !origin.is_named() {
            return;
        }
        begin(sign, out);
        self.names(&origin.pod, Some(&origin.container), out);
        if !reason.is_empty() {
            out.push(b' ');
            words(reason, out);
        }
        out.push(b'\n');
    }

    /// `! pod › container: lines may be missing …`
    pub fn gap(&self, origin: &Origin, gap: Gap, out: &mut Vec<u8>) {
        begin((&self.warning, "!"), out);
        self.names(&origin.pod, Some(&origin.container), out);
        out.extend_from_slice(b": ");
        words(&missing(gap), out);
        out.push(b'\n');
    }

    /// `! text`, `! pod › container: text`, `! pod waits: text`
    pub fn write(&self, notice: &Notice, out: &mut Vec<u8>) {
        let can_be_hidden = matches!(notice.kind, Kind::Info | Kind::Waiting | Kind::Failed);
        if self.only_log_lines && can_be_hidden {
            return;
        }
        let sign = match notice.kind {
            Kind::Info | Kind::Trace => (&self.info, "·"),
            Kind::Waiting | Kind::Failed | Kind::Warning | Kind::Loss | Kind::Common => (&self.warning, "!"),
        };
        begin(sign, out);
        let named = match &notice.scope {
            Scope::Run | Scope::Cluster => None,
            Scope::Pod(pod) => Some((pod, None)),
            Scope::Origin(origin) => Some((&origin.pod, Some(origin.container.as_str()))),
        };
        if let Some((pod, container)) = named {
            self.names(pod, container, out);
            out.extend_from_slice(match notice.kind {
                Kind::Waiting => b" waits: ",
                Kind::Failed => b" failed: ",
                _ => b": ",
            });
        }
        words(&notice.text, out);
        out.push(b'\n');
    }

    /// `[namespace ]pod[ › container]`
    fn names(&self, pod: &PodInfo, container: Option<&str>, out: &mut Vec<u8>) {
        let (pod_style, container_style) = self.palette.of(&pod.name, container.unwrap_or_default());
        if self.namespace {
            pod_style.paint(&pod.namespace, out);
            out.push(b' ');
        }
        pod_style.paint(&pod.name, out);
        if let Some(container) = container {
            out.extend_from_slice(" › ".as_bytes());
            container_style.paint(container, out);
        }
    }
}

/// On both sides of a marker.
const RULE: &str = "──";

/// `restarted: OOMKilled, exit 137, ran 4m12s`, as far as known.
pub fn restarted(Restart { ending, ran, skipped, lines_since }: &Restart) -> String {
    let mut facts = facts(ending);
    let duration = SpanPrinter::new().spacing(Spacing::None);
    facts.extend(ran.map(|ran| format!("ran {}", duration.duration_to_string(&ran))));
    let mut text = "restarted".to_owned();
    if !facts.is_empty() {
        text += &format!(": {}", facts.join(", "));
    }
    match skipped {
        0 => {}
        1 => text += "; 1 instance in between is not shown",
        skipped => text += &format!("; {skipped} instances in between are not shown"),
    }
    if let Some(since) = lines_since {
        text += &format!("; the lines above from {} on were written after it", time(Some(*since)));
    }
    text
}

fn begin((style, sign): (&Style, &str), out: &mut Vec<u8>) {
    style.paint(sign, out);
    out.push(b' ');
}

/// The reason why a container ended, if known: `(OOMKilled, exit 137, restart 4)`.
fn reason(closed: &Closed) -> String {
    let Reason::Terminated(ending) = &closed.reason else { return String::new() };
    let mut words = facts(ending);
    if words.is_empty() {
        return String::new();
    }
    words.extend((closed.restart_count > 0).then(|| format!("restart {}", closed.restart_count)));
    format!("({})", words.join(", "))
}

/// `OOMKilled`, `exit 137`
fn facts(ending: &Ending) -> Vec<String> {
    let reason = Some(&ending.reason).filter(|reason| !reason.is_empty()).cloned();
    let exit_code = ending.exit_code.map(|code| format!("exit {code}"));
    reason.into_iter().chain(exit_code).collect()
}

fn time(instant: Option<Instant>) -> String {
    let time = instant.and_then(|instant| Timestamp::from_nanosecond(instant.0.into()).ok());
    time.map_or("an unknown time".to_owned(), |time| format!("{time:.9}"))
}

/// Names the lines that may be missing, and the reason.
pub fn missing(gap: Gap) -> String {
    let text = time;
    match gap {
        Gap::Unchecked(None) => {
            "lines may be missing: the log was removed before it could be read".to_owned()
        }
        Gap::Unchecked(last) => format!(
            "the node removed this log before its end could be checked; the last line shown is from {}",
            text(last)
        ),
        Gap::Behind(None) => "lines may be missing: the end of the log could not be read".to_owned(),
        Gap::Behind(after) => {
            format!("lines may be missing after {}: the rest of the log could not be read", text(after))
        }
        Gap::Between(None, None) => "lines may be missing here, or repeated".to_owned(),
        Gap::Between(after, before) => {
            format!("lines may be missing between {} and {}", text(after), text(before))
        }
    }
}

/// Text that may come from the cluster: reduced to one line without control sequences.
fn words(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(shown::one_line(text, 4 * shown::LONGEST).as_bytes());
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use jiff::SignedDuration;

    use crate::render::testing::{display, origin};

    fn line(display: Display, notice: &Notice) -> String {
        written(display, |notices, out| notices.write(notice, out))
    }

    fn written(display: Display, write: impl FnOnce(&Notices, &mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&Notices::new(&display), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn web() -> Arc<Origin> {
        origin("default", "web-7d9c5b8f6-abcde", "app")
    }

    fn closed(reason: Reason, restart_count: u32) -> Closed {
        Closed { reason, opened: true, complete: true, restart_count }
    }

    #[test]
    fn a_container_that_ended_is_reported_with_the_reason() {
        let ending = Ending { reason: "OOMKilled".into(), exit_code: Some(137), ..Ending::default() };
        let closed = closed(Reason::Terminated(ending), 4);
        let line = written(display(), |notices, out| notices.closed(&web(), &closed, out));
        assert_eq!(line, "- web-7d9c5b8f6-abcde › app (OOMKilled, exit 137, restart 4)\n");
    }

    #[test]
    fn a_marker_says_what_is_known_of_the_restart() {
        let ending = Ending { reason: "OOMKilled".into(), exit_code: Some(137), ..Ending::default() };
        let killed = Restart { ending, ran: Some(SignedDuration::from_secs(252)), ..Restart::default() };
        let line =
            |restart: &Restart| written(display(), |notices, out| notices.opened(&web(), Some(restart), out));
        let shown = line(&killed);
        assert_eq!(shown, "── web-7d9c5b8f6-abcde › app restarted: OOMKilled, exit 137, ran 4m12s ──\n");
        assert_eq!(line(&Restart::default()), "── web-7d9c5b8f6-abcde › app restarted ──\n");
        let ran = |seconds| Restart { ran: Some(SignedDuration::from_secs(seconds)), ..Restart::default() };
        assert_eq!(restarted(&ran(0)), "restarted: ran 0s");
        assert_eq!(restarted(&ran(93_784)), "restarted: ran 26h3m4s");
        let quiet = Display { only_log_lines: true, ..display() };
        assert_eq!(written(quiet, |notices, out| notices.opened(&web(), Some(&killed), out)), "");
    }

    #[test]
    fn a_marker_says_what_it_cannot_stand_between() {
        let skipped = |skipped| restarted(&Restart { skipped, ..Restart::default() });
        assert_eq!(skipped(1), "restarted; 1 instance in between is not shown");
        assert_eq!(skipped(2), "restarted; 2 instances in between are not shown");
        let late = Restart { lines_since: Some(Instant(1_000_000_000)), ..Restart::default() };
        assert_eq!(
            restarted(&late),
            "restarted; the lines above from 1970-01-01T00:00:01.000000000Z on were written after it"
        );
    }

    #[test]
    fn an_origin_without_names_begins_and_ends_in_silence() {
        let nothing = written(display(), |notices, out| {
            notices.opened(&Origin::stdin(), None, out);
            notices.closed(&Origin::stdin(), &closed(Reason::Finished, 0), out);
        });
        assert_eq!(nothing, "");
    }

    /// One notice of each kind, with its line in black and white.
    fn each() -> [(Notice, &'static str); 7] {
        let app = || Scope::Origin(origin("default", "web", "app"));
        let pod = || Scope::Pod(web().pod.clone());
        [
            (app().notice(Kind::Waiting, "ImagePullBackOff"), "! web › app waits: ImagePullBackOff\n"),
            (pod().notice(Kind::Waiting, "Unschedulable"), "! web-7d9c5b8f6-abcde waits: Unschedulable\n"),
            (pod().notice(Kind::Failed, "Evicted"), "! web-7d9c5b8f6-abcde failed: Evicted\n"),
            (Scope::Run.info("2 of 3"), "· 2 of 3\n"),
            (app().warning("403"), "! web › app: 403\n"),
            (Scope::Cluster.warning("no watch"), "! no watch\n"),
            (Scope::Cluster.notice(Kind::Common, "401"), "! 401\n"),
        ]
    }

    #[test]
    fn every_notice_is_one_line() {
        for (notice, expected) in each() {
            assert_eq!(line(display(), &notice), expected);
        }
    }

    #[test]
    fn only_log_lines_leaves_what_went_wrong() {
        let quiet = || Display { only_log_lines: true, ..display() };
        let shown: String = each().iter().map(|(notice, _)| line(quiet(), notice)).collect();
        assert_eq!(shown, "! web › app: 403\n! no watch\n! 401\n");
        assert_eq!(written(quiet(), |notices, out| notices.opened(&web(), None, out)), "");
        let gap = written(quiet(), |notices, out| notices.gap(&web(), Gap::Behind(None), out));
        assert!(gap.starts_with("! web-7d9c5b8f6-abcde › app: lines may be missing"), "{gap}");
    }

    #[test]
    fn the_namespace_comes_first_where_there_are_several() {
        let several = || Display { namespace_in_prefix: true, ..display() };
        let started = written(several(), |notices, out| notices.opened(&web(), None, out));
        assert_eq!(started, "+ default web-7d9c5b8f6-abcde › app\n");
        let warning = Scope::Origin(web()).warning("x");
        assert_eq!(line(several(), &warning), "! default web-7d9c5b8f6-abcde › app: x\n");
    }

    #[test]
    fn colours_are_those_of_the_lines() {
        let color = || Display { color_stderr: true, ..display() };
        assert_eq!(
            written(color(), |notices, out| notices.opened(&web(), None, out)),
            "\x1b[92;1m+\x1b[0;22m \x1b[96mweb-7d9c5b8f6-abcde\x1b[0m › \x1b[36mapp\x1b[0m\n"
        );
        assert_eq!(
            written(color(), |notices, out| notices.closed(&web(), &closed(Reason::Finished, 0), out)),
            "\x1b[91;1m-\x1b[0;22m \x1b[96mweb-7d9c5b8f6-abcde\x1b[0m › \x1b[36mapp\x1b[0m\n"
        );
    }

    #[test]
    fn texts_of_the_cluster_cannot_control_the_terminal() {
        for (given, shown) in [
            ("two\nlines\r\n", "two lines"),
            ("\x1b[2Jgone", "[2Jgone"),
            ("bell\x07 \u{9b}31m", "bell 31m"),
            ("turned\u{202e}round\u{2028}next", "turned\u{fffd}round next"),
            ("유니코드 ✓", "유니코드 ✓"),
        ] {
            assert_eq!(line(display(), &Scope::Run.warning(given)), format!("! {shown}\n"));
        }
    }
}
