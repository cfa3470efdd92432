//! Runs a template: walks its tree and writes the output.

use std::fmt::Display;

use super::{
    MAX_OUTPUT, Template,
    ast::{Branch, Invocation, Node, Operand, Pipe, Pos, Term},
    fmt,
    quote::quoted,
    value::{Map, Object, Value, Width},
};

/// Maximum depth of templates, blocks and parentheses at run time: templates may call themselves.
const MAX_DEPTH: usize = 200;

/// Maximum steps of a run; some hundredths of a second. A step is an action, an iteration, a quarter of a call, 64 bytes
/// of its arguments, or 64 variables that are looked through.
const MAX_STEPS: usize = 400_000;

pub type Result<T> = std::result::Result<T, String>;

/// The value of a variable or of the dot.
#[derive(Clone, Default)]
pub struct Got<'v> {
    pub value: Value<'v>,
    /// Whether it is still in an interface, like an element of a map or a list; errors distinguish such types.
    pub boxed: bool,
}

impl<'v> From<Value<'v>> for Got<'v> {
    fn from(value: Value<'v>) -> Got<'v> {
        Got { value, boxed: false }
    }
}

impl<'v> Got<'v> {
    pub fn boxed(value: Value<'v>) -> Got<'v> {
        Got { value, boxed: true }
    }

    /// The value taken out of its interface; nil if the interface was empty.
    pub fn unboxed(self) -> Got<'v> {
        match self.value {
            Value::Nil => Got::default(),
            value => value.into(),
        }
    }

    pub fn type_name(&self) -> &'static str {
        if self.boxed { "interface {}" } else { self.value.type_name() }
    }
}

/// The place that errors report.
pub type At<'v> = (Pos, &'v (dyn Display + 'v));

pub struct Run<'v, 'o> {
    pub template: &'v Template,
    /// The name of the running template, for errors.
    name: &'v [u8],
    pub out: &'o mut Vec<u8>,
    /// Start of this run's output.
    start: usize,
    /// Variables in scope except `$`, which is `root`.
    pub variables: Vec<(&'v str, Got<'v>)>,
    pub root: Got<'v>,
    /// Arguments of unfinished calls.
    pub args: Vec<Value<'v>>,
    pub at: Option<At<'v>>,
    depth: usize,
    steps: usize,
    /// Bytes of text produced by calls.
    made: usize,
}

/// How a list ended.
#[derive(PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

pub fn run<'v>(template: &'v Template, data: Value<'v>, out: &mut Vec<u8>) -> Result<()> {
    let name = template.name.as_bytes();
    let dot = Got::from(data);
    let mut run = Run {
        template,
        name,
        start: out.len(),
        out,
        variables: Vec::new(),
        root: dot.clone(),
        args: Vec::new(),
        at: None,
        depth: 0,
        steps: 0,
        made: 0,
    };
    let Some(list) = template.trees.get(name) else { return Ok(()) };
    run.list(&dot, list).map(|_| ())
}

/// A fast path for `.Field` of a host's struct, the most frequent case. None: anything else.
#[inline]
pub fn plain_field<'v>(dot: &Got<'v>, operand: &'v Operand) -> Option<Value<'v>> {
    let Term::Field(names) = &operand.term else { return None };
    let ([name], Value::Object(Object::Borrowed(object))) = (&names[..], &dot.value) else { return None };
    if object.method(name).is_some() { None } else { object.field(name) }
}

