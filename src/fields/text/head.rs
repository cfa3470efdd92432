//! Heads of the usual loggers: time, level, thread, logger and caller in any order, before the message.

mod bracket;
mod columns;

use super::{LONGEST_HEAD, Rest, cursor::Cursor};
use crate::fields::{Key, Level, Role, Span, Tape, keys::Known, level::without_number, time};

/// The parts before the level, and behind it, are bounded.
const MOST_PARTS: usize = 10;

/// Words that are levels only where a logger's table says so; in text they are words.
const WEAK: [&[u8]; 8] = [b"all", b"log", b"http", b"note", b"config", b"fine", b"silly", b"verb"];

/// The level of a word that is one wherever it stands out.
pub(super) fn strong(word: &[u8]) -> Option<Level> {
    let without_number = without_number(word).unwrap_or(word);
    let is_weak = word.len() < 3 || WEAK.iter().any(|weak| weak.eq_ignore_ascii_case(without_number));
    if is_weak { None } else { Level::of(word) }
}

/// Levels whose words are more often other words.
pub(super) fn is_rare(word: &[u8]) -> bool {
    is_cry(word) || [&b"notice"[..], b"trace"].iter().any(|rare| rare.eq_ignore_ascii_case(word))
}

/// Those of them that begin a sentence as well.
pub(super) fn is_cry(word: &[u8]) -> bool {
    let cries = [&b"alert"[..], b"panic", b"emergency", b"success", b"fail"];
    cries.iter().any(|cry| cry.eq_ignore_ascii_case(word))
}

/// Reads a head that has a level.
pub(super) fn read(line: &[u8], start: usize, known: &Known, tape: &mut Tape) -> Option<Rest> {
    let end = line.len().min(start + LONGEST_HEAD);
    let mut head =
        Head { cursor: Cursor::new(line, start), known, tape, has_level: false, has_dashes: false };
    head.before_level(end).then(|| head.after_level())
}

/// Reads a head that has only a time, and perhaps the host and the program of syslog, or a caller.
pub(super) fn without_level(line: &[u8], start: usize, known: &Known, tape: &mut Tape) -> Option<Rest> {
    let mut head =
        Head { cursor: Cursor::new(line, start), known, tape, has_level: false, has_dashes: false };
    if head.cursor.peek() == Some(b'[') {
        let mut outer = head.cursor;
        let inside = outer.enclosed(b'[', b']')?;
        head.cursor.at += 1;
        (head.time_part() && head.cursor.at == inside.end as usize).then_some(())?;
        head.cursor = outer;
    } else {
        head.time_part().then_some(())?;
        if line[start].is_ascii_alphabetic() {
            head.syslog();
        }
    }
    let _ = head.cursor.eat(b":") || head.cursor.eat(b",");
    head.cursor.spaces();
    if !head.caller() {
        let _ = head.cursor.eat(b"- ") || head.cursor.eat(b"| ");
    }
    Some(Rest::Message(head.cursor.at))
}

struct Head<'l, 't> {
    cursor: Cursor<'l>,
    known: &'t Known,
    tape: &'t mut Tape,
    has_level: bool,
    /// Spring's `---` came.
    has_dashes: bool,
}

impl Head<'_, '_> {
    fn has(&self, role: Role) -> bool {
        self.tape.found.roles[role as usize].is_some()
    }

    fn has_named(&self, name: &'static str) -> bool {
        self.tape.nodes.iter().any(|node| node.key == Key::Named(name))
    }

    /// Reads up to the level, and it too. Whether there is one.
    fn before_level(&mut self, end: usize) -> bool {
        let start = self.cursor.at;
        let mut unknown = 0;
        for _ in 0..MOST_PARTS {
            self.cursor.spaces();
            if self.cursor.at >= end {
                return false;
            }
            if self.time_part() {
                self.separators();
                continue;
            }
            if self.cursor.peek() == Some(b'[') {
                if !self.bracket() {
                    return false;
                }
                if self.has_level {
                    return true;
                }
                continue;
            }
            if self.level_part(start) {
                return true;
            }
            if self.separators() || self.process() || self.braces() {
                if self.has_level {
                    return true;
                }
                continue;
            }
            unknown += 1;
            if unknown > 2 || !self.has(Role::Time) || !self.name() {
                return false;
            }
        }
        false
    }

