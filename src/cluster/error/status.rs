//! Refusals of the server: its HTTP status and its own words.

use http::StatusCode;
use kube::core::Status;

use super::{Asked, Error, ErrorKind};

impl Error {
    /// The same for a `Status` inside a watch or in the body of a refusal.
    pub fn from_status(status: &Status, asked: &Asked) -> Error {
        let code = match status.reason.as_str() {
            // An expired watch can be recognised only by its reason.
            "Expired" => StatusCode::GONE,
            _ => StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        };
        let text = status.message.as_str();
        let message = match code {
            StatusCode::UNAUTHORIZED => {
                format!("cannot {asked}: the apiserver does not accept the credentials (401)")
            }
            StatusCode::FORBIDDEN => forbidden(asked, text),
            StatusCode::NOT_FOUND => not_found(asked, text),
            StatusCode::TOO_MANY_REQUESTS => {
                format!("cannot {asked}: the apiserver is overloaded (429)")
            }
            _ if text.is_empty() => format!("cannot {asked}: the apiserver answered {code}"),
            StatusCode::BAD_REQUEST => format!("cannot {asked}: {text}"),
            _ => format!("cannot {asked}: the apiserver answered {code}: {text}"),
        };
        Error::new(ErrorKind::Status(code), message).with_server_message(text)
    }
}

fn forbidden(asked: &Asked, text: &str) -> String {
    let Asked { verb, resource, .. } = asked;
    let user = user_named(text).map(|user| format!("user {user} ")).unwrap_or_default();
    let role = if asked.namespace.is_some() { "a Role or ClusterRole bound there" } else { "a ClusterRole" };
    let detail = if text.is_empty() || !user.is_empty() { String::new() } else { format!(" ({text})") };
    format!("not allowed to {asked}: {user}needs verb {verb:?} on resource {resource:?}, from {role}{detail}")
}

/// The user name as the apiserver sees it: `pods is forbidden: User "jane" cannot list resource …`
fn user_named(text: &str) -> Option<&str> {
    let quoted = &text[text.find("User \"")? + "User ".len()..];
    let end = quoted[1..].find('"')? + 2;
    Some(&quoted[..end])
}

fn not_found(asked: &Asked, text: &str) -> String {
    match &asked.name {
        None => format!("cannot {asked}: the apiserver has no such resource"),
        // `pods "web" not found` is sufficient; the missing object may also be a container or a node.
        Some(_) if !text.is_empty() => format!("cannot {asked}: {text}"),
        Some(_) => format!("cannot {asked}: not found"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::refused, *};

    #[test]
    fn a_forbidden_message_of_another_kind_is_quoted() {
        let text = refused(403, "Forbidden", "policy says no").to_string();
        assert!(text.ends_with("(policy says no)"), "{text}");
        assert_eq!(user_named("User \"a\" cannot"), Some("\"a\""));
        assert_eq!(user_named("User \"unclosed"), None);
    }
}
