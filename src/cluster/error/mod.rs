//! Errors between the user and the apiserver: one line with the fix for the user, and a kind for the code.

use std::{error::Error as StdError, fmt, io};

use http::StatusCode;

use super::{
    bounds::Exceeded,
    kubelet::{self, KubeletError},
    turn::Turn,
};
use crate::{
    descriptors,
    shown::{self, one_line},
};
pub(super) use proxy::{AtProxy, Refusal, RefusedByProxy};
pub(super) use tls::NoCommonTls;
use tls::{from_tls, no_common_tls};

mod forbidden;
mod page;
mod proxy;
mod status;
mod tls;

/// The operation of a request, in RBAC's terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pub verb: &'static str,
    /// The plural, with its subresource: `pods`, `pods/log`.
    pub resource: String,
    /// None: all namespaces.
    pub namespace: Option<String>,
    /// None: all objects.
    pub name: Option<String>,
}

/// The class of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The user or a cluster object asks for something impossible: a kubeconfig, a flag, a workload without a
    /// selector.
    Invalid,
    /// No credentials: an exec plugin or a token file failed.
    Credentials,
    /// No connection could be made.
    Unreachable,
    /// One side does not trust the other's certificate.
    Certificate,
    /// This process can open no more files, and so no connection.
    OpenFiles,
    /// No answer in time, or its data stopped.
    TimedOut,
    /// An answer was cut off.
    Interrupted,
    /// An unexpected answer.
    Malformed,
    /// An answer that is too long: a smaller one may be requested.
    TooMuch,
    /// The apiserver refused, with this HTTP status.
    Status(StatusCode),
}

pub(super) use status::{is_of_kubelet, refusal};

/// The guess if a server that has answered before sends what is no HTTP.
const GARBLED: &str = "perhaps a proxy in between garbled the answer";

