//! Go's `text/template`: a template is parsed once and run on bytes, which need not be UTF-8.
//!
//! The crate covers the whole language: actions, pipelines, variables, `range`, `with`, `define`, `template` and
//! `break`, all built-in functions, the verbs of `fmt`, and Go's error messages. The host brings the data, as [`Value`]s
//! and as types of its own ([`Host`]), and further [`Functions`]. A run is bounded in steps, depth and output, so that
//! a template of any origin may run. Complex numbers and channels, which no data of a host holds, are left out.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use gotemplate::{Functions, Map, Template, Value};
//!
//! let text = br#"{{.name}}{{with .city}} of {{printf "%q" .}}{{end}}"#;
//! let template = Template::parse("person", text, Functions::new())?;
//!
//! let person = [("name", "Ada"), ("city", "London")].map(|(key, value)| (key.into(), value.into()));
//! let person = BTreeMap::from(person);
//! let mut out = Vec::new();
//! template.run(Value::Map(Map::Strings(Some(&person))), &mut out)?;
//! assert_eq!(out, br#"Ada of "London""#);
//! # Ok::<(), String>(())
//! ```
#![warn(missing_docs)]

mod ast;
mod builtins;
mod compare;
mod escape;
mod eval;
mod exec;
mod fmt;
mod lexer;
mod number;
mod parser;
mod quote;
mod utf8;
mod value;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use parser::Trees;

pub use fmt::{print, print_value, printf, println};
pub use value::{Answer, Entry, Host, Kind, Map, Object, Signature, Str, Type, Value, Width};

/// How much text one run may make, shown or not: more than any line, less than the memory.
pub const MAX_OUTPUT: usize = 16 << 20;

/// A parsed template.
pub struct Template {
    name: Box<str>,
    text: Box<[u8]>,
    trees: Trees,
}

/// Functions by name, as a template calls them.
pub type Functions = BTreeMap<&'static str, Function>;

/// A function that a template can call.
#[derive(Clone)]
pub struct Function {
    signature: Signature,
    body: Body,
}

type Call = dyn for<'v> Fn(&[Value<'v>], &mut Vec<u8>) -> Result<Answer<'v>, String> + Send + Sync;

#[derive(Clone)]
enum Body {
    /// Go's `and` and `or` look at no more arguments than they need.
    And,
    Or,
    /// Go's `call` knows what the expression was that gave the function.
    Call,
    Host(Arc<Call>),
}

impl Function {
    /// A function of the host. `call` reads arguments that fit `params` and `rest`, the type of any number of further
    /// ones. It gives a value or appends text to the buffer. Err: why it cannot.
    pub fn new<F>(params: &'static [Type], rest: Option<Type>, call: F) -> Function
    where
        F: for<'v> Fn(&[Value<'v>], &mut Vec<u8>) -> Result<Answer<'v>, String> + Send + Sync + 'static,
    {
        Function { signature: Signature { params, rest }, body: Body::Host(Arc::new(call)) }
    }
}

impl Template {
    /// Parses `text` with `functions` beside those that every template has. Err: `template: name:line: reason`.
    pub fn parse(name: &str, text: &[u8], functions: Functions) -> Result<Template, String> {
        let mut known = builtins::functions();
        known.extend(functions);
        let trees = parser::parse(name, text, &known)?;
        Ok(Template { name: name.into(), text: text.into(), trees })
    }

    /// Appends what the template makes of `data` to `out`. Err: Go's message; `out` may hold a part then.
    pub fn run<'v>(&'v self, data: Value<'v>, out: &mut Vec<u8>) -> Result<(), String> {
        exec::run(self, data, out)
    }
}
