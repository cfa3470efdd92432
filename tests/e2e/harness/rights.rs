//! The roles of docs/rbac.yaml, and users that have nothing else.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    Namespace, Output, Tail,
    namespace::{command, kubectl, kubectl_with},
    stern, tail,
};

const FILE: &str = include_str!("../../../docs/rbac.yaml");

/// The objects of the file in a namespace of their own. Those of the whole cluster have its name, too, in place of
/// `stern-rs`; dropping this deletes them.
pub struct Rights {
    pub namespace: Namespace,
    folder: TempDir,
}

/// A right that a role gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    pub verb: String,
    pub group: String,
    pub resource: String,
}

impl Right {
    /// The name of the resource with its group, as kubectl takes it.
    fn full(&self) -> String {
        match &*self.group {
            "" => self.resource.clone(),
            group => format!("{}.{group}", self.resource),
        }
    }
}

impl Rights {
    pub fn new(title: &str) -> Rights {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let rights = Rights { namespace: Namespace::new(title), folder };
        let name = &rights.namespace.name;
        let file = FILE.replace("stern-rs", name).replace("shop", name);
        kubectl_with(&["apply", "--filename", "-"], file.as_bytes());
        rights
    }

    /// The name of an object that the file calls so.
    pub fn named(&self, name: &str) -> String {
        name.replace("stern-rs", &self.namespace.name)
    }

    /// Runs the program as this service account to its end.
    pub fn run(&self, account: &str, args: &[&str]) -> Output {
        stern(&[&["--kubeconfig", &self.kubeconfig(account)], args].concat())
    }

    /// Starts the program as this service account.
    pub fn start(&self, account: &str, args: &[&str]) -> Tail {
        tail(&[&["--kubeconfig", &self.kubeconfig(account)], args].concat())
    }

    /// The candidates for the last word, as this service account.
    pub fn complete(&self, account: &str, words: &[&str]) -> String {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_stern-rs"));
        program.args(["__complete", "--kubeconfig", &self.kubeconfig(account)]).args(words);
        String::from_utf8(program.output().expect("the program runs").stdout).expect("names are ASCII")
    }

    /// The path of a kubeconfig with the token of this service account and the namespace.
    fn kubeconfig(&self, account: &str) -> String {
        let path: PathBuf = self.folder.path().join(account);
        if !path.exists() {
            let view = kubectl(&["config", "view", "--raw", "--minify", "--output", "json"], None);
            let mut config: Value = serde_json::from_slice(&view).expect("kubectl prints JSON");
            config["users"] = json!([{"name": account, "user": {"token": self.token(&self.named(account))}}]);
            config["contexts"][0]["context"]["user"] = account.into();
            config["contexts"][0]["context"]["namespace"] = self.namespace.name.clone().into();
            std::fs::write(&path, config.to_string()).expect("a temporary file");
        }
        path.into_os_string().into_string().expect("a path in UTF-8")
    }

    /// Of TokenRequest; where the cluster has none, of a secret.
    fn token(&self, account: &str) -> String {
        let asked = command(&["--namespace", &self.namespace.name, "create", "token", account]).output();
        let asked = asked.expect("kubectl runs");
        if asked.status.success() {
            return String::from_utf8(asked.stdout).expect("a token is text").trim().to_owned();
        }
        let annotations = json!({"kubernetes.io/service-account.name": account});
        self.namespace.apply(&json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
            "metadata": {"name": account, "annotations": annotations},
        }));
        let mut token = Vec::new();
        self.namespace.until("there is a token", || {
            let template = "go-template={{if .data.token}}{{.data.token | base64decode}}{{end}}";
            token = self.namespace.kubectl(&["get", "secret", account, "--output", template]);
            !token.is_empty()
        });
        String::from_utf8(token).expect("a token is text")
    }

    /// All rights that a role of the file gives, one by one.
    pub fn of(&self, role: &str) -> Vec<Right> {
        let object = self.namespace.kubectl(&["get", &self.named(role), "--output", "json"]);
        let object: Value = serde_json::from_slice(&object).expect("kubectl prints JSON");
        let texts = |value: &Value| -> Vec<String> {
            let values = value.as_array().into_iter().flatten();
            values.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let mut rights = Vec::new();
        for rule in object["rules"].as_array().into_iter().flatten() {
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    rights.extend(texts(&rule["verbs"]).into_iter().map(|verb| {
                        let (group, resource) = (group.clone(), resource.clone());
                        Right { verb, group, resource }
                    }));
                }
            }
        }
        rights
    }

    /// Runs this while the role lacks one right, for each of its rights.
    pub fn without_each(&self, role: &str, account: &str, names: &[&str], mut run: impl FnMut(&Right)) {
        let all = self.of(role);
        assert!(!all.is_empty(), "{role} has rights");
        for missing in &all {
            let rest: Vec<&Right> = all.iter().filter(|right| *right != missing).collect();
            self.set(role, &rest, names);
            self.until_known(account, missing, names, false);
            run(missing);
            self.set(role, &all.iter().collect::<Vec<_>>(), names);
            self.until_known(account, missing, names, true);
        }
    }

    fn set(&self, role: &str, rights: &[&Right], names: &[&str]) {
        let rules: Vec<Value> = rights
            .iter()
            .map(|right| {
                let mut rule = json!({
                    "apiGroups": [right.group], "resources": [right.resource], "verbs": [right.verb],
                });
                if !names.is_empty() {
                    rule["resourceNames"] = json!(names);
                }
                rule
            })
            .collect();
        let patch = json!([{"op": "replace", "path": "/rules", "value": rules}]).to_string();
        self.namespace.kubectl(&["patch", &self.named(role), "--type", "json", "--patch", &patch]);
    }

    /// Waits until the apiserver knows whether the account has this right.
    pub fn until_known(&self, account: &str, right: &Right, names: &[&str], has: bool) {
        let user = format!("system:serviceaccount:{}:{}", self.namespace.name, self.named(account));
        let (resource, subresource) = match right.resource.split_once('/') {
            Some((_, subresource)) => ("pods".to_owned(), subresource),
            None => (right.full(), ""),
        };
        let resource = names.first().map_or(resource.clone(), |name| format!("{resource}/{name}"));
        let mut args =
            vec!["--namespace", &self.namespace.name, "--as", &user, "auth", "can-i", &right.verb, &resource];
        args.extend(["--subresource", subresource].iter().filter(|_| !subresource.is_empty()));
        self.namespace.until(&format!("{user} has {right:?}: {has}"), || {
            command(&args).output().expect("kubectl runs").status.success() == has
        });
    }
}

impl Drop for Rights {
    fn drop(&mut self) {
        for kind in ["clusterrole", "clusterrolebinding"] {
            let names = ["logs", "workloads", "workloads-everywhere", "completion"];
            let names = names.map(|name| format!("{}-{name}", self.namespace.name));
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            // If this fails, the names say where they come from.
            let args = [&["delete", "--ignore-not-found", kind], &*names].concat();
            let _ = command(&args).output();
        }
    }
}
