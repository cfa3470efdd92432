//! Lists, reads and watches objects.

use std::{collections::BTreeMap, future::poll_fn, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use kube::{
    Resource,
    api::{ApiResource, DynamicObject, GetParams, ListParams, WatchParams},
    core::{self, Status},
};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use tokio::time::{Instant, timeout_at};

use super::{
    Cluster,
    bounds::EVENT,
    document::{self, Event, Other, Page},
    error::{Asked, Error, ErrorKind},
    exchange::{AnswerMode, Deadline},
    http::body::Body,
    lenient::{lenient, lenient_objects},
    pages::Pages,
};
use crate::purpose::Purpose;

/// The longest time without an event of a watch: the apiserver ends one after 290 seconds, and sends a bookmark each
/// minute.
const SILENCE: Duration = Duration::from_secs(330);

/// The objects of a kind in one namespace, or in all.
#[derive(Debug, Clone)]
pub struct Objects {
    pub resource: ApiResource,
    /// None: all namespaces, or objects without one.
    pub namespace: Option<String>,
    /// The name of the only object that is meant, for errors.
    pub name: Option<String>,
}

/// The metadata of an object.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Meta {
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    #[serde(deserialize_with = "lenient")]
    pub labels: BTreeMap<String, String>,
}

lenient_objects!(Meta);

#[derive(Deserialize)]
struct WithMeta {
    #[serde(default, deserialize_with = "lenient")]
    metadata: Meta,
}

impl Objects {
    pub fn new(resource: ApiResource, namespace: Option<&str>) -> Objects {
        Objects { resource, namespace: namespace.map(str::to_owned), name: None }
    }

    fn asked(&self, verb: &'static str) -> Asked {
        let (resource, namespace) = (self.resource.plural.clone(), self.namespace.clone());
        Asked { verb, resource, namespace, name: self.name.clone() }
    }

    fn requests(&self) -> core::Request {
        core::Request::new(DynamicObject::url_path(&self.resource, self.namespace.as_deref()))
    }
}

type Built = Result<Request<Vec<u8>>, core::request::Error>;

impl Cluster {
    /// A whole list.
    pub fn pages(&self, objects: Objects, params: ListParams) -> Pages<'_> {
        Pages::new(self, objects, params)
    }

    /// One page of a list.
    pub async fn list<T: DeserializeOwned>(
        &self,
        objects: &Objects,
        params: &ListParams,
    ) -> Result<Page<T>, Error> {
        self.list_until(objects, params, None).await
    }

    /// The same. `deadline`: that of the whole list.
    pub(super) async fn list_until<T: DeserializeOwned>(
        &self,
        objects: &Objects,
        params: &ListParams,
        deadline: Option<Deadline>,
    ) -> Result<Page<T>, Error> {
        let request = objects.requests().list(params);
        let kinds = [&*format!("{}List", objects.resource.kind), "List"];
        self.page(objects, request, &kinds, deadline).await
    }

    /// The metadata of all objects. The list comes from the apiserver's cache and may be slightly old, which saves a
    /// request to its storage.
    pub async fn list_metadata(&self, objects: &Objects, params: ListParams) -> Result<Vec<Meta>, Error> {
        let request = objects.requests().list_metadata(&params.match_any());
        let kind = format!("{}List", objects.resource.kind);
        let kinds = ["PartialObjectMetadataList", &kind, "List"];
        let listed: Page<WithMeta> = self.page(objects, request, &kinds, None).await?;
        Ok(listed.items.into_iter().map(|object| object.metadata).collect())
    }

    async fn page<T: DeserializeOwned>(
        &self,
        objects: &Objects,
        request: Built,
        kinds: &[&str],
        deadline: Option<Deadline>,
    ) -> Result<Page<T>, Error> {
        let asked = objects.asked("list");
        let body = self.whole(request, &asked, deadline).await?;
        document::page(&body, kinds).map_err(|other| self.unexpected(other, kinds[0], &asked))
    }

    /// The object of this name.
    pub async fn get<T: DeserializeOwned>(&self, objects: &Objects, name: &str) -> Result<T, Error> {
        let asked = Asked { name: Some(name.to_owned()), ..objects.asked("get") };
        let request = objects.requests().get(name, &GetParams::default());
        let body = self.whole(request, &asked, None).await?;
        let kind = &objects.resource.kind;
        document::object(&body, kind).map_err(|other| self.unexpected(other, kind, &asked))
    }

    /// Begins to watch the changes after this version.
    pub async fn watch(
        &self,
        objects: &Objects,
        params: &WatchParams,
        version: &str,
    ) -> Result<Watch, Error> {
        let asked = objects.asked("watch");
        let request = objects.requests().watch(params, version);
        let response = self.ask(request, &asked, Purpose::Watch, AnswerMode::Stream, None).await?;
        Ok(Watch {
            cluster: self.clone(),
            asked,
            body: response.into_body(),
            pending: BytesMut::new(),
            searched: 0,
            skipped: 0,
        })
    }

    async fn whole(&self, request: Built, asked: &Asked, deadline: Option<Deadline>) -> Result<Bytes, Error> {
        let response = self.ask(request, asked, Purpose::List, AnswerMode::Whole, deadline).await?;
        match response.into_body() {
            Body::Whole(bytes) => Ok(bytes),
            _ => Ok(Bytes::new()),
        }
    }

    /// The answer to a request, if it is a success.
    async fn ask(
        &self,
        request: Built,
        asked: &Asked,
        purpose: Purpose,
        answer: AnswerMode,
        deadline: Option<Deadline>,
    ) -> Result<Response<Body>, Error> {
        let request =
            request.map_err(|error| Error::invalid(format!("cannot {asked}: {error}")))?.map(Bytes::from);
        // Boxed, since the futures of their callers are deep.
        let response = Box::pin(self.transport.send(request, purpose, answer, deadline)).await?;
        match response.status() {
            status if status.is_success() => Ok(response),
            _ => Err(self.transport.refusal(&response, asked)),
        }
    }

    /// The server, as errors name it.
    pub(super) fn server(&self) -> &str {
        &self.transport.server_shown
    }

    fn unexpected(&self, other: Other, wanted: &str, asked: &Asked) -> Error {
        unexpected(self.server(), other, wanted, asked)
    }
}

