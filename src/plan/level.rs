//! `--level`: which levels to show.

use super::read::{split, wrong};
use crate::{
    cli::{Args, flags::structured::LEVEL},
    fields::{Level, Vocabulary},
    usage_error::UsageError,
};

/// Which levels are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelPlan {
    levels: Levels,
    /// As it was given.
    pub written: String,
    /// Whether it says that lines without a level are not wanted.
    pub refuses_none: bool,
}

/// A bit for each level, and one for none.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Levels(u8);

const NO_LEVEL: Levels = Levels(1 << 7);
const ALL: Levels = Levels(NO_LEVEL.0 - 1);

impl LevelPlan {
    /// None if all lines are wanted.
    pub(super) fn new(args: &Args, words: &Vocabulary) -> Result<Option<LevelPlan>, UsageError> {
        let parts: Vec<&str> = split(args, &LEVEL).collect();
        if parts.is_empty() {
            return Ok(None);
        }
        let refuses_none = parts
            .iter()
            .any(|part| part.strip_prefix('!').is_some_and(|part| part.trim().eq_ignore_ascii_case("none")));
        let written = parts.join(",");
        let levels = parse(&parts, words).map_err(|reason| wrong(&LEVEL, reason))?;
        Ok(Some(LevelPlan { levels, written, refuses_none }))
    }

    pub fn wants(&self, level: Option<Level>) -> bool {
        self.levels.0 & level.map_or(NO_LEVEL.0, bit) != 0
    }
}

fn bit(level: Level) -> u8 {
    1 << level as u8
}

/// The union of all parts, without those behind `!`; of all levels if no other part names one.
fn parse(parts: &[&str], words: &Vocabulary) -> Result<Levels, String> {
    let (mut wanted, mut unwanted) = (Levels::default(), Levels::default());
    let (mut names_levels, mut takes_away) = (false, false);
    for part in parts {
        let names_nothing = part.trim_start_matches('!').trim().is_empty();
        if names_nothing && !(part.is_empty() && parts.len() == 1) {
            let written = if part.is_empty() { parts.join(",") } else { (*part).to_owned() };
            return Err(format!("\"{written}\" lacks a level"));
        }
        match part.strip_prefix('!') {
            Some(part) => {
                takes_away = true;
                unwanted.0 |= one(part.trim(), words, |level| level..=level)?.0;
            }
            None => {
                let part = one(part, words, |level| level..=Level::Fatal)?;
                names_levels |= part != NO_LEVEL;
                wanted.0 |= part.0;
            }
        }
    }
    if takes_away && !names_levels {
        wanted.0 |= ALL.0;
    }
    Ok(Levels(wanted.0 & !unwanted.0))
}

/// `none`, a range, or a level, which stands for these.
fn one(
    part: &str,
    words: &Vocabulary,
    alone: impl Fn(Level) -> std::ops::RangeInclusive<Level>,
) -> Result<Levels, String> {
    let level = |word| level(word, words);
    if part.eq_ignore_ascii_case("none") {
        return Ok(NO_LEVEL);
    }
    if part.matches("..").count() > 1 {
        return Err(format!("\"{part}\" has more than two ends; a range is FROM..TO"));
    }
    let range = match part.split_once("..") {
        None => alone(level(part)?),
        Some(("", "")) => Level::Trace..=Level::Fatal,
        Some((from, "")) => level(from)?..=Level::Fatal,
        Some(("", to)) => Level::Trace..=level(to)?,
        Some((from, to)) => level(from)?..=level(to)?,
    };
    if range.is_empty() {
        return Err(format!("\"{part}\" is empty; the lower level comes first"));
    }
    Ok(Level::ALL
        .into_iter()
        .filter(|level| range.contains(level))
        .fold(Levels::default(), |levels, level| Levels(levels.0 | bit(level))))
}

fn level(word: &str, words: &Vocabulary) -> Result<Level, String> {
    let word = word.trim();
    words.level(word).ok_or_else(|| {
        let names = Level::ALL.map(Level::name).join(", ");
        let hint = match word.strip_prefix(['=', '>', '<']) {
            Some(rest) => {
                let rest = rest.trim_start_matches('=');
                format!("; {rest} includes the levels above, {rest}..{rest} is that level alone")
            }
            None => String::new(),
        };
        format!("\"{word}\" is none of {names} or none{hint}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(spec: &str) -> String {
        let levels = parse(&spec.split(',').collect::<Vec<_>>(), &Vocabulary::default()).unwrap();
        let plan = LevelPlan { levels, written: String::new(), refuses_none: false };
        let all = Level::ALL.map(Some).into_iter().chain([None]);
        let names = all.filter(|level| plan.wants(*level)).map(|level| level.map_or("none", Level::name));
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_level_stands_for_itself_and_all_above() {
        assert_eq!(shown("warn"), "warn error fatal");
        assert_eq!(shown("WARNING"), "warn error fatal");
        assert_eq!(shown("err"), "error fatal");
        assert_eq!(shown("crit"), "fatal");
        assert_eq!(shown("trace"), "trace debug info notice warn error fatal");
    }

    #[test]
    fn a_range_has_both_ends() {
        assert_eq!(shown("warn..error"), "warn error");
        assert_eq!(shown("..info"), "trace debug info");
        assert_eq!(shown("warn.."), "warn error fatal");
        assert_eq!(shown("error..error"), "error");
        assert_eq!(shown(".."), shown("trace"));
    }

    #[test]
    fn parts_add_up_and_an_exclamation_mark_takes_away() {
        assert_eq!(shown("warn,none"), "warn error fatal none");
        assert_eq!(shown("debug..debug,error"), "debug error fatal");
        assert_eq!(shown("!info"), "trace debug notice warn error fatal");
        assert_eq!(shown("!debug..info,none"), "trace notice warn error fatal none");
        assert_eq!(shown("info,!warn"), "info notice error fatal");
        assert_eq!(shown("!none"), shown("trace"));
        assert_eq!(shown("none"), "none");
    }

    #[test]
    fn errors_name_the_wrong_part() {
        let error =
            |spec: &str| parse(&spec.split(',').collect::<Vec<_>>(), &Vocabulary::default()).unwrap_err();
        assert_eq!(
            error("warn,wran"),
            "\"wran\" is none of trace, debug, info, notice, warn, error, fatal or none"
        );
        assert!(error("warn..x").starts_with("\"x\" is none of"));
        assert_eq!(
            error("warn..error..fatal"),
            "\"warn..error..fatal\" has more than two ends; a range is FROM..TO"
        );
        assert_eq!(error(","), "\",\" lacks a level");
        assert_eq!(error("warn,"), "\"warn,\" lacks a level");
        assert_eq!(error("!"), "\"!\" lacks a level");
        assert!(error("").starts_with("\"\" is none of"));
        assert_eq!(error("error..warn"), "\"error..warn\" is empty; the lower level comes first");
        assert!(error(">=warn").ends_with("warn includes the levels above, warn..warn is that level alone"));
    }
}
