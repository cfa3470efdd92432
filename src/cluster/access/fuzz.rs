//! Kubeconfigs, the output of plugins, and addresses of proxies.

use std::path::{Path, PathBuf};

use http::Uri;
use serde_json::{Value, json};

use super::{
    cluster::Cluster,
    entry::Entry,
    exec::{ExecConfig, Plugin},
    kubeconfig::Kubeconfigs,
    proxy as proxies, yaml,
};
use crate::{
    cluster::error::Error,
    fuzz::{SECRET, assert_one_line, two},
    plan::Connect,
};

/// A kubeconfig gives a cluster and a user, or one line that says why not, without a secret.
pub fn kubeconfig(input: &[u8]) {
    let (secret, is_new) = with_secret(input);
    for text in [input, secret.to_string().as_bytes()] {
        let files = match Kubeconfigs::of(PathBuf::from("/config"), text) {
            Ok(files) => files,
            Err(error) => {
                check(error, is_new);
                continue;
            }
        };
        files.is_empty();
        let context = Connect { context: Some("a".into()), ..Connect::default() };
        let server = Connect { server: Some("https://apiserver".into()), ..Connect::default() };
        for connect in [Connect::default(), context, server] {
            match files.choose(&connect) {
                Ok(chosen) => {
                    if let Err(error) = chosen.cluster.server(&connect) {
                        check(error, is_new);
                    }
                }
                Err(error) => check(error, is_new),
            }
        }
    }
}

/// One line; without the secret if that does not stand elsewhere, too.
fn check(error: Error, is_new: bool) {
    let error = error.to_string();
    assert_one_line(&error);
    assert!(!is_new || !error.contains(SECRET), "{error}");
}

/// The same document with the secret where secrets stand, and whether it stands nowhere else.
fn with_secret(input: &[u8]) -> (Value, bool) {
    let mut document = yaml::parse(input).unwrap_or_default();
    let is_new = !document.to_string().contains(SECRET) && !String::from_utf8_lossy(input).contains(SECRET);
    hide(&mut document);
    (document, is_new)
}

/// Puts the secret where secrets stand.
fn hide(value: &mut Value) {
    const SECRETS: [&str; 5] =
        ["token", "password", "client-key-data", "clientKeyData", "clientCertificateData"];
    match value {
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| match value {
            Value::String(text) if SECRETS.contains(&&**key) => text.insert_str(0, SECRET),
            value => hide(value),
        }),
        _ => {}
    }
}

/// The output of a plugin gives a credential, or one line that says why not, without what it holds.
pub fn plugin(input: &[u8]) {
    let config = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "command": "plugin", "interactiveMode": "Never",
    });
    let Ok(entry) = Entry::new("user \"me\"", Some(&config)) else { return };
    let Ok(config) = ExecConfig::read(&entry, Path::new("/")) else { return };
    let Ok(plugin) = Plugin::new(&config, "user \"me\"", &Cluster::default()) else { return };
    let (secret, is_new) = with_secret(input);
    for printed in [input, secret.to_string().as_bytes()] {
        if let Err(error) = plugin.credential(printed) {
            check(error, is_new);
        }
    }
}

/// The address of a proxy has a host and a port, and is shown without its password.
pub fn proxy(input: &[u8]) {
    let (one, other) = two(input);
    let (one, other) = (String::from_utf8_lossy(one), String::from_utf8_lossy(other));
    if one.contains(SECRET) || other.contains(SECRET) {
        return;
    }
    let with_password = one.replacen("://", &format!("://me:{SECRET}@"), 1);
    for url in [one.as_ref(), &with_password] {
        match proxies::parse(url, "$HTTPS_PROXY") {
            Ok(uri) => {
                assert!(uri.host().is_some_and(|host| !host.is_empty()) && uri.port_u16().is_some(), "{uri}");
                assert!(!proxies::displayed(&uri).contains(SECRET));
                let _ = (proxies::authorization(&uri), proxies::userinfo(&uri));
            }
            Err(error) => check(error, true),
        }
    }
    let Ok(server) = one.parse::<Uri>() else { return };
    for name in ["HTTPS_PROXY", "NO_PROXY"] {
        let var = |asked: &str| match asked {
            "HTTPS_PROXY" | "HTTP_PROXY" if name == "NO_PROXY" => Some("proxy:3128".to_owned()),
            asked => (asked == name).then(|| other.to_string()),
        };
        let _ = proxies::from_environment(&server, &var);
    }
}
