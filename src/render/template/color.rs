//! `.PodColor` and `.ContainerColor`, and their painting functions: Go's `*color.Color`.

use std::rc::Rc;

use gotemplate::{Answer, Host, Kind, Signature, Type, Value, print, printf, println};

use crate::render::color::Style;

/// A style, which is applied only if `on`.
#[derive(Clone)]
pub struct Color<'c> {
    pub style: &'c Style,
    pub on: bool,
}

const ANYTHING: Signature = Signature { params: &[], rest: Some(Type::Any) };
const FORMAT: Signature = Signature { params: &[Type::String], rest: Some(Type::Any) };
const NOTHING: Signature = Signature { params: &[], rest: None };

/// Writes between the sequences of `style`.
pub fn paint(style: &Style, on: bool, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    if !on {
        return write(out);
    }
    out.extend_from_slice(style.open.as_bytes());
    write(out);
    out.extend_from_slice(style.close.as_bytes());
}

fn call(style: &Style, on: bool, name: &str, args: &[Value<'_>], out: &mut Vec<u8>) {
    match (name, args) {
        ("Sprintf", [format, args @ ..]) => {
            let format = format.as_text().unwrap_or_default();
            paint(style, on, out, |out| printf(format, args, out));
        }
        ("Sprintln", _) => {
            paint(style, on, out, |out| {
                println(args, out);
                out.pop();
            });
            out.push(b'\n');
        }
        // The most frequent case.
        (_, [Value::Str(text)]) => paint(style, on, out, |out| out.extend_from_slice(text)),
        _ => paint(style, on, out, |out| print(args, out)),
    }
}

impl Host for Color<'_> {
    fn type_name(&self) -> &'static str {
        "*color.Color"
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn fields(&self) -> Vec<(&'static str, Value<'_>)> {
        let parameters = self.style.open.trim_start_matches("\x1b[").trim_end_matches('m').split(';');
        let parameters = parameters.filter_map(|code| code.parse().ok());
        let parameters: Rc<[Value<'_>]> = parameters.map(|code: usize| Value::int(code)).collect();
        vec![("params", Value::List(parameters)), ("noColor", Value::Nil)]
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        match name {
            "Sprint" | "Sprintln" => Some(&ANYTHING),
            "Sprintf" => Some(&FORMAT),
            "SprintFunc" | "SprintfFunc" | "SprintlnFunc" => Some(&NOTHING),
            _ => None,
        }
    }

    fn call(&self, name: &str, args: &[Value<'_>], out: &mut Vec<u8>) -> Result<Answer<'static>, String> {
        let painter = |method| Painter { style: self.style.clone(), on: self.on, method };
        Ok(Answer::Value(Value::host(match name {
            "SprintFunc" => painter("Sprint"),
            "SprintfFunc" => painter("Sprintf"),
            "SprintlnFunc" => painter("Sprintln"),
            _ => {
                call(self.style, self.on, name, args, out);
                return Ok(Answer::Text);
            }
        })))
    }

    fn equals(&self, other: &dyn Host) -> bool {
        // Pointers: equal if they are the same colour of the same line.
        std::ptr::addr_eq(self, other)
    }
}

/// A function that paints its arguments.
struct Painter {
    style: Style,
    on: bool,
    method: &'static str,
}

impl Host for Painter {
    fn type_name(&self) -> &'static str {
        match self.method {
            "Sprintf" => "func(string, ...interface {}) string",
            _ => "func(...interface {}) string",
        }
    }

    fn kind(&self) -> Kind {
        Kind::Func
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        name.is_empty().then_some(if self.method == "Sprintf" { &FORMAT } else { &ANYTHING })
    }

    fn call(&self, _: &str, args: &[Value<'_>], out: &mut Vec<u8>) -> Result<Answer<'static>, String> {
        call(&self.style, self.on, self.method, args, out);
        Ok(Answer::Text)
    }
}
