//! The answer to a request: scripted, a refusal, or the cluster's data.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use bytes::Bytes;
use http::{Response, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    account::Request,
    body::{Body, Meter, Stop, Writer, gzipped},
    connection::Connection,
    lock,
    log_reader::{Read, Reader},
    pod_log::{self, Found, Refusal},
    refusals::watch_error,
    resources::{Resource, Route, decode},
    script::{Answer, Chunks, Head, Kind},
    selectors::Selector,
    server::Inner,
    steps,
    store::{Watch, bookmark, list_document},
};

/// From this size on an answer is compressed if the request allows it, in bytes.
const COMPRESSED: usize = 128 * 1024;

/// The approximate size of the parts in which a body is produced, in bytes.
const PIECE: usize = 64 * 1024;

struct Context {
    inner: Arc<Inner>,
    request: Arc<Request>,
    answer: Answer,
    meter: Meter,
}

pub(crate) async fn answer(
    inner: Arc<Inner>,
    connection: Arc<Connection>,
    request: http::Request<Incoming>,
) -> Response<Body> {
    let route = Route::parse(request.uri().path());
    let request = Arc::new(read(request, route.as_ref(), inner.ledger.number(), connection.id));
    inner.ledger.asked(&request);
    let meter = Meter::new(&inner, &connection, &request);
    let scripted = inner.scripts.answer(&request);
    let answer = scripted.unwrap_or_else(Answer::ok);

    if !answer.delay.is_zero() {
        tokio::time::sleep(answer.delay).await;
    }
    for gate in &answer.gates {
        gate.wait().await;
    }
    match &answer.head {
        Head::Usual | Head::Fixed { .. } => {}
        Head::Reset => connection.reset(),
        Head::Close => connection.close(),
        Head::Never => {}
    }
    if matches!(answer.head, Head::Reset | Head::Close | Head::Never) {
        std::future::pending::<()>().await;
    }
    let refusal = {
        let access = lock(&inner.access);
        let by_name = || access.authenticate(&request, &connection);
        by_name().or_else(|| access.authorize(&request, route.as_ref()?))
    };
    let context = Context { inner, request, meter, answer };
    if matches!(context.answer.head, Head::Fixed { .. }) {
        let answer = context.answer.clone();
        return context.fixed(&answer);
    }
    if let Some(refusal) = refusal {
        return context.fixed(&refusal);
    }
    if let Some(outage) = route.as_ref().and_then(|route| pod_log::outage(&context.inner, route)) {
        let answer = pod_log::suffer(outage).await;
        return context.fixed(&answer);
    }
    match route {
        Some(route) => context.route(&route),
        None => context.other(),
    }
}

fn read(request: http::Request<Incoming>, route: Option<&Route>, number: u64, connection: u64) -> Request {
    let (parts, _) = request.into_parts();
    let query: BTreeMap<String, String> = parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect();
    let kind = match route {
        None => Kind::Other,
        Some(route) if route.log => Kind::Log,
        Some(_) if is_true(&query, "watch") => Kind::Watch,
        Some(route) if route.name.is_some() => Kind::Get,
        Some(_) => Kind::List,
    };
    Request {
        number,
        kind,
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query,
        headers: parts.headers,
        at: Instant::now(),
        version: parts.version,
        connection,
        sent: Default::default(),
        outcome: Default::default(),
    }
}

/// Parses a boolean as an apiserver does: any value except `false` and `0` is true.
pub(crate) fn is_true(query: &BTreeMap<String, String>, name: &str) -> bool {
    query.get(name).is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
}

impl Context {
    fn respond(&self, status: StatusCode, content_type: &str) -> http::response::Builder {
        self.meter.answered(status.as_u16());
        let encoding = self.answer.gzip.then_some(("content-encoding", "gzip"));
        let response = encoding
            .into_iter()
            .fold(Response::builder(), |response, (name, value)| response.header(name, value));
        response
            .status(status)
            .header("content-type", content_type)
            .header("cache-control", "no-cache, private")
            .header("date", self.inner.clock.http_date())
    }

