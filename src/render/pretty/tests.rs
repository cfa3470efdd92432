use jiff::tz::TimeZone;
use proptest::{collection::vec, prelude::*};
use serde_json::{Map, Value};

use crate::{
    notice::Scope,
    plan::{Display, Format, Keys, PrettyPlan, Timestamps},
    render::{
        Renderer,
        testing::{batch, display, origin, rendered},
    },
};

fn pretty() -> Display {
    Display { format: Format::Pretty, ..display() }
}

fn on_terminal() -> Display {
    Display { pretty: PrettyPlan { on_terminal: true, ..PrettyPlan::default() }, ..pretty() }
}

/// Of standard input.
fn shown(display: &Display, lines: &[&str]) -> String {
    let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
    rendered(display, &[], None, &lines)
}

const CHARGE: &str = r#"{"level":"error","ts":"2026-01-31T12:00:00.123Z","logger":"checkout","caller":"pay/charge.go:88","msg":"charge failed","order_id":"A-17","amount":12.50,"http":{"status":502,"path":"/pay now"},"tags":["eu","retry"],"err":"upstream: reset","stack":"main.charge\n\t/src/pay/charge.go:88"}"#;

#[test]
fn a_stack_stands_below_its_record_on_a_terminal() {
    let expected = "12:00:00.123 ERR checkout: charge failed order_id=A-17 amount=12.50 http.status=502 \
                    http.path=\"/pay now\" tags=[eu,retry] err=\"upstream: reset\" ‹pay/charge.go:88›\n    \
                    main.charge\n        /src/pay/charge.go:88\n";
    assert_eq!(shown(&on_terminal(), &[CHARGE]), expected);
}

#[test]
fn a_message_of_several_lines_goes_on_below_its_record_on_a_terminal() {
    let line = r#"{"level":"warn","msg":"first\r\n\tsecond\n\nthird\n","n":1}"#;
    assert_eq!(shown(&on_terminal(), &[line]), "WRN first n=1\n        second\n    \n    third\n");
    assert_eq!(shown(&pretty(), &[line]), "WRN first\\r\\n\tsecond\\n\\nthird n=1\n");
}

