//! Evaluates pipelines: commands, their arguments, fields and calls.

use super::{
    Body, Function,
    ast::{Command, Operand, Pipe, Term},
    builtins,
    exec::{Got, Result, Run, plain_field},
    number::Number,
    value::{Answer, Host, Kind, Map, Object, Signature, Type, Value, Width},
};

/// A call being prepared.
struct Call<'c, 'v> {
    /// The name in errors.
    name: &'c str,
    signature: &'c Signature,
    /// Without the function itself.
    args: &'v [Operand],
    /// The result of the pipeline so far, as an additional argument.
    piped: Option<Got<'v>>,
}

const NOTHING: Signature = Signature { params: &[], rest: None };

impl<'v> Run<'v, '_> {
    /// The value of a pipeline that is not printed.
    pub fn value_of(&mut self, dot: &Got<'v>, pipe: &'v Pipe) -> Result<Got<'v>> {
        Ok(self.pipeline(dot, pipe, false)?.unwrap_or_default())
    }

    /// With `print`, text of the last command goes directly to the output, and None is returned.
    pub fn pipeline(&mut self, dot: &Got<'v>, pipe: &'v Pipe, print: bool) -> Result<Option<Got<'v>>> {
        self.at = Some((pipe.pos, pipe));
        let mut piped = None;
        let last = pipe.commands.len() - 1;
        for (i, command) in pipe.commands.iter().enumerate() {
            let print = print && i == last && pipe.variables.is_empty();
            match self.command(dot, command, piped, print)? {
                Some(got) => piped = Some(got.unboxed()),
                None => return Ok(None),
            }
        }
        let value = piped.unwrap_or_default();
        for name in &pipe.variables {
            if pipe.assign {
                self.assign(name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        Ok(Some(value))
    }

    fn command(
        &mut self,
        dot: &Got<'v>,
        command: &'v Command,
        piped: Option<Got<'v>>,
        print: bool,
    ) -> Result<Option<Got<'v>>> {
        let [first, args @ ..] = &command.args[..] else { return Ok(None) };
        let has_args = !args.is_empty() || piped.is_some();
        let got = match &first.term {
            Term::Function(name, function) => {
                self.at = Some((first.pos, first));
                let call = Call { name, signature: &function.signature, args, piped };
                return self.function(dot, function, call, (command.pos, command), print);
            }
            Term::Pipe(pipe) => {
                self.no_args(has_args, first)?;
                self.nested(|run| run.value_of(dot, pipe))?
            }
            Term::Field(_) | Term::Chain(..) | Term::Variable(..) => self.path(dot, first, args, piped)?,
            _ => {
                self.at = Some((first.pos, first));
                self.no_args(has_args, first)?;
                match &first.term {
                    Term::Nil => return self.error("nil is not a command"),
                    Term::Dot => dot.clone(),
                    _ => self.constant(first)?.into(),
                }
            }
        };
        Ok(Some(got))
    }

    fn no_args(&self, has_args: bool, first: &Operand) -> Result<()> {
        if has_args { self.error(format!("can't give argument to non-function {first}")) } else { Ok(()) }
    }

    /// A constant without a required type.
    fn constant(&mut self, operand: &'v Operand) -> Result<Value<'v>> {
        match &operand.term {
            Term::Bool(bool) => Ok(Value::Bool(*bool)),
            Term::Str(_, text) => Ok(Value::Str(super::Str::Borrowed(text))),
            Term::Number(number @ Number { float: Some(float), .. }) if number.is_float() => {
                Ok(Value::Float(*float))
            }
            Term::Number(Number { int: Some(int), .. }) => Ok(Value::Int(Width::Int, *int)),
            _ => self.error(format!("can't evaluate command \"{operand}\"")),
        }
    }

    /// `.A.B`, `$x.A.B` and `(pipe).A.B`; the last name may be a method, which takes the arguments.
    fn path(
        &mut self,
        dot: &Got<'v>,
        operand: &'v Operand,
        args: &'v [Operand],
        piped: Option<Got<'v>>,
    ) -> Result<Got<'v>> {
        self.at = Some((operand.pos, operand));
        let (mut got, names) = match &operand.term {
            Term::Variable(name, names) => {
                let got = self.variable(name)?;
                if names.is_empty() {
                    self.no_args(!args.is_empty() || piped.is_some(), operand)?;
                }
                (got, names)
            }
            Term::Chain(of, _) if matches!(of.term, Term::Nil) => {
                return self.error(format!("indirection through explicit nil in {operand}"));
            }
            Term::Chain(of, names) => {
                let value = match &of.term {
                    Term::Pipe(pipe) => self.nested(|run| run.value_of(dot, pipe))?,
                    _ => self.argument(dot, of, None)?.into(),
                };
                (value, names)
            }
            Term::Field(names) => (dot.clone(), names),
            _ => (dot.clone(), const { &Vec::new() }),
        };
        let Some((last, before)) = names.split_last() else { return Ok(got) };
        for name in before {
            got = self.field(dot, operand, name, got, &[], None)?;
        }
        self.field(dot, operand, last, got, args, piped)
    }

    fn variable(&mut self, name: &str) -> Result<Got<'v>> {
        self.step(self.variables.len() / 64)?;
        if let Some((_, got)) = self.variables.iter().rev().find(|(known, _)| *known == name) {
            return Ok(got.clone());
        }
        if name == "$" { Ok(self.root.clone()) } else { self.error(format!("undefined variable: {name}")) }
    }

    fn field(
        &mut self,
        dot: &Got<'v>,
        operand: &'v Operand,
        name: &'v str,
        of: Got<'v>,
        args: &'v [Operand],
        piped: Option<Got<'v>>,
    ) -> Result<Got<'v>> {
        let has_args = !args.is_empty() || piped.is_some();
        match &of.value {
            Value::Missing => return Ok(Got::default()),
            Value::Nil => return self.error(format!("nil pointer evaluating {}.{name}", of.type_name())),
            Value::Object(object) => {
                if let Some(signature) =
                    Some(name).filter(|name| !name.is_empty()).and_then(|n| object.method(n))
                {
                    let call = Call { name, signature, args, piped };
                    return self.method(dot, object.clone(), call, operand);
                }
                let field = match object {
                    Object::Borrowed(object) => object.field(name),
                    Object::Owned(_) => None,
                };
                if let Some(field) = field {
                    if has_args {
                        return self.error(format!("{name} has arguments but cannot be invoked as function"));
                    }
                    return Ok(field.into());
                }
                if object.fields().iter().any(|(known, _)| *known == name) {
                    let struct_type = of.type_name();
                    return self.error(format!("{name} is an unexported field of struct type {struct_type}"));
                }
            }
            Value::Number(_) if matches!(name, "String" | "Int64" | "Float64") => {
                let call = Call { name, signature: &NOTHING, args, piped };
                let value = of.value.clone();
                return self.number_method(dot, &value, call, operand);
            }
            Value::Map(map) => {
                if has_args {
                    return self.error(format!("{name} is not a method but has arguments"));
                }
                let boxed = matches!(map, Map::Values(_));
                return Ok(map.get(name.as_bytes()).map_or(Got::default(), |value| Got { value, boxed }));
            }
            _ => {}
        }
        self.error(format!("can't evaluate field {name} in type {}", of.type_name()))
    }

    fn method(
        &mut self,
        dot: &Got<'v>,
        object: Object<'v>,
        call: Call<'_, 'v>,
        operand: &'v Operand,
    ) -> Result<Got<'v>> {
        let name = call.name;
        let base = self.arguments(dot, call)?;
        let mut text = Vec::new();
        let answer = object.call(name, &self.args[base..], &mut text);
        self.args.truncate(base);
        self.answer(name, (operand.pos, operand), answer, text)
    }

    fn number_method(
        &mut self,
        dot: &Got<'v>,
        number: &Value<'v>,
        call: Call<'_, 'v>,
        operand: &'v Operand,
    ) -> Result<Got<'v>> {
        let name = call.name;
        let base = self.arguments(dot, call)?;
        self.args.truncate(base);
        let Value::Number(text) = number else { return Ok(Got::default()) };
        let parsed = std::str::from_utf8(text).ok();
        let syntax = |function: &str| {
            format!("strconv.{function}: parsing {}: invalid syntax", super::quote::quoted(text))
        };
        let answer = match name {
            "String" => Ok(Value::Str(text.clone())),
            "Int64" => parsed
                .and_then(|text| text.parse().ok())
                .map(|int| Value::Int(Width::Int64, int))
                .ok_or_else(|| syntax("ParseInt")),
            _ => parsed
                .and_then(|text| text.parse().ok())
                .map(Value::Float)
                .ok_or_else(|| syntax("ParseFloat")),
        };
        self.answer(name, (operand.pos, operand), answer.map(Answer::Value), Vec::new())
    }

    /// Calls a function; None if its text went directly to the output.
    fn function(
        &mut self,
        dot: &Got<'v>,
        function: &'v Function,
        call: Call<'_, 'v>,
        at: super::exec::At<'v>,
        print: bool,
    ) -> Result<Option<Got<'v>>> {
        let name = call.name;
        let host = match &function.body {
            Body::Host(host) => host,
            Body::And => return self.junction(dot, call, false).map(Some),
            Body::Or => return self.junction(dot, call, true).map(Some),
            Body::Call => return self.call(dot, call, at).map(Some),
        };
        let base = self.arguments(dot, call)?;
        let weight: usize = self.args[base..].iter().map(Value::weight).sum();
        self.step(4 + weight / 64)?;
        if print {
            let answer = host(&self.args[base..], self.out);
            self.args.truncate(base);
            if let Ok(Answer::Text) = answer {
                return Ok(None);
            }
            return self.answer(name, at, answer, Vec::new()).map(Some);
        }
        let mut text = Vec::new();
        let answer = host(&self.args[base..], &mut text);
        self.args.truncate(base);
        self.answer(name, at, answer, text).map(Some)
    }

    fn answer(
        &mut self,
        name: &str,
        at: super::exec::At<'v>,
        answer: std::result::Result<Answer<'v>, String>,
        text: Vec<u8>,
    ) -> Result<Got<'v>> {
        match answer {
            Ok(Answer::Value(value)) => Ok(Got::boxed_if_nil(value)),
            Ok(Answer::Text) => {
                self.made(text.len())?;
                Ok(Value::owned(&text).into())
            }
            Err(reason) => {
                self.at = Some(at);
                self.error(format!("error calling {name}: {reason}"))
            }
        }
    }

    /// `and`, `or`: returns the first argument that decides, or the last.
    fn junction(&mut self, dot: &Got<'v>, call: Call<'_, 'v>, decides: bool) -> Result<Got<'v>> {
        self.check_count(&call)?;
        let mut value = Value::Missing;
        for arg in call.args {
            self.step(1)?;
            value = self.argument(dot, arg, Some(Type::Reflect))?;
            if value.is_true() == decides {
                return Ok(Got::boxed_if_nil(value));
            }
        }
        Ok(call.piped.unwrap_or(Got::boxed_if_nil(value)))
    }

    /// `call function args`
    fn call(&mut self, dot: &Got<'v>, call: Call<'_, 'v>, at: super::exec::At<'v>) -> Result<Got<'v>> {
        let expression = match (call.args.first(), &call.piped) {
            (Some(first), _) => first.to_string(),
            (None, Some(got)) => format!("<{} Value>", got.value.type_name()),
            (None, None) => String::new(),
        };
        let name = call.name;
        let base = self.arguments(dot, call)?;
        let mut text = Vec::new();
        let called = match self.args.get(base).cloned().unwrap_or_default() {
            Value::Object(object) if object.kind() == Kind::Func => {
                invoke(&*object, &expression, &self.args[base + 1..], &mut text)
            }
            value => builtins::callable(&value, &expression).map(|()| Answer::Value(Value::Missing)),
        };
        self.args.truncate(base);
        self.answer(name, at, called, text)
    }

    fn check_count(&self, call: &Call<'_, 'v>) -> Result<()> {
        let (wanted, got) =
            (call.signature.params.len(), call.args.len() + usize::from(call.piped.is_some()));
        match call.signature.rest {
            Some(_) if got < wanted => self.error(format!(
                "wrong number of args for {}: want at least {wanted} got {}",
                call.name,
                call.args.len()
            )),
            None if got != wanted => {
                self.error(format!("wrong number of args for {}: want {wanted} got {got}", call.name))
            }
            _ => Ok(()),
        }
    }

    /// Evaluates the arguments onto the stack; returns the index of the first.
    fn arguments(&mut self, dot: &Got<'v>, call: Call<'_, 'v>) -> Result<usize> {
        self.check_count(&call)?;
        let base = self.args.len();
        let type_at = |i: usize| call.signature.params.get(i).copied().or(call.signature.rest);
        for (i, arg) in call.args.iter().enumerate() {
            let value = self.argument(dot, arg, type_at(i))?;
            self.args.push(value);
        }
        if let Some(piped) = call.piped {
            let value = self.convert(piped, type_at(call.args.len()))?;
            self.args.push(value);
        }
        Ok(base)
    }

    /// Evaluates an argument for a parameter of type `to`; None: any type.
    fn argument(&mut self, dot: &Got<'v>, arg: &'v Operand, to: Option<Type>) -> Result<Value<'v>> {
        self.at = Some((arg.pos, arg));
        if let Some(field) = plain_field(dot, arg) {
            return self.convert(field.into(), to);
        }
        let got = match &arg.term {
            Term::Dot => dot.clone(),
            Term::Nil => {
                return match to {
                    Some(Type::Any) => Ok(Value::Nil),
                    None | Some(Type::Reflect) => Ok(Value::Missing),
                    Some(to) => self.error(format!("cannot assign nil to {}", type_name(to))),
                };
            }
            Term::Field(_) | Term::Variable(..) | Term::Chain(..) => self.path(dot, arg, &[], None)?,
            Term::Pipe(pipe) => self.nested(|run| run.value_of(dot, pipe))?,
            Term::Function(name, function) => {
                let call = Call { name, signature: &function.signature, args: &[], piped: None };
                self.function(dot, function, call, (arg.pos, arg), false)?.unwrap_or_default()
            }
            Term::Bool(_) | Term::Number(_) | Term::Str(..) => return self.constant_as(arg, to),
        };
        self.convert(got, to)
    }

    fn constant_as(&mut self, arg: &'v Operand, to: Option<Type>) -> Result<Value<'v>> {
        match (to, &arg.term) {
            (None | Some(Type::Any | Type::Reflect), _) => self.constant(arg),
            (Some(Type::String), Term::Str(..)) => self.constant(arg),
            (Some(Type::String), _) => self.error(format!("expected string; found {arg}")),
            (Some(Type::Int(_)), Term::Number(Number { int: Some(int), .. })) => {
                Ok(Value::Int(Width::Int, *int))
            }
            (Some(Type::Int(_)), _) => self.error(format!("expected integer; found {arg}")),
            (Some(Type::Host(name)), _) => self.error(format!("can't handle {arg} for arg of type {name}")),
        }
    }

    /// Go's rules of assignment.
    fn convert(&self, got: Got<'v>, to: Option<Type>) -> Result<Value<'v>> {
        let fits = match (to, &got.value) {
            (None | Some(Type::Reflect), _) => true,
            (Some(Type::Any), Value::Missing) => return Ok(Value::Nil),
            (Some(Type::Any), _) => true,
            (Some(to), Value::Missing) => {
                return self.error(format!("invalid value; expected {}", type_name(to)));
            }
            (Some(Type::String), Value::Str(_)) => true,
            (Some(Type::Int(name) | Type::Host(name)), Value::Object(object)) => {
                object.type_name().trim_start_matches('*') == name
            }
            _ => false,
        };
        if fits {
            return Ok(got.value);
        }
        let (to, from) = (
            to.map_or("interface {}", type_name),
            match &got.value {
                Value::Nil => "interface {}",
                value => value.type_name(),
            },
        );
        self.error(format!("wrong type for value; expected {to}; got {from}"))
    }
}

impl<'v> Got<'v> {
    /// Functions return nil in an interface.
    fn boxed_if_nil(value: Value<'v>) -> Got<'v> {
        Got { boxed: matches!(value, Value::Nil), value }
    }
}

fn type_name(to: Type) -> &'static str {
    match to {
        Type::Any => "interface {}",
        Type::Reflect => "reflect.Value",
        Type::String => "string",
        Type::Int(name) | Type::Host(name) => name,
    }
}

/// Calls a function that is a value.
fn invoke(
    function: &dyn Host,
    expression: &str,
    args: &[Value<'_>],
    out: &mut Vec<u8>,
) -> std::result::Result<Answer<'static>, String> {
    let signature = function.method("").unwrap_or(&NOTHING);
    let wanted = signature.params.len();
    let of = format!("wrong number of args for {expression}: got {}", args.len());
    match signature.rest {
        Some(_) if args.len() < wanted => return Err(format!("{of} want at least {wanted}")),
        None if args.len() != wanted => return Err(format!("{of} want {wanted}")),
        _ => {}
    }
    for (i, arg) in args.iter().enumerate() {
        let to = signature.params.get(i).copied().or(signature.rest);
        if to == Some(Type::String) && !matches!(arg, Value::Str(_)) {
            return Err(format!("arg {i}: value has type {}; should be string", arg.type_name()));
        }
    }
    function.call("", args, out)
}
