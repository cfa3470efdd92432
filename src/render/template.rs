//! `--template`: formats lines with the user's Go template, with stern's data and functions.

mod color;
mod functions;
mod log;
mod time;

#[cfg(test)]
mod tests;

use gotemplate::{Object, Template, Value};

use super::{Failed, Format, Frame, color::Palette, highlight::Highlight, timestamp::Clock};
use crate::{
    event::{Instant, Item, Stretch},
    origin::Origin,
    plan::{Display, Template as Source, TemplateErrors},
    small_file, without_number,
};
use color::Color;
use log::Log;

pub struct Templated {
    template: Template,
    palette: Palette,
    color: bool,
    clock: Option<Clock>,
    highlight: Option<Highlight>,
    /// The time of the current line.
    timestamp: Vec<u8>,
    errors: TemplateErrors,
    /// The failures in the current batch.
    failed: Option<Failed>,
}

impl Templated {
    /// Err: the flag, and the reason why the template cannot be read or parsed.
    pub fn new(source: &Source, display: &Display, palette: Palette) -> Result<Templated, String> {
        let (flag, text) = match source {
            Source::Text(text) => ("--template".to_owned(), text.clone().into_bytes()),
            Source::File(path) => {
                let flag = format!("--template-file: {}", path.display());
                let text =
                    small_file::read(path).map_err(|error| format!("{flag}: {}", without_number(&error)))?;
                (flag, text)
            }
        };
        let color = display.color_stdout;
        let functions = functions::functions(color, &display.local.clone().into());
        Ok(Templated {
            template: Template::parse("log", &text, functions)
                .map_err(|reason| format!("{flag}: {reason}"))?,
            palette,
            color,
            clock: Clock::new(display),
            highlight: if color { Highlight::new(&display.highlight) } else { None },
            timestamp: Vec::new(),
            errors: display.template_errors,
            failed: None,
        })
    }
}

impl Format for Templated {
    fn frame(&self, _: &Origin) -> Frame {
        Frame::default()
    }

    /// Unused: a batch knows its origin, which the template may name.
    fn body(&mut self, _: Option<Instant>, _: &[u8], _: &mut Vec<u8>) {}

    fn lines(&mut self, _: &Frame, stretch: Stretch<'_>, out: &mut Vec<u8>) {
        let (pod, container) = self.palette.of_origin(stretch.origin);
        let (pod, container) =
            (Color { style: pod, on: self.color }, Color { style: container, on: self.color });
        for item in stretch.items {
            let Item::Line(line) = item else { continue };
            self.timestamp.clear();
            if let (Some(clock), Some(time)) = (&mut self.clock, line.time) {
                clock.write(time, &mut self.timestamp);
            }
            let log = Log {
                message: stretch.message(line),
                timestamp: &self.timestamp,
                origin: stretch.origin,
                pod_color: &pod,
                container_color: &container,
            };
            let start = out.len();
            if let Err(reason) = self.template.run(Value::Object(Object::Borrowed(&log)), out) {
                // A part of the line may have been written.
                out.truncate(start);
                if self.errors == TemplateErrors::Raw {
                    out.extend_from_slice(log.message);
                    out.push(b'\n');
                }
                let became = match self.errors {
                    TemplateErrors::Raw => "shown raw",
                    TemplateErrors::Drop | TemplateErrors::Ignore => "dropped",
                };
                let counts = self.errors != TemplateErrors::Ignore;
                let first = || Failed { lines: 0, reason, became, counts };
                self.failed.get_or_insert_with(first).lines += 1;
            } else if let Some(highlight) = &mut self.highlight {
                highlight.paint(start, out);
            }
        }
    }

    fn unmarked(&mut self) -> bool {
        self.highlight.as_mut().is_some_and(Highlight::took_too_much)
    }

    fn failed(&mut self) -> Option<Failed> {
        self.failed.take()
    }
}
