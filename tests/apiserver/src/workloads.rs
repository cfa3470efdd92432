//! Workloads, such as deployments and services, and their JSON.

use serde_json::{Value, json};

use crate::{
    clock,
    metadata::{new_uid, seconds},
    resources::Resource,
};

/// A deployment, service, job or another object that selects pods.
///
/// ```
/// # use apiserver::Workload;
/// let web = Workload::deployment("web").namespace("shop").selects("app", "web");
/// let odd = Workload::statefulset("db").selects_by("tier", "In", &["db", "cache"]);
/// ```
#[derive(Debug, Clone)]
pub struct Workload {
    pub(crate) resource: &'static Resource,
    pub(crate) namespace: String,
    name: String,
    uid: String,
    labels: Vec<(String, String)>,
    owner: Option<(String, String)>,
    equal: Vec<(String, String)>,
    expressions: Vec<Value>,
    settings: Vec<(String, Value)>,
    conditions: Vec<Value>,
}

impl Workload {
    /// A workload of any resource that the double serves, such as `replicasets`.
    pub fn new(resource: &str, name: &str) -> Self {
        Workload {
            resource: Resource::named(resource),
            namespace: "default".to_owned(),
            name: name.to_owned(),
            uid: new_uid(),
            labels: Vec::new(),
            owner: None,
            equal: Vec::new(),
            expressions: Vec::new(),
            settings: Vec::new(),
            conditions: Vec::new(),
        }
    }

    pub fn deployment(name: &str) -> Self {
        Workload::new("deployments", name)
    }

    pub fn daemonset(name: &str) -> Self {
        Workload::new("daemonsets", name)
    }

    pub fn replicaset(name: &str) -> Self {
        Workload::new("replicasets", name)
    }

    pub fn statefulset(name: &str) -> Self {
        Workload::new("statefulsets", name)
    }

    pub fn job(name: &str) -> Self {
        Workload::new("jobs", name)
    }

    pub fn cronjob(name: &str) -> Self {
        Workload::new("cronjobs", name)
    }

    pub fn service(name: &str) -> Self {
        Workload::new("services", name)
    }

    pub fn replicationcontroller(name: &str) -> Self {
        Workload::new("replicationcontrollers", name)
    }

    pub fn namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self
    }

    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.push((key.to_owned(), value.to_owned()));
        self
    }

    pub fn owner(mut self, kind: &str, name: &str) -> Self {
        self.owner = Some((kind.to_owned(), name.to_owned()));
        self
    }

    /// Selects pods with this label.
    pub fn selects(mut self, key: &str, value: &str) -> Self {
        self.equal.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Selects pods by one of `matchExpressions`: `In`, `NotIn`, `Exists`, `DoesNotExist`.
    pub fn selects_by(mut self, key: &str, operator: &str, values: &[&str]) -> Self {
        self.expressions.push(json!({"key": key, "operator": operator, "values": values}));
        self
    }

    /// Sets a field of the spec, such as a Job's `completions`.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.settings.push((field.to_owned(), value));
        self
    }

    /// Adds a condition that holds, such as a Job's `Complete`.
    pub fn condition(mut self, name: &str, reason: &str, message: &str) -> Self {
        self.conditions.push(json!({"type": name, "status": "True", "reason": reason, "message": message}));
        self
    }

    pub(crate) fn json(&self, version: u64) -> Value {
        let object = |pairs: &[(String, String)]| -> Value {
            pairs.iter().map(|(k, v)| (k.clone(), json!(v))).collect()
        };
        let equal = object(&self.equal);
        let template = json!({
            "metadata": {"labels": equal}, "spec": {"containers": [{"name": "app", "image": "image:1"}]},
        });
        let mut spec = match self.resource.plural {
            "services" => json!({"selector": equal, "ports": [{"port": 80}]}),
            "replicationcontrollers" => json!({"selector": equal, "template": template}),
            "cronjobs" => json!({"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}}),
            _ => json!({"selector": {"matchLabels": equal}, "template": template}),
        };
        if !self.expressions.is_empty() {
            spec["selector"]["matchExpressions"] = json!(self.expressions);
        }
        if self.equal.is_empty() && self.expressions.is_empty() {
            // A service may have no selector.
            spec.as_object_mut().map(|spec| spec.remove("selector"));
        }
        for (field, value) in &self.settings {
            spec[field] = value.clone();
        }
        let mut metadata = json!({
            "name": self.name, "namespace": self.namespace, "uid": self.uid,
            "resourceVersion": version.to_string(), "creationTimestamp": seconds(clock::server_now()),
        });
        if !self.labels.is_empty() {
            metadata["labels"] = object(&self.labels);
        }
        if let Some((kind, name)) = &self.owner {
            metadata["ownerReferences"] =
                json!([{"apiVersion": "v1", "kind": kind, "name": name, "uid": name, "controller": true}]);
        }
        json!({"metadata": metadata, "spec": spec, "status": {"conditions": self.conditions}})
    }
}