    fn time_part(&mut self) -> bool {
        if self.has(Role::Time) {
            return false;
        }
        let Some(stamp) = time::stamp(self.cursor.rest()) else { return false };
        let span = Span::of(self.cursor.at, self.cursor.at + stamp.length);
        self.tape.named(Some(Role::Time), "time", span);
        self.cursor.at += stamp.length;
        true
    }

    /// Dashes, bars, commas and colons between parts.
    fn separators(&mut self) -> bool {
        let before = self.cursor.at;
        self.cursor.word_of(|byte| b"|,:-".contains(&byte));
        let after = self.cursor.peek();
        let ends = after.is_none_or(|byte| b" \t[".contains(&byte))
            || self.cursor.line[before..].starts_with(b"|")
            || self.cursor.line[before..].starts_with(b",");
        if self.cursor.at > before && !ends {
            self.cursor.at = before;
        }
        self.cursor.at > before
    }

    /// A number, `{file.py:12}`, `<0.1.0>`, `(thread)`
    fn process(&mut self) -> bool {
        let before = self.cursor;
        if let Some(digits) = self.cursor.digits() {
            if self.cursor.peek().is_some_and(|byte| b" \t|".contains(&byte)) && !self.has_named("pid") {
                self.tape.named(None, "pid", digits);
                return true;
            }
            self.cursor = before;
        }
        false
    }

    fn braces(&mut self) -> bool {
        for (open, close, name) in [(b'{', b'}', "caller"), (b'<', b'>', "process"), (b'(', b')', "thread")] {
            let before = self.cursor;
            if let Some(inside) = self.cursor.enclosed(open, close) {
                let text = inside.of_message(self.cursor.line);
                if open != b'{'
                    && !self.has_level
                    && self.has(Role::Time)
                    && let Some(level) = strong(text)
                {
                    self.level(inside, level);
                    return true;
                }
                // ClickHouse has the identity of the query, which may be empty.
                let is_id = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
                if open == b'{' && !self.has_level && self.has(Role::Time) && text.iter().all(is_id) {
                    if !text.is_empty() {
                        self.tape.named(None, "query", inside);
                    }
                    return true;
                }
                let is_part = self.cursor.peek().is_none_or(|byte| byte == b' ') && !self.has_named(name);
                if is_part && (open != b'{' || is_caller(inside.of_message(self.cursor.line))) {
                    self.tape.named((open == b'{').then_some(Role::Caller), name, inside);
                    return true;
                }
                self.cursor = before;
            }
        }
        false
    }

    /// A name before the level, such as Python's logger.
    fn name(&mut self) -> bool {
        let mut cursor = self.cursor;
        let mut name = cursor.word_of(is_name);
        let text = name.of_message(cursor.line);
        let ends = [&b" - "[..], b" | ", b"|", b": ", b" ["].iter().any(|end| cursor.rest().starts_with(end));
        let ends = ends || level_follows(cursor.rest());
        let stands_out = text.iter().any(|byte| b"._-:".contains(byte)) && cursor.rest().starts_with(b" ");
        if name.is_empty() || self.has(Role::Logger) || !(ends || stands_out) {
            return false;
        }
        if text.ends_with(b":") {
            name.end -= 1;
        }
        self.cursor = cursor;
        self.cursor.spaces();
        self.tape.named(Some(Role::Logger), "logger", name);
        self.separators();
        true
    }

