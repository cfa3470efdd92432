//! Lines of logs as programs write them, and the records that they make.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

/// The number of lines of each record.
fn records<'a>(lines: impl IntoIterator<Item = (i64, &'a str)>) -> Vec<usize> {
    let (mut records, mut sizes) = (Records::default(), Vec::new());
    for (milliseconds, line) in lines {
        let continues = records.continues(Some(Instant(milliseconds * 1_000_000)), line.as_bytes());
        match sizes.last_mut() {
            Some(size) if continues => *size += 1,
            last => {
                assert!(last.is_some() || !continues, "nothing to continue");
                sizes.push(1);
            }
        }
    }
    sizes
}

/// Lines of a text, all written at once. A line of `-` separates records: it is not written.
fn check(text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    let expected: Vec<usize> = lines.split(|line| *line == "-").map(<[_]>::len).collect();
    let written = lines.iter().filter(|line| **line != "-");
    assert_eq!(records(written.clone().map(|line| (0, *line))), expected, "{text}");
    // Colours around lines and carriage returns change nothing.
    let dressed: Vec<String> = written.map(|line| format!("\x1b[31m{line}\x1b[0m\r")).collect();
    assert_eq!(records(dressed.iter().map(|line| (0, line.as_str()))), expected, "dressed: {text}");
}

#[test]
fn usual_lines_are_records_of_their_own() {
    let lines =
        ["a", "b", "", "{\"a\":1}", "INFO Caused by: x", "[main] b", "}", "#1 in the list", "... done"];
    assert_eq!(records(lines.map(|line| (0, line))), [1; 9]);
    let lines = ["connected to db:5432", "Error: disk full", "retry", "ValueError: z", "at home", "note: x"];
    assert_eq!(records(lines.map(|line| (0, line))), [1; 6]);
}

#[test]
fn a_line_after_a_pause_begins_a_record() {
    assert_eq!(records([(0, "head"), (50, "\tat a"), (101, "\tat b"), (102, "\tat c")]), [2, 2]);
    assert_eq!(records([(0, "head"), (200, "\tat a")]), [1, 1]);
}

#[test]
fn a_clock_that_steps_back_a_little_changes_nothing() {
    assert_eq!(records([(100, "head"), (60, "\tat a"), (61, "\tat b")]), [3]);
    assert_eq!(records([(100, "head"), (10, "\tat a")]), [1, 1]);
}

#[test]
fn lines_without_a_time_are_judged_by_their_text() {
    let mut records = Records::default();
    let continues = ["a", " b", "c"].map(|line| records.continues(None, line.as_bytes()));
    assert_eq!(continues, [false, true, false]);
}

#[test]
fn what_is_indented_belongs_to_its_head() {
    check("INFO settings:\n  a: 1\n  list:\n    - b\n-\nINFO next");
    check("2026-01-31 12:00:00 Hibernate: \n    select\n        a\n    from b\n-\n2026-01-31 12:00:01 next");
    check("config {\n  a = 1\n}\n-\nnext");
    check("{\n  \"a\": [\n    {\"b\":1}\n  ]\n}\n-\n{\"a\":1}\n  at x\n-\n[\n  1\n]\n-\n}");
}

#[test]
fn an_indented_line_with_a_head_begins_a_record() {
    check("a\n-\n  2026-01-31 12:00:00 INFO b\n-\n INFO c\n-\n  12:00:00.000 d\n-\n  {\"level\":\"info\"}");
}

#[test]
fn java_joins_an_exception_to_the_line_that_logs_it() {
    let trace = "java.lang.IllegalStateException: y\n\tat a.B(C.java:1)\nCaused by: z\n\t... 3 more";
    check(&format!("12:00:00 ERROR x\n{trace}\n-\n12:00:00 INFO next"));
    check(&format!("12:00:00 INFO x\n{trace}\n-\nnext"));
    check(&format!("started\n-\n{trace}\n-\n{trace}"));
    check(&format!("12:00:00 ERROR x\n{trace}\n-\n{trace}"));
    check(
        "12:00:00 INFO x\n-\nException in thread \"main\" java.lang.Error: y\n\tat a.B(C.java:1)\n\tSuppressed: a.E\n\t\tat c\n-\nnext",
    );
    check(
        "2026-01-31T12:00:00.000+09:00  WARN 1 --- [main] o.e.C : x\norg.springframework.beans.BeanException: a; nested exception is b\n\tat c\nWrapped by: d\n... 12 common frames omitted\n-\n2026-01-31T12:00:00.000+09:00  INFO 1 --- [main] o.e.C : y",
    );
}

