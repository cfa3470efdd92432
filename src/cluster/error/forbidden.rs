//! The sentence with which authorizers of Kubernetes refuse: who may not do what, and their own reason.

use super::Asked;

/// `pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "shop": REASON`
///
/// Before Kubernetes 1.12: `User "jane" cannot list pods in the namespace "shop"`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Forbidden<'t> {
    user: &'t str,
    verb: &'t str,
    resource: &'t str,
    /// The words behind the second colon, of which each authorizer has its own.
    reason: Option<&'t str>,
}

impl<'t> Forbidden<'t> {
    pub fn parse(text: &'t str) -> Option<Forbidden<'t>> {
        let (_, rest) = text.split_once("User \"")?;
        let (user, rest) = rest.split_once("\" cannot ")?;
        let (verb, rest) = rest.split_once(' ')?;
        let (resource, rest) = match rest.strip_prefix("resource \"") {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_once(' ')?,
        };
        let scope = rest.split_once("in the namespace \"").and_then(|(_, rest)| rest.split_once('"'));
        let reason =
            scope.or_else(|| rest.split_once("at the cluster scope")).map_or("", |(_, reason)| reason);
        let reason = reason.trim_start_matches([':', '.', ' ']);
        // An older OpenShift says no more with it.
        let reason = Some(reason).filter(|reason| !reason.is_empty() && *reason != "no RBAC policy matched");
        Some(Forbidden { user, verb, resource, reason })
    }

    /// Whether it speaks of what was asked for.
    pub fn is_of(&self, asked: &Asked) -> bool {
        self.verb == asked.verb && self.resource == asked.resource
    }

    /// A possible remedy. An authorizer that gives a reason knows better.
    pub fn guess(&self, asked: &Asked) -> Option<String> {
        let Forbidden { user, verb, resource, reason } = self;
        let needs = |role| {
            format!("perhaps user \"{user}\" needs verb \"{verb}\" on resource \"{resource}\", from {role}")
        };
        match *verb {
            _ if reason.is_some() => None,
            _ if *user == "system:anonymous" => Some(
                "perhaps no credentials were sent (check --context, --user and --token), or a proxy removed the client \
                 certificate"
                    .to_owned(),
            ),
            "impersonate" => Some(needs("a ClusterRole")),
            _ if !self.is_of(asked) => None,
            _ if asked.namespace.is_some() => Some(needs("a Role or ClusterRole bound there")),
            _ => Some(needs("a ClusterRole")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_of_all_versions_are_understood() {
        let forbidden = |user, verb, resource, reason| Some(Forbidden { user, verb, resource, reason });
        for (text, parsed) in [
            (
                "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace \"shop\"",
                forbidden("jane", "list", "pods", None),
            ),
            (
                "pods \"a: b\" is forbidden: User \"CN=jane doe,O=x\" cannot get resource \"pods/log\" in API group \"\" at the cluster scope",
                forbidden("CN=jane doe,O=x", "get", "pods/log", None),
            ),
            (
                "User \"jane\" cannot list pods in the namespace \"shop\": RBAC: role \"x\" not found",
                forbidden("jane", "list", "pods", Some("RBAC: role \"x\" not found")),
            ),
            ("User \"jane\" cannot list pods at the cluster scope.", forbidden("jane", "list", "pods", None)),
            ("User \"unclosed", None),
            ("User \"jane\" cannot", None),
            ("User \"jane\" cannot get path \"/version\"", forbidden("jane", "get", "path", None)),
            ("policy says no", None),
        ] {
            assert_eq!(Forbidden::parse(text), parsed, "{text}");
        }
    }
}
