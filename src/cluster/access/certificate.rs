//! Loads certificates and keys: the trusted authorities, and the client's own certificate.

use std::{fs, path::Path, path::PathBuf, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    sign::CertifiedKey,
};
use secrecy::ExposeSecret;

use super::{cluster::Cluster, user::User};
use crate::cluster::error::{Error, root_cause};

/// The rules for trusting a server's certificate.
#[derive(Debug, Default)]
pub struct Trust {
    /// None: the operating system's.
    pub authorities: Option<Vec<CertificateDer<'static>>>,
    /// The file of the authorities, to be reloaded after a rotation.
    pub file: Option<PathBuf>,
    /// Trusts any server.
    pub insecure: bool,
    /// The name expected in the certificate, if it differs from the URL's.
    pub name: Option<ServerName<'static>>,
}

impl Trust {
    pub fn load(cluster: &Cluster) -> Result<Trust, Error> {
        let name = cluster.tls_server_name.as_deref().filter(|name| !name.is_empty());
        let name = name.map(|name| ServerName::try_from(name.to_owned())).transpose();
        let name =
            name.map_err(|_| Error::invalid("--tls-server-name is neither a host name nor an IP address"))?;
        if cluster.insecure_skip_tls_verify {
            return Ok(Trust { insecure: true, name, ..Trust::default() });
        }
        let what = "certificate-authority";
        let data = cluster.certificate_authority_data.as_deref();
        let Some(pem) = Pem::load(what, data, cluster.certificate_authority.as_deref())? else {
            return Ok(Trust { name, ..Trust::default() });
        };
        Ok(Trust { authorities: Some(pem.certificates()?), file: pem.file, name, insecure: false })
    }
}

/// The client certificate in a kubeconfig.
pub fn identity(user: &User) -> Result<Option<Arc<CertifiedKey>>, Error> {
    let certificate = user.client_certificate_data.as_deref();
    let certificate = Pem::load("client-certificate", certificate, user.client_certificate.as_deref())?;
    // As in Go, a key without a certificate is of no use and does no harm.
    let Some(certificate) = certificate else { return Ok(None) };
    let key = user.client_key_data.as_ref().map(|key| key.expose_secret());
    match Pem::load("client-key", key, user.client_key.as_deref())? {
        Some(key) => certified_key(&certificate, &key).map(Some),
        None => Err(Error::invalid("a client certificate needs its key: give it with --client-key")),
    }
}

pub fn certified_key(certificate: &Pem, key: &Pem) -> Result<Arc<CertifiedKey>, Error> {
    let der = PrivateKeyDer::from_pem_slice(&key.bytes)
        .map_err(|_| Error::invalid(format!("{} holds no private key in PEM", key.origin)))?;
    CertifiedKey::from_der(certificate.certificates()?, der, &rustls::crypto::aws_lc_rs::default_provider())
        .map(Arc::new)
        .map_err(|error| {
            let (certificate, key) = (&certificate.origin, &key.origin);
            Error::invalid(format!("{certificate} and {key} cannot be used together: {error}"))
        })
}

/// PEM data, and its origin for error messages.
pub struct Pem {
    pub bytes: Vec<u8>,
    pub origin: String,
    pub file: Option<PathBuf>,
}

impl Pem {
    /// From base64 data, or from a file.
    fn load(what: &str, data: Option<&str>, path: Option<&Path>) -> Result<Option<Pem>, Error> {
        if let Some(data) = data.filter(|data| !data.is_empty()) {
            let origin = format!("the kubeconfig's {what}-data");
            let data: String = data.split_whitespace().collect();
            let bytes = BASE64_STANDARD.decode(data);
            let bytes = bytes.map_err(|error| Error::invalid(format!("{origin} is not base64: {error}")))?;
            return Ok(Some(Pem { bytes, origin, file: None }));
        }
        let Some(path) = path else { return Ok(None) };
        let origin = format!("{what} {}", path.display());
        let bytes = fs::read(path)
            .map_err(|error| Error::invalid(format!("cannot read {origin}: {}", root_cause(&error))))?;
        Ok(Some(Pem { bytes, origin, file: Some(path.into()) }))
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        match found {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            _ => Err(Error::invalid(format!("{} holds no certificate in PEM", self.origin))),
        }
    }
}