#[test]
fn a_jul_record_has_its_message_on_the_second_line() {
    check(
        "Jan 31, 2026 7:01:52 PM org.example.Foo bar\nSEVERE: x\njava.lang.Error: y\n\tat a\n-\nJan 31, 2026 7:01:52\u{202f}PM org.example.Foo bar\nINFO: z\n-\nINFO: alone",
    );
}

#[test]
fn python_ends_with_its_exception() {
    let trace =
        "Traceback (most recent call last):\n  File \"a.py\", line 1\n    f()\n    ~^^\nValueError: z";
    check(&format!("{trace}\n-\nValueError: z2"));
    let direct = "\nThe above exception was the direct cause of the following exception:\n\n";
    let handling = "\nDuring handling of the above exception, another exception occurred:\n\n";
    check(&format!("{trace}\n{direct}{trace}\n{handling}{trace}\n-\nnext"));
    check(&format!("ERROR:root:x\n{trace}\n-\nINFO:root:y\n-\n{trace}\n-\n{trace}"));
    check(&format!("2026-01-31 12:00:00,000 - app - INFO - starting\n-\n{trace}"));
    check(&format!("2026-01-31 12:00:00,000 - app - ERROR - failed\n{trace}\n-\n[GET] x"));
    check(&format!("Exception in thread Thread-1:\n{trace}"));
    check(&format!("Task exception was never retrieved\nfuture: <Task finished>\n{trace}"));
    check("Traceback (most recent call last):\n  File \"a\", line 1, in b\nKeyboardInterrupt\n-\nbye");
    check(
        "Traceback (most recent call last):\n  File \"a\", line 1, in b\nsqlalchemy.exc.E: x\n[SQL: SELECT 1]\n(Background on this error at: y)\n-\nbye",
    );
}

#[test]
fn python_marks_errors_of_syntax_and_groups() {
    let syntax = "  File \"a.py\", line 1\n    x = = 1\n        ^\nSyntaxError: invalid syntax";
    check(&format!("{syntax}\n-\nnext"));
    check(&format!("INFO start\n-\n{syntax}"));
    let group = "  + Exception Group Traceback (most recent call last):\n  |   File \"a.py\", line 1, in f\n  | ExceptionGroup: x (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | ValueError: a\n    +------------------------------------";
    check(&format!("ERROR:    Exception in ASGI application\n{group}\n-\nnext"));
    check(&format!("INFO:     started\n-\n{group}"));
    check(
        "2024-11-15 22:06:01.935 |    ERROR | a.py:f:462 - x\nRuntimeError: y\n  File \"a.py\", line 462, in f\n    raise ValueError\n-\n2024-11-15 22:06:02.236 |     INFO | z",
    );
}

#[test]
fn go_has_blank_lines_and_calls() {
    let goroutine = "goroutine 1 [running]:\nmain.(*S).run(0xc0, {0x1, 0x2})\n\t/src/m.go:4 +0x1d\npanic({0x1?, 0x2?})\n\t/usr/go\nmain.main()\n\t/src/m.go:4\ncreated by main.f in goroutine 7\n\t/src/m.go:9";
    check(&format!("panic: boom\n\n{goroutine}\nexit status 2\n-\n2026/01/31 12:00:00 next"));
    check(&format!(
        "INFO x\n-\npanic: a [recovered]\n\tpanic: b\n[signal SIGSEGV: segmentation violation]\n\n{goroutine}"
    ));
    check(&format!(
        "fatal error: all goroutines are asleep - deadlock!\n\n{goroutine}\n\n{goroutine}\n-\nnext"
    ));
    check(&format!(
        "2026/01/31 12:00:00 http: panic serving 10.0.0.1:1: boom\n{goroutine}\n-\n2026/01/31 12:00:00 http: x"
    ));
    check(&format!(
        "E0131 12:00:00.000000 1 runtime.go:79] Observed a panic: x\n{goroutine}\n-\nI0131 12:00:00.000000 1 a.go:1] y"
    ));
    check(
        "SIGQUIT: quit\nPC=0x4 m=0 sigcode=0\n\ngoroutine 0 [idle]:\nruntime.futex()\n\t/a\n\nrax    0xca\nrip    0x46\n-\nnext",
    );
    check("fatal: x\n-\nmain.main()\n-\nexit status 2");
}

