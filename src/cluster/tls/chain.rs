//! Finds a chain from a server's certificate to a trusted one, with the rules and in the order of Go's crypto/x509.
//!
//! webpki decides otherwise: it trusts no certificate for what it is but only for what it has signed, refuses servers
//! that are authorities, and takes any certificate in the pool for an authority, even an expired one.

use rustls::pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm};

use super::{
    certificate::{Certificate, NotIssuer},
    names,
    pool::Pool,
    untrusted::Untrusted,
};

/// As many as Go checks: the certificates come from a server that is not known yet.
const MOST_SIGNATURES: usize = 100;

/// The rules for one server.
pub struct Judge<'a> {
    pub trusted: &'a Pool,
    pub algorithms: &'a [&'static dyn SignatureVerificationAlgorithm],
    /// Seconds since 1970.
    pub now: i64,
}

/// The findings of a search that fails.
#[derive(Default)]
struct Findings {
    signatures: usize,
    /// The first certificate with the issuer's name that did not issue.
    hint: Option<(String, NotIssuer)>,
    /// The latest objection to a chain.
    objection: Option<Untrusted>,
    /// The end of the longest chain that nothing continues.
    end: Option<End>,
}

/// A missing issuer.
struct End {
    length: usize,
    /// None: the server's certificate is signed by itself.
    issuer: Option<String>,
    /// The certificate that it has issued, if that is not the server's.
    of: Option<String>,
}

impl End {
    fn of(chain: &[&Certificate<'_>]) -> Option<End> {
        let (last, length) = (chain.last()?, chain.len());
        let is_root = last.issuer() == last.subject();
        let issued = if is_root { length.checked_sub(2) } else { Some(length - 1) };
        Some(End {
            length,
            issuer: issued.map(|_| last.issuer_shown()),
            of: issued.filter(|at| *at > 0).map(|at| chain[at].subject_shown()),
        })
    }
}

impl Judge<'_> {
    /// Whether the server may be trusted under this name. `sent`: the other certificates from the server.
    pub fn judge(
        &self,
        server: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        host: &ServerName<'_>,
    ) -> Result<(), Untrusted> {
        let server = Certificate::parse(server).map_err(Untrusted::Unreadable)?;
        let sent: Result<Vec<_>, _> = sent.iter().map(Certificate::parse).collect();
        let sent = sent.map_err(Untrusted::Unreadable)?;
        self.check_alone(&server, None)?;
        if !names::is_for(&server, host) {
            return Err(Untrusted::OtherName {
                names: names::all_shown(&server),
                common: server.names().is_empty().then(|| server.subject_shown()),
                wanted: host.to_str().into_owned(),
            });
        }
        // It is trusted as it is: an authority or not, and no matter who issued it.
        if self.trusted.contains(&server) {
            return check_usage(&[&server]);
        }
        let mut findings = Findings::default();
        if self.is_continued(&[&server], &sent, &mut findings) {
            return Ok(());
        }
        let (issuer, of) = findings.end.map(|end| (end.issuer, end.of)).unwrap_or_default();
        let (hint, authorities) = (findings.hint, self.trusted.origin.clone());
        Err(findings.objection.unwrap_or(Untrusted::UnknownIssuer { issuer, of, hint, authorities }))
    }

    /// Whether the chain can be continued up to a trusted certificate.
    fn is_continued(
        &self,
        chain: &[&Certificate<'_>],
        sent: &[Certificate<'_>],
        findings: &mut Findings,
    ) -> bool {
        let Some(last) = chain.last() else { return false };
        let trusted = self.trusted.named(last.issuer());
        let mut is_end = true;
        let candidates = trusted.iter().map(|one| (one, true)).chain(sent.iter().map(|one| (one, false)));
        for (candidate, is_trusted) in candidates {
            let is_new = !chain.iter().any(|link| link.is_alike(candidate));
            if candidate.subject() != last.issuer() || !is_new {
                continue;
            }
            is_end = false;
            findings.signatures += 1;
            if findings.signatures > MOST_SIGNATURES {
                findings.objection = Some(Untrusted::TooMany { most: MOST_SIGNATURES });
                return false;
            }
            if let Err(reason) = last.is_issued_by(candidate, self.algorithms) {
                findings.hint.get_or_insert_with(|| (candidate.subject_shown(), reason));
                continue;
            }
            let longer = [chain, &[candidate]].concat();
            let checked = self.check_issuer(candidate, is_trusted, chain);
            match checked.and_then(|()| if is_trusted { check_usage(&longer) } else { Ok(()) }) {
                Err(objection) => findings.objection = Some(objection),
                Ok(()) if is_trusted || self.is_continued(&longer, sent, findings) => return true,
                Ok(()) => {}
            }
        }
        if is_end && findings.end.as_ref().is_none_or(|end| end.length < chain.len()) {
            findings.end = End::of(chain);
        }
        false
    }

    /// Whether `issuer` may stand above this chain.
    fn check_issuer(
        &self,
        issuer: &Certificate<'_>,
        is_trusted: bool,
        chain: &[&Certificate<'_>],
    ) -> Result<(), Untrusted> {
        let authority = || issuer.subject_shown();
        self.check_alone(issuer, Some(issuer))?;
        if let Some(name) = chain.iter().find_map(|link| names::unauthorized(link, issuer)) {
            return Err(Untrusted::Constrained { authority: authority(), name });
        }
        // One of version 1 is an authority only if it is trusted.
        if !is_trusted && issuer.is_authority() != Some(true) {
            return Err(Untrusted::NoAuthority { of: authority() });
        }
        match issuer.path_length() {
            Some(most) if chain.len() - 1 > most as usize => {
                Err(Untrusted::TooLong { authority: authority() })
            }
            _ => Ok(()),
        }
    }

    /// Its dates and its demands. `authority`: the same unless it is the server's.
    fn check_alone(
        &self,
        certificate: &Certificate<'_>,
        authority: Option<&Certificate<'_>>,
    ) -> Result<(), Untrusted> {
        let authority = authority.map(Certificate::subject_shown);
        let (from, until) = certificate.validity();
        match certificate.demands_unknown() {
            true => Err(Untrusted::Extension { authority }),
            false if self.now < from => Err(Untrusted::NotYet { authority, at: from }),
            false if self.now > until => Err(Untrusted::Expired { authority, at: until }),
            false => Ok(()),
        }
    }
}

/// Whether all of the chain may be used for servers.
fn check_usage(chain: &[&Certificate<'_>]) -> Result<(), Untrusted> {
    let Some(at) = chain.iter().position(|link| !link.may_serve()) else { return Ok(()) };
    Err(Untrusted::Usage { authority: (at > 0).then(|| chain[at].subject_shown()) })
}

#[cfg(test)]
mod tests;
