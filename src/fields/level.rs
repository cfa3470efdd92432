//! Levels: how serious a record is, and how loggers write that, in words and in numbers.

/// In ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Notice,
    Warn,
    Error,
    Fatal,
}

/// The longest word that is a level.
const LONGEST_WORD: usize = 16;

impl Level {
    pub const ALL: [Level; 7] =
        [Level::Trace, Level::Debug, Level::Info, Level::Notice, Level::Warn, Level::Error, Level::Fatal];

    /// `warn`
    pub fn name(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Notice => "notice",
            Level::Warn => "warn",
            Level::Error => "error",
            Level::Fatal => "fatal",
        }
    }

    /// The level of a word in any case, as `WARNING`, slog's `ERROR+2`, or OpenTelemetry's `INFO2`.
    pub fn of(word: &[u8]) -> Option<Level> {
        let word = word.trim_ascii();
        let mut lower = [0; LONGEST_WORD];
        let lower = lower.get_mut(..word.len())?;
        lower.copy_from_slice(word);
        lower.make_ascii_lowercase();
        named(lower).or_else(|| verbosity(lower)).or_else(|| named(without_number(lower)?))
    }
}

fn named(word: &[u8]) -> Option<Level> {
    Some(match word {
        b"info" | b"i" | b"inf" | b"information" | b"informational" | b"log" | b"http" | b"success" => {
            Level::Info
        }
        b"debug" | b"d" | b"dbg" | b"dbug" | b"debu" | b"fine" | b"config" => Level::Debug,
        b"warn" | b"warning" | b"w" | b"wrn" => Level::Warn,
        b"error" | b"e" | b"err" | b"erro" | b"eror" | b"fail" | b"severe" => Level::Error,
        b"trace" | b"t" | b"trc" | b"trac" | b"trce" | b"verbose" | b"verb" | b"vrb" | b"silly"
        | b"finest" | b"finer" | b"all" => Level::Trace,
        b"notice" | b"n" | b"ntc" | b"note" => Level::Notice,
        b"fatal" | b"f" | b"ftl" | b"fata" | b"c" | b"crit" | b"critical" | b"alert" | b"emerg"
        | b"emergency" | b"panic" | b"pani" | b"dpanic" => Level::Fatal,
        _ => return None,
    })
}

/// zap's levels below debug, which have no names: `Level(-2)`
fn verbosity(word: &[u8]) -> Option<Level> {
    match word.strip_prefix(b"level(-")?.strip_suffix(b")")? {
        [b'1'..=b'3'] => Some(Level::Debug),
        digits => digits.iter().all(u8::is_ascii_digit).then_some(Level::Trace),
    }
}

/// `error+2`, `debug-4`, `info2`: the word before the number. A letter needs the sign: `e2` is no level.
pub(super) fn without_number(word: &[u8]) -> Option<&[u8]> {
    let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (word, digits) = word.split_at(word.len() - digits);
    match (word, digits) {
        (_, []) => None,
        ([word @ .., b'+' | b'-'], _) => Some(word),
        (_, [b'1'..=b'5']) if word.len() > 1 => Some(word),
        _ => None,
    }
}

/// Which numbers a key has for levels; the same number differs between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// pino and bunyan: 10 to 60; monolog: 100 to 600; GELF: 0 to 7.
    Level,
    /// OpenTelemetry: 1 to 24.
    SeverityNumber,
    /// Google Cloud: 100 to 800; syslog: 0 to 7.
    Severity,
    /// syslog: 0 to 7.
    Priority,
    /// Python: 10 to 50.
    Python,
    /// logback: 5000 to 40000.
    Logback,
}

impl Scale {
    /// The level of a number, and whether only GELF would mean it so.
    pub(super) fn level(self, number: u32) -> Option<(Level, bool)> {
        let certain = |level: Option<Level>| level.map(|level| (level, false));
        match self {
            Scale::Level if number < 8 => syslog(number).map(|level| (level, true)),
            Scale::Level if number < 100 => certain(steps(number / 10, 1)),
            Scale::Level => certain(monolog(number)),
            Scale::SeverityNumber => certain(steps(number.div_ceil(4).min(7), 1).filter(|_| number <= 24)),
            Scale::Severity if number < 100 => certain(syslog(number)),
            Scale::Severity => certain(google(number)),
            Scale::Priority => certain(syslog(number)),
            Scale::Python => certain(steps((number / 10).min(5), 0)),
            Scale::Logback if number < 10_000 => certain((number >= 5_000).then_some(Level::Trace)),
            Scale::Logback => certain(steps((number / 10_000).min(4), 0)),
        }
    }
}

