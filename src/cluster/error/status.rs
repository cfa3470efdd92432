//! Refusals of a server: who refused, with which status, and its own words.

use http::StatusCode;
use kube::core::Status;

use super::{Asked, Error, ErrorKind, forbidden::Forbidden, page};
use crate::{cluster::document, shown::quoted};

/// The refusal that an answer with this code and body means. If the body is no `Status` of Kubernetes, all of it is
/// the message, and the `status` of the result is None.
pub fn refusal(code: StatusCode, body: &[u8]) -> Status {
    let ours =
        |status: &Status| status.is_failure() && !(status.message.is_empty() && status.reason.is_empty());
    let status = document::refusal(body).filter(ours);
    let status = status.unwrap_or_else(|| Status {
        message: String::from_utf8_lossy(body).into_owned(),
        ..Status::default()
    });
    Status { code: code.as_u16(), ..status }
}

/// The server that wrote a refusal, as far as its form shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    Apiserver,
    /// A kubelet, whose refusal the apiserver passes on.
    Kubelet,
    /// A server that writes no `Status`: a proxy, or no apiserver at all.
    Unknown,
}

impl Speaker {
    fn of(status: &Status) -> Speaker {
        match &status.status {
            None => Speaker::Unknown,
            Some(_) if without_kubelets_mark(&status.message).is_some() => Speaker::Kubelet,
            Some(_) => Speaker::Apiserver,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Speaker::Apiserver => "the apiserver",
            Speaker::Kubelet => "the kubelet",
            Speaker::Unknown => "the server",
        }
    }
}

/// The words of a kubelet that the apiserver passes on: it adds the object as in ` ( pods/log web-1)`, without a verb
/// before it, which no refusal of its own does. Source (`k8s.io/apiserver/pkg/registry/generic/rest`) since 1.3.
fn without_kubelets_mark(message: &str) -> Option<&str> {
    let (words, mark) = message.rsplit_once(" ( pods/log ")?;
    mark.ends_with(')').then_some(words)
}

/// The text of a web page in place of a `Status`.
fn page(status: &Status) -> Option<String> {
    page::text(&status.message).filter(|_| status.status.is_none())
}

/// Whether a kubelet refused, so that it is no matter of the user's credentials.
pub fn is_of_kubelet(status: &Status) -> bool {
    Speaker::of(status) == Speaker::Kubelet
}

impl Error {
    /// The error for a 401 of `server`. `what` it does not accept, and `advice` for that.
    pub fn unauthorized(server: &str, what: &str, status: &Status, advice: &str) -> Error {
        let words = words(status, page(status).as_deref());
        let text = format!("{server} does not accept {what} (401){words}; {advice}");
        Error::new(ErrorKind::Status(StatusCode::UNAUTHORIZED), text).with_server_message(&status.message)
    }

    /// The error for a refusal, or for a `Status` inside a watch.
    pub fn from_status(status: &Status, asked: &Asked) -> Error {
        let code = match status.reason.as_str() {
            // An expired watch can be recognised only by its reason.
            "Expired" => StatusCode::GONE,
            _ => StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        };
        let speaker = Speaker::of(status);
        let forbidden = Forbidden::parse(&status.message).filter(|_| code == StatusCode::FORBIDDEN);
        let of_it = forbidden.as_ref().is_none_or(|forbidden| forbidden.is_of(asked));
        let cannot = match (speaker, code) {
            (Speaker::Apiserver, StatusCode::FORBIDDEN) if of_it => "not allowed to",
            _ => "cannot",
        };
        let page = page(status);
        let answered = answered(speaker, code, status, page.as_deref());
        let guess = match &forbidden {
            Some(forbidden) => forbidden.guess(asked),
            None => guess(speaker, code, page.is_some(), asked).map(str::to_owned),
        };
        let guess = guess.map(|guess| format!("; {guess}")).unwrap_or_default();
        let error = Error::new(ErrorKind::Status(code), format!("{cannot} {asked}: {answered}{guess}"));
        let of_node = match (speaker, code) {
            (Speaker::Kubelet, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                let words = without_kubelets_mark(&status.message).unwrap_or(&status.message);
                let status = Status { message: words.to_owned(), ..status.clone() };
                Some(format!("{}{guess}", self::answered(speaker, code, &status, None)))
            }
            _ => None,
        };
        Error { of_kubelet: speaker == Speaker::Kubelet, of_node, ..error }
            .with_server_message(&status.message)
    }
}

/// `the apiserver answered 404 NotFound: “pods "web" not found”`
fn answered(speaker: Speaker, code: StatusCode, status: &Status, page: Option<&str>) -> String {
    let name = speaker.name();
    // The reason is the name that kubectl shows.
    let reason = match status.reason.as_str() {
        "" => code.canonical_reason().unwrap_or_default(),
        reason => reason,
    };
    let code = format!("{} {reason}", code.as_u16());
    let code = code.trim_end();
    format!("{name} answered {code}{}", words(status, page))
}

/// The words of a refusal, to be put behind its status: `: “pods "web" not found”`
fn words(status: &Status, page: Option<&str>) -> String {
    match (page, status.message.trim()) {
        (Some(page), _) => format!(" with a web page: {}", quoted(page)),
        (None, "") => " without a reason".to_owned(),
        (None, words) => format!(": {}", quoted(words)),
    }
}

fn guess(speaker: Speaker, code: StatusCode, page: bool, asked: &Asked) -> Option<&'static str> {
    match (speaker, code) {
        (Speaker::Kubelet, StatusCode::UNAUTHORIZED) => {
            Some("perhaps this node does not accept the certificate of the apiserver")
        }
        (Speaker::Kubelet, StatusCode::FORBIDDEN) => {
            Some("perhaps the apiserver's own user needs the ClusterRole system:kubelet-api-admin")
        }
        (Speaker::Unknown, _) if page => {
            Some("perhaps a proxy or a login page answered in place of the apiserver")
        }
        (Speaker::Unknown, StatusCode::NOT_FOUND) if asked.name.is_none() => {
            Some("perhaps the address of the server is wrong")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
