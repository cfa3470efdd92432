//! Flags that read structured logs: JSON, logfmt, and the heads of text logs.

use super::{Complete, File, Flag, Group, List, Scope, flag};

const LEVELS: Complete =
    Complete::WordList(&["trace", "debug", "info", "notice", "warn", "error", "fatal", "none"]);

flags! {
    Group::new("Structured logs", Scope::Any);

    /// Show only records of this level (trace, debug, info, notice, warn, error, fatal) or above; repeatable, and a list with
    /// commas adds up. `warn..error` is a range with both ends, `error..error` one level, `!info` takes one level away.
    /// Lines without a level follow the record that they continue, as a stack trace; others are hidden, unless `none`
    /// is in the list. The level is read from the keys of JSON and logfmt (words and numbers of the usual loggers), or from
    /// the head of a text line, never from words in a message; `levels:` and `fields:` in the config file add others.
    /// `--level warn,none`
    pub static LEVEL: Flag<List> = flag("level", "LEVEL")
        .completes(LEVELS)
        .help("Show only records of this level or above");

    /// Replace personal data and secrets in every output and file, behind all filters, which see lines as they were written. A
    /// value becomes `‹email:7f3a9c2e›`, the same for the same value during a run, and a secret `‹secret›`. KIND is `default`
    /// (also without a value), `all`, `secrets`, `none`, or some of `email`, `phone`, `rrn` (Korean resident and foreigner
    /// numbers), `licence`, `passport`, `card`, `iban`, `ssn`, `jwt`, `auth` (headers and URLs), `key` (of providers), `pem`
    /// (private keys, over several lines too), `password` (and its kin, by their names); `brn` (Korean business numbers), `ip`
    /// and `mac` are not in `default`. `!` takes a kind out. The number of each is reported at the end.
    /// [Security](security.md#redaction) tells what it cannot find. `--redact`, `--redact=default,ip`, `--redact='!phone'`
    pub static REDACT: Flag<List> = flag("redact", "KIND,…")
        .bare("default")
        .completes(Complete::WordList(REDACT_KINDS))
        .help("Replace personal data and secrets");

    /// Make pseudonyms with the key in this file, all its bytes, at least 32: they are the same in other runs with the same key.
    /// Without it, each run has a random key. `head -c 32 /dev/urandom > ~/.config/stern-rs/redact.key`
    pub static REDACT_KEY: Flag<File> = flag("redact-key", "FILE")
        .help("Make the same pseudonyms in each run with this key");

    /// Replace all that matches, or the first group of the pattern if it has one, by `‹NAME:…›`; repeatable. It works with or
    /// without `--redact`, which it turns on; `--redact=none` leaves only the patterns. `--redact-pattern 'order=A-[0-9]+'`
    pub static REDACT_PATTERN: Flag<List> = flag("redact-pattern", "NAME=REGEX")
        .help("Replace matches too, by a pseudonym");
}

pub const REDACT_KINDS: &[&str] = &[
    "default", "all", "secrets", "none", "email", "phone", "rrn", "licence", "passport", "card", "iban",
    "ssn", "jwt", "auth", "key", "pem", "password", "brn", "ip", "mac",
];