/// The level of a step without notice, if that before the first is trace (`trace` 1) or the first is debug (0).
fn steps(step: u32, trace: u32) -> Option<Level> {
    let levels = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];
    let step = if step == 0 { return None } else { step - trace };
    levels.get(step as usize).or(levels.last()).copied()
}

/// The severity of a syslog priority, which is the remainder of eight.
pub(super) fn syslog(number: u32) -> Option<Level> {
    Some(match number {
        0..=2 => Level::Fatal,
        3 => Level::Error,
        4 => Level::Warn,
        5 => Level::Notice,
        6 => Level::Info,
        7 => Level::Debug,
        _ => return None,
    })
}

fn monolog(number: u32) -> Option<Level> {
    Some(match number {
        100..200 => Level::Debug,
        200..250 => Level::Info,
        250..300 => Level::Notice,
        300..400 => Level::Warn,
        400..500 => Level::Error,
        500..=600 => Level::Fatal,
        _ => return None,
    })
}

fn google(number: u32) -> Option<Level> {
    Some(match number {
        100..200 => Level::Debug,
        200..300 => Level::Info,
        300..400 => Level::Notice,
        400..500 => Level::Warn,
        500..600 => Level::Error,
        600..=800 => Level::Fatal,
        _ => return None,
    })
}

/// The level of an access line, by the status of its answer.
pub(super) fn status(status: u32) -> Level {
    match status {
        500.. => Level::Error,
        400..500 => Level::Warn,
        _ => Level::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_loggers_are_levels_in_any_case() {
        for (level, words) in [
            (Level::Trace, "t trc trace trce verbose vrb silly finest finer all TRACE Trace"),
            (Level::Debug, "d dbg dbug debug debug1 debug5 fine config DEBUG-4"),
            (Level::Info, "i inf info information informational log http INFO2 INFO+1 SUCCESS"),
            (Level::Notice, "n ntc notice NOTICE"),
            (Level::Warn, "w wrn warn warning Warn WARN4"),
            (Level::Error, "e err eror error fail severe ERROR+2"),
            (Level::Fatal, "f ftl fatal c crit critical alert emerg emergency panic dpanic"),
        ] {
            for word in words.split(' ') {
                assert_eq!(Level::of(word.as_bytes()), Some(level), "{word}");
            }
        }
        assert_eq!(Level::of(b"  INFO "), Some(Level::Info));
    }

    #[test]
    fn other_words_are_none() {
        for word in
            ["", "x", "default", "off", "medium", "e2", "+2", "-", "7", "informationally", "info22", "🦀"]
        {
            assert_eq!(Level::of(word.as_bytes()), None, "{word}");
        }
    }

    #[test]
    fn numbers_are_read_by_the_scale_of_their_key() {
        use Level::{Debug, Error, Fatal, Info, Notice, Trace, Warn};
        for (scale, levels) in [
            (
                Scale::Level,
                &[
                    (10, Trace),
                    (20, Debug),
                    (30, Info),
                    (35, Info),
                    (40, Warn),
                    (50, Error),
                    (60, Fatal),
                    (99, Fatal),
                    (100, Debug),
                    (200, Info),
                    (250, Notice),
                    (300, Warn),
                    (400, Error),
                    (500, Fatal),
                    (550, Fatal),
                    (600, Fatal),
                ][..],
            ),
            (
                Scale::SeverityNumber,
                &[(1, Trace), (4, Trace), (5, Debug), (9, Info), (13, Warn), (17, Error), (24, Fatal)],
            ),
            (
                Scale::Severity,
                &[(3, Error), (100, Debug), (300, Notice), (400, Warn), (500, Error), (800, Fatal)],
            ),
            (
                Scale::Priority,
                &[(0, Fatal), (2, Fatal), (3, Error), (4, Warn), (5, Notice), (6, Info), (7, Debug)],
            ),
            (Scale::Python, &[(10, Debug), (20, Info), (25, Info), (30, Warn), (40, Error), (50, Fatal)]),
            (Scale::Logback, &[(5000, Trace), (10000, Debug), (20000, Info), (30000, Warn), (40000, Error)]),
        ] {
            for (number, level) in levels {
                assert_eq!(scale.level(*number), Some((*level, false)), "{scale:?} {number}");
            }
        }
        for (scale, number) in [
            (Scale::Level, 8),
            (Scale::Level, 5000),
            (Scale::SeverityNumber, 0),
            (Scale::SeverityNumber, 25),
            (Scale::Priority, 8),
            (Scale::Python, 9),
            (Scale::Logback, 7),
        ] {
            assert_eq!(scale.level(number), None, "{scale:?} {number}");
        }
        assert_eq!(Scale::Level.level(3), Some((Error, true)));
    }
}
