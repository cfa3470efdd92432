//! What is said to the user and has no place among log lines.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    batch::{Ended, Gap},
    origin::{Origin, PodInfo},
};

#[derive(Debug, Clone)]
pub enum Notice {
    /// `+ pod › container`
    Started(Arc<Origin>),
    /// `- pod › container`
    Ended(Arc<Origin>, Ended),
    /// Lines of a origin may be missing.
    Gap(Arc<Origin>, Gap),
    /// A container that has not started, or all of a pod, and why: `! pod › container waits: ImagePullBackOff: …`
    Waiting { pod: Arc<PodInfo>, container: Option<String>, reason: String },
    /// A pod that ended before any of its containers started: `! pod failed: Evicted: …`
    Failed { pod: Arc<PodInfo>, reason: String },
    /// Something about one origin that the user should know: `! pod › container: …`
    About(Arc<Origin>, String),
    /// Something about the whole run that is good to know; left out by `--only-log-lines`.
    Info(String),
    /// What is asked of the apiserver, for `--verbosity`.
    Trace(String),
    /// Something about the whole run that went wrong; always said.
    Warning(String),
    /// The same, where many find it out: said once while it lasts.
    Common(String),
}

/// What is over for so long is news when it comes again.
const OVER: Duration = Duration::from_secs(60);

/// What was said because many found it out.
#[derive(Default)]
pub struct Said(HashMap<String, Instant>);

impl Said {
    /// Whether this one is to be said.
    pub fn is_news(&mut self, notice: &Notice) -> bool {
        let Notice::Common(text) = notice else { return true };
        let now = Instant::now();
        self.0.retain(|_, last| now - *last < OVER);
        self.0.insert(text.clone(), now).is_none()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_many_find_out_is_news_once_while_it_lasts() {
        let mut said = Said::default();
        let (refused, closed) = (Notice::Common("401".into()), Notice::Common("closed".into()));
        assert!(said.is_news(&refused) && said.is_news(&closed));
        for _ in 0..5 {
            advance(OVER / 2).await;
            assert!(!said.is_news(&refused));
        }
        assert!(said.is_news(&closed), "it was over meanwhile");
        assert!(said.is_news(&Notice::Warning("x".into())) && said.is_news(&Notice::Warning("x".into())));
    }
}
