//! Turns the lines of a batch into bytes, and notices into lines for standard error.

mod color;
mod default;
mod extjson;
#[cfg(fuzzing)]
pub mod fuzz;
mod highlight;
mod json;
mod markers;
mod notice;
mod ppextjson;
mod pretty;
mod raw;
mod template;
mod timestamp;

#[cfg(any(test, fuzzing))]
pub mod testing;

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::FixedState;

use crate::{
    event::{Batch, Closed, Instant, Item, Line, Restart, Stretch},
    notice::{Notice, Scope},
    origin::Origin,
    plan::{Display, Format as Name},
    shown,
};
use color::Palette;
use default::Prefixed;
use extjson::ExtJson;
use json::Json;
use markers::Markers;
use notice::Notices;
pub use notice::{missing, restarted};
use ppextjson::PpExtJson;
use pretty::Pretty;
use raw::Raw;
use template::Templated;

/// One output format.
trait Format: Send {
    /// The beginning and the end of every line of `origin`.
    fn frame(&self, origin: &Origin) -> Frame;

    /// Writes the part that differs between lines.
    fn body(&mut self, time: Option<Instant>, message: &[u8], out: &mut Vec<u8>);

    /// Reports that lines between two instants may be missing, if the format has a place for it.
    fn gap(&self, _: &Frame, _: [Option<Instant>; 2], _: &mut Vec<u8>) {}

    /// Marks that lines are left out, if the format has a mark for it.
    fn separator(&self, _: &Frame, _: &mut Vec<u8>) {}

    /// The lines of the last batch that could not be shown in this format.
    fn failed(&mut self) -> Option<Failed> {
        None
    }

    /// Whether matches stayed unmarked since this was last asked.
    fn unmarked(&mut self) -> bool {
        false
    }

    /// Something else was written behind the last line.
    fn interrupted(&mut self) {}

    /// No more lines of this origin come.
    fn forget(&mut self, _: &Origin) {}

    /// The lines of a stretch. Provided here so that each format gets its own copy: one virtual call for each stretch
    /// instead of each line.
    fn lines(&mut self, frame: &Frame, stretch: Stretch<'_>, out: &mut Vec<u8>) {
        for item in stretch.items {
            match item {
                Item::Line(line) => {
                    out.extend_from_slice(&frame.head);
                    self.body(line.time, stretch.message(line), out);
                    out.extend_from_slice(&frame.tail);
                }
                Item::Gap(gap) => self.gap(frame, gap.bounds(), out),
                Item::Separator => self.separator(frame, out),
            }
        }
    }
}

/// The bytes around each line of one origin.
#[derive(Default)]
struct Frame {
    head: Vec<u8>,
    tail: Vec<u8>,
}

/// Lines that could not be shown in the format.
struct Failed {
    lines: u64,
    /// The reason for the first one.
    reason: String,
    /// What became of them: `shown raw`.
    became: &'static str,
    /// Whether they make the run incomplete.
    counts: bool,
}

/// What is kept of an origin until it is closed.
struct Kept {
    /// Its address is the key; this keeps it from being reused.
    origin: Arc<Origin>,
    frame: Frame,
    failed: Option<Failed>,
    /// Whether it was reported that matches stayed unmarked.
    unmarked: bool,
}

impl Kept {
    fn names(&self) -> [&str; 3] {
        let Origin { pod, container, .. } = &*self.origin;
        [&pod.namespace, &pod.name, container]
    }

    /// The number of its lines that could not be shown. The first one was reported.
    fn count(&self) -> Option<Notice> {
        let Failed { lines, became, .. } = self.failed.as_ref().filter(|failed| failed.lines > 1)?;
        let text = format!("expanding template failed on {lines} lines, which are {became}");
        Some(Scope::of(&self.origin).warning(text))
    }
}

pub struct Renderer {
    format: Box<dyn Format>,
    /// By the origin's address.
    kept: HashMap<usize, Kept, FixedState>,
    /// Whether all lines were shown in the format.
    whole: bool,
    markers: Option<Markers>,
    /// Whether each line of a message is shown as a line.
    splits: bool,
    /// The lines of a stretch of messages.
    split: Vec<Item>,
    /// Whether the last line has no end.
    is_within_line: bool,
    notices: Notices,
}

