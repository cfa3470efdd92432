//! Selects the proxy to the apiserver, if any. The rules are Go's, which kubectl follows.

use std::net::IpAddr;

use http::{
    HeaderValue, Uri,
    uri::{Authority, Parts},
};

use super::credential::basic;
use crate::cluster::error::Error;

/// The proxy for this server from the environment.
pub fn from_environment(server: &Uri, var: &dyn Fn(&str) -> Option<String>) -> Result<Option<Uri>, Error> {
    let first = |names: [&'static str; 2]| {
        names
            .into_iter()
            .find_map(|name| var(name).filter(|value| !value.is_empty()).map(|value| (name, value)))
    };
    let proxy = match server.scheme_str() {
        Some("https") => first(["HTTPS_PROXY", "https_proxy"]),
        _ => first(["HTTP_PROXY", "http_proxy"]),
    };
    let Some((name, proxy)) = proxy else { return Ok(None) };
    let excluded = first(["NO_PROXY", "no_proxy"]).map(|(_, value)| value).unwrap_or_default();
    let host = server.host().unwrap_or_default();
    let port = server.port_u16().unwrap_or(if server.scheme_str() == Some("https") { 443 } else { 80 });
    if is_direct(&excluded, host, port) {
        return Ok(None);
    }
    parse(&proxy, &format!("${name}")).map(Some)
}

/// Parses a proxy's URL; `origin` names its source in errors. The URL may contain a password and is never shown.
pub fn parse(url: &str, origin: &str) -> Result<Uri, Error> {
    let invalid = |problem: &str| {
        Error::invalid(format!("the proxy in {origin} {problem}: give it as http://host:port"))
    };
    let url = url.trim();
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let url = format!("{}://{rest}", scheme.to_ascii_lowercase());
    let uri: Uri = url.parse().map_err(|_| invalid("is not a URL"))?;
    let default_port = match uri.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        Some("socks5" | "socks5h") => 1080,
        _ => return Err(invalid("must use http, https or socks5")),
    };
    let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
        return Err(invalid("has no host"));
    };
    if authority.port_u16().is_some() {
        return Ok(uri);
    }
    let authority: Authority = format!("{}:{default_port}", authority.as_str().trim_end_matches(':'))
        .parse()
        .map_err(|_| invalid("is not a URL"))?;
    let mut parts = Parts::default();
    parts.scheme = uri.scheme().cloned();
    parts.authority = Some(authority);
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    Uri::from_parts(parts).map_err(|_| invalid("is not a URL"))
}

/// The proxy's URL without user and password.
pub fn displayed(proxy: &Uri) -> String {
    let host = proxy.host().unwrap_or_default();
    let port = proxy.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}", proxy.scheme_str().unwrap_or("http"))
}

/// The authorization header for a proxy whose URL has a user and a password.
pub fn authorization(proxy: &Uri) -> Option<HeaderValue> {
    let (user, password) = userinfo(proxy)?;
    basic(&user, &password).ok()
}

/// The user and the password in a proxy's URL.
pub fn userinfo(proxy: &Uri) -> Option<(String, String)> {
    let (userinfo, _) = proxy.authority()?.as_str().rsplit_once('@')?;
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decoded = |text| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((decoded(user), decoded(password)))
}

/// Whether this host is reached without a proxy, by `NO_PROXY` or because it is local.
fn is_direct(excluded: &str, host: &str, port: u16) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.split('%').next().and_then(|address| address.parse::<IpAddr>().ok());
    let address = address.map(|address| address.to_canonical());
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    let host = host.to_ascii_lowercase();
    let mut rules = excluded.split(',').map(str::trim).filter(|rule| !rule.is_empty());
    rules.any(|rule| excludes(&rule.to_ascii_lowercase(), &host, address, port))
}

/// One entry of `NO_PROXY`: `*`, a CIDR, or an address or a name (or `.suffix`) with or without a port. A name never
/// excludes an address.
fn excludes(rule: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if rule == "*" {
        return true;
    }
    if let Some((network, bits)) = cidr(rule) {
        return address.is_some_and(|address| contains(network, bits, address));
    }
    let (rule, rule_port) = split_port(rule).unwrap_or((rule, ""));
    if rule.is_empty() || !(rule_port.is_empty() || rule_port == port.to_string()) {
        return false;
    }
    let Some(address) = address else {
        let rule = rule.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(rule);
        return match rule.strip_prefix('.') {
            Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
            None => host.strip_suffix(rule).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
        };
    };
    rule.parse::<IpAddr>().is_ok_and(|rule| rule.to_canonical() == address)
}

/// `host:443`, `host:` and `[::1]:443`; None for all without a port, `[::1]` and `::1` among them.
fn split_port(rule: &str) -> Option<(&str, &str)> {
    let (host, port) = rule.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    (!host.contains(['[', ']']) && !port.contains(['[', ']'])).then_some((host, port))
}

fn cidr(rule: &str) -> Option<(IpAddr, u32)> {
    let (network, bits) = rule.split_once('/')?;
    let network: IpAddr = network.parse().ok()?;
    let bits: u32 = bits.parse().ok().filter(|_| bits.bytes().all(|byte| byte.is_ascii_digit()))?;
    match network.to_canonical() {
        // An address of IPv4 in the form of IPv6.
        mapped @ IpAddr::V4(_) if network.is_ipv6() && (96..=128).contains(&bits) => {
            Some((mapped, bits - 96))
        }
        _ => (bits <= if network.is_ipv4() { 32 } else { 128 }).then_some((network, bits)),
    }
}

