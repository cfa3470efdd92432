//! Reads standard output in the form that was asked for.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::super::{
    Problem,
    lines::output::{self, Name, Shown, Text},
};
use crate::script::{Form, Pattern};

/// A line, or with `--multiline` a record.
#[derive(Debug)]
pub struct Message<'a> {
    pub name: Name<'a>,
    pub at: Duration,
    pub pieces: Vec<Piece>,
}

impl Message<'_> {
    pub fn matches(&self, pattern: Pattern) -> bool {
        let texts: Vec<&str> = self.pieces.iter().map(|piece| &*piece.text).collect();
        pattern.matches(texts.join("\n").as_bytes())
    }
}

/// A line of a message.
#[derive(Debug)]
pub struct Piece {
    /// None: it is not the first one of its message.
    stamp: Option<Option<Timestamp>>,
    pub text: String,
}

impl Piece {
    /// Of the first line of its message.
    pub fn stamp(&self) -> Option<Timestamp> {
        self.stamp.flatten()
    }

    /// Whether this line is the same. Bytes that are no UTF-8 cannot be told apart in JSON.
    pub fn fits(&self, line: &Shown) -> bool {
        self.stamp.is_none_or(|stamp| stamp == line.stamp) && self.text == as_in_json(line.text)
    }
}

/// The text with a replacement for each byte that is no UTF-8, as Go writes it in JSON. `from_utf8_lossy` has one for
/// all bytes of a character that was cut.
fn as_in_json(text: &[u8]) -> String {
    let chunks = text.utf8_chunks();
    chunks.map(|chunk| chunk.valid().to_owned() + &"\u{fffd}".repeat(chunk.invalid().len())).collect()
}

/// Missing lines, as JSON reports them.
#[derive(Debug)]
pub struct Gap<'a> {
    pub name: Name<'a>,
    pub after: Option<Timestamp>,
    pub before: Option<Timestamp>,
    /// The number of messages before it.
    pub place: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object<'a> {
    namespace: &'a str,
    pod_name: &'a str,
    container_name: &'a str,
    message: Option<String>,
    timestamp: Option<Timestamp>,
    gap: Option<Bounds>,
}

#[derive(Deserialize)]
struct Bounds {
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

/// The container of a line.
pub fn name_of(form: Form, line: &[u8]) -> Option<Name<'_>> {
    if form == Form::Text {
        return output::parse(line).map(|(name, _)| name);
    }
    let object: Object = serde_json::from_slice(line).ok()?;
    Some((object.namespace, object.pod_name, object.container_name))
}

pub fn read<'a>(form: Form, text: &'a Text, problems: &mut Vec<Problem>) -> (Vec<Message<'a>>, Vec<Gap<'a>>) {
    let (mut messages, mut gaps) = (Vec::new(), Vec::new());
    if form == Form::Text {
        let lines = output::lines(text);
        // Between lines that do not follow each other.
        let lines = lines.filter(|(_, line)| (line.stamp, line.text) != (None, b"--"));
        messages.extend(lines.map(|(name, line)| {
            let text = as_in_json(line.text);
            Message { name, at: line.at, pieces: vec![Piece { stamp: Some(line.stamp), text }] }
        }));
        return (messages, gaps);
    }
    for (at, line) in text.lines() {
        let object: Object = match serde_json::from_slice(line) {
            Ok(object) => object,
            Err(error) => {
                let text = format!("{error}: {}", String::from_utf8_lossy(line));
                problems.push(Problem { kind: "odd JSON", container: String::new(), at, text });
                continue;
            }
        };
        let name = (object.namespace, object.pod_name, object.container_name);
        if let Some(Bounds { after, before }) = object.gap {
            gaps.push(Gap { name, after, before, place: messages.len() });
        }
        let Some(message) = object.message else { continue };
        let pieces = message.split('\n').enumerate().map(|(number, text)| Piece {
            stamp: (number == 0).then_some(object.timestamp),
            text: text.to_owned(),
        });
        messages.push(Message { name, at, pieces: pieces.collect() });
    }
    (messages, gaps)
}
