//! Text as roff shows it verbatim.

/// `text` within a line of roff: man(7) of groff and of mandoc show these characters, and no quotes, dashes or accents
/// in their place.
pub fn escape(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        match char {
            '\\' => out += "\\(rs",
            '-' => out += "\\-",
            '\'' => out += "\\(aq",
            '`' => out += "\\(ga",
            '^' => out += "\\(ha",
            '~' => out += "\\(ti",
            '"' => out += "\\(dq",
            ' '..='~' => out.push(char),
            // Programs that do not know UTF-8 know these names.
            _ => out += &format!("\\[u{:04X}]", u32::from(char)),
        }
    }
    out
}

/// A line of text: no request, whatever it begins with.
pub fn line(text: &str) -> String {
    let guard = if text.starts_with(['.', ' ']) { "\\&" } else { "" };
    format!("{guard}{}", escape(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::run, *};

    /// The lines of a page that show these; None without the program.
    fn shown(program: &str, args: &[&str], lines: &[String]) -> Option<Vec<String>> {
        let page: String = lines.iter().map(|text| line(text) + "\n").collect();
        let page = format!(".TH X 1 2026-01-31 Y Z\n.SH BEGIN\n.EX\n{page}.EE\n.SH END\n.BR end (1)\n");
        let out = run(program, args, &page)?;
        // What is bold is printed twice, with a step back between.
        let text = String::from_utf8(out.stdout).unwrap().replace("\u{8}", "");
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let is_end = |line: &&str| ["EENNDD", "END"].contains(line);
        Some(lines.skip(2).take_while(|line| !is_end(line)).map(str::to_owned).collect())
    }

    /// Also where a program is lenient, as Debian's are.
    #[test]
    fn signs_that_are_quotes_dashes_or_accents_have_names() {
        assert_eq!(escape(r#"-'`^~"\›"#), r"\-\(aq\(ga\(ha\(ti\(dq\(rs\[u203A]");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_text_is_shown_verbatim(
            lines in proptest::collection::vec(
                r#"[-.'"`\\^~!-~a-zé›‹…·─가-힣]{1,9}( [-.'"`\\^~!-~›…]{1,9}){0,3}"#, 1..40)
        ) {
            let programs: [(&str, &[&str]); 2] =
                [("mandoc", &["-T", "utf8"]), ("groff", &["-man", "-ww", "-T", "utf8", "-P-cbou"])];
            for (program, args) in programs {
                if let Some(shown) = shown(program, args, &lines) {
                    prop_assert_eq!(&shown, &lines, "{}", program);
                }
            }
        }
    }
}
