//! Parses a pattern as Go does, with Go's errors.

use super::{
    Translated,
    class::Class,
    item::{Count, Excess, Item, MAX_COPIES},
};

type Result<T, E = String> = std::result::Result<T, E>;

/// The error's text: a reason, and the faulty part.
fn refuse<T>(reason: &str, about: &str) -> Result<T> {
    Err(format!("{reason}: `{about}`"))
}

#[derive(Debug, Default, Clone, Copy)]
struct Flags {
    /// `(?i)`
    fold: bool,
    /// `(?m)`
    multi_line: bool,
    /// `(?s)`
    dot_newline: bool,
    /// `(?U)`
    lazy: bool,
}

/// An open group, or the whole pattern.
#[derive(Default)]
struct Group {
    alternatives: Vec<Item>,
    /// The current alternative.
    items: Vec<Item>,
    /// The flags to restore at its end.
    outer: Flags,
    captures: bool,
    /// It captures in the translation too.
    is_kept: bool,
}

pub struct Parser<'a> {
    pattern: &'a str,
    /// The unread part.
    rest: &'a str,
    flags: Flags,
    /// The groups around `group`. Kept on the heap, so that a deep pattern cannot overflow the program's stack.
    outer: Vec<Group>,
    group: Group,
    sees_invalid: bool,
    /// The next group that captures is to capture in the translation too.
    keeps_next: bool,
}

impl<'a> Parser<'a> {
    pub fn new(pattern: &'a str) -> Parser<'a> {
        Parser {
            pattern,
            rest: pattern,
            flags: Flags::default(),
            outer: Vec::new(),
            group: Group::default(),
            sees_invalid: false,
            keeps_next: false,
        }
    }

    pub fn with_group(self) -> Parser<'a> {
        Parser { keeps_next: true, ..self }
    }

    pub fn run(mut self) -> Result<Translated> {
        // The start of a repetition that ended just before.
        let mut repeated = None;
        while let Some(c) = self.rest.chars().next() {
            let before = self.rest;
            let is_repetition = match c {
                '*' | '+' | '?' => {
                    self.repeat(None, before, &before[1..], repeated)?;
                    true
                }
                '{' => self.count(repeated)?,
                _ => {
                    self.other(c)?;
                    false
                }
            };
            repeated = is_repetition.then_some(before);
        }
        if !self.outer.is_empty() {
            return refuse("missing closing )", self.pattern);
        }
        let group = std::mem::take(&mut self.group);
        let item = self.close(group)?;
        Ok(Translated { text: item.into_text(), sees_invalid: self.sees_invalid })
    }

    /// Parses everything except repetitions.
    fn other(&mut self, c: char) -> Result<()> {
        let after = &self.rest[c.len_utf8()..];
        match c {
            '(' if after.starts_with('?') => return self.perl_group(),
            '(' => self.open(true),
            '|' => {
                let items = std::mem::take(&mut self.group.items);
                let alternative = self.within(Item::concat(items))?;
                self.group.alternatives.push(alternative);
            }
            ')' => {
                let Some(outer) = self.outer.pop() else {
                    return refuse("unexpected )", self.pattern);
                };
                let group = std::mem::replace(&mut self.group, outer);
                self.flags = group.outer;
                let Group { captures, is_kept, .. } = group;
                let mut item = self.close(group)?;
                if captures {
                    item = self.within(item.capture(is_kept))?;
                }
                self.group.items.push(item);
            }
            '^' => self.push(if self.flags.multi_line { "(?m:^)" } else { "^" }),
            '$' => self.push(if self.flags.multi_line { "(?m:$)" } else { "$" }),
            '.' => {
                self.sees_invalid = true;
                self.push(if self.flags.dot_newline { "(?s:.)" } else { "." });
            }
            '[' => return self.bracket(),
            '\\' => return self.escape(),
            _ => self.literal(c.into()),
        }
        self.rest = after;
        Ok(())
    }

