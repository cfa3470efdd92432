//! The certificates of `tests/cli/as_kubectl/certificates`, where the decisions are compared with kubectl's.

use std::{fs, path::PathBuf};

use rustls::crypto::aws_lc_rs;

use super::*;
use crate::cluster::tls::pem;

/// Noon of 2026-11-26.
const NOW: i64 = 1_795_694_400;

/// The servers that are trusted.
const TRUSTED: &str = "
    authority-expired-and-renewed authority-sha1 authority-version-1 authority-with-a-twin authority-without-usage
    constraint-of-no-concern constraint-permits constraint-permits-below-domain constraint-permits-domain
    constraint-permits-mail constraint-permits-url constraint-permits-wildcard ed25519-default intermediate
    intermediate-among-strangers intermediate-and-root-sent intermediate-in-the-bundle name-other-kinds name-wildcard
    own-authority own-authority-signing-only own-leaf p256-sha384 p256-sha512 p384-sha512 p521-sha256 p521-sha512
    path-long-enough pinned-leaf pinned-leaf-and-its-authority-sent plain rsa-pss rsa-sha512 server-is-an-authority
    server-is-an-authority-signing-only server-number-long server-unknown-extension server-without-subject
    usage-any usage-unsaid";

/// The others, and what is said of them.
const REFUSED: [(&str, &str); 49] = [
    ("authority-expired", "its authority \"kubernetes\" expired on 2021-01-01T00:00:00Z"),
    ("authority-may-not-sign", "\"kubernetes\", its issuer, is not an authority"),
    ("authority-of-clients", "its authority \"kubernetes\" is not for servers"),
    ("authority-of-the-same-name", "it is not signed by the \"kubernetes\" that is known"),
    ("authority-unknown", "its issuer \"stranger\" is not in the bundle"),
    ("authority-without-constraints", "\"kubernetes\", its issuer, is not an authority"),
    ("constraint-excludes", "\"kubernetes\" may not sign for 127.0.0.1 (name constraints)"),
    ("constraint-excludes-domain", "may not sign for a.example"),
    ("constraint-excludes-mail", "may not sign for a@b.example"),
    ("constraint-excludes-url", "may not sign for https://a.b.example/"),
    ("constraint-not-critical", "may not sign for 127.0.0.1"),
    ("constraint-of-intermediate", "\"intermediate\" may not sign for 127.0.0.1"),
    ("constraint-of-unknown-kind", "\"kubernetes\" has a critical extension that is not supported"),
    ("constraint-of-url-without-host", "may not sign for urn:x"),
    ("constraint-permits-others", "may not sign for localhost"),
    ("intermediate-expired", "its authority \"intermediate\" expired on"),
    ("intermediate-may-not-sign", "\"intermediate\", its issuer, is not an authority"),
    ("intermediate-missing", "its issuer \"intermediate\" is not in the bundle"),
    ("intermediate-no-authority", "\"intermediate\", its issuer, is not an authority"),
    ("intermediate-of-clients", "\"intermediate\" is not for servers"),
    ("intermediate-unknown-demand", "\"intermediate\" has a critical extension that is not supported"),
    ("intermediate-version-1", "\"intermediate\", which signed it, is not an authority"),
    ("name-address-as-host", "it is for the hosts \"127.0.0.1\", not for the address 127.0.0.1"),
    ("name-another", "it is for k8s.example, 10.0.0.1, not for 127.0.0.1; give one of its names"),
    (
        "name-common",
        "names no host, so it is not for 127.0.0.1 (its common name \"127.0.0.1\" does not count)",
    ),
    ("name-many", "n8.example, n9.example and 30 more, not for the address 127.0.0.1"),
    ("name-not-ascii", "cannot be read: one of its names cannot be read"),
    ("name-wildcard-alone", "it is for *, not for localhost"),
    ("name-wildcard-in-a-label", "it is for a*.k8s.example, not for a.k8s.example"),
    ("own-authority-expired", "expired on 2021-01-01T00:00:00Z: renew it"),
    ("own-authority-not-yet", "is not valid before 2100-01-01T00:00:00Z: check this machine's clock"),
    ("own-authority-of-another-name", "it is for the hosts other.example, not for the address 127.0.0.1"),
    ("own-authority-without-names", "its common name \"127.0.0.1\" does not count"),
    ("own-leaf-of-a-client", "is not for servers (extended key usage)"),
    ("own-version-1", "its common name \"127.0.0.1\" does not count"),
    ("p256-sha1", "the algorithm of its signature is not secure or not supported"),
    ("p256-sha224", "the algorithm of its signature is not secure or not supported"),
    ("path-too-long", "too many certificates stand between it and \"kubernetes\" (path length)"),
    ("pinned-leaf-renewed", "its issuer \"kubernetes\" is not in the bundle"),
    ("pinned-leaf-signs", "\"not-an-authority\", its issuer, is not an authority"),
    // Go takes it.
    ("rsa1024-sha256", "the RSA key of \"kubernetes\", its issuer, has less than 2048 bits"),
    ("rsa-sha1", "the algorithm of its signature is not secure or not supported"),
    ("server-expired", "expired on 2021-01-01T00:00:00Z: renew it"),
    ("server-not-yet", "is not valid before 2100-01-01T00:00:00Z"),
    ("server-number-negative", "cannot be read: its serial number is negative"),
    ("server-unknown-demand", "has a critical extension that is not supported"),
    ("usage-client", "is not for servers"),
    ("usage-unknown", "is not for servers"),
    ("plain-alone", "it is signed by itself, and not in the bundle"),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cli/as_kubectl/certificates")
}

