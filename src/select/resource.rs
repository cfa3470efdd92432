//! Finds the pods of a workload or service: its `spec.selector`, as a label selector.

use kube::{
    Api,
    api::{ApiResource, DynamicObject, ListParams},
};
use serde_json::Value;

use crate::{
    cluster::{Asked, Cluster, Error},
    plan::Kind,
};

/// The namespace of a resource and the label selector for its pods.
pub struct Found {
    pub namespace: String,
    pub selector: String,
}

/// The resource `name` in `namespace`, or of every namespace that has one.
pub async fn find(
    cluster: &Cluster,
    kind: Kind,
    name: &str,
    namespace: Option<&str>,
) -> Result<Vec<Found>, Error> {
    let resource = api_resource(kind);
    let asked = |verb| Asked {
        verb,
        resource: resource.plural.clone(),
        namespace: namespace.map(str::to_owned),
        name: Some(name.to_owned()),
    };
    let objects = match namespace {
        Some(namespace) => {
            let api = Api::<DynamicObject>::namespaced_with(cluster.client(), namespace, &resource);
            vec![api.get(name).await.map_err(|error| Error::from_kube(error, &asked("get")))?]
        }
        None => {
            let api = Api::<DynamicObject>::all_with(cluster.client(), &resource);
            let one = ListParams::default().fields(&format!("metadata.name={name}"));
            api.list(&one).await.map_err(|error| Error::from_kube(error, &asked("list")))?.items
        }
    };
    objects.into_iter().map(|object| found(&resource, name, object)).collect()
}

/// What is said where no namespace has the resource.
pub fn nowhere(kind: Kind, name: &str) -> Error {
    Error::invalid(format!("{} \"{name}\" not found in any namespace", api_resource(kind).plural))
}

fn found(resource: &ApiResource, name: &str, object: DynamicObject) -> Result<Found, Error> {
    let namespace = object.metadata.namespace.unwrap_or_default();
    let selector = selector(&object.data["spec"]).ok_or_else(|| {
        Error::invalid(format!(
            "{} \"{name}\" in namespace \"{namespace}\" selects no pods: it has no spec.selector",
            resource.plural
        ))
    })?;
    Ok(Found { namespace, selector })
}

pub fn api_resource(kind: Kind) -> ApiResource {
    let (group, kind, plural) = match kind {
        Kind::ReplicationController => ("", "ReplicationController", "replicationcontrollers"),
        Kind::Service => ("", "Service", "services"),
        Kind::DaemonSet => ("apps", "DaemonSet", "daemonsets"),
        Kind::Deployment => ("apps", "Deployment", "deployments"),
        Kind::ReplicaSet => ("apps", "ReplicaSet", "replicasets"),
        Kind::StatefulSet => ("apps", "StatefulSet", "statefulsets"),
        Kind::Job => ("batch", "Job", "jobs"),
    };
    let api_version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
    ApiResource {
        group: group.to_owned(),
        version: "v1".to_owned(),
        api_version,
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}

/// The label selector of a `spec`; None where it selects nothing.
///
/// Services and replication controllers have a plain map, the others a `LabelSelector`. Where a replication controller
/// has none, the apiserver's default is the labels of its template.
fn selector(spec: &Value) -> Option<String> {
    let selector = &spec["selector"];
    let requirements = if selector["matchLabels"].is_object() || selector["matchExpressions"].is_array() {
        let mut requirements = equals(&selector["matchLabels"]);
        requirements
            .extend(selector["matchExpressions"].as_array().into_iter().flatten().filter_map(expression));
        requirements
    } else if selector.is_object() {
        equals(selector)
    } else {
        equals(&spec["template"]["metadata"]["labels"])
    };
    (!requirements.is_empty()).then(|| requirements.join(","))
}

fn equals(labels: &Value) -> Vec<String> {
    let labels = labels.as_object().into_iter().flatten();
    labels.filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect()
}

fn expression(expression: &Value) -> Option<String> {
    let key = expression["key"].as_str()?;
    let values = || {
        let values = expression["values"].as_array().into_iter().flatten();
        values.filter_map(Value::as_str).collect::<Vec<_>>().join(",")
    };
    match expression["operator"].as_str()? {
        "In" => Some(format!("{key} in ({})", values())),
        "NotIn" => Some(format!("{key} notin ({})", values())),
        "Exists" => Some(key.to_owned()),
        "DoesNotExist" => Some(format!("!{key}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn match_labels_and_expressions_are_joined() {
        let spec = json!({"selector": {
        "matchLabels": {"app": "web", "tier": "front"},
        "matchExpressions": [
            {"key": "env", "operator": "In", "values": ["a", "b"]},
            {"key": "old", "operator": "NotIn", "values": ["yes"]},
            {"key": "track", "operator": "Exists"},
            {"key": "canary", "operator": "DoesNotExist"},
        ]}});
        assert_eq!(
            selector(&spec).as_deref(),
            Some("app=web,tier=front,env in (a,b),old notin (yes),track,!canary")
        );
    }

    #[test]
    fn a_service_selects_by_a_plain_map() {
        assert_eq!(selector(&json!({"selector": {"app": "web"}})).as_deref(), Some("app=web"));
    }

    #[test]
    fn a_replication_controller_without_a_selector_selects_by_its_template() {
        let spec = json!({"template": {"metadata": {"labels": {"app": "web"}}}});
        assert_eq!(selector(&spec).as_deref(), Some("app=web"));
    }

    #[test]
    fn what_selects_nothing_is_no_selector() {
        assert_eq!(selector(&json!({"type": "ExternalName"})), None);
        assert_eq!(selector(&json!({"selector": {}})), None);
    }
}
