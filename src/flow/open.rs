//! The containers whose logs are still open, so that a run whose time is over can name them.

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use crate::{
    event::Event,
    notice::{Notice, Scope},
    origin::Origin,
};

/// Most that are named.
const NAMED: usize = 10;

const OVER: &str = "the time of --timeout was over before";

/// By pod and container.
#[derive(Default)]
pub struct Open(RefCell<BTreeMap<(String, String), Log>>);

struct Log {
    origin: Arc<Origin>,
    /// The number of its instances that have not ended.
    instances: usize,
    /// Whether a line of the last one may have come.
    is_read: bool,
}

impl Open {
    pub fn see(&self, event: &Event) {
        let key = |origin: &Origin| (origin.pod.identity.clone(), origin.container.clone());
        let mut logs = self.0.borrow_mut();
        match event {
            Event::Expected(origin) => {
                let new = || Log { origin: origin.clone(), instances: 0, is_read: false };
                let log = logs.entry(key(origin)).or_insert_with(new);
                (log.instances, log.is_read) = (log.instances + 1, false);
            }
            Event::Opened(origin, _) => {
                if let Some(log) = logs.get_mut(&key(origin)) {
                    log.is_read = true;
                }
            }
            Event::Closed(origin, _) => {
                let key = key(origin);
                if let Some(log) = logs.get_mut(&key) {
                    log.instances -= 1;
                    if log.instances == 0 {
                        logs.remove(&key);
                    }
                }
            }
            _ => {}
        }
    }

    /// Names those that were not read at all, and those that are read while their pod has `ended`.
    pub fn unread(&self, ended: impl Fn(&Origin) -> bool) -> Vec<Notice> {
        let logs = self.0.borrow();
        let mut unread = logs.values().filter(|log| !log.is_read || ended(&log.origin));
        let named = unread.by_ref().take(NAMED);
        let mut notices: Vec<Notice> =
            named.map(|log| Scope::of(&log.origin).warning(format!("not read to its end: {OVER}"))).collect();
        let more = unread.count();
        if more > 0 {
            let text = format!("{more} more containers were not read to their end: {OVER}");
            notices.push(Scope::Cluster.warning(text));
        }
        notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{Closed, Reason},
        origin::PodInfo,
    };

    #[test]
    fn some_of_many_are_named() {
        let (open, mut all) = (Open::default(), Vec::new());
        for n in 0..NAMED + 5 {
            let pod =
                PodInfo { name: format!("web-{n:02}"), identity: format!("{n:02}"), ..PodInfo::default() };
            let origin =
                Arc::new(Origin { pod: Arc::new(pod), container: "app".into(), ..Origin::default() });
            open.see(&Event::Expected(origin.clone()));
            all.push(origin);
        }
        let words = || open.unread(|_| false).into_iter().map(|notice| notice.text).collect::<Vec<_>>();
        assert_eq!(words().len(), NAMED + 1);
        assert!(words()[NAMED].starts_with("5 more containers were not read to their end"));
        for origin in all {
            open.see(&Event::Opened(origin.clone(), None));
            assert!(!open.unread(|_| true).is_empty());
            let closed = Closed { reason: Reason::Finished, opened: true, complete: true, restart_count: 0 };
            open.see(&Event::Closed(origin, closed));
        }
        assert!(open.unread(|_| true).is_empty());
    }
}
