//! Names of hosts in certificates, and constraints on them.

use std::net::IpAddr;

use rustls::pki_types::ServerName;
use x509_parser::extensions::{GeneralName, GeneralSubtree};

use super::certificate::{Certificate, address};

/// Whether the certificate is for this host. Common names do not count.
pub fn is_for(certificate: &Certificate<'_>, host: &ServerName<'_>) -> bool {
    match host {
        ServerName::DnsName(host) => {
            let host = host.as_ref().strip_suffix('.').unwrap_or(host.as_ref());
            certificate.dns_names().any(|pattern| matches(pattern, host))
        }
        ServerName::IpAddress(host) => {
            let host = IpAddr::from(*host);
            certificate.addresses().any(|address| address.to_canonical() == host.to_canonical())
        }
        _ => false,
    }
}

/// A `*` stands for one whole label, the first of several.
fn matches(pattern: &str, host: &str) -> bool {
    if pattern == "*" {
        return false;
    }
    let (mut pattern, mut host) = (pattern.split('.'), host.split('.'));
    let first = match (pattern.next(), host.next()) {
        (Some("*"), Some(label)) => !label.is_empty(),
        (Some(pattern), Some(label)) => !pattern.is_empty() && pattern.eq_ignore_ascii_case(label),
        _ => false,
    };
    first && pattern.map(str::to_ascii_lowercase).eq(host.map(str::to_ascii_lowercase))
}

/// The first name of `certificate` that `authority` may not sign.
pub fn unauthorized(certificate: &Certificate<'_>, authority: &Certificate<'_>) -> Option<String> {
    let constraints = authority.name_constraints()?;
    let trees = |trees: &Option<Vec<GeneralSubtree<'_>>>, name: &GeneralName<'_>, unclear| -> Vec<bool> {
        trees.iter().flatten().filter_map(|tree| is_within(name, &tree.base, unclear)).collect()
    };
    let refused = certificate.names().iter().find(|name| {
        let permitted = trees(&constraints.permitted_subtrees, name, false);
        let excluded = trees(&constraints.excluded_subtrees, name, true);
        (!permitted.is_empty() && !permitted.contains(&true)) || excluded.contains(&true)
    })?;
    Some(shown(refused))
}

/// Whether a name lies within a constraint; None if it is of another kind, which the constraint does not concern.
/// `unclear`: the answer for a URL without the name of a host.
fn is_within(name: &GeneralName<'_>, constraint: &GeneralName<'_>, unclear: bool) -> Option<bool> {
    match (name, constraint) {
        (GeneralName::DNSName(name), GeneralName::DNSName(constraint)) => Some(in_domain(name, constraint)),
        (GeneralName::IPAddress(name), GeneralName::IPAddress(network)) => Some(in_network(name, network)),
        (GeneralName::RFC822Name(name), GeneralName::RFC822Name(constraint)) => Some({
            let domain = name.rsplit_once('@').map_or(*name, |(_, domain)| domain);
            match constraint.contains('@') {
                true => name.eq_ignore_ascii_case(constraint),
                false => in_domain(domain, constraint),
            }
        }),
        (GeneralName::URI(name), GeneralName::URI(constraint)) => {
            Some(host_of(name).map_or(unclear, |host| in_domain(host, constraint)))
        }
        _ => None,
    }
}

/// The host of a URL, unless it is an address.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    (!host.is_empty() && !host.starts_with('[') && host.parse::<IpAddr>().is_err()).then_some(host)
}

/// Whether a name is the domain or below it; only below it if the domain begins with a dot.
fn in_domain(name: &str, domain: &str) -> bool {
    let (below, domain) = match domain.strip_prefix('.') {
        Some(domain) => (true, domain),
        None => (false, domain),
    };
    let labels = |name: &str| -> Vec<String> { name.rsplit('.').map(str::to_ascii_lowercase).collect() };
    if domain.is_empty() {
        return true;
    }
    let (name, domain) = (labels(name), labels(domain));
    name.starts_with(&domain) && (!below || name.len() > domain.len())
}

/// `network`: an address, and a mask of the same length.
fn in_network(address: &[u8], network: &[u8]) -> bool {
    if network.len() != address.len() * 2 {
        return false;
    }
    let (network, mask) = network.split_at(address.len());
    address.iter().zip(mask).zip(network).all(|((byte, mask), network)| byte & mask == network & mask)
}

/// All names of hosts, then all addresses, for messages. The name of a host that looks like an address is quoted.
pub fn all_shown(certificate: &Certificate<'_>) -> Vec<String> {
    let host = |name: &str| match name.parse::<IpAddr>() {
        Ok(_) => format!("{name:?}"),
        Err(_) => name.to_owned(),
    };
    let addresses = certificate.addresses().map(|address| address.to_string());
    certificate.dns_names().map(host).chain(addresses).collect()
}

fn shown(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
            (*name).to_owned()
        }
        GeneralName::IPAddress(bytes) => {
            address(bytes).map(|address| address.to_string()).unwrap_or_default()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_one_whole_label_and_the_first() {
        for (pattern, host) in
            [("a.example", "A.example"), ("*.example", "a.example"), ("*.k8s.example", "x.K8S.example")]
        {
            assert!(matches(pattern, host), "{pattern} {host}");
        }
        for (pattern, host) in [
            ("*.example", "example"),
            ("*.example", "b.a.example"),
            ("a*.example", "ab.example"),
            ("a.*", "a.example"),
            ("", ""),
            ("*", "localhost"),
            ("*.example", ".example"),
        ] {
            assert!(!matches(pattern, host), "{pattern} {host}");
        }
    }

    #[test]
    fn a_domain_contains_itself_unless_it_begins_with_a_dot() {
        assert!(in_domain("a.example", "example") && in_domain("Example", "example"));
        assert!(in_domain("a.example", ".example") && !in_domain("example", ".example"));
        assert!(!in_domain("notexample", "example") && in_domain("anything", ""));
    }

    #[test]
    fn a_network_has_a_mask() {
        assert!(in_network(&[10, 1, 2, 3], &[10, 0, 0, 0, 255, 0, 0, 0]));
        assert!(!in_network(&[11, 1, 2, 3], &[10, 0, 0, 0, 255, 0, 0, 0]));
        assert!(!in_network(&[0; 16], &[10, 0, 0, 0, 255, 0, 0, 0]));
    }
}