    /// A level that is no part of a bracket.
    fn level_part(&mut self, start: usize) -> bool {
        let mut cursor = self.cursor;
        let letters = cursor.word_of(|byte| byte.is_ascii_alphanumeric() || byte > 0x7f);
        let mut word = letters;
        // slog: `ERROR+2`
        if cursor.peek().is_some_and(|byte| b"+-".contains(&byte)) {
            let mut longer = cursor;
            longer.at += 1;
            if longer.digits().is_some() {
                cursor = longer;
                word.end = longer.at as u32;
            }
        }
        // zap: `LEVEL(-2)`
        if word.of_message(cursor.line) == b"LEVEL" && cursor.enclosed(b'(', b')').is_some() {
            word.end = cursor.at as u32;
        }
        let text = word.of_message(cursor.line);
        let next = cursor.peek();
        let is_upper = !text.iter().any(u8::is_ascii_lowercase);
        let before = self.cursor.line[..self.cursor.at].last();
        let level = match text {
            // etcd's `I | `, MongoDB's `I NETWORK `
            [letter] if self.has(Role::Time) && next == Some(b'!') && b"TDIWEF".contains(letter) => {
                // telegraf
                let level = Level::of(text).filter(|_| cursor.eat(b"! "));
                if let Some(level) = level {
                    self.cursor = cursor;
                    self.level(word, level);
                }
                return level.is_some();
            }
            [b'D', b'1'..=b'5'] if self.has(Role::Time) && is_component(cursor.rest()) => Some(Level::Debug),
            [letter] if self.has(Role::Time) && b"TDIWEFCN".contains(letter) => {
                let ends = cursor.rest().starts_with(b" | ") || is_component(cursor.rest());
                Level::of(text).filter(|_| ends)
            }
            _ => self.known.own(text).or_else(|| strong(text)),
        };
        let Some(level) = level else { return false };
        let ends = match next {
            None => is_upper || self.has(Role::Time),
            Some(b' ') if is_upper => {
                let rest = cursor.rest().trim_ascii_start();
                let is_cry = is_cry(text) && !self.has(Role::Time) && !cursor.rest().starts_with(b"  ");
                let is_sentence = rest.first().is_some_and(u8::is_ascii_lowercase);
                (rest.first() != Some(&b'=') || rest.starts_with(b"==>") || rest.starts_with(b"=>"))
                    && !(is_cry && is_sentence)
            }
            Some(b' ') => {
                let between_bars = cursor.rest().trim_ascii_start().first() == Some(&b'|');
                cursor.rest().starts_with(b"  ") && self.has(Role::Time)
                    || self.is_behind_iso_time() && !is_rare(text)
                    || between_bars
                    || self.known.own(text).is_some()
            }
            Some(b':') => {
                let is_title = text.first().is_some_and(u8::is_ascii_uppercase);
                let is_space = cursor.rest().get(1).is_none_or(|byte| b" \t".contains(byte));
                is_upper || is_space && !(is_title && is_rare(text) && !self.has(Role::Time))
            }
            Some(b'[') => is_upper && self.cursor.at == start,
            Some(b'\t' | b'|') => true,
            Some(b',') => before == Some(&b',') || is_upper,
            Some(b'/' | b')') => is_upper && self.has(Role::Time),
            _ => false,
        };
        if !ends {
            return false;
        }
        self.cursor = cursor;
        self.level(word, level);
        if text.len() <= 2 && next == Some(b' ') {
            // MongoDB's component
            let mut cursor = self.cursor;
            cursor.spaces();
            let component = cursor.word_of(|byte| byte.is_ascii_uppercase());
            if !component.is_empty() {
                self.tape.named(Some(Role::Logger), "logger", component);
                self.cursor = cursor;
            }
        }
        true
    }

    /// Directly behind a time as JavaScript writes it, where winston has the level: `2026-01-31T12:00:00.000Z error x`
    fn is_behind_iso_time(&self) -> bool {
        let line = self.cursor.line;
        let time = self.tape.nodes.last().filter(|node| node.key == Key::Named("time"));
        time.is_some_and(|time| {
            let text = time.value.of_message(line);
            time.value.end as usize + 1 == self.cursor.at
                && text.len() == 24
                && text[10] == b'T'
                && text.ends_with(b"Z")
        })
    }

    fn level(&mut self, span: Span, level: Level) {
        // A priority before it says less.
        self.tape.found.roles[Role::Level as usize] = None;
        self.tape.named(Some(Role::Level), "level", span);
        self.tape.found.level = Some(level);
        self.has_level = true;
    }

    /// `host program[12]: `
    fn syslog(&mut self) {
        let mut cursor = self.cursor;
        cursor.spaces();
        let host = cursor.word();
        cursor.spaces();
        let program = cursor.word_of(|byte| is_name(byte) && byte != b':');
        let process = cursor.enclosed(b'[', b']');
        if host.is_empty() || program.is_empty() || !cursor.eat(b":") {
            return;
        }
        self.tape.named(None, "host", host);
        self.tape.named(Some(Role::Logger), "logger", program);
        if let Some(process) = process {
            self.tape.named(None, "pid", process);
        }
        self.cursor = cursor;
    }

