//! Pods, container by container.

use serde_json::{Value, json};

/// A pod of containers that each run a shell script once. The volume `/state` outlives their restarts.
pub struct Pod(Value);

impl Pod {
    pub fn new(name: &str) -> Self {
        Self(json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {}},
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 0,
                "automountServiceAccountToken": false,
                "initContainers": [],
                "containers": [],
                "volumes": [{"name": "state", "emptyDir": {}}],
            },
        }))
    }

    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.0["metadata"]["labels"][key] = value.into();
        self
    }

    pub fn container(self, name: &str, script: &str) -> Self {
        self.add("containers", name, "busybox:1.35", script)
    }

    pub fn init_container(self, name: &str, script: &str) -> Self {
        self.add("initContainers", name, "busybox:1.35", script)
    }

    /// A container whose image cannot be pulled: nothing listens on that port.
    pub fn container_without_image(self, name: &str) -> Self {
        self.add("containers", name, "localhost:1/nowhere:1", "")
    }

    /// Restarts containers that end.
    pub fn restarting(mut self) -> Self {
        self.0["spec"]["restartPolicy"] = "Always".into();
        self
    }

    /// The time that containers have to end after SIGTERM.
    pub fn grace_seconds(mut self, seconds: u32) -> Self {
        self.0["spec"]["terminationGracePeriodSeconds"] = seconds.into();
        self
    }

    /// A deployment with this name, whose pods have these labels and containers.
    pub fn deployment(self, replicas: u32) -> Value {
        let metadata = &self.0["metadata"];
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": metadata["name"]},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": metadata["labels"]},
                "template": {"metadata": {"labels": metadata["labels"]}, "spec": self.restarting().0["spec"]},
            },
        })
    }

    pub fn into_object(self) -> Value {
        self.0
    }

    fn add(mut self, list: &str, name: &str, image: &str, script: &str) -> Self {
        let containers = self.0["spec"][list].as_array_mut().expect("a list of containers");
        // A busy runtime loses lines that are written right before a container's end.
        let script = format!("trap 'sleep 1' EXIT\n{script}");
        containers.push(json!({
            "name": name,
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["sh", "-c", script],
            "volumeMounts": [{"name": "state", "mountPath": "/state"}],
        }));
        self
    }
}