fn judge(case: &str) -> Result<(), Untrusted> {
    // Another server's bundle.
    let (server, bundle) = if case == "plain-alone" { ("own-leaf", "plain") } else { (case, case) };
    let read = |name: String| fs::read(folder().join(name)).unwrap();
    let blocks = pem::blocks(&read(format!("{server}.crt"))).into_iter().map(Result::unwrap);
    let mut chain: Vec<CertificateDer<'_>> =
        blocks.filter(|block| block.label == "CERTIFICATE").map(|block| block.der.into()).collect();
    let server = chain.remove(0);
    let (pool, skipped) = Pool::read("the bundle", &read(format!("{bundle}.ca")));
    assert!(skipped.is_empty(), "{skipped:?}");
    let host = match case {
        "name-wildcard-alone" => "localhost",
        case if case.starts_with("name-wildcard") => "a.k8s.example",
        _ => "127.0.0.1",
    };
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms.all;
    Judge { trusted: &pool, algorithms, now: NOW }.judge(&server, &chain, &host.try_into().unwrap())
}

#[test]
fn certificates_are_judged_as_in_go() {
    for case in TRUSTED.split_whitespace() {
        assert_eq!(judge(case), Ok(()), "{case}");
    }
    for (case, words) in REFUSED {
        let said = judge(case).expect_err(case).to_string();
        assert!(said.contains(words), "{case}: {said}");
    }
}

#[test]
fn every_certificate_of_the_folder_is_judged() {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let mut cases: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|kind| kind == "crt"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let refused = REFUSED.iter().map(|(case, _)| *case).filter(|case| *case != "plain-alone");
    let mut judged: Vec<_> = TRUSTED.split_whitespace().chain(refused).collect();
    cases.sort();
    judged.sort_unstable();
    assert_eq!(cases, judged);
}

#[test]
fn a_server_that_sends_very_many_certificates_is_given_up() {
    // Each has the issuer's name, and none has signed.
    let read = |name: &str| fs::read(folder().join(name)).unwrap();
    let der = |text: &[u8]| CertificateDer::from(pem::blocks(text).remove(0).unwrap().der);
    let (server, stranger) = (der(&read("plain.crt")), der(&read("p384-sha512.ca")));
    let (pool, _) = Pool::read("the bundle", &read("own-leaf.ca"));
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms.all;
    let judge = Judge { trusted: &pool, algorithms, now: NOW };
    let judged = judge.judge(&server, &vec![stranger; 101], &"127.0.0.1".try_into().unwrap());
    assert_eq!(judged, Err(Untrusted::TooMany { most: MOST_SIGNATURES }));
}

#[test]
fn the_certificate_that_is_missing_is_named() {
    let read = |name: &str| fs::read(folder().join(name)).unwrap();
    let sent: Vec<CertificateDer<'_>> = pem::blocks(&read("intermediate.crt"))
        .into_iter()
        .filter_map(Result::ok)
        .filter(|block| block.label == "CERTIFICATE")
        .map(|block| block.der.into())
        .collect();
    let (pool, _) = Pool::read("the bundle", &read("own-leaf.ca"));
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms.all;
    let judge = Judge { trusted: &pool, algorithms, now: NOW };
    let said = judge.judge(&sent[0], &[], &"127.0.0.1".try_into().unwrap()).unwrap_err().to_string();
    assert!(said.contains("its issuer \"intermediate\" is not in the bundle"), "{said}");
    let said = judge.judge(&sent[0], &sent[1..], &"127.0.0.1".try_into().unwrap()).unwrap_err().to_string();
    assert!(said.contains("\"intermediate\", its authority, is known, but the issuer"), "{said}");
}

#[test]
fn an_authority_is_asked_for_only_if_it_helps() {
    for (case, helps) in [
        ("authority-unknown", true),
        ("authority-of-the-same-name", true),
        ("plain-alone", true),
        ("rsa-sha1", false),
        ("rsa1024-sha256", false),
        ("pinned-leaf-signs", false),
        ("intermediate-version-1", false),
        ("constraint-excludes", false),
        ("path-too-long", false),
    ] {
        let said = judge(case).unwrap_err().to_string();
        assert_eq!(said.contains("give its authority"), helps, "{said}");
        assert_eq!(said.contains("issue "), !helps, "{said}");
    }
}

#[test]
fn a_key_of_no_use_is_named_by_its_kind() {
    let kind = |name: &str| {
        let text = fs::read(folder().join(name)).unwrap();
        let der = CertificateDer::from(pem::blocks(&text).remove(0).unwrap().der);
        Certificate::parse(&der).unwrap().unusable_key()
    };
    assert_eq!(kind("rsa1024-sha256.crt"), Some("RSA of 1024 bits".into()));
    for usable in ["plain.crt", "ed25519-default.crt", "p521-sha512.crt", "rsa-sha512.crt"] {
        assert_eq!(kind(usable), None, "{usable}");
    }
}