    /// Reads what is between the level and the message.
    fn after_level(&mut self) -> Rest {
        let line = self.cursor.line;
        match self.cursor.peek() {
            Some(b'\t') => return self.columns(b'\t'),
            Some(b':') => return self.after_colon(),
            Some(b',') => return self.csv(),
            Some(b'[') if line[..self.cursor.at].last() != Some(&b']') => {
                // `INFO[0012] message`
                if let Some(inside) = self.cursor.enclosed(b'[', b']') {
                    // Seconds since the start, or a time.
                    let is_time = !self.has(Role::Time) && inside.of_message(line).contains(&b':');
                    let name = if is_time { "time" } else { "elapsed" };
                    self.tape.named(is_time.then_some(Role::Time), name, inside);
                    return Rest::Message(self.cursor.at);
                }
            }
            _ => {}
        }
        if self.cursor.rest().trim_ascii_start().starts_with(b"|") {
            return self.columns(b'|');
        }
        for _ in 0..MOST_PARTS {
            if self.cursor.at >= line.len() || self.part_after_level() == Part::Message {
                break;
            }
        }
        Rest::Message(self.cursor.at)
    }

    /// Reads one part; says whether the message follows.
    fn part_after_level(&mut self) -> Part {
        self.cursor.spaces();
        for separator in [&b"- "[..], b": ", b"> ", b"\xe2\x80\xba ", b"==> ", b"=> "] {
            if self.cursor.eat(separator) {
                return Part::Message;
            }
        }
        if self.cursor.eat(b"--- ") {
            self.has_dashes = true;
            return Part::Head;
        }
        if self.cursor.eat(b"-- ") {
            let _ = self.logger(&[b": "]);
            return Part::Message;
        }
        if self.cursor.eat(b"in ") {
            if !self.logger(&[b": "]) {
                self.cursor.at -= 3;
            }
            return Part::Message;
        }
        if self.cursor.peek() == Some(b'[') {
            let known = self.has_named("context");
            return if !known && self.bracket() { Part::Head } else { Part::Message };
        }
        if self.time_part() {
            return Part::Head;
        }
        let mut cursor = self.cursor;
        if cursor.digits().is_some() && cursor.rest().starts_with(b" --- ") && self.process() {
            return Part::Head;
        }
        if self.caller() || self.cursor.peek() == Some(b'(') && self.has(Role::Logger) && self.braces() {
            return Part::Head;
        }
        if self.cursor.peek() == Some(b'<')
            && self.cursor.rest().get(1).is_some_and(u8::is_ascii_digit)
            && self.braces()
        {
            return Part::Head;
        }
        if self.has(Role::Time) && self.spans() {
            return Part::Head;
        }
        let ends: &[&[u8]] = match self.has(Role::Time) {
            true => &[b" - ", b" : ", b": ", b" -- ", b" [", b" ("],
            false => &[b" - ", b" : ", b" -- "],
        };
        if !self.has(Role::Logger) && self.logger(ends) { Part::Head } else { Part::Message }
    }

    /// The spans of Rust's tracing: `request{method=GET}:other: `
    fn spans(&mut self) -> bool {
        let mut cursor = self.cursor;
        let name = cursor.word_of(|byte| byte.is_ascii_alphanumeric() || b"_".contains(&byte));
        if name.is_empty() || cursor.peek() != Some(b'{') || self.has_named("span") {
            return false;
        }
        let Some(spans) = cursor.until(b"}: ") else { return false };
        self.tape.named(None, "span", Span { start: name.start, end: spans.end + 1 });
        self.cursor = cursor;
        true
    }

    /// `file.go:12`
    fn caller(&mut self) -> bool {
        let mut cursor = self.cursor;
        let mut word = cursor.word();
        if cursor.line[word.start as usize..word.end as usize].ends_with(b":") {
            word.end -= 1;
        }
        if self.has(Role::Caller) || !is_caller(word.of_message(cursor.line)) {
            return false;
        }
        self.tape.named(Some(Role::Caller), "caller", word);
        self.cursor = cursor;
        true
    }

