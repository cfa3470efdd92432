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

    /// Go looks here as well if `SSL_CERT_FILE` names only a file.
    const FOLDERS: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

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
        if given("SSL_CERT_FILE") && !given("SSL_CERT_DIR") {
            FOLDERS.iter().for_each(|folder| add(load_certs_from_paths(None, Some(Path::new(folder)))));
        }
        if pool.is_empty() {
            pool.origin = "the authorities of this machine, which has none".into();
        }
        pool
    }
}
