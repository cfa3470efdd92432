//! How a run ends, and its exit codes.

use std::process::Command;

use crate::harness::{Namespace, Pod, command, stern};

#[test]
fn ctrl_c_ends_with_130() {
    let namespace = Namespace::new("ctrl-c");
    namespace.create(Pod::new("web").container("app", "echo hello; sleep 3600"));
    let mut tail = namespace.tail(&["web"]);
    tail.until_shown("web app hello\n");
    let output = tail.interrupt();
    assert_eq!(output.code, Some(130));
    assert_eq!(output.lines(), ["web app hello"]);
}

#[test]
fn all_shown_ends_with_0() {
    let namespace = Namespace::new("done");
    namespace.run(Pod::new("web").container("app", "echo hello; exit 3"));
    let output = namespace.stern(&["web", "--no-follow"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), "+ web › app\n- web › app\n"));
}

#[test]
fn nothing_that_matches_is_no_error() {
    let namespace = Namespace::new("nothing");
    let output = namespace.stern(&["web", "--no-follow"]);
    assert_eq!(output.code, Some(0));
    assert_eq!(output.stderr, format!("· no container matches in namespace \"{}\"\n", namespace.name));
}

#[test]
fn a_missing_deployment_is_an_error() {
    let namespace = Namespace::new("missing");
    let output = namespace.stern(&["deploy/web", "--no-follow"]);
    assert_eq!((output.code, output.reported("deployments.apps \"web\" not found")), (Some(1), 1));
}

#[test]
fn an_unknown_context_is_an_error() {
    let output = stern(&["web", "--context", "nowhere"]);
    assert_eq!((output.code, output.reported("\"nowhere\"")), (Some(1), 1));
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let namespace = Namespace::new("head");
    namespace.run(Pod::new("numbers").container("app", "seq 20000"));
    let stern = command(&["-n", &namespace.name, "numbers", "-o", "raw", "--only-log-lines"]);
    let head = r#"set -o pipefail; "$0" "$@" | head -n 1"#;
    let mut bash = Command::new("bash");
    bash.args(["-c", head]).arg(stern.get_program()).args(stern.get_args());
    let output = bash.output().expect("bash runs");
    assert_eq!((output.status.code(), output.stdout, output.stderr), (Some(0), b"1\n".into(), vec![]));
}
