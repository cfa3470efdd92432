//! A parsed template; its parts can be printed as in Go's error messages.

use std::fmt::{Display, Formatter, Result};

use super::{Function, number::Number, quote::quoted};

pub type List = Vec<Node>;

/// A position in the template's text, in bytes.
pub type Pos = u32;

pub enum Node {
    Text(Box<[u8]>),
    Action(Pipe),
    If(Box<Branch>),
    With(Box<Branch>),
    Range(Box<Branch>),
    Template(Box<Invocation>),
    Break,
    Continue,
}

pub struct Branch {
    pub pipe: Pipe,
    pub list: List,
    pub otherwise: Option<List>,
}

/// `{{template "name" pipe}}`
pub struct Invocation {
    pub pos: Pos,
    pub name: Vec<u8>,
    pub pipe: Option<Pipe>,
}

#[derive(Default)]
pub struct Pipe {
    pub pos: Pos,
    /// Variables that are declared, or assigned if `assign`.
    pub variables: Vec<Box<str>>,
    pub assign: bool,
    pub commands: Vec<Command>,
}

pub struct Command {
    pub pos: Pos,
    /// At least one.
    pub args: Vec<Operand>,
}

pub struct Operand {
    pub pos: Pos,
    pub term: Term,
}

pub enum Term {
    Bool(bool),
    Number(Number),
    /// The source text, and its value.
    Str(Box<[u8]>, Box<[u8]>),
    Nil,
    Dot,
    /// `.A.B`
    Field(Vec<Box<str>>),
    /// `$x.A.B`
    Variable(Box<str>, Vec<Box<str>>),
    /// `(pipe).A.B`
    Chain(Box<Operand>, Vec<Box<str>>),
    Function(&'static str, Function),
    Pipe(Box<Pipe>),
}

impl Node {
    /// Whether it is only white space.
    pub fn is_space(&self) -> bool {
        matches!(self, Node::Text(text) if String::from_utf8_lossy(text).trim().is_empty())
    }
}

fn fields(f: &mut Formatter<'_>, fields: &[Box<str>]) -> Result {
    fields.iter().try_for_each(|field| write!(f, ".{field}"))
}

fn separated(f: &mut Formatter<'_>, parts: &[impl Display], separator: &str) -> Result {
    for (i, part) in parts.iter().enumerate() {
        write!(f, "{}{part}", if i > 0 { separator } else { "" })?;
    }
    Ok(())
}

impl Display for Pipe {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if !self.variables.is_empty() {
            separated(f, &self.variables, ", ")?;
            f.write_str(if self.assign { " = " } else { " := " })?;
        }
        separated(f, &self.commands, " | ")
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        separated(f, &self.args, " ")
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.term {
            Term::Bool(bool) => write!(f, "{bool}"),
            Term::Number(number) => f.write_str(&number.text),
            Term::Str(literal, _) => f.write_str(&String::from_utf8_lossy(literal)),
            Term::Nil => f.write_str("nil"),
            Term::Dot => f.write_str("."),
            Term::Field(names) => fields(f, names),
            Term::Variable(name, names) => {
                f.write_str(name)?;
                fields(f, names)
            }
            Term::Chain(operand, names) => {
                write!(f, "{operand}")?;
                fields(f, names)
            }
            Term::Function(name, _) => f.write_str(name),
            Term::Pipe(pipe) => write!(f, "({pipe})"),
        }
    }
}

impl Display for Invocation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{{{{template {}", quoted(&self.name))?;
        if let Some(pipe) = &self.pipe {
            write!(f, " {pipe}")?;
        }
        f.write_str("}}")
    }
}