    fn whole(mut self, status: StatusCode, content_type: &str, data: impl Into<Bytes>) -> Response<Body> {
        let mut data = data.into();
        self.answer.gzip |= data.len() >= COMPRESSED && self.request.accepts_gzip();
        let response = self.respond(status, content_type);
        if self.answer.gzip {
            data = gzipped(&data);
            self.answer.gzip = false;
        }
        let scripted = !self.answer.events.is_empty() || !matches!(self.answer.chunks, Chunks::Usual);
        let paced = self.answer.step.is_some() || !self.answer.pause.is_zero();
        if !scripted && !paced {
            return response.body(Body::whole(data, self.meter)).expect(HEADERS);
        }
        let (mut writer, body) = Body::streamed(self.meter, &self.answer, Chunks::Bytes(usize::MAX));
        steps::spawn(async move {
            writer.begin().await?;
            writer.write(data).await
        });
        response.body(body).expect(HEADERS)
    }

    fn json(self, value: &Value) -> Response<Body> {
        self.whole(StatusCode::OK, "application/json", value.to_string())
    }

    fn fixed(self, answer: &Answer) -> Response<Body> {
        let Head::Fixed { status, headers, body } = &answer.head else { unreachable!("only fixed answers") };
        let status = StatusCode::from_u16(*status).expect("a status code from a test");
        let (mut content_type, mut others) = ("text/plain", Vec::new());
        for (name, value) in headers {
            if name == "content-type" { content_type = value } else { others.push((name, value)) }
        }
        let retry_after = others.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        lock(&self.request.outcome).retry_after = retry_after.map(|(_, value)| (*value).clone());
        let mut response = self.whole(status, content_type, body.clone());
        for (name, value) in others {
            let name = http::HeaderName::try_from(name).expect("a header name from a test");
            response.headers_mut().insert(name, value.try_into().expect("a header value from a test"));
        }
        response
    }

    fn fail(self, code: u16, reason: &str, message: &str) -> Response<Body> {
        self.fixed(&Answer::status(code, reason, message))
    }

    fn route(self, route: &Route) -> Response<Body> {
        if self.request.method != http::Method::GET {
            return self.fail(
                405,
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            );
        }
        match self.request.kind {
            Kind::Log => self.log(route),
            Kind::Watch => self.watch(route),
            Kind::List => self.list(route),
            Kind::Get | Kind::Other => self.get(route),
        }
    }

    fn get(self, route: &Route) -> Response<Body> {
        let name = route.name.clone().unwrap_or_default();
        let key = (route.namespace.clone().unwrap_or_default(), name);
        let document =
            lock(&self.inner.world).store.get(route.resource, &key).map(|object| object.document());
        match document {
            Some(document) => self.whole(StatusCode::OK, "application/json", document),
            None => self.not_found(route),
        }
    }

    fn not_found(self, route: &Route) -> Response<Body> {
        let Resource { plural, group, .. } = route.resource;
        let dot = if group.is_empty() { "" } else { "." };
        let name = route.name.as_deref().unwrap_or_default();
        self.fail(404, "NotFound", &format!("{plural}{dot}{group} \"{name}\" not found"))
    }

    fn selector(&self, route: &Route) -> Result<Selector, String> {
        let of = |name: &str| self.request.query(name).unwrap_or_default();
        Selector::parse(route.resource, of("labelSelector"), of("fieldSelector"))
    }

    fn list(self, route: &Route) -> Response<Body> {
        let selector = match self.selector(route) {
            Ok(selector) => selector,
            Err(message) => return self.fail(400, "BadRequest", &message),
        };
        match self.page(route, &selector) {
            Ok(document) => self.whole(StatusCode::OK, "application/json", document),
            Err(expired) => self.fail(410, "Expired", &expired),
        }
    }

