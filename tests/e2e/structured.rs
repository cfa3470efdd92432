//! Structured logs: levels, conditions, jq, records, redaction, and the report of what was read.

use crate::harness::{Namespace, Output, Pod};

/// What the pod `web` writes, at once.
const LOG: &str = r#"{"level":"info","msg":"item added","user":"ann@example.com","duration_ms":12}
{"level":"error","msg":"charge failed for order 17","http":{"status":502},"duration_ms":1250}
ERROR cannot send the receipt
java.lang.IllegalStateException: no connection
	at c.e.shop.Mailer.send(Mailer.java:42)
Caused by: java.net.ConnectException: refused
	... 3 more
time="2026-01-31T12:00:01Z" level=warn msg="stock is low" item=17
plain
"#;

fn shop(title: &str) -> Namespace {
    let namespace = Namespace::new(title);
    namespace.run(Pod::new("web").container("app", &format!("cat <<'END'\n{LOG}END")));
    namespace
}

fn shown(namespace: &Namespace, args: &[&str]) -> Output {
    namespace.stern(&[&["web", "--no-follow", "--only-log-lines"], args].concat())
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("the log is UTF-8")
}

/// The lines of the log with these numbers.
fn lines(numbers: &[usize]) -> String {
    numbers.iter().map(|number| format!("{}\n", LOG.lines().nth(*number).expect("a line"))).collect()
}

#[test]
fn levels_and_conditions_select_records_with_their_traces() {
    let namespace = shop("levels");
    let raw = |args: &[&str]| text(&shown(&namespace, &[&["--output", "raw"], args].concat()));
    assert_eq!(raw(&["--level", "warn"]), lines(&[1, 2, 3, 4, 5, 6, 7]));
    assert_eq!(raw(&["--level", "warn,none"]), lines(&[1, 2, 3, 4, 5, 6, 7, 8]));
    assert_eq!(raw(&["--where", "http.status>=500 or duration_ms<20ms"]), lines(&[0, 1]));
    assert_eq!(raw(&["--where", "msg~Mailer"]), lines(&[2, 3, 4, 5, 6]));
    assert_eq!(raw(&["--level", "fatal"]), "");
}

#[test]
fn records_are_shown_as_one_by_pretty_jq_and_json() {
    let namespace = shop("records");
    let pretty = text(&shown(&namespace, &["--output", "pretty"]));
    let error = pretty.lines().nth(1).expect("two records");
    assert!(error.starts_with("web app ") && error.contains(" ERR charge failed for order 17 "), "{pretty}");
    assert!(error.contains(" http.status=502"), "{pretty}");
    let joined = shown(&namespace, &["--multiline", "--level", "error", "--output", "json"]);
    assert_eq!(text(&joined).lines().count(), 2, "{}", text(&joined));
    let jq = shown(&namespace, &["--output", "raw", "--jq", r#"select(.http.status) | "\($pod) \(.msg)""#]);
    assert_eq!(text(&jq), "web charge failed for order 17\n");
}

#[test]
fn personal_data_and_secrets_leave_no_trace() {
    let namespace = shop("redacted");
    for format in ["default", "raw", "json", "pretty"] {
        let output = namespace.stern(&["web", "--no-follow", "--redact", "--output", format]);
        let text = text(&output);
        assert!(!text.contains("ann@example.com") && text.contains("‹email:"), "{text}");
        assert!(output.stderr.contains("· redacted: "), "{}", output.stderr);
    }
}

#[test]
fn the_summary_counts_what_was_shown() {
    let namespace = shop("summary");
    let output = shown(&namespace, &["--summary=duration_ms", "--quiet"]);
    assert_eq!(text(&output), "");
    for part in ["· 9 lines from ", " pod/web app ", "1 × error  charge failed for order ‹n›", "max 1.25s"]
    {
        assert!(output.stderr.contains(part), "{part}: {}", output.stderr);
    }
}
