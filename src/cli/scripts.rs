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