#[test]
fn node_shows_the_source_the_error_and_its_properties() {
    let error = "TypeError: boom\n    at Object.<anonymous> (/app/x.js:3:9) {\n  code: 'E',\n  [cause]: Error: y\n      at z\n}";
    check(&format!("/app/x.js:3\n    throw new Error('boom');\n    ^\n\n{error}\n\nNode.js v18.0.0"));
    check(&format!(
        "node:internal/process/promises:288\n            triggerUncaughtException(err);\n            ^\n\n{error}"
    ));
    check(&format!("listening\n-\n{error}\n-\nnext"));
    check(&format!("[12:00:00.000] ERROR (1): failed\n{error}\n-\n[12:00:00.000] INFO (1): next"));
    check("{ Error: x\n    at y\n  code: 1 }\n-\nnext");
}

#[test]
fn dotnet_has_inner_exceptions() {
    let trace = "System.InvalidOperationException: x\n ---> System.Net.Sockets.SocketException (111): y\n   at A.B() in C.cs:line 1\n   --- End of inner exception stack trace ---\n   at D\n--- End of stack trace from previous location ---\n   at E";
    check(&format!("[15:47:44 ERR] failed\n{trace}\n-\n[15:47:44 INF] next"));
    check(&format!("Unhandled exception. {trace}\n-\nnext"));
    check(
        "info: Microsoft.Hosting.Lifetime[14]\n      Now listening on: http://[::]:8080\n-\nfail: A.B[0]\n      x\n      System.Exception: y\n         at z\n-\ninfo: C[0]\n      w",
    );
    check(
        "2024-11-12 16:34:39.5314|FATAL|A|failed\nSystem.ArgumentException: x\n   at y\n-\n2024-11-12 16:34:39.8325|INFO|B|z",
    );
    check("Microsoft.Data.SqlClient.SqlException (0x80131904): x\n   at y");
}

#[test]
fn ruby_has_frames_with_from_and_without() {
    check("a.rb:1:in 'Object#f': boom (RuntimeError)\n\tfrom a.rb:5:in '<main>'\n-\nnext");
    check(
        "a.rb:1:in `f': undefined method (NoMethodError)\n\n    nil.f\n       ^^\nDid you mean?  for\n\tfrom a.rb:5:in `g'\n-\nnext",
    );
    check(
        "Traceback (most recent call last):\n\t1: from a.rb:5:in `<main>'\na.rb:1:in `f': boom (RuntimeError)\n-\nnext",
    );
    check(
        "ActionController::RoutingError (No route matches [GET] \"/x\"):\n  \napp/models/x.rb:1:in `f'\n\nlib/y.rb:2:in 'block in Y#g'\n-\nStarted GET \"/\"",
    );
    check(
        "F, [2024-11-15T19:26:10.865 #6] FATAL -- Mailer: ArgumentError: x\n\tfrom a.rb:4:in `f'\n-\nW, [2024-11-15T19:26:11.165 #6]  WARN -- : y",
    );
}