/// The error for a document other than the one that was requested.
pub(super) fn unexpected(server: &str, other: Other, wanted: &str, asked: &Asked) -> Error {
    let text = match other {
        Other::TooMuch(exceeded) => return Error::from_http(server, &exceeded),
        Other::Status(status) if status.code >= 400 => return Error::from_status(&status, asked),
        Other::Status(status) => {
            format!(
                "cannot {asked}: {server} answered with a Status in place of a {wanted}: {:?}",
                status.message
            )
        }
        Other::Words(words) => {
            format!("cannot {asked}: {server} answered with {words} in place of a {wanted}")
        }
        // The same for all requests.
        Other::Foreign(words) => format!(
            "{server} answered with {words} in place of a {wanted}; perhaps a login page or a proxy answers there: check \
             the address"
        ),
    };
    Error::new(ErrorKind::Malformed, text)
}

/// The events of a watch. Dropping it ends the request.
pub struct Watch {
    cluster: Cluster,
    asked: Asked,
    body: Body,
    pending: BytesMut,
    /// Bytes of `pending` that contain no newline.
    searched: usize,
    /// Bytes since the last event, of empty lines and of unknown events.
    skipped: usize,
}

impl Watch {
    /// The next event; None at the end, or after too long a silence.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<Event<T>>, Error> {
        let until = Instant::now() + SILENCE;
        loop {
            let Some(line) = self.line(until).await? else { return Ok(None) };
            self.skipped += line.len();
            let event = document::event(&line)
                .map_err(|other| self.cluster.unexpected(other, "watch event", &self.asked))?;
            if event.is_some() {
                self.skipped = 0;
                return Ok(event);
            }
        }
    }

    /// The error for a status that the server sent in place of an event.
    pub fn failed(&self, status: &Status) -> Error {
        Error::from_status(status, &self.asked)
    }

    /// Whether no more than the beginning of an event is left.
    fn is_cut(&self) -> bool {
        match self.pending.trim_ascii() {
            [] => true,
            [b'{', ..] => serde_json::from_slice::<IgnoredAny>(&self.pending).is_err(),
            _ => false,
        }
    }

    /// The next line that is not empty.
    async fn line(&mut self, until: Instant) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.pending[self.searched..]) {
                let line = self.pending.split_to(self.searched + end + 1).freeze();
                self.searched = 0;
                if line.trim_ascii().is_empty() {
                    self.skipped += line.len();
                    continue;
                }
                return Ok(Some(line));
            }
            self.searched = self.pending.len();
            let exceeded = EVENT.check(self.skipped + self.pending.len());
            exceeded.map_err(|exceeded| Error::from_http(self.cluster.server(), &exceeded))?;
            let Ok(chunk) = timeout_at(until, poll_fn(|cx| self.body.poll_chunk(cx))).await else {
                return Ok(None);
            };
            match chunk {
                Some(Ok(chunk)) => self.pending.extend_from_slice(&chunk),
                Some(Err(error)) => {
                    return Err(Error::from_http(self.cluster.server(), &*error).of_known_server());
                }
                // Half an event, or nothing. Another text is no event at all.
                None if self.is_cut() => return Ok(None),
                None => {
                    self.searched = 0;
                    return Ok(Some(self.pending.split().freeze()));
                }
            }
        }
    }
}
