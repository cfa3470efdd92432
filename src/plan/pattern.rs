//! Regular expressions, and what is wrong with one in a single line.

/// The error is the rest of a sentence that begins with the flag's name.
pub fn compile<R>(pattern: &str, new: impl Fn(&str) -> Result<R, regex::Error>) -> Result<R, String> {
    new(pattern).map_err(|error| format!("\"{pattern}\" is not a regular expression: {}", reason(&error)))
}

/// The crate draws the pattern with carets below it and gives the reason last.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_one_line() {
        for (pattern, reason) in [
            ("(", "unclosed group"),
            ("[", "unclosed character class"),
            ("*", "repetition operator missing expression"),
            ("(?=x)", "look-around, including look-ahead and look-behind, is not supported"),
            (r"(a)\1", "backreferences are not supported"),
            ("a\n(", "unclosed group"),
            (r"\w{1000}{1000}", "Compiled regex exceeds size limit of 10485760 bytes."),
        ] {
            let error = compile(pattern, regex::Regex::new).unwrap_err();
            assert_eq!(error, format!("\"{pattern}\" is not a regular expression: {reason}"));
        }
    }
}
