//! Builds the tree from tokens, with functions looked up and constants parsed.

use std::collections::BTreeMap;

use super::{
    Function,
    ast::{Branch, Command, Invocation, List, Node, Operand, Pipe, Pos, Term},
    lexer::{Kind, Token, tokens},
    number::Number,
    quote::{quoted, unquote},
};

/// Maximum nesting of blocks and parentheses; running a template recurses equally deep.
const MAX_NESTING: usize = 100;

/// All templates in a text by name, including the main one.
pub type Trees = BTreeMap<Vec<u8>, List>;

type Result<T> = std::result::Result<T, String>;

/// Parses `text`; `name` is its name in errors. Err: `template: name:line: reason`.
pub fn parse(name: &str, text: &[u8], functions: &BTreeMap<&'static str, Function>) -> Result<Trees> {
    let mut parser = Parser {
        functions,
        tokens: tokens(text),
        at: 0,
        seen: 0,
        variables: vec!["$".into()],
        trees: Trees::new(),
        action_line: None,
        name,
        ranges: 0,
        nesting: 0,
    };
    let parsed = parser.whole();
    parsed.map_err(|reason| format!("template: {name}:{}: {reason}", parser.tokens[parser.seen].line))?;
    Ok(parser.trees)
}

struct Parser<'p> {
    functions: &'p BTreeMap<&'static str, Function>,
    tokens: Vec<Token>,
    at: usize,
    /// The furthest token examined: errors report its line.
    seen: usize,
    /// Variables declared so far.
    variables: Vec<Box<str>>,
    trees: Trees,
    /// The line of the current action's start.
    action_line: Option<u32>,
    name: &'p str,
    /// Number of enclosing `range`s.
    ranges: usize,
    nesting: usize,
}

/// The end of a list.
enum End {
    End,
    /// Before an `if` or `with` that is not consumed, or at the end of its action.
    Else,
}

impl End {
    fn text(&self) -> &'static str {
        match self {
            End::End => "{{end}}",
            End::Else => "{{else}}",
        }
    }
}

enum Item {
    Node(Node),
    End(End),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    If,
    With,
    Range,
}

impl Control {
    fn word(self) -> &'static str {
        match self {
            Control::If => "if",
            Control::With => "with",
            Control::Range => "range",
        }
    }
}

