//! Lines of real loggers: each has the level that its logger wrote, found by one pattern for each file.

use std::{fs, path::Path};

use regex::Regex;

use super::*;

const FILES: [(&str, &str); 25] = [
    ("c-cpp-glog", r"^([IWEF])\d{4} "),
    ("csharp-nlog-csv", r"^[\d.: -]+,(\w+),"),
    ("csharp-nlog-json", r#""level":"(\w+)""#),
    ("csharp-nlog", r"^[\d.: -]+\|(\w+)\|"),
    ("csharp-serilog", r"^\[[\d:]+ (\w+)\]"),
    ("golang-gin", r"^\[GIN\] \S+ - \S+ \| (\d+) \|"),
    ("golang-logrus-json", r#""level":"(\w+)""#),
    ("golang-logrus", r" level=(\w+) "),
    ("golang-slog-json", r#""level":"(\w+)""#),
    ("golang-zerolog-json", r#"^\{"level":"(\w+)""#),
    ("golang-zerolog", r"^\S+ ([A-Z]{3}) "),
    ("java-log4j2-json", r#""level":"(\w+)""#),
    ("java-log4j2", r"^[\d,: -]+ \[[^]]+\] (\w+) "),
    ("java-logback-ext-json", r#""Level":"(\w+)""#),
    ("java-logback-ext", r"^[\d.: -]+ \[[^]]+\] (\w+) "),
    ("java-logback-json", r#""Level":"(\w+)""#),
    ("java-logback-mdc", r"^[\d.:]+ \[[^]]+\] (\w+) "),
    ("java-logback", r"^[\d.:]+ \[[^]]+\] (\w+) "),
    ("js-ts-bunyan", r#","level":(\d+),"#),
    ("js-ts-winston", r#"^\{"level":"(\w+)""#),
    ("opentelemetry", r#"" (\d{3}) \d+$"#),
    ("python-loguru", r"^[\d.: -]+ \| +(\w+) +\|"),
    ("python-structlog", r"^[\d: -]+ \[(\w+) *\]"),
    ("ruby-semantic-logger", r"^\[[\d.: -]+\] (\w+) "),
    ("ruby-std-logger", r"^([A-Z]), \["),
];

fn written(word: &str) -> Option<Level> {
    Some(match word.to_lowercase().as_str() {
        "trace" | "verbose" | "vrb" | "trc" | "10" | "silly" => Level::Trace,
        "debug" | "d" | "dbg" | "20" => Level::Debug,
        "info" | "i" | "inf" | "http" | "success" | "30" => Level::Info,
        "warn" | "warning" | "w" | "wrn" | "40" => Level::Warn,
        "error" | "e" | "err" | "50" => Level::Error,
        "fatal" | "f" | "ftl" | "critical" | "panic" | "60" => Level::Fatal,
        "notset" => return None,
        status => match status.parse::<u32>().unwrap() {
            500.. => Level::Error,
            400.. => Level::Warn,
            _ => Level::Info,
        },
    })
}

#[test]
fn every_line_of_a_logger_has_the_level_that_it_wrote() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/loggers");
    let mut files = 0;
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "log")) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let Some((_, pattern)) = FILES.iter().find(|(file, _)| *file == name) else {
            panic!("{name} is new")
        };
        let pattern = Regex::new(pattern).unwrap();
        let mut heads = 0;
        files += 1;
        for line in fs::read_to_string(&path).unwrap().lines().filter(|line| !line.is_empty()) {
            let word = pattern.captures(line).map(|found| found[1].to_owned());
            heads += usize::from(word.is_some());
            let expected = word.as_deref().and_then(written);
            let mut reader = Reader::default();
            assert_eq!(reader.level(line.as_bytes()), expected, "{name}: {line}");
            let record = reader.read(line.as_bytes());
            assert_eq!(record.level(), expected, "{name}: {line}");
            if word.is_some() && !["golang-gin", "opentelemetry", "python-structlog"].contains(&name) {
                let roles = [Role::Time, Role::Message].map(|role| record.role(role).is_some());
                assert_eq!(roles, [true, true], "{name}: {line}");
            }
        }
        assert!(heads >= 30, "{name}: {heads}");
    }
    assert_eq!(files, FILES.len());
}