fn contains(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (network.to_bits() ^ address.to_bits()).leading_zeros() >= bits
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            (network.to_bits() ^ address.to_bits()).leading_zeros() >= bits
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy_for(server: &str, variables: &[(&str, &str)]) -> Result<Option<Uri>, Error> {
        let var = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        from_environment(&server.parse().unwrap(), &var)
    }

    #[test]
    fn the_scheme_of_the_cluster_chooses_the_variable() {
        let variables = [("HTTPS_PROXY", "http://secure:1"), ("http_proxy", "plain:2")];
        let found = |server| displayed(&proxy_for(server, &variables).unwrap().unwrap());
        assert_eq!(found("https://k8s.example.com"), "http://secure:1");
        assert_eq!(found("http://k8s.example.com"), "http://plain:2");
    }

    #[test]
    fn no_proxy_is_matched_against_the_cluster() {
        let direct = |no_proxy, server| {
            let variables = [("https_proxy", "http://proxy.example.com:3128"), ("no_proxy", no_proxy)];
            proxy_for(server, &variables).unwrap().is_none()
        };
        assert!(!direct("proxy.example.com", "https://k8s.corp.com"));
        assert!(direct("corp.com", "https://corp.com"));
        assert!(direct("corp.com", "https://K8s.Corp.com:6443"));
        assert!(!direct("corp.com", "https://notcorp.com"));
        assert!(direct(".corp.com", "https://k8s.corp.com"));
        assert!(!direct(".corp.com", "https://corp.com"));
        assert!(direct("*.corp.com", "https://k8s.corp.com"));
        assert!(direct("a,, ,*", "https://k8s.corp.com"));
        assert!(!direct("", "https://k8s.corp.com"));
        assert!(direct("corp.com:6443", "https://k8s.corp.com:6443"));
        assert!(direct("corp.com:443", "https://k8s.corp.com"));
        assert!(!direct("corp.com:6443", "https://k8s.corp.com"));
        assert!(direct("10.0.0.0/8", "https://10.1.2.3:6443"));
        assert!(!direct("10.0.0.0/8", "https://11.1.2.3:6443"));
        assert!(direct("0.0.0.0/0", "https://11.1.2.3:6443"));
        assert!(direct("10.1.2.3", "https://10.1.2.3:6443"));
        assert!(direct("fd00::/8", "https://[fd00::1]:6443"));
        assert!(direct("[fd00::1]:6443", "https://[fd00::1]:6443"));
        assert!(direct("fd00::1", "https://[fd00::1]:6443"));
        assert!(direct("corp.com:", "https://k8s.corp.com:6443"));
        assert!(direct("::ffff:10.1.2.3", "https://10.1.2.3"));
        assert!(direct("::ffff:10.0.0.0/104", "https://10.1.2.3"));
        assert!(!direct("10.0.0.0/99,10.0.0.0/+8,nonsense/8", "https://10.1.2.3"));
    }

    /// One that is matched too widely leads around a proxy that may be required.
    #[test]
    fn no_proxy_matches_no_more_than_in_go() {
        for (no_proxy, server) in [
            ("*test", "https://k8s.test:6443"),
            ("*k8s.test", "https://k8s.test:6443"),
            ("*.k8s.test", "https://k8s.test:6443"),
            ("0.2.2", "https://192.0.2.2"),
            (".2", "https://192.0.2.2"),
            ("192.0.2.2:443", "https://192.0.2.2:6443"),
            ("192.0.2.2:x,k8s.test:x", "https://192.0.2.2"),
            ("[fd00::1]", "https://[fd00::1]:6443"),
            ("fd00::1:6443", "https://[fd00::1]:6443"),
            ("eth0", "https://[fd00::1%25eth0]:6443"),
            (":443,:,.:", "https://k8s.test"),
            ("k8s.test", "https://k8s.test.:6443"),
        ] {
            let variables = [("https_proxy", "http://proxy.example.com:3128"), ("no_proxy", no_proxy)];
            assert!(proxy_for(server, &variables).unwrap().is_some(), "{no_proxy} {server}");
        }
    }

    #[test]
    fn servers_on_this_machine_need_no_proxy() {
        for server in ["https://localhost:6443", "https://127.0.0.1:6443", "https://[::1]:6443"] {
            assert_eq!(proxy_for(server, &[("HTTPS_PROXY", "http://proxy:1")]).unwrap(), None);
        }
    }

    #[test]
    fn a_proxy_gets_the_port_of_its_scheme() {
        let port = |url| parse(url, "test").unwrap().port_u16();
        assert_eq!(port("proxy"), Some(80));
        assert_eq!(port("https://u:p@proxy/"), Some(443));
        assert_eq!(port("socks5://proxy"), Some(1080));
        assert_eq!(port("socks5h://[::1]:9"), Some(9));
        assert_eq!(port("SOCKS5://proxy"), Some(1080));
    }

    #[test]
    fn a_bad_proxy_is_named_without_its_password() {
        for url in ["ftp://me:secret@proxy:1", "http://me:secret@", "http://me:se cret@proxy"] {
            let error = parse(url, "$HTTPS_PROXY").unwrap_err().to_string();
            assert!(error.contains("$HTTPS_PROXY") && !error.contains("cret"), "{error}");
        }
    }
}
