//! The resources that the double serves, and their request paths.

/// A resource as an apiserver lists it in its discovery.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub plural: &'static str,
    pub kind: &'static str,
    /// Empty for the core group.
    pub group: &'static str,
    pub namespaced: bool,
    pub short: &'static str,
    /// The fields that a field selector may use, besides name and namespace.
    pub fields: &'static [&'static str],
}

const fn core(plural: &'static str, kind: &'static str, short: &'static str) -> Resource {
    Resource { plural, kind, group: "", namespaced: true, short, fields: &[] }
}

const fn grouped(
    group: &'static str,
    plural: &'static str,
    kind: &'static str,
    short: &'static str,
) -> Resource {
    Resource { plural, kind, group, namespaced: true, short, fields: &[] }
}

static RESOURCES: [Resource; 12] = [
    Resource {
        fields: &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        ..core("pods", "Pod", "po")
    },
    Resource { namespaced: false, fields: &["status.phase"], ..core("namespaces", "Namespace", "ns") },
    Resource { namespaced: false, fields: &["spec.unschedulable"], ..core("nodes", "Node", "no") },
    core("services", "Service", "svc"),
    core("replicationcontrollers", "ReplicationController", "rc"),
    core("events", "Event", "ev"),
    grouped("apps", "deployments", "Deployment", "deploy"),
    grouped("apps", "daemonsets", "DaemonSet", "ds"),
    grouped("apps", "replicasets", "ReplicaSet", "rs"),
    grouped("apps", "statefulsets", "StatefulSet", "sts"),
    grouped("batch", "jobs", "Job", ""),
    grouped("batch", "cronjobs", "CronJob", "cj"),
];

impl Resource {
    pub fn all() -> &'static [Resource] {
        &RESOURCES
    }

    pub fn find(plural: &str) -> Option<&'static Resource> {
        RESOURCES.iter().find(|resource| resource.plural == plural)
    }

    /// The resource that a test names. Panics if the double does not serve it.
    pub fn named(plural: &str) -> &'static Resource {
        Resource::find(plural).unwrap_or_else(|| panic!("the double serves no {plural}"))
    }

    pub fn api_version(&self) -> String {
        if self.group.is_empty() { "v1".to_owned() } else { format!("{}/v1", self.group) }
    }
}

/// The target of a request path.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub resource: &'static Resource,
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub log: bool,
}

impl Route {
    pub fn parse(path: &str) -> Option<Route> {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let group = match parts.next()? {
            "api" => "",
            "apis" => parts.next()?,
            _ => return None,
        };
        if parts.next()? != "v1" {
            return None;
        }
        let mut rest: Vec<&str> = parts.collect();
        let mut namespace = None;
        if rest.len() >= 3 && rest[0] == "namespaces" {
            namespace = Some(decode(rest[1]));
            rest.drain(..2);
        }
        let resource = Resource::find(rest.first()?).filter(|resource| resource.group == group)?;
        let name = rest.get(1).map(|name| decode(name));
        let log = match rest.get(2..).unwrap_or_default() {
            [] => false,
            ["log"] if resource.plural == "pods" => true,
            _ => return None,
        };
        Some(Route { resource, namespace, name, log })
    }
}

/// Undoes percent-encoding, and `+` for a space.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let hex = (byte == b'%')
            .then(|| tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &tail[2..];
            }
            None => bytes.push(if byte == b'+' { b' ' } else { byte }),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
