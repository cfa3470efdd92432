//! Notices: messages for the user that have no position among log lines.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::origin::{Origin, PodInfo};

#[derive(Debug, Clone)]
pub struct Notice {
    pub scope: Scope,
    pub kind: Kind,
    pub text: String,
}

/// The subject of a notice.
#[derive(Debug, Clone)]
pub enum Scope {
    /// The whole run.
    Run,
    /// One cluster: its apiserver, its namespaces, its nodes.
    Cluster,
    /// A pod, for notices about no particular container.
    Pod(Arc<PodInfo>),
    Origin(Arc<Origin>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request to the apiserver, for `--verbosity`.
    Trace,
    /// Information; hidden by `--only-log-lines`.
    Info,
    /// Nothing in this scope has started yet, for this reason; hidden by `--only-log-lines`.
    Waiting,
    /// The pod ended before any of its containers started, for this reason; hidden by `--only-log-lines`.
    Failed,
    /// A problem; always shown.
    Warning,
    /// Lines that were read and cannot be shown: the output is not complete.
    Loss,
    /// A problem that many tails notice: shown once while it lasts.
    Common,
}

impl Scope {
    /// The origin, or the run if the origin has no name.
    pub fn of(origin: &Arc<Origin>) -> Scope {
        if origin.is_named() { Scope::Origin(origin.clone()) } else { Scope::Run }
    }

    pub fn notice(self, kind: Kind, text: impl Into<String>) -> Notice {
        Notice { scope: self, kind, text: text.into() }
    }

    pub fn info(self, text: impl Into<String>) -> Notice {
        self.notice(Kind::Info, text)
    }

    pub fn warning(self, text: impl Into<String>) -> Notice {
        self.notice(Kind::Warning, text)
    }
}

/// A common notice is shown again after this long without it.
const OVER: Duration = Duration::from_secs(60);

/// The recent common notices.
#[derive(Default)]
pub struct Recent(HashMap<String, Instant>);

impl Recent {
    /// Whether this notice must be shown.
    pub fn is_news(&mut self, notice: &Notice) -> bool {
        if notice.kind != Kind::Common {
            return true;
        }
        let now = Instant::now();
        self.0.retain(|_, last| now - *last < OVER);
        self.0.insert(notice.text.clone(), now).is_none()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_common_notice_is_news_once_while_it_lasts() {
        let mut recent = Recent::default();
        let (refused, closed) =
            (Scope::Cluster.notice(Kind::Common, "401"), Scope::Cluster.notice(Kind::Common, "closed"));
        assert!(recent.is_news(&refused) && recent.is_news(&closed));
        for _ in 0..5 {
            advance(OVER / 2).await;
            assert!(!recent.is_news(&refused));
        }
        assert!(recent.is_news(&closed), "it was over meanwhile");
        let warning = Scope::Run.warning("x");
        assert!(recent.is_news(&warning) && recent.is_news(&warning));
    }
}
