//! Answers of any server.

pub use super::{
    access::fuzz::{kubeconfig, plugin, proxy},
    http::fuzz::{chunks, gzip, head},
    tls::fuzz::{certificate, pem},
};

use http::{HeaderValue, Response, StatusCode, Uri, header::RETRY_AFTER};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    document::{self, Event, Other},
    error::{self, Asked, Error},
    kubelet::KubeletError,
    transport,
};
use crate::fuzz::{SECRET, assert_one_line, two};

/// The objects of a list. None is lost: each is read, or reported.
pub fn list<T: DeserializeOwned>(input: &[u8]) -> Vec<T> {
    let page = match document::page::<T>(input, &["PodList"]) {
        Ok(page) => page,
        Err(other) => return check(other, Vec::new()),
    };
    if let Ok(value) = serde_json::from_slice::<Value>(input) {
        let there = value["items"].as_array().map_or(0, Vec::len);
        assert_eq!(page.items.len() + page.unreadable.len(), there);
    }
    assert_ne!(page.next.as_deref(), Some(""));
    page.items
}

pub fn object<T: DeserializeOwned>(input: &[u8]) -> Option<T> {
    document::object(input, "Pod").map_or_else(|other| check(other, None), Some)
}

/// The object of an event in a watch.
pub fn event<T: DeserializeOwned>(input: &[u8]) -> Option<T> {
    match document::event(input) {
        Ok(Some(Event::Applied(object) | Event::Deleted(object) | Event::Bookmark(object))) => Some(object),
        Ok(Some(Event::Failed(status))) => check(Other::Status(status), None),
        Ok(_) => None,
        Err(other) => check(other, None),
    }
}

fn check<T>(other: Other, nothing: T) -> T {
    match other {
        Other::Status(status) => words(&Error::from_status(&status, &asked())),
        Other::TooMuch(exceeded) => words(&Error::from_http("https://a", &exceeded)),
        Other::Words(words) | Other::Foreign(words) => self::words(&Error::invalid(words)),
    }
    nothing
}

fn asked() -> Asked {
    Asked { verb: "list", resource: "pods".into(), namespace: Some("shop".into()), name: None }
}

/// One line of bounded length.
fn words(error: &Error) {
    let text = error.to_string();
    assert_one_line(&text);
    assert!(text.chars().count() < 4000);
    error.of_node().iter().for_each(|text| assert_one_line(text));
    let _ = (error.is_without_previous(), error.is_common(), error.is_retryable());
}

/// A refusal is one line with the server's words, also in place of a log.
pub fn refusal(input: &[u8]) {
    if let Some(other) = document::in_place_of_log(input) {
        check(other, ());
    }
    KubeletError::of(&String::from_utf8_lossy(input));
    let (code, body) = input.split_first().unwrap_or((&0, &[]));
    let code = StatusCode::from_u16(400 + u16::from(*code)).unwrap_or(StatusCode::FORBIDDEN);
    let status = error::refusal(code, body);
    assert_eq!(status.code, code.as_u16());
    words(&Error::from_status(&status, &asked()));
    words(&Error::unauthorized("https://apiserver", "the credentials of user \"me\"", &status, "check them"));
}

/// The address of a redirect is reported without user, password and query.
pub fn headers(input: &[u8]) {
    pause(input);
    let (one, other) = two(input);
    let (one, other) = (String::from_utf8_lossy(one), String::from_utf8_lossy(other));
    if format!("{one}{other}").contains(SECRET) {
        return;
    }
    let asked: Uri = "https://apiserver:6443/base/api/v1/pods".parse().unwrap_or_default();
    let address: Uri = one.parse().unwrap_or_else(|_| asked.clone());
    let addresses = [
        format!("{one}{other}"),
        format!("{one}?{other}{SECRET}"),
        format!("https://{SECRET}@{other}"),
        format!("http://{one}:{SECRET}@{other}"),
        format!("//{one}:{SECRET}@{other}"),
    ];
    // A part of a path may follow a slash that stands in the password.
    let is_plain = !one.contains(['/', '\\', '?', '#']);
    for location in addresses.iter().take(if is_plain { 5 } else { 3 }) {
        for asked in [&asked, &address] {
            let text = super::redirect::described("https://apiserver:6443/base", asked, location);
            assert_one_line(&text);
            assert!(!text.contains(SECRET), "{text} for {location}");
            assert!(text.chars().count() < 1000);
        }
    }
}

/// A pause that a server asks for.
fn pause(value: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(value) else { return };
    let mut answer = Response::new(());
    *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    answer.headers_mut().insert(RETRY_AFTER, value);
    transport::retry_after(&answer, Timestamp::UNIX_EPOCH);
}