#[test]
fn rust_has_its_message_in_the_line_or_behind_it() {
    let backtrace = "stack backtrace:\n   0: rust_begin_unwind\n             at /rustc/a.rs:1:1\n  12: main\nnote: Some details are omitted, run with `RUST_BACKTRACE=full`";
    check(&format!("INFO x\n-\nthread 'main' panicked at src/main.rs:2:5:\nboom\n{backtrace}\n-\nnext"));
    check(&format!("thread 'main' panicked at 'boom', src/main.rs:2:5\n{backtrace}\n-\nnext"));
    check(
        "thread 'main' (77) panicked at a.rs:2:5:\nassertion `left == right` failed\n  left: 1\n right: 2\nnote: run with `RUST_BACKTRACE=1` environment variable\n-\nnext",
    );
    check("thread 'main' panicked at a.rs:2:5:\n-\n2026-01-31T12:00:00Z  INFO another thread");
    check(
        "Error: outer\n\nCaused by:\n    0: inner\n    1: most inner\n\nStack backtrace:\n   0: a\n-\nnext",
    );
}

#[test]
fn php_has_numbered_frames() {
    let trace = "Stack trace:\n#0 /a.php(1): f()\n#1 {main}\n  thrown in a.php on line 3";
    check(&format!("PHP Fatal error:  Uncaught Exception: y\n{trace}\n-\nnext"));
    check(&format!(
        "[31-Jan-2026 12:00:00 UTC] PHP Fatal error:  Uncaught Exception: y\n{trace}\n-\n[31-Jan-2026 12:00:00 UTC] z"
    ));
    check(
        "[2026-01-31 12:00:00] production.ERROR: m {\"exception\":\"[object] (E(code: 0): m at /a.php:3)\n[stacktrace]\n#0 /b.php(1): f()\n#1 {main}\n\"} \n-\n[2026-01-31 12:00:00] production.INFO: n",
    );
}

#[test]
fn postgres_explains_in_lines_with_heads_of_the_same_process() {
    let head = |pid: &str| format!("2026-01-31 12:00:00.000 UTC [{pid}]");
    let (a, b) = (head("12"), head("13"));
    check(&format!(
        "{a} ERROR:  duplicate key\n{a} DETAIL:  Key (id)=(1) already exists.\n{a} STATEMENT:  INSERT INTO a\n\tVALUES (1)\n-\n{a} LOG:  x\n-\n{b} ERROR:  y\n-\n{a} DETAIL:  z"
    ));
    check(&format!("{a} u@d ERROR:  x\n{a} u@d HINT:  y\n{a} u@d CONTEXT:  z"));
}

#[test]
fn other_languages_have_their_marks() {
    check(
        "12:00:00.000 [error] GenServer A terminating\n** (RuntimeError) boom\n    (app 0.1.0) lib/a.ex:3: A.f/1\nLast message: x\nState: y\n-\n12:00:00.000 [info] z",
    );
    check("Unhandled exception:\n-\nbad state");
    check("a: error\nCallStack (from HasCallStack):\n  error, called at a.hs:1");
}

/// `%wEx`, the default of Spring Boot, sets an empty line before and after a trace.
#[test]
fn an_empty_line_may_stand_between_a_head_and_its_trace() {
    let head = "2026-01-31T12:00:00.000Z ERROR 1 --- [           main] o.s.boot.SpringApplication               : Application run failed";
    let trace = "java.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)\nCaused by: java.net.ConnectException: refused\n\t... 3 common frames omitted";
    check(&format!("{head}\n\n{trace}\n\n-\n{head}\n\n{trace}\n\n-\n{head}"));
    check(&format!("{head}\n\n{trace}\n\n-\n\n-\nplain"));
    check(&format!("{}\n\n{trace}\n\n-\nnext", head.replace("ERROR", "\x1b[32m INFO\x1b[0;39m")));
    check(
        "[2026-01-31T12:00:00Z ERROR app] boom\n\nCaused by:\n    0: inner\n    1: most inner\n\nStack backtrace:\n   0: a\n-\n[2026-01-31T12:00:00Z INFO  app] next",
    );
    check("2026-01-31 12:00:00 ERROR x\n\n  at a\n-\nnext");
    check(
        "2026-01-31 12:00:00 - app - ERROR - x\n\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\nValueError: z\n\n-\nnext",
    );
}

#[test]
fn an_empty_line_that_nothing_follows_changes_nothing() {
    check("INFO a\n\n-\nb\n-\n\n-\nINFO c\n\n-\n\n-\n\n-\nINFO d");
    check("a\n-\n\n-\njava.lang.Error: x\n\tat y");
    check("{\"level\":\"error\"}\n-\n\n-\nValueError: x");
    assert_eq!(records([(0, "ERROR x"), (1, ""), (60, "java.lang.Error: y")]), [2, 1]);
}