    fn within<T>(&self, result: Result<T, Excess>) -> Result<T> {
        result.or_else(|excess| match excess {
            Excess::Nesting => refuse("expression nests too deeply", self.pattern),
            Excess::Size => refuse("expression too large", self.pattern),
        })
    }

    fn push(&mut self, text: &str) {
        self.group.items.push(Item::atom(text));
    }

    fn literal(&mut self, code: u32) {
        let class = Class::range(code, code);
        let fold = self.flags.fold;
        let class = if fold { class.folded() } else { class };
        self.sees_invalid |= class.contains(char::REPLACEMENT_CHARACTER);
        self.group.items.push(Item::literal(class.text(), fold));
    }

    fn class(&mut self, class: &Class) {
        self.sees_invalid |= class.contains(char::REPLACEMENT_CHARACTER);
        self.push(&class.text());
    }

    fn open(&mut self, captures: bool) {
        let is_kept = captures && std::mem::take(&mut self.keeps_next);
        let group = Group { outer: self.flags, captures, is_kept, ..Group::default() };
        self.outer.push(std::mem::replace(&mut self.group, group));
    }

    fn close(&self, mut group: Group) -> Result<Item> {
        group.alternatives.push(self.within(Item::concat(group.items))?);
        self.within(Item::alternate(group.alternatives))
    }

    /// `before` starts at the operator and `after` follows it; `repeated` starts at a repetition right before it.
    fn repeat(
        &mut self,
        count: Option<Count>,
        before: &'a str,
        after: &'a str,
        repeated: Option<&str>,
    ) -> Result<()> {
        let operator = between(before, after);
        let lazy = after.starts_with('?');
        let after = after.strip_prefix('?').unwrap_or(after);
        if let Some(repeated) = repeated {
            return refuse("invalid nested repetition operator", between(repeated, after));
        }
        let Some(item) = self.group.items.pop() else {
            return refuse("missing argument to repetition operator", between(before, after));
        };
        let (item, too_many) = self.within(item.repeat(operator, count, lazy != self.flags.lazy))?;
        if too_many {
            return refuse("invalid repeat count", between(before, after));
        }
        self.group.items.push(item);
        self.rest = after;
        Ok(())
    }

    /// `{2}`, `{2,}` or `{2,5}`. Otherwise the brace is a literal.
    fn count(&mut self, repeated: Option<&str>) -> Result<bool> {
        let before = self.rest;
        let Some((count, after)) = counts(before) else {
            self.literal('{'.into());
            self.rest = &before[1..];
            return Ok(false);
        };
        let most = count.max.unwrap_or(count.min);
        if count.min > most || most > MAX_COPIES {
            return refuse("invalid repeat count", between(before, after));
        }
        self.repeat(Some(count), before, after, repeated)?;
        Ok(true)
    }

