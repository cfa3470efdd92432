//! The scripts that make a shell ask this program what may follow.
//!
//! They hold no word about flags: `stern-rs __complete WORD…` answers as Go's cobra does, with one candidate a line, a
//! tab and a description after it or not, and a last line `:DIRECTIVE` ([`crate::complete`]).

use super::UsageError;

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
