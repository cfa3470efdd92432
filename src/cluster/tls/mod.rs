//! Sets up TLS: servers are trusted as Go's crypto/x509 trusts them, and so as kubectl does.

mod certificate;
mod chain;
#[cfg(fuzzing)]
pub mod fuzz;
mod group;
mod names;
pub mod pem;
mod pool;
mod system;
mod untrusted;
mod verifier;

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig,
    client::danger::ServerCertVerifier,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, SubjectPublicKeyInfoDer},
    sign::CertifiedKey,
};
use x509_parser::{asn1_rs::FromDer, x509::SubjectPublicKeyInfo};

use certificate::Certificate;
use group::P521;
pub use pool::Pool;
pub use untrusted::Untrusted;
use verifier::{Reloaded, Trusted, Verifier};

/// The servers that are trusted.
#[derive(Debug, Default)]
pub enum Trust {
    /// Those of the operating system's authorities.
    #[default]
    System,
    /// Those of these authorities, which may stand in a file that is replaced from time to time.
    Authorities {
        pool: Pool,
        file: Option<PathBuf>,
    },
    Anybody,
}

/// The rules for a server's certificate.
#[derive(Debug, Default)]
pub struct Tls {
    pub trust: Trust,
    /// The name to expect in it, if it differs from the URL's.
    pub name: Option<ServerName<'static>>,
}

/// TLS for clients, without a certificate of its own.
pub fn client_config(trust: Trust) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(provider());
    let verifier = verifier(trust, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// The groups of Go, in its order.
fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups.push(&P521);
    provider
}

fn verifier(
    trust: Trust,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let trusted = match trust {
        Trust::System => return system::verifier(provider),
        Trust::Anybody => Trusted::Anybody,
        Trust::Authorities { pool, file: None } => Trusted::These(Arc::new(pool)),
        Trust::Authorities { pool, file: Some(path) } => Trusted::File(Reloaded::new(path, pool)),
    };
    Ok(Arc::new(Verifier { provider: provider.clone(), trusted }))
}

/// The part of a pair that cannot be used.
#[derive(Debug)]
pub enum Unusable {
    Certificate(String),
    Key,
    /// Each is fine, and they do not belong together.
    Pair,
}

/// A certificate and its key, which must belong together. The certificate may be of any version.
pub fn certified_key(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, Unusable> {
    let first = chain.first().ok_or_else(|| Unusable::Certificate("there is none".into()))?;
    let certificate = Certificate::parse(first).map_err(Unusable::Certificate)?;
    let provider = aws_lc_rs::default_provider();
    let key = provider.key_provider.load_private_key(key).map_err(|_| match certificate.unusable_key() {
        Some(kind) => Unusable::Certificate(format!(
            "its key is {kind}, which is not supported; issue one with RSA of 2048 to 8192 bits, P-256, P-384, P-521 \
             or Ed25519"
        )),
        None => Unusable::Key,
    })?;
    if key.public_key().is_some_and(|key| !is_same_key(&key, certificate.key())) {
        return Err(Unusable::Pair);
    }
    Ok(CertifiedKey::new(chain, key))
}

fn is_same_key(ours: &SubjectPublicKeyInfoDer<'_>, theirs: &[u8]) -> bool {
    let bits = |der| SubjectPublicKeyInfo::from_der(der).ok().map(|(_, key)| key.subject_public_key.data);
    bits(ours.as_ref()) == bits(theirs)
}
