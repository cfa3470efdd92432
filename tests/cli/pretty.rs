//! `-o pretty`: records in columns, for people.

use std::{fs, path::Path};

use apiserver::Pod;

use crate::harness::{Home, World, stern_rs};

const CHARGE: &str = r#"{"level":"error","ts":"2026-01-31T12:00:00.123Z","logger":"checkout","caller":"pay/charge.go:88","msg":"charge failed","order_id":"A-17","amount":12.50,"http":{"status":502,"path":"/pay now"},"tags":["eu","retry"],"err":"upstream: reset","stack":"main.charge\n\t/src/pay/charge.go:88"}"#;
const CHARGED: &str = r#"2026-01-31 12:00:00.123 ERR checkout: charge failed order_id=A-17 amount=12.50 http.status=502 http.path="/pay now" tags=[eu,retry] err="upstream: reset" stack="main.charge\n\t/src/pay/charge.go:88" ‹pay/charge.go:88›"#;

#[test]
fn a_record_in_a_pipe_is_one_line() {
    let ran = World::web([CHARGE]).run("web --no-follow -o pretty --timezone UTC");
    ran.stdout(&format!("web-1 app {CHARGED}\n"));
}

#[test]
fn standard_input_reads_as_a_log_of_the_cluster_does() {
    let lines = [
        CHARGE,
        "plain text",
        r#"{"level":30,"time":1769860800000,"msg":"pino"}"#,
        "\tat a.B(C.java:1)",
        "",
        r#"{"time":"2026-01-31T12:00:00Z","n":1}"#,
    ];
    let live = World::web(lines).run("web --no-follow -o pretty --timezone UTC").out();
    let stdin = stern_rs("--stdin -o pretty --timezone UTC").input(lines.join("\n") + "\n").run().out();
    let without_names: String =
        live.lines().map(|line| format!("{}\n", &line["web-1 app ".len()..])).collect();
    assert_eq!(without_names, stdin);
    assert_eq!(stdin.lines().count(), lines.len());
}

#[test]
fn a_record_without_a_time_has_that_of_the_kubelet() {
    let world = World::new();
    world.add_pod(Pod::new("web-1"));
    world.log("web-1/app").push_at("2026-01-31T00:00:00.123456789Z", r#"{"level":"warn","msg":"x"}"#);
    let run = |flags: &str| {
        world.run(&format!("web --no-follow --since 0 -o pretty --timezone Asia/Seoul {flags}"))
    };
    run("").stdout("web-1 app 2026-01-31 09:00:00.123 WRN x\n");
    run("-t").stdout("web-1 app 2026-01-31T09:00:00.123456789+09:00 WRN x\n");
}

/// The date of a time of day is that of the kubelet's stamp which is nearest, whatever the zones of both are.
#[test]
fn no_date_is_lost_in_a_pipe() {
    let world = World::new();
    world.add_pod(Pod::new("web-1"));
    let log = world.log("web-1/app");
    log.push_at("2026-01-31T23:59:59.9Z", "I0131 23:59:59.800000 1 a.go:1] first");
    log.push_at("2026-02-01T00:00:00.1Z", "I0131 23:59:59.900000 1 a.go:1] second");
    log.push_at("2026-02-01T00:00:01Z", "{\"level\":\"info\",\"msg\":\"third\"}");
    let shown = "web-1 app 2026-01-31 23:59:59.800 INF first ‹a.go:1›\n\
                 web-1 app 2026-01-31 23:59:59.900 INF second ‹a.go:1›\n\
                 web-1 app 2026-02-01 00:00:01.000 INF third\n";
    world.run("web --no-follow --since 0 -o pretty --timezone UTC").stdout(shown);
    let klog = "I0131 23:59:59.800000 1 a.go:1] first\n";
    stern_rs("--stdin -o pretty").input(klog).run().stdout("23:59:59.800 INF first ‹a.go:1›\n");
}

#[test]
fn fields_are_chosen_and_hidden_by_their_keys() {
    let run = |flags: &str| stern_rs("--stdin -o pretty --timezone UTC").arg(flags).input(CHARGE).run().out();
    assert_eq!(
        run("--fields=order_id,http.*"),
        "2026-01-31 12:00:00.123 ERR checkout: charge failed order_id=A-17 http.status=502 http.path=\"/pay now\" \
         err=\"upstream: reset\" stack=\"main.charge\\n\\t/src/pay/charge.go:88\" ‹pay/charge.go:88›\n"
    );
    assert_eq!(
        run("--hide=*,!http.*,!msg,!level"),
        "ERR charge failed http.status=502 http.path=\"/pay now\"\n"
    );
}

#[test]
fn the_config_file_can_make_it_the_default() {
    let home = Home::new();
    let config = home.write("config.yaml", "output: pretty\ntimezone: UTC\nhide: stack\ntheme: mono\n");
    let run = |flags: &str| {
        stern_rs("--stdin --config")
            .arg(&config)
            .arg(flags)
            .input(r#"{"level":"info","msg":"a","stack":"b"}"#)
            .run()
    };
    run("--color=never").stdout("INF a\n");
    run("--output=raw").stdout("{\"level\":\"info\",\"msg\":\"a\",\"stack\":\"b\"}\n").succeeded();
}

#[test]
fn colours_follow_the_roles_and_the_theme() {
    let run = |flags: &str| stern_rs("--stdin -o pretty --color always").arg(flags).input(CHARGE).run().out();
    let default = run("--fields=http.status");
    assert!(
        default.contains("\x1b[91mERR\x1b[0m \x1b[36;2mcheckout:\x1b[0;22m \x1b[1mcharge failed\x1b[22m "),
        "{default:?}"
    );
    assert!(default.contains("\x1b[36;2mhttp.status=\x1b[0;22m\x1b[31m502\x1b[0m "), "{default:?}");
    assert!(run("--theme=key=35,err=7").contains("\x1b[7mERR\x1b[27m "));
    assert_eq!(run("--theme=none"), stern_rs("--stdin -o pretty --color never").input(CHARGE).run().out());
}

/// The first lines of each logger of `tests/fixtures/loggers`, as `tests/fixtures/pretty` has them. `UPDATE=1` writes
/// those.
#[test]
fn samples_of_loggers_are_shown_as_reviewed() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut checked = 0;
    for entry in fs::read_dir(fixtures.join("loggers")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let lines: String = text.lines().take(20).map(|line| format!("{line}\n")).collect();
        let shown = stern_rs("--stdin -o pretty --timezone UTC").input(lines).run().out();
        let expected = fixtures.join("pretty").join(path.with_extension("txt").file_name().unwrap());
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&expected, &shown).unwrap();
        }
        let reviewed = fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(shown, reviewed, "{}: if it is right, run with UPDATE=1", expected.display());
        checked += 1;
    }
    assert!(checked >= 25, "{checked}");
}
