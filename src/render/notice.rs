//! Notices as lines for standard error.

use jiff::Timestamp;

use super::color::{Palette, Style};
use crate::{
    batch::{EndReason, Ended, Gap, Instant},
    notice::Notice,
    origin::PodInfo,
    plan::Display,
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

    pub fn write(&self, notice: &Notice, out: &mut Vec<u8>) {
        let always = !matches!(
            notice,
            Notice::Started(_)
                | Notice::Ended(..)
                | Notice::Waiting { .. }
                | Notice::Failed { .. }
                | Notice::Info(_)
        );
        if self.only_log_lines && !always {
            return;
        }
        let (style, sign) = match notice {
            Notice::Started(_) => (&self.started, "+"),
            Notice::Ended(..) => (&self.ended, "-"),
            Notice::Waiting { .. }
            | Notice::Failed { .. }
            | Notice::About(..)
            | Notice::Gap(..)
            | Notice::Warning(_)
            | Notice::Common(_) => (&self.warning, "!"),
            Notice::Info(_) | Notice::Trace(_) => (&self.info, "·"),
        };
        style.paint(sign, out);
        out.push(b' ');
        match notice {
            Notice::Started(origin) => {
                self.names(&origin.pod, Some(&origin.container), out);
            }
            Notice::Ended(origin, ended) => {
                self.names(&origin.pod, Some(&origin.container), out);
                words(&why(ended), out);
            }
            Notice::Waiting { pod, container, reason } => {
                self.names(pod, container.as_deref(), out);
                out.extend_from_slice(b" waits: ");
                words(reason, out);
            }
            Notice::Failed { pod, reason } => {
                self.names(pod, None, out);
                out.extend_from_slice(b" failed: ");
                words(reason, out);
            }
            Notice::About(origin, text) => {
                self.names(&origin.pod, Some(&origin.container), out);
                out.extend_from_slice(b": ");
                words(text, out);
            }
            Notice::Gap(origin, gap) => {
                self.names(&origin.pod, Some(&origin.container), out);
                words(&missing(*gap), out);
            }
            Notice::Info(text) | Notice::Warning(text) | Notice::Common(text) | Notice::Trace(text) => {
                words(text, out);
            }
        }
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

/// Why a container ended, where that is known: ` (OOMKilled, exit 137, restart 4)`.
fn why(ended: &Ended) -> String {
    let EndReason::Terminated(ending) = &ended.reason else { return String::new() };
    let mut words = Vec::new();
    words.extend((!ending.reason.is_empty()).then(|| ending.reason.clone()));
    words.extend(ending.exit_code.map(|code| format!("exit {code}")));
    if words.is_empty() {
        return String::new();
    }
    words.extend((ended.restart_count > 0).then(|| format!("restart {}", ended.restart_count)));
    format!(" ({})", words.join(", "))
}

/// Of which lines it is not known whether there were more, and why.
fn missing(gap: Gap) -> String {
    let text = |instant: Option<Instant>| {
        let time = instant.and_then(|instant| Timestamp::from_nanosecond(instant.0.into()).ok());
        time.map_or("an unknown time".to_owned(), |time| format!("{time:.9}"))
    };
    match gap {
        Gap::Unchecked(None) | Gap::Behind(None) => {
            ": lines may be missing: the log was gone before it could be read".to_owned()
        }
        Gap::Unchecked(last) => format!(
            ": the node removed this log before its end could be checked; the last line shown is from {}",
            text(last)
        ),
        Gap::Behind(after) => {
            format!(": lines may be missing after {}: the rest of the log could not be read", text(after))
        }
        Gap::Between(after, before) => {
            format!(": lines may be missing between {} and {}", text(after), text(before))
        }
    }
}

/// Text that may come from the cluster: kept to one line and from steering the terminal.
fn words(text: &str, out: &mut Vec<u8>) {
    for c in text.trim_end().chars() {
        let shown = match c {
            c if !steers_terminal(c) => c,
            c if c.is_whitespace() => ' ',
            _ => char::REPLACEMENT_CHARACTER,
        };
        out.extend_from_slice(shown.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Control characters, line separators, and what turns the direction of writing.
fn steers_terminal(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        batch::EndReason,
        instance::Ending,
        origin::Origin,
        render::testing::{display, origin},
    };

    fn line(display: Display, notice: Notice) -> String {
        let mut out = Vec::new();
        Notices::new(&display).write(&notice, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn web() -> Arc<Origin> {
        origin("default", "web-7d9c5b8f6-abcde", "app")
    }

    fn waiting(reason: &str) -> Notice {
        Notice::Waiting {
            pod: origin("default", "web", "app").pod.clone(),
            container: Some("app".into()),
            reason: reason.into(),
        }
    }

    #[test]
    fn a_container_that_ended_is_said_to_have_ended_with_why() {
        let ending = Ending { reason: "OOMKilled".into(), exit_code: Some(137), ..Ending::default() };
        let notice = Notice::Ended(Arc::new(named()), ended(EndReason::Terminated(ending), 4));
        assert_eq!(line(display(), notice), "- web › app (OOMKilled, exit 137, restart 4)\n");
    }

    fn ended(reason: EndReason, restart_count: u32) -> Ended {
        Ended { reason, complete: true, restart_count }
    }

    fn named() -> Origin {
        let pod = origin("default", "web", "app").pod.clone();
        Origin { pod, container: "app".into(), ..Origin::default() }
    }

    /// One of each, and its line in black and white.
    fn each() -> [(Notice, &'static str); 8] {
        [
            (Notice::Started(web()), "+ web-7d9c5b8f6-abcde › app\n"),
            (Notice::Ended(web(), ended(EndReason::Deleted, 0)), "- web-7d9c5b8f6-abcde › app\n"),
            (waiting("ImagePullBackOff"), "! web › app waits: ImagePullBackOff\n"),
            (
                Notice::Waiting { pod: named().pod, container: None, reason: "Unschedulable".into() },
                "! web waits: Unschedulable\n",
            ),
            (Notice::Failed { pod: named().pod, reason: "Evicted".into() }, "! web failed: Evicted\n"),
            (Notice::Info("2 of 3".into()), "· 2 of 3\n"),
            (Notice::About(web(), "403".into()), "! web-7d9c5b8f6-abcde › app: 403\n"),
            (Notice::Warning("no watch".into()), "! no watch\n"),
        ]
    }

    #[test]
    fn every_notice_is_one_line() {
        for (notice, expected) in each() {
            assert_eq!(line(display(), notice), expected);
        }
    }

    #[test]
    fn only_log_lines_leaves_what_went_wrong() {
        let quiet = || Display { only_log_lines: true, ..display() };
        let shown: String = each().into_iter().map(|(notice, _)| line(quiet(), notice)).collect();
        assert_eq!(shown, "! web-7d9c5b8f6-abcde › app: 403\n! no watch\n");
    }

    #[test]
    fn the_namespace_comes_first_where_there_are_several() {
        let several = || Display { namespace_in_prefix: true, ..display() };
        assert_eq!(line(several(), Notice::Started(web())), "+ default web-7d9c5b8f6-abcde › app\n");
        assert_eq!(line(several(), waiting("x")), "! default web › app waits: x\n");
    }

    #[test]
    fn colours_are_those_of_the_lines() {
        let color = || Display { color_stderr: true, ..display() };
        assert_eq!(
            line(color(), Notice::Started(web())),
            "\x1b[92;1m+\x1b[0;22m \x1b[96mweb-7d9c5b8f6-abcde\x1b[0m › \x1b[36mapp\x1b[0m\n"
        );
        assert_eq!(
            line(color(), Notice::Ended(web(), ended(EndReason::Finished, 0))),
            "\x1b[91;1m-\x1b[0;22m \x1b[96mweb-7d9c5b8f6-abcde\x1b[0m › \x1b[36mapp\x1b[0m\n"
        );
    }

    #[test]
    fn what_the_cluster_says_cannot_steer_the_terminal() {
        for (said, shown) in [
            ("two\nlines\r\n", "two lines"),
            ("\x1b[2Jgone", "\u{fffd}[2Jgone"),
            ("bell\x07 \u{9b}31m", "bell\u{fffd} \u{fffd}31m"),
            ("turned\u{202e}round\u{2028}next", "turned\u{fffd}round next"),
            ("유니코드 ✓", "유니코드 ✓"),
        ] {
            assert_eq!(line(display(), Notice::Warning(said.into())), format!("! {shown}\n"));
        }
    }
}
