//! Decides for rustls whether a server is trusted.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, PeerMisbehaved, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
};
use webpki::RawPublicKeyEntity;

use super::{certificate::Certificate, chain::Judge, pool::Pool, untrusted::Untrusted};
use crate::small_file;

/// An authority's file is read again after this long: the kubelet replaces that of a service account.
const RELOAD: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Verifier {
    pub provider: Arc<CryptoProvider>,
    pub trusted: Trusted,
}

#[derive(Debug)]
pub enum Trusted {
    Anybody,
    These(Arc<Pool>),
    File(Reloaded),
}

/// The authorities of a file that may be replaced.
#[derive(Debug)]
pub struct Reloaded {
    path: PathBuf,
    latest: Mutex<(Arc<Pool>, Instant)>,
}

impl Reloaded {
    pub fn new(path: PathBuf, pool: Pool) -> Reloaded {
        Reloaded { path, latest: Mutex::new((Arc::new(pool), Instant::now())) }
    }

    fn latest(&self) -> Arc<Pool> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.1.elapsed() > RELOAD {
            latest.1 = Instant::now();
            // Handshakes wait for it. If it takes longer, the earlier authorities stay in force.
            let text = small_file::read_again(&self.path);
            let (pool, _) = Pool::read(&latest.0.origin, &text.unwrap_or_default());
            if !pool.is_empty() {
                latest.0 = Arc::new(pool);
            }
        }
        latest.0.clone()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let trusted = match &self.trusted {
            Trusted::Anybody => return Ok(ServerCertVerified::assertion()),
            Trusted::These(pool) => pool.clone(),
            Trusted::File(file) => file.latest(),
        };
        let algorithms = self.provider.signature_verification_algorithms.all;
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let judge = Judge { trusted: &trusted, algorithms, now };
        judge.judge(server, sent, host).map(|()| ServerCertVerified::assertion()).map_err(untrusted)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = key(server)?;
        let key = RawPublicKeyEntity::try_from(&key).map_err(|_| unsupported_key())?;
        let mapping = self.provider.signature_verification_algorithms.mapping;
        let found = mapping.iter().find(|(scheme, _)| *scheme == signed.scheme);
        let (_, algorithms) = found.ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        let fits = |algorithm: &&dyn rustls::pki_types::SignatureVerificationAlgorithm| {
            key.verify_signature(*algorithm, message, signed.signature()).is_ok()
        };
        match algorithms.iter().any(fits) {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => Err(CertificateError::BadSignature.into()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &key(server)?, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// rustls would read no certificate of version 1.
fn key(server: &CertificateDer<'_>) -> Result<SubjectPublicKeyInfoDer<'static>, Error> {
    let certificate =
        Certificate::parse(server).map_err(|problem| untrusted(Untrusted::Unreadable(problem)))?;
    match certificate.has_weak_key() {
        true => Err(untrusted(Untrusted::WeakKey)),
        false => Ok(certificate.key().to_vec().into()),
    }
}

fn unsupported_key() -> Error {
    untrusted(Untrusted::Unreadable("its key is of a kind that is not supported".into()))
}

fn untrusted(reason: Untrusted) -> Error {
    CertificateError::Other(OtherError(Arc::new(reason))).into()
}
