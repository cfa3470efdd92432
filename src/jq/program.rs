//! A program of jq, and what it does to one value, within bounds.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use jaq_core::{
    Ctx, DataT, Exn, Filter, Lut, Vars,
    compile::Undefined,
    data::HasLut,
    load::{self, Arena, File, Loader, parse::Def},
};
use jaq_json::Val;

use super::{
    json,
    natives::{Regexes, natives},
    syntax,
};

/// The variables of a program, in the order of their values.
pub const VARIABLES: [&str; 6] = ["$pod", "$namespace", "$container", "$context", "$node", "$time"];

/// The stack of the thread that runs programs: what is left of it behind [`DEEPEST`] is for values that are nested
/// deeply, which are dropped and written by recursion.
pub const STACK: usize = 1 << 30;
const DEEPEST: usize = 64 << 20;

/// Most steps of a program on one record; some hundred milliseconds.
const STEPS: u64 = 2_000_000;

/// Most results of a program on one record, and their bytes.
const RESULTS: usize = 10_000;
const OUTPUT: usize = json::LONGEST;

/// The values of [`VARIABLES`].
pub type Variables = [Val; 6];

pub struct Program {
    filter: Filter<Kind>,
}

/// A place in a program, counted in characters from 1, and what is wrong there.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    pub column: usize,
    pub reason: String,
}

/// The longest part of a program in a message.
const SHOWN: usize = 40;

impl Fault {
    /// The error with the rest of the program from there on.
    pub fn in_text(&self, code: &str) -> String {
        let Fault { column, reason } = self;
        let mut rest = code.chars().skip(column - 1);
        let shown: String = rest.by_ref().take(SHOWN).collect();
        match (shown.trim(), rest.next()) {
            ("", _) => format!("{reason}, at column {column}, the end"),
            (_, None) => format!("{reason}, at column {column}: {shown}"),
            (_, Some(_)) => format!("{reason}, at column {column}: {shown}…"),
        }
    }
}

/// The kind of data that programs run on.
pub struct Kind;

impl DataT for Kind {
    type V<'a> = Val;
    type Data<'a> = Data<'a>;
}

/// What is at hand while a program runs.
#[derive(Clone, Copy)]
pub struct Data<'a> {
    lut: &'a Lut<Kind>,
    state: &'a State,
}

/// What is kept between records.
#[derive(Default)]
pub struct State {
    steps: Cell<u64>,
    /// The address of the stack where the program was started.
    top: Cell<usize>,
    pub regexes: RefCell<Regexes>,
}

/// The bound that a program reached.
enum Bound {
    Steps,
    Stack,
}

impl<'a> HasLut<'a, Kind> for Data<'a> {
    /// Every step of a program comes here first.
    #[inline]
    fn lut(&self) -> &'a Lut<Kind> {
        self.state.step();
        self.lut
    }
}

impl<'a> Data<'a> {
    pub fn state(&self) -> &'a State {
        self.state
    }
}

impl State {
    /// Leaves a program that does not end, or that recurses without end, by unwinding: the interpreter has no other way
    /// out.
    #[inline]
    pub fn step(&self) {
        let here = 0_u8;
        let steps = self.steps.get();
        self.steps.set(steps + 1);
        if steps >= STEPS {
            leave(Bound::Steps);
        }
        if self.top.get().saturating_sub(std::ptr::from_ref(&here).addr()) > DEEPEST {
            leave(Bound::Stack);
        }
    }

    fn begin(&self) {
        let here = 0_u8;
        self.top.set(std::ptr::from_ref(&here).addr());
        self.steps.set(0);
    }
}

#[cold]
fn leave(bound: Bound) -> ! {
    resume_unwind(Box::new(bound))
}

