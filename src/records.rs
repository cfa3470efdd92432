//! Records: which lines of a log belong together, as a stack trace to its first line.

use crate::event::Instant;

/// A program writes the lines of a record at once.
const TOGETHER: i64 = 50_000_000;

/// Lines that never begin a record.
const CONTINUATIONS: [&[u8]; 9] = [
    b"Caused by: ",
    b"Suppressed: ",
    b"... ",
    b"--- End of ",
    b"Stack trace:",
    b"stack backtrace:",
    b"note: run with `RUST_BACKTRACE",
    b"goroutine ",
    b"[signal ",
];

/// The lines of one log, in order.
#[derive(Debug, Default)]
pub struct Records {
    /// The time of the line before; the outer None: there was none.
    last: Option<Option<Instant>>,
    trace: Trace,
}

/// The kind of trace that the line before belongs to, as far as it tells what may follow.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Trace {
    #[default]
    None,
    /// Frames follow, and after them one line with the exception.
    Python,
    /// Another exception may follow, which was raised while this one was handled.
    PythonRaised,
    /// Frames follow, in pairs of which only the second line is indented, after blank lines.
    Go,
    /// The message follows.
    Rust,
}

impl Records {
    /// Whether the next line belongs to the record of the line before.
    pub fn continues(&mut self, time: Option<Instant>, message: &[u8]) -> bool {
        let before = self.last.replace(time);
        let together = match (before, time) {
            (None, _) => false,
            (Some(Some(before)), Some(time)) => time.0.saturating_sub(before.0) <= TOGETHER,
            (Some(_), _) => true,
        };
        let trace = std::mem::take(&mut self.trace);
        let continued = if together { self.continued(trace, message) } else { None };
        self.trace = continued.unwrap_or_else(|| Trace::begun_by(message));
        continued.is_some()
    }

    /// The state after a line that continues the record; None: it begins another one.
    fn continued(&self, trace: Trace, message: &[u8]) -> Option<Trace> {
        let begins = |prefixes: &[&[u8]]| prefixes.iter().any(|prefix| message.starts_with(prefix));
        let is_indented = message.first().is_some_and(|first| b" \t".contains(first));
        match trace {
            _ if is_indented || begins(&CONTINUATIONS) => Some(trace),
            Trace::Python if !message.is_empty() => Some(Trace::PythonRaised),
            Trace::PythonRaised
                if message.is_empty()
                    || begins(&[b"During handling of the above", b"The above exception was"]) =>
            {
                Some(trace)
            }
            Trace::PythonRaised if is_traceback(message) => Some(Trace::Python),
            Trace::Go if message.is_empty() || begins(&[b"created by ", b"exit status "]) => Some(trace),
            Trace::Go if is_call(message) => Some(trace),
            Trace::Rust => Some(Trace::None),
            _ if is_exception(message) || is_php_frame(message) => Some(trace),
            _ => None,
        }
    }
}

impl Trace {
    fn begun_by(message: &[u8]) -> Trace {
        if is_traceback(message) {
            Trace::Python
        } else if message.starts_with(b"panic: ") || message.starts_with(b"fatal error: ") {
            Trace::Go
        } else if message.starts_with(b"thread '") && message.ends_with(b":") {
            Trace::Rust
        } else {
            Trace::None
        }
    }
}

fn is_traceback(message: &[u8]) -> bool {
    message.starts_with(b"Traceback (most recent call last)")
}

/// `main.(*Server).run(0xc000010000)`, `main.main()`
fn is_call(message: &[u8]) -> bool {
    message.ends_with(b")") && !message[..message.len() - 1].contains(&b' ') && message.contains(&b'(')
}

/// The class of an exception in the JVM or .NET, with its package: `java.lang.IllegalStateException: …`
fn is_exception(message: &[u8]) -> bool {
    let class = message.split(|byte| *byte == b':').next().unwrap_or_default();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._$".contains(byte);
    class.contains(&b'.')
        && class.iter().all(is_name)
        && [&b"Exception"[..], b"Error", b"Throwable"].iter().any(|end| class.ends_with(end))
}

/// `#0 /srv/app.php(12): run()`
fn is_php_frame(message: &[u8]) -> bool {
    message.first() == Some(&b'#') && message.get(1).is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of lines of each record.
    fn records<'a>(lines: impl IntoIterator<Item = (i64, &'a str)>) -> Vec<usize> {
        let (mut records, mut sizes) = (Records::default(), Vec::new());
        for (milliseconds, line) in lines {
            match sizes.last_mut() {
                Some(size) if records.continues(Some(Instant(milliseconds * 1_000_000)), line.as_bytes()) => {
                    *size += 1;
                }
                None if records.continues(Some(Instant(milliseconds * 1_000_000)), line.as_bytes()) => {
                    panic!("nothing to continue")
                }
                _ => sizes.push(1),
            }
        }
        sizes
    }

    fn at_once(lines: &[&str]) -> Vec<usize> {
        records(lines.iter().map(|line| (0, *line)))
    }

    #[test]
    fn usual_lines_are_records_of_their_own() {
        assert_eq!(at_once(&["a", "b", "", "{\"a\":1}", "INFO Caused by: x"]), [1; 5]);
    }

    #[test]
    fn a_java_trace_belongs_to_its_first_line() {
        let trace = [
            "12:00:00 ERROR x",
            "java.lang.IllegalStateException: y",
            "\tat a.B(C.java:1)",
            "Caused by: z",
            "\t... 3 more",
            "12:00:00 INFO next",
        ];
        assert_eq!(at_once(&trace), [5, 1]);
    }

    #[test]
    fn a_python_trace_ends_with_its_exception() {
        let trace =
            ["Traceback (most recent call last):", "  File \"a.py\", line 1", "    f()", "ValueError: z"];
        assert_eq!(at_once(&[&trace[..], &["ValueError: z2"]].concat()), [4, 1]);
        let chained = ["", "During handling of the above exception, another exception occurred:", ""];
        assert_eq!(at_once(&[&trace[..], &chained, &trace, &["next"]].concat()), [11, 1]);
    }

    #[test]
    fn a_go_panic_has_blank_lines_and_calls() {
        let trace = [
            "panic: boom",
            "",
            "goroutine 1 [running]:",
            "main.main()",
            "\t/src/m.go:4",
            "exit status 2",
            "2026/01/31 12:00:00 next",
        ];
        assert_eq!(at_once(&trace), [6, 1]);
    }

    #[test]
    fn a_rust_panic_has_its_message_on_the_second_line() {
        let trace = [
            "thread 'main' panicked at src/main.rs:2:5:",
            "boom",
            "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
            "next",
        ];
        assert_eq!(at_once(&trace), [3, 1]);
    }

    #[test]
    fn a_php_trace_has_numbered_frames() {
        let trace = [
            "PHP Fatal error:  Uncaught Exception: y",
            "Stack trace:",
            "#0 {main}",
            "  thrown in a.php on line 3",
        ];
        assert_eq!(at_once(&[&trace[..], &["next"]].concat()), [4, 1]);
    }

    #[test]
    fn a_line_after_a_pause_begins_a_record() {
        assert_eq!(records([(0, "head"), (50, "\tat a"), (101, "\tat b"), (102, "\tat c")]), [2, 2]);
    }

    #[test]
    fn lines_without_a_time_are_judged_by_their_text() {
        let mut records = Records::default();
        let continues = ["a", " b", "c"].map(|line| records.continues(None, line.as_bytes()));
        assert_eq!(continues, [false, true, false]);
    }
}