#[test]
fn zap_writes_functions_and_their_places() {
    let trace = "sigs.k8s.io/controller-runtime/pkg/internal/controller.(*Controller).reconcileHandler\n\t/go/pkg/mod/sigs.k8s.io/controller-runtime@v0.16.3/pkg/internal/controller/controller.go:324\nsigs.k8s.io/controller-runtime/pkg/internal/controller.(*Controller).Start.func2.2\n\t/go/pkg/mod/sigs.k8s.io/controller-runtime@v0.16.3/pkg/internal/controller/controller.go:227";
    let head = "2026-01-31T12:00:00Z\tERROR\tReconciler error\t{\"error\": \"boom\"}";
    let usual = "main.main\n\t/src/main.go:12\nruntime.main\n\t/usr/local/go/src/runtime/proc.go:250\nnet/http.HandlerFunc.ServeHTTP\n\t/usr/local/go/src/net/http/server.go:2136\nruntime.goexit\n\t/usr/local/go/src/runtime/asm_amd64.s:1594";
    check(&format!("{head}\n{trace}\n-\n{head}\n{usual}\n-\n2026-01-31T12:00:01Z\tINFO\tnext"));
    check(&format!("2026-01-31T12:00:00.000Z\t\x1b[31merror\x1b[0m\tapp/a.go:1\tboom\n{usual}\n-\nnext"));
    check(&format!(
        "2026-01-31T12:00:00Z\tdpanic\tboom\nmain.run\n\t/src/main.go:3\n{usual}\n-\nserver.ready"
    ));
    check(&format!("2026-01-31 12:00:00 ERROR boom\n{usual}\n-\nnext"));
    check(
        "2026-01-31T12:00:00Z\tERROR\tx\t{}\nexample.org/app.Map[...].func1\n\t/src/a.go:3\n-\nnext.step is here",
    );
}

#[test]
fn names_with_dots_are_no_functions() {
    check("2026-01-31T12:00:00Z\tINFO\tx\n-\nmain.main\n-\nnext");
    check(
        "ERROR cannot read\n-\nconfig.yaml\n-\nsrc/main.go\n-\nassets/logo.png\n-\nmain.py\n-\nexample.org/a",
    );
    check("a.txt\n  size 3\n-\nb.txt\n  size 4\n-\nmain.c");
}

#[test]
fn details_of_postgres_stand_directly_behind_its_head() {
    let at = "2026-01-31 12:00:00.100";
    check(&format!("{at} [main] DEBUG a.B - connect\n-\n{at} [main] ERROR a.Dao - bad QUERY:  select 1"));
    check(&format!("{at} [http-1] WARN a - b\n-\n{at} [http-1] INFO user sees HINT:  retry"));
    check(&format!("{at} [12] INFO a.B: b\n-\n{at} [12] INFO a.B: user sees HINT:  retry"));
    check(&format!("{at} [12] ERROR:  x\n-\n{at} [12] user sees HINT:  retry\n-\n{at} [12] DETAIL:  y"));
    check(&format!("{at} [12] a started\n-\n{at} [12] DETAIL:  y"));
    check(&format!("{at} UTC [78]: [5-1] 0 u d ERROR:  x\n{at} UTC [78]: [6-1] 0 u d STATEMENT:  y"));
    check(&format!("{at} [12] DEBUG1:  x\n{at} [12] CONTEXT:  y"));
}

#[test]
fn an_indented_line_with_a_level_begins_a_record() {
    check("  info: started\n-\n  error: failed\n-\n  Warning: low");
    check("x\n-\n  ERROR: failed\n-\nx\n-\n  error: failed");
    check("level=error msg=x\n-\n  level=error msg=y\n-\n  ts=2026-01-31T12:00:00Z msg=z");
    check("x\n-\n  [info] y\n-\n  [error] z\n-\n  warn  - w\n-\n  time=\"2026-01-31T12:00:00Z\" level=info");
    check("INFO settings:\n  error: 3\n  info: \"a\"\n  time=3ms\n  level=3\n  [error\n  errors: many");
    check("config {\n  error: failed\n}\n-\nnext");
    check(
        "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    error: str = g()\nValueError: z",
    );
}

