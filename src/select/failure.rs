//! Reports a failure once, and its end.

use crate::{
    cluster::Error,
    notice::{Kind, Notice, Scope},
};

/// Whether a failure was reported that has not ended yet.
#[derive(Default)]
pub struct FailureReport(bool);

impl FailureReport {
    /// A notice, unless the failure was reported already. An unreachable apiserver is reported once for the whole run
    /// instead.
    pub fn failed(&mut self, error: &Error) -> Option<Notice> {
        let news = !self.0 && !error.is_outage();
        self.0 |= news;
        let text = format!("{error}; trying again");
        let kind = if error.is_common() { Kind::Common } else { Kind::Warning };
        news.then(|| Scope::Cluster.notice(kind, text))
    }

    /// Returns `words` if a failure had been reported.
    pub fn works(&mut self, words: &str) -> Option<String> {
        std::mem::take(&mut self.0).then(|| words.to_owned())
    }
}
