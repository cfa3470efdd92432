//! Splits a template into tokens: literal text, and the words between `{{` and `}}`.

use super::{quote::quoted, utf8};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its text is the error message; no token follows.
    Error,
    Eof,
    Text,
    LeftDelim,
    RightDelim,
    LeftParen,
    RightParen,
    Pipe,
    Space,
    Assign,
    Declare,
    Bool,
    /// A character constant, quotes included.
    Character,
    Number,
    /// A string constant, quotes included.
    Str,
    /// `.name`
    Field,
    Identifier,
    /// `$name`
    Variable,
    /// Any other printable ASCII character.
    Char,
    Dot,
    Nil,
    Keyword,
}

#[derive(Debug, Clone)]
pub struct Token {
    pub kind: Kind,
    pub pos: u32,
    pub text: Vec<u8>,
    /// The line of its start, from 1.
    pub line: u32,
}

impl Token {
    pub fn is_keyword(&self, word: &str) -> bool {
        self.kind == Kind::Keyword && self.text == word.as_bytes()
    }

    /// Names and numbers are UTF-8; in errors, other bytes become replacement characters.
    pub fn str(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            Kind::Eof => f.write_str("EOF"),
            Kind::Error => f.write_str(&self.str()),
            Kind::Keyword | Kind::Dot | Kind::Nil => write!(f, "<{}>", self.str()),
            _ if self.text.len() > 10 => write!(f, "{}...", quoted(utf8::truncate(&self.text, 10))),
            _ => f.write_str(&quoted(&self.text)),
        }
    }
}

const KEYWORDS: [&str; 10] =
    ["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"];

/// The tokens of `input`; the last is [`Kind::Eof`] or [`Kind::Error`].
pub fn tokens(input: &[u8]) -> Vec<Token> {
    let mut lexer = Lexer { input, pos: 0, start: 0, line: 1, depth: 0, tokens: Vec::new() };
    if let Err(error) = lexer.run() {
        let line = lexer.line;
        lexer.tokens.push(Token { kind: Kind::Error, pos: lexer.start as u32, text: error.into(), line });
    }
    lexer.tokens
}

struct Lexer<'t> {
    input: &'t [u8],
    pos: usize,
    /// The start of the current token, and its line.
    start: usize,
    line: u32,
    /// Open parentheses.
    depth: usize,
    tokens: Vec<Token>,
}

type Result<T = ()> = std::result::Result<T, String>;

impl<'t> Lexer<'t> {
    fn run(&mut self) -> Result {
        while let Some(at) = memchr::memmem::find(&self.input[self.pos..], b"{{") {
            let open = self.pos + at;
            let trim = is_left_marker(&self.input[open + 2..]);
            self.pos = open;
            if trim {
                self.pos = self.start + trim_end(&self.input[self.start..open]).len();
            }
            if self.pos > self.start {
                self.emit(Kind::Text);
            }
            self.pos = open;
            self.skip();
            self.pos += 2;
            let marker = if trim { 2 } else { 0 };
            if self.input[self.pos + marker..].starts_with(b"/*") {
                self.pos += marker;
                self.skip();
                self.comment()?;
            } else {
                self.emit(Kind::LeftDelim);
                self.pos += marker;
                self.skip();
                self.depth = 0;
                self.action()?;
            }
        }
        self.pos = self.input.len();
        if self.pos > self.start {
            self.emit(Kind::Text);
        }
        self.emit(Kind::Eof);
        Ok(())
    }

    fn comment(&mut self) -> Result {
        let rest = &self.input[self.pos + 2..];
        let end = memchr::memmem::find(rest, b"*/").ok_or("unclosed comment")?;
        self.pos += 2 + end + 2;
        let trim = self.at_right_delim().ok_or("comment ends before closing delimiter")?;
        self.right_delim(trim, false);
        Ok(())
    }

    /// Reads up to and including the closing delimiter.
    fn action(&mut self) -> Result {
        loop {
            if let Some(trim) = self.at_right_delim() {
                if self.depth > 0 {
                    return Err("unclosed left paren".to_owned());
                }
                self.right_delim(trim, true);
                return Ok(());
            }
            let Some(char) = self.peek() else { return Err("unclosed action".to_owned()) };
            match char {
                ' ' | '\t' | '\r' | '\n' => self.space(),
                '=' => self.single(Kind::Assign),
                ':' => {
                    if self.input.get(self.pos + 1) != Some(&b'=') {
                        return Err("expected :=".to_owned());
                    }
                    self.pos += 2;
                    self.emit(Kind::Declare);
                }
                '|' => self.single(Kind::Pipe),
                '"' => self.constant(b'"', Kind::Str, "unterminated quoted string")?,
                '\'' => self.constant(b'\'', Kind::Character, "unterminated character constant")?,
                '`' => self.raw()?,
                '$' => self.name(Kind::Variable)?,
                '.' if self.input.get(self.pos + 1).is_some_and(|byte| !byte.is_ascii_digit()) => {
                    self.name(Kind::Field)?;
                }
                '.' | '+' | '-' | '0'..='9' => self.number()?,
                '(' => {
                    self.depth += 1;
                    self.single(Kind::LeftParen);
                }
                ')' => {
                    self.depth = self.depth.checked_sub(1).ok_or("unexpected right paren")?;
                    self.single(Kind::RightParen);
                }
                char if utf8::is_alphanumeric(char) => self.identifier()?,
                '!'..='~' => self.single(Kind::Char),
                char => return Err(format!("unrecognized character in action: {}", code_point(char))),
            }
        }
    }

