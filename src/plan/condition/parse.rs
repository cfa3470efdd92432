//! Reads conditions, and says where one is wrong.

use super::{Check, Condition, Expr, Keys, Literal, Literals, Path, Relation, Step, Subject, Test};
use crate::plan::LinePattern;

/// Most parentheses and negations one within the other.
const DEEPEST: usize = 100;

/// The longest part of a condition in a message.
const SHOWN: usize = 40;

/// Reads a condition. The error is the rest of a sentence that begins with the flag's name.
pub fn parse(text: &str, literals: &Literals) -> Result<Condition, String> {
    let mut parser = Parser { text, at: 0, depth: 0, literals, paths: Vec::new() };
    let root = parser.all_of_it().map_err(|fault| fault.in_text(text))?;
    Ok(Condition { root, paths: parser.paths })
}

/// Something wrong at an offset.
struct Fault {
    at: usize,
    reason: String,
}

impl Fault {
    fn in_text(self, text: &str) -> String {
        let Fault { at, reason } = self;
        let column = text[..at].chars().count() + 1;
        let rest: String = text[at..].chars().take(SHOWN).collect();
        match text[at..].trim() {
            "" => format!("{reason}, at column {column}, the end"),
            _ if at + rest.len() < text.len() => format!("{reason}, at column {column}: {rest}…"),
            _ => format!("{reason}, at column {column}: {rest}"),
        }
    }
}

type Parsed<T> = Result<T, Fault>;

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    literals: &'t Literals<'t>,
    paths: Vec<Path>,
}

#[derive(Clone, Copy)]
enum Operator {
    Equal,
    Ordered(Relation),
    Matches,
    In,
    Contains,
}

/// An operator and whether it is negated.
const OPERATORS: [(&str, Operator, bool); 11] = [
    ("==", Operator::Equal, false),
    ("=~", Operator::Matches, false),
    ("=", Operator::Equal, false),
    ("!=", Operator::Equal, true),
    ("!~", Operator::Matches, true),
    ("~", Operator::Matches, false),
    ("<=", Operator::Ordered(Relation::AtMost), false),
    ("<", Operator::Ordered(Relation::Less), false),
    (">=", Operator::Ordered(Relation::AtLeast), false),
    (">", Operator::Ordered(Relation::More), false),
    ("notin", Operator::In, true),
];

/// Of other languages.
const NO_OPERATORS: [(&str, &str); 6] = [
    ("~=", "\"~=\" is no operator; for a regular expression write =~"),
    ("=<", "\"=<\" is no operator; write <="),
    ("=>", "\"=>\" is no operator; write >="),
    ("<>", "\"<>\" is no operator; write !="),
    ("===", "\"===\" is no operator; write ="),
    (":", "\":\" is no operator; write ="),
];

const WORDS: [&str; 6] = ["and", "or", "not", "in", "notin", "contains"];

impl<'t> Parser<'t> {
    fn all_of_it(&mut self) -> Parsed<Expr<LinePattern>> {
        let root = self.any()?;
        match self.rest() {
            "" => Ok(root),
            ")" => Err(self.fault("\")\" has no \"(\" before it")),
            _ => Err(self.fault("after a condition \"and\", \"or\" or the end is expected")),
        }
    }

    fn any(&mut self) -> Parsed<Expr<LinePattern>> {
        let mut parts = vec![self.all()?];
        while self.take("||") || self.take_word("or") {
            parts.push(self.all()?);
        }
        Ok(joined(parts, Expr::Any))
    }

    fn all(&mut self) -> Parsed<Expr<LinePattern>> {
        let mut parts = vec![self.not()?];
        while self.take("&&") || self.take(",") || self.take_word("and") {
            parts.push(self.not()?);
        }
        Ok(joined(parts, Expr::All))
    }