/// One line for the user; tokens never appear in it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}{}", .guess.map(|guess| format!("; {guess}")).unwrap_or_default())]
pub struct Error {
    kind: ErrorKind,
    message: String,
    /// A possible cause; another one once the server has answered.
    guess: Option<&'static str>,
    server_message: Option<String>,
    retryable: bool,
    /// Whether other requests are answered meanwhile.
    alone: bool,
    /// Whether a kubelet refused, and not the apiserver.
    of_kubelet: bool,
    /// What a kubelet says that holds for all logs of its node.
    of_node: Option<String>,
    /// See [`Error::turn`].
    turn: Turn,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        let retryable = match kind {
            ErrorKind::Invalid
            | ErrorKind::Credentials
            | ErrorKind::Certificate
            | ErrorKind::Malformed
            | ErrorKind::TooMuch => false,
            ErrorKind::Unreachable | ErrorKind::OpenFiles | ErrorKind::TimedOut | ErrorKind::Interrupted => {
                true
            }
            ErrorKind::Status(code) => matches!(code.as_u16(), 408 | 429 | 500 | 502..=504),
        };
        // Words of a server in it are bounded already, so that those behind them are never cut.
        let message = one_line(&message.into(), 2 * shown::LONGEST);
        let (alone, of_kubelet) = (false, false);
        Error {
            kind,
            message,
            guess: None,
            server_message: None,
            retryable,
            alone,
            of_kubelet,
            of_node: None,
            turn: Turn::Soon,
        }
    }

    pub fn invalid(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Invalid, message)
    }

    pub(super) fn credentials(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Credentials, message)
    }

    /// Marks the error as retryable, since the request worked before.
    pub(super) fn retryable(self) -> Error {
        Error { retryable: true, ..self }
    }

    /// The same error for a server that was reached before: its address is correct.
    pub(super) fn of_known_server(self) -> Error {
        let retryable = self.retryable || self.kind == ErrorKind::Unreachable;
        let is_garbled = self.kind == ErrorKind::Malformed && self.guess.is_some();
        let guess = is_garbled.then_some(GARBLED);
        Error { guess, retryable, ..self }
    }

    /// Marks that other requests are answered meanwhile.
    pub(super) fn alone(self) -> Error {
        Error { alone: true, ..self }
    }

    /// How the refused request got its turn.
    pub fn turn(&self) -> Turn {
        self.turn
    }

    pub fn with_turn(self, turn: Turn) -> Error {
        Error { turn, ..self }
    }

    fn wrong_for_good(self) -> Error {
        Error { retryable: false, ..self }
    }

    pub(super) fn with_server_message(self, message: &str) -> Error {
        let message = one_line(message, shown::LONGEST);
        Error { server_message: (!message.is_empty()).then_some(message), ..self }
    }

    /// Converts an error of the HTTP client: a failed or broken connection.
    pub(super) fn from_http(server: &str, error: &(dyn StdError + 'static)) -> Error {
        if let Some(error) = causes(error).find_map(|cause| cause.downcast_ref::<Error>()) {
            return error.clone();
        }
        if let Some(at_proxy) = causes(error).find_map(|cause| cause.downcast_ref::<AtProxy>()) {
            return at_proxy.error();
        }
        if let Some(tls) = causes(error).find_map(|cause| cause.downcast_ref::<NoCommonTls>()) {
            return no_common_tls(&format!("the apiserver {server}"), tls);
        }
        if let Some(tls) = causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
            return from_tls(server, &format!("the apiserver {server}"), tls);
        }
        if causes(error).filter_map(|cause| cause.downcast_ref()).any(descriptors::is_exhausted) {
            return Error::new(ErrorKind::OpenFiles, descriptors::described());
        }
        if let Some(exceeded) = causes(error).find_map(|cause| cause.downcast_ref::<Exceeded>()) {
            let kind = if exceeded.is_whole() { ErrorKind::TooMuch } else { ErrorKind::Malformed };
            return Error::new(kind, exceeded.of(server));
        }
        let cause = root_cause(error);
        if causes(error).any(|cause| cause.is::<NotHttp>()) {
            let message = format!("{server} did not answer in valid HTTP ({cause})");
            let guess = "it does not look like a Kubernetes API server; check the address";
            return Error { guess: Some(guess), ..Error::new(ErrorKind::Malformed, message) };
        }
        let Some(connecting) = causes(error).find_map(|cause| cause.downcast_ref::<NotConnected>()) else {
            return Error::new(ErrorKind::Interrupted, format!("the connection to {server} broke: {cause}"));
        };
        let refused = causes(error)
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        let via = connecting.proxy.as_ref();
        let via = via.map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default();
        let guess = match refused {
            true => "is it running there?",
            false => "check the address, and whether it needs a VPN or a proxy",
        };
        // An unknown host needs a correction by the user.
        let for_good = causes(error).any(|cause| cause.is::<Unresolved>());
        let text = format!("cannot reach the apiserver {server}{via}: {cause}");
        let error = Error { guess: Some(guess), ..Error::new(ErrorKind::Unreachable, text) };
        if for_good { error.wrong_for_good() } else { error }
    }

    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The HTTP status of the apiserver's refusal.
    pub fn status(&self) -> Option<StatusCode> {
        match self.kind {
            ErrorKind::Status(code) => Some(code),
            _ => None,
        }
    }

    /// The apiserver's own message, on one line.
    pub fn server_message(&self) -> Option<&str> {
        self.server_message.as_deref()
    }

    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED)
    }

    pub fn is_forbidden(&self) -> bool {
        self.status() == Some(StatusCode::FORBIDDEN)
    }

    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    pub fn is_bad_request(&self) -> bool {
        self.status() == Some(StatusCode::BAD_REQUEST)
    }

    /// Whether something else came than an apiserver sends.
    pub fn is_malformed(&self) -> bool {
        self.kind == ErrorKind::Malformed
    }

    /// Whether the apiserver, or a gateway in its place, serves nothing for now: it may be shutting down.
    pub fn is_unavailable(&self) -> bool {
        self.status().is_some_and(|status| matches!(status.as_u16(), 502..=504))
    }

    /// Whether the requested resource version is too old: list again.
    pub fn is_gone(&self) -> bool {
        self.status() == Some(StatusCode::GONE)
    }

    /// Whether a kubelet refused, through the apiserver.
    pub fn is_of_kubelet(&self) -> bool {
        self.of_kubelet
    }

    /// Whether no answer came: the server or the connection failed.
    pub fn is_outage(&self) -> bool {
        matches!(self.kind, ErrorKind::Unreachable | ErrorKind::Interrupted | ErrorKind::TimedOut)
            && !self.alone
    }

    /// Whether this process can open no more files.
    pub fn is_out_of_files(&self) -> bool {
        self.kind == ErrorKind::OpenFiles
    }

    /// Whether only this request got no answer, while others did.
    pub fn is_alone(&self) -> bool {
        self.alone
    }

    /// Whether the kubelet knows no instance before the current one.
    pub fn is_without_previous(&self) -> bool {
        self.is_bad_request()
            && self.server_message().and_then(KubeletError::of) == Some(KubeletError::NoPrevious)
    }

    /// Whether the kubelet says that the log was removed, as it does behind the end of its container.
    pub fn is_of_removed_log(&self) -> bool {
        let is_of_removed = |message| {
            kubelet::is_terminated(message)
                || matches!(KubeletError::of(message), Some(KubeletError::NoContainer | KubeletError::NoFile))
        };
        self.server_message().is_some_and(is_of_removed)
    }

    /// Whether the kubelet says that the container has ended and it has no log of it, or that it does not know it.
    pub fn is_of_lost_container(&self) -> bool {
        let is_lost = |message| kubelet::is_terminated(message) || kubelet::is_unknown(message);
        self.server_message().is_some_and(is_lost)
    }

    /// The reason if the node failed, which affects all its logs: the apiserver's message about its kubelet, or a
    /// missing answer.
    pub fn of_node(&self) -> Option<String> {
        if self.alone {
            return Some(self.message.clone());
        }
        let unreachable = || self.server_message().and_then(kubelet::unreachable).map(shown::quoted);
        self.of_node.clone().or_else(unreachable)
    }

    /// Whether the apiserver did not reach the kubelet.
    pub fn is_without_kubelet(&self) -> bool {
        self.server_message().and_then(kubelet::unreachable).is_some()
    }

    /// Whether every request fails the same way, whatever it asks for.
    pub fn is_common(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Credentials
                | ErrorKind::Certificate
                | ErrorKind::Malformed
                | ErrorKind::TooMuch
                | ErrorKind::OpenFiles
        ) || self.is_unauthorized() && !self.of_kubelet
    }

    /// Whether the same request may succeed later without a correction.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }
}

