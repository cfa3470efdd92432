//! Golden cases of the kinds of heads, and of text that looks like one.

use super::*;

#[test]
fn a_thread_that_is_named_like_a_level_is_none() {
    for thread in [
        "http-1", "log-1", "info-1", "all-1", "config-1", "fine-1", "trace-1", "debug-1", "panic-3", "http1",
        "HTTP-1", "INFO-2",
    ] {
        let line = format!("2026-01-31 12:00:00.123 [{thread}] ERROR a.B - payment failed");
        assert_eq!(level(&line), Some(Level::Error), "{line}");
        assert_eq!(level(&format!("2026-01-31 12:00:00.123 [{thread}] hello")), None, "{thread}");
    }
}

#[test]
fn words_behind_a_pair_are_the_message() {
    for (message, expected) in [
        (
            "ts=2026-01-31T12:00:00Z level=error connection to database refused addr=10.0.0.1:5432 retry=3",
            "Logfmt: ts=2026-01-31T12:00:00Z | level=error | message=connection to database refused | \
             addr=10.0.0.1:5432 | retry=3",
        ),
        (
            "level=warn a long text with no more pairs in it",
            "Logfmt: level=warn | message=a long text with no more pairs in it",
        ),
        ("size=20MB flag a=b", "Logfmt: size=20MB | message=flag | a=b"),
        (
            "level=info msg=x err=refused by host a=b",
            "Logfmt: level=info | msg=x | err=refused | text=by host | a=b",
        ),
    ] {
        assert_eq!(shown(message), expected, "{message}");
    }
}

#[test]
fn the_first_level_of_a_head_decides() {
    use Level::*;
    levels([
        ("[12:00:00] [Server thread/INFO]: player sent ERROR", Some(Info)),
        ("[12:00:00] [main/INFO] [Foo]: ERROR in text", Some(Info)),
        ("[12:00:00] [Server thread/WARN]: x", Some(Warn)),
        ("2024.05.01 12:00:00.1 [ 1 ] {} <Information> App: ERROR", Some(Info)),
        ("2024.05.01 12:00:00.1 [ 1 ] {a1-b2} <Error> App: x", Some(Error)),
        ("2024.05.01 12:00:00.1 [ 1 ] {} <Debug> App: x", Some(Debug)),
        ("I240501 12:00:00.123456 1 1@cli/start.go:1 [-] 1  x ERROR", Some(Info)),
        ("I240501 12:00:00.123456 1 1@cli/start.go:1 ⋮ [n1] 1  x ERROR", Some(Info)),
        ("I/Foo: x ERROR", Some(Info)),
        ("(I) x ERROR", Some(Info)),
        ("24/05/01 12:00:00 ERROR Executor: Exception at INFO", Some(Error)),
        ("2024-05-01 12:00:00 web INFO got WARN", Some(Info)),
        ("app: INFO: x ERROR", Some(Info)),
        ("app | ERROR x INFO", Some(Error)),
        ("web-0 app WARN x ERROR", Some(Warn)),
        ("com.x.Foo - ERROR - boom", Some(Error)),
        ("vault: [DEBUG] x ERROR", Some(Debug)),
        ("0.123 WARN x", Some(Warn)),
    ]);
}

#[test]
fn words_of_a_message_are_no_levels() {
    for line in include_str!("ordinary.txt").lines() {
        assert_eq!(level(line), None, "{line}");
    }
}