impl Renderer {
    /// Err: the fault in the template.
    pub fn new(display: &Display) -> Result<Renderer, String> {
        let color = display.color_stdout;
        // A template may use colours explicitly.
        let color = color || display.template.is_some();
        let palette = Palette::new(display, color);
        let notices = Notices::new(display);
        let format: Box<dyn Format> = match (&display.template, display.format) {
            (Some(template), _) => Box::new(Templated::new(template, display, palette)?),
            (None, Name::Default) => Box::new(Prefixed::new(display, palette)),
            (None, Name::Pretty) => Box::new(Pretty::new(display, palette)),
            (None, Name::Raw) => Box::new(Raw::new(display)),
            (None, Name::Json) => Box::new(Json::new(display)),
            (None, Name::Extjson) => Box::new(ExtJson::new(display, palette)),
            (None, Name::Ppextjson) => Box::new(PpExtJson(ExtJson::new(display, palette))),
        };
        let markers = Markers::new(display);
        Ok(Renderer {
            format,
            kept: HashMap::default(),
            whole: true,
            markers,
            splits: display.joined && display.is_text(),
            split: Vec::new(),
            is_within_line: false,
            notices,
        })
    }

    /// Appends the lines of `batch` to `out`. Returns a notice if that fails for the first time in this origin.
    pub fn batch(&mut self, batch: &Batch, out: &mut Vec<u8>) -> Option<Notice> {
        self.lines(batch.stretch(), out)
    }

    /// The same for a stretch.
    pub fn lines(&mut self, stretch: Stretch<'_>, out: &mut Vec<u8>) -> Option<Notice> {
        if !self.splits {
            return self.messages(stretch, out);
        }
        let mut split = std::mem::take(&mut self.split);
        split.clear();
        split.extend(stretch.items.iter().flat_map(|item| lines_of(stretch, *item)));
        let notice = self.messages(Stretch { items: &split, ..stretch }, out);
        self.split = split;
        notice
    }

    fn messages(&mut self, stretch: Stretch<'_>, out: &mut Vec<u8>) -> Option<Notice> {
        let origin = stretch.origin;
        let kept = self.kept.entry(address(origin)).or_insert_with(|| {
            let frame = self.format.frame(origin);
            Kept { origin: origin.clone(), frame, failed: None, unmarked: false }
        });
        let mut rest = stretch;
        if let Some(markers) = &mut self.markers {
            for (at, item) in stretch.items.iter().enumerate() {
                if let Item::Line(Line { time: Some(time), .. }) = *item
                    && let Some(marker) = markers.before(time)
                {
                    let (before, others) = rest.split(at + rest.items.len() - stretch.items.len());
                    self.format.lines(&kept.frame, before, out);
                    // Lines of a template need not have an end.
                    if out.last().map_or(self.is_within_line, |last| *last != b'\n') {
                        out.push(b'\n');
                    }
                    out.extend_from_slice(&marker);
                    self.format.interrupted();
                    rest = others;
                }
            }
        }
        self.format.lines(&kept.frame, rest, out);
        self.is_within_line = out.last().map_or(self.is_within_line, |last| *last != b'\n');
        let failed = self.format.failed()?;
        self.whole &= !failed.counts;
        if let Some(before) = &mut kept.failed {
            before.lines += failed.lines;
            return None;
        }
        let Failed { reason, became, .. } = kept.failed.insert(failed);
        let reason = shown::one_line(reason, shown::LONGEST);
        let text = format!("expanding template failed: {reason}; such lines are {became}");
        Some(Scope::of(origin).warning(text))
    }

    /// Reports once for each origin that matches in the lines before stayed unmarked.
    pub fn unmarked(&mut self, origin: &Arc<Origin>) -> Option<Notice> {
        if !self.format.unmarked() {
            return None;
        }
        let kept = self.kept.get_mut(&address(origin))?;
        let before = std::mem::replace(&mut kept.unmarked, true);
        let text = "a line has too many matches, or is too hard to search: not all of them are marked";
        (!before).then(|| Scope::of(origin).warning(text))
    }

    /// Whether all lines were shown in the format.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The counts of failed lines that are still to be reported.
    pub fn counts(&mut self) -> Vec<Notice> {
        let mut kept: Vec<_> = std::mem::take(&mut self.kept).into_values().collect();
        kept.sort_by(|a, b| a.names().cmp(&b.names()));
        kept.iter().filter_map(Kept::count).collect()
    }

    /// Drops what is kept of an origin. Returns the count of its lines that failed.
    pub fn forget(&mut self, origin: &Origin) -> Option<Notice> {
        self.format.forget(origin);
        self.kept.remove(&address(origin))?.count()
    }

