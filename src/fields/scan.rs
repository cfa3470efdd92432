//! The reader: recognizes how a message is written, line by line.

use super::{Form, Level, Node, Reader, Record, Role, Span, Tape, Vocabulary, found::Found, json, text};

impl Reader {
    pub fn new(vocabulary: Vocabulary) -> Reader {
        Reader { vocabulary, ..Reader::default() }
    }

    /// The fields of a message.
    pub fn read<'r, 'm>(&'r mut self, message: &'m [u8]) -> Record<'r, 'm> {
        let Reader { vocabulary, tape, open, plain } = self;
        tape.clear();
        let text = trimmed(message);
        let is_object = text.first(message) == Some(b'{');
        if is_object {
            let result = json::object(message, text.start as usize, &vocabulary.0, open, tape);
            match result {
                Ok(end) if end == text.end as usize => {
                    tape.form = Form::Json;
                    tape.found.finish();
                    return Record { message, tape };
                }
                _ => tape.clear(),
            }
        }
        // The line without its colours is read, then each part is found again in the line.
        match plain.strip(message) {
            Some(line) => {
                text::read(line.trim_ascii_end(), &vocabulary.0, open, tape);
                if tape.form == Form::Text && tape.nodes.is_empty() {
                    // The text without the colours around it.
                    let all = Span::of(0, line.len()).trimmed(line);
                    tape.named(Some(Role::Message), "message", all);
                }
                plain.restore(tape);
            }
            None => text::read(message.trim_ascii_end(), &vocabulary.0, open, tape),
        }
        Record { message, tape }
    }

    /// The level of a message, which may stand in its second line.
    pub fn level_of_lines(&mut self, first: &[u8], second: Option<&[u8]>) -> Option<Level> {
        self.level(first).or_else(|| text::level_of_two(first, second?))
    }

    /// Only the level, which is found sooner.
    pub fn level(&mut self, message: &[u8]) -> Option<Level> {
        let text = trimmed(message);
        if text.first(message) == Some(b'{') && message.get(text.end as usize - 1) == Some(&b'}') {
            let mut level = OnlyLevel::default();
            let result =
                json::object(message, text.start as usize, &self.vocabulary.0, &mut self.open, &mut level);
            match result {
                Ok(end) if end == text.end as usize => {
                    level.found.finish();
                    return level.found.level;
                }
                Err(json::Stop::Level) => return level.found.level,
                _ => {}
            }
        }
        self.read(message).level()
    }
}

impl Span {
    fn first(self, message: &[u8]) -> Option<u8> {
        self.of_message(message).first().copied()
    }
}

impl Tape {
    fn clear(&mut self) {
        self.form = Form::Text;
        self.found = Found::default();
        self.nodes.clear();
    }
}

impl json::Wanted for Tape {
    const ONLY_LEVEL: bool = false;

    #[inline]
    fn push(&mut self, node: impl FnOnce() -> Node) -> u32 {
        let index = self.nodes.len() as u32;
        self.nodes.push(Node { end: index + 1, ..node() });
        index
    }

    #[inline]
    fn close(&mut self, index: u32, end: usize) {
        let nodes = self.nodes.len() as u32;
        if let Some(node) = self.nodes.get_mut(index as usize) {
            node.end = nodes;
            node.value.end = end as u32;
        }
    }

    #[inline]
    fn found(&mut self) -> &mut Found {
        &mut self.found
    }
}

/// Keeps nothing but what the level needs.
#[derive(Default)]
struct OnlyLevel {
    found: Found,
}

impl json::Wanted for OnlyLevel {
    const ONLY_LEVEL: bool = true;

    #[inline]
    fn push(&mut self, _: impl FnOnce() -> Node) -> u32 {
        0
    }

    #[inline]
    fn close(&mut self, _: u32, _: usize) {}

    #[inline]
    fn found(&mut self) -> &mut Found {
        &mut self.found
    }
}

/// A message without the space around it, nor the mark of UTF-8 before it.
fn trimmed(message: &[u8]) -> Span {
    let start = if message.starts_with(text::BYTE_ORDER_MARK) { text::BYTE_ORDER_MARK.len() } else { 0 };
    Span::of(start, message.len()).trimmed(message)
}
