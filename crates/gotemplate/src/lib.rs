//! Go's `text/template`: a template is parsed once and run on bytes, which need not be UTF-8.
//!
//! The crate covers the whole language: actions, pipelines, variables, `range`, `with`, `define`, `template` and
//! `break`, all built-in functions, the verbs of `fmt`, and Go's error messages. The host provides data as [`Value`]s
//! or its own types ([`Host`]), and further [`Functions`]. A run is limited in steps, depth and output, so untrusted
//! templates are safe. Complex numbers and channels are omitted, since host data has none.
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

/// Most text that one run may produce, shown or not: more than any line, less than the memory.
pub const MAX_OUTPUT: usize = 16 << 20;

/// The longest text of a template, parsed it takes a hundred times as much.
pub const MAX_TEXT: usize = 1 << 20;

/// A parsed template.
pub struct Template {
    name: Box<str>,
    text: Box<[u8]>,
    trees: Trees,
}

/// Functions by name, as a template calls them.
pub type Functions = BTreeMap<&'static str, Function>;

/// A function that templates can call.
#[derive(Clone)]
pub struct Function {
    signature: Signature,
    body: Body,
}

type Call = dyn for<'v> Fn(&[Value<'v>], &mut Vec<u8>) -> Result<Answer<'v>, String> + Send + Sync;

#[derive(Clone)]
enum Body {
    /// Go's `and` and `or` evaluate only as many arguments as needed.
    And,
    Or,
    /// Go's `call` knows the expression that gave the function.
    Call,
    Host(Arc<Call>),
}

impl Function {
    /// A function of the host. `call` gets arguments that match `params` and `rest` (the type of any further
    /// arguments). It returns a value or appends text to the buffer. Err: the reason of the failure.
    pub fn new<F>(params: &'static [Type], rest: Option<Type>, call: F) -> Function
    where
        F: for<'v> Fn(&[Value<'v>], &mut Vec<u8>) -> Result<Answer<'v>, String> + Send + Sync + 'static,
    {
        Function { signature: Signature { params, rest }, body: Body::Host(Arc::new(call)) }
    }
}

impl Template {
    /// Parses `text` with `functions` in addition to the built-in ones. Err: `template: name:line: reason`.
    pub fn parse(name: &str, text: &[u8], functions: Functions) -> Result<Template, String> {
        if text.len() > MAX_TEXT {
            return Err(format!("template: {name}: the text is longer than {} MiB", MAX_TEXT >> 20));
        }
        let mut known = builtins::functions();
        known.extend(functions);
        let trees = parser::parse(name, text, &known)?;
        Ok(Template { name: name.into(), text: text.into(), trees })
    }

    /// Appends the output for `data` to `out`. Err: Go's message; `out` may then contain a part.
    pub fn run<'v>(&'v self, data: Value<'v>, out: &mut Vec<u8>) -> Result<(), String> {
        exec::run(self, data, out)
    }
}
