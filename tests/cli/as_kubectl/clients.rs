//! Certificates and keys of users.

use std::{fs, path::PathBuf};

use apiserver::ApiServer;

use crate::harness::{Decision, World};

fn folder() -> PathBuf {
    // On Windows a program that was built elsewhere gets a path without its drive.
    let project = std::path::absolute(env!("CARGO_MANIFEST_DIR")).unwrap();
    project.join("tests/cli/as_kubectl/certificates/clients")
}

/// The decision for a file of the folder that holds a certificate and its key.
fn presented(world: &World, file: &str) -> Decision {
    let pem = folder().join(format!("{file}.pem"));
    let config = world.kubeconfig();
    let config = config.lines().map(|line| match line.split_once("-data:") {
        Some((key, _)) if key.contains("client-") => format!("{key}: {}\n", pem.display()),
        _ => format!("{line}\n"),
    });
    world.home.write("kubeconfig", &config.collect::<String>());
    world.as_kubectl("")
}

#[test]
fn keys_and_certificates_may_come_in_every_form() {
    let world = World::of(ApiServer::builder().any_client_certificate());
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let names = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    for name in names {
        let decision = presented(&world, &name);
        assert_eq!(decision.connected, !name.starts_with("refused"), "{name}: {}", decision.err);
    }
}

#[test]
fn a_key_that_cannot_be_used_is_named_with_the_reason() {
    let world = World::of(ApiServer::builder().any_client_certificate());
    for (file, words) in [
        ("refused-key-of-another", "cannot be used together: the key is not that of the certificate"),
        ("refused-without-key", "holds no private key in PEM"),
        ("refused-without-certificate", "holds no certificate in PEM"),
        ("refused-broken-key", "cannot be read"),
        ("refused-encrypted", "is encrypted, and no passphrase can be given: decrypt it with `openssl pkey`"),
        ("refused-encrypted-traditional", "is encrypted"),
    ] {
        let decision = presented(&world, file);
        assert!(decision.err.contains(words) && decision.err.contains(file), "{words}\n{}", decision.err);
    }
}

#[test]
fn a_server_without_tls_is_shown_no_certificate() {
    let world = World::of(ApiServer::builder());
    world.home.write("broken.pem", "broken");
    for (key, connects) in [("key: broken.pem", true), ("key: missing.pem", false), ("key-data: '?'", false)]
    {
        let user = format!("client-certificate: broken.pem, client-{key}");
        world.home.write("kubeconfig", &world.kubeconfig().replace("    {}", &format!("    {{{user}}}")));
        let decision = world.as_kubectl("");
        assert_eq!(decision.connected, connects, "{}", decision.err);
    }
}