#[test]
fn nothing_is_hidden_but_what_has_a_place_of_its_own() {
    for (line, expected) in [
        (
            r#"{"a":null,"b":"","c":[],"d":{},"e":[null,true,1.50]}"#,
            "a=null b=\"\" c=[] d={} e=[null,true,1.50]",
        ),
        (r#"{"msg":"x","message":"y","level":"info","severity":"ERROR"}"#, "INF x message=y severity=ERROR"),
        (r#"{"n":12345678901234567890123,"f":1.10,"e":1E5}"#, "n=12345678901234567890123 f=1.10 e=1E5"),
        (r#"{"a":{"b":{"c":{"d":{"e": 1}}}}}"#, r#"a.b.c.d={"e":1}"#),
        (r#"{"a":[{"b": "c d"}, 1]}"#, r#"a=[{"b":"c d"},1]"#),
        (r#"{"a b":1,"":2,"a=":3,"x":{"y z":4}}"#, r#""a b"=1 ""=2 "a="=3 "x.y z"=4"#),
        (r#"{"msg":"x","error":"boom","code":7}"#, "x code=7 error=boom"),
        (r#"{"time":"soon","msg":"x"}"#, "x time=soon"),
        (r#"{"level":"weird","msg":"x"}"#, "x level=weird"),
        (r#"{"msg":"x","err":null}"#, "x err=null"),
        (r#"{"a":"caf\u00e9","b":"\/api\/x","c":"\ud55c \uae00"}"#, "a=café b=/api/x c=\"한 글\""),
        (r#"{"msg":"x","source":{"file":"a.go","line":12,"function":"f"}}"#, "x source.function=f ‹a.go:12›"),
        (r#"{"msg":"x","file":"a.py","line":12}"#, "x ‹a.py:12›"),
        ("{}", "{}"),
    ] {
        assert_eq!(shown(&pretty(), &[line]), format!("{expected}\n"), "{line}");
    }
}

#[test]
fn texts_with_a_head_have_the_same_columns() {
    for (line, expected) in [
        (
            "I1025 00:15:15.525108       1 controller_utils.go:116] \"Pod status updated\" pod=\"kube-system/kubedns\" \
             status=\"ready\"",
            "00:15:15.525 INF Pod status updated pod=kube-system/kubedns status=ready ‹controller_utils.go:116›",
        ),
        (
            "time=\"2024-11-12T14:39:08+09:00\" level=info msg=\"API request processed\" endpoint=/api/products \
             method=PUT request_id=skaf status=401",
            "2024-11-12 05:39:08.000 INF API request processed endpoint=/api/products method=PUT request_id=skaf status=401",
        ),
        (
            "2026-01-31T12:00:00.000Z  INFO 1 --- [main] c.e.X : m",
            "2026-01-31 12:00:00.000 INF c.e.X: m pid=1 thread=main",
        ),
        ("plain words, an ERROR among them = as they are", "plain words, an ERROR among them = as they are"),
        ("", ""),
    ] {
        assert_eq!(shown(&pretty(), &[line]), format!("{expected}\n"), "{line}");
    }
}

#[test]
fn a_word_that_gave_the_level_of_a_text_is_coloured() {
    let display = Display { color_stdout: true, ..pretty() };
    assert_eq!(shown(&display, &["job: ERROR x"]), "job: \x1b[91mERROR\x1b[0m x\n");
    assert_eq!(shown(&display, &["\x1b[1mjob:\x1b[0m ERROR x"]), "\x1b[1mjob:\x1b[0m ERROR x\n");
}

#[test]
fn a_record_without_a_level_leaves_room_for_one_behind_a_time() {
    let lines = [
        r#"{"ts":1769860800,"msg":"GET /x"}"#,
        r#"{"ts":1769860800,"level":"info","msg":"y"}"#,
        r#"{"msg":"z"}"#,
    ];
    assert_eq!(
        shown(&pretty(), &lines),
        "2026-01-31 12:00:00.000     GET /x\n2026-01-31 12:00:00.000 INF y\nz\n"
    );
}

#[test]
fn the_stamp_of_the_kubelet_takes_the_place_of_the_time() {
    let web = origin("default", "web", "app");
    let timestamps = Display { timestamps: Some(Timestamps::Short), ..pretty() };
    let lines: [&[u8]; 2] = [br#"{"ts":"2020-01-01T00:00:00Z","level":"info","msg":"x"}"#, b"plain"];
    let expected = "web app 05-31 22:03:20 INF x\nweb app 05-31 22:03:21 plain\n";
    assert_eq!(rendered(&timestamps, &[], Some(&web), &lines), expected);
}

#[test]
fn a_line_that_continues_a_record_is_indented() {
    let web = origin("default", "web", "app");
    let lines: [&[u8]; 3] = [b"java.lang.IllegalStateException: y", b"\tat a.B(C.java:1)", b"next"];
    let mut batch = batch(&web, &lines);
    at_once(&mut batch);
    let show = |display: &Display| {
        let mut out = Vec::new();
        Renderer::new(display).unwrap().batch(&batch, &mut out);
        String::from_utf8(out).unwrap()
    };
    let first = "web app java.lang.IllegalStateException: y\n";
    assert_eq!(show(&on_terminal()), format!("{first}        at a.B(C.java:1)\nweb app next\n"));
    assert_eq!(show(&pretty()), format!("{first}web app     \tat a.B(C.java:1)\nweb app next\n"));
}

/// Gives all lines the time of the first.
fn at_once(batch: &mut crate::event::Batch) {
    for item in &mut batch.items {
        if let crate::event::Item::Line(line) = item {
            line.time = Some(crate::event::Instant(0));
        }
    }
}

#[test]
fn the_prefix_is_repeated_behind_something_else() {
    let (web, api) = (origin("default", "web", "app"), origin("default", "api", "app"));
    let mut renderer = Renderer::new(&on_terminal()).unwrap();
    let mut out = Vec::new();
    let mut show = |renderer: &mut Renderer, origin, line: &str| {
        let mut batch = batch(origin, &[line.as_bytes()]);
        at_once(&mut batch);
        renderer.batch(&batch, &mut out);
    };
    show(&mut renderer, &web, "Exception: y");
    show(&mut renderer, &web, "\tat a");
    show(&mut renderer, &api, "hello");
    show(&mut renderer, &web, "\tat b");
    show(&mut renderer, &web, "\tat c");
    renderer.notice(&Scope::Run.warning("beware"), &mut Vec::new());
    show(&mut renderer, &web, "\tat d");
    let expected = "web app Exception: y\n        at a\napi app hello\nweb app         at b\n        at c\n\
                    web app         at d\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn a_new_day_is_marked_on_a_terminal() {
    let line = |time: &str| format!(r#"{{"ts":"{time}","msg":"x"}}"#);
    let lines = [
        line("2026-06-01T14:59:59Z"),
        line("2026-06-01T15:00:00Z"),
        line("2026-06-01T15:00:01Z"),
        line("2026-06-01T14:00:00Z"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let seoul = Display { timezone: TimeZone::get("Asia/Seoul").unwrap(), ..on_terminal() };
    let expected = "23:59:59.000     x\n── Tuesday 2026-06-02 ──\n00:00:00.000     x\n00:00:01.000     x\n\
                    ── Monday 2026-06-01 ──\n23:00:00.000     x\n";
    assert_eq!(shown(&seoul, &lines), expected);
    let markers = Some(std::time::Duration::from_secs(1));
    assert_eq!(shown(&Display { markers, ..seoul.clone() }, &lines), expected, "markers draw no second line");
    let piped = Display { pretty: PrettyPlan::default(), ..seoul };
    assert_eq!(shown(&piped, &lines).lines().count(), lines.len());
}

/// Two containers on both sides of midnight write by turns.
#[test]
fn the_day_does_not_flap_between_origins() {
    let (web, api) = (origin("default", "web", "app"), origin("default", "api", "app"));
    let mut renderer = Renderer::new(&on_terminal()).unwrap();
    let mut out = Vec::new();
    for (origin, day) in [(&web, 1), (&api, 2), (&web, 1), (&api, 2), (&web, 2), (&api, 2)] {
        let line = format!(r#"{{"ts":"2026-06-0{day}T12:00:00Z","msg":"x"}}"#);
        renderer.batch(&batch(origin, &[line.as_bytes()]), &mut out);
    }
    let shown = String::from_utf8(out).unwrap();
    let times: Vec<_> = shown.lines().map(|line| line.split("     ").next().unwrap_or_default()).collect();
    let expected = [
        "web app 12:00:00.000",
        "── Tuesday 2026-06-02 ──",
        "api app 12:00:00.000",
        "web app 2026-06-01 12:00:00.000",
        "api app 12:00:00.000",
        "web app 12:00:00.000",
        "api app 12:00:00.000",
    ];
    assert_eq!(times, expected);
}

#[test]
fn a_first_record_of_another_day_has_its_date() {
    let line = r#"{"ts":"2026-06-01T14:59:59Z","msg":"x"}"#;
    let shown_on = |today| {
        let pretty = PrettyPlan { today: Some(today), ..on_terminal().pretty };
        shown(&Display { pretty, ..on_terminal() }, &[line])
    };
    assert_eq!(shown_on(20_605), "14:59:59.000     x\n");
    assert_eq!(shown_on(20_606), "── Monday 2026-06-01 ──\n14:59:59.000     x\n");
}

#[test]
fn matches_are_marked_in_what_is_shown() {
    let display = Display { color_stdout: true, ..on_terminal() };
    let out = rendered(&display, &["charge( |$)", "502", "src"], None, &[CHARGE.as_bytes()]);
    let mark = |text: &str| format!("\x1b[31;1m{text}\x1b[0;22m");
    for part in ["charge ", "502", "src"] {
        assert!(out.contains(&mark(part)), "{part}: {out:?}");
    }
    assert!(!out.contains(&mark("charge\n")));
}

#[test]
fn a_value_steers_no_terminal() {
    let line = r#"{"msg":"a\u001b[2Jb\u202ec","k":"\u001b]0;x\u0007","level":"info"}"#;
    assert_eq!(shown(&on_terminal(), &[line]), "INF a\\x1b[2Jb\\u202ec k=\"\\u001b]0;x\\u0007\"\n");
}

/// What was read back of a field.
#[derive(Debug, Clone, PartialEq)]
enum Read {
    Text(String),
    List(Vec<String>),
    Json(Value),
}

/// The fields of a record by the documented rules, from what another reader of JSON understands.
fn flattened(path: &str, depth: usize, value: &Value, out: &mut Vec<(String, Read)>) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let read = match value {
        Value::Object(map) if depth < 4 && !map.is_empty() => {
            for (key, value) in map {
                let path = if depth == 0 { key.clone() } else { format!("{path}.{key}") };
                flattened(&path, depth + 1, value, out);
            }
            return;
        }
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            Read::List(items.iter().map(text).collect())
        }
        Value::Object(_) | Value::Array(_) => Read::Json(value.clone()),
        scalar => Read::Text(text(scalar)),
    };
    out.push((path.to_owned(), read));
}

/// Reads logfmt with lists and JSON.
struct Logfmt<'t>(&'t str);

impl Logfmt<'_> {
    fn fields(mut self) -> Vec<(String, Read)> {
        let mut fields = Vec::new();
        while !self.0.is_empty() {
            let key = self.text('=');
            self.take('=');
            let read = match self.0.chars().next() {
                Some('{') => Read::Json(self.json()),
                Some('[') => self.list(),
                _ => Read::Text(self.text(' ')),
            };
            fields.push((key, read));
            if !self.0.is_empty() {
                self.take(' ');
            }
        }
        fields
    }

    fn take(&mut self, wanted: char) {
        self.0 = self.0.strip_prefix(wanted).unwrap_or_else(|| panic!("no {wanted:?} at {:?}", self.0));
    }

    /// A text in quotes, or up to one of these ends.
    fn text(&mut self, end: char) -> String {
        if self.0.starts_with('"') {
            return self.json().as_str().unwrap().to_owned();
        }
        let (text, rest) = self.0.split_at(self.0.find([end, ',', ']', ' ']).unwrap_or(self.0.len()));
        self.0 = rest;
        text.to_owned()
    }

    fn json(&mut self) -> Value {
        let mut values = serde_json::Deserializer::from_str(self.0).into_iter();
        let value = values.next().unwrap().unwrap();
        self.0 = &self.0[values.byte_offset()..];
        value
    }

    fn list(&mut self) -> Read {
        let mut values = serde_json::Deserializer::from_str(self.0).into_iter::<Value>();
        if let Some(Ok(value)) = values.next()
            && value.as_array().unwrap().iter().any(|item| item.is_object() || item.is_array())
        {
            self.0 = &self.0[values.byte_offset()..];
            return Read::Json(value);
        }
        let mut items = Vec::new();
        self.take('[');
        while !self.0.starts_with(']') {
            if !items.is_empty() {
                self.take(',');
            }
            items.push(self.text(','));
        }
        self.take(']');
        Read::List(items)
    }
}

fn json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z0-9/:._-]{0,12}",
        any::<String>(),
        "[ =\"\\[\\]{},\\\\\u{0}-\u{1f}가-힣\u{200b}-\u{202f}]{0,6}"
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 24, 4, |inner| {
        let key = prop_oneof!["[a-z]{1,6}", any::<String>()];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((key, inner), 0..4).prop_map(|pairs| Value::from(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    /// A field that is shown reads back as what was there.
    #[test]
    fn fields_read_back(values in vec(("[a-z.]{0,4}", json()), 1..5)) {
        // These keys have no role.
        let record: Map<String, Value> = values.into_iter().map(|(key, value)| (format!("x{key}"), value)).collect();
        let mut expected = Vec::new();
        flattened("", 0, &Value::from(record.clone()), &mut expected);
        for line in [serde_json::to_string(&record).unwrap(), escaped(&serde_json::to_string(&record).unwrap())] {
            for display in [pretty(), on_terminal()] {
                let shown = shown(&display, &[&line]);
                let shown = shown.strip_suffix('\n').unwrap();
                let steers = shown.contains(['\n', '\u{1b}', '\u{202e}']);
                prop_assert!(!steers);
                prop_assert_eq!(Logfmt(shown).fields(), expected.clone(), "{}", shown);
            }
        }
    }

    /// Whatever a line holds, it is shown, and in one line.
    #[test]
    fn any_line_is_shown(line in "[{}\\[\\]\":,\\\\a-z0-9 \u{1b}=]{0,60}", hide: bool) {
        let plan = PrettyPlan { hide: Keys::parse(hide.then_some("a").into_iter()).unwrap(), ..PrettyPlan::default() };
        let shown = shown(&Display { pretty: plan, ..pretty() }, &[&line]);
        prop_assert_eq!(shown.matches('\n').count(), 1);
    }
}

/// The same JSON with all characters but ASCII, and slashes, escaped, as Python and PHP write it.
fn escaped(json: &str) -> String {
    let escape = |c: char| match c {
        '/' => "\\/".to_owned(),
        c if c.is_ascii() => c.to_string(),
        c => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    json.chars().map(escape).collect()
}
