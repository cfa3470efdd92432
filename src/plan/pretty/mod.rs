//! The look of `-o pretty`: which fields, in which colours.

mod keys;
mod theme;

use super::{
    Format,
    display::timezone,
    read::{error, split, wrong},
};
use crate::{
    cli::{
        Args,
        flags::{Flag, List, structured as flags},
    },
    environment::Environment,
    fields::Vocabulary,
    usage_error::UsageError,
};

pub use keys::Keys;
use theme::Theme;

pub use theme::Part;

#[derive(Debug, Default, Clone)]
pub struct PrettyPlan {
    /// Empty: all fields.
    pub fields: Keys,
    pub hide: Keys,
    pub theme: Theme,
    /// Whether a record may take several lines.
    pub on_terminal: bool,
    /// The day at the start of the run, in days since 1970-01-01: records of it need no date on a terminal.
    pub today: Option<i64>,
    /// The words of the user's records.
    pub vocabulary: Vocabulary,
}

impl PrettyPlan {
    pub(super) fn new(
        args: &Args,
        format: Option<Format>,
        vocabulary: &Vocabulary,
        env: &Environment,
    ) -> Result<PrettyPlan, UsageError> {
        for flag in [&flags::FIELDS, &flags::HIDE, &flags::THEME] {
            // The config file does not know the format of this run.
            if format != Some(Format::Pretty) && args.has(&flag.entry) && !args.is_default(&flag.entry) {
                let name = flag.entry.name;
                return Err(error(format!(
                    "--{name} works only with -o pretty; add that, or remove --{name}"
                )));
            }
        }
        Ok(PrettyPlan {
            fields: keys(args, &flags::FIELDS)?.with_others(),
            hide: keys(args, &flags::HIDE)?,
            theme: Theme::parse(split(args, &flags::THEME)).map_err(|reason| wrong(&flags::THEME, reason))?,
            on_terminal: env.stdout_is_terminal,
            today: Some(today(args, env)?),
            vocabulary: vocabulary.clone(),
        })
    }
}

fn today(args: &Args, env: &Environment) -> Result<i64, UsageError> {
    let now = env.machine.now();
    let offset = timezone(args, env)?.to_offset(now);
    Ok((now.as_second() + i64::from(offset.seconds())).div_euclid(24 * 60 * 60))
}

fn keys(args: &Args, flag: &Flag<List>) -> Result<Keys, UsageError> {
    Keys::parse(split(args, flag)).map_err(|reason| wrong(flag, reason))
}
