//! Parts of heads in brackets: their content tells what they are.

use super::{Cursor, Head, is_caller, strong};
use crate::fields::{Key, Level, Role, Span};

impl Head<'_, '_> {
    /// A part in brackets. Whether it could be one.
    pub(super) fn bracket(&mut self) -> bool {
        let mut outer = self.cursor;
        let Some(inside) = outer.enclosed(b'[', b']') else { return false };
        self.inside(inside.trimmed(self.cursor.line));
        self.cursor = outer;
        true
    }

    fn inside(&mut self, inside: Span) {
        let line = self.cursor.line;
        let text = inside.of_message(line);
        self.cursor.at = inside.start as usize;
        if text.is_empty() {
            return;
        }
        if !self.has_level
            && let Some(level) = self.level_in_bracket(text)
        {
            self.rename_thread();
            return self.level(inside, level);
        }
        if self.has_dashes {
            // Spring Boot 3 has the application before the thread.
            let is_last = !self.cursor.line_after(inside).starts_with(b" [");
            self.tape.named(None, if is_last { "thread" } else { "application" }, inside);
            return;
        }
        if self.time_part() {
            self.cursor.word_of(|byte| b": ,|#".contains(&byte));
            self.rest_of_bracket(inside);
            return;
        }
        // apache's module and level, celery's level and process
        let split = |separator: u8| memchr::memchr(separator, text).map(|at| inside.start + at as u32);
        if !self.has_level
            && let Some(colon) = split(b':')
        {
            let (module, level) = (Span { end: colon, ..inside }, Span { start: colon + 1, ..inside });
            if let Some(found) = strong(level.of_message(line)) {
                self.tape.named(Some(Role::Logger), "logger", module);
                return self.level(level, found);
            }
        }
        if !self.has_level
            && let Some(slash) = split(b'/')
        {
            let (level, process) = (Span { end: slash, ..inside }, Span { start: slash + 1, ..inside });
            if let Some(found) = strong(level.of_message(line)) {
                self.level(level, found);
                self.tape.named(None, "process", process);
                return;
            }
            // Minecraft and log4j: the thread is before the level.
            if let Some(found) = strong(process.of_message(line)) {
                self.tape.named(None, "thread", level);
                return self.level(process, found);
            }
        }
        if self.apache(inside) {
            return;
        }
        let is_thread_like = is_thread(text);
        // semantic_logger has tags before the logger.
        let mut after = Cursor::new(line, inside.end as usize + 1);
        after.spaces();
        after.word();
        if self.has_level && after.rest().starts_with(b" -- ") {
            self.tape.named(None, "tags", inside);
            return;
        }
        let (role, name) = if text.iter().all(u8::is_ascii_digit) && !self.has_named("pid") {
            (None, "pid")
        } else if !self.has(Role::Time) && text[0].is_ascii_digit() && text.contains(&b':') {
            (Some(Role::Time), "time")
        } else if is_caller(text) && !self.has(Role::Caller) {
            (Some(Role::Caller), "caller")
        } else if !self.has_named("thread") && (!self.has_level || is_thread_like) {
            (None, "thread")
        } else if !self.has(Role::Logger)
            && !text.contains(&b' ')
            && !text.contains(&b',')
            && !text.contains(&b'=')
        {
            (Some(Role::Logger), "logger")
        } else {
            (None, "context")
        };
        self.tape.named(role, name, inside);
    }

    /// `pid 12:tid 34`, `client 10.0.0.1`
    fn apache(&mut self, inside: Span) -> bool {
        let text = inside.of_message(self.cursor.line);
        for (prefix, name) in [(&b"pid "[..], "pid"), (b"client ", "client"), (b"remote ", "client")] {
            if !text.starts_with(prefix) {
                continue;
            }
            let value = Span { start: inside.start + prefix.len() as u32, ..inside };
            match memchr::memmem::find(text, b":tid ") {
                Some(colon) if name == "pid" => {
                    let colon = inside.start + colon as u32;
                    self.tape.named(None, name, Span { end: colon, ..value });
                    self.tape.named(None, "thread", Span { start: colon + 5, ..inside });
                }
                _ => {
                    self.tape.named(None, name, value);
                }
            }
            return true;
        }
        false
    }

    /// spdlog's logger stands where others have a thread, before a level in brackets.
    fn rename_thread(&mut self) {
        let line = self.cursor.line;
        let index = self.tape.nodes.len().wrapping_sub(1);
        if let Some(last) = self.tape.nodes.last_mut()
            && last.key == Key::Named("thread")
            && !is_thread(last.value.of_message(line))
            && self.tape.found.roles[Role::Logger as usize].is_none()
        {
            last.key = Key::Named("logger");
            self.tape.found.set(Role::Logger, index as u32);
        }
    }

    /// Behind the time in a bracket: a level and a logger, or the number of a process.
    fn rest_of_bracket(&mut self, inside: Span) {
        self.cursor.spaces();
        let start = self.cursor.at;
        let rest = Span { start: start as u32, ..inside };
        if rest.is_empty() {
            return;
        }
        let word = self.cursor.word_of(|byte| byte.is_ascii_alphabetic());
        let level = self.level_in_bracket(word.of_message(self.cursor.line));
        let left = |cursor: Cursor<'_>| Span { start: cursor.at as u32, ..inside };
        match level {
            Some(level) if !self.has_level => {
                self.level(word, level);
                if self.cursor.eat(b"/") {
                    self.tape.named(None, "process", left(self.cursor));
                    return;
                }
                self.cursor.spaces();
                let logger = left(self.cursor);
                if !logger.is_empty() {
                    self.tape.named(Some(Role::Logger), "logger", logger);
                }
            }
            _ => {
                let digits = rest.of_message(self.cursor.line).iter().all(u8::is_ascii_digit);
                self.tape.named(None, if digits { "pid" } else { "context" }, rest);
            }
        }
    }

    fn level_in_bracket(&self, text: &[u8]) -> Option<Level> {
        let text = text.trim_ascii();
        // A number behind it is that of a thread: `[info-1]`
        let strong = || strong(text).filter(|_| !text.last().is_some_and(u8::is_ascii_digit));
        self.known.own(text).or_else(strong).or_else(|| match text {
            [letter] if b"TDIWEFC".contains(letter) => Level::of(text),
            // MySQL
            b"Note" | b"System" => Some(Level::Info),
            _ => None,
        })
    }
}

/// `main`, `http-nio-8080-exec-1`
fn is_thread(text: &[u8]) -> bool {
    let words = [&b"main"[..], b"thread", b"Thread", b"exec", b"pool", b"worker", b"task", b"nio-"];
    let ends_with_number = memchr::memrchr(b'-', text).is_some_and(|dash| {
        let number = &text[dash + 1..];
        !number.is_empty() && number.iter().all(u8::is_ascii_digit)
    });
    ends_with_number && !text.starts_with(b"MY-")
        || words.iter().any(|word| memchr::memmem::find(text, word).is_some())
}
