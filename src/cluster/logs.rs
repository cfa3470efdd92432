//! Opens the log of one container and hands on what comes, chunk by chunk.
//!
//! The URL is built here: kube rounds `sinceTime` up, and so loses lines.

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    error::{Asked, Error},
    limit::Priority,
    transport::{Answer, ResponseBody, Transport},
};
use crate::plan::Since;

/// Which part of which log. Timestamps are always asked for: they are the only place in a log that can be found again.
#[derive(Debug, Clone)]
pub struct LogRequest {
    pub namespace: String,
    pub pod: String,
    pub container: String,
    pub follow: bool,
    /// The last terminated instance instead of the running one.
    pub previous: bool,
    pub since: Option<Since>,
    pub tail_lines: Option<u64>,
    pub limit_bytes: Option<u64>,
    pub priority: Priority,
}

/// A log as it arrives. Dropping it ends the request.
pub struct LogStream {
    body: ResponseBody,
    server: String,
    ended: bool,
}

impl LogStream {
    /// The next bytes, as they came; None at the end, which is all that is said of a clean one. Cancel-safe.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, Error>> {
        while !self.ended {
            match self.body.frame().await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Some(Ok(data)),
                    // Trailers.
                    _ => continue,
                },
                Some(Err(error)) => {
                    self.ended = true;
                    return Some(Err(Error::from_http(&self.server, &*error)));
                }
                None => self.ended = true,
            }
        }
        None
    }
}

impl LogRequest {
    /// Path and query.
    fn uri(&self) -> String {
        let (namespace, pod) = (escaped(&self.namespace), escaped(&self.pod));
        let mut uri = format!("/api/v1/namespaces/{namespace}/pods/{pod}/log?timestamps=true");
        let mut add = |name: &str, value: &str| uri.extend(["&", name, "=", value]);
        add("container", &escaped(&self.container));
        if self.follow {
            add("follow", "true");
        }
        if self.previous {
            add("previous", "true");
        }
        match self.since {
            // The apiserver knows whole seconds only; better too many than too few.
            Some(Since::Ago(ago)) => {
                let seconds = ago.as_secs() + u64::from(ago.subsec_nanos() > 0);
                add("sinceSeconds", &seconds.max(1).to_string());
            }
            Some(Since::Time(time)) => add("sinceTime", &whole_second(time).to_string()),
            None => {}
        }
        if let Some(lines) = self.tail_lines {
            add("tailLines", &lines.to_string());
        }
        if let Some(bytes) = self.limit_bytes {
            add("limitBytes", &bytes.to_string());
        }
        uri
    }

    pub(super) async fn open(&self, transport: &Transport) -> Result<LogStream, Error> {
        let asked = Asked {
            verb: "get",
            resource: "pods/log",
            namespace: Some(self.namespace.clone()),
            name: Some(self.pod.clone()),
        };
        let request = Request::get(self.uri())
            // A gzipped stream arrives in lumps, and from Kubernetes 1.37 on in members that few decoders join.
            .header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))
            .body(Bytes::new())
            .map_err(|error| Error::config(format!("cannot {asked}: {error}")))?;
        let response = transport.send(request, self.priority, Answer::Stream).await?;
        match response.status() {
            StatusCode::OK => Ok(LogStream {
                body: response.into_body(),
                server: transport.server_shown.clone(),
                ended: false,
            }),
            _ => Err(transport.refusal(response, &asked).await),
        }
    }
}

/// What may stand unescaped both in a path and in a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// Rounded down, also before 1970.
fn whole_second(time: Timestamp) -> Timestamp {
    let seconds = time.as_nanosecond().div_euclid(1_000_000_000);
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or(Timestamp::MIN)
}