    /// Appends `notice` to `out` as one line for standard error, or nothing where `--only-log-lines` hides it.
    pub fn notice(&mut self, notice: &Notice, out: &mut Vec<u8>) {
        self.notices.write(notice, out);
        self.interrupted_if(out);
    }

    /// Words go to standard error, which may be the same terminal.
    fn interrupted_if(&mut self, words: &[u8]) {
        if !words.is_empty() {
            self.format.interrupted();
        }
    }

    /// The same, for possibly missing lines among those of a stretch.
    pub fn gaps(&mut self, stretch: Stretch<'_>, out: &mut Vec<u8>) {
        for item in stretch.items {
            if let Item::Gap(gap) = item {
                self.notices.gap(stretch.origin, *gap, out);
            }
        }
        self.interrupted_if(out);
    }

    /// The same, for an origin whose lines follow.
    pub fn opened(&mut self, origin: &Origin, restart: Option<&Restart>, out: &mut Vec<u8>) {
        self.notices.opened(origin, restart, out);
        self.interrupted_if(out);
    }

    /// The same, for an origin without further lines. Drops its cached frame.
    pub fn closed(&mut self, origin: &Origin, closed: &Closed, out: &mut Vec<u8>) {
        if let Some(notice) = self.forget(origin) {
            self.notices.write(&notice, out);
        }
        self.notices.closed(origin, closed, out);
        self.interrupted_if(out);
    }
}

/// The lines of a message, each with its time.
fn lines_of(stretch: Stretch<'_>, item: Item) -> impl Iterator<Item = Item> {
    let (line, other) = match item {
        Item::Line(line) => (Some(line), None),
        other => (None, Some(other)),
    };
    let lines = line.into_iter().flat_map(move |line| {
        let message = stretch.message(&line);
        let ends = memchr::memchr_iter(b'\n', message).map(move |end| line.start + end as u32);
        let mut start = line.start;
        ends.chain([line.end]).map(move |end| {
            let one = Line { start, end, ..line };
            start = end + 1;
            Item::Line(one)
        })
    });
    lines.chain(other)
}

fn address(origin: &Origin) -> usize {
    std::ptr::from_ref(origin).addr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Gap, Reason};
    use testing::{batch, display, origin};

    #[test]
    fn a_marker_has_a_line_of_its_own() {
        let template = Some(crate::plan::Template::Text("{{.Message}}".to_owned()));
        let markers = Some(std::time::Duration::from_secs(1));
        let mut renderer = Renderer::new(&Display { template, markers, ..display() }).unwrap();
        let mut out = Vec::new();
        renderer.batch(&batch(&origin("default", "web", "app"), &[b"a", b"b"]), &mut out);
        let first = "a\n── 22:03:21 · 1s later ──\nb";
        assert_eq!(std::str::from_utf8(&out).unwrap(), first);
        // Both were printed meanwhile.
        out.clear();
        let api = batch(&origin("default", "api", "app"), &[b"", b"", b"c"]);
        renderer.batch(&api, &mut out);
        assert_eq!(std::str::from_utf8(&out).unwrap(), "\n── 22:03:22 · 1s later ──\nc");
    }

    #[test]
    fn each_origin_keeps_its_own_frame() {
        let (web, api) = (origin("default", "web", "app"), origin("default", "api", "app"));
        let mut renderer = Renderer::new(&display()).unwrap();
        let mut out = Vec::new();
        for origin in [&web, &api, &web] {
            renderer.batch(&batch(origin, &[b"hello"]), &mut out);
        }
        assert_eq!(out, b"web app hello\napi app hello\nweb app hello\n");
    }

    #[test]
    fn a_gap_prints_nothing_among_lines() {
        let mut batch = batch(&origin("default", "web", "app"), &[b"a", b"b"]);
        batch.items.insert(1, Item::Gap(Gap::Behind(None)));
        let mut out = Vec::new();
        Renderer::new(&display()).unwrap().batch(&batch, &mut out);
        assert_eq!(out, b"web app a\nweb app b\n");
    }

    #[test]
    fn a_closed_origin_is_let_go() {
        let web = origin("default", "web", "app");
        let mut renderer = Renderer::new(&display()).unwrap();
        renderer.batch(&batch(&web, &[b"hello"]), &mut Vec::new());
        let closed = Closed { reason: Reason::Finished, opened: true, complete: true, restart_count: 0 };
        renderer.closed(&web, &closed, &mut Vec::new());
        assert_eq!(Arc::strong_count(&web), 1);
    }
}