impl Parser<'_> {
    fn peek(&mut self) -> &Token {
        // No token is read past the last one, which is an error or the end.
        let at = self.at.min(self.tokens.len() - 1);
        self.seen = self.seen.max(at);
        &self.tokens[at]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn peek_non_space(&mut self) -> &Token {
        while self.peek().kind == Kind::Space {
            self.at += 1;
        }
        self.peek()
    }

    fn next_non_space(&mut self) -> Token {
        self.peek_non_space();
        self.next()
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Result<Token> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(&token, context)) }
    }

    fn unexpected(&self, token: &Token, context: &str) -> String {
        if token.kind != Kind::Error {
            return format!("unexpected {token} in {context}");
        }
        match self.action_line.filter(|&line| line != token.line) {
            // "unclosed action started at", not "unclosed action in action started at".
            Some(line) if token.text.ends_with(b" action") => {
                format!("{token} started at {}:{line}", self.name)
            }
            Some(line) => format!("{token} in action started at {}:{line}", self.name),
            None => token.to_string(),
        }
    }

    /// Counts one level of nesting while `parse` runs.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nesting == MAX_NESTING {
            return Err(format!("blocks and parentheses nest deeper than {MAX_NESTING}"));
        }
        self.nesting += 1;
        let parsed = parse(self);
        self.nesting -= 1;
        parsed
    }

    fn whole(&mut self) -> Result<()> {
        let mut root = List::new();
        while self.peek().kind != Kind::Eof {
            if self.peek().kind == Kind::LeftDelim {
                let start = self.at;
                self.next();
                if self.next_non_space().is_keyword("define") {
                    self.definition()?;
                    continue;
                }
                self.at = start;
            }
            match self.text_or_action()? {
                Item::Node(node) => root.push(node),
                Item::End(end) => return Err(format!("unexpected {}", end.text())),
            }
        }
        self.add(self.name.as_bytes().to_vec(), root)
    }

    /// A later tree replaces an empty one; an empty tree replaces none.
    fn add(&mut self, name: Vec<u8>, list: List) -> Result<()> {
        let is_empty = |list: &List| list.iter().all(Node::is_space);
        match self.trees.get(&name) {
            Some(known) if !is_empty(known) && is_empty(&list) => Ok(()),
            Some(known) if !is_empty(known) => {
                Err(format!("template: multiple definition of template {}", quoted(&name)))
            }
            _ => {
                self.trees.insert(name, list);
                Ok(())
            }
        }
    }

    fn definition(&mut self) -> Result<()> {
        const CONTEXT: &str = "define clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        self.expect(Kind::RightDelim, CONTEXT)?;
        self.body(name, CONTEXT)
    }

    /// The list of a separate template, which sees no outer variables.
    fn body(&mut self, name: Vec<u8>, context: &str) -> Result<()> {
        let outer = std::mem::replace(&mut self.variables, vec!["$".into()]);
        let (action_line, ranges) = (self.action_line.take(), std::mem::take(&mut self.ranges));
        let (list, end) = self.nested(Self::list)?;
        if !matches!(end, End::End) {
            return Err(format!("unexpected {} in {context}", end.text()));
        }
        self.add(name, list)?;
        (self.variables, self.action_line, self.ranges) = (outer, action_line, ranges);
        Ok(())
    }

    fn list(&mut self) -> Result<(List, End)> {
        let mut list = List::new();
        while self.peek_non_space().kind != Kind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => list.push(node),
                Item::End(end) => return Ok((list, end)),
            }
        }
        Err("unexpected EOF".to_owned())
    }

    fn text_or_action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text(token.text.into()))),
            Kind::LeftDelim => {
                self.action_line = Some(token.line);
                let item = self.action()?;
                self.action_line = None;
                Ok(item)
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Result<Item> {
        let token = self.peek_non_space().clone();
        if token.kind != Kind::Keyword {
            return Ok(Item::Node(Node::Action(self.pipeline("command", Kind::RightDelim)?)));
        }
        self.at += 1;
        Ok(Item::Node(match token.str().as_str() {
            "end" => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Item::End(End::End));
            }
            "else" => {
                let next = self.peek_non_space();
                if !next.is_keyword("if") && !next.is_keyword("with") {
                    self.expect(Kind::RightDelim, "else")?;
                }
                return Ok(Item::End(End::Else));
            }
            "if" => Node::If(self.control(Control::If)?),
            "with" => Node::With(self.control(Control::With)?),
            "range" => Node::Range(self.control(Control::Range)?),
            "template" => Node::Template(self.invocation()?),
            "block" => Node::Template(self.block()?),
            "break" => self.jump("{{break}}", Node::Break)?,
            "continue" => self.jump("{{continue}}", Node::Continue)?,
            _ => {
                self.at -= 1;
                let token = self.next();
                return Err(self.unexpected(&token, "command"));
            }
        }))
    }

    fn jump(&mut self, text: &str, node: Node) -> Result<Node> {
        self.expect(Kind::RightDelim, text)?;
        if self.ranges == 0 { Err(format!("{text} outside {{{{range}}}}")) } else { Ok(node) }
    }

    fn control(&mut self, control: Control) -> Result<Box<Branch>> {
        self.nested(|parser| {
            let outer = parser.variables.len();
            let pipe = parser.pipeline(control.word(), Kind::RightDelim)?;
            let ranges = usize::from(control == Control::Range);
            parser.ranges += ranges;
            let (list, end) = parser.list()?;
            parser.ranges -= ranges;
            let otherwise = match end {
                End::End => None,
                End::Else => Some(parser.otherwise(control)?),
            };
            parser.variables.truncate(outer);
            Ok(Box::new(Branch { pipe, list, otherwise }))
        })
    }

    /// The rest after `{{else`: `else if` and `else with` share the `end` of the first block.
    fn otherwise(&mut self, control: Control) -> Result<List> {
        let chained = control != Control::Range && self.peek().is_keyword(control.word());
        if chained {
            self.next();
            let branch = self.control(control)?;
            return Ok(vec![if control == Control::If { Node::If(branch) } else { Node::With(branch) }]);
        }
        match self.list()? {
            (list, End::End) => Ok(list),
            (_, end) => Err(format!("expected end; found {}", end.text())),
        }
    }

    fn invocation(&mut self) -> Result<Box<Invocation>> {
        const CONTEXT: &str = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = match self.peek_non_space().kind {
            Kind::RightDelim => {
                self.next();
                None
            }
            _ => Some(self.pipeline(CONTEXT, Kind::RightDelim)?),
        };
        Ok(Box::new(Invocation { pos: token.pos, name, pipe }))
    }

    fn block(&mut self) -> Result<Box<Invocation>> {
        const CONTEXT: &str = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = Some(self.pipeline(CONTEXT, Kind::RightDelim)?);
        self.body(name.clone(), CONTEXT)?;
        Ok(Box::new(Invocation { pos: token.pos, name, pipe }))
    }

    fn template_name(&self, token: &Token, context: &str) -> Result<Vec<u8>> {
        match token.kind {
            Kind::Str => unquote(&token.text).ok_or("invalid syntax".to_owned()),
            _ => Err(self.unexpected(token, context)),
        }
    }

    fn pipeline(&mut self, context: &str, end: Kind) -> Result<Pipe> {
        let mut pipe = Pipe { pos: self.peek_non_space().pos, ..Pipe::default() };
        while self.peek_non_space().kind == Kind::Variable && self.declaration(context, &mut pipe)? {}
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => break,
                Kind::Bool
                | Kind::Character
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::Str
                | Kind::Variable
                | Kind::LeftParen => {
                    self.at -= 1;
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return Err(self.unexpected(&token, context)),
            }
        }
        if pipe.commands.is_empty() {
            return Err(format!("missing value for {context}"));
        }
        for (i, command) in pipe.commands.iter().enumerate().skip(1) {
            if let Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(_) | Term::Str(..) =
                command.args[0].term
            {
                return Err(format!("non executable command in pipeline stage {}", i + 1));
            }
        }
        Ok(pipe)
    }

    /// Takes `$x :=`, `$x =` or, in a range, `$x,`; true if another variable must follow.
    fn declaration(&mut self, context: &str, pipe: &mut Pipe) -> Result<bool> {
        let start = self.at;
        let name: Box<str> = self.next().str().into();
        let next = self.peek_non_space();
        let comma = next.kind == Kind::Char && next.text == b",";
        match next.kind {
            Kind::Assign => pipe.assign = true,
            Kind::Declare => pipe.assign = false,
            _ if comma => {}
            _ => {
                // It is an argument, and the space after it counts.
                self.at = start;
                return Ok(false);
            }
        }
        self.next();
        pipe.variables.push(name.clone());
        self.variables.push(name);
        if !comma {
            return Ok(false);
        }
        if context != "range" || pipe.variables.len() > 1 {
            return Err(format!("too many declarations in {context}"));
        }
        match self.peek_non_space().kind {
            Kind::Variable | Kind::RightDelim | Kind::RightParen => Ok(true),
            _ => Err("range can only initialize variables".to_owned()),
        }
    }

    fn command(&mut self) -> Result<Command> {
        let mut command = Command { pos: self.peek_non_space().pos, args: Vec::new() };
        loop {
            self.peek_non_space();
            command.args.extend(self.operand()?);
            let token = self.next();
            match token.kind {
                Kind::Space => {}
                Kind::RightDelim | Kind::RightParen => {
                    self.at -= 1;
                    break;
                }
                Kind::Pipe => break,
                _ => return Err(self.unexpected(&token, "operand")),
            }
        }
        if command.args.is_empty() { Err("empty command".to_owned()) } else { Ok(command) }
    }

    /// A term and the fields directly after it; None if there is no term.
    fn operand(&mut self) -> Result<Option<Operand>> {
        let Some(mut operand) = self.term()? else { return Ok(None) };
        if self.peek().kind != Kind::Field {
            return Ok(Some(operand));
        }
        let pos: Pos = self.peek().pos;
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(field(&self.next()));
        }
        match &mut operand.term {
            Term::Field(names) | Term::Variable(_, names) => {
                names.append(&mut fields);
                operand.pos = pos;
            }
            Term::Bool(_) | Term::Str(..) | Term::Number(_) | Term::Nil | Term::Dot => {
                let term = quoted(operand.to_string().as_bytes());
                return Err(format!("unexpected . after term {term}"));
            }
            _ => operand = Operand { pos, term: Term::Chain(Box::new(operand), fields) },
        }
        Ok(Some(operand))
    }

    fn term(&mut self) -> Result<Option<Operand>> {
        let token = self.next_non_space();
        let term = match token.kind {
            Kind::Identifier => match self.functions.get_key_value(token.str().as_str()) {
                Some((name, function)) => Term::Function(name, function.clone()),
                None => return Err(format!("function {} not defined", quoted(&token.text))),
            },
            Kind::Dot => Term::Dot,
            Kind::Nil => Term::Nil,
            Kind::Variable => {
                let name: Box<str> = token.str().into();
                if !self.variables.contains(&name) {
                    return Err(format!("undefined variable {}", quoted(&token.text)));
                }
                Term::Variable(name, Vec::new())
            }
            Kind::Field => Term::Field(vec![field(&token)]),
            Kind::Bool => Term::Bool(token.text == b"true"),
            Kind::Character => Term::Number(Number::character(&token.str())?),
            Kind::Number => Term::Number(Number::parse(&token.str())?),
            Kind::LeftParen => {
                let pipe =
                    self.nested(|parser| parser.pipeline("parenthesized pipeline", Kind::RightParen))?;
                Term::Pipe(Box::new(pipe))
            }
            Kind::Str => {
                let text = unquote(&token.text).ok_or("invalid syntax")?;
                Term::Str(token.text.into(), text.into())
            }
            _ => {
                self.at -= 1;
                return Ok(None);
            }
        };
        Ok(Some(Operand { pos: token.pos, term }))
    }
}

/// The name without its dot.
fn field(token: &Token) -> Box<str> {
    String::from_utf8_lossy(&token.text[1..]).into()
}
