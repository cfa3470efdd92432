//! Output formats.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use crate::harness::{Namespace, Pod};

#[test]
fn every_line_of_json_goes_through_jq() {
    let namespace = Namespace::new("json");
    let script =
        r#"printf '{"order": 1}\n"quoted" \\ \t tab\n\033[31mred\033[0m\n\377 is no UTF-8\n'; seq 1000"#;
    namespace.run(Pod::new("web").container("app", script));
    let output = namespace.stern(&["web", "--no-follow", "--output", "json"]);
    let messages = jq(&["--raw-output", r#""\(.podName)/\(.containerName): \(.message)""#], &output.stdout);

    let special = ["{\"order\": 1}", "\"quoted\" \\ \t tab", "\x1b[31mred\x1b[0m", "\u{fffd} is no UTF-8"];
    let numbers = (1..=1000).map(|number: u32| number.to_string());
    let expected: String = special
        .into_iter()
        .map(str::to_owned)
        .chain(numbers)
        .map(|message| format!("web/app: {message}\n"))
        .collect();
    assert_eq!(messages, expected);
}

#[test]
fn raw_is_byte_for_byte_what_kubectl_logs_prints() {
    let namespace = Namespace::new("raw");
    // Every byte, an empty line, and a line that the container runtime splits into several parts.
    let script = r#"for byte in $(seq 0 255); do printf "\\$(printf %03o $byte)"; done
                    printf '\n\n%050000d\nend\n' 7"#;
    namespace.run(Pod::new("web").container("app", script));
    let output = namespace.stern(&["web", "--no-follow", "--output", "raw", "--only-log-lines"]);
    assert!(output.stdout == namespace.logs("web", "app"), "the output differs from that of kubectl");
    assert_eq!(output.stdout.len(), 256 + 2 + 50_001 + 4);
    assert_eq!((output.stderr.as_str(), output.code), ("", Some(0)));
}

fn jq(args: &[&str], input: &[u8]) -> String {
    let mut jq = Command::new("jq")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("jq is on the PATH");
    let mut stdin = jq.stdin.take().expect("it is piped");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).expect("jq reads all"));
        jq.wait_with_output().expect("jq ends")
    });
    assert!(output.status.success(), "jq rejects the output");
    String::from_utf8(output.stdout).expect("jq prints UTF-8")
}
