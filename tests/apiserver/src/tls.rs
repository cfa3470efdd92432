//! Certificates for one server, generated at each start.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
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

impl Tls {
    pub fn new(hosts: &[String], http2: bool) -> Self {
        let servers = Authority::new("double-server-ca");
        let clients = Authority::new("double-client-ca");
        let (server, server_key) = servers.sign("kube-apiserver", hosts, ExtendedKeyUsagePurpose::ServerAuth);
        let (client, client_key) = clients.sign("double-user", &[], ExtendedKeyUsagePurpose::ClientAuth);

        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(clients.certificate.der().clone()).expect(WHY);
        // Like a real apiserver: a client without a certificate may still use a token.
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .expect(WHY);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect(WHY)
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![server.der().clone()], key)
            .expect(WHY);
        if http2 {
            config.alpn_protocols.push(b"h2".to_vec());
        }
        config.alpn_protocols.push(b"http/1.1".to_vec());
        let pems = Pems {
            ca: servers.certificate.pem(),
            client: client.pem(),
            client_key: client_key.serialize_pem(),
        };
        Tls { config: Arc::new(config), pems }
    }
}
