//! The operating system's authorities.

use std::sync::Arc;

use rustls::{client::danger::ServerCertVerifier, crypto::CryptoProvider};

/// macOS and Windows decide for themselves, also for Go.
#[cfg(any(windows, target_vendor = "apple"))]
pub fn verifier(provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    Ok(Arc::new(rustls_platform_verifier::Verifier::new(provider.clone())?))
}

/// Without any authorities no server is trusted.
#[cfg(not(any(windows, target_vendor = "apple")))]
#[allow(clippy::unnecessary_wraps, reason = "other systems may fail")]
pub fn verifier(provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    use super::verifier::{Trusted, Verifier};
    Ok(Arc::new(Verifier { provider: provider.clone(), trusted: Trusted::These(Arc::new(files::pool())) }))
}

#[cfg(not(any(windows, target_vendor = "apple")))]
mod files {
    use std::{env, path::Path};

    use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};

    use super::super::pool::Pool;

    /// Go looks here as well if only `SSL_CERT_FILE` is set.
    const FOLDERS: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

    /// Go reads the first of these as well if only `SSL_CERT_DIR` is set.
    const FILES: [&str; 6] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/pki/tls/cacert.pem",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ];

    pub fn pool() -> Pool {
        let mut pool = Pool::new("the authorities of this machine");
        let mut add = |found: CertificateResult| {
            for certificate in found.certs {
                // One that cannot be read is of no use, and of no concern if others are there.
                let _ = pool.add(certificate);
            }
        };
        add(load_native_certs());
        let given = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        match (given("SSL_CERT_FILE"), given("SSL_CERT_DIR")) {
            (true, false) => {
                FOLDERS.iter().for_each(|folder| add(load_certs_from_paths(None, Some(Path::new(folder)))));
            }
            (false, true) => {
                let file = FILES.iter().map(Path::new).find(|file| file.exists());
                file.into_iter().for_each(|file| add(load_certs_from_paths(Some(file), None)));
            }
            _ => {}
        }
        if pool.is_empty() {
            pool.origin = "the authorities of this machine, which has none".into();
        }
        pool
    }
}