/// The peer does not speak HTTP.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotHttp(pub String);

/// A host name without an address.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unresolved(pub io::Error);

/// No connection could be made.
#[derive(Debug, thiserror::Error)]
#[error("not connected")]
pub(super) struct NotConnected {
    /// The proxy used.
    pub proxy: Option<String>,
    pub source: tower::BoxError,
}

/// `list pods in namespace "shop"`, `get pods "web-1" in namespace "shop"`
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        match (&self.namespace, &self.name) {
            (Some(namespace), _) => write!(f, " in namespace {namespace:?}"),
            (None, None) => f.write_str(" in all namespaces"),
            (None, Some(_)) => Ok(()),
        }
    }
}

/// An error and its causes, outermost first.
pub(super) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        // `io::Error::source` skips the error inside, so it is read directly.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(held) => Some(held as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

/// `connection refused` for `client error (Connect): tcp connect error: Connection refused (os error 111)`
pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let text = causes(error).last().unwrap_or(error).to_string();
    let text = crate::words(&text);
    match text.strip_prefix("Connection") {
        Some(rest) => format!("connection{rest}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn asked(verb: &'static str, namespace: Option<&str>, name: Option<&str>) -> Asked {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Asked { verb, resource: "pods".into(), namespace: text(namespace), name: text(name) }
    }

    fn refused(code: u16, reason: &str, message: &str) -> Error {
        let status = Status::failure(message, reason).with_code(code);
        Error::from_status(&status, &asked("list", None, None))
    }

    #[test]
    fn requests_are_described_in_the_terms_of_rbac() {
        assert_eq!(asked("list", None, None).to_string(), "list pods in all namespaces");
        assert_eq!(asked("list", Some("a"), None).to_string(), "list pods in namespace \"a\"");
        assert_eq!(asked("get", Some("a"), Some("b")).to_string(), "get pods \"b\" in namespace \"a\"");
    }

    #[test]
    fn a_refusal_is_known_by_its_status_and_an_old_version_by_its_reason() {
        assert!(refused(404, "NotFound", "").is_not_found());
        assert!(refused(400, "BadRequest", "").is_bad_request());
        assert!(refused(410, "Gone", "").is_gone());
        assert!(refused(0, "Expired", "too old").is_gone());
        assert!(refused(403, "Forbidden", "").is_forbidden());
    }

    #[test]
    fn temporary_errors_are_retryable() {
        for code in [408, 429, 500, 502, 503, 504] {
            assert!(refused(code, "", "").is_retryable(), "{code}");
        }
        for code in [400, 401, 403, 404, 410, 422, 501] {
            assert!(!refused(code, "", "").is_retryable(), "{code}");
        }
    }

    #[test]
    fn errors_of_a_node_are_reported_without_the_requested_container() {
        let detail = |message: &str| refused(500, "", message).of_node();
        let dial =
            "Get \"https://node-1:10250/containerLogs/shop/web-1/app?follow=true\": dial tcp: i/o timeout";
        assert_eq!(detail(dial).as_deref(), Some("“dial tcp: i/o timeout”"));
        assert_eq!(detail("etcdserver: leader changed"), None);
    }

    // Windows has other numbers and words.
    #[cfg(unix)]
    #[test]
    fn a_connection_that_fails_is_reported_with_its_cause_and_a_guess_until_the_server_is_known() {
        let unresolved = || Unresolved(io::Error::other("failed to look up address information"));
        let failed = |proxy: Option<&str>, source| NotConnected { proxy: proxy.map(str::to_owned), source };
        let os = |number| Box::new(io::Error::from_raw_os_error(number)) as tower::BoxError;
        let vpn = "; check the address, and whether it needs a VPN or a proxy";
        let cases: [(Box<dyn StdError>, &str, &str, bool); 6] = [
            (
                Box::new(failed(None, os(111))),
                "cannot reach the apiserver https://a: connection refused",
                "; is it running there?",
                true,
            ),
            (
                Box::new(failed(Some("http://p:3128"), os(113))),
                "cannot reach the apiserver https://a through the proxy http://p:3128: No route to host",
                vpn,
                true,
            ),
            (
                Box::new(failed(None, unresolved().into())),
                "cannot reach the apiserver https://a: failed to look up address information",
                vpn,
                false,
            ),
            (
                Box::new(io::Error::from_raw_os_error(104)),
                "the connection to https://a broke: connection reset by peer",
                "",
                true,
            ),
            (
                Box::new(NotHttp("invalid HTTP version".into())),
                "https://a did not answer in valid HTTP (invalid HTTP version)",
                "; it does not look like a Kubernetes API server; check the address",
                false,
            ),
            (Box::new(io::Error::other(Error::credentials("no login"))), "no login", "", false),
        ];
        for (error, text, guess, retryable) in cases {
            let error = Error::from_http("https://a", &*error);
            assert_eq!((error.to_string(), error.is_retryable()), (format!("{text}{guess}"), retryable));
            let known = error.of_known_server();
            assert!(
                known.to_string() == text || known.to_string() == format!("{text}; {GARBLED}"),
                "{known}"
            );
        }
    }

    #[test]
    fn a_server_that_answered_before_is_not_said_to_have_another_address() {
        let error = Error::from_http("https://a", &NotHttp("no size in a chunked body".into()));
        let known = "https://a did not answer in valid HTTP (no size in a chunked body); perhaps a proxy in between \
                     garbled the answer";
        assert_eq!(error.of_known_server().of_known_server().to_string(), known);
    }

    #[test]
    fn an_error_is_one_line_of_bounded_length_that_steers_no_terminal() {
        let text = refused(500, "", &format!("a\r\n\tb\u{1b}[2J{}", "é".repeat(5000))).to_string();
        assert!(!text.contains(char::is_control) && text.contains("a b [2J"), "{text}");
        assert!(text.chars().count() < 1_100 && text.ends_with("…”"), "{text}");
    }
}