    /// Whether the action ends here, and if so, whether it trims the following space.
    fn at_right_delim(&self) -> Option<bool> {
        match &self.input[self.pos..] {
            [b' ' | b'\t' | b'\r' | b'\n', b'-', b'}', b'}', ..] => Some(true),
            [b'}', b'}', ..] => Some(false),
            _ => None,
        }
    }

    fn right_delim(&mut self, trim: bool, emit: bool) {
        if trim {
            self.pos += 2;
            self.skip();
        }
        self.pos += 2;
        if emit {
            self.emit(Kind::RightDelim);
        } else {
            self.skip();
        }
        if trim {
            let rest = &self.input[self.pos..];
            self.pos += rest.iter().take_while(|&&byte| is_space(byte)).count();
            self.skip();
        }
    }

    fn space(&mut self) {
        while self.input.get(self.pos).copied().is_some_and(is_space) && self.at_right_delim() != Some(true) {
            self.pos += 1;
        }
        if self.pos > self.start {
            self.emit(Kind::Space);
        }
    }

    fn identifier(&mut self) -> Result {
        self.word();
        self.terminated()?;
        let kind = match &self.input[self.start..self.pos] {
            b"nil" => Kind::Nil,
            b"true" | b"false" => Kind::Bool,
            word if KEYWORDS.iter().any(|keyword| keyword.as_bytes() == word) => Kind::Keyword,
            _ => Kind::Identifier,
        };
        self.emit(kind);
        Ok(())
    }

    /// `.name`, `$name`, or only the sign.
    fn name(&mut self, kind: Kind) -> Result {
        self.pos += 1;
        if self.terminated().is_err() {
            self.word();
            self.terminated()?;
        }
        let alone = self.pos == self.start + 1;
        self.emit(if alone && kind == Kind::Field { Kind::Dot } else { kind });
        Ok(())
    }

    fn word(&mut self) {
        while let Some(char) = self.peek().filter(|&char| utf8::is_alphanumeric(char)) {
            self.pos += char.len_utf8();
        }
    }

    /// Whether a name may end here.
    fn terminated(&self) -> Result {
        match self.peek() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(') => Ok(()),
            _ if self.input[self.pos..].starts_with(b"}}") => Ok(()),
            Some(char) => Err(format!("bad character {}", code_point(char))),
        }
    }

    fn constant(&mut self, quote: u8, kind: Kind, unterminated: &str) -> Result {
        self.pos += 1;
        loop {
            match &self.input[self.pos..] {
                [byte, ..] if *byte == quote => break,
                [] | [b'\n', ..] | [b'\\'] | [b'\\', b'\n', ..] => return Err(unterminated.to_owned()),
                [b'\\', ..] => self.pos += 2,
                _ => self.pos += 1,
            }
        }
        self.single(kind);
        Ok(())
    }

    fn raw(&mut self) -> Result {
        let rest = &self.input[self.pos + 1..];
        let end = memchr::memchr(b'`', rest).ok_or("unterminated raw quoted string")?;
        self.pos += 1 + end;
        self.single(Kind::Str);
        Ok(())
    }

    /// Text that looks like a number; the parser validates it.
    fn number(&mut self) -> Result {
        let mut ok = self.scan_number();
        if ok && matches!(self.peek(), Some('+' | '-')) {
            // `1+2i`
            ok = self.scan_number() && self.input[self.pos - 1] == b'i';
        }
        if !ok {
            return Err(format!("bad number syntax: {}", quoted(&self.input[self.start..self.pos])));
        }
        self.emit(Kind::Number);
        Ok(())
    }

