//! Which nodes were out of reach: a kubelet that goes away ends its streams as if they were complete.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::time::Instant;

use crate::cluster::Error;

/// Shared by all tails: what one of them learns of a node holds for all of its logs.
#[derive(Clone, Default)]
pub struct Nodes {
    /// When a request was sent last that did not reach the kubelet, by the name of the node.
    away: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Nodes {
    /// A request for a log of this node that was sent then has failed.
    pub fn failed(&self, node: &str, sent: Instant, error: &Error) {
        if error.is_without_kubelet() {
            let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
            let last = away.entry(node.to_owned()).or_insert(sent);
            *last = sent.max(*last);
        }
    }

    /// Whether its kubelet was out of reach at this time or later, as far as it was asked.
    pub fn was_away_since(&self, node: &str, since: Instant) -> bool {
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        away.get(node).is_some_and(|away| *away >= since)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kube::core::Status;

    use super::*;
    use crate::cluster::Asked;

    #[test]
    fn a_node_was_away_if_a_request_for_any_of_its_logs_did_not_reach_the_kubelet() {
        let (nodes, now) = (Nodes::default(), Instant::now());
        let later = now + Duration::from_secs(1);
        let refused = |message: &str| {
            Error::from_status(&Status::failure(message, "").with_code(500), &Asked::default())
        };
        nodes.failed("node-2", later, &refused("etcdserver: leader changed"));
        assert!(!nodes.was_away_since("node-2", now));
        let dial = "Get \"https://node-1:10250/containerLogs/shop/web-1/app\": dial tcp: i/o timeout";
        nodes.failed("node-1", later, &refused(dial));
        nodes.failed("node-1", now, &refused(dial));
        assert!(nodes.was_away_since("node-1", now) && nodes.was_away_since("node-1", later));
        assert!(!nodes.was_away_since("node-1", later + Duration::from_secs(1)));
        assert!(!nodes.was_away_since("node-2", now));
    }
}
