//! Errors of TLS: a certificate that is not trusted, a handshake that is refused, and the reason.

use rustls::{AlertDescription, CertificateError, CipherSuite, Error as Tls, OtherError, ProtocolVersion};

use super::{Error, ErrorKind};
use crate::cluster::tls::Untrusted;

/// The server chooses none of our versions and ciphers.
#[derive(Debug, thiserror::Error)]
#[error("no TLS in common")]
pub struct NoCommonTls {
    /// Its choice among old ones.
    pub version: ProtocolVersion,
    pub cipher: CipherSuite,
    pub source: Tls,
}

/// `server`: the peer in "the certificate of …". `peer`: the peer in "cannot reach …".
pub(super) fn from_tls(server: &str, peer: &str, error: &Tls) -> Error {
    let certificate =
        |what: &str| Error::new(ErrorKind::Certificate, format!("the certificate of {server} {what}"));
    let failed = |what: &str| {
        Error::new(ErrorKind::Unreachable, format!("cannot reach {peer}: {what}")).wrong_for_good()
    };
    match error {
        Tls::InvalidCertificate(reason) => certificate(&untrusted(reason)),
        // Sent only if there was none.
        Tls::AlertReceived(AlertDescription::CertificateRequired) => Error::new(
            ErrorKind::Certificate,
            format!(
                "{server} requires a client certificate, and none was sent; give one in the kubeconfig's user \
                 (client-certificate and client-key), or choose another user with --user or --context"
            ),
        ),
        Tls::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied,
        ) => Error::new(
            ErrorKind::Certificate,
            format!(
                "{server} does not accept the client certificate ({}); perhaps it has expired, belongs to another \
                 cluster, or is missing",
                reason(error)
            ),
        ),
        Tls::AlertReceived(AlertDescription::HandshakeFailure) => failed(&format!(
            "it refuses the TLS handshake ({}); perhaps it requires a client certificate, or has a key of an unusual kind",
            reason(error)
        )),
        Tls::AlertReceived(_) => failed(&format!("it refuses the TLS handshake ({})", reason(error))),
        Tls::InvalidMessage(_) => failed("it does not speak TLS; the address may need http://"),
        error => failed(&format!("TLS failed: {}", reason(error))),
    }
}

/// The reason why a certificate is not trusted. Only the verifiers of macOS and Windows give others than our own.
fn untrusted(reason: &CertificateError) -> String {
    let trust =
        "give its authority with --certificate-authority, or accept any with --insecure-skip-tls-verify";
    match reason {
        CertificateError::Other(OtherError(reason)) if reason.is::<Untrusted>() => reason.to_string(),
        CertificateError::Other(OtherError(reason)) => {
            format!("cannot be checked by this system: {}: {trust}", crate::words(&reason.to_string()))
        }
        CertificateError::BadSignature => "is not that of the server, which does not have its key".into(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another name: give that name with --tls-server-name, or correct --server".into()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has expired: renew it, set this machine's clock, or accept any with --insecure-skip-tls-verify"
                .into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet: check this machine's clock".into()
        }
        reason => format!("is not trusted ({}): {trust}", words(&format!("{reason:?}"))),
    }
}

pub(super) fn no_common_tls(peer: &str, error: &NoCommonTls) -> Error {
    let NoCommonTls { version, cipher, source } = error;
    let version = match version {
        ProtocolVersion::TLSv1_0 => "TLS 1.0",
        ProtocolVersion::TLSv1_1 => "TLS 1.1",
        ProtocolVersion::TLSv1_2 => "TLS 1.2",
        _ => "SSL",
    };
    let cipher = cipher.as_str().map_or_else(|| format!("{:#06x}", u16::from(*cipher)), str::to_owned);
    let is_ours = version == "TLS 1.2"
        && cipher.contains("_ECDHE_")
        && (cipher.contains("_GCM_") || cipher.contains("_CHACHA20_"));
    let why = match is_ours {
        true => "perhaps it requires a client certificate",
        false => "TLS 1.3, or TLS 1.2 with ECDHE and AES-GCM or ChaCha20, is needed",
    };
    let reason = reason(source);
    let text = format!(
        "cannot reach {peer}: it refuses the TLS handshake ({reason}) and offers {version} with {cipher}; {why}"
    );
    Error::new(ErrorKind::Unreachable, text).wrong_for_good()
}

