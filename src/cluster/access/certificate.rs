//! Loads certificates and keys: the trusted authorities, and the client's own certificate.

use std::{path::Path, path::PathBuf, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
    sign::CertifiedKey,
};

use super::cluster::Cluster;
use crate::{
    cluster::{
        error::{Error, root_cause},
        tls::{self, Pool, Tls, Trust, Unusable, pem},
    },
    plan::Connect,
    small_file,
};

/// The rules for the server's certificate, and remarks for the user. As in kubectl, what is given for a server without
/// TLS is only read, and has no say in the trust in a proxy.
pub fn tls(cluster: &Cluster, encrypted: bool, connect: &Connect) -> Result<(Tls, Vec<String>), Error> {
    let data = cluster.certificate_authority_data.as_deref();
    let of = &cluster.described;
    let authorities = Pem::load("certificate-authority", of, data, cluster.certificate_authority.as_deref())?;
    if !encrypted {
        return Ok((Tls::default(), Vec::new()));
    }
    let name = cluster.tls_server_name.as_deref().filter(|name| !name.is_empty());
    let name = match name.map(|name| ServerName::try_from(name.to_owned())).transpose() {
        Ok(name) => name,
        // Nothing is verified, so no name is wrong.
        Err(_) if cluster.insecure_skip_tls_verify => None,
        Err(_) => {
            let origin = match connect.tls_server_name {
                Some(_) => "--tls-server-name",
                None => &format!("tls-server-name of {of}"),
            };
            return Err(Error::invalid(format!("{origin} is neither a host name nor an IP address")));
        }
    };
    // As in Go, an empty file says nothing.
    let authorities = authorities.filter(|pem| !pem.bytes.is_empty());
    let (trust, remarks) = match authorities {
        // Both together are refused by the cluster.
        _ if cluster.insecure_skip_tls_verify => (Trust::Anybody, Vec::new()),
        None => (Trust::System, Vec::new()),
        Some(pem) => {
            let (pool, skipped) = Pool::read(&pem.origin, &pem.bytes);
            if pool.is_empty() {
                let reason = skipped.first().map(|reason| format!(": {reason}")).unwrap_or_default();
                return Err(Error::invalid(format!("{} holds no certificate in PEM{reason}", pem.origin)));
            }
            let skipped = skipped.iter().map(|block| format!("{}: {block}", pem.origin)).collect();
            (Trust::Authorities { pool, file: pem.file }, skipped)
        }
    };
    Ok((Tls { trust, name }, remarks))
}

pub fn certified_key(certificate: &Pem, key: &Pem) -> Result<Arc<CertifiedKey>, Error> {
    tls::certified_key(certificate.certificates()?, key.key()?).map(Arc::new).map_err(|problem| {
        let (certificate, key) = (&certificate.origin, &key.origin);
        Error::invalid(match problem {
            Unusable::Certificate(problem) => format!("{certificate} cannot be used: {problem}"),
            Unusable::Key => {
                format!("{key} cannot be used: it is damaged, or of a kind or length that is not supported")
            }
            Unusable::Pair => format!(
                "{certificate} and {key} cannot be used together: the key is not that of the certificate"
            ),
        })
    })
}

/// PEM data, and its origin for error messages.
pub struct Pem {
    pub bytes: Vec<u8>,
    pub origin: String,
    pub file: Option<PathBuf>,
}

impl Pem {
    /// From base64 data, or from a file. `of` is the entry, for error messages.
    pub fn load(what: &str, of: &str, data: Option<&str>, path: Option<&Path>) -> Result<Option<Pem>, Error> {
        if let Some(data) = data.filter(|data| !data.is_empty()) {
            let origin = format!("{what}-data of {of}");
            let data: String = data.split_whitespace().collect();
            let bytes = BASE64_STANDARD.decode(data);
            let bytes = bytes.map_err(|error| Error::invalid(format!("{origin} is not base64: {error}")))?;
            return Ok(Some(Pem { bytes, origin, file: None }));
        }
        let Some(path) = path else { return Ok(None) };
        let origin = format!("{what} {}", path.display());
        let bytes = small_file::read(path)
            .map_err(|error| Error::invalid(format!("cannot read {origin}: {}", root_cause(&error))))?;
        Ok(Some(Pem { bytes, origin, file: Some(path.into()) }))
    }

    /// As in Go: all blocks of certificates, and whatever stands between them.
    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        let blocks = pem::blocks(&self.bytes).into_iter().filter_map(Result::ok);
        let certificates = blocks.filter(|block| block.label == "CERTIFICATE");
        let certificates: Vec<_> = certificates.map(|block| CertificateDer::from(block.der)).collect();
        match certificates.is_empty() {
            true => Err(Error::invalid(format!("{} holds no certificate in PEM", self.origin))),
            false => Ok(certificates),
        }
    }

    /// As in Go: the first block of a private key, by its content.
    fn key(&self) -> Result<PrivateKeyDer<'static>, Error> {
        let mut blocks = pem::blocks(&self.bytes).into_iter().filter_map(Result::ok);
        let key = blocks.find(|block| block.label.ends_with("PRIVATE KEY"));
        let key =
            key.ok_or_else(|| Error::invalid(format!("{} holds no private key in PEM", self.origin)))?;
        if key.headers || key.label.starts_with("ENCRYPTED") {
            return Err(Error::invalid(format!(
                "the private key in {} is encrypted, and no passphrase can be given: decrypt it with `openssl pkey`",
                self.origin
            )));
        }
        PrivateKeyDer::try_from(key.der)
            .map_err(|_| Error::invalid(format!("the private key in {} cannot be read", self.origin)))
    }
}