#[test]
fn a_class_within_another_is_an_exception() {
    check("12:00:00 ERROR x\nfeign.FeignException$NotFound: [404] during [GET]\n\tat a.B(C.java:1)\n-\nnext");
    check("12:00:00 ERROR x\nHttpClientErrorException$BadRequest: 400 : \"no\"\n\tat a.B(C.java:1)\n-\nnext");
    check("12:00:00 ERROR x\n-\nPriceList$Entry: 3\n-\nnext");
}

/// `diagnose=True`, its default.
#[test]
fn loguru_shows_values_between_empty_lines() {
    check(
        "2026-01-31 12:00:00.000 | ERROR    | __main__:<module>:5 - failed\nTraceback (most recent call last):\n\n> File \"a.py\", line 3, in <module>\n    f(0)\n    └ <function f at 0x7f>\n\n  File \"a.py\", line 1, in f\n    return 1 / x\n               └ 0\n\nZeroDivisionError: division by zero\n-\n2026-01-31 12:00:01.000 | INFO     | __main__:<module>:6 - next",
    );
}

#[test]
fn asyncio_tells_the_task_before_the_traceback() {
    let trace = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nValueError: z";
    check(&format!(
        "ERROR:asyncio:Task exception was never retrieved\nfuture: <Task finished name='Task-2' coro=<f() done, defined at /a.py:3> exception=ValueError('z')>\n{trace}\n-\nINFO:root:next"
    ));
    check(&format!(
        "ERROR:asyncio:Exception in callback f()\nhandle: <Handle f() at a.py:3>\n{trace}\n-\nfuture: bright"
    ));
    check(
        "ERROR:asyncio:Unclosed client session\nclient_session: <aiohttp.client.ClientSession object at 0x7f>\n-\nnext",
    );
    check("INFO:root:x\n-\nfuture: <Task>\n-\nhandle: z");
}

#[test]
fn node_tells_modules_and_rejections() {
    check(
        "file:///app/server.mjs:3\nthrow new Error('x');\n      ^\n\nError: x\n    at file:///app/server.mjs:3:7\n    at ModuleJob.run (node:internal/modules/esm/module_job:194:25)\n\nNode.js v20.11.0\n-\nnext",
    );
    check(
        "node:internal/modules/cjs/loader:1080\n  throw err;\n  ^\n\nError: Cannot find module 'x'\nRequire stack:\n- /app/server.js\n- /app/main.js\n    at Module._load (node:internal/modules/cjs/loader:922:27) {\n  code: 'MODULE_NOT_FOUND',\n  requireStack: [ '/app/server.js' ]\n}\n\nNode.js v18.19.0\n-\nnext",
    );
    check(
        "node:internal/process/promises:288\n            triggerUncaughtException(err, true /* fromPromise */);\n            ^\n\n[UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a catch block. The promise rejected with the reason \"x\".] {\n  code: 'ERR_UNHANDLED_REJECTION'\n}\n\nNode.js v20.11.0\n-\nnext",
    );
    check(
        "node:internal/modules/esm/resolve:275\n    throw new ERR_MODULE_NOT_FOUND(\n          ^\n\nError [ERR_MODULE_NOT_FOUND]: Cannot find package 'x' imported from /app/server.mjs\n    at a (node:b:1:2) {\n  code: 'ERR_MODULE_NOT_FOUND'\n}\n\nNode.js v20.11.0",
    );
    check(
        "/app/x.js:1\nthrow new PaymentFailure('no');\n^\n\nPaymentFailure: no\n    at Object.<anonymous> (/app/x.js:1:7)\n\nNode.js v20.11.0\n-\nserver restarts",
    );
}