#[test]
fn escapes_and_colours_hide_no_level() {
    use Level::*;
    levels([
        (r#"{"level":"\u001b[31merror\u001b[39m"}"#, Some(Error)),
        ("{\"level\":\"\x1b[31merror\x1b[39m\"}", Some(Error)),
        (r#"{"level":"err\u006fr"}"#, Some(Error)),
        (r#"{"\u006cevel":"error"}"#, Some(Error)),
        (r#"{"level":"error\n"}"#, Some(Error)),
        (r#"{"level":50.0}"#, Some(Error)),
        ("\u{feff}{\"level\":\"error\"}", Some(Error)),
        ("\u{feff}ERROR x", Some(Error)),
    ]);
}

#[test]
fn loggers_have_heads_of_their_own() {
    for (message, expected) in [
        (
            "postgresql 12:00:00.12 ERROR ==> The POSTGRESQL_PASSWORD is empty",
            "error: logger=postgresql | time=12:00:00.12 | level=ERROR | message=The POSTGRESQL_PASSWORD is empty",
        ),
        ("app INFO => x", "info: logger=app | level=INFO | message=x"),
        (
            r#"{"t":{"$date":"2026"},"s":"D2","c":"NETWORK","msg":"x"}"#,
            "debug: t={\"$date\":\"2026\"} | s=D2 | c=NETWORK | msg=x",
        ),
        (
            "2026-01-31T12:00:00.000+0000 D2 NETWORK  [conn1] x",
            "debug: time=2026-01-31T12:00:00.000+0000 | level=D2 | logger=NETWORK | context=conn1 | message=x",
        ),
        (
            "\x1b[32m[Nest] 1  - \x1b[39m05/01/2024, 12:00:00 PM \x1b[32m    LOG\x1b[39m \x1b[33m[X] \x1b[39m\x1b[32mstarted\x1b[39m",
            "info: pid=1 | time=05/01/2024, 12:00:00 PM | level=LOG | logger=X | message=started",
        ),
        (
            "[Nest] 1  - 1.5.2024, 12:00:00 VERBOSE [X] started",
            "trace: pid=1 | time=1.5.2024, 12:00:00 | level=VERBOSE | logger=X | message=started",
        ),
        (r#"{"level":"Level(-2)"}"#, "debug: level=Level(-2)"),
        (r#"{"level":"Level(-5)"}"#, "trace: level=Level(-5)"),
        (
            "2026-01-31T12:00:00.000Z\tLEVEL(-2)\tctrl\tmsg",
            "debug: time=2026-01-31T12:00:00.000Z | level=LEVEL(-2) | logger=ctrl | message=msg",
        ),
        ("PHP Fatal error:  Uncaught x", "error: level=Fatal error | message=Uncaught x"),
        ("PHP Warning:  x", "warn: level=Warning | message=x"),
        ("PHP Deprecated:  x", "notice: level=Deprecated | message=x"),
        ("LOG:  x", "info: level=LOG | message=x"),
        ("[77] LOG:  x", "info: pid=77 | level=LOG | message=x"),
        (
            "2024-05-01 12:00:00 UTC:10.0.0.1(1234):app@db:[77]:ERROR:  x",
            "error: time=2024-05-01 12:00:00 UTC | context=10.0.0.1(1234):app@db | pid=77 | level=ERROR | message=x",
        ),
        (
            "[W 240501 12:00:00 web:2246] x",
            "warn: level=W | time=240501 12:00:00 | caller=web:2246 | message=x",
        ),
        (
            "[I 2024-05-01 12:00:00.123 ServerApp] x",
            "info: level=I | time=2024-05-01 12:00:00.123 | logger=ServerApp | message=x",
        ),
        ("2024-05-01T12:00:00Z E! x", "error: time=2024-05-01T12:00:00Z | level=E | message=x"),
        (
            "2024-05-01T12:00:00.000Z error boom",
            "error: time=2024-05-01T12:00:00.000Z | level=error | message=boom",
        ),
        (
            "=CRASH REPORT==== 1-May-2024::12:00:00 ===",
            "error: level=CRASH | message=1-May-2024::12:00:00 ===",
        ),
        (
            "1.2.3.4:5 [01/May/2024:12:00:00.123] in be/srv 0/0/1/2/3 503 212 - - \"GET /x HTTP/1.1\"",
            "error: client=1.2.3.4:5 | time=01/May/2024:12:00:00.123 | frontend=in | backend=be/srv | \
             timers=0/0/1/2/3 | status=503 | bytes=212 | rest=- - \"GET /x HTTP/1.1\"",
        ),
    ] {
        let name = level(message).map_or("none", Level::name);
        let (_, fields) = shown(message).split_once(": ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert_eq!(format!("{name}: {fields}"), expected, "{message}");
    }
}

#[test]
fn heads_are_found_behind_a_time_or_names() {
    use Level::*;
    levels([
        ("2024-05-01T12:00:00.123Z E0501 12:00:00.123456 1 x.go:250] boom", Some(Error)),
        ("web-0 app E0501 12:00:00.123456       1 x.go:250] boom", Some(Error)),
        ("2024-05-01T12:00:00.123Z 1:M 31 Jan 2026 12:00:00.000 # x", Some(Warn)),
        ("2024-05-01T12:00:00.123Z 2026-01-31 12:00:00.000 UTC [1] ERROR:  x", Some(Error)),
        ("web-0 app 2026-01-31 12:00:00.000 UTC [1] LOG:  x", Some(Info)),
        ("web-0 app 2026-01-31T12:00:00Z  INFO x: ERROR", Some(Info)),
    ]);
}

#[test]
fn the_end_of_a_program_is_an_error() {
    use Level::*;
    levels([
        ("thread 'main' panicked at src/main.rs:1:2:", Some(Fatal)),
        ("thread 'main' (12) panicked at src/main.rs:1:2:", Some(Fatal)),
        ("fatal error: all goroutines are asleep - deadlock!", Some(Fatal)),
        ("panic: runtime error: index out of range", Some(Fatal)),
        ("Traceback (most recent call last):", Some(Error)),
        ("Exception in thread \"main\" java.lang.IllegalStateException: x", Some(Error)),
        ("Unhandled exception. System.Exception: x", Some(Error)),
        ("Uncaught TypeError: x is undefined", Some(Error)),
        ("a.rb:1:in 'run': boom (RuntimeError)", Some(Error)),
    ]);
    let of_two = |first: &str, second: &str| {
        Reader::default().level_of_lines(first.as_bytes(), Some(second.as_bytes()))
    };
    assert_eq!(of_two("TypeError: x", "    at run (/app/a.js:1:2)"), Some(Error));
    assert_eq!(of_two("java.lang.Error: x", "\tat a.B.c(B.java:1)"), Some(Error));
    assert_eq!(of_two("TypeError: x", "hello"), None);
    assert_eq!(of_two("hello", "    at run (/app/a.js:1:2)"), None);
}

#[test]
fn one_pair_at_the_end_of_a_sentence_is_a_part_of_it_and_a_field() {
    let message = b"2026-01-31T12:00:00.123Z  INFO 1 --- [main] c.e.Foo : user not found id=5";
    let mut reader = Reader::default();
    let record = reader.read(message);
    assert_eq!(&*record.text(), b"user not found id=5");
    let id = record.find(b"id").unwrap();
    assert_eq!(id.raw(), b"5");
    assert!(id.is_in_message());
    assert!(!record.role(Role::Logger).unwrap().is_in_message());
}

#[test]
fn text_with_pairs_in_lists_or_brackets_is_text() {
    for message in [
        "connected to db host=a, port=5, user=b",
        "User(id=1, name=ann, mail=x@y)",
        "{a=1, b=2, c=3}",
        "Foo{level=3 msg=x}",
        "#  SIGSEGV (0xb) at pc=0x00007f, pid=1, tid=7",
        "\"main\" #1 prio=5 os_prio=0 tid=0x1 nid=0x1 runnable  [0x1]",
        "<Task name='Task-1' coro=<main() done> result=None>",
    ] {
        assert_eq!(shown(message), "Text: ", "{message}");
    }
}

#[test]
fn the_text_of_a_coloured_line_has_no_colours_around_it() {
    assert_eq!(&*Reader::default().read(b"\x1b[32mhello\x1b[0m").text(), b"hello");
}

#[test]
fn words_of_a_house_may_have_any_letters() {
    let word = |word: &str| (word.to_owned(), Level::Error);
    let words = Words { levels: vec![word("오류"), word("Ärger")], fields: Vec::new() };
    let mut reader = Reader::new(Vocabulary::new(&words));
    for message in [
        "오류: x",
        "2024-05-01 12:00:00 오류 x",
        "2024-05-01 12:00:00 [main] 오류 com.x.Foo - x",
        "ÄRGER: x",
        r#"{"level":"ärger"}"#,
        "level=ÄRGER msg=x",
    ] {
        assert_eq!(reader.level(message.as_bytes()), Some(Level::Error), "{message}");
    }
    assert_eq!(reader.level("and now 오류".as_bytes()), None);
}
