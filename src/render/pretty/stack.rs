//! Stack traces: which of their lines are the program's own.

use crate::plan::Part;

/// What was seen of one stack.
#[derive(Debug, Default, Clone, Copy)]
pub struct Stack {
    own: Own,
}

/// The first frame that is not a library's.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Own {
    #[default]
    Unseen,
    /// Go has its place on the next line.
    PlaceFollows,
    Seen,
}

/// Parts of names and paths of the libraries and runtimes of languages.
const LIBRARIES: [&[u8]; 38] = [
    b"java.",
    b"javax.",
    b"jdk.",
    b"sun.",
    b"jakarta.",
    b"kotlin.",
    b"kotlinx.",
    b"scala.",
    b"reactor.",
    b"org.springframework.",
    b"org.apache.",
    b"org.hibernate.",
    b"org.eclipse.",
    b"io.netty.",
    b"com.fasterxml.",
    b"org.junit.",
    b"com.zaxxer.",
    b"io.undertow.",
    b"node:",
    b"node_modules/",
    b"(internal/",
    b"<anonymous>",
    b"site-packages/",
    b"dist-packages/",
    b"/lib/python",
    b"<frozen ",
    b"/usr/local/go/",
    b"/pkg/mod/",
    b"/vendor/",
    b"runtime.",
    b"runtime/",
    b"/gems/",
    b"/lib/ruby/",
    b"System.",
    b"Microsoft.",
    b"core::",
    b"std::",
    b"/rustc/",
];

impl Stack {
    /// The colour of the next line.
    pub fn part(&mut self, line: &[u8]) -> Part {
        let text = line.trim_ascii_start();
        let is_indented = text.len() < line.len();
        if self.own == Own::PlaceFollows {
            self.own = Own::Seen;
            return if is_indented { Part::Frame } else { Part::Stack };
        }
        if self.own == Own::Unseen && is_frame(text, is_indented) && !is_library(text) {
            self.own = if is_call(text) && !is_indented { Own::PlaceFollows } else { Own::Seen };
            return Part::Frame;
        }
        Part::Stack
    }
}

/// Whether a line names a place in the source, or a function that is called.
fn is_frame(text: &[u8], is_indented: bool) -> bool {
    let begins = |prefixes: &[&[u8]]| prefixes.iter().any(|prefix| text.starts_with(prefix));
    begins(&[b"at ", b"File \"", b"from ", b"#", b"/"]) || !is_indented && is_call(text)
}

/// The frames of Go begin with a function: `main.(*Server).run(0xc000010000)`, `main.charge`
fn is_call(text: &[u8]) -> bool {
    let name = text.split(|byte| *byte == b'(').next().unwrap_or_default();
    name.contains(&b'.') && !text.contains(&b' ') && !text.contains(&b':')
}

fn is_library(text: &[u8]) -> bool {
    let text = &text[..text.len().min(256)];
    LIBRARIES.iter().any(|library| {
        memchr::memmem::find_iter(text, library).any(|at| {
            at == 0
                || !text[at - 1].is_ascii_alphanumeric() && !b"._".contains(&text[at - 1])
                || library[0] == b'/'
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines that are the program's own.
    fn own<'a>(lines: &[&'a str]) -> Vec<&'a str> {
        let mut stack = Stack::default();
        lines.iter().copied().filter(|line| stack.part(line.as_bytes()) == Part::Frame).collect()
    }

    #[test]
    fn the_first_frame_that_is_no_librarys_stands_out() {
        let java = [
            "java.lang.IllegalStateException: y",
            "\tat java.base/java.util.Objects.requireNonNull(Objects.java:1)",
            "\tat org.springframework.a.B(B.java:1)",
            "\tat com.example.pay.Charge.run(Charge.java:88)",
            "\tat com.example.Main.main(Main.java:3)",
        ];
        assert_eq!(own(&java), [java[3]]);
        let node = [
            "Error: x",
            "    at node:internal/process:1",
            "    at run (/app/node_modules/a.js:1)",
            "    at pay (/app/pay.js:2)",
        ];
        assert_eq!(own(&node), [node[3]]);
        let python = [
            "Traceback (most recent call last):",
            "  File \"/usr/lib/python3/site-packages/a.py\", line 1, in a",
            "  File \"/srv/pay.py\", line 2, in pay",
            "ValueError: z",
        ];
        assert_eq!(own(&python), [python[2]]);
    }

    #[test]
    fn a_frame_of_go_has_two_lines() {
        let go = [
            "runtime.gopanic",
            "\t/usr/local/go/src/runtime/panic.go:1",
            "main.charge",
            "\t/src/pay/charge.go:88",
            "main.main",
            "\t/src/main.go:1",
        ];
        assert_eq!(own(&go), [go[2], go[3]]);
    }

    #[test]
    fn a_stack_of_libraries_has_no_line_of_its_own() {
        assert_eq!(own(&["x", "\tat java.lang.Thread.run(Thread.java:1)"]), [""; 0]);
    }
}
