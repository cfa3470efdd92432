//! A namespace for one test, created and deleted with kubectl.

use std::{
    io::Write,
    process::{self, Command, Stdio},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use super::{Output, Pod, Tail, eventually, kubeconfig, stern, tail};

/// Dropping it deletes the namespace, without waiting. Its name has the process ID and the time, so it is unique.
pub struct Namespace {
    pub name: String,
}

impl Namespace {
    pub fn new(title: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_millis();
        let name = format!("stern-rs-e2e-{title}-{}-{now}", process::id());
        kubectl(&["create", "namespace", &name], None);
        let namespace = Self { name };
        // Until then pods are refused.
        let account = || namespace.list("serviceaccounts").iter().any(|a| a["metadata"]["name"] == "default");
        namespace.until("there is a service account", account);
        namespace
    }

    pub fn create(&self, pod: Pod) {
        self.apply(&pod.into_object());
    }

    /// Creates a pod and waits until all its containers have ended.
    pub fn run(&self, pod: Pod) {
        let pod = pod.into_object();
        self.apply(&pod);
        self.until_done(pod["metadata"]["name"].as_str().expect("a name"));
    }

    /// Waits until all containers of a pod have ended.
    pub fn until_done(&self, pod: &str) {
        self.until_pod(pod, "is done", |pod| {
            matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
        });
    }

    pub fn apply(&self, object: &Value) {
        kubectl(&["--namespace", &self.name, "apply", "--filename", "-"], Some(object));
    }

    pub fn delete(&self, pod: &str) {
        self.kubectl(&["delete", "--wait=false", "pod", pod]);
    }

    pub fn kubectl(&self, args: &[&str]) -> Vec<u8> {
        kubectl(&[&["--namespace", &self.name], args].concat(), None)
    }

    /// The output of `kubectl logs` for a container that has started.
    pub fn logs(&self, pod: &str, container: &str) -> Vec<u8> {
        self.kubectl(&["logs", pod, "--container", container])
    }

    /// Waits until a container has written this.
    pub fn until_logged(&self, pod: &str, container: &str, text: &str) {
        self.until_pod(pod, "has started", |pod| state(pod, container)["waiting"].is_null());
        self.until(&format!("{pod}/{container} logs {text:?}"), || {
            let log = self.logs(pod, container);
            String::from_utf8_lossy(&log).contains(text)
        });
    }

    /// Waits until a container waits for this reason.
    pub fn until_waiting(&self, pod: &str, container: &str, reason: &str) {
        let what = format!("{container} waits for {reason}");
        self.until_pod(pod, &what, |pod| state(pod, container)["waiting"]["reason"] == reason);
    }

    /// Waits until the apiserver knows that the only container of a pod was restarted so many times and runs.
    pub fn until_restarted(&self, pod: &str, times: u64) {
        self.until_pod(pod, &format!("was restarted {times} times"), |pod| {
            let status = &pod["status"]["containerStatuses"][0];
            status["restartCount"] == times && status["state"]["running"].is_object()
        });
    }

    /// Waits until this many pods have a label, and returns their names in order.
    pub fn pods_with_label(&self, label: &str, count: usize) -> Vec<String> {
        let mut names = Vec::new();
        self.until(&format!("{count} pods are {label}"), || {
            let output = self.kubectl(&["get", "pods", "--selector", label, "--output", "name"]);
            let output = String::from_utf8(output).expect("names are ASCII");
            names = output.lines().map(|line| line.trim_start_matches("pod/").to_owned()).collect();
            names.len() == count
        });
        names.sort();
        names
    }

    /// Creates a service account with a role of these rules, and returns its user name.
    pub fn account(&self, rules: Value) -> String {
        let rbac = "rbac.authorization.k8s.io";
        self.kubectl(&["create", "serviceaccount", "reader"]);
        self.apply(&json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": {"name": "reader"}, "rules": rules,
        }));
        self.apply(&json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": {"name": "reader"},
            "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": self.name}],
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "reader"},
        }));
        format!("system:serviceaccount:{}:reader", self.name)
    }

    /// Waits until the apiserver knows that `user` may do `what`, such as `["get", "pod/web"]`.
    pub fn until_allowed(&self, user: &str, what: &[&str]) {
        let args = [&["auth", "can-i", "--namespace", &self.name, "--as", user], what].concat();
        self.until(&format!("{user} may {what:?}"), || {
            command(&args).output().expect("kubectl runs").status.success()
        });
    }

    /// Runs the program in this namespace to its end.
    pub fn stern(&self, args: &[&str]) -> Output {
        stern(&self.with_namespace(args))
    }

    /// Starts the program in this namespace.
    pub fn tail(&self, args: &[&str]) -> Tail {
        tail(&self.with_namespace(args))
    }

    fn with_namespace<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        [&["--namespace", &self.name], args].concat()
    }

    fn until_pod(&self, name: &str, what: &str, is_so: impl Fn(&Value) -> bool) {
        self.until(&format!("pod {name}: {what}"), || {
            self.list("pods").iter().any(|pod| pod["metadata"]["name"] == name && is_so(pod))
        });
    }

    pub fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let found = eventually(|| is_so().then_some(()));
        assert!(found.is_some(), "timeout: not {what}");
    }

    fn list(&self, kind: &str) -> Vec<Value> {
        let list = self.kubectl(&["get", kind, "--output", "json"]);
        let mut list: Value = serde_json::from_slice(&list).expect("kubectl prints JSON");
        match list["items"].take() {
            Value::Array(items) => items,
            other => panic!("not a list: {other}"),
        }
    }

    fn describe(&self) -> String {
        let describe = ["--namespace", &self.name, "describe", "pods"];
        let output = command(&describe).output().expect("kubectl runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- pods of {}\n{}", self.name, self.describe());
        }
        // If this fails, the name of the namespace says where it comes from.
        let _ = command(&["delete", "namespace", "--wait=false", &self.name]).output();
    }
}

fn state<'p>(pod: &'p Value, container: &str) -> &'p Value {
    let statuses = pod["status"]["containerStatuses"].as_array();
    let status = statuses.into_iter().flatten().find(|status| status["name"] == container);
    status.map_or(&WAITING, |status| &status["state"])
}

/// The state of a container before the kubelet has reported it.
static WAITING: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| json!({"waiting": {}}));

pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new("kubectl");
    command.arg("--kubeconfig").arg(kubeconfig()).args(args);
    command
}

pub fn kubectl(args: &[&str], input: Option<&Value>) -> Vec<u8> {
    kubectl_with(args, input.map(Value::to_string).unwrap_or_default().as_bytes())
}

/// kubectl with this standard input.
pub fn kubectl_with(args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl is on the PATH");
    let mut stdin = child.stdin.take().expect("it is piped");
    if !input.is_empty() {
        stdin.write_all(input).expect("kubectl reads");
    }
    drop(stdin);
    let output = child.wait_with_output().expect("kubectl ends");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kubectl {}: {error}", args.join(" "));
    output.stdout
}
