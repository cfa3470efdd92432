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
    use crate::small_file;

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
        const ORIGIN: &str = "the authorities of this machine";
        let given = |name| env::var_os(name).filter(|value| !value.is_empty());
        let (file, folders) = (given("SSL_CERT_FILE"), given("SSL_CERT_DIR"));
        // What cannot be read is of no use, and of no concern if others are there.
        let text = file.as_ref().and_then(|file| small_file::read(Path::new(file)).ok());
        let (mut pool, _) = Pool::read(ORIGIN, &text.unwrap_or_default());
        let mut add = |found: CertificateResult| {
            for certificate in found.certs {
                let _ = pool.add(certificate);
            }
        };
        match (file, folders) {
            (None, None) => add(load_native_certs()),
            (Some(_), None) => {
                FOLDERS.iter().for_each(|folder| add(load_certs_from_paths(None, Some(Path::new(folder)))));
            }
            (file, Some(folders)) => {
                env::split_paths(&folders).for_each(|folder| add(load_certs_from_paths(None, Some(&folder))));
                let usual = FILES.iter().map(Path::new).find(|file| file.exists());
                usual
                    .filter(|_| file.is_none())
                    .into_iter()
                    .for_each(|file| add(load_certs_from_paths(Some(file), None)));
            }
        }
        if pool.is_empty() {
            pool.origin = "the authorities of this machine, which has none".into();
        }
        pool
    }
}
