//! `--redact`: which personal data and secrets are replaced, and under which key.

use std::path::Path;

use aws_lc_rs::{
    hmac::{HMAC_SHA256, Key},
    rand::SystemRandom,
};

use super::{
    LinePattern,
    pattern::Room,
    read::{each, error, split, wrong},
};
use crate::{
    cli::{
        Args,
        flags::structured::{REDACT, REDACT_KEY, REDACT_PATTERN},
    },
    small_file,
    usage_error::UsageError,
    without_number,
};

/// A shorter key could be found by trying.
const SHORTEST_KEY: usize = 32;

/// The longest name of a pattern.
const LONGEST_NAME: usize = 32;

#[derive(Debug)]
pub struct RedactPlan {
    pub kinds: Kinds,
    pub patterns: Vec<Own>,
    /// Of the pseudonyms. It prints as nothing but its algorithm.
    pub key: Key,
}

/// A pattern of the user and its name.
#[derive(Debug)]
pub struct Own {
    pub name: String,
    pub pattern: LinePattern,
}

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Pem,
    Password,
    Auth,
    Jwt,
    Key,
    Email,
    Iban,
    Card,
    Resident,
    Licence,
    Passport,
    Ssn,
    Business,
    Phone,
    Ip,
    Mac,
}

/// All kinds with their names, in the order in which they are reported.
pub const KINDS: [(Kind, &str); 16] = [
    (Kind::Email, "email"),
    (Kind::Phone, "phone"),
    (Kind::Resident, "rrn"),
    (Kind::Licence, "licence"),
    (Kind::Passport, "passport"),
    (Kind::Card, "card"),
    (Kind::Iban, "iban"),
    (Kind::Ssn, "ssn"),
    (Kind::Jwt, "jwt"),
    (Kind::Auth, "auth"),
    (Kind::Key, "key"),
    (Kind::Pem, "pem"),
    (Kind::Password, "password"),
    (Kind::Business, "brn"),
    (Kind::Ip, "ip"),
    (Kind::Mac, "mac"),
];

impl Kind {
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// Secrets need not be distinguished from one another.
    pub fn is_secret(self) -> bool {
        matches!(self, Kind::Jwt | Kind::Auth | Kind::Key | Kind::Pem | Kind::Password)
    }

    /// Those off by default are public, or needed to operate.
    fn is_default(self) -> bool {
        !matches!(self, Kind::Business | Kind::Ip | Kind::Mac)
    }
}

/// A set of kinds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Kinds(u32);

impl Kinds {
    fn of(wanted: impl Fn(Kind) -> bool) -> Kinds {
        let kinds = KINDS.iter().map(|(kind, _)| *kind).filter(|kind| wanted(*kind));
        kinds.fold(Kinds(0), |set, kind| set.with(Kinds(1 << kind as u32)))
    }

    fn with(self, others: Kinds) -> Kinds {
        Kinds(self.0 | others.0)
    }

    fn without(self, others: Kinds) -> Kinds {
        Kinds(self.0 & !others.0)
    }

    pub fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// Those of `--redact` alone.
    pub fn usual() -> Kinds {
        Kinds::of(Kind::is_default)
    }

    #[cfg(any(test, fuzzing))]
    pub fn all() -> Kinds {
        Kinds::of(|_| true)
    }

    /// Of one word. None: it is unknown.
    fn named(word: &str) -> Option<Kinds> {
        Some(match word {
            "default" => Kinds::usual(),
            "all" => Kinds::of(|_| true),
            "secrets" => Kinds::of(Kind::is_secret),
            "none" => Kinds::default(),
            name => {
                KINDS.iter().find(|(_, known)| *known == name)?;
                Kinds::of(|kind| kind.name() == name)
            }
        })
    }
}

