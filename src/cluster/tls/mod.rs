//! Sets up TLS: servers are trusted as Go's crypto/x509 trusts them, and so as kubectl does.

mod certificate;
mod chain;
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

/// A certificate and its key, which must belong together. The certificate may be of any version.
pub fn certified_key(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, String> {
    let first = chain.first().ok_or("there is no certificate")?;
    let certificate = Certificate::parse(first)?;
    let provider = aws_lc_rs::default_provider();
    let key = provider.key_provider.load_private_key(key).map_err(|error| error.to_string())?;
    if key.public_key().is_some_and(|key| !is_same_key(&key, certificate.key())) {
        return Err("the key is not that of the certificate".into());
    }
    Ok(CertifiedKey::new(chain, key))
}

fn is_same_key(ours: &SubjectPublicKeyInfoDer<'_>, theirs: &[u8]) -> bool {
    let bits = |der| SubjectPublicKeyInfo::from_der(der).ok().map(|(_, key)| key.subject_public_key.data);
    bits(ours.as_ref()) == bits(theirs)
}
