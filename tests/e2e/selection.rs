//! Which pods and containers are shown.

use crate::harness::{Namespace, Pod, stern};

const HELLO: &str = "echo hello";

#[test]
fn a_regex_selects_pods_by_name() {
    let namespace = Namespace::new("regex");
    for name in ["web-1", "web-2", "db-1"] {
        namespace.run(Pod::new(name).container("app", HELLO));
    }
    let output = namespace.stern(&["web-.", "--no-follow"]);
    assert_eq!(output.sorted_lines(), ["web-1 app hello", "web-2 app hello"]);
}

#[test]
fn a_label_selector_selects_pods() {
    let namespace = Namespace::new("labels");
    namespace.run(Pod::new("web").label("tier", "front").container("app", HELLO));
    namespace.run(Pod::new("db").label("tier", "back").container("app", HELLO));
    let output = namespace.stern(&["--selector", "tier in (front, middle)", "--no-follow"]);
    assert_eq!(output.lines(), ["web app hello"]);
}

#[test]
fn a_deployment_selects_its_pods() {
    let namespace = Namespace::new("deployment");
    namespace.run(Pod::new("web-of-another-kind").label("app", "other").container("app", HELLO));
    let pod = Pod::new("web").label("app", "web").container("app", "echo $HOSTNAME; sleep 3600");
    namespace.apply(&pod.deployment(2));

    let mut tail = namespace.tail(&["deploy/web", "--output", "raw"]);
    let pods = namespace.pods_with_label("app=web", 2);
    pods.iter().for_each(|pod| tail.until_shown(pod));
    assert_eq!(tail.interrupt().sorted_lines(), pods);
}

#[test]
fn several_namespaces_are_read_and_named() {
    let (one, two) = (Namespace::new("one"), Namespace::new("two"));
    one.run(Pod::new("web").container("app", HELLO));
    two.run(Pod::new("web").container("app", HELLO));
    let output = stern(&["-n", &format!("{},{}", one.name, two.name), "web", "--no-follow"]);
    let expected = [&one, &two].map(|namespace| format!("{} web app hello", namespace.name));
    assert_eq!(output.sorted_lines(), expected);
}

#[test]
fn all_namespaces_are_read() {
    let (one, two) = (Namespace::new("here"), Namespace::new("there"));
    one.run(Pod::new("web").label("e2e", &one.name).container("app", HELLO));
    two.run(Pod::new("web").label("e2e", &one.name).container("app", HELLO));
    let output = stern(&["-A", "-l", &format!("e2e={}", one.name), "--no-follow"]);
    let expected = [&one, &two].map(|namespace| format!("{} web app hello", namespace.name));
    assert_eq!(output.sorted_lines(), expected);
}

#[test]
fn containers_are_narrowed_down() {
    let namespace = Namespace::new("containers");
    let pod = Pod::new("web").init_container("setup", HELLO);
    namespace.run(pod.container("app", HELLO).container("proxy", HELLO));
    for (flag, expected) in [
        ("--container=^app$", &["web app hello"][..]),
        ("--exclude-container=proxy", &["web app hello", "web setup hello"]),
        ("--init-containers=false", &["web app hello", "web proxy hello"]),
    ] {
        assert_eq!(namespace.stern(&["web", "--no-follow", flag]).sorted_lines(), expected, "{flag}");
    }
}