impl Program {
    pub fn compile<'c>(code: &'c str) -> Result<Program, Fault> {
        let prelude = load::parse(include_str!("prelude.jq"), |parser| parser.defs()).unwrap_or_default();
        let prelude = prelude.into_iter().map(syntax::definition);
        let program = syntax::program(code);
        let code_of_main = if program.is_some() { syntax::PROGRAM } else { code };
        let known = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).chain(prelude);
        let mut defs: Vec<Def<&'c str>> = known.collect::<Vec<_>>();
        defs.extend(program);
        let arena = Arena::default();
        let loaded = Loader::new(defs).load(&arena, File { code: code_of_main, path: () });
        let modules = loaded.map_err(|errors| fault(code, errors, unparsed))?;
        let compiler = jaq_core::Compiler::default().with_funs(natives()).with_global_vars(VARIABLES);
        let filter = compiler.compile(modules).map_err(|errors| fault(code, errors, undefined))?;
        Ok(Program { filter })
    }

    /// Gives each result of a program on a value. Err: the reason why it stopped; what it
    /// made before was given.
    pub fn run(
        &self,
        state: &State,
        variables: Variables,
        input: Val,
        mut result: impl FnMut(&[u8]),
    ) -> Result<(), String> {
        let run = AssertUnwindSafe(|| {
            state.begin();
            let data = Data { lut: &self.filter.lut, state };
            let context = Ctx::<Kind>::new(data, Vars::new(variables));
            let (mut written, mut total) = (Vec::new(), 0);
            for (count, output) in self.filter.id.run((context, input)).enumerate() {
                if count == RESULTS {
                    return Err(format!("more than {RESULTS} results come of one record"));
                }
                // The interpreter would go on after an error, and jq stops.
                write_to(&output.map_err(words)?, &mut written)?;
                total += written.len();
                if total > OUTPUT {
                    return Err(too_long());
                }
                result(&written);
                written.clear();
            }
            Ok(())
        });
        catch_unwind(run).unwrap_or_else(|payload| Err(bound(payload)))
    }
}

/// The text of an error, or its value as JSON.
fn words(exception: Exn<Val>) -> String {
    let Ok(error) = exception.get_err() else { return "the program stopped".to_owned() };
    let mut text = Vec::new();
    match write_to(&error.into_val(), &mut text) {
        Ok(()) => String::from_utf8_lossy(&text).into_owned(),
        Err(reason) => reason,
    }
}

fn too_long() -> String {
    format!("more than {} MiB come of one record", OUTPUT >> 20)
}

fn bound(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast_ref() {
        Some(Bound::Steps) => format!("the program has no end within {STEPS} steps"),
        Some(Bound::Stack) => "the program recurses too deeply".to_owned(),
        None => "the interpreter failed".to_owned(),
    }
}

/// Strings as they are, other values as compact JSON.
fn write_to(value: &Val, out: &mut Vec<u8>) -> Result<(), String> {
    if let Val::TStr(text) | Val::BStr(text) = value {
        out.extend_from_slice(text);
        return Ok(());
    }
    json::append(value, out).map_err(|_| too_long())
}

/// The first of all errors.
fn fault<'c, E>(
    code: &'c str,
    errors: Vec<(File<&'c str, ()>, E)>,
    reason: impl Fn(E) -> Option<(&'c str, String)>,
) -> Fault {
    let (at, reason) = errors
        .into_iter()
        .find_map(|(_, error)| reason(error))
        .unwrap_or_else(|| (code, "the program cannot be understood".to_owned()));
    let offset = at.as_ptr().addr().saturating_sub(code.as_ptr().addr());
    // Of the end, the interpreter gives an empty text that is not always a part of the program.
    let before = if at.is_empty() { code } else { code.get(..offset).unwrap_or(code) };
    Fault { column: before.chars().count() + 1, reason }
}

fn unparsed(error: load::Error<&str>) -> Option<(&str, String)> {
    match error {
        load::Error::Io(errors) => errors.into_iter().next(),
        load::Error::Lex(errors) => {
            let (expected, at) = errors.into_iter().next()?;
            Some((at, format!("expected {}", expected.as_str())))
        }
        load::Error::Parse(errors) => {
            let (expected, at) = errors.into_iter().next()?;
            Some((at, format!("expected {}", expected.as_str())))
        }
    }
}

fn undefined(errors: Vec<(&str, Undefined)>) -> Option<(&str, String)> {
    let (name, kind) = errors.into_iter().next()?;
    let arity = match &kind {
        Undefined::Filter(arity) => format!("/{arity}"),
        _ => String::new(),
    };
    Some((name, format!("undefined {} {name}{arity}", kind.as_str())))
}
