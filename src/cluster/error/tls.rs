//! Errors of TLS: the certificate that is not trusted, and the reason.

use rustls::{AlertDescription, CertificateError, Error as Tls, OtherError};

use super::{Error, ErrorKind};

/// `server`: the peer in "the certificate of …". `peer`: the peer in "cannot reach …".
pub(super) fn from_tls(server: &str, peer: &str, error: &Tls) -> Error {
    let certificate =
        |what: &str| Error::new(ErrorKind::Certificate, format!("the certificate of {server} {what}"));
    let trust =
        "give its authority with --certificate-authority, or accept any with --insecure-skip-tls-verify";
    match error {
        // The words are those of our own verifier.
        Tls::InvalidCertificate(CertificateError::Other(OtherError(reason))) => {
            certificate(&reason.to_string())
        }
        Tls::InvalidCertificate(CertificateError::UnknownIssuer) => {
            certificate(&format!("is not trusted (its issuer is unknown): {trust}"))
        }
        Tls::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => certificate("is for another name: give that name with --tls-server-name, or correct --server"),
        Tls::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            certificate(
                "has expired: renew it, set this machine's clock, or accept any with --insecure-skip-tls-verify",
            )
        }
        Tls::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => certificate("is not valid yet: check this machine's clock"),
        Tls::InvalidCertificate(reason) => certificate(&format!("is not trusted ({reason}): {trust}")),
        Tls::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRequired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied,
        ) => Error::new(
            ErrorKind::Certificate,
            format!(
                "{server} does not accept the client certificate ({error}); it may have expired or belong to another cluster"
            ),
        ),
        Tls::InvalidMessage(_) => Error::new(
            ErrorKind::Unreachable,
            format!("cannot reach {peer}: it does not speak TLS; the address may need http://"),
        )
        .wrong_for_good(),
        error => Error::new(ErrorKind::Unreachable, format!("cannot reach {peer}: TLS failed: {error}"))
            .wrong_for_good(),
    }
}
