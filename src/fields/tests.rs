//! Golden cases: what the fields of a message are.

mod kinds;
mod samples;

use serde_json::Value;

use super::*;

fn level(message: &str) -> Option<Level> {
    let mut reader = Reader::default();
    let level = reader.read(message.as_bytes()).level();
    assert_eq!(reader.level(message.as_bytes()), level, "{message}");
    level
}

fn levels<const N: usize>(cases: [(&str, Option<Level>); N]) {
    for (message, expected) in cases {
        assert_eq!(level(message), expected, "{message}");
    }
}

#[test]
fn the_level_of_a_record_comes_from_its_keys() {
    use Level::*;
    levels([
        (r#"{"level":30,"msg":"x"}"#, Some(Info)),
        (r#"{"levelno":30,"levelname":"WARNING","message":"x"}"#, Some(Warn)),
        (r#"{"levelno":30}"#, Some(Warn)),
        (r#"{"level":35,"msg":"x"}"#, Some(Info)),
        (r#"{"level":"ERROR+2"}"#, Some(Error)),
        (r#"{"@t":"2026","@mt":"Hi {N}","N":1}"#, Some(Info)),
        (r#"{"@t":"2026","@mt":"Hi {N}","@l":"ERR"}"#, Some(Error)),
        (r#"{"severity":"NOTICE"}"#, Some(Notice)),
        (r#"{"severity":"DEFAULT"}"#, None),
        (r#"{"log":{"level":"WARN"}}"#, Some(Warn)),
        (r#"{"log.level":"WARN"}"#, Some(Warn)),
        (r#"{"Level":{"Name":"WARNING","No":30}}"#, Some(Warn)),
        (r#"{"record":{"level":{"name":"WARNING","no":30}}}"#, Some(Warn)),
        (r#"{"t":{"$date":"2026"},"s":"W","c":"NETWORK","msg":"x"}"#, Some(Warn)),
        (r#"{"s":"W"}"#, None),
        (r#"{"ts":1580306777042.1,"v":4,"msg":"x"}"#, Some(Trace)),
        (r#"{"ts":1580306777042.1,"v":0,"msg":"x"}"#, Some(Info)),
        (r#"{"ts":1580306777042.1,"msg":"x","err":"e"}"#, Some(Error)),
        (r#"{"short_message":"x","level":3,"version":"1.1"}"#, Some(Error)),
        (r#"{"level":3,"short_message":"x","version":"1.1"}"#, Some(Error)),
        (r#"{"level":3,"msg":"x"}"#, None),
        (r#"{"level":300,"level_name":"WARNING","message":"x"}"#, Some(Warn)),
        (r#"{"err":null,"msg":"applied"}"#, None),
        (r#"{"error":"","type":"response"}"#, None),
        (r#"{"status":200,"referer":"…detected_level=error"}"#, None),
        (r#"{"severityNumber":17,"body":{"stringValue":"x"}}"#, Some(Error)),
        (r#"{"level":2,"source":"eventlog"}"#, None),
        (r#"{"PRIORITY":"3","MESSAGE":"x"}"#, Some(Error)),
        (r#"{"message":"ERROR: x"}"#, None),
        ("\x1b[32m{\"level\":\"error\"}\x1b[0m", Some(Error)),
    ]);
}

#[test]
fn the_first_key_in_rank_decides_and_of_the_same_keys_the_first() {
    levels([
        (r#"{"severity":"INFO","level":"error"}"#, Some(Level::Error)),
        (r#"{"level":"unknown","severity":"INFO"}"#, Some(Level::Info)),
        (r#"{"level":"error","level":"info"}"#, Some(Level::Error)),
        (r#"{"level":{"x":1},"lvl":"info"}"#, Some(Level::Info)),
    ]);
}

#[test]
fn a_message_template_is_filled() {
    for (message, expected) in [
        (
            r#"{"@t":"2026","@mt":"Hi {Name}, {{x}} {@User,8:000} {Missing}!","Name":"\u00e9","User":{"a":1}}"#,
            "Hi é, {x} {\"a\":1} {Missing}!",
        ),
        (r#"{"@t":"2026","@mt":"Hi {Name","Name":"x"}"#, "Hi {Name"),
        (r#"{"@t":"2026","@mt":"Hi {N}","@m":"Hi 1","N":2}"#, "Hi 1"),
    ] {
        let mut reader = Reader::default();
        assert_eq!(String::from_utf8_lossy(&reader.read(message.as_bytes()).text()), expected);
    }
}

/// The time for which this thread has worked since then. Without Linux it is that of a clock.
fn worked(begun: std::time::Instant) -> std::time::Duration {
    let numbers = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match numbers.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()) {
        Some(nanoseconds) => std::time::Duration::from_nanos(nanoseconds),
        None => begun.elapsed(),
    }
}

/// Lines that make a careless reader slow; each would take minutes.
#[test]
fn long_lines_take_time_by_their_length() {
    const SIZE: usize = 1 << 18;
    let begun = std::time::Instant::now();
    for piece in [
        "\"",
        "\\",
        "=",
        "{",
        "}",
        "[",
        "{\"a\":",
        "a=\"",
        " a=\"",
        "a=' b=\"",
        " {\"a\":1} ",
        "{{",
        "[a] ",
        "\x1b",
        "\x1b[0m",
        "a=b ",
        "a ",
        ": ",
        "| ",
        "INFO ",
        "INFO\t",
        "\\\"",
        "2026-01-31T12:00:00Z ",
        "\u{e9}",
    ] {
        for head in [
            "",
            "{\"a\":\"",
            "INFO x ",
            "2026-01-31T12:00:00Z  INFO a: ",
            "I0629 08:00:00.385780 1 a.go:1] \"",
        ] {
            let line = format!("{head}{}", piece.repeat(SIZE / piece.len()));
            let mut reader = Reader::default();
            let fields = reader.read(line.as_bytes()).fields().count();
            assert!(fields <= line.len());
            reader.level(line.as_bytes());
        }
    }
    assert!(worked(begun) < std::time::Duration::from_secs(30), "{:?}", worked(begun));
}

#[test]
fn words_of_a_house_are_levels_and_its_keys_come_first() {
    let words = Words {
        levels: vec![("FEHLER".to_owned(), Level::Error), ("7".to_owned(), Level::Debug)],
        fields: vec![(Role::Level, vec!["sev".to_owned(), "a.b".to_owned()])],
    };
    let mut reader = Reader::new(Vocabulary::new(&words));
    for (message, expected) in [
        (r#"{"level":"info","sev":"fehler"}"#, Some(Level::Error)),
        (r#"{"level":"info","sev":7}"#, Some(Level::Info)),
        (r#"{"sev":7}"#, Some(Level::Debug)),
        (r#"{"level":"fehler"}"#, Some(Level::Error)),
        (r#"{"level":"info","a":{"b":"warn"}}"#, Some(Level::Warn)),
        (r#"{"a.b":"warn","sev":"error"}"#, Some(Level::Error)),
    ] {
        assert_eq!(reader.read(message.as_bytes()).level(), expected, "{message}");
        assert_eq!(reader.level(message.as_bytes()), expected, "{message}");
    }
}

#[test]
fn fields_are_slices_in_the_order_of_the_message() {
    let message = br#" {"a" : 1.10,"b":{"c":[1,"x\n",{}],"d":null},"a":true,"e":"\u00e9 \ud83e\udd80"} "#;
    let mut reader = Reader::default();
    let record = reader.read(message);
    assert_eq!(record.form(), Form::Json);
    let all: Vec<_> = record.fields().map(|field| (field.key(), field.kind(), field.raw())).collect();
    let key = |key: &'static str| Cow::Borrowed(key.as_bytes());
    assert_eq!(
        all,
        [
            (key("a"), Kind::Number, &b"1.10"[..]),
            (key("b"), Kind::Object, br#"{"c":[1,"x\n",{}],"d":null}"#),
            (key("a"), Kind::Bool, b"true"),
            (key("e"), Kind::String { escaped: true }, br"\u00e9 \ud83e\udd80"),
        ]
    );
    assert_eq!(record.find(b"e").map(|field| field.text()), Some("é 🦀".as_bytes().into()));
    let items: Vec<_> = record.find(b"b.c").unwrap().fields().map(|item| item.raw()).collect();
    assert_eq!(items, [&b"1"[..], br"x\n", b"{}"]);
    assert_eq!(record.find(b"b.d").map(|field| field.kind()), Some(Kind::Null));
    assert!(record.find(b"b.x").is_none() && record.find(b"c").is_none());
}

#[test]
fn other_text_is_no_record() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(1000), "]".repeat(1000));
    for message in [
        "",
        "{",
        "{a:1}",
        r#"{"a":1} tail"#,
        r#"{"a":1"#,
        r#"{"a":"x}"#,
        r#"{"a":1,}"#,
        r#"{"a":01}"#,
        r#"{"a":-}"#,
        r#"{"a":[1}]"#,
        r#"{"a":["#,
        "payload={\"a\":1}",
        "[1]",
        &deep,
    ] {
        assert_eq!(Reader::default().read(message.as_bytes()).form(), Form::Text, "{message}");
    }
}

#[test]
fn roles_are_found() {
    let mut reader = Reader::default();
    let message = br#"{"level":"error","ts":"2026-01-31T12:00:00.123Z","logger":"checkout","caller":"pay/charge.go:88","msg":"charge failed","order_id":"A-17","http":{"status":502},"err":"upstream: reset","stack":"main.charge\n\t/src/pay/charge.go:88","trace_id":"x"}"#;
    let record = reader.read(message);
    let roles = [
        (Role::Time, "2026-01-31T12:00:00.123Z"),
        (Role::Level, "error"),
        (Role::Message, "charge failed"),
        (Role::Logger, "checkout"),
        (Role::Caller, "pay/charge.go:88"),
        (Role::Error, "upstream: reset"),
        (Role::Stack, "main.charge\n\t/src/pay/charge.go:88"),
        (Role::Trace, "x"),
    ];
    for (role, text) in roles {
        assert_eq!(record.role(role).map(|field| field.text()), Some(text.as_bytes().into()), "{role:?}");
    }
}

/// All that is read, as serde_json has it.
fn value(field: &Field<'_, '_>) -> Value {
    match field.kind() {
        Kind::Object => object(field.fields()),
        Kind::Array => field.fields().map(|item| value(&item)).collect(),
        Kind::String { .. } => String::from_utf8(field.text().into_owned()).unwrap().into(),
        _ => serde_json::from_slice(field.raw()).unwrap(),
    }
}

fn object<'r, 'm>(fields: impl Iterator<Item = Field<'r, 'm>>) -> Value {
    let pairs = fields.map(|field| (String::from_utf8(field.key().into_owned()).unwrap(), value(&field)));
    Value::Object(pairs.collect())
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn json() -> impl Strategy<Value = Value> {
        let key = || prop_oneof!["[a-e]", "(level|msg|s|t|ts|v|err|@t|@mt|log|log.level)", "(?s).{0,4}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "(?s).{0,8}|info|WARN|[\"\\\\\n\u{1}🦀]{0,5}".prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((key(), inner), 0..5)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        });
        prop::collection::vec((key(), value), 0..8)
            .prop_map(|pairs| Value::Object(pairs.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn a_record_is_what_a_json_library_reads(expected in json(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&expected) } else { serde_json::to_string(&expected) };
            let text = text.unwrap();
            let mut reader = Reader::default();
            let record = reader.read(text.as_bytes());
            prop_assert_eq!(record.form(), Form::Json);
            prop_assert_eq!(object(record.fields()), serde_json::from_str::<Value>(&text).unwrap());
            let level = record.level();
            prop_assert_eq!(reader.level(text.as_bytes()), level);
        }

        #[test]
        fn any_bytes_are_read(message: Vec<u8>, text in r#"(\{|\}|"|\\|:|,|\[|\]|=| |a|1|level|error|\x1b\[0m){0,40}"#) {
            let mut reader = Reader::default();
            for message in [&message[..], text.as_bytes()] {
                fuzz::fields(message);
                reader.level(message);
            }
        }
    }
}

#[test]
fn the_level_of_a_text_comes_from_its_head() {
    use Level::*;
    levels([
        ("WARN: Non-critical", Some(Warn)),
        ("INFO retry after error", Some(Info)),
        ("I0629 08:00:00.385780 1 trace.go:897] Failed", Some(Info)),
        ("DBG x error=foobar", Some(Debug)),
        ("[2025-02-20 14:55:36,789: ERROR/MainProcess] x", Some(Error)),
        ("2024-11-15 20:12:11 [info    ] x", Some(Info)),
        ("GET /error 200", None),
        (r#""GET /error HTTP/1.1" 200 12"#, Some(Info)),
        (r#"10.0.0.1 - - [15/Nov/2024:23:13:12 +0900] "GET /error HTTP/1.1" 503 12"#, Some(Error)),
        (r#"10.0.0.1 - - [15/Nov/2024:23:13:12 +0900] "GET /error HTTP/1.1" 404 12"#, Some(Warn)),
        ("0 failed, no error", None),
        ("2026-01-31 12:00:00.000 UTC [1] LOG:  x", Some(Info)),
        ("1:M 31 Jan 2026 12:00:00.000 # x", Some(Warn)),
        ("web-1 | ERROR x", Some(Error)),
        ("ERRORS=0", None),
        ("the information desk", None),
        ("all pods are ready", None),
        ("error while reading", None),
        ("Error: cannot read", Some(Error)),
        ("SEVERE: x", Some(Error)),
        ("FINE: x", Some(Debug)),
        ("info: Microsoft.Hosting.Lifetime[14]", Some(Info)),
        ("fail: Microsoft.Hosting.Lifetime[14]", Some(Error)),
        ("crit: A.B[0]", Some(Fatal)),
        ("<11>Jan 31 12:00:00 host app[12]: message", Some(Error)),
        ("2026-01-31 12:00:00.000000 W | etcdserver: x", Some(Warn)),
        ("2026-01-31T12:00:00.000+0000 E STORAGE  [conn1] x", Some(Error)),
        ("2026-01-31T12:00:00.000000Z 0 [Note] x", Some(Info)),
        ("\x1b[32mINFO\x1b[0m[0000] x", Some(Info)),
    ]);
}

#[test]
fn java_util_logging_has_the_level_in_the_second_line() {
    let mut reader = Reader::default();
    let mut level = |first: &str, second: &str| {
        let second = Some(second.as_bytes()).filter(|second| !second.is_empty());
        reader.level_of_lines(first.as_bytes(), second)
    };
    let first = "Jan 31, 2026 12:00:00 PM com.x.Y method";
    assert_eq!(level(first, "SEVERE: x"), Some(Level::Error));
    assert_eq!(level(first, "WARNING: x"), Some(Level::Warn));
    assert_eq!(level(first, "SEVERE:x"), None);
    assert_eq!(level(first, ""), None);
    assert_eq!(level("hello", "SEVERE: x"), None);
    assert_eq!(level("INFO hello", "SEVERE: x"), Some(Level::Info));
}

/// The form and the fields of a message, in one line.
fn shown(message: &str) -> String {
    let mut reader = Reader::default();
    let record = reader.read(message.as_bytes());
    let fields = record.fields().map(|field| {
        let text = String::from_utf8(field.text().into_owned()).unwrap();
        format!("{}={text}", String::from_utf8_lossy(&field.key()))
    });
    format!("{:?}: {}", record.form(), fields.collect::<Vec<_>>().join(" | "))
}

#[test]
fn all_parts_of_a_head_are_fields() {
    for (message, expected) in [
        (
            "2026-01-31T12:00:00.123Z  INFO 1 --- [demo] [           main] c.e.d.App      : Started in 2 s",
            "Headed: time=2026-01-31T12:00:00.123Z | level=INFO | pid=1 | application=demo | thread=main | \
             logger=c.e.d.App | message=Started in 2 s",
        ),
        (
            "2026-01-31T12:00:00Z\tINFO\tctrl\tapp/main.go:12\tmsg here\t{\"a\":1}",
            "Json: time=2026-01-31T12:00:00Z | level=INFO | logger=ctrl | caller=app/main.go:12 | \
             message=msg here | a=1",
        ),
        (
            "INFO\tfinished call\t{\"grpc.code\":\"OK\"}",
            "Json: level=INFO | message=finished call | grpc.code=OK",
        ),
        (
            "2:28PM WRN f.go:88 > System warning a=b c=\"x y\"",
            "Logfmt: time=2:28PM | level=WRN | caller=f.go:88 | message=System warning | a=b | c=x y",
        ),
        (
            "I1025 00:15:15.525108       1 utils.go:116] \"Pod \\\"x\\\" updated\" pod=\"a/b\"",
            "Logfmt: level=I | time=1025 00:15:15.525108 | thread=1 | caller=utils.go:116 | \
             message=Pod \"x\" updated | pod=a/b",
        ),
        (
            "2026/01/31 12:00:00 [error] 7#8: *1 open() failed",
            "Headed: time=2026/01/31 12:00:00 | level=error | pid=7 | thread=8 | connection=1 | message=open() failed",
        ),
        (
            "[Wed Oct 11 14:32:52 2000] [core:error] [pid 3:tid 4] [client 72.15.99.187] AH00035: denied",
            "Headed: time=Wed Oct 11 14:32:52 2000 | logger=core | level=error | pid=3 | thread=4 | \
             client=72.15.99.187 | message=AH00035: denied",
        ),
        (
            "1.2.3.4 - bob [15/Nov/2024:23:13:12 +0900] \"GET /x HTTP/1.1\" 503 12 \"-\" \"curl/7\" 0.1",
            "Headed: client=1.2.3.4 | user=bob | time=15/Nov/2024:23:13:12 +0900 | method=GET | path=/x | \
             protocol=HTTP/1.1 | status=503 | bytes=12 | user_agent=curl/7 | rest=0.1",
        ),
        (
            "[GIN] 2024/11/12 - 15:19:06 | 200 |  953ms | 1.2.3.4 | PUT     \"/api\"",
            "Headed: time=2024/11/12 - 15:19:06 | status=200 | duration=953ms | client=1.2.3.4 | method=PUT | path=/api",
        ),
        (
            "[2024-11-15 19:23:55.098] WARN  [a,b] Auth -- Usage high {{\"cpu\":92.8}} [Metric: x=1] (0.270ms)",
            "Json: time=2024-11-15 19:23:55.098 | level=WARN | tags=a,b | logger=Auth | message=Usage high | \
             cpu=92.8 | metric=Metric: x=1 | duration=0.270ms",
        ),
        (
            "2026-01-31T12:00:00.000000Z  INFO req{m=GET uri=\"/x y\"}: tower::trace: done status=200",
            "Logfmt: time=2026-01-31T12:00:00.000000Z | level=INFO | span=req{m=GET uri=\"/x y\"} | \
             logger=tower::trace | message=done | status=200",
        ),
        (
            "2024-11-12 16:35:03.9,WARN,A.B,\"CPU: 39, 4\",boom: x",
            "Headed: time=2024-11-12 16:35:03.9 | level=WARN | logger=A.B | message=CPU: 39, 4 | exception=boom: x",
        ),
        ("ERROR:root:boom", "Headed: level=ERROR | logger=root | message=boom"),
        ("web-1  | {\"level\":\"warn\"}", "Json: prefix=web-1 | level=warn"),
        ("got {\"level\":\"warn\"}", "Json: prefix=got | level=warn"),
        (
            "2026/01/31 12:00:00 main.go:12: hello",
            "Headed: time=2026/01/31 12:00:00 | caller=main.go:12 | message=hello",
        ),
        (r#"a="x\"y" b="#, "Logfmt: a=x\"y | b="),
        ("level=info msg=hello world a=b", "Logfmt: level=info | msg=hello world | a=b"),
        (
            "INFO parameters: user=1, action=update",
            "Headed: level=INFO | message=parameters: user=1, action=update",
        ),
        ("k=v", "Text: "),
        ("payload={\"a\":1}", "Text: "),
        ("hello world", "Text: "),
    ] {
        assert_eq!(shown(message), expected, "{message}");
    }
}
