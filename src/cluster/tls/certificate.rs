//! One certificate, and the facts that decide about trust. What Go cannot parse is refused as well.

use std::net::IpAddr;

use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer};
use webpki::RawPublicKeyEntity;
use x509_parser::{
    asn1_rs::{Any, FromDer, Tag},
    certificate::X509Certificate,
    extensions::{ExtendedKeyUsage, GeneralName, NameConstraints, ParsedExtension},
    public_key::PublicKey,
    x509::{X509Name, X509Version},
};

/// In bits.
const SHORTEST_RSA: usize = 2048;
const LONGEST_RSA: usize = 8192;

/// The curves of elliptic keys; those without a name here can be used.
const CURVES: [(&str, Option<&str>); 5] = [
    ("1.2.840.10045.3.1.7", None),
    ("1.3.132.0.34", None),
    ("1.3.132.0.35", None),
    ("1.3.132.0.33", Some("P-224")),
    ("1.3.132.0.10", Some("secp256k1")),
];

pub struct Certificate<'a> {
    der: &'a [u8],
    parsed: X509Certificate<'a>,
}

/// The reason why a certificate cannot be the issuer of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotIssuer {
    /// It is no authority, or its key usage does not allow it.
    NotAllowed,
    Algorithm,
    /// Its key is too short to be of use.
    WeakKey,
    Signature,
}