#[test]
fn php_chains_exceptions_and_xdebug_numbers_calls() {
    check(
        "PHP Fatal error:  Uncaught Exception: x in /a.php:3\nStack trace:\n#0 {main}\n\nNext RuntimeException: y in /a.php:5\nStack trace:\n#0 {main}\n  thrown in /a.php on line 5\n-\nNext: lunch",
    );
    let trace = ["PHP Stack trace:", "PHP   1. {main}() /a.php:0", "PHP   2. f($x = 1) /a.php:7"];
    check(&format!("PHP Warning:  Undefined variable $a in /a.php on line 3\n{}\n-\nnext", trace.join("\n")));
    let at = "[31-Jan-2026 12:00:00 UTC]";
    let [a, b, c] = trace.map(|line| format!("{at} {line}"));
    check(&format!(
        "{at} PHP Warning:  Undefined variable\n{a}\n{b}\n{c}\n-\n{at} PHP Warning:  z\n-\n{at} next"
    ));
}

/// Each resembles a part of a trace, and is a message of its own, also behind an error.
#[test]
fn lines_that_resemble_traces_are_none() {
    const LINES: [&str; 63] = [
        "at 12:00 the job starts",
        "at home",
        "caused by a timeout",
        "cause: timeout",
        "suppressed 3 warnings",
        "... and so on",
        "...",
        "... done",
        "more to come",
        "nested exception is thrown here",
        "from cache",
        "goroutine pool has 8 workers",
        "goroutines: 12",
        "created bucket a",
        "panicked once, is fine now",
        "exit code 0",
        "signal received",
        "runtime: go1.22",
        "main loop started",
        "main.conf",
        "config/app.yaml",
        "https://example.org/a.html",
        "example.org",
        "example.org/a/b",
        "10.0.0.1:8080",
        "user@example.org",
        "/healthz",
        "/app/static/app.js",
        "/app/server.js is ready",
        "src/app.ts:12",
        "node: ready",
        "node-1",
        "thread pool is full",
        "thread 3 started",
        "traceback is off",
        "Trace: 4bf92f3577b34da6",
        "File a.txt was written",
        "File: a.txt",
        "> prompt",
        "> File sent",
        "Error rate: 3%",
        "Errors: 0",
        "No errors",
        "error",
        "errors.count 3",
        "a.b.C started",
        "a.b.C: started",
        "com.example.App",
        "Exception handling is on",
        "Exceptions: 0",
        "throw away",
        "future: bright",
        "handle: door",
        "task: done",
        "#hashtag",
        "# comment",
        "PHP 8.3 is used",
        "PHP-FPM started",
        "Next step: deploy",
        "Node.js is used",
        "- item",
        "Require login",
        "{main}",
    ];
    for head in
        ["started", "2026-01-31 12:00:00 ERROR failed", "2026-01-31T12:00:00Z\tINFO\tx", "[error] failed"]
    {
        for line in LINES {
            assert_eq!(records([head, line, line].map(|line| (0, line))), [1; 3], "{head}: {line}");
        }
    }
    assert_eq!(records(LINES.map(|line| (0, line))), [1; LINES.len()]);
}

#[test]
fn samples_of_loggers_are_joined_where_they_have_traces() {
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/loggers")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut records = Records::default();
        for line in text.lines() {
            let continues = records.continues(None, line.as_bytes());
            let is_trace = line.starts_with([' ', '\t'])
                || line.starts_with("Caused by: ")
                || line.split_once(": ").is_some_and(|(class, _)| {
                    (class.ends_with("Exception") || class.ends_with("Error"))
                        && class.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
                });
            assert_eq!(continues, is_trace, "{}: {line}", path.display());
        }
    }
}

proptest! {
    #[test]
    fn what_is_gathered_is_what_was_written(
        lines in vec((any::<u8>(), select(vec!["ERROR x", "\tat a", "{", "}", "{\"a\":1}", "", "panic: b", "  c", "java.lang.Error: d", "2026-01-31T12:00:00Z\tERROR\te", "main.main", "\t/a.go:1", "  info: f"])), 0..40)
    ) {
        let line = |(steers, text): &(u8, &str)| [&[steers | 8][..], text.as_bytes()].concat();
        fuzz::gather(&lines.iter().map(line).collect::<Vec<_>>().join(&b'\n'));
    }
}
