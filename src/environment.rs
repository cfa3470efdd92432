//! The process environment: terminals, variables for colour, local time zone, home directory.

use std::{
    env,
    ffi::{OsStr, OsString},
    io::{self, IsTerminal, stderr, stdin, stdout},
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;

use crate::{
    machine::Machine,
    platform::{home, terminal},
    small_file,
};

#[derive(Debug, Clone)]
pub struct Environment {
    pub machine: Machine,
    pub stdin_is_terminal: bool,
    pub stdout_is_terminal: bool,
    pub stderr_is_terminal: bool,
    pub no_color: Option<OsString>,
    pub clicolor: Option<OsString>,
    pub clicolor_force: Option<OsString>,
    pub term: Option<OsString>,
    /// From `$TZ`, or the system's setting; UTC if there is none.
    pub local: TimeZone,
    /// The value of `$TZ` if it is not a time zone.
    pub unknown_tz: Option<OsString>,
    pub home: Option<PathBuf>,
    /// `$STERNCONFIG`
    pub stern_config: Option<OsString>,
    /// `$PAGER`
    pub pager: Option<OsString>,
    /// Whether `$LESS` has options of the user.
    pub has_less: bool,
}

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "it only asks whether the streams are terminals")]
    pub fn of_process() -> Environment {
        let local = local_zone();
        Environment {
            machine: Machine::default(),
            stdin_is_terminal: stdin().is_terminal(),
            stdout_is_terminal: stdout().is_terminal(),
            stderr_is_terminal: stderr().is_terminal(),
            no_color: env::var_os("NO_COLOR"),
            clicolor: env::var_os("CLICOLOR"),
            clicolor_force: env::var_os("CLICOLOR_FORCE"),
            term: terminal::kind(),
            unknown_tz: env::var_os("TZ").filter(|_| local.is_none()),
            // As in Go.
            local: local.unwrap_or(TimeZone::UTC),
            home: home::of_user(),
            stern_config: env::var_os("STERNCONFIG"),
            pager: env::var_os("PAGER"),
            has_less: env::var_os("LESS").is_some(),
        }
    }

    /// `~/` is the home directory; shells do not expand it in a variable or after `=`. Err: it is not known.
    pub fn expand(&self, path: &OsStr) -> Result<PathBuf, String> {
        let path = Path::new(path);
        match (path.strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => Ok(home.join(rest)),
            (Ok(_), None) => {
                Err(format!("{}: the home directory is unknown; set {}", path.display(), home::VARIABLE))
            }
            (Err(_), _) => Ok(path.to_owned()),
        }
    }

    /// Whether `--color auto` colours a stream.
    pub fn wants_color(&self, is_terminal: bool) -> bool {
        let is_set = |variable: &Option<OsString>| variable.as_ref().is_some_and(|value| !value.is_empty());
        let is =
            |variable: &Option<OsString>, word: &str| variable.as_ref().is_some_and(|value| value == word);
        if is_set(&self.no_color) {
            return false;
        }
        if is_set(&self.clicolor_force) && !is(&self.clicolor_force, "0") {
            return true;
        }
        is_terminal && !is(&self.clicolor, "0") && !is(&self.term, "dumb")
    }
}

/// None if `$TZ` is not a time zone. It may be a file, which is read without a bound.
fn local_zone() -> Option<TimeZone> {
    let zone = env::var_os("TZ").unwrap_or_default();
    let file = zone.to_str().map_or(zone.as_ref(), |zone| zone.strip_prefix(':').unwrap_or(zone).as_ref());
    let named = zone.to_str().is_some_and(|name| name.is_empty() || TimeZone::get(name).is_ok());
    let endless =
        || small_file::read_again(file).is_err_and(|error| error.kind() == io::ErrorKind::InvalidInput);
    if named || !endless() { TimeZone::try_system().ok() } else { None }
}

impl Environment {
    /// No terminal, no variable, no home, and UTC.
    pub fn bare() -> Environment {
        Environment {
            machine: Machine::default(),
            stdin_is_terminal: false,
            stdout_is_terminal: false,
            stderr_is_terminal: false,
            no_color: None,
            clicolor: None,
            clicolor_force: None,
            term: None,
            local: TimeZone::UTC,
            unknown_tz: None,
            home: None,
            stern_config: None,
            pager: None,
            has_less: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_a_terminal() -> Environment {
        Environment { stdout_is_terminal: true, stderr_is_terminal: true, ..Environment::bare() }
    }

    #[test]
    fn a_terminal_is_coloured_and_a_pipe_is_not() {
        assert!(on_a_terminal().wants_color(true));
        assert!(!on_a_terminal().wants_color(false));
    }

    #[test]
    fn no_color_wins_unless_it_is_empty() {
        let force = Some("1".into());
        assert!(
            !Environment { no_color: force.clone(), clicolor_force: force, ..on_a_terminal() }
                .wants_color(true)
        );
        assert!(Environment { no_color: Some("".into()), ..on_a_terminal() }.wants_color(true));
    }

    #[test]
    fn clicolor_force_colours_a_pipe_unless_it_is_empty_or_0() {
        let force = |value: &str| Environment { clicolor_force: Some(value.into()), ..on_a_terminal() };
        assert!(force("1").wants_color(false));
        assert!(!force("0").wants_color(false));
        assert!(!force("").wants_color(false));
    }

    #[test]
    fn a_dumb_terminal_and_clicolor_0_are_not_coloured() {
        assert!(!Environment { term: Some("dumb".into()), ..on_a_terminal() }.wants_color(true));
        assert!(!Environment { clicolor: Some("0".into()), ..on_a_terminal() }.wants_color(true));
    }
}