    fn scan_number(&mut self) -> bool {
        self.accept(b"+-");
        let mut digits: &[u8] = b"0123456789_";
        if self.accept(b"0") {
            if self.accept(b"xX") {
                digits = b"0123456789abcdefABCDEF_";
            } else if self.accept(b"oO") {
                digits = b"01234567_";
            } else if self.accept(b"bB") {
                digits = b"01_";
            }
        }
        while self.accept(digits) {}
        if self.accept(b".") {
            while self.accept(digits) {}
        }
        let exponent: &[u8] = match digits.len() {
            11 => b"eE",
            23 => b"pP",
            _ => b"",
        };
        if self.accept(exponent) {
            self.accept(b"+-");
            while self.accept(b"0123456789_") {}
        }
        self.accept(b"i");
        match self.peek() {
            Some(char) if utf8::is_alphanumeric(char) => {
                self.pos += char.len_utf8();
                false
            }
            _ => true,
        }
    }

    fn accept(&mut self, bytes: &[u8]) -> bool {
        let accepted = self.input.get(self.pos).is_some_and(|byte| bytes.contains(byte));
        self.pos += usize::from(accepted);
        accepted
    }

    fn peek(&self) -> Option<char> {
        let rest = &self.input[self.pos..];
        (!rest.is_empty()).then(|| utf8::decode(rest).0)
    }

    fn single(&mut self, kind: Kind) {
        self.pos += 1;
        self.emit(kind);
    }

    fn emit(&mut self, kind: Kind) {
        let text = self.input[self.start..self.pos].to_vec();
        self.tokens.push(Token { kind, pos: self.start as u32, text, line: self.line });
        self.skip();
    }

    /// Starts the next token here.
    fn skip(&mut self) {
        self.line += memchr::memchr_iter(b'\n', &self.input[self.start..self.pos]).count() as u32;
        self.start = self.pos;
    }
}

/// `U+0021 '!'`
fn code_point(char: char) -> String {
    let code = u32::from(char);
    if utf8::is_print(char) { format!("U+{code:04X} '{char}'") } else { format!("U+{code:04X}") }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_left_marker(text: &[u8]) -> bool {
    matches!(text, [b'-', b' ' | b'\t' | b'\r' | b'\n', ..])
}

/// Like [`<[u8]>::trim_ascii_end`], but a form feed is not a space.
fn trim_end(text: &[u8]) -> &[u8] {
    let len = text.iter().rposition(|&byte| !is_space(byte)).map_or(0, |last| last + 1);
    &text[..len]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(input: &str) -> String {
        let tokens = tokens(input.as_bytes());
        let tokens: Vec<String> =
            tokens.iter().map(|token| format!("{:?} {}", token.kind, token.str())).collect();
        tokens.join("|")
    }

    #[test]
    fn text_and_actions_are_cut() {
        assert_eq!(kinds("a{{.B}}c"), "Text a|LeftDelim {{|Field .B|RightDelim }}|Text c|Eof ");
        assert_eq!(
            kinds("{{$x:=(len 1)|f}}"),
            "LeftDelim {{|Variable $x|Declare :=|LeftParen (|Identifier len|Space  |Number 1|RightParen )|Pipe ||\
             Identifier f|RightDelim }}|Eof "
        );
    }

    #[test]
    fn markers_trim_the_space_around() {
        assert_eq!(kinds("a \n{{- 1 -}}\n b"), "Text a|LeftDelim {{|Number 1|RightDelim }}|Text b|Eof ");
        assert_eq!(kinds("\n{{- /* c */ -}}\n x"), "Text x|Eof ");
        assert_eq!(kinds("{{-3}}"), "LeftDelim {{|Number -3|RightDelim }}|Eof ");
    }

    #[test]
    fn an_error_ends_it() {
        for (input, error) in [
            ("{{.A", "unclosed action"),
            ("{{(1}}", "unclosed left paren"),
            ("{{)}}", "unexpected right paren"),
            ("{{/* a", "unclosed comment"),
            ("{{/* a */ }}", "comment ends before closing delimiter"),
            ("{{\"a\n\"}}", "unterminated quoted string"),
            ("{{'a}}", "unterminated character constant"),
            ("{{`a}}", "unterminated raw quoted string"),
            ("{{a+b}}", "bad character U+002B '+'"),
            ("{{3k}}", "bad number syntax: \"3k\""),
            ("{{:}}", "expected :="),
            ("{{✓}}", "unrecognized character in action: U+2713 '✓'"),
        ] {
            assert!(kinds(input).ends_with(&format!("Error {error}")), "{input}: {}", kinds(input));
        }
    }

    #[test]
    fn lines_are_counted() {
        let tokens = tokens(b"a\n\n{{- 1\n}}\n{{2}}");
        let lines: Vec<(Kind, u32)> = tokens.iter().map(|token| (token.kind, token.line)).collect();
        assert!(lines.contains(&(Kind::LeftDelim, 3)) && lines.contains(&(Kind::RightDelim, 4)));
        assert_eq!(tokens.last().map(|token| token.line), Some(5));
    }
}
