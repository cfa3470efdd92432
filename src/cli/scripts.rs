//! The completion scripts of the shells.
//!
//! They know nothing of flags: they run `stern-rs __complete WORD…`, which answers as Go's cobra does, with one candidate
//! a line, a tab and a description or not, and a last line `:DIRECTIVE` ([`crate::complete`]).

use crate::usage_error::UsageError;

pub fn script(shell: &str) -> Result<&'static str, UsageError> {
    match shell {
        "bash" => Ok(include_str!("../../completions/stern-rs.bash")),
        "zsh" => Ok(include_str!("../../completions/_stern-rs")),
        "fish" => Ok(include_str!("../../completions/stern-rs.fish")),
        "powershell" => Ok(include_str!("../../completions/stern-rs.ps1")),
        _ => Err(UsageError::new(format!(
            "--completion: \"{shell}\" is none of bash, zsh, fish or powershell"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The others are run by `tests/shells`.
    #[test]
    fn powershell_takes_names_as_text() {
        let script = script("powershell").expect("it is known");
        let code: Vec<&str> = script.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        let code = code.join("\n");
        // Strings end at typographic quotes too, which only its own function knows.
        let quoted = "\"'\" + [System.Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($text) + \"'\"";
        assert!(code.contains(&format!("$text = {quoted}")), "{code}");
        assert!(
            code.contains(r"if ($text -notmatch '^(--?[a-zA-Z-]*|[a-zA-Z][a-zA-Z0-9_:/.-]*)\z') {"),
            "{code}"
        );
        assert!(
            code.contains(r"$lines[-1] -notmatch '^:[0-9]+$'"),
            "only the last line is a directive: {code}"
        );
        for evaluates in ["Invoke-Expression", "iex", "ExpandString", "ScriptBlock]::Create", "& $"] {
            assert!(!code.contains(evaluates), "{evaluates}");
        }
    }
}