    fn not(&mut self) -> Parsed<Expr<LinePattern>> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.fault(format!("more than {DEEPEST} conditions are one within the other")));
        }
        let expr = if self.take("!") || self.take_word("not") {
            Expr::Not(Box::new(self.not()?))
        } else if self.take("(") {
            let expr = self.any()?;
            self.expect(")")?;
            expr
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn test(&mut self) -> Parsed<Expr<LinePattern>> {
        if self.take_call("exists") {
            let path = self.path()?;
            self.expect(")")?;
            return Ok(self.tested(path, Check::Present, false));
        }
        let path = self.path()?;
        let subject = path.subject;
        let Some((typed, operator, is_negated)) = self.operator()? else {
            return Ok(self.tested(path, Check::Present, false));
        };
        let check = match operator {
            Operator::Equal => Check::Equals(self.literal(subject, typed)?),
            Operator::In => Check::OneOf(self.list(subject, typed)?),
            Operator::Contains => Check::Contains(self.literal(Subject::Field, typed)?),
            Operator::Matches => Check::Matches(self.pattern(typed)?),
            Operator::Ordered(relation) => {
                let start = self.start();
                let literal = self.literal(subject, typed)?;
                if !literal.value.has_order() {
                    let reason = format!(
                        "\"{typed}\" compares numbers, durations, sizes, levels and times; \"{}\" is text",
                        literal.text
                    );
                    return Err(Fault { at: start, reason });
                }
                Check::Ordered(relation, literal)
            }
        };
        Ok(self.tested(path, check, is_negated))
    }

    fn tested(&mut self, path: Path, check: Check<LinePattern>, is_negated: bool) -> Expr<LinePattern> {
        let known = self.paths.iter().position(|known| *known == path);
        let path = known.unwrap_or_else(|| {
            self.paths.push(path);
            self.paths.len() - 1
        });
        let test = Expr::Test(Test { path, check });
        if is_negated { Expr::Not(Box::new(test)) } else { test }
    }

    /// None: the path stands alone.
    fn operator(&mut self) -> Parsed<Option<(&'static str, Operator, bool)>> {
        let rest = self.rest();
        if let Some((_, reason)) = NO_OPERATORS.iter().find(|(operator, _)| rest.starts_with(operator)) {
            return Err(self.fault(*reason));
        }
        for (typed, operator, is_negated) in OPERATORS {
            let is_word = typed.starts_with(|c: char| c.is_ascii_alphabetic());
            if if is_word { self.take_word(typed) } else { self.take(typed) } {
                return Ok(Some((typed, operator, is_negated)));
            }
        }
        let before = self.at;
        let is_negated = self.take_word("not");
        if self.take_word("in") {
            return Ok(Some(("in", Operator::In, is_negated)));
        }
        if self.take_word("contains") {
            return Ok(Some(("contains", Operator::Contains, is_negated)));
        }
        match is_negated {
            true => Err(self.fault("after \"not\" behind a field \"in\" or \"contains\" is expected")),
            false => {
                self.at = before;
                Ok(None)
            }
        }
    }

    fn path(&mut self) -> Parsed<Path> {
        let start = self.start();
        let is_literal = self.take(".");
        let first = self.segment()?;
        let mut keys = Keys::default();
        keys.push(&first);
        let mut steps = Vec::new();
        loop {
            if self.take_here('.') {
                keys.push(&self.segment()?);
            } else if self.take_here('[') {
                match self.bracket()? {
                    Step::Keys(key) => keys.push(&String::from_utf8_lossy(key.join(0, 1))),
                    step => {
                        if keys.len() > 0 {
                            steps.push(Step::Keys(std::mem::take(&mut keys)));
                        }
                        steps.push(step);
                    }
                }
            } else {
                break;
            }
        }
        let is_one = steps.is_empty() && keys.len() == 1;
        if keys.len() > 0 {
            steps.push(Step::Keys(keys));
        }
        let alias = Subject::alias(&first).filter(|_| is_one && !is_literal);
        let typed = self.text[start..self.at].to_owned();
        Ok(Path { typed, subject: alias.unwrap_or(Subject::Field), steps })
    }

    /// A key in a path.
    fn segment(&mut self) -> Parsed<String> {
        let rest = &self.text[self.at..];
        if rest.starts_with(['"', '\'']) {
            return self.quoted(Escapes::Json);
        }
        let end = rest.find(|c: char| !is_of_key(c)).unwrap_or(rest.len());
        let word = &rest[..end];
        if word.is_empty() || WORDS.iter().any(|reserved| word.eq_ignore_ascii_case(reserved)) {
            return Err(self.fault("a field is expected, such as status or http.status"));
        }
        self.at += end;
        Ok(word.to_owned())
    }

    /// What follows a bracket in a path.
    fn bracket(&mut self) -> Parsed<Step> {
        let rest = self.rest();
        let step = if self.take("*") {
            Step::Each
        } else if rest.starts_with(['"', '\'']) {
            let mut key = Keys::default();
            key.push(&self.quoted(Escapes::Json)?);
            Step::Keys(key)
        } else {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let number = rest[..digits].parse();
            let number = number.map_err(|_| {
                self.fault("in brackets the number of an item, * for any, or a key in quotes is expected")
            })?;
            self.at += digits;
            Step::Item(number)
        };
        self.expect("]")?;
        Ok(step)
    }

    fn list(&mut self, subject: Subject, operator: &str) -> Parsed<Vec<Literal>> {
        if !self.take("(") {
            return Err(self.fault(format!("after \"{operator}\" values in parentheses are expected")));
        }
        let mut literals = vec![self.literal(subject, "(")?];
        while self.take(",") {
            literals.push(self.literal(subject, ",")?);
        }
        self.expect(")")?;
        Ok(literals)
    }

    fn literal(&mut self, subject: Subject, operator: &str) -> Parsed<Literal> {
        let start = self.start();
        let (text, is_quoted) = self.value(operator, Escapes::Json)?;
        let at_start = |reason| Fault { at: start, reason };
        self.literals.read(subject, text, is_quoted).map_err(at_start)
    }

    fn pattern(&mut self, operator: &str) -> Parsed<LinePattern> {
        let start = self.start();
        let (text, _) = self.value(operator, Escapes::Regex)?;
        self.literals.room.pattern(&text).map_err(|reason| Fault { at: start, reason })
    }

    /// A value, and whether it stands in quotes.
    fn value(&mut self, operator: &str, escapes: Escapes) -> Parsed<(String, bool)> {
        let rest = self.rest();
        if rest.starts_with(['"', '\'']) {
            return Ok((self.quoted(escapes)?, true));
        }
        let ends = |(at, c): (usize, char)| {
            let rest = &rest[at..];
            (c.is_whitespace() || ",()".contains(c) || rest.starts_with("&&") || rest.starts_with("||"))
                .then_some(at)
        };
        let word = &rest[..rest.char_indices().find_map(ends).unwrap_or(rest.len())];
        if word.is_empty() {
            return Err(self.fault(format!("after \"{operator}\" a value is expected")));
        }
        if WORDS.iter().any(|reserved| word.eq_ignore_ascii_case(reserved)) {
            let reason = format!("after \"{operator}\" a value is expected; quote \"{word}\" if it is one");
            return Err(self.fault(reason));
        }
        self.at += word.len();
        Ok((word.to_owned(), false))
    }

    /// A text in quotes, which begins here.
    fn quoted(&mut self, escapes: Escapes) -> Parsed<String> {
        let rest = &self.text[self.at..];
        let unclosed =
            || Fault { at: self.at, reason: "a quote is missing at the end of this text".to_owned() };
        if let Some(raw) = rest.strip_prefix('\'') {
            let end = raw.find('\'').ok_or_else(unclosed)?;
            self.at += end + 2;
            return Ok(raw[..end].to_owned());
        }
        let mut is_escaped = false;
        let end = rest.char_indices().skip(1).find_map(|(at, c)| match c {
            '"' if !is_escaped => Some(at),
            _ => {
                is_escaped = c == '\\' && !is_escaped;
                None
            }
        });
        let end = end.ok_or_else(unclosed)? + 1;
        let text = match escapes {
            Escapes::Regex => rest[1..end - 1].replace("\\\"", "\""),
            Escapes::Json => serde_json::from_str(&rest[..end]).map_err(|_| {
                let reason = "this is no JSON string; between ' and ' every character is itself";
                self.fault(reason)
            })?,
        };
        self.at += end;
        Ok(text)
    }

    /// Behind blanks.
    fn start(&self) -> usize {
        let rest = &self.text[self.at..];
        self.at + rest.len() - rest.trim_start().len()
    }

    /// What follows; moves behind blanks.
    fn rest(&mut self) -> &'t str {
        self.at = self.start();
        &self.text[self.at..]
    }

    fn take(&mut self, symbol: &str) -> bool {
        let is_next = self.rest().starts_with(symbol);
        self.at += if is_next { symbol.len() } else { 0 };
        is_next
    }

    /// The same, without blanks before it.
    fn take_here(&mut self, symbol: char) -> bool {
        let is_next = self.text[self.at..].starts_with(symbol);
        self.at += if is_next { symbol.len_utf8() } else { 0 };
        is_next
    }

    fn take_word(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let next = &rest[..rest.find(|c: char| !is_of_key(c)).unwrap_or(rest.len())];
        let is_next = next.eq_ignore_ascii_case(word);
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    /// A name and a parenthesis.
    fn take_call(&mut self, name: &str) -> bool {
        let before = self.at;
        let is_next = self.take_word(name) && self.take("(");
        self.at = if is_next { self.at } else { before };
        is_next
    }

    fn expect(&mut self, symbol: &str) -> Parsed<()> {
        match self.take(symbol) {
            true => Ok(()),
            false => Err(self.fault(format!("\"{symbol}\" is expected"))),
        }
    }

    /// Behind blanks.
    fn fault(&self, reason: impl Into<String>) -> Fault {
        Fault { at: self.start(), reason: reason.into() }
    }
}

/// The meaning of a backslash between quotes.
#[derive(Clone, Copy)]
enum Escapes {
    Json,
    /// It belongs to the expression, but before a quote.
    Regex,
}

fn is_of_key(c: char) -> bool {
    c.is_alphanumeric() || "_@/$-".contains(c)
}

fn joined<P>(mut parts: Vec<Expr<P>>, join: fn(Vec<Expr<P>>) -> Expr<P>) -> Expr<P> {
    match parts.pop() {
        Some(one) if parts.is_empty() => one,
        last => {
            parts.extend(last);
            join(parts)
        }
    }
}