    fn page(&self, route: &Route, selector: &Selector) -> Result<Vec<u8>, String> {
        let forced = lock(&self.inner.access).page_size;
        let asked =
            self.request.query("limit").and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0);
        // The watch cache answers version 0, and has no pages.
        let cached = self.request.query("resourceVersion") == Some("0");
        let size = match (asked, forced) {
            (Some(asked), Some(forced)) => usize::min(asked, forced),
            (Some(asked), None) if !cached => asked,
            (None, Some(forced)) => forced,
            _ => usize::MAX,
        };
        let mut world = lock(&self.inner.world);
        let store = &mut world.store;
        let token = self.request.query("continue").filter(|token| !token.is_empty());
        let (snapshot, from, version, objects) = match token {
            Some(token) => {
                let page = parse_token(token).and_then(|(snapshot, from, version)| {
                    Some((Some(snapshot), from, version, store.snapshot(snapshot)?.get(from..)?.to_vec()))
                });
                page.ok_or_else(|| EXPIRED.to_owned())?
            }
            None => {
                let namespace = route.namespace.as_deref();
                let covered = store.of(route.resource).filter(|o| o.is_covered(namespace, None, selector));
                (None, 0, store.version, covered.cloned().collect())
            }
        };
        if objects.len() <= size {
            return Ok(list_document(route.resource, version, &objects, None));
        }
        let remaining = objects.len() - size;
        let page = objects[..size].to_vec();
        let snapshot = snapshot.unwrap_or_else(|| store.keep_snapshot(objects));
        let token = BASE64.encode(format!("{snapshot}/{}/{version}", from + size));
        // With a selector the server does not count the remaining items.
        let remaining = selector.is_everything().then_some(remaining);
        Ok(list_document(route.resource, version, &page, Some((token, remaining))))
    }

    fn watch(self, route: &Route) -> Response<Body> {
        let selector = match self.selector(route) {
            Ok(selector) => selector,
            Err(message) => return self.fail(400, "BadRequest", &message),
        };
        let watch = Watch {
            resource: route.resource,
            namespace: route.namespace.clone(),
            name: route.name.clone(),
            selector,
            bookmarks: is_true(&self.request.query, "allowWatchBookmarks"),
        };
        let response = self.respond(StatusCode::OK, "application/json");
        let (writer, body) = Body::streamed(self.meter, &self.answer, Chunks::Lines);
        steps::spawn(stream_watch(self.inner, Arc::clone(&self.request), watch, writer));
        response.body(body).expect(HEADERS)
    }

    fn log(self, route: &Route) -> Response<Body> {
        let log = match pod_log::find(&self.inner, &self.request, route) {
            Ok(Found::Log(log)) => log,
            Ok(Found::Text(text)) => return self.whole(StatusCode::OK, "text/plain", text),
            Err(Refusal(code, reason, message)) => return self.fail(code, reason, &message),
        };
        let watchers = lock(&self.inner.access).watchers.get(&log.node).copied();
        let followed = self.inner.ledger.followed(&log.node);
        let can_follow = watchers.is_none_or(|watchers| followed < watchers);
        if log.reader.follows() && can_follow {
            lock(&self.request.outcome).follows = Some(log.node);
        }
        let response = self.respond(StatusCode::OK, "text/plain");
        // Kubelets flush each line of a followed log, and copy any other in pieces of 2 KiB.
        let usual = if log.reader.follows() { Chunks::Lines } else { Chunks::Bytes(2048) };
        let (writer, body) = Body::streamed(self.meter, &self.answer, usual);
        steps::spawn(stream_log(log.reader, log.limit, can_follow, writer));
        response.body(body).expect(HEADERS)
    }

    fn other(self) -> Response<Body> {
        let path = self.request.path.trim_end_matches('/').to_owned();
        let resources = |group: &'static str| {
            let version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
            let resources = Resource::all().iter().filter(|resource| resource.group == group);
            let resources: Vec<Value> = resources.map(discovered).collect();
            json!({
                "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources,
            })
        };
        let document = match path.as_str() {
            "/version" => json!({
                "major": "1", "minor": "33", "gitVersion": "v1.33.0", "gitCommit": "0", "gitTreeState": "clean",
                "buildDate": "2025-04-23T00:00:00Z", "goVersion": "go1.24", "compiler": "gc", "platform": "linux/amd64",
            }),
            "/api" => json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}),
            "/apis" => {
                let groups = ["apps", "batch"].map(|group| {
                    let version = json!({"groupVersion": format!("{group}/v1"), "version": "v1"});
                    json!({"name": group, "versions": [version], "preferredVersion": version})
                });
                json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
            }
            "/api/v1" => resources(""),
            "/apis/apps/v1" => resources("apps"),
            "/apis/batch/v1" => resources("batch"),
            "/healthz" | "/livez" | "/readyz" => return self.whole(StatusCode::OK, "text/plain", "ok"),
            _ => return self.fail(404, "NotFound", "the server could not find the requested resource"),
        };
        self.json(&document)
    }
}

