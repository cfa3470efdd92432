//! A list in pages, from its first to its last.

use kube::api::ListParams;
use serde::de::DeserializeOwned;

use super::{
    Cluster,
    bounds::{OBJECTS, TOKEN},
    document::Page,
    error::{Error, ErrorKind},
    exchange::Deadline,
    objects::Objects,
};

/// Most objects on a page.
pub const PAGE: u32 = 500;

/// The same if a page is too long: 50 objects of etcd's 1.5 MiB fit many times.
const FEW: u32 = 50;

/// The pages of one list. `--request-timeout` bounds all of them together.
pub struct Pages<'a> {
    cluster: &'a Cluster,
    objects: Objects,
    params: ListParams,
    deadline: Option<Deadline>,
    began: bool,
    /// Whether the list expired between two pages and began anew.
    restarted: bool,
    /// The objects so far, counting each page as full: a page may be empty, if a proxy hides objects.
    listed: usize,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(super) fn new(cluster: &'a Cluster, objects: Objects, params: ListParams) -> Pages<'a> {
        let params = params.limit(PAGE);
        Pages {
            cluster,
            objects,
            params,
            deadline: None,
            began: false,
            restarted: false,
            listed: 0,
            ended: false,
        }
    }

    /// The next page, and whether it is the first one, or again the first one; None after the last.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<(Page<T>, bool)>, Error> {
        if self.ended {
            return Ok(None);
        }
        if !self.began {
            // The time in which a plugin gets credentials does not count.
            self.cluster.transport.credentials().await?;
            (self.began, self.deadline) = (true, self.cluster.transport.deadline());
        }
        loop {
            let limit = self.params.limit;
            let first = self.params.continue_token.is_none();
            match self.cluster.list_until::<T>(&self.objects, &self.params, self.deadline).await {
                Ok(page) => {
                    self.turn(&page)?;
                    self.deadline = self.deadline.map(Deadline::answered);
                    return Ok(Some((page, first)));
                }
                // Once more, and then all of it at once.
                Err(error) if error.is_gone() && !first && limit.is_some() => {
                    self.params.continue_token = None;
                    self.params.limit = limit.filter(|_| !self.restarted);
                    (self.restarted, self.listed) = (true, 0);
                }
                Err(error) if error.kind() == ErrorKind::TooMuch && limit == Some(PAGE) => {
                    self.params.limit = Some(FEW);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Goes on to the page after this one.
    fn turn<T>(&mut self, page: &Page<T>) -> Result<(), Error> {
        let server = self.cluster.server();
        let too_much = |exceeded| Error::from_http(server, &exceeded);
        let count = page.items.len() + page.unreadable.len();
        self.listed += count.max(self.params.limit.unwrap_or_default() as usize);
        self.ended = page.next.is_none();
        if let Some(next) = &page.next {
            OBJECTS.check(self.listed).map_err(too_much)?;
            TOKEN.check(next.len()).map_err(too_much)?;
            if self.params.continue_token.as_ref() == Some(next) {
                let text = format!(
                    "a list from {server} has no end: the page that comes next is the same as before; perhaps it is no \
                     Kubernetes API server"
                );
                return Err(Error::new(ErrorKind::Malformed, text));
            }
        }
        self.params.continue_token.clone_from(&page.next);
        Ok(())
    }
}
