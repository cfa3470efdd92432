//! What a server said, and what is shown of it.

use kube::core::Status;
use serde_json::json;

use super::*;

#[path = "../../../../tests/documented/mod.rs"]
mod documented;

const LIST: &str = "list pods in namespace \"shop\"";
const EVERYWHERE: &str = "list pods in all namespaces";
const LOG: &str = "get pods/log \"web-1\" in namespace \"shop\"";
const GET: &str = "get deployments \"web\" in namespace \"shop\"";

fn asked(what: &str) -> Asked {
    let name = match what {
        LOG => Some("web-1"),
        GET => Some("web"),
        _ => None,
    };
    let mut words = what.split(' ');
    let asked = Asked {
        verb: if words.next() == Some("list") { "list" } else { "get" },
        resource: words.next().unwrap().to_owned(),
        namespace: (what != EVERYWHERE).then(|| "shop".to_owned()),
        name: name.map(str::to_owned),
    };
    assert_eq!(asked.to_string(), what);
    asked
}

/// The body of a refusal as an apiserver writes it.
fn status(code: u16, reason: &str, message: &str) -> Vec<u8> {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
           "reason": reason, "details": {"kind": "pods"}, "code": code})
    .to_string()
    .into_bytes()
}

fn error(what: &str, code: u16, body: &[u8]) -> Error {
    let code = StatusCode::from_u16(code).unwrap();
    // As the client of kube receives it.
    let status: Status = serde_json::from_slice(&serde_json::to_vec(&refusal(code, body)).unwrap()).unwrap();
    let error = Error::from_status(&status, &asked(what));
    assert!(documented::explains(&error.to_string()), "docs/troubleshooting.md does not explain {error}");
    error
}

#[test]
fn a_status_is_known_behind_a_mark_and_with_nulls() {
    let body = "\u{feff}{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"no\",\"reason\":null,\"code\":403}";
    let shown = error(LIST, 403, body.as_bytes()).to_string();
    assert!(shown.ends_with("the apiserver answered 403 Forbidden: “no”"), "{shown}");
}