/// rustls' names of errors in words, without addresses of its documentation.
fn reason(error: &Tls) -> String {
    match error {
        Tls::AlertReceived(alert) => words(&format!("{alert:?}")),
        Tls::PeerIncompatible(reason) => words(&format!("{reason:?}")),
        Tls::PeerMisbehaved(reason) => words(&format!("{reason:?}")),
        error => error.to_string().split(": https://").next().unwrap_or_default().to_owned(),
    }
}

/// `handshake failure` for `HandshakeFailure(…)`
fn words(name: &str) -> String {
    let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let mut words = String::new();
    let mut before = ' ';
    for c in name.chars() {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
        before = c;
    }
    words
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{InvalidMessage, PeerIncompatible, PeerMisbehaved};

    use super::*;

    #[test]
    fn every_error_of_tls_is_said_in_words() {
        let alert = Tls::AlertReceived;
        let other = OtherError(Arc::new(std::io::Error::other("is odd")));
        for (error, said) in [
            (
                alert(AlertDescription::CertificateRequired),
                "https://a requires a client certificate, and none was sent; give one in the kubeconfig's user \
                 (client-certificate and client-key), or choose another user with --user or --context",
            ),
            (
                alert(AlertDescription::UnknownCA),
                "https://a does not accept the client certificate (unknown ca); perhaps it has expired, belongs to \
                 another cluster, or is missing",
            ),
            (
                alert(AlertDescription::HandshakeFailure),
                "cannot reach the apiserver https://a: it refuses the TLS handshake (handshake failure); perhaps it \
                 requires a client certificate, or has a key of an unusual kind",
            ),
            (
                alert(AlertDescription::UnrecognisedName),
                "cannot reach the apiserver https://a: it refuses the TLS handshake (unrecognised name)",
            ),
            (
                Tls::InvalidMessage(InvalidMessage::InvalidContentType),
                "cannot reach the apiserver https://a: it does not speak TLS; the address may need http://",
            ),
            (
                Tls::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
                "cannot reach the apiserver https://a: TLS failed: no cipher suites in common",
            ),
            (
                Tls::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedCipherSuite),
                "cannot reach the apiserver https://a: TLS failed: selected unoffered cipher suite",
            ),
            (
                Tls::InvalidCertificate(CertificateError::Other(other)),
                "the certificate of https://a cannot be checked by this system: is odd: give its authority with \
                 --certificate-authority, or accept any with --insecure-skip-tls-verify",
            ),
            (
                Tls::InvalidCertificate(CertificateError::BadSignature),
                "the certificate of https://a is not that of the server, which does not have its key",
            ),
            (
                Tls::InvalidCertificate(CertificateError::Revoked),
                "the certificate of https://a is not trusted (revoked): give its authority with \
                 --certificate-authority, or accept any with --insecure-skip-tls-verify",
            ),
        ] {
            assert_eq!(from_tls("https://a", "the apiserver https://a", &error).to_string(), said);
        }
    }

    #[test]
    fn the_tls_of_an_old_server_is_named() {
        let said = |version, cipher| {
            let source = Tls::AlertReceived(AlertDescription::ProtocolVersion);
            no_common_tls("https://a", &NoCommonTls { version, cipher, source }).to_string()
        };
        assert_eq!(
            said(ProtocolVersion::TLSv1_0, CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA),
            "cannot reach https://a: it refuses the TLS handshake (protocol version) and offers TLS 1.0 with \
             TLS_RSA_WITH_AES_128_CBC_SHA; TLS 1.3, or TLS 1.2 with ECDHE and AES-GCM or ChaCha20, is needed"
        );
        let ours = said(ProtocolVersion::TLSv1_2, CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256);
        assert!(ours.ends_with("; perhaps it requires a client certificate"), "{ours}");
    }
}