    /// A name before one of these ends.
    fn logger(&mut self, ends: &[&[u8]]) -> bool {
        let mut cursor = self.cursor;
        let mut name = cursor.word_of(is_name);
        if name.of_message(cursor.line).ends_with(b":") && !name.of_message(cursor.line).ends_with(b"::") {
            name.end -= 1;
            cursor.at -= 1;
        }
        let padding = cursor.count_spaces();
        let rest = &cursor.line[cursor.at + padding.saturating_sub(1)..];
        if name.of_message(cursor.line).first().is_some_and(u8::is_ascii_digit) {
            return false;
        }
        // Tomcat has the class and the method, and nothing behind them.
        let is_method = padding > 0 && self.has_named("thread") && is_class(name.of_message(cursor.line));
        let end = ends.iter().copied().find(|end| rest.starts_with(end)).or(is_method.then_some(&b" "[..]));
        let Some(end) = end else { return false };
        // Before a bracket, only a name with dots is no word of the message.
        let has_dots = name.of_message(cursor.line).iter().any(|byte| b".:".contains(byte));
        if name.is_empty() && end != b": "
            || end.ends_with(b"[") && !has_dots
            || end.ends_with(b"(") && !has_dots
        {
            return false;
        }
        if !name.is_empty() && !self.has(Role::Logger) {
            self.tape.named(Some(Role::Logger), "logger", name);
        }
        self.cursor = cursor;
        self.cursor.spaces();
        if end == b": " {
            self.cursor.eat(b":");
        }
        true
    }

    /// `ERROR:root:message`, `info: Category[0]`, `WARN: message`
    fn after_colon(&mut self) -> Rest {
        self.cursor.at += 1;
        let line = self.cursor.line;
        let mut cursor = self.cursor;
        let name = cursor.word_of(|byte| is_name(byte) && byte != b':');
        if !name.is_empty() && cursor.peek() == Some(b':') {
            self.tape.named(Some(Role::Logger), "logger", name);
            return Rest::Message(cursor.at + 1);
        }
        self.cursor.spaces();
        let mut cursor = self.cursor;
        let name = cursor.word_of(is_name);
        if !name.is_empty()
            && !self.has(Role::Time)
            && let Some(id) = cursor.enclosed(b'[', b']')
            && cursor.at == line.len()
            && id.of_message(line).iter().all(u8::is_ascii_digit)
        {
            self.tape.named(Some(Role::Logger), "logger", name);
            self.tape.named(None, "event_id", id);
            return Rest::Done;
        }
        Rest::Message(self.cursor.at)
    }
}

/// MongoDB's, behind a letter: ` NETWORK`
fn is_component(rest: &[u8]) -> bool {
    let component = rest.strip_prefix(b" ");
    component.is_some_and(|rest| rest.len() > 2 && rest.iter().take(2).all(u8::is_ascii_uppercase))
}

#[derive(PartialEq, Eq)]
enum Part {
    Head,
    Message,
}

/// `org.apache.catalina.Server.log`
fn is_class(name: &[u8]) -> bool {
    let mut parts = name.split(|byte| *byte == b'.');
    parts.clone().count() > 2 && parts.all(|part| part.first().is_some_and(u8::is_ascii_alphabetic))
}

/// Whether the next word is a level in capitals.
fn level_follows(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let length = text.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let (word, rest) = text.split_at(length);
    strong(word).is_some() && !is_rare(word) && matches!(rest, [b' ' | b':' | b'\t', ..])
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-/:@$#*~".contains(&byte)
}

/// `pay/charge.go:88`, `app.py:function:12`
fn is_caller(text: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', text) else { return false };
    let (file, line) = (&text[..colon], &text[colon + 1..]);
    let last = line.rsplit(|byte| *byte == b':').next().unwrap_or_default();
    let has_extension = memchr::memrchr(b'.', file).is_some_and(|dot| {
        let extension = &file[dot + 1..];
        (1..=5).contains(&extension.len()) && extension.iter().all(u8::is_ascii_alphabetic)
    });
    has_extension
        && !last.is_empty()
        && last.iter().all(u8::is_ascii_digit)
        && text.iter().all(|byte| is_name(*byte) || *byte > 0x7f)
}
