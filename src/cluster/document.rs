//! Reads the documents in which a server lists objects, as far as they can be read: servers differ, and an object that
//! is odd must not hide the others.

use kube::core::Status;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use super::lenient::lenient;
use crate::shown::one_line;

/// Characters that are quoted of an answer that is no document.
const QUOTED: usize = 80;

/// A page of a list.
#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The objects that cannot be read, with the reasons.
    pub unreadable: Vec<String>,
    /// The version of the list.
    pub version: String,
    /// The token for the next page.
    pub next: Option<String>,
}

/// A document other than the one that was requested.
#[derive(Debug, PartialEq)]
pub enum Other {
    /// The server reports a failure, whatever the HTTP status.
    Status(Box<Status>),
    /// A description, such as `a Table`.
    Words(String),
    /// The same, of something that no apiserver sends.
    Foreign(String),
}

#[derive(Deserialize)]
#[serde(default, bound = "T: DeserializeOwned")]
struct List<T> {
    #[serde(deserialize_with = "lenient")]
    kind: String,
    metadata: Option<ListMeta>,
    items: Option<Vec<T>>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List { kind: String::new(), metadata: None, items: None }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ListMeta {
    #[serde(deserialize_with = "lenient")]
    resource_version: String,
    /// Never lenient: the rest of the list would be hidden.
    #[serde(rename = "continue")]
    next: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Kind {
    kind: Value,
}

/// The page in an answer; `kinds`: those that a list may have.
pub fn page<T: DeserializeOwned>(body: &[u8], kinds: &[&str]) -> Result<Page<T>, Other> {
    let body = without_mark(body);
    // A whole list is read at once, which is what happens always.
    if let Ok(list) = serde_json::from_slice::<List<T>>(body) {
        return of_list(list, body, kinds, Vec::new());
    }
    // As in Go, bytes that are no UTF-8 are replaced.
    let text = String::from_utf8_lossy(body);
    let list = serde_json::from_str::<List<Box<RawValue>>>(&text).map_err(|_| described(body, kinds))?;
    let List { kind, metadata, items } = list;
    let (mut read, mut unreadable) = (Vec::new(), Vec::new());
    for item in items.iter().flatten() {
        match serde_json::from_str(item.get()) {
            Ok(object) => read.push(object),
            Err(error) => unreadable.push(format!("{}: {error}", name(item.get()))),
        }
    }
    of_list(List { kind, metadata, items: items.map(|_| read) }, body, kinds, unreadable)
}

fn of_list<T>(list: List<T>, body: &[u8], kinds: &[&str], unreadable: Vec<String>) -> Result<Page<T>, Other> {
    let List { kind, metadata, items } = list;
    // A list without its kind is known by its items.
    let is_meant = kinds.contains(&kind.as_str()) || kind.is_empty() && items.is_some();
    if !is_meant {
        return Err(described(body, kinds));
    }
    let ListMeta { resource_version: version, next } = metadata.unwrap_or_default();
    let next = next.filter(|token| !token.is_empty());
    Ok(Page { items: items.unwrap_or_default(), unreadable, version, next })
}

/// The object in an answer, of this kind.
pub fn object<T: DeserializeOwned>(body: &[u8], kind: &str) -> Result<T, Other> {
    let body = without_mark(body);
    let found = serde_json::from_slice::<Kind>(body).map_err(|_| described(body, &[kind]))?.kind;
    if !found.is_null() && found != kind {
        return Err(described(body, &[kind]));
    }
    serde_json::from_slice(body)
        .map_err(|error| Other::Words(format!("a {kind} that cannot be read ({error})")))
}

/// Without the byte order mark of UTF-8, which JSON does not have.
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The refusal in an answer whose HTTP status says otherwise.
fn status(body: &[u8]) -> Option<Box<Status>> {
    let body = without_mark(body);
    serde_json::from_slice::<Kind>(body).ok().filter(|found| found.kind == "Status")?;
    refusal(body).map(Box::new)
}

/// The `Status` in the body of a refusal, which may lack its kind.
pub fn refusal(body: &[u8]) -> Option<Status> {
    let mut value: Value = serde_json::from_slice(without_mark(body)).ok()?;
    // As in Go, null is the value of a missing field.
    value.as_object_mut()?.retain(|_, field| !field.is_null());
    serde_json::from_value(value).ok()
}

/// The document at the beginning of an answer that should be a log, if it is one.
pub fn in_place_of_log(bytes: &[u8]) -> Option<Other> {
    let text = without_mark(bytes).trim_ascii_start();
    match text.first()? {
        b'{' => status(text).map(Other::Status),
        0x1f if is_gzip(text) => Some(Other::Words(COMPRESSED.to_owned())),
        b'<' => {
            let text = String::from_utf8_lossy(&text[..text.len().min(16 * QUOTED)]);
            is_page(&text).then(|| Other::Foreign(format!("a web page ({})", quoted(&text))))
        }
        _ => None,
    }
}

const COMPRESSED: &str = "gzip that its headers do not name";

/// Whether data begins as gzip does.
fn is_gzip(data: &[u8]) -> bool {
    data.starts_with(&[0x1f, 0x8b])
}

/// What an answer is, if not a document of these kinds.
fn described(body: &[u8], kinds: &[&str]) -> Other {
    if let Some(status) = status(body) {
        return Other::Status(status);
    }
    let text = String::from_utf8_lossy(&body[..body.len().min(16 * QUOTED)]);
    let text = text.trim_start();
    match serde_json::from_slice::<Kind>(body) {
        Ok(Kind { kind: Value::String(kind) }) if !kinds.contains(&kind.as_str()) => {
            Other::Words(format!("a {}", one_line(&kind, QUOTED)))
        }
        Ok(Kind { kind: Value::String(kind) }) => {
            let error = serde_json::from_slice::<List<Box<RawValue>>>(body).err();
            let reason = error.map(|error| format!(" ({error})")).unwrap_or_default();
            Other::Words(format!("a {kind} that cannot be read{reason}"))
        }
        Ok(_) => Other::Foreign(format!("JSON without a kind ({})", quoted(text))),
        Err(_) if is_gzip(body) => Other::Words(COMPRESSED.to_owned()),
        Err(_) if text.is_empty() => Other::Foreign("an empty answer".to_owned()),
        Err(_) if is_page(text) => Other::Foreign(format!("a web page ({})", quoted(text))),
        Err(_) if text.starts_with("k8s\0") => Other::Words("protobuf".to_owned()),
        Err(error) if text.starts_with('{') => Other::Words(format!("JSON that cannot be read ({error})")),
        Err(_) if serde_json::from_slice::<Value>(body).is_ok() => {
            Other::Foreign(format!("JSON that is no object ({})", quoted(text)))
        }
        Err(_) => Other::Foreign(format!("text that is no JSON ({})", quoted(text))),
    }
}

/// Whether a text begins as a web page does.
fn is_page(text: &str) -> bool {
    let begins = |start: &str| text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    begins("<!doctype") || begins("<html") || begins("<head") || begins("<?xml") || begins("<body")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(text, QUOTED))
}

/// The namespace and the name of an object, or its beginning.
fn name(object: &str) -> String {
    let value: Value = serde_json::from_str(object).unwrap_or_default();
    let text = |field: &str| value["metadata"][field].as_str();
    match (text("namespace"), text("name")) {
        (Some(namespace), Some(name)) => one_line(&format!("{namespace}/{name}"), QUOTED),
        (None, Some(name)) => one_line(name, QUOTED),
        (_, None) => quoted(object),
    }
}

/// An event of a watch.
#[derive(Debug)]
pub enum Event<T> {
    /// Added or changed.
    Applied(T),
    Deleted(T),
    /// Only the version of the object counts.
    Bookmark(T),
    /// An object that cannot be read, with the reason.
    Unreadable {
        text: String,
        version: String,
    },
    /// The watch has failed, usually since the version is too old.
    Failed(Box<Status>),
}

#[derive(Deserialize)]
struct Line<T> {
    #[serde(rename = "type")]
    kind: String,
    object: T,
}

/// The event in a line of a watch; None: of an unknown type.
pub fn event<T: DeserializeOwned>(line: &[u8]) -> Result<Option<Event<T>>, Other> {
    let line = without_mark(line);
    if let Ok(Line { kind, object }) = serde_json::from_slice::<Line<T>>(line) {
        match kind.as_str() {
            "ADDED" | "MODIFIED" => return Ok(Some(Event::Applied(object))),
            "DELETED" => return Ok(Some(Event::Deleted(object))),
            "BOOKMARK" => return Ok(Some(Event::Bookmark(object))),
            "ERROR" => {}
            _ => return Ok(None),
        }
    }
    let Ok(Line { kind, object }) = serde_json::from_slice::<Line<Box<RawValue>>>(line) else {
        return Err(described(line, &[]));
    };
    if kind == "ERROR" {
        return match status(object.get().as_bytes()) {
            Some(status) => Ok(Some(Event::Failed(status))),
            None => Err(Other::Words(format!("an error event without a Status ({})", quoted(object.get())))),
        };
    }
    let reason = match serde_json::from_str::<T>(object.get()) {
        Ok(_) => "of an unknown type".to_owned(),
        Err(error) => error.to_string(),
    };
    let value: Value = serde_json::from_str(object.get()).unwrap_or_default();
    let version = value["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
    Ok(Some(Event::Unreadable { text: format!("{}: {reason}", name(object.get())), version }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Number {
        n: u8,
    }

    const KINDS: &[&str] = &["PodList", "List"];

    fn read(body: &str) -> Result<(Vec<u8>, Vec<String>), Other> {
        page::<Number>(body.as_bytes(), KINDS)
            .map(|page| (page.items.into_iter().map(|number| number.n).collect(), page.unreadable))
    }

    #[test]
    fn lists_are_read_as_kubectl_reads_them() {
        for (body, wanted) in [
            (
                r#"{"kind":"PodList","metadata":{"resourceVersion":"7"},"items":[{"n":1},{"n":2}]}"#,
                &[1, 2][..],
            ),
            (r#"{"items":[{"n":1}],"kind":"List"}"#, &[1]),
            ("\u{feff}{\"kind\":\"PodList\",\"items\":[{\"n\":1}]}\n", &[1]),
            (r#"{"kind":"PodList","metadata":null,"items":[{"n":1}]}"#, &[1]),
            (r#"{"kind":"PodList","metadata":{"continue":null},"items":null}"#, &[]),
            (r#"{"kind":"PodList","apiVersion":"v1"}"#, &[]),
            (r#"{"items":[{"n":1}]}"#, &[1]),
        ] {
            assert_eq!(read(body), Ok((wanted.to_vec(), Vec::new())), "{body}");
        }
    }

    #[test]
    fn an_odd_object_costs_only_itself() {
        let body = r#"{"kind":"PodList","items":[{"n":1},{"metadata":{"name":"web-2","namespace":"shop"},"n":300},null,{"n":3}]}"#;
        let (items, unreadable) = read(body).unwrap();
        assert_eq!(items, [1, 3]);
        assert!(unreadable[0].starts_with("shop/web-2: invalid value"), "{unreadable:?}");
        assert!(unreadable[1].starts_with("\"null\": "), "{unreadable:?}");
    }

    #[test]
    fn a_byte_that_is_no_utf8_costs_nothing() {
        let list =
            page::<Number>(b"{\"kind\":\"PodList\",\"items\":[{\"n\":1,\"a\":\"\xff\"}]}", KINDS).unwrap();
        assert_eq!((list.items, list.unreadable), (vec![Number { n: 1 }], Vec::new()));
    }

    #[test]
    fn what_is_no_list_is_named() {
        let words = |body: &str| match read(body) {
            Err(Other::Words(words) | Other::Foreign(words)) => words,
            other => panic!("{other:?}"),
        };
        assert_eq!(words(r#"{"kind":"Table","rows":[]}"#), "a Table");
        assert_eq!(words(r#"{"kind":"ServiceList","items":[{"n":1}]}"#), "a ServiceList");
        assert_eq!(words(r#"{"kind":"ServiceList","items":[{"n":700}]}"#), "a ServiceList");
        assert_eq!(words(""), "an empty answer");
        assert_eq!(
            words("<!DOCTYPE html>\n<title>Log in</title>"),
            "a web page (\"<!DOCTYPE html> <title>Log in</title>\")"
        );
        assert_eq!(words("null"), "JSON that is no object (\"null\")");
        assert!(
            words(r#"{"kind":"PodList","items":{}}"#)
                .starts_with("a PodList that cannot be read (invalid type")
        );
        assert_eq!(words("{}"), "JSON without a kind (\"{}\")");
        assert_eq!(words("upstream is down"), "text that is no JSON (\"upstream is down\")");
        assert!(words(r#"{"kind":"PodList","items":[]}{"#).contains("trailing characters"));
        assert!(words(r#"{"kind":"PodList","items":["#).contains("EOF"));
        assert!(words(&"x".repeat(500)).len() < 120);
    }

    #[test]
    fn a_compression_that_the_headers_do_not_name_is_named() {
        let named = || Other::Words(COMPRESSED.to_owned());
        assert_eq!(page::<Number>(b"\x1f\x8b\x08\x00", KINDS).err(), Some(named()));
        assert_eq!(in_place_of_log(b"\x1f\x8b\x08\x00"), Some(named()));
        assert_eq!(in_place_of_log(b"\x1f is a line"), None);
    }

    #[test]
    fn a_status_is_a_status_whatever_http_says() {
        let body = r#"{"kind":"Status","status":"Failure","message":"no","code":403}"#;
        let Err(Other::Status(status)) = read(body) else { panic!("it is a status") };
        assert_eq!((status.message.as_str(), status.code), ("no", 403));
    }

    #[test]
    fn an_object_has_its_kind() {
        assert_eq!(object(br#"{"kind":"Pod","n":1}"#, "Pod"), Ok(Number { n: 1 }));
        assert_eq!(object(br#"{"n":1}"#, "Pod"), Ok(Number { n: 1 }));
        assert_eq!(
            object::<Number>(br#"{"kind":"Node","n":1}"#, "Pod"),
            Err(Other::Words("a Node".to_owned()))
        );
    }

    #[test]
    fn events_are_told_apart() {
        let read = |line: &str| event::<Number>(line.as_bytes());
        assert!(matches!(
            read(r#"{"type":"ADDED","object":{"n":1}}"#),
            Ok(Some(Event::Applied(Number { n: 1 })))
        ));
        assert!(matches!(read(r#"{"type":"DELETED","object":{"n":1}}"#), Ok(Some(Event::Deleted(_)))));
        assert!(matches!(read(r#"{"type":"BOOKMARK","object":{"n":1}}"#), Ok(Some(Event::Bookmark(_)))));
        assert!(matches!(read(r#"{"type":"NEWS","object":{"n":1}}"#), Ok(None)));
        let odd = r#"{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"7"},"n":-1}}"#;
        let Ok(Some(Event::Unreadable { text: words, version })) = read(odd) else { panic!("it is odd") };
        assert!(words.starts_with("a: ") && version == "7", "{words}");
        let gone = r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}"#;
        assert!(matches!(read(gone), Ok(Some(Event::Failed(status))) if status.code == 410));
        assert!(matches!(read("<html>"), Err(Other::Foreign(_))));
    }
}
