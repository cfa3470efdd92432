//! Stack traces: the line that opens one, and those that continue it without indentation.

use super::{languages as is, line::Line};

/// The kind of trace in a record, and how far it has come, as far as that tells what may follow.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    #[default]
    None,
    /// An empty line stands behind the head, and a trace may follow.
    Blank,
    /// An exception of the JVM or of .NET.
    Class,
    /// An empty line ended such an exception.
    Over,
    /// `SomeError: …` of Python, Ruby or JavaScript, whose frames follow.
    Named,
    Python(Python),
    Go,
    /// Functions of Go without arguments, and below each its place.
    Functions(Functions),
    Rust(Rust),
    /// The place in the source of an error that ended a Node process.
    Source(Source),
    Php,
    Ruby,
    Elixir,
    Dart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Python {
    /// `Exception in thread …`: a traceback follows.
    Announced,
    /// Frames follow, and after them one line with the exception.
    Frames,
    /// Another exception may follow, which was raised while this one was handled.
    Raised,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rust {
    Message,
    Backtrace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Functions {
    /// A function, whose place follows.
    Name,
    /// Its place; the next function may follow.
    Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The line of the source follows.
    Place,
    /// The error follows.
    Shown,
}

/// To which head a line belongs that opens a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joins {
    /// To none: a runtime wrote it, and no logger.
    No,
    /// To a warning or worse: programs end with the same words.
    Serious,
    /// To such a one with tabs between its parts: the line says little by itself.
    Tabbed,
    AnyLevel,
}

/// Lines that never begin a record.
const CONTINUATIONS: [&[u8]; 10] = [
    b"Caused by:",
    b"Suppressed:",
    b"Wrapped by:",
    b"--- End of ",
    b"Stack trace:",
    b"stack backtrace:",
    b"Stack backtrace:",
    b"stack traceback:",
    b"note: run with `RUST_BACKTRACE",
    b"CallStack (from HasCallStack)",
];

/// Whether a line without indentation never begins a record.
fn is_continuation(text: &[u8]) -> bool {
    let may_be = matches!(text.first(), Some(b'C' | b'S' | b'W' | b'-' | b's' | b'n'));
    may_be && CONTINUATIONS.iter().any(|prefix| text.starts_with(prefix))
        || is::more_frames(text)
        || is::frame_of_ruby(text)
}

impl Trace {
    /// The trace that a line opens, if it is one that programs write behind a head or in place of it.
    pub fn opened_by(line: &Line<'_>) -> Option<(Trace, Joins)> {
        let text = line.text;
        match text.first()? {
            // All lines of a group are indented.
            b'+' if line.is_indented && is::exception_group(text) => {
                Some((Trace::Python(Python::Raised), Joins::Serious))
            }
            b'F' if line.is_indented && is::frame_of_python(text) => {
                Some((Trace::Python(Python::Frames), Joins::Serious))
            }
            _ if line.is_indented => None,
            b'T' if is::traceback(text) => Some((Trace::Python(Python::Frames), Joins::Serious)),
            b'T' | b'E' | b'-' if is::announced_by_python(text) => {
                Some((Trace::Python(Python::Announced), Joins::No))
            }
            b'E' | b'U' if is::uncaught(text) => Some((Trace::Class, Joins::No)),
            b'U' if text.starts_with(b"Unhandled exception:") => Some((Trace::Dart, Joins::No)),
            b'f' | b'h' | b'p' | b't' | b'c' if is::told_by_asyncio(text) => {
                Some((Trace::Python(Python::Announced), Joins::Serious))
            }
            b'p' | b'f' | b'S' if is::end_of_go(text) => Some((Trace::Go, Joins::No)),
            b'g' if is::goroutine(text) => Some((Trace::Go, Joins::Serious)),
            b't' => is::panic_of_rust(text).map(|step| (Trace::Rust(step), Joins::No)),
            b'P' | b'F' | b'W' if is::error_of_php(text) => Some((Trace::Php, Joins::No)),
            b'*' if text.starts_with(b"** (") => Some((Trace::Elixir, Joins::Serious)),
            _ if is::class(text) => Some((Trace::Class, Joins::AnyLevel)),
            b'A'..=b'Z' if is::named_error(text) => Some((Trace::Named, Joins::Serious)),
            _ if is::end_of_ruby(text) => Some((Trace::Ruby, Joins::No)),
            _ if is::source_of_node(text) => Some((Trace::Source(Source::Place), Joins::No)),
            _ => is::function_of_go(text).map(|function| {
                let joins = if function.is_certain { Joins::Serious } else { Joins::Tabbed };
                (Trace::Functions(Functions::Name), joins)
            }),
        }
    }

    /// The state after the first line of a record.
    pub fn begun_by(line: &Line<'_>) -> Trace {
        match Trace::opened_by(line) {
            Some((trace, _)) => trace,
            // A head may tell what follows.
            None if is::raised_by_php(line.text) => Trace::Php,
            None if is::recovered_by_go(line.text) => Trace::Go,
            None => Trace::None,
        }
    }

    /// The state after an indented line.
    pub fn indented(self, line: &Line<'_>) -> Trace {
        match self {
            Trace::Functions(_) if is::place_of_go(line.text) => Trace::Functions(Functions::Place),
            Trace::Functions(_) => Trace::None,
            Trace::Source(_) => Trace::Source(Source::Shown),
            Trace::Rust(Rust::Message) => Trace::Rust(Rust::Backtrace),
            other => other,
        }
    }

    /// The state after a line without indentation that belongs to the trace.
    pub fn after(self, line: &Line<'_>) -> Option<Trace> {
        let text = line.text;
        let begins = |prefixes: &[&[u8]]| prefixes.iter().any(|prefix| text.starts_with(prefix));
        match self {
            // PHP has no other line before its frames.
            Trace::None | Trace::Blank if begins(&[b"Stack trace:", b"[stacktrace]"]) => Some(Trace::Php),
            Trace::None | Trace::Blank => is_continuation(text).then_some(Trace::Named),
            _ if is_continuation(text) => Some(self),
            Trace::Class if text.is_empty() => Some(Trace::Over),
            Trace::Class => begins(&[b"at ", b"nested exception is:"]).then_some(self),
            Trace::Over => None,
            Trace::Named => (text.is_empty() || begins(&NODE)).then_some(self),
            Trace::Source(Source::Place) => Some(Trace::Source(Source::Shown)),
            Trace::Source(Source::Shown) if is::error_of_node(text) => Some(Trace::Named),
            Trace::Source(_) => {
                (text.is_empty() || text == b"^" || begins(&[b"Uncaught "]) || begins(&NODE)).then_some(self)
            }
            Trace::Functions(Functions::Name) => None,
            Trace::Functions(Functions::Place) => {
                is::function_of_go(text).map(|_| Trace::Functions(Functions::Name))
            }
            Trace::Python(step) => step.after(text).map(Trace::Python),
            Trace::Go => is::part_of_go(text).then_some(self),
            Trace::Rust(Rust::Message) => Some(Trace::Rust(Rust::Backtrace)),
            Trace::Rust(Rust::Backtrace) => begins(&[b"note: ", b"fatal runtime error: "]).then_some(self),
            Trace::Php => is::part_of_php(text).then_some(self),
            Trace::Ruby => (text.is_empty() || begins(&[b"Did you mean?"])).then_some(self),
            Trace::Elixir => begins(&[
                b"Last message",
                b"State:",
                b"Function:",
                b"Process Label:",
                b"Initial Call:",
                b"Ancestors:",
            ])
            .then_some(self),
            Trace::Dart => is::numbered_frame(text).then_some(self),
        }
    }
}

impl Python {
    fn after(self, text: &[u8]) -> Option<Python> {
        let begins = |prefixes: &[&[u8]]| prefixes.iter().any(|prefix| text.starts_with(prefix));
        match self {
            Python::Announced if is::traceback(text) => Some(Python::Frames),
            Python::Announced => (text.is_empty() || is::told_by_asyncio(text)).then_some(self),
            Python::Frames if is::exception_of_python(text) || is::end_of_ruby(text) => Some(Python::Raised),
            // loguru sets empty lines between frames, and a mark before the one that logs.
            Python::Frames => (text.is_empty() || begins(&[b"> File \""])).then_some(self),
            // The parts of messages of libraries and of the logger itself.
            Python::Raised if begins(&PYTHON_NOTES) => Some(self),
            Python::Raised if is::chained_in_python(text) => Some(Python::Announced),
            Python::Raised => text.is_empty().then_some(self),
        }
    }
}

/// What Node writes behind an error, and the modules that asked for one that is missing.
const NODE: [&[u8]; 4] = [b"Node.js v", b"Require stack:", b"- /", b"(Use `node --trace-"];

const PYTHON_NOTES: [&[u8]; 9] = [
    b"[SQL: ",
    b"[parameters: ",
    b"(Background on this error",
    b"DETAIL: ",
    b"HINT: ",
    b"LINE 1: ",
    b"Call stack:",
    b"Message: ",
    b"Arguments: ",
];