impl<'a> Certificate<'a> {
    pub fn parse(der: &'a CertificateDer<'_>) -> Result<Certificate<'a>, String> {
        let (rest, parsed) =
            X509Certificate::from_der(der).map_err(|_| "it is no X.509 certificate".to_owned())?;
        let certificate = Certificate { der, parsed };
        match rest.is_empty() {
            true => certificate.check().map(|()| certificate).map_err(str::to_owned),
            false => Err("there are bytes after its end".into()),
        }
    }

    /// Refuses what Go's parser refuses.
    fn check(&self) -> Result<(), &'static str> {
        if self.parsed.raw_serial().first().is_some_and(|byte| byte & 0x80 != 0) {
            return Err("its serial number is negative");
        }
        if self.parsed.extensions_map().is_err() {
            return Err("one of its extensions stands twice");
        }
        let broken =
            |extension: &ParsedExtension<'_>| matches!(extension, ParsedExtension::ParseError { .. });
        if self.parsed.extensions().iter().any(|extension| broken(extension.parsed_extension())) {
            return Err("one of its extensions cannot be read");
        }
        // Other kinds of names are not read.
        let broken = |name: &GeneralName<'_>| match name {
            GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
                !name.is_ascii()
            }
            name => matches!(name, GeneralName::Invalid(Tag(1 | 2 | 6 | 7), _)),
        };
        let constraints = self.name_constraints();
        let trees = constraints.map(|all| [&all.permitted_subtrees, &all.excluded_subtrees]);
        let mut trees = trees.into_iter().flatten().flatten().flatten();
        if self.names().iter().any(broken) || trees.any(|tree| broken(&tree.base)) {
            return Err("one of its names cannot be read");
        }
        match self.parsed.signature_algorithm == self.parsed.tbs_certificate.signature {
            true => Ok(()),
            false => Err("it names two algorithms of its signature"),
        }
    }

    pub fn is(&self, der: &[u8]) -> bool {
        self.der == der
    }

    /// Whether it has the same subject, key and names, so that it adds nothing to a chain.
    pub fn is_alike(&self, other: &Certificate<'_>) -> bool {
        self.subject() == other.subject() && self.key() == other.key() && self.names() == other.names()
    }

    pub fn subject(&self) -> &[u8] {
        self.parsed.subject().as_raw()
    }

    pub fn issuer(&self) -> &[u8] {
        self.parsed.issuer().as_raw()
    }

    pub fn subject_shown(&self) -> String {
        shown(self.parsed.subject())
    }

    pub fn issuer_shown(&self) -> String {
        shown(self.parsed.issuer())
    }

    /// The public key with its algorithm, in DER.
    pub fn key(&self) -> &[u8] {
        self.parsed.public_key().raw
    }

    /// The kind of the key, if none of this kind can be used.
    pub fn unusable_key(&self) -> Option<String> {
        let key = self.parsed.public_key();
        match key.parsed() {
            Ok(PublicKey::RSA(key)) if (SHORTEST_RSA..=LONGEST_RSA).contains(&key.key_size()) => None,
            Ok(PublicKey::RSA(key)) => {
                let unused =
                    key.modulus.iter().find(|byte| **byte != 0).map_or(0, |byte| byte.leading_zeros());
                Some(format!("RSA of {} bits", key.key_size().saturating_sub(unused as usize)))
            }
            Ok(PublicKey::EC(_)) => {
                let curve =
                    key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok())?.to_id_string();
                let known = CURVES.iter().find(|(id, _)| *id == curve);
                match known {
                    Some((_, None)) => None,
                    Some((_, Some(name))) => Some(format!("on the curve {name}")),
                    None => Some(format!("on the curve {curve}")),
                }
            }
            Ok(PublicKey::DSA(_)) => Some("of DSA".to_owned()),
            _ => None,
        }
    }

    /// Whether aws-lc refuses the key for its length. Go takes RSA from 1024 bits.
    pub fn has_weak_key(&self) -> bool {
        matches!(self.parsed.public_key().parsed(), Ok(PublicKey::RSA(key)) if key.key_size() < SHORTEST_RSA)
    }

    /// The first and the last second at which it is valid.
    pub fn validity(&self) -> (i64, i64) {
        let validity = self.parsed.validity();
        (validity.not_before.timestamp(), validity.not_after.timestamp())
    }

    /// None: there are no basic constraints.
    pub fn is_authority(&self) -> Option<bool> {
        self.parsed.basic_constraints().ok().flatten().map(|constraints| constraints.value.ca)
    }

    /// The most intermediate certificates below it.
    pub fn path_length(&self) -> Option<u32> {
        self.parsed.basic_constraints().ok().flatten()?.value.path_len_constraint
    }

    /// None: every use is allowed.
    pub fn may_serve(&self) -> bool {
        let allowed = |usage: &ExtendedKeyUsage<'_>| usage.any || usage.server_auth;
        self.parsed.extended_key_usage().ok().flatten().is_none_or(|usage| allowed(usage.value))
    }

    pub fn name_constraints(&self) -> Option<&NameConstraints<'_>> {
        self.parsed.name_constraints().ok().flatten().map(|constraints| constraints.value)
    }

    pub fn names(&self) -> &[GeneralName<'_>] {
        let names = self.parsed.subject_alternative_name().ok().flatten();
        names.map(|names| names.value.general_names.as_slice()).unwrap_or_default()
    }

    pub fn dns_names(&self) -> impl Iterator<Item = &str> {
        self.names().iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(*name),
            _ => None,
        })
    }

    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.names().iter().filter_map(|name| match name {
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
    }

    /// Whether it demands something that is not known here.
    pub fn demands_unknown(&self) -> bool {
        self.parsed.extensions().iter().filter(|extension| extension.critical).any(
            |extension| match extension.parsed_extension() {
                ParsedExtension::BasicConstraints(_)
                | ParsedExtension::KeyUsage(_)
                | ParsedExtension::ExtendedKeyUsage(_)
                | ParsedExtension::CRLDistributionPoints(_)
                | ParsedExtension::CertificatePolicies(_)
                | ParsedExtension::AuthorityInfoAccess(_) => false,
                ParsedExtension::SubjectAlternativeName(names) => !names.general_names.iter().any(is_known),
                ParsedExtension::NameConstraints(constraints) => {
                    let trees = [&constraints.permitted_subtrees, &constraints.excluded_subtrees];
                    !trees.into_iter().flatten().flatten().all(|tree| is_known(&tree.base))
                }
                _ => true,
            },
        )
    }

    /// Whether this certificate was issued by `issuer`, which has its issuer's name.
    pub fn is_issued_by(
        &self,
        issuer: &Certificate<'_>,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> Result<(), NotIssuer> {
        // Version 1 has no extensions, so anything may be an authority.
        let authority = issuer.is_authority().unwrap_or(issuer.parsed.version() != X509Version::V3);
        let usage = issuer.parsed.key_usage().ok().flatten();
        if !authority || usage.is_some_and(|usage| !usage.value.key_cert_sign()) {
            return Err(NotIssuer::NotAllowed);
        }
        if issuer.has_weak_key() {
            return Err(NotIssuer::WeakKey);
        }
        let signed_with = self.algorithm().ok_or(NotIssuer::Algorithm)?;
        let key = SubjectPublicKeyInfoDer::from(issuer.key());
        let key = RawPublicKeyEntity::try_from(&key).map_err(|_| NotIssuer::Algorithm)?;
        let (signed, signature) = (self.parsed.tbs_certificate.as_ref(), &self.parsed.signature_value.data);
        let mut problem = NotIssuer::Algorithm;
        for algorithm in algorithms.iter().filter(|one| one.signature_alg_id().as_ref() == signed_with) {
            match key.verify_signature(*algorithm, signed, signature) {
                Ok(()) => return Ok(()),
                Err(webpki::Error::InvalidSignatureForPublicKey) => problem = NotIssuer::Signature,
                Err(_) => {}
            }
        }
        Err(problem)
    }

    /// The identifier of the signature's algorithm, which stands after what is signed.
    fn algorithm(&self) -> Option<&[u8]> {
        let (_, whole) = Any::from_der(self.der).ok()?;
        let after = whole.data.get(self.parsed.tbs_certificate.as_ref().len()..)?;
        Any::from_der(after).ok().map(|(_, algorithm)| algorithm.data)
    }
}

/// The address of an IP name.
pub fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// Whether Go knows this kind of name.
fn is_known(name: &GeneralName<'_>) -> bool {
    matches!(
        name,
        GeneralName::DNSName(_)
            | GeneralName::IPAddress(_)
            | GeneralName::RFC822Name(_)
            | GeneralName::URI(_)
    )
}

/// The common name, or all there is.
fn shown(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().find_map(|part| part.as_str().ok());
    common.map_or_else(|| name.to_string(), str::to_owned)
}