impl RedactPlan {
    /// None: lines are shown as they are.
    pub fn new<'p>(
        args: &Args,
        others: impl IntoIterator<Item = &'p LinePattern>,
    ) -> Result<Option<RedactPlan>, UsageError> {
        let room = Room::beside(others);
        let patterns = each(args, &REDACT_PATTERN, |value| own(value, &room))?;
        let key = args.get(&REDACT_KEY).filter(|path| !path.is_empty()).map(Path::new);
        let kinds = match kinds(args)? {
            Some(kinds) => kinds,
            // A pattern is given for an effect.
            None if args.get(&REDACT).is_empty() && !patterns.is_empty() => Kinds::usual(),
            None => {
                let is_asked = args.get(&REDACT).is_empty() && !args.is_default(&REDACT_KEY.entry);
                return match key {
                    Some(_) if is_asked => Err(error("--redact-key works only with --redact; add that")),
                    _ => Ok(None),
                };
            }
        };
        let key = match key {
            Some(path) => read_key(path)?,
            None => Key::generate(HMAC_SHA256, &SystemRandom::new()).map_err(|_| {
                error("--redact: the operating system gives no random numbers; give --redact-key")
            })?,
        };
        Ok(Some(RedactPlan { kinds, patterns, key }))
    }
}

/// The kinds that are asked for. None: nothing is redacted.
fn kinds(args: &Args) -> Result<Option<Kinds>, UsageError> {
    let mut kinds: Option<Kinds> = None;
    for word in split(args, &REDACT) {
        kinds = match word {
            // A config file gives the flag without kinds as `true`.
            "true" => Some(kinds.unwrap_or_default().with(Kinds::usual())),
            "false" => None,
            "" => return Err(unknown(word)),
            word => Some(match word.strip_prefix('!') {
                None => kinds.unwrap_or_default().with(Kinds::named(word).ok_or_else(|| unknown(word))?),
                Some(name) => {
                    let others = Kinds::named(name).ok_or_else(|| unknown(name))?;
                    kinds.unwrap_or_else(Kinds::usual).without(others)
                }
            }),
        };
    }
    Ok(kinds)
}

fn unknown(word: &str) -> UsageError {
    let names: Vec<_> = KINDS.iter().map(|(_, name)| *name).collect();
    let known = names.join(", ");
    wrong(
        &REDACT,
        format!("\"{word}\" is no kind; there are default, all, secrets, none, {known}; ! takes one out"),
    )
}

/// The error is the rest of a sentence that begins with the flag's name.
fn own(value: &str, room: &Room) -> Result<Own, String> {
    let Some((name, pattern)) = value.split_once('=') else {
        return Err(format!("\"{value}\" has no name; write NAME=REGEX, as in order=A-[0-9]+"));
    };
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_plain) {
        return Err(format!(
            "\"{name}\" is no name; use 1 to {LONGEST_NAME} of a-z, 0-9, _ and -, as in order=A-[0-9]+"
        ));
    }
    if KINDS.iter().any(|(_, known)| *known == name) {
        return Err(format!("\"{name}\" is the name of a kind; use another one, as in my-{name}=REGEX"));
    }
    if pattern.is_empty() {
        return Err(format!("{name} has no pattern; write NAME=REGEX, as in order=A-[0-9]+"));
    }
    Ok(Own { name: name.to_owned(), pattern: room.pattern(pattern)? })
}

/// The bytes of a file are the key, all of them. No message contains any.
fn read_key(path: &Path) -> Result<Key, UsageError> {
    let wrong = |reason: String| wrong(&REDACT_KEY, reason);
    let shown = path.display();
    let bytes = small_file::read(path)
        .map_err(|error| wrong(format!("cannot read {shown}: {}", without_number(&error))))?;
    if bytes.len() < SHORTEST_KEY {
        let length = bytes.len();
        return Err(wrong(format!(
            "{shown} has {length} bytes, and a key needs at least {SHORTEST_KEY}; make one with \
             head -c {SHORTEST_KEY} /dev/urandom > FILE"
        )));
    }
    Ok(Key::new(HMAC_SHA256, &bytes))
}
