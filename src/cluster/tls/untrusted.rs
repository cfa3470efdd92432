//! The reasons why a server is not trusted, in words that follow "the certificate of https://…".

use std::net::IpAddr;

use jiff::Timestamp;

use super::certificate::NotIssuer;

/// `authority`: the certificate above the server's that the reason is about, if any.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    #[error("cannot be read: {0}; issue another")]
    Unreadable(String),
    #[error("{}expired on {}: renew it, set this machine's clock, or {ACCEPT}", by(.authority), date(*.at))]
    Expired { authority: Option<String>, at: i64 },
    #[error("{}is not valid before {}: check this machine's clock", by(.authority), date(*.at))]
    NotYet { authority: Option<String>, at: i64 },
    /// `names`: those of hosts, then addresses. `common`: the name that does not count, if there are no others.
    #[error("{}", other_name(.names, .common.as_deref(), .wanted))]
    OtherName { names: Vec<String>, common: Option<String>, wanted: String },
    /// `issuer`: None if it is the server itself. `of`: the certificate that it has issued, if not the server's.
    #[error(
        "is not trusted: {}: {}",
        unknown(.issuer.as_deref(), .of.as_deref(), .hint.as_ref(), .authorities),
        cure(.hint.as_ref())
    )]
    UnknownIssuer {
        issuer: Option<String>,
        of: Option<String>,
        hint: Option<(String, NotIssuer)>,
        authorities: String,
    },
    #[error("{}is not for servers (extended key usage): issue another, or {ACCEPT}", by(.authority))]
    Usage { authority: Option<String> },
    #[error("{}has a critical extension that is not supported: issue another, or {ACCEPT}", by(.authority))]
    Extension { authority: Option<String> },
    #[error(
        "is not trusted: {of:?}, which signed it, is not an authority: issue another with an authority, or {ACCEPT}"
    )]
    NoAuthority { of: String },
    #[error(
        "is not trusted: its authority {authority:?} may not sign for {name} (name constraints): issue another \
         without that name or with another authority, or {ACCEPT}"
    )]
    Constrained { authority: String, name: String },
    #[error(
        "is not trusted: too many certificates stand between it and {authority:?} (path length): issue another with \
         an authority closer to that one, or {ACCEPT}"
    )]
    TooLong { authority: String },
    #[error(
        "is not trusted: more than {most} certificates come into question as its authorities: let the server send \
         fewer, and give only its own authority with --certificate-authority, or {ACCEPT}"
    )]
    TooMany { most: usize },
    #[error("cannot be used: its RSA key has less than 2048 bits; issue another")]
    WeakKey,
}

const ACCEPT: &str = "accept any with --insecure-skip-tls-verify";
const TRUST: &str =
    "give its authority with --certificate-authority, or accept any with --insecure-skip-tls-verify";

/// The most names that are shown.
const MOST_NAMES: usize = 10;

fn by(authority: &Option<String>) -> String {
    authority.as_ref().map(|name| format!("is not trusted: its authority {name:?} ")).unwrap_or_default()
}

fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).map(|at| at.to_string()).unwrap_or_default()
}

fn other_name(names: &[String], common: Option<&str>, wanted: &str) -> String {
    if let Some(common) = common {
        return format!(
            "names no host, so it is not for {wanted} (its common name {common:?} does not count): issue one with a \
             subject alternative name, or {ACCEPT}"
        );
    }
    if names.is_empty() {
        return format!("names no host, so it is not for {wanted}: issue another, or {ACCEPT}");
    }
    let is_address = |name: &str| name.parse::<IpAddr>().is_ok();
    // The name of a host may look like an address, which it is not for all that.
    let (hosts, address) = match is_address(wanted) && !names.iter().any(|name| is_address(name)) {
        true => ("the hosts ", "the address "),
        false => ("", ""),
    };
    let more = names.len().saturating_sub(MOST_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let names = names[..names.len().min(MOST_NAMES)].join(", ");
    format!(
        "is for another name: it is for {hosts}{names}{more}, not for {address}{wanted}; give one of its names with \
         --tls-server-name, or correct --server"
    )
}

/// The remedy, which is another authority only if none of this name is fit.
fn cure(hint: Option<&(String, NotIssuer)>) -> String {
    let issue = match hint {
        None | Some((_, NotIssuer::Signature)) => return TRUST.to_owned(),
        Some((_, NotIssuer::NotAllowed)) => "issue another with an authority",
        Some((_, NotIssuer::WeakKey)) => "issue both anew, with RSA of at least 2048 bits or P-256",
        Some((_, NotIssuer::Algorithm)) => {
            "issue another that is signed with SHA-256 and RSA of at least 2048 bits, P-256, P-384, P-521 or Ed25519"
        }
    };
    format!("{issue}, or {ACCEPT}")
}

fn unknown(
    issuer: Option<&str>,
    of: Option<&str>,
    hint: Option<&(String, NotIssuer)>,
    authorities: &str,
) -> String {
    match (hint, issuer) {
        (Some((name, NotIssuer::NotAllowed)), _) => format!("{name:?}, its issuer, is not an authority"),
        (Some((name, NotIssuer::Signature)), _) => {
            format!("it is not signed by the {name:?} that is known, but by another of the same name")
        }
        (Some((name, NotIssuer::WeakKey)), _) => {
            format!("the RSA key of {name:?}, its issuer, has less than 2048 bits")
        }
        (Some((_, NotIssuer::Algorithm)), _) => {
            "the algorithm of its signature is not secure or not supported".into()
        }
        (None, Some(issuer)) => match of {
            None => format!("its issuer {issuer:?} is not in {authorities}"),
            Some(of) => format!(
                "{of:?}, its authority, is known, but the issuer {issuer:?} of that one neither came with it nor is in \
                 {authorities}"
            ),
        },
        (None, None) => format!("it is signed by itself, and not in {authorities}"),
    }
}