    /// `(?` and the rest: a name, or flags followed by a colon or a parenthesis.
    fn perl_group(&mut self) -> Result<()> {
        let start = self.rest;
        let named = if start.len() > 4 && start.starts_with("(?P<") {
            Some(4)
        } else {
            (start.len() > 3 && start.starts_with("(?<")).then_some(3)
        };
        if let Some(from) = named {
            let Some(end) = start.find('>') else {
                return refuse("invalid named capture", start);
            };
            let name = &start[from..end];
            if name.is_empty() || !name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()) {
                return refuse("invalid named capture", &start[..=end]);
            }
            self.open(true);
            self.rest = &start[end + 1..];
            return Ok(());
        }
        let mut rest = &start[2..];
        let mut flags = self.flags;
        // The value that flags get, and whether a flag was given since the dash.
        let (mut value, mut given) = (true, false);
        while !rest.is_empty() {
            let c = next(&mut rest);
            match c {
                'i' => flags.fold = value,
                'm' => flags.multi_line = value,
                's' => flags.dot_newline = value,
                'U' => flags.lazy = value,
                '-' if value => {
                    (value, given) = (false, false);
                    continue;
                }
                ':' | ')' if value || given => {
                    if c == ':' {
                        self.open(false);
                    }
                    self.flags = flags;
                    self.rest = rest;
                    return Ok(());
                }
                _ => break,
            }
            given = true;
        }
        refuse("invalid or unsupported Perl syntax", between(start, rest))
    }

    /// A backslash outside brackets.
    fn escape(&mut self) -> Result<()> {
        let start = self.rest;
        let letter = start[1..].chars().next();
        let after = &start[1 + letter.map_or(0, char::len_utf8)..];
        match letter {
            Some('A') => self.push("^"),
            Some('z') => self.push("$"),
            Some('b') => self.push(r"(?-u:\b)"),
            Some('B') => {
                // Go looks only between characters, the regex crate between bytes; one of the Unicode assertions
                // holds between characters, and none within one.
                self.sees_invalid = true;
                self.push(r"(?:(?-u:\B)(?:\b|\B))");
            }
            Some('C') => return refuse("invalid escape sequence", r"\C"),
            Some('Q') => {
                let (quoted, after) = after.split_once(r"\E").unwrap_or((after, ""));
                quoted.chars().for_each(|c| self.literal(c.into()));
                self.rest = after;
                return Ok(());
            }
            _ => match self.class_escape(start)? {
                Some((class, after)) => {
                    self.class(&class);
                    self.rest = after;
                    return Ok(());
                }
                None => {
                    let (code, after) = character_escape(start)?;
                    self.literal(code);
                    self.rest = after;
                    return Ok(());
                }
            },
        }
        self.rest = after;
        Ok(())
    }

    /// `\pL`, `\p{Greek}`, `\d` and similar at the start of `text`, and the rest.
    fn class_escape(&self, text: &'a str) -> Result<Option<(Class, &'a str)>> {
        let Some(mut rest) = text.strip_prefix('\\') else { return Ok(None) };
        let letter = next(&mut rest);
        if !matches!(letter, 'p' | 'P') {
            let perl = Class::perl(letter);
            return Ok(perl.map(|(class, negated)| (self.settled(class, negated), rest)));
        }
        let name = if rest.starts_with('{') {
            let Some(end) = rest.find('}') else {
                return refuse("invalid character class range", text);
            };
            let name = &rest[1..end];
            rest = &rest[end + 1..];
            name
        } else {
            let start = rest;
            next(&mut rest);
            between(start, rest)
        };
        let (name, opposite) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        match Class::unicode(name) {
            Some(class) => Ok(Some((self.settled(class, (letter == 'P') != opposite), rest))),
            None => refuse("invalid character class range", between(text, rest)),
        }
    }

    fn settled(&self, class: Class, negated: bool) -> Class {
        let class = if self.flags.fold { class.folded() } else { class };
        if negated { class.negated() } else { class }
    }

    /// `[…]`
    fn bracket(&mut self) -> Result<()> {
        let start = self.rest;
        let mut rest = &start[1..];
        let negated = rest.starts_with('^');
        rest = rest.strip_prefix('^').unwrap_or(rest);
        let mut class = Class::empty();
        let mut first = true;
        while first || !rest.starts_with(']') {
            first = false;
            if let Some((posix, after)) = self.posix(rest)? {
                class.add(&posix);
                rest = after;
            } else if let Some((escaped, after)) = self.class_escape(rest)? {
                class.add(&escaped);
                rest = after;
            } else {
                let from = rest;
                let low = class_character(&mut rest, start)?;
                let mut high = low;
                // A dash before the closing bracket is a literal.
                if let Some(after) =
                    rest.strip_prefix('-').filter(|rest| !rest.is_empty() && !rest.starts_with(']'))
                {
                    rest = after;
                    high = class_character(&mut rest, start)?;
                    if high < low {
                        return refuse("invalid character class range", between(from, rest));
                    }
                }
                class.add(&self.settled(Class::range(low, high), false));
            }
        }
        self.class(&if negated { class.negated() } else { class });
        self.rest = &rest[1..];
        Ok(())
    }

    /// `[:alpha:]` or `[:^alpha:]` at the start of `text`, and the rest.
    fn posix(&self, text: &'a str) -> Result<Option<(Class, &'a str)>> {
        let Some((name, rest)) = text.strip_prefix("[:").and_then(|text| text.split_once(":]")) else {
            return Ok(None);
        };
        let (plain, negated) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        match Class::posix(plain) {
            Some(class) => Ok(Some((self.settled(class, negated), rest))),
            None => refuse("invalid character class range", between(text, rest)),
        }
    }
}

