//! Reads the documents in which a server lists objects, as far as they can be read: servers differ, and an object that
//! is odd must not hide the others.

use std::{fmt, sync::LazyLock};

use kube::core::Status;
use regex::{Captures, Regex};
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::{
    bounds::{self, Exceeded},
    lenient::{lenient, lenient_objects, within_bounds},
};
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
    TooMuch(Exceeded),
}

#[derive(Deserialize)]
#[serde(default, bound = "T: Deserialize<'de>")]
struct List<T> {
    #[serde(deserialize_with = "lenient")]
    kind: String,
    #[serde(deserialize_with = "lenient")]
    metadata: Option<ListMeta>,
    #[serde(deserialize_with = "bounded")]
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

lenient_objects!(ListMeta);

/// The objects of a list, as many as a list may have: an empty one takes three bytes, and much more in memory.
fn bounded<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    struct Items<T>(Vec<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
        type Value = Items<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a sequence")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Items<T>, A::Error> {
            while let Some(item) = items.next_element()? {
                self.0.push(item);
                bounds::OBJECTS.check(self.0.len()).map_err(de::Error::custom)?;
            }
            Ok(self)
        }
    }

    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_seq(Items(Vec::new()))
        }
    }

    Ok(Option::<Items<T>>::deserialize(deserializer)?.map(|items| items.0))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Kind<'a> {
    #[serde(borrow)]
    kind: Option<&'a RawValue>,
}

/// The kind of a document, if it has one that is a text.
fn kind(document: &[u8]) -> serde_json::Result<Option<String>> {
    let Kind { kind } = serde_json::from_slice(document)?;
    Ok(kind.and_then(|kind| serde_json::from_str(kind.get()).ok()))
}

/// The parts of an object that are reported of one that cannot be read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Odd {
    metadata: OddMeta,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OddMeta {
    #[serde(deserialize_with = "lenient")]
    namespace: Option<String>,
    #[serde(deserialize_with = "lenient")]
    name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    resource_version: Option<String>,
}

/// The page in an answer; `kinds`: those that a list may have.
pub fn page<T: DeserializeOwned>(body: &[u8], kinds: &[&str]) -> Result<Page<T>, Other> {
    let body = without_mark(body);
    // A whole list is read at once, which is what happens always.
    if let Ok(list) = within_bounds(|| serde_json::from_slice::<List<T>>(body)).map_err(Other::TooMuch)? {
        return of_list(list, body, kinds, Vec::new());
    }
    let text = repaired(body);
    let list = serde_json::from_str::<List<&RawValue>>(&text).map_err(|_| described(body, kinds))?;
    let List { kind, metadata, items } = list;
    let (mut read, mut unreadable) = (Vec::new(), Vec::new());
    let each = || {
        for item in items.iter().flatten() {
            match last_wins(item.get()) {
                Ok(object) => read.push(object),
                Err(error) => {
                    unreadable.push(format!("{}: {}", name(item.get()), reason(item.get(), &error)));
                }
            }
        }
    };
    within_bounds(each).map_err(Other::TooMuch)?;
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
    let found = self::kind(body).or_else(|_| self::kind(repaired(body).as_bytes()));
    if found.map_err(|_| described(body, &[kind]))?.is_some_and(|found| found != kind) {
        return Err(described(body, &[kind]));
    }
    within_bounds(|| serde_json::from_slice(body).or_else(|_| last_wins(&repaired(body))))
        .map_err(Other::TooMuch)?
        .map_err(|error| Other::Words(format!("a {kind} that cannot be read ({error})")))
}

/// The longest object in which a field may be given twice: etcd takes none of 2 MiB, and this needs much memory.
const TWICE: usize = 2 << 20;

/// The object in a text. As in Go, the last of the fields of one name counts.
fn last_wins<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).or_else(|error| match text.len() <= TWICE && error.is_data() {
        true => serde_json::from_value(serde_json::from_str(text)?),
        false => Err(error),
    })
}

