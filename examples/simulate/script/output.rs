//! Flags that decide how lines are shown, and which of those that were read: they change nothing of what is asked for.

use std::{fmt, path::Path};

use fastrand::Rng;

use super::{Ending, Fault, Lines, Script, Texts, What};

/// The output of a run that is repeated with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub select: Select,
    pub form: Form,
    /// `--output-dir`
    pub files: bool,
    /// `--until-match`
    pub until: Option<Pattern>,
}

/// The lines that are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Select {
    All,
    /// `--include`, with `--context-lines`, and `--exclude`.
    Matching {
        include: Option<Pattern>,
        context: usize,
        exclude: Option<Pattern>,
    },
    /// `--level=warn`
    Warnings,
    /// `--where`: the message of the record matches.
    Where(Pattern),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    /// `--output=json --gaps`
    Json,
    /// The same with `--multiline`.
    JsonOfRecords,
}

/// A pattern that a simulation can match by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// The last byte is one of the digits up to this one.
    EndsWith(u8),
    Contains(&'static str),
}

impl Pattern {
    pub fn matches(self, text: &[u8]) -> bool {
        match self {
            Pattern::EndsWith(digit) => text.last().is_some_and(|last| (b'0'..=b'0' + digit).contains(last)),
            Pattern::Contains(part) => text.windows(part.len()).any(|window| window == part.as_bytes()),
        }
    }

    fn any(rng: &mut Rng) -> Pattern {
        match rng.u32(..4) {
            0 => Pattern::Contains("same"),
            1 => Pattern::Contains("words"),
            _ => Pattern::EndsWith(rng.u8(0..9)),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::EndsWith(digit) => write!(f, "[0-{digit}]$"),
            Pattern::Contains(part) => f.write_str(part),
        }
    }
}

impl Output {
    /// Of one seed in seven. A reader that is slow takes other times for other bytes.
    pub fn draw(script: &mut Script) {
        let mut rng = Rng::with_seed(script.seed ^ 0x6f75_7470_7574);
        let is_read =
            !script.events.iter().any(|event| matches!(event.what, What::Fault(Fault::SlowReader(..))));
        let is_whole = script.setting.max_line.is_none() && script.setting.ending != Ending::Leftovers;
        if rng.u32(..7) > 0 || !is_read || !is_whole {
            return;
        }
        let output = Output::any(&mut rng);
        if let Some(texts) = output.texts() {
            let lines = script.events.iter_mut().filter_map(|event| lines(&mut event.what));
            let plain = lines.filter(|lines| matches!(lines.texts, Texts::Numbered | Texts::Odd));
            plain.for_each(|lines| lines.texts = texts);
        }
        script.output = Some(output);
    }

    fn any(rng: &mut Rng) -> Output {
        let select = match rng.u32(..10) {
            0..2 => Select::All,
            2..7 => {
                let include = (rng.u32(..10) < 7).then(|| Pattern::any(rng));
                Select::Matching {
                    include,
                    context: if include.is_some() && rng.bool() { rng.usize(1..4) } else { 0 },
                    exclude: (include.is_none() || rng.u32(..4) == 0).then(|| Pattern::any(rng)),
                }
            }
            7 | 8 => Select::Warnings,
            _ => Select::Where(Pattern::EndsWith(rng.u8(0..9))),
        };
        let form = match rng.u32(..10) {
            0..4 => Form::Text,
            4..7 => Form::Json,
            _ if select == Select::All => Form::JsonOfRecords,
            _ => Form::Json,
        };
        let mut output = Output { select, form, files: rng.u32(..3) == 0, until: None };
        let ends = match output.texts() {
            Some(Texts::Records) => Pattern::Contains("0\"}"),
            _ => Pattern::EndsWith(0),
        };
        output.until = (rng.u32(..8) == 0).then_some(ends);
        output
    }

    /// The texts that the lines have to have, so that there are records.
    fn texts(&self) -> Option<Texts> {
        match (&self.select, self.form) {
            (_, Form::JsonOfRecords) => Some(Texts::Traces),
            (Select::Warnings | Select::Where(_), _) => Some(Texts::Records),
            (Select::All | Select::Matching { .. }, Form::Text | Form::Json) => None,
        }
    }

    /// The arguments. The files are written below this directory.
    pub fn flags(&self, dir: &Path) -> Vec<String> {
        let mut flags = Vec::new();
        match &self.select {
            Select::All => {}
            Select::Matching { include, context, exclude } => {
                flags.extend(include.map(|pattern| format!("--include={pattern}")));
                flags.extend((*context > 0).then(|| format!("--context-lines={context}")));
                flags.extend(exclude.map(|pattern| format!("--exclude={pattern}")));
            }
            Select::Warnings => flags.push("--level=warn".to_owned()),
            Select::Where(pattern) => flags.push(format!("--where=msg~\"{pattern}\"")),
        }
        if self.form != Form::Text {
            flags.extend(["--output=json".to_owned(), "--gaps=true".to_owned()]);
        }
        if self.form == Form::JsonOfRecords {
            flags.push("--multiline=true".to_owned());
        }
        if self.files {
            flags.push(format!("--output-dir={}", dir.display()));
        }
        flags.extend(self.until.map(|pattern| format!("--until-match={pattern}")));
        flags
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "and once more with {}", self.flags(Path::new("DIR")).join(" "))
    }
}

fn lines(what: &mut What) -> Option<&mut Lines> {
    match what {
        What::Writes(_, lines) | What::GoesOn(_, lines, _) => Some(lines),
        What::Restarts(_, restart) => restart.last.as_mut(),
        _ => None,
    }
}
