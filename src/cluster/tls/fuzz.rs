//! Certificates and keys, from servers, kubeconfigs and plugins.

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};

use super::{Pool, certificate::Certificate, certified_key, chain::Judge, names, pem, provider};
use crate::fuzz::two;

/// Blocks are found in order, and each says where it begins.
pub fn pem(input: &[u8]) {
    let blocks = pem::blocks(input);
    let lines = blocks.iter().map(|block| match block {
        Ok(block) => block.line,
        Err(unreadable) => unreadable.line,
    });
    assert!(lines.is_sorted_by(|a, b| a < b));
    let (pool, skipped) = Pool::read("the file", input);
    assert!(pool.is_empty() || skipped.len() < blocks.len());
    for block in blocks.into_iter().flatten() {
        let text = format!("-----BEGIN {0}-----\n{1}\n-----END {0}-----", block.label, base64(&block.der));
        let again = pem::blocks(text.as_bytes());
        // A label that is no UTF-8 was replaced.
        assert!(again.into_iter().flatten().all(|again| again.der == block.der));
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

/// What is trusted stands in the pool, or is signed by one that does: no other bytes are.
pub fn certificate(input: &[u8]) {
    let (one, other) = input.split_at(input.len() / 2);
    let ders: Vec<CertificateDer<'_>> = [input, one, other, two(input).0].map(CertificateDer::from).into();
    let provider = provider();
    for der in &ders {
        let Ok(certificate) = Certificate::parse(der) else { continue };
        let _ = (certificate.subject_shown(), certificate.issuer_shown(), certificate.has_weak_key());
        let _ = (certificate.unusable_key(), certificate.demands_unknown(), certificate.may_serve());
        let hosts = names::all_shown(&certificate);
        names::unauthorized(&certificate, &certificate);
        let _ =
            certified_key(vec![der.clone().into_owned()], PrivatePkcs8KeyDer::from(other.to_vec()).into());
        for trusts in [false, true] {
            let mut trusted = Pool::new("the file");
            if trusts {
                let _ = trusted.add(der.clone().into_owned());
            }
            let algorithms = provider.signature_verification_algorithms.all;
            let judge = Judge { trusted: &trusted, algorithms, now: certificate.validity().0 };
            for host in hosts.iter().filter_map(|host| ServerName::try_from(host.as_str()).ok()) {
                let judged = judge.judge(der, &ders, &host);
                assert!(trusts || judged.is_err(), "nothing is trusted");
            }
        }
    }
}