/// A request, the code and reason of its refusal, the apiserver's message; and what is shown before the message, and
/// behind it.
type Case = (&'static str, u16, &'static str, &'static str, &'static str, &'static str);

const JANE: &str = "; perhaps user \"jane\" needs verb \"list\" on resource \"pods\", from a Role or ClusterRole bound there";

const APISERVER: &[Case] = &[
    // RBAC, of all versions.
    (
        LIST,
        403,
        "Forbidden",
        "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace \"shop\"",
        "not allowed to",
        JANE,
    ),
    (
        LIST,
        403,
        "Forbidden",
        "User \"jane\" cannot list pods in the namespace \"shop\".",
        "not allowed to",
        JANE,
    ),
    (
        EVERYWHERE,
        403,
        "Forbidden",
        "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" at the cluster scope",
        "not allowed to",
        "; perhaps user \"jane\" needs verb \"list\" on resource \"pods\", from a ClusterRole",
    ),
    (
        LOG,
        403,
        "Forbidden",
        "pods \"web-1\" is forbidden: User \"system:serviceaccount:shop:ci\" cannot get resource \"pods/log\" in API group \"\" in the namespace \"shop\"",
        "not allowed to",
        "; perhaps user \"system:serviceaccount:shop:ci\" needs verb \"get\" on resource \"pods/log\", from a Role or ClusterRole bound there",
    ),
    (
        LIST,
        403,
        "Forbidden",
        "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace \"shop\": RBAC: [clusterrole.rbac.authorization.k8s.io \"p-1-edit\" not found, role.rbac.authorization.k8s.io \"x\" not found]",
        "not allowed to",
        "",
    ),
    (
        LIST,
        403,
        "Forbidden",
        "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace \"shop\": no RBAC policy matched",
        "not allowed to",
        JANE,
    ),
    // Reasons of other authorizers.
    (
        LIST,
        403,
        "Forbidden",
        "pods is forbidden: User \"jane@x.io\" cannot list resource \"pods\" in API group \"\" in the namespace \"shop\": User does not have access to the resource in Azure. Update role assignment to allow access.",
        "not allowed to",
        "",
    ),
    (
        LIST,
        403,
        "Forbidden",
        "pods is forbidden: User \"jane@x.io\" cannot list resource \"pods\" in API group \"\" in the namespace \"shop\": requires one of [\"container.pods.list\"] permission(s).",
        "not allowed to",
        "",
    ),
    (
        LIST,
        403,
        "Forbidden",
        "pods is forbidden: User \"arn:aws:sts::1:assumed-role/dev/jane\" cannot list resource \"pods\" in API group \"\" in the namespace \"shop\"",
        "not allowed to",
        "; perhaps user \"arn:aws:sts::1:assumed-role/dev/jane\" needs verb \"list\" on resource \"pods\", from a Role or ClusterRole bound there",
    ),
    // Another right than the one that is missing for the request itself.
    (
        LIST,
        403,
        "Forbidden",
        "users \"jane\" is forbidden: User \"bob\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope",
        "cannot",
        "; perhaps user \"bob\" needs verb \"impersonate\" on resource \"users\", from a ClusterRole",
    ),
    (
        LIST,
        403,
        "Forbidden",
        "userextras.authentication.k8s.io \"10.2.1.2\" is forbidden: User \"proxy\" cannot impersonate resource \"userextras/remote-client-ip\" in API group \"authentication.k8s.io\" at the cluster scope",
        "cannot",
        "; perhaps user \"proxy\" needs verb \"impersonate\" on resource \"userextras/remote-client-ip\", from a ClusterRole",
    ),
    (
        LIST,
        403,
        "Forbidden",
        "pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \"\" in the namespace \"shop\"",
        "not allowed to",
        "; perhaps no credentials were sent (check --context, --user and --token), or a proxy removed the client certificate",
    ),
    (
        LIST,
        403,
        "Forbidden",
        "forbidden: User \"system:anonymous\" cannot get path \"/api\"",
        "cannot",
        "; perhaps no credentials were sent (check --context, --user and --token), or a proxy removed the client certificate",
    ),
    (LIST, 403, "", "[00] access denied to perform action \"list\" on \"pod\"", "not allowed to", ""),
    (
        LIST,
        403,
        "Forbidden",
        "admission webhook \"validation.gatekeeper.sh\" denied the request: [no-logs] reading is not allowed after 18:00",
        "not allowed to",
        "",
    ),
    // A kubelet behind the apiserver.
    (
        LOG,
        403,
        "Forbidden",
        "Forbidden (user=kube-apiserver-kubelet-client, verb=get, resource=nodes, subresource=proxy) ( pods/log web-1)",
        "cannot",
        "; perhaps the apiserver's own user needs the ClusterRole system:kubelet-api-admin",
    ),
    (
        LOG,
        401,
        "Unauthorized",
        "the server has asked for the client to provide credentials ( pods/log web-1)",
        "cannot",
        "; perhaps this node does not accept the certificate of the apiserver",
    ),
    (
        LOG,
        404,
        "NotFound",
        "the server could not find the requested resource ( pods/log web-1)",
        "cannot",
        "",
    ),
    (
        LOG,
        503,
        "ServiceUnavailable",
        "the server is currently unable to handle the request ( pods/log web-1)",
        "cannot",
        "",
    ),
    (
        LOG,
        500,
        "",
        "Get \"https://10.0.0.7:10250/containerLogs/shop/web-1/app?follow=true\": x509: certificate is valid for 127.0.0.1, not 10.0.0.7",
        "cannot",
        "",
    ),
    (
        LOG,
        500,
        "InternalError",
        "Internal error occurred: error dialing backend: No agent available",
        "cannot",
        "",
    ),
    (
        LOG,
        400,
        "BadRequest",
        "container \"app\" in pod \"web-1\" is waiting to start: trying and failing to pull image",
        "cannot",
        "",
    ),
    // Everything else.
    (LOG, 404, "NotFound", "pods \"web-1\" not found", "cannot", ""),
    (GET, 404, "NotFound", "deployments.apps \"web\" not found", "cannot", ""),
    (LIST, 404, "NotFound", "the server could not find the requested resource", "cannot", ""),
    (LIST, 404, "NotFound", "Your user's Teleport role does not allow Kubernetes access.", "cannot", ""),
    (
        LIST,
        400,
        "BadRequest",
        "Unable to find \"/v1, Resource=pods\" that match label selector",
        "cannot",
        "",
    ),
    (
        LIST,
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
        "cannot",
        "",
    ),
    (
        LIST,
        406,
        "NotAcceptable",
        "only the following media types are accepted: application/json",
        "cannot",
        "",
    ),
    (LIST, 409, "Conflict", "Operation cannot be fulfilled on pods", "cannot", ""),
    (LIST, 413, "RequestEntityTooLarge", "limit is 3145728", "cannot", ""),
    (LOG, 422, "Invalid", "PodLogOptions \"web-1\" is invalid: tailLines: Invalid value: -1", "cannot", ""),
    (LIST, 429, "TooManyRequests", "storage is (re)initializing", "cannot", ""),
    (LIST, 500, "InternalError", "Internal error occurred: etcdserver: leader changed", "cannot", ""),
    (LIST, 503, "ServiceUnavailable", "apiserver is shutting down", "cannot", ""),
    (LIST, 504, "Timeout", "Timeout: request did not complete within the allotted timeout", "cannot", ""),
];

#[test]
fn a_refusal_is_shown_with_who_refused_its_words_and_a_guess_only_if_that_is_safe() {
    for &(what, code, reason, message, cannot, guess) in APISERVER {
        let who = if message.ends_with("( pods/log web-1)") { "the kubelet" } else { "the apiserver" };
        let phrase = StatusCode::from_u16(code).unwrap().canonical_reason().unwrap();
        let reason_shown = if reason.is_empty() { phrase } else { reason };
        let error = error(what, code, &status(code, reason, message));
        let shown = format!("{cannot} {what}: {who} answered {code} {reason_shown}: “{message}”{guess}");
        assert_eq!(error.to_string(), shown);
        assert_eq!(
            (error.status().map(|code| code.as_u16()), error.server_message()),
            (Some(code), Some(message))
        );
    }
}

/// Answers that are no `Status`: the body, and what is shown behind `the server answered`.
#[test]
fn an_answer_of_another_server_is_quoted_too() {
    let nginx = "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n<center>nginx</center>\r\n</body>\r\n</html>";
    let page = "; perhaps a proxy or a login page answered in place of the apiserver";
    let cases: [(&str, u16, &[u8], String); 11] = [
        (LIST, 502, b"Bad Gateway\n", "502 Bad Gateway: “Bad Gateway”".into()),
        (
            LIST,
            413,
            nginx.as_bytes(),
            format!("413 Payload Too Large with a web page: “413 Request Entity Too Large nginx”{page}"),
        ),
        (
            LIST,
            403,
            b"<!doctype html><p>Access denied",
            format!("403 Forbidden with a web page: “Access denied”{page}"),
        ),
        (
            LIST,
            404,
            b"404 page not found",
            "404 Not Found: “404 page not found”; perhaps the address of the server is wrong".into(),
        ),
        (LOG, 404, b"default backend - 404", "404 Not Found: “default backend - 404”".into()),
        (
            LIST,
            401,
            b"{\"type\":\"error\",\"status\":\"401\",\"message\":\"must authenticate\"}",
            "401 Unauthorized: “{\"type\":\"error\",\"status\":\"401\",\"message\":\"must authenticate\"}”"
                .into(),
        ),
        (LIST, 403, b"{\"error\":\"denied\"}", "403 Forbidden: “{\"error\":\"denied\"}”".into()),
        (LIST, 503, b"", "503 Service Unavailable without a reason".into()),
        (LIST, 599, b"\xff\xfe\x1b[31mred", "599: “\u{fffd}\u{fffd} [31mred”".into()),
        (
            LIST,
            500,
            b"{\"kind\":\"Status\",\"status\":\"Failure\",\"mess",
            "500 Internal Server Error: “{\"kind\":\"Status\",\"status\":\"Failure\",\"mess”".into(),
        ),
        (LIST, 500, b"a ( pods/log web-1)", "500 Internal Server Error: “a ( pods/log web-1)”".into()),
    ];
    for (what, code, body, shown) in cases {
        assert_eq!(
            error(what, code, body).to_string(),
            format!("cannot {what}: the server answered {shown}")
        );
    }
}

#[test]
fn a_message_of_any_length_is_one_line_and_its_guess_is_still_there() {
    let denied = "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace \"shop\"";
    for padding in ["\0".repeat(800_000), " \n".repeat(800_000), "é".repeat(2_000_000)] {
        let text = error(LIST, 403, &status(403, "Forbidden", &format!("{padding}{denied}"))).to_string();
        assert!(
            text.ends_with(JANE) && text.chars().count() < 1_300 && !text.contains(['\0', '\n']),
            "{text}"
        );
    }
}

#[test]
fn a_kubelets_refusal_is_none_of_the_users_credentials() {
    let mark = "the server has asked for the client to provide credentials ( pods/log web-1)";
    let of_kubelet = error(LOG, 401, &status(401, "Unauthorized", mark));
    assert!(of_kubelet.is_of_kubelet() && !of_kubelet.is_common());
    let words = "the kubelet answered 401 Unauthorized: “the server has asked for the client to provide credentials”; \
                 perhaps this node does not accept the certificate of the apiserver";
    assert_eq!(of_kubelet.of_node().as_deref(), Some(words));
    let of_apiserver = error(LOG, 401, &status(401, "Unauthorized", "Unauthorized"));
    assert!(!of_apiserver.is_of_kubelet() && of_apiserver.is_common() && of_apiserver.of_node().is_none());
}

#[test]
fn a_401_names_server_user_words_and_advice() {
    for (body, words) in [
        (&status(401, "Unauthorized", "token lookup failed")[..], ": “token lookup failed”"),
        (b"", " without a reason"),
        (
            b"<html><title>401 Authorization Required</title>",
            " with a web page: “401 Authorization Required”",
        ),
        (b"{\"message\":\"no\"}", ": “{\"message\":\"no\"}”"),
    ] {
        let status = refusal(StatusCode::UNAUTHORIZED, body);
        let error = Error::unauthorized(
            "https://a",
            "the credentials of jane",
            &status,
            "perhaps the token has expired",
        );
        let before = "https://a does not accept the credentials of jane (401)";
        assert_eq!(error.to_string(), format!("{before}{words}; perhaps the token has expired"));
        assert!(error.is_unauthorized() && error.is_common());
    }
}