/// The reason why an object cannot be read.
fn reason(object: &str, error: &serde_json::Error) -> String {
    match object.trim_ascii_start().starts_with('{') {
        true => error.to_string(),
        false => "it is no object".to_owned(),
    }
}

/// Strings and numbers of JSON. A string without end goes to the end of the text, or each quotation mark in it would be
/// searched from to there.
static SCALARS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?s)"(?:[^"\\]|\\.)*(?:"|\\?\z)|-?[0-9][0-9.eE+-]*"#).ok());

/// The text of a document without what keeps all of it from being read: bytes that are no UTF-8 are replaced, as in Go,
/// and strings and numbers that nothing can hold are left out.
fn repaired(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let scalar = |found: &Captures<'_>| match &found[0] {
        text if text.starts_with('"') => match serde_json::from_str::<String>(text) {
            Ok(_) => text.to_owned(),
            Err(_) => "\"\"".to_owned(),
        },
        number if number.parse().is_ok_and(f64::is_finite) => number.to_owned(),
        _ => "null".to_owned(),
    };
    match &*SCALARS {
        Some(scalars) => scalars.replace_all(&text, scalar).into_owned(),
        None => text.into_owned(),
    }
}

/// Without the byte order mark of UTF-8, which JSON does not have.
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The refusal in an answer whose HTTP status says otherwise.
fn status(body: &[u8]) -> Option<Box<Status>> {
    let body = without_mark(body);
    if body.len() > bounds::REFUSAL || kind(body).ok()?? != "Status" {
        return None;
    }
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
    match kind(body) {
        Ok(Some(kind)) if !kinds.contains(&kind.as_str()) => {
            Other::Words(format!("a {}", one_line(&kind, QUOTED)))
        }
        Ok(Some(kind)) => {
            let error = serde_json::from_slice::<List<&RawValue>>(body).err();
            let reason = error.map(|error| format!(" ({error})")).unwrap_or_default();
            Other::Words(format!("a {kind} that cannot be read{reason}"))
        }
        Ok(None) => Other::Foreign(format!("JSON without a kind ({})", quoted(text))),
        Err(_) if is_gzip(body) => Other::Words(COMPRESSED.to_owned()),
        Err(_) if text.is_empty() => Other::Foreign("an empty answer".to_owned()),
        Err(_) if is_page(text) => Other::Foreign(format!("a web page ({})", quoted(text))),
        Err(_) if text.starts_with("k8s\0") => Other::Words("protobuf".to_owned()),
        Err(error) if text.starts_with('{') => Other::Words(format!("JSON that cannot be read ({error})")),
        Err(_) if serde_json::from_slice::<IgnoredAny>(body).is_ok() => {
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
    let Odd { metadata: OddMeta { namespace, name, .. } } = serde_json::from_str(object).unwrap_or_default();
    match (namespace, name) {
        (Some(namespace), Some(name)) => one_line(&format!("{namespace}/{name}"), QUOTED),
        (None, Some(name)) => one_line(&name, QUOTED),
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
    /// No event, but JSON: this is said of it.
    Odd(String),
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
    let read = || serde_json::from_slice(line).or_else(|_| last_wins(&repaired(line)));
    let read = within_bounds(read).map_err(Other::TooMuch)?;
    if let Ok(Line { kind, object }) = read {
        match kind.as_str() {
            "ADDED" | "MODIFIED" => return Ok(Some(Event::Applied(object))),
            "DELETED" => return Ok(Some(Event::Deleted(object))),
            "BOOKMARK" => return Ok(Some(Event::Bookmark(object))),
            "ERROR" => {}
            _ => return Ok(None),
        }
    }
    let Ok(Line { kind, object }) = serde_json::from_slice::<Line<&RawValue>>(line) else {
        return odd(line).map(Some);
    };
    if kind == "ERROR" {
        let status = status(object.get().as_bytes());
        let odd = || Event::Odd(format!("an error without a Status: {}", quoted(object.get())));
        return Ok(Some(status.map_or_else(odd, Event::Failed)));
    }
    let reason = match serde_json::from_str::<T>(object.get()) {
        Ok(_) => "of an unknown type".to_owned(),
        Err(error) => reason(object.get(), &error),
    };
    let Odd { metadata } = serde_json::from_str(object.get()).unwrap_or_default();
    let version = metadata.resource_version.unwrap_or_default();
    Ok(Some(Event::Unreadable { text: format!("{}: {reason}", name(object.get())), version }))
}

/// A line of a watch that is no event: other JSON is skipped, but after another document or a text no events come.
fn odd<T>(line: &[u8]) -> Result<Event<T>, Other> {
    let is_document = line.trim_ascii_start().starts_with(b"{") && matches!(kind(line), Ok(Some(_)));
    match is_document || serde_json::from_slice::<IgnoredAny>(line).is_err() {
        true => Err(described(line, &[])),
        false => Ok(Event::Odd(quoted(&String::from_utf8_lossy(&line[..line.len().min(16 * QUOTED)])))),
    }
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
            (r#"{"kind":"PodList","metadata":"x","items":[{"n":1}]}"#, &[1][..]),
            (r#"{"kind":"PodList","items":[{"n":1},{"n":3,"n":2}]}"#, &[1, 2]),
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
        assert_eq!(unreadable[1], "\"null\": it is no object");
    }

    #[test]
    fn values_that_nothing_can_hold_cost_only_themselves() {
        for odd in ["1e999", "-1E+9999", r#""\ud800""#, r#""\udc00\ud800 \"""#] {
            let object = format!(r#"{{"n":1,"odd":{odd},"x":"a\\","\ud800":2,"y":-0.5e3}}"#);
            let list = format!(r#"{{"kind":"PodList","items":[{object}]}}"#);
            let page = page::<Odd>(list.as_bytes(), KINDS).unwrap();
            assert_eq!((page.items[0].n, page.unreadable), (1, Vec::new()), "{odd}");
            let line = format!(r#"{{"type":"MODIFIED","object":{object}}}"#);
            assert!(matches!(event::<Odd>(line.as_bytes()), Ok(Some(Event::Applied(Odd { n: 1, .. })))));
            assert!(super::object::<Odd>(object.as_bytes(), "Pod").is_ok(), "{object}");
        }
        let intact = r#"{"a":[1,-2.5e3,"x\"y\\","\ud83e\udd80"],"b":null}"#;
        assert_eq!(repaired(intact.as_bytes()), intact);
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is only read")]
    struct Odd {
        n: u8,
        #[serde(deserialize_with = "lenient")]
        odd: Option<i64>,
        #[serde(deserialize_with = "lenient")]
        y: String,
    }

    #[test]
    fn a_byte_that_is_no_utf8_costs_nothing() {
        let list =
            page::<Number>(b"{\"kind\":\"PodList\",\"items\":[{\"n\":1,\"a\":\"\xff\"}]}", KINDS).unwrap();
        assert_eq!((list.items, list.unreadable), (vec![Number { n: 1 }], Vec::new()));
    }

    /// Otherwise this test does not end.
    #[test]
    fn a_string_without_end_is_searched_once() {
        let text = format!("{{\"a\":\"{}", "\\\"".repeat(1 << 20));
        assert_eq!(repaired(text.as_bytes()), "{\"a\":\"\"");
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
        for odd in [
            r#"{"type":5,"object":{"n":1}}"#,
            r#"{"type":"MODIFIED"}"#,
            r#"{"type":"ERROR","object":5}"#,
            r#"{"type":"ERROR","object":{"kind":"Status","message":5,"code":"x"}}"#,
            "{}",
            "[1]",
            "null",
            "\"x\"",
        ] {
            assert!(matches!(read(odd), Ok(Some(Event::Odd(_)))), "{odd}");
        }
        assert!(matches!(read(r#"{"kind":"PodList","items":[]}"#), Err(Other::Words(_))));
        let twice = r#"{"type":"ADDED","type":"DELETED","object":{"n":2,"n":1},"object":{"n":1}}"#;
        assert!(matches!(read(twice), Ok(Some(Event::Deleted(Number { n: 1 })))));
    }
}
