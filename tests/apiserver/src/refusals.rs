//! The errors of an apiserver and of those in front of it, with their bodies.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{clock::http_date, script::Answer};

impl Answer {
    /// 401, as for a token that is missing or no longer valid.
    pub fn unauthorized() -> Self {
        Answer::status(401, "Unauthorized", "Unauthorized")
    }

    /// 410, as for a resource version that is too old.
    pub fn expired() -> Self {
        Answer::status(410, "Expired", "The resourceVersion for the provided watch is too old.")
    }

    /// 429 with a `Retry-After` header.
    pub fn too_many_requests(retry_after: u32) -> Self {
        let message = "Too many requests, please try again later.";
        Answer::status(429, "TooManyRequests", message).header("retry-after", &retry_after.to_string())
    }

    /// The same until an instant, which the header gives as a date.
    pub fn too_many_requests_until(at: Timestamp) -> Self {
        let message = "Too many requests, please try again later.";
        Answer::status(429, "TooManyRequests", message).header("retry-after", &http_date(at))
    }

    /// 403 of an authorizer, with its message.
    pub fn forbidden(message: &str) -> Self {
        Answer::status(403, "Forbidden", message)
    }

    /// 404 for an object, such as `("pods", "web-1")`.
    pub fn not_found(resource: &str, name: &str) -> Self {
        Answer::status(404, "NotFound", &format!("{resource} \"{name}\" not found"))
    }

    /// 502 of a load balancer, whose body is no `Status`.
    pub fn bad_gateway() -> Self {
        Answer::text(502, "<html><head><title>502 Bad Gateway</title></head></html>\n")
            .header("server", "nginx")
    }

    /// 504 of an apiserver that gives up.
    pub fn gateway_timeout() -> Self {
        let message = "Timeout: request did not complete within the allotted timeout";
        Answer::status(504, "Timeout", message)
    }

    pub fn internal_error(message: &str) -> Self {
        Answer::status(500, "InternalError", &format!("Internal error occurred: {message}"))
    }

    pub fn unavailable() -> Self {
        Answer::status(503, "ServiceUnavailable", "the server is currently unable to handle the request")
    }
}

/// The `Status` object of an error.
pub(crate) fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {},
        "status": "Failure", "message": message, "reason": reason, "code": code,
    })
}

/// The event that ends a watch whose resource version is too old.
pub(crate) fn watch_error() -> String {
    let status = status(410, "Expired", "too old resource version: 1 (2)");
    format!("{}\n", json!({"type": "ERROR", "object": status}))
}
