use std::{ffi::OsString, fs};

use tempfile::TempDir;

use super::*;
use crate::{
    cli::{
        self,
        flags::{limits, lines, selection},
    },
    plan::Plan,
};

/// A home directory with files in it.
struct Home(TempDir);

impl Home {
    fn new(files: &[(&str, &str)]) -> Home {
        let home = Home(TempDir::new().unwrap());
        for (path, text) in files {
            let path = home.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        home
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn env(&self) -> Environment {
        Environment { home: Some(self.0.path().to_owned()), ..Environment::bare() }
    }

    /// With the home directory written as `~`, and paths as Unix writes them.
    fn short(&self, error: impl ToString) -> String {
        error
            .to_string()
            .replace(self.0.path().to_str().unwrap(), "~")
            .replace(std::path::MAIN_SEPARATOR, "/")
    }
}

/// The words of the system for a file that cannot be read.
fn refusal(path: &Path) -> String {
    let error = fs::read(path).unwrap_err().to_string();
    let (first, rest) = crate::words(&error).split_at(1);
    first.to_lowercase() + rest
}

fn parse(line: &str, env: &Environment) -> Result<Args, UsageError> {
    match cli::parse(format!("stern-rs {line}").split_whitespace().map(OsString::from), env)? {
        cli::Command::Run(args) => Ok(*args),
        other => panic!("{line}: {other:?}"),
    }
}

/// The usual file holds `text`.
fn with(text: &str) -> Home {
    Home::new(&[(PATHS[0], text)])
}

fn args(text: &str, line: &str) -> Args {
    parse(line, &with(text).env()).unwrap()
}

fn refused(text: &str, line: &str) -> String {
    let home = with(text);
    let planned = parse(line, &home.env()).and_then(|args| Plan::new(&args, &home.env()));
    home.short(planned.unwrap_err())
}

#[test]
fn a_flag_has_the_value_of_the_file() {
    let args =
        args("# mine\ntail: 10\ntimestamps: short\nno-follow: true\nqps: 1.5\nselector: \"app=web\"\n", ".");
    assert_eq!(
        (args.get(&logs::TAIL), args.get(&limits::QPS), args.get(&logs::NO_FOLLOW)),
        (Some(10), Some(1.5), true)
    );
    assert_eq!(args.get(&output::TIMESTAMPS), Some("short"));
    assert_eq!(args.get(&selection::SELECTOR), Some("app=web"));
    assert!(args.warnings.is_empty());
}

#[test]
fn the_command_line_wins() {
    let text = "tail: 10\nno-follow: true\ninclude: [a]\ncolor: never\n";
    let args = args(text, "--tail 3 --no-follow=false -i b .");
    assert_eq!((args.get(&logs::TAIL), args.get(&logs::NO_FOLLOW)), (Some(3), false));
    assert_eq!((args.get(&lines::INCLUDE), args.get(&output::COLOR)), (vec!["b"], Some("never")));
}

#[test]
fn equivalent_flags_overrule_each_other() {
    let args = args("since-time: '2026-01-31T12:00:00Z'\n", "--since 5m .");
    assert_eq!(args.get(&logs::SINCE_TIME), None);
}

#[test]
fn a_list_is_a_repeated_flag() {
    let text = "namespace: [a, b]\nexclude:\n  - one, two\n  - 3\nhighlight: x\ninclude: []\n";
    let args = args(text, ".");
    assert_eq!(
        (args.get(&selection::NAMESPACE), args.get(&lines::EXCLUDE)),
        (vec!["a", "b"], vec!["one, two", "3"])
    );
    assert_eq!((args.get(&lines::HIGHLIGHT), args.get(&lines::INCLUDE)), (vec!["x"], vec![]));
}

#[test]
fn words_stay_words() {
    assert_eq!(args("namespace: no\n", ".").get(&selection::NAMESPACE), ["no"]);
    assert_eq!(
        args("since-time: 2026-01-31T12:00:00Z\n", ".").get(&logs::SINCE_TIME),
        Some("2026-01-31T12:00:00Z")
    );
    assert_eq!(args("exclude: -foo\n", ".").get(&lines::EXCLUDE), ["-foo"]);
}

#[test]
fn an_empty_file_and_an_empty_value_set_nothing() {
    for text in ["", "# nothing\n", "---\n", "tail:\nsince: ~\n", "{}"] {
        let args = args(text, ".");
        assert_eq!((args.get(&logs::TAIL), args.get(&logs::SINCE)), (None, None), "{text}");
    }
}

#[test]
fn an_unknown_key_is_a_warning() {
    let home = with("tail: 1\ntial: 2\nx-y: {a: [1]}\nversion: true\n");
    let args = parse(".", &home.env()).unwrap();
    assert_eq!(args.get(&logs::TAIL), Some(1));
    let warnings: Vec<_> = args.warnings.iter().map(|warning| home.short(warning)).collect();
    assert_eq!(
        warnings,
        [
            "~/.config/stern-rs/config.yaml:2: tial is ignored; did you mean tail?",
            "~/.config/stern-rs/config.yaml:3: x-y is ignored; keys are the long names of flags",
            "~/.config/stern-rs/config.yaml:4: version is ignored; only the command line can give it",
        ]
    );
}

#[test]
fn a_bad_value_is_reported_with_file_line_and_key() {
    for (text, error) in [
        ("\ntail: ten\n", "2: tail: \"ten\" is not a whole number such as 10"),
        ("color: red", "1: color: \"red\" is none of auto, always or never"),
        ("no-follow: maybe", "1: no-follow: \"maybe\" is neither true nor false"),
        ("a: 1\ninclude: ['(', b]", "2: include: \"(\" is not a regular expression: missing closing ): `(`"),
        ("tail: [1, 2]", "1: tail: it takes one value, not a list"),
        ("tail:\n  a: 1\n", "1: tail: it takes a value or a list of values"),
        ("include:\n- [a]\n", "1: include: it takes a value or a list of values"),
    ] {
        assert_eq!(refused(text, "."), format!("~/.config/stern-rs/config.yaml:{error}"), "{text}");
    }
}

#[test]
fn a_contradiction_names_the_file_too() {
    assert_eq!(
        refused("no-follow: true\n", "--tail=0 ."),
        "--no-follow with --tail=0 shows nothing; remove one (~/.config/stern-rs/config.yaml:1 sets no-follow)"
    );
}

#[test]
fn errors_of_the_command_line_do_not_name_the_file() {
    assert!(refused("tail: 1\n", "--since x .").starts_with("--since: "));
}

#[test]
fn invalid_yaml_is_reported_with_its_line() {
    for (text, start) in [
        ("tail: 1\n  since: [\n", "~/.config/stern-rs/config.yaml:2: "),
        ("- a\n", "~/.config/stern-rs/config.yaml:1: "),
        ("tail: 1\ntail: 2\n", "~/.config/stern-rs/config.yaml:2: "),
        ("just words", "~/.config/stern-rs/config.yaml:1: "),
    ] {
        let error = refused(text, ".");
        assert!(error.starts_with(start) && !error.contains('\n'), "{text}: {error}");
    }
}

#[test]
fn the_first_usual_file_is_read() {
    let both = Home::new(&[(PATHS[0], "tail: 1"), (PATHS[1], "tail: 2\nqps: 3")]);
    let args = parse(".", &both.env()).unwrap();
    assert_eq!((args.get(&logs::TAIL), args.get(&limits::QPS)), (Some(1), None));
    assert_eq!(parse(".", &Home::new(&[(PATHS[1], "tail: 2")]).env()).unwrap().get(&logs::TAIL), Some(2));
    assert_eq!(parse(".", &Home::new(&[(".config", "a file")]).env()).unwrap().get(&logs::TAIL), None);
    assert_eq!(parse(".", &Environment::bare()).unwrap().get(&logs::TAIL), None);
}

#[test]
fn a_named_file_is_read_in_place_of_the_usual_one() {
    let home = Home::new(&[(PATHS[0], "tail: 1"), ("a.yaml", "qps: 2"), ("b.yaml", "qps: 3")]);
    let flag = format!("--config {} .", home.path("a.yaml").display());
    let args = parse(&flag, &home.env()).unwrap();
    assert_eq!((args.get(&logs::TAIL), args.get(&limits::QPS)), (None, Some(2.0)));
    assert_eq!(parse("--config ~/a.yaml .", &home.env()).unwrap().get(&limits::QPS), Some(2.0));
    // As in stern, the variable wins.
    let env = |path: &str| Environment { stern_config: Some(path.into()), ..home.env() };
    assert_eq!(parse(&flag, &env("~/b.yaml")).unwrap().get(&limits::QPS), Some(3.0));
    assert_eq!(parse(".", &env("")).unwrap().get(&logs::TAIL), Some(1));
}

#[test]
fn a_named_file_must_be_there() {
    let home = Home::new(&[]);
    let error = |line, env: &Environment| home.short(parse(line, env).unwrap_err());
    assert_eq!(
        error("--config ~/x.yaml .", &home.env()),
        format!("--config: cannot read ~/x.yaml: {}", refusal(&home.path("x.yaml")))
    );
    let env = Environment { stern_config: Some("~/y.yaml".into()), ..home.env() };
    let missing = refusal(&home.path("y.yaml"));
    assert_eq!(error(".", &env), format!("STERNCONFIG: cannot read ~/y.yaml: {missing}"));
    assert_eq!(
        error("--config ~/x.yaml .", &Environment::bare()),
        format!("--config: ~/x.yaml: the home directory is unknown; set {}", crate::platform::home::VARIABLE)
    );
}

#[test]
fn a_usual_file_that_cannot_be_read_is_a_warning() {
    let home = Home::new(&[(".config/stern-rs/config.yaml/x", "")]);
    let args = parse(".", &home.env()).unwrap();
    assert_eq!(
        args.warnings.iter().map(|warning| home.short(warning)).collect::<Vec<_>>(),
        [format!(
            "cannot read ~/.config/stern-rs/config.yaml: {}; continuing without it",
            refusal(&home.path(PATHS[0]))
        )]
    );
}

#[test]
fn help_needs_no_file() {
    let env = Environment { stern_config: Some("/nowhere".into()), ..Environment::bare() };
    assert!(cli::parse(["stern-rs", "--help"].map(OsString::from), &env).is_ok());
}
