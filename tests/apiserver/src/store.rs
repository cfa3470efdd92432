//! The objects of the cluster and the history of their changes, by resource version.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{resources::Resource, selectors::Selector};

/// The number of changes that are kept for late watches; real servers keep some minutes' worth.
const HISTORY: usize = 20_000;
/// The number of paged lists that may still be continued.
const SNAPSHOTS: usize = 64;

/// Namespace (empty if there is none) and name.
pub(crate) type Key = (String, String);

/// An object at one resource version, serialized.
#[derive(Debug)]
pub(crate) struct Object {
    pub resource: &'static Resource,
    pub key: Key,
    version: u64,
    labels: Vec<(String, String)>,
    fields: Vec<(&'static str, String)>,
    /// Without `kind` and `apiVersion`, as in a list.
    json: Bytes,
}

impl Object {
    pub fn new(resource: &'static Resource, version: u64, value: &Value) -> Self {
        let metadata = &value["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let labels = metadata["labels"].as_object().into_iter().flatten();
        let fields = resource.fields.iter().filter_map(|field| {
            let value = value.pointer(&format!("/{}", field.replace('.', "/")))?;
            Some((*field, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        });
        Object {
            resource,
            key: (text(&metadata["namespace"]), text(&metadata["name"])),
            version,
            labels: labels.map(|(key, value)| (key.clone(), text(value))).collect(),
            fields: fields.collect(),
            json: value.to_string().into(),
        }
    }

    /// The object in a `DELETED` event, when it is deleted or no longer selected.
    fn at(&self, version: u64) -> Bytes {
        let text = String::from_utf8_lossy(&self.json);
        let quoted = |version: u64| format!("\"resourceVersion\":\"{version}\"");
        text.replacen(&quoted(self.version), &quoted(version), 1).into()
    }

    pub fn is_covered(&self, namespace: Option<&str>, name: Option<&str>, selector: &Selector) -> bool {
        let field = |key: &str| match key {
            "metadata.name" => Some(self.key.1.as_str()),
            "metadata.namespace" => Some(self.key.0.as_str()),
            _ => self.fields.iter().find(|(field, _)| *field == key).map(|(_, value)| value.as_str()),
        };
        let label = |key: &str| self.labels.iter().find(|(label, _)| label == key).map(|(_, v)| v.as_str());
        namespace.is_none_or(|namespace| namespace == self.key.0)
            && name.is_none_or(|name| name == self.key.1)
            && selector.covers(label, field)
    }

    /// The object without `kind` and `apiVersion`.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.json).expect("it is JSON")
    }

    /// The object as the answer to a get.
    pub fn document(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.json.len() + 64);
        self.write(&mut out, &self.json);
        out
    }

    fn write(&self, out: &mut Vec<u8>, json: &[u8]) {
        let Resource { kind, .. } = self.resource;
        let head = format!("{{\"kind\":\"{kind}\",\"apiVersion\":\"{}\",", self.resource.api_version());
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(&json[1..]);
    }

    fn event(&self, out: &mut Vec<u8>, what: &str, json: &[u8]) {
        out.extend_from_slice(format!("{{\"type\":\"{what}\",\"object\":").as_bytes());
        self.write(out, json);
        out.extend_from_slice(b"}\n");
    }

    pub fn added(&self, out: &mut Vec<u8>) {
        self.event(out, "ADDED", &self.json);
    }
}

enum Change {
    Object {
        version: u64,
        old: Option<Arc<Object>>,
        new: Option<Arc<Object>>,
    },
    /// A bookmark of this version.
    Bookmark(u64),
}

#[derive(Default)]
pub(crate) struct Store {
    pub version: u64,
    objects: BTreeMap<&'static str, BTreeMap<Key, Arc<Object>>>,
    history: VecDeque<Change>,
    /// The number of changes that are no longer in `history`, and the newest version among them.
    forgotten: u64,
    oldest: u64,
    snapshots: VecDeque<(u64, Vec<Arc<Object>>)>,
    next_snapshot: u64,
}

impl Store {
    pub fn new() -> Self {
        // Clients must treat versions as opaque, so this one is not a count of changes.
        Store { version: 1000, oldest: 1000, ..Store::default() }
    }

    pub fn get(&self, resource: &Resource, key: &Key) -> Option<&Arc<Object>> {
        self.objects.get(resource.plural)?.get(key)
    }

    pub fn of(&self, resource: &Resource) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.get(resource.plural).into_iter().flat_map(BTreeMap::values)
    }

    /// Adds an object or replaces its older version.
    pub fn put(&mut self, resource: &'static Resource, make: impl FnOnce(u64) -> Value) {
        self.version += 1;
        let version = self.version;
        let object = Arc::new(Object::new(resource, version, &make(version)));
        let old =
            self.objects.entry(resource.plural).or_default().insert(object.key.clone(), Arc::clone(&object));
        self.record(Change::Object { version, old, new: Some(object) });
    }

