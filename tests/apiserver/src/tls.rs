//! Certificates for one server, generated at each start.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime, pem::PemObject},
    server::{
        ParsedCertificate, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::{CertifiedKey, SingleCertAndKey},
};

/// The certificates for a client.
#[derive(Debug, Clone)]
pub(crate) struct Pems {
    pub ca: String,
    pub client: String,
    pub client_key: String,
}

pub(crate) struct Tls {
    pub config: Arc<ServerConfig>,
    pub pems: Pems,
}

struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

const WHY: &str = "certificates of our own making are well-formed";

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect(WHY);
        let certificate = params.self_signed(&key).expect(WHY);
        Authority { certificate, issuer: Issuer::new(params, key) }
    }

    fn sign(&self, name: &str, hosts: &[String], usage: ExtendedKeyUsagePurpose) -> (Certificate, KeyPair) {
        let mut params = CertificateParams::new(hosts).expect(WHY);
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().expect(WHY);
        (params.signed_by(&key, &self.issuer).expect(WHY), key)
    }
}

/// The server's certificate and the clients it accepts.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// The names in a certificate of an authority of its own.
    pub hosts: Vec<String>,
    /// The chain and the key in PEM, and the authority to give to clients, in place of its own.
    pub given: Option<(String, String)>,
    /// Accepts every certificate of a client, in place of those of its own authority.
    pub any_client: bool,
    pub http2: bool,
}

impl Tls {
    pub fn new(options: &Options) -> Self {
        let servers = Authority::new("double-server-ca");
        let clients = Authority::new("double-client-ca");
        let (server, server_key) =
            servers.sign("kube-apiserver", &options.hosts, ExtendedKeyUsagePurpose::ServerAuth);
        let (client, client_key) = clients.sign("double-user", &[], ExtendedKeyUsagePurpose::ClientAuth);

        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(clients.certificate.der().clone()).expect(WHY);
        // Like a real apiserver: a client without a certificate may still use a token.
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .expect(WHY);
        let verifier = if options.any_client { Arc::new(AnyClient(Arc::clone(&provider))) } else { verifier };
        let (chain, key, ca) = match &options.given {
            Some((pem, ca)) => {
                let (chain, key) = chain_and_key(pem);
                (chain, key, ca.clone())
            }
            None => {
                let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
                (vec![server.der().clone()], key, servers.certificate.pem())
            }
        };
        // Certificates may be of a kind that rustls refuses, which is for the client to decide.
        let key = provider.key_provider.load_private_key(key).expect(WHY);
        let certified = SingleCertAndKey::from(CertifiedKey::new(chain, key));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect(WHY)
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(certified));
        if options.http2 {
            config.alpn_protocols.push(b"h2".to_vec());
        }
        config.alpn_protocols.push(b"http/1.1".to_vec());
        let pems = Pems { ca, client: client.pem(), client_key: client_key.serialize_pem() };
        Tls { config: Arc::new(config), pems }
    }
}

fn chain_and_key(pem: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes()).map(|der| der.expect(WHY)).collect();
    (chain, PrivateKeyDer::from_pem_slice(pem.as_bytes()).expect(WHY))
}

/// A server with this chain and key, for HTTP/1.1 and every client.
pub(crate) fn certified(chain_and_key_pem: &str) -> Arc<ServerConfig> {
    let (chain, key) = chain_and_key(chain_and_key_pem);
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect(WHY)
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect(WHY);
    Arc::new(config)
}

/// Accepts every certificate, if the client has its key. That of a certificate of version 1 is not checked.
#[derive(Debug)]
struct AnyClient(Arc<CryptoProvider>);

impl AnyClient {
    fn is_old(certificate: &CertificateDer<'_>) -> bool {
        ParsedCertificate::try_from(certificate).is_err()
    }
}

impl ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _client: &CertificateDer<'_>,
        _sent: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        client: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let checked =
            verify_tls12_signature(message, client, signed, &self.0.signature_verification_algorithms);
        if Self::is_old(client) { Ok(HandshakeSignatureValid::assertion()) } else { checked }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        client: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let checked =
            verify_tls13_signature(message, client, signed, &self.0.signature_verification_algorithms);
        if Self::is_old(client) { Ok(HandshakeSignatureValid::assertion()) } else { checked }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
