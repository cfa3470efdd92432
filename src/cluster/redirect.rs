//! Says where a redirect leads, without anything that may be secret, and the advice that follows from it.

use http::{Uri, uri::Authority};

use crate::shown::one_line;

/// The most characters of an address that are shown.
const LONGEST: usize = 300;

const LOGIN: &str = "perhaps a login page stands before the apiserver";

/// The address that a redirect of `server` names, and the advice. `asked`: the address of the request.
pub fn described(server: &str, asked: &Uri, location: &str) -> String {
    let Some(target) = Target::of(asked, location) else {
        return format!("an address that cannot be read; {LOGIN}");
    };
    let base = server.parse::<Uri>().map(|server| server.path().trim_end_matches('/').len());
    let path = asked.path().get(base.unwrap_or_default()..).unwrap_or_default();
    let own = origin(asked.scheme_str().unwrap_or("https"), asked.authority());
    let shown = one_line(&target.shown, LONGEST);
    match target.path.strip_suffix(path) {
        _ if own == target.origin && target.path == asked.path() => {
            format!("{shown}, which is the same address; {LOGIN}")
        }
        Some(base) => {
            let server = one_line(&format!("{}{base}", target.address), LONGEST);
            format!("{shown}; put {server} into the kubeconfig as the server of the cluster")
        }
        None if own == target.origin => format!("{shown}; {LOGIN}"),
        None => format!(
            "{shown}; if the apiserver is there, put its address into the kubeconfig as the server of the cluster"
        ),
    }
}

struct Target {
    /// As the server wrote it, without user, password, query and fragment.
    shown: String,
    /// `https://host:port`
    address: String,
    /// The same in a form that can be compared.
    origin: (String, String, u16),
    path: String,
}

impl Target {
    /// None if it is no address of HTTP: any part of it may be a password.
    fn of(asked: &Uri, location: &str) -> Option<Target> {
        let location = location.split(['?', '#']).next().unwrap_or_default();
        let own = asked.scheme_str().unwrap_or("https");
        let absolute = match location.strip_prefix("//") {
            Some(rest) => Some((own.to_owned(), rest)),
            None => location
                .split_once("://")
                .map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest))
                .filter(|(scheme, _)| matches!(scheme.as_str(), "http" | "https")),
        };
        let Some((scheme, rest)) = absolute else {
            let first = location.split('/').next().unwrap_or_default();
            let parts = asked.authority().filter(|_| !first.contains([':', '@', '\\']));
            return parts.map(|host| Target {
                shown: location.to_owned(),
                address: format!("{own}://{host}"),
                origin: origin(own, Some(host)),
                path: location.to_owned(),
            });
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        let parsed: Authority = host.parse().ok()?;
        let port = host.strip_prefix(parsed.host())?.trim_start_matches(':');
        if parsed.host().is_empty() || (!port.is_empty() && parsed.port_u16().is_none()) {
            return None;
        }
        let address = format!("{scheme}://{host}");
        Some(Target {
            shown: format!("{address}{path}"),
            origin: origin(&scheme, Some(&parsed)),
            address,
            path: path.to_owned(),
        })
    }
}

/// Scheme, host and port.
fn origin(scheme: &str, authority: Option<&Authority>) -> (String, String, u16) {
    let host = authority.map(|authority| authority.host().to_ascii_lowercase()).unwrap_or_default();
    let port = authority.and_then(Authority::port_u16).unwrap_or(if scheme == "http" { 80 } else { 443 });
    (scheme.to_owned(), host, port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_reported_with_the_address_that_belongs_into_the_kubeconfig() {
        let asked = "http://a:8080/k8s/api/v1/pods?limit=500".parse().unwrap();
        let put = |address| format!("put {address} into the kubeconfig as the server of the cluster");
        let same = || format!(", which is the same address; {LOGIN}");
        for (location, wanted) in [
            ("https://a/k8s/api/v1/pods?limit=500", put("https://a/k8s")),
            ("https://b:6443/api/v1/pods", put("https://b:6443")),
            ("//b/k8s/api/v1/pods", put("http://b/k8s")),
            ("/new/api/v1/pods", put("http://a:8080/new")),
            ("https://b/oauth?state=secret", put("its address")),
            ("https://u:secret@b:6443/api/v1/pods", put("https://b:6443")),
            ("//u:secret@b/oauth#secret", put("its address")),
            ("http://A:8080/k8s/api/v1/pods", same()),
            ("/k8s/api/v1/pods", same()),
            ("http://a:8080/login", LOGIN.to_owned()),
            ("/login", LOGIN.to_owned()),
            ("login", LOGIN.to_owned()),
            ("https://u:sec/secret@b/", LOGIN.to_owned()),
            ("u:secret@b", LOGIN.to_owned()),
            ("ftp://u:secret@b/", LOGIN.to_owned()),
            ("https://", LOGIN.to_owned()),
        ] {
            let text = described("http://a:8080/k8s", &asked, location);
            assert!(text.ends_with(&wanted) && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn an_address_without_end_is_cut() {
        let asked = "http://a/api/v1/pods".parse().unwrap();
        let text = described("http://a", &asked, &format!("https://b/{}/api/v1/pods", "x".repeat(5000)));
        assert!(text.chars().count() < 3 * LONGEST, "{text}");
        assert!(text.ends_with("… into the kubeconfig as the server of the cluster"), "{text}");
    }
}
