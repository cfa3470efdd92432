//! Labels and annotations, which some formats show beside each line: they may hold what lines hold.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{line::Detector, mask, masked};
use crate::{
    json::{unescape, write_string},
    origin::{Origin, PodInfo},
};

/// The origins that are shown in place of others, by the address of those.
#[derive(Default)]
pub struct Origins(HashMap<usize, Shown>);

struct Shown {
    /// It is kept, so that no other has its address.
    _origin: Arc<Origin>,
    shown: Arc<Origin>,
}

impl Origins {
    /// What is shown in place of an origin.
    pub fn shown(&mut self, origin: &Arc<Origin>, detector: &mut Detector) -> Arc<Origin> {
        let shown = self.0.entry(address(origin)).or_insert_with(|| {
            let shown = redacted(origin, detector).map_or_else(|| origin.clone(), Arc::new);
            Shown { _origin: origin.clone(), shown }
        });
        shown.shown.clone()
    }

    pub fn forget(&mut self, origin: &Arc<Origin>) {
        self.0.remove(&address(origin));
    }
}

fn address(origin: &Arc<Origin>) -> usize {
    Arc::as_ptr(origin).addr()
}

/// None: it has nothing to hide.
fn redacted(origin: &Origin, detector: &mut Detector) -> Option<Origin> {
    let PodInfo { labels, annotations, .. } = &*origin.pod;
    let [labels, annotations] =
        [labels, annotations].map(|map| map.as_ref().map(|map| values(map, detector)));
    let pod = PodInfo { labels, annotations, ..(*origin.pod).clone() };
    let is_same = pod.labels == origin.pod.labels && pod.annotations == origin.pod.annotations;
    (!is_same).then(|| Origin { pod: Arc::new(pod), ..origin.clone() })
}

fn values(map: &BTreeMap<String, String>, detector: &mut Detector) -> BTreeMap<String, String> {
    map.iter().map(|(key, text)| (key.clone(), value(key, text, detector))).collect()
}

/// A value is searched for itself, where a pattern may find its start and its end, and together with its key.
fn value(key: &str, text: &str, detector: &mut Detector) -> String {
    let mut alone = Vec::new();
    let any = masked(detector, &mut BTreeMap::new(), text.as_bytes(), &mut alone);
    let alone = if any { &alone } else { text.as_bytes() };
    let mut start = vec![b'{'];
    write_string(key.as_bytes(), &mut start);
    start.extend_from_slice(b":\"");
    let mut pair = start.clone();
    pair.pop();
    write_string(alone, &mut pair);
    pair.push(b'}');
    let mut out = Vec::new();
    if !masked(detector, &mut BTreeMap::new(), &pair, &mut out) {
        return String::from_utf8_lossy(alone).into_owned();
    }
    let inner = out.strip_prefix(&start[..]).and_then(|rest| rest.strip_suffix(b"\"}"));
    // A pattern of the user may hide the pair as a whole.
    inner.map_or_else(|| mask::SECRET.to_owned(), unescape)
}