fn discovered(resource: &Resource) -> Value {
    let Resource { plural, kind, namespaced, short, .. } = resource;
    let short: Vec<&str> = [*short].into_iter().filter(|name| !name.is_empty()).collect();
    json!({
        "name": plural, "singularName": kind.to_lowercase(), "namespaced": namespaced, "kind": kind,
        "verbs": ["get", "list", "watch"], "shortNames": short,
    })
}

const NO_WATCHER: &str = "failed to create fsnotify watcher: too many open files";
const HEADERS: &str = "the headers are well-formed";
const EXPIRED: &str = "The provided continue parameter is too old to display a consistent list result. You can \
                       start a new list without the continue parameter.";

fn parse_token(token: &str) -> Option<(u64, usize, u64)> {
    let text = String::from_utf8(BASE64.decode(token).ok()?).ok()?;
    let mut parts = text.split('/');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

async fn stream_watch(
    inner: Arc<Inner>,
    request: Arc<Request>,
    watch: Watch,
    mut writer: Writer,
) -> Result<(), Stop> {
    writer.begin().await?;
    let timeout = request.query("timeoutSeconds").and_then(|seconds| seconds.parse().ok()).unwrap_or(3000);
    let deadline = Instant::now() + Duration::from_secs(timeout);
    let version = request.query("resourceVersion").and_then(|version| version.parse().ok()).unwrap_or(0_u64);
    let list_first = is_true(&request.query, "sendInitialEvents");

    let mut out = Vec::new();
    let mut position = {
        let world = lock(&inner.world);
        if list_first || version == 0 {
            world
                .store
                .of(watch.resource)
                .filter(|o| watch.covers(o))
                .for_each(|object| object.added(&mut out));
            if list_first {
                out.extend_from_slice(bookmark(watch.resource, world.store.version, true).as_bytes());
            }
            Some(world.store.end())
        } else {
            world.store.position(version)
        }
    };
    writer.write(out.into()).await?;
    while let Some(from) = position {
        let changed = Arc::clone(&inner.changed).notified_owned();
        let mut out = Vec::new();
        position = lock(&inner.world).store.events(from, &watch, &mut out);
        let delay = lock(&inner.access).watch_delay;
        if !out.is_empty() && !delay.is_zero() {
            writer.wait(tokio::time::sleep(delay)).await?;
        }
        if out.is_empty() && position.is_some() {
            let mut over = false;
            writer
                .wait(async {
                    over = tokio::time::timeout_at(deadline, changed).await.is_err();
                })
                .await?;
            if over {
                return Ok(());
            }
        }
        writer.write(out.into()).await?;
    }
    writer.write(watch_error().into()).await
}

async fn stream_log(
    mut reader: Reader,
    limit: Option<u64>,
    can_follow: bool,
    mut writer: Writer,
) -> Result<(), Stop> {
    writer.begin().await?;
    let mut left = limit.unwrap_or(u64::MAX);
    let mut out = Vec::new();
    loop {
        let changed = reader.changed();
        let read = reader.read(&mut out, PIECE);
        let mut piece = std::mem::take(&mut out);
        if matches!(read, Read::More) && !reader.follows() {
            // The piece ends at the end of a chunk.
            out = piece.split_off(piece.len() - piece.len() % 2048);
        }
        piece.truncate(usize::try_from(left).unwrap_or(usize::MAX).min(piece.len()));
        left -= piece.len() as u64;
        writer.write(piece.into()).await?;
        if left == 0 {
            return Ok(());
        }
        match read {
            Read::More => out.reserve(PIECE + 4096),
            Read::Wait if !can_follow => return writer.write(NO_WATCHER.into()).await,
            Read::Wait => {
                reader.wait();
                writer.wait(changed).await?;
            }
            Read::End => return Ok(()),
        }
    }
}
