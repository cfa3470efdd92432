//! The border: past it, every name of a pod can be used in requests and shown.

use super::pod::Pod;
use crate::{
    cluster::PARTS,
    shown::{is_hidden, one_line},
};

/// The longest name that Kubernetes has.
const LONGEST: usize = 253;

/// Characters that are quoted of a name that is impossible.
const QUOTED: usize = 80;

/// Most containers of a pod that are described.
const MOST_DESCRIBED: usize = 3;

const LEFT_OUT: &str = "a container cannot be read and is left out";

/// Takes the containers that cannot be read out of a pod, and describes them; an error describes the pod.
pub fn admit(pod: &mut Pod) -> Result<Vec<String>, String> {
    let (namespace, name) = (pod.namespace().to_owned(), pod.name().to_owned());
    if name.is_empty() {
        return Err("it has no name".to_owned());
    }
    if !is_possible(&name) {
        return Err(format!("its name is impossible: {}", quoted(&name)));
    }
    if namespace.is_empty() {
        return Err(format!("{name}: it has no namespace"));
    }
    if !is_possible(&namespace) {
        return Err(format!("{name}: the name of its namespace is impossible: {}", quoted(&namespace)));
    }
    let (mut left_out, mut more) = (Vec::new(), 0);
    let mut of_pod = |text: String| match left_out.len() < MOST_DESCRIBED {
        true => left_out.push(format!("{namespace}/{name}: {text}")),
        false => more += 1,
    };
    let (spec, status) = (&mut pod.spec, &mut pod.status);
    // Those that have no status yet: nothing is read of them.
    for containers in [&mut spec.init_containers, &mut spec.containers].into_iter().flatten() {
        keep_readable(containers, |container| &container.name, &mut |_| {});
    }
    for containers in [
        &mut status.init_container_statuses,
        &mut status.container_statuses,
        &mut status.ephemeral_container_statuses,
    ]
    .into_iter()
    .flatten()
    {
        keep_readable(containers, |container| &container.name, &mut of_pod);
    }
    if more > 0 {
        left_out.push(format!("{namespace}/{name}: {more} more of its containers cannot be read"));
    }
    Ok(left_out)
}

fn keep_readable<T>(containers: &mut Vec<T>, name: impl Fn(&T) -> &str, left_out: &mut impl FnMut(String)) {
    if containers.len() > PARTS {
        left_out(format!("it has more than {PARTS} containers, and only so many are read"));
        containers.truncate(PARTS);
        containers.shrink_to_fit();
    }
    containers.retain(|container| {
        let name = name(container);
        match name {
            "" => left_out(format!("{LEFT_OUT}: it has no name")),
            _ if is_possible(name) => return true,
            _ => left_out(format!("{LEFT_OUT}: its name is impossible: {}", quoted(name))),
        }
        false
    });
}

/// Whether Kubernetes could allow the name, whatever the rules of a kind are.
pub fn is_possible(name: &str) -> bool {
    let is_wrong = |c: char| is_hidden(c) || c.is_whitespace() || "/\\\"'`".contains(c);
    !name.is_empty() && name.len() <= LONGEST && name != "." && name != ".." && !name.contains(is_wrong)
}

pub fn quoted(name: &str) -> String {
    format!("\"{}\"", one_line(name, QUOTED))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, containers: &[&str]) -> Pod {
        let statuses: Vec<_> = containers.iter().map(|name| json!({"name": name})).collect();
        let pod = json!({"metadata": {"name": name, "namespace": "shop"}, "status": {"containerStatuses": statuses}});
        serde_json::from_value(pod).unwrap()
    }

    fn containers(pod: &Pod) -> usize {
        pod.status.container_statuses.as_ref().map_or(0, Vec::len)
    }

    #[test]
    fn real_names_pass() {
        let longest = "a".repeat(LONGEST);
        for name in ["web-0", "web-0.example", "Virtual_Node:1", "유니코드", &longest] {
            assert_eq!(admit(&mut pod(name, &["app"])), Ok(Vec::new()), "{name}");
        }
    }

    #[test]
    fn a_pod_whose_name_is_impossible_is_described() {
        for name in
            ["a\x1b[31m", "a\nb", "a/b", "..", "a b", "a\"b", "a'b", "a\\b", "a\u{202e}b", "a\u{9b}2J"]
        {
            let error = admit(&mut pod(name, &["app"])).unwrap_err();
            assert!(error.starts_with("its name is impossible: \"a") || name == "..", "{error}");
            assert!(!error.contains(is_hidden), "{error}");
        }
        let error = admit(&mut pod(&"a".repeat(70_000), &[])).unwrap_err();
        assert!(error.chars().count() < 120, "{error}");
        assert_eq!(admit(&mut pod("", &[])), Err("it has no name".to_owned()));
    }

    #[test]
    fn a_pod_without_a_namespace_is_described() {
        for (namespace, error) in [
            ("", "web: it has no namespace"),
            ("a\nb", "web: the name of its namespace is impossible: \"a b\""),
        ] {
            let mut pod = pod("web", &["app"]);
            pod.metadata.namespace = namespace.to_owned();
            assert_eq!(admit(&mut pod), Err(error.to_owned()));
        }
    }

    #[test]
    fn a_container_whose_name_is_impossible_costs_only_itself() {
        let mut pod = pod("web", &["app", "a\x1b[2J", "", "b"]);
        let left_out = admit(&mut pod).unwrap();
        assert_eq!(
            left_out,
            [
                "shop/web: a container cannot be read and is left out: its name is impossible: \"a [2J\"",
                "shop/web: a container cannot be read and is left out: it has no name"
            ]
        );
        assert_eq!(containers(&pod), 2);
    }

    #[test]
    fn of_many_containers_that_cannot_be_read_some_are_described() {
        let mut pod = pod("web", &["", "", "", "", "", "app"]);
        let left_out = admit(&mut pod).unwrap();
        assert_eq!(left_out.len(), MOST_DESCRIBED + 1);
        assert_eq!(left_out[MOST_DESCRIBED], "shop/web: 2 more of its containers cannot be read");
        assert_eq!(containers(&pod), 1);
    }

    #[test]
    fn more_containers_than_an_object_can_have_are_cut() {
        let names: Vec<String> = (0..=PARTS).map(|n| format!("c{n}")).collect();
        let mut pod = pod("web", &names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(
            admit(&mut pod).unwrap(),
            ["shop/web: it has more than 5000 containers, and only so many are read"]
        );
        assert_eq!(containers(&pod), PARTS);
    }
}