/// The part of `start` before `rest`.
fn between<'a>(start: &'a str, rest: &str) -> &'a str {
    &start[..start.len() - rest.len()]
}

/// The next character; U+FFFD at the end, as in Go.
fn next(rest: &mut &str) -> char {
    let mut chars = rest.chars();
    let c = chars.next().unwrap_or(char::REPLACEMENT_CHARACTER);
    *rest = chars.as_str();
    c
}

/// One character of a class; `class` starts at its bracket.
fn class_character(rest: &mut &str, class: &str) -> Result<u32> {
    if rest.is_empty() {
        return refuse("missing closing ]", class);
    }
    if !rest.starts_with('\\') {
        return Ok(next(rest).into());
    }
    let (code, after) = character_escape(rest)?;
    *rest = after;
    Ok(code)
}

/// The code point of an escape at the start of `text`, and the rest.
fn character_escape(text: &str) -> Result<(u32, &str)> {
    let mut rest = &text[1..];
    if rest.is_empty() {
        return refuse("trailing backslash at end of expression", "");
    }
    let c = next(&mut rest);
    let octal = rest.starts_with(|c| matches!(c, '0'..='7'));
    let code = match c {
        // A single digit would be a back reference.
        '1'..='7' if !octal => None,
        '0'..='7' => {
            let more = rest.bytes().take(2).take_while(|b| matches!(b, b'0'..=b'7')).count();
            let digits = &text[1..2 + more];
            rest = &rest[more..];
            u32::from_str_radix(digits, 8).ok()
        }
        'x' => hexadecimal(&mut rest),
        'a' => Some(0x07),
        'f' => Some(0x0C),
        'n' => Some(0x0A),
        'r' => Some(0x0D),
        't' => Some(0x09),
        'v' => Some(0x0B),
        c => (c.is_ascii() && !c.is_ascii_alphanumeric()).then_some(c.into()),
    };
    match code {
        Some(code) => Ok((code, rest)),
        None => refuse("invalid escape sequence", between(text, rest)),
    }
}

/// After `\x`: two digits, or any number in braces.
fn hexadecimal(rest: &mut &str) -> Option<u32> {
    if rest.is_empty() {
        return None;
    }
    let first = next(rest);
    if first != '{' {
        let second = next(rest);
        return Some(first.to_digit(16)? * 16 + second.to_digit(16)?);
    }
    let (mut code, mut digits) = (0, 0);
    loop {
        if rest.is_empty() {
            return None;
        }
        let c = next(rest);
        if c == '}' {
            return (digits > 0).then_some(code);
        }
        code = code * 16 + c.to_digit(16)?;
        digits += 1;
        if code > u32::from(char::MAX) {
            return None;
        }
    }
}

/// The numbers in braces at the start of `text`, and the rest.
fn counts(text: &str) -> Option<(Count, &str)> {
    let (min, rest) = number(text.strip_prefix('{')?)?;
    let (max, rest) = match rest.strip_prefix(',') {
        None => (Some(min), rest),
        Some(rest) if rest.starts_with('}') => (None, rest),
        Some(rest) => {
            let (max, rest) = number(rest)?;
            (Some(max), rest)
        }
    };
    Some((Count { min, max }, rest.strip_prefix('}')?))
}

/// A number without leading zeros.
fn number(text: &str) -> Option<(i64, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(length);
    if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    // An overflow exceeds every limit.
    Some((digits.parse().unwrap_or(i64::MAX), rest))
}
