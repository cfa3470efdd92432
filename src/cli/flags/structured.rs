//! Flags that read structured logs: JSON, logfmt, and the heads of text logs.

use super::{Complete, File, Flag, Group, List, Scope, Switch, Text, flag};

pub const SUMMARY_FORMATS: &[&str] = &["text", "json"];

const THEMES: Complete = Complete::WordList(&["default", "light", "mono", "none"]);
const LEVELS: Complete =
    Complete::WordList(&["trace", "debug", "info", "notice", "warn", "error", "fatal", "none"]);

flags! {
    Group::new("Structured logs", Scope::Any);

    /// Show only records of this level (trace, debug, info, notice, warn, error, fatal) or above; repeatable, and a list with
    /// commas adds up. `warn..error` is a range with both ends, `error..error` one level, `!info` takes one level away, of all if no other is named.
    /// Lines without a level follow the record that they continue, as a stack trace; others are hidden, unless `none`
    /// is in the list. The level is read from the keys of JSON and logfmt (words and numbers of the usual loggers), or from
    /// the head of a text line, never from words in a message; `levels:` and `fields:` in the config file add others, which
    /// `--level`, `--where` and `--jq` know too.
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

    /// Show only records whose fields meet a condition; repeatable: all of them must hold. The literal decides what is
    /// compared: numbers, durations, sizes, levels, times, and else text. A comparison with a field that is missing is false,
    /// and `!=` is the exact negation of `=`. Lines that continue a record, as a stack trace, follow it. A line without
    /// fields is a `msg`. [reading.md](reading.md#conditions) has the grammar.
    /// `--where 'status>=500 and path~"^/cart"'` `--where 'duration>250ms, !exists(trace_id)'` `--where 'level>=warn'`
    pub static WHERE: Flag<List> = flag("where", "EXPR")
        .help("Show only records that meet a condition");

    /// Show what a program of jq makes of each record, in place of its message: strings as they are, other values as compact
    /// JSON, each result as a line of its own; `empty` drops the record. The input is the JSON object, or the object of the
    /// fields of logfmt, klog and the like; a line without fields is `{"msg": …}`. The program knows `$pod`, `$namespace`, `$container`,
    /// `$node`, `$context` and `$time`. Filters see records as they were written, before the program does. With `-o json`
    /// the result is the `message`. A record on which the program fails is not shown, which is reported once for each container,
    /// with a count at the end, and makes the exit code 3. [reading.md](reading.md#jq) has the differences from jq.
    /// `--jq '"\(.level) \(.msg)"'` `--jq 'select(.status >= 500) | {path, user: .user.id}'`
    pub static JQ: Flag<Text> = flag("jq", "PROGRAM")
        .help("Show what a program of jq makes of each record");

    /// Show only these fields in `-o pretty`, beside time, level, logger, message, error, caller and stack: keys, in which dots
    /// lead into objects and `*` stands for any text and `?` for one byte. `!key` leaves one out again. The order stays that of the record.
    /// Default: all fields. `-o pretty --fields 'order_id,http.*'`
    pub static FIELDS: Flag<List> = flag("fields", "KEY,…")
        .help("Show only these fields in -o pretty: user.id,http.*");

    /// Hide these fields in `-o pretty`, also those shown as time, caller or stack. Keys are as for `--fields`; `!key` takes one
    /// back. Default: none. `-o pretty --hide 'k8s.*,!k8s.pod'`
    pub static HIDE: Flag<List> = flag("hide", "KEY,…")
        .help("Hide these fields in -o pretty: k8s.*,ctx");

    /// Use these colours in `-o pretty`: `default`, `light` (for a light background), `mono` (bold and dim only) or `none`, and
    /// parts with the numbers of a terminal sequence (SGR): `time`, the levels `trc`, `dbg`, `inf`, `ntc`, `wrn`, `err` and `ftl`,
    /// `logger`, `message` (from warn on), `key`, `value`, `error`, `4xx` and `5xx` (of a field `status`), `caller`, `stack`, `frame` (the
    /// first that is no library's) and `escape` (a character that is not drawn). Default: `default`. `-o pretty --theme 'light,key=36,error=31;1'`
    pub static THEME: Flag<List> = flag("theme", "NAME,PART=SGR,…")
        .help("Use these colours in -o pretty: light,key=36")
        .completes(THEMES);

    /// Show the lines of a record as one message, as a stack trace with the line that logs it: filters, `--until-match`, JSON
    /// formats, templates and files see them together. In patterns `^` and `$` are the ends of the whole message, and `(?s).`
    /// is also the end of a line. A text format shows each line with its prefix, as without the flag. A line waits 100 ms for
    /// one that continues its record; at most 500 lines or 256 KiB are one message. JSON of several lines is one if it begins
    /// with a line that is `{` or `[`.
    /// `--multiline -i '(?s)IllegalState.*OrderService'`
    pub static MULTILINE: Flag<Switch> = flag("multiline", "")
        .help("Show the lines of a record as one message");

    /// Report in numbers on standard error, at the end, what passed the filters, before `--jq` has its part: lines by level of each owner of pods and container,
    /// errors a minute, the most frequent messages with their numbers taken out, and when they came first and last. With
    /// names of fields also the percentiles of their values: the latency, the statuses. Numbers and durations count. A stack
    /// trace counts as lines of its level, and as one error. Memory is bounded: beyond 1,000 different messages the rarest
    /// are forgotten, beyond 1,000 different values percentiles are right within one percent. The signal SIGUSR1 prints the
    /// report at once. With `--quiet` no lines are printed. Default: no report.
    /// `--summary`, `--summary=duration,http.status`
    pub static SUMMARY: Flag<Text> = flag("summary", "FIELD,…")
        .bare("true")
        .help("Report lines by level, frequent messages, percentiles");

    /// Write the report of `--summary` as `text`, for people, or as `json`, one object on one line. Default: `text`
    pub static SUMMARY_FORMAT: Flag<Text> = flag("summary-format", "FORMAT")
        .help("Write the report of --summary as text or json")
        .completes(Complete::Words(SUMMARY_FORMATS));
}

pub const REDACT_KINDS: &[&str] = &[
    "default", "all", "secrets", "none", "email", "phone", "rrn", "licence", "passport", "card", "iban",
    "ssn", "jwt", "auth", "key", "pem", "password", "brn", "ip", "mac",
];
