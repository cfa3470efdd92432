//! Authentication and authorization, with an apiserver's messages for refusals.

use crate::{
    account::Request,
    connection::Connection,
    lifecycle::Outage,
    resources::Route,
    script::{Answer, Kind},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
    time::Duration,
};

/// The credentials that a request needs, and the rules for it. Without any rule everything is allowed.
#[derive(Debug, Default)]
pub(crate) struct Access {
    pub token: Option<String>,
    pub certificate: bool,
    pub allowed: Option<Vec<Rule>>,
    pub forbidden: Vec<Rule>,
    /// Nodes whose kubelet does not answer.
    pub stopped: BTreeSet<String>,
    pub outages: BTreeMap<String, Outage>,
    /// The delay of events of watches.
    pub watch_delay: Duration,
    /// The most logs that a node can follow, if that is limited.
    pub watchers: BTreeMap<String, usize>,
    /// The most items in a page of a list, whatever the request asks for.
    pub page_size: Option<usize>,
}

/// Verb, resource and namespace. `*` is any verb or resource, and any namespace or none; an empty namespace is a
/// request without a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub verb: String,
    pub resource: String,
    pub namespace: String,
}

impl Rule {
    pub fn new(verb: &str, resource: &str, namespace: &str) -> Self {
        Rule { verb: verb.to_owned(), resource: resource.to_owned(), namespace: namespace.to_owned() }
    }

    fn covers(&self, verb: &str, resource: &str, namespace: &str) -> bool {
        let is = |rule: &str, word: &str| rule == "*" || rule == word;
        is(&self.verb, verb) && is(&self.resource, resource) && is(&self.namespace, namespace)
    }
}

impl Access {
    /// The refusal, if the request is refused for lack of a token or a certificate.
    pub fn authenticate(&self, request: &Request, connection: &Connection) -> Option<Answer> {
        if self.token.is_none() && !self.certificate {
            return None;
        }
        let by_token = self.token.as_ref().is_some_and(|token| {
            request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")) == Some(token)
        });
        let by_certificate = self.certificate && connection.certified.load(Ordering::Relaxed);
        (!by_token && !by_certificate).then(Answer::unauthorized)
    }

    /// The refusal, if a rule refuses the request.
    pub fn authorize(&self, request: &Request, route: &Route) -> Option<Answer> {
        let verb = match request.kind {
            Kind::List => "list",
            Kind::Watch => "watch",
            Kind::Get | Kind::Log => "get",
            Kind::Other => return None,
        };
        let plural = route.resource.plural;
        let resource = if route.log { format!("{plural}/log") } else { plural.to_owned() };
        let namespace = route.namespace.as_deref().unwrap_or_default();
        let covered = |rules: &[Rule]| rules.iter().any(|rule| rule.covers(verb, &resource, namespace));
        if self.allowed.as_deref().is_none_or(covered) && !covered(&self.forbidden) {
            return None;
        }

        let user = request.header("impersonate-user").unwrap_or("double-user");
        let group = route.resource.group;
        let qualified = if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") };
        let named = route.name.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default();
        let scope = match namespace {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace \"{namespace}\""),
        };
        let message = format!(
            "{qualified}{named} is forbidden: User \"{user}\" cannot {verb} resource \"{resource}\" \
             in API group \"{group}\" {scope}"
        );
        Some(Answer::status(403, "Forbidden", &message))
    }
}