impl<'v> Run<'v, '_> {
    pub fn error<T>(&self, reason: impl Display) -> Result<T> {
        let name = &self.template.name;
        let Some((pos, context)) = &self.at else { return Err(format!("template: {name}: {reason}")) };
        let before = &self.template.text[..*pos as usize];
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let column = before.len() - memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let running = quoted(self.name);
        Err(format!("template: {name}:{line}:{column}: executing {running} at <{context}>: {reason}"))
    }

    /// Counts work, so that no template runs for ever.
    pub fn step(&mut self, steps: usize) -> Result<()> {
        self.steps += steps;
        if self.steps > MAX_STEPS {
            return self.error(format!("stopped after {MAX_STEPS} steps"));
        }
        Ok(())
    }

    /// Counts text, so that no template exhausts memory.
    pub fn made(&mut self, bytes: usize) -> Result<()> {
        self.made += bytes;
        if self.made > MAX_OUTPUT || self.out.len() - self.start > MAX_OUTPUT {
            return self.error(format!("more than {} MiB of text", MAX_OUTPUT >> 20));
        }
        Ok(())
    }

    pub fn nested<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == MAX_DEPTH {
            return self.error(format!("exceeded maximum template depth ({MAX_DEPTH})"));
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    fn list(&mut self, dot: &Got<'v>, list: &'v [Node]) -> Result<Flow> {
        for node in list {
            let flow = match node {
                Node::Text(text) => {
                    self.out.extend_from_slice(text);
                    continue;
                }
                Node::Action(pipe) => {
                    self.action(dot, pipe)?;
                    continue;
                }
                Node::If(branch) => self.nested(|run| run.either(dot, branch, false))?,
                Node::With(branch) => self.nested(|run| run.either(dot, branch, true))?,
                Node::Range(branch) => self.nested(|run| run.range(dot, branch))?,
                Node::Template(invocation) => self.invoke(dot, invocation)?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn action(&mut self, dot: &Got<'v>, pipe: &'v Pipe) -> Result<()> {
        self.step(1)?;
        if let [command] = &pipe.commands[..]
            && let [operand] = &command.args[..]
            && pipe.variables.is_empty()
            && let Some(Value::Str(text)) = plain_field(dot, operand)
        {
            self.out.extend_from_slice(&text);
            return self.made(0);
        }
        if let Some(got) = self.pipeline(dot, pipe, true)?
            && pipe.variables.is_empty()
        {
            if let Value::Object(object) = &got.value
                && object.kind() == super::Kind::Func
            {
                self.at = Some((pipe.pos, pipe));
                return self.error(format!("can't print {{{{{pipe}}}}} of type {}", object.type_name()));
            }
            fmt::print_value(&got.value, self.out);
        }
        self.made(0)
    }

    /// `if`, or `with`, which changes the dot.
    fn either(&mut self, dot: &Got<'v>, branch: &'v Branch, with: bool) -> Result<Flow> {
        self.step(1)?;
        let scope = self.variables.len();
        let got = self.value_of(dot, &branch.pipe)?;
        let flow = if got.value.is_true() {
            self.list(if with { &got } else { dot }, &branch.list)?
        } else if let Some(otherwise) = &branch.otherwise {
            self.list(dot, otherwise)?
        } else {
            Flow::Next
        };
        self.variables.truncate(scope);
        Ok(flow)
    }

    fn range(&mut self, dot: &Got<'v>, branch: &'v Branch) -> Result<Flow> {
        self.step(1)?;
        let scope = self.variables.len();
        let over = self.value_of(dot, &branch.pipe)?.value;
        let ran = match &over {
            Value::List(items) => {
                let turns = items.iter().enumerate();
                self.turns(branch, turns.map(|(i, item)| (Value::int(i), Got::boxed(item.clone()))))?
            }
            Value::Map(map) => {
                let boxed = matches!(map, Map::Values(_));
                let turns = map.iter().map(|(key, value)| (Value::Str(key), Got { value, boxed }));
                self.turns(branch, turns)?
            }
            Value::Missing => Some(false),
            over => match over.as_int() {
                Some(count) => self.count(branch, over, count)?,
                None => return self.cannot("range can't iterate over", over, ""),
            },
        };
        let flow = match (ran, &branch.otherwise) {
            (Some(false), Some(otherwise)) => self.list(dot, otherwise)?,
            _ => Flow::Next,
        };
        self.variables.truncate(scope);
        Ok(flow)
    }

    fn count(&mut self, branch: &'v Branch, over: &Value<'v>, count: i64) -> Result<Option<bool>> {
        if branch.pipe.variables.len() > 1 {
            return self.cannot("can't use", over, " to iterate over more than one variable");
        }
        let width = if let Value::Int(width, _) = over { *width } else { Width::Int };
        let turns = (0..count).map(|i| (Value::Missing, Value::Int(width, i).into()));
        self.turns(branch, turns)
    }

    fn cannot<T>(&self, before: &str, value: &Value<'v>, after: &str) -> Result<T> {
        let mut shown = Vec::new();
        fmt::print_value(value, &mut shown);
        self.error(format!("{before} {}{after}", String::from_utf8_lossy(&shown)))
    }

    /// Runs the list for each key and item; returns whether there were any, or None after a `break`.
    fn turns(
        &mut self,
        branch: &'v Branch,
        turns: impl Iterator<Item = (Value<'v>, Got<'v>)>,
    ) -> Result<Option<bool>> {
        let scope = self.variables.len();
        let mut ran = false;
        for (key, item) in turns {
            ran = true;
            self.step(1)?;
            match &branch.pipe.variables[..] {
                [] => {}
                names if branch.pipe.assign => {
                    let values =
                        if names.len() > 1 { vec![key.into(), item.clone()] } else { vec![item.clone()] };
                    for (name, value) in names.iter().zip(values) {
                        self.assign(name, value)?;
                    }
                }
                names => {
                    // The pipeline declared them last.
                    self.variables[scope - 1].1 = item.clone();
                    if names.len() > 1 {
                        self.variables[scope - 2].1 = key.into();
                    }
                }
            }
            let flow = self.list(&item, &branch.list)?;
            self.variables.truncate(scope);
            if flow == Flow::Break {
                return Ok(None);
            }
        }
        Ok(Some(ran))
    }

    fn invoke(&mut self, dot: &Got<'v>, invocation: &'v Invocation) -> Result<Flow> {
        self.step(1)?;
        self.at = Some((invocation.pos, invocation));
        let Some((name, list)) = self.template.trees.get_key_value(&invocation.name) else {
            return self.error(format!("template {} not defined", quoted(&invocation.name)));
        };
        let dot = match &invocation.pipe {
            Some(pipe) => self.value_of(dot, pipe)?,
            None => Got::default(),
        };
        self.nested(|run| {
            // A template cannot see its caller's variables.
            let variables = std::mem::take(&mut run.variables);
            let root = std::mem::replace(&mut run.root, dot.clone());
            let caller = std::mem::replace(&mut run.name, name);
            run.list(&dot, list)?;
            (run.variables, run.root, run.name) = (variables, root, caller);
            Ok(Flow::Next)
        })
    }

    pub fn assign(&mut self, name: &str, value: Got<'v>) -> Result<()> {
        if name == "$" {
            self.root = value;
            return Ok(());
        }
        self.step(self.variables.len() / 64)?;
        match self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            Some(variable) => variable.1 = value,
            None => return self.error(format!("undefined variable: {name}")),
        }
        Ok(())
    }
}
