//! `--theme`: the colours of the parts of a record.

use crate::plan::colors;

/// A part of a record that has a colour of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Time,
    Trace,
    Debug,
    Info,
    Notice,
    Warn,
    Error,
    Fatal,
    Logger,
    /// The message of a record from warn on.
    Message,
    Key,
    Value,
    /// The field with the error.
    Failure,
    ClientError,
    ServerError,
    Caller,
    Stack,
    /// The first line of a stack that is not a library's.
    Frame,
    /// A character that is shown by its number.
    Escape,
}

impl Part {
    pub const ALL: [Part; PARTS] = [
        Part::Time,
        Part::Trace,
        Part::Debug,
        Part::Info,
        Part::Notice,
        Part::Warn,
        Part::Error,
        Part::Fatal,
        Part::Logger,
        Part::Message,
        Part::Key,
        Part::Value,
        Part::Failure,
        Part::ClientError,
        Part::ServerError,
        Part::Caller,
        Part::Stack,
        Part::Frame,
        Part::Escape,
    ];
}

const PARTS: usize = 19;

/// For each part its name, and its colours in the themes.
const TABLE: [(&str, [&str; 3]); PARTS] = [
    ("time", ["2", "2", "2"]),
    ("trc", ["2", "2", "2"]),
    ("dbg", ["35", "36", "2"]),
    ("inf", ["36", "34", ""]),
    ("ntc", ["34", "32", "4"]),
    ("wrn", ["33", "30;43", "1"]),
    ("err", ["91", "31;1", "1;4"]),
    ("ftl", ["31;7", "97;41", "1;7"]),
    ("logger", ["36;2", "35", ""]),
    ("message", ["1", "1", "1"]),
    ("key", ["36;2", "34", "2"]),
    ("value", ["", "", ""]),
    ("error", ["31", "31", "1"]),
    ("4xx", ["33", "35", "4"]),
    ("5xx", ["31", "31;1", "1"]),
    ("caller", ["2;3", "2;3", "2"]),
    ("stack", ["2", "2", "2"]),
    ("frame", ["", "", ""]),
    ("escape", ["2", "2", "2"]),
];

/// The names of the themes, as `TABLE` has them; the last one has no colours.
const NAMES: [&str; 4] = ["default", "light", "mono", "none"];

/// By part: the numbers of an SGR sequence, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme([String; PARTS]);

impl Default for Theme {
    fn default() -> Theme {
        Theme::named(0)
    }
}

impl Theme {
    fn named(theme: usize) -> Theme {
        Theme(TABLE.map(|(_, colors)| colors.get(theme).copied().unwrap_or_default().to_owned()))
    }

    /// From the name of a theme, and parts with their colours: `light`, `key=36`.
    pub fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Result<Theme, String> {
        let mut theme = Theme::default();
        for word in words {
            let Some((name, color)) = word.split_once('=') else {
                let unknown =
                    || format!("\"{word}\" is none of {}; a colour of your own is key=36", NAMES.join(", "));
                theme = Theme::named(NAMES.iter().position(|name| *name == word).ok_or_else(unknown)?);
                continue;
            };
            let part = TABLE.iter().position(|(part, _)| *part == name).ok_or_else(|| {
                format!("\"{name}\" is none of the parts {}", TABLE.map(|(part, _)| part).join(", "))
            })?;
            theme.0[part] = match color {
                "" => String::new(),
                color => colors::numbers(color).ok_or_else(|| {
                    format!("\"{color}\" is not a colour such as 36 or 31;1 (SGR numbers, 0 to 255)")
                })?,
            };
        }
        Ok(theme)
    }

    /// The SGR parameters of a part; empty: none.
    pub fn sgr(&self, part: Part) -> &str {
        &self.0[part as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(words: &str) -> Result<Theme, String> {
        Theme::parse(words.split(','))
    }

    #[test]
    fn the_table_is_in_the_order_of_the_parts() {
        for (part, name) in [
            (Part::Time, "time"),
            (Part::Fatal, "ftl"),
            (Part::Message, "message"),
            (Part::Failure, "error"),
            (Part::ServerError, "5xx"),
            (Part::Escape, "escape"),
        ] {
            assert_eq!(TABLE[part as usize].0, name);
        }
    }

    #[test]
    fn a_theme_can_be_changed_in_parts() {
        let theme = theme("light,key=36,error=31; 1,4xx=").unwrap();
        let parts = [Part::Key, Part::Failure, Part::ClientError, Part::Info];
        assert_eq!(parts.map(|part| theme.sgr(part)), ["36", "31;1", "", "34"]);
    }

    #[test]
    fn a_theme_without_colours_has_none() {
        assert_eq!(theme("none").unwrap().0, <[String; PARTS]>::default());
    }

    /// Terminals with few colours show all themes.
    #[test]
    fn sixteen_colours_are_enough() {
        for number in
            TABLE.iter().flat_map(|(_, colors)| colors).flat_map(|color| color.split_terminator(';'))
        {
            let number: u8 = number.parse().unwrap();
            assert!(matches!(number, 1..=7 | 30..=37 | 40..=47 | 90..=97), "{number}");
        }
    }

    #[test]
    fn errors_name_the_fault() {
        for (words, fault) in [
            ("dark", "\"dark\" is none of default, light, mono, none"),
            ("keys=36", "\"keys\" is none of the parts time, trc,"),
            ("key=x", "\"x\" is not a colour"),
            ("key=256", "\"256\" is not a colour"),
            ("", "\"\" is none of default"),
        ] {
            let error = theme(words).unwrap_err();
            assert!(error.contains(fault), "{words}: {error}");
        }
    }
}