    pub fn remove(&mut self, resource: &Resource, key: &Key) -> bool {
        let Some(old) = self.objects.get_mut(resource.plural).and_then(|objects| objects.remove(key)) else {
            return false;
        };
        self.version += 1;
        self.record(Change::Object { version: self.version, old: Some(old), new: None });
        true
    }

    pub fn bookmark(&mut self) {
        self.record(Change::Bookmark(self.version));
    }

    fn record(&mut self, change: Change) {
        self.history.push_back(change);
        while self.history.len() > HISTORY {
            self.forget_one();
        }
    }

    fn forget_one(&mut self) {
        if let Some(change) = self.history.pop_front() {
            self.forgotten += 1;
            if let Change::Object { version, .. } = change {
                self.oldest = version;
            }
        }
    }

    /// Forgets the history: a watch from an older version must list again.
    pub fn compact(&mut self) {
        while !self.history.is_empty() {
            self.forget_one();
        }
        self.oldest = self.version;
        self.snapshots.clear();
    }

    /// The position of a watch from this version on; None if the version is too old.
    pub fn position(&self, version: u64) -> Option<u64> {
        if version < self.oldest {
            return None;
        }
        let newer = |change: &Change| matches!(change, Change::Object { version: v, .. } if *v > version);
        let at = self.history.iter().position(newer).unwrap_or(self.history.len());
        Some(self.forgotten + at as u64)
    }

    pub fn end(&self) -> u64 {
        self.forgotten + self.history.len() as u64
    }

    /// Appends the events for a watch of the changes from `position` on; None if they are forgotten.
    pub fn events(&self, position: u64, watch: &Watch, out: &mut Vec<u8>) -> Option<u64> {
        let skip = position.checked_sub(self.forgotten)?;
        for change in self.history.range((skip as usize).min(self.history.len())..) {
            match change {
                Change::Object { version, old, new } => {
                    watch.event(*version, old.as_deref(), new.as_deref(), out);
                }
                Change::Bookmark(version) if watch.bookmarks => {
                    out.extend_from_slice(bookmark(watch.resource, *version, false).as_bytes());
                }
                Change::Bookmark(_) => {}
            }
        }
        Some(self.end())
    }

    /// Keeps a list that is sent in pages, and returns the number for its continue tokens.
    pub fn keep_snapshot(&mut self, objects: Vec<Arc<Object>>) -> u64 {
        self.next_snapshot += 1;
        self.snapshots.push_back((self.next_snapshot, objects));
        if self.snapshots.len() > SNAPSHOTS {
            self.snapshots.pop_front();
        }
        self.next_snapshot
    }

    pub fn snapshot(&self, number: u64) -> Option<&[Arc<Object>]> {
        Some(&self.snapshots.iter().find(|(n, _)| *n == number)?.1)
    }

    pub fn expire_snapshots(&mut self) {
        self.snapshots.clear();
    }
}

/// The objects of a watch.
pub(crate) struct Watch {
    pub resource: &'static Resource,
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub selector: Selector,
    pub bookmarks: bool,
}

impl Watch {
    pub fn covers(&self, object: &Object) -> bool {
        std::ptr::eq(object.resource, self.resource)
            && object.is_covered(self.namespace.as_deref(), self.name.as_deref(), &self.selector)
    }

    fn event(&self, version: u64, old: Option<&Object>, new: Option<&Object>, out: &mut Vec<u8>) {
        let covered = |object: Option<&Object>| object.is_some_and(|object| self.covers(object));
        match (old, new, covered(old), covered(new)) {
            (_, Some(new), false, true) => new.event(out, "ADDED", &new.json),
            (_, Some(new), true, true) => new.event(out, "MODIFIED", &new.json),
            (Some(old), _, true, false) => old.event(out, "DELETED", &old.at(version)),
            _ => {}
        }
    }
}

/// A bookmark; `initial` marks the end of the initial events of a watch-list.
pub(crate) fn bookmark(resource: &Resource, version: u64, initial: bool) -> String {
    let mut metadata = json!({"resourceVersion": version.to_string(), "creationTimestamp": null});
    if initial {
        metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
    }
    let object = json!({"kind": resource.kind, "apiVersion": resource.api_version(), "metadata": metadata});
    format!("{}\n", json!({"type": "BOOKMARK", "object": object}))
}

/// The answer to a list; `remaining` counts the items of further pages.
pub(crate) fn list_document(
    resource: &Resource,
    version: u64,
    objects: &[Arc<Object>],
    next: Option<(String, Option<usize>)>,
) -> Vec<u8> {
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if let Some((token, remaining)) = next {
        metadata["continue"] = json!(token);
        if let Some(remaining) = remaining {
            metadata["remainingItemCount"] = json!(remaining);
        }
    }
    let head = format!(
        "{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{metadata},\"items\":[",
        resource.kind,
        resource.api_version()
    );
    let mut out =
        Vec::with_capacity(head.len() + objects.iter().map(|o| o.json.len() + 1).sum::<usize>() + 2);
    out.extend_from_slice(head.as_bytes());
    for (n, object) in objects.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&object.json);
    }
    out.extend_from_slice(b"]}");
    out
}
