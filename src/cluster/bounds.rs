//! The most that is read of what a server sends. No honest server reaches any of these limits: each has its reason.

use std::fmt;

/// The limit of one thing that a server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// The thing.
    what: &'static str,
    most: usize,
    of: Of,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// A number that divides by 1024.
    Bytes,
    Things(&'static str),
}

/// The head of an answer, and each of those that precede it: as in Go, and so in kubectl.
pub const HEAD: Bound = bytes("the head of an answer", 1 << 20);

/// No server has as much to say; all of them together would fill a head.
pub const HEADERS: Bound = things("the head of an answer", 16 << 10, "headers");

/// The answers before the answer (100, 103): servers send one or two, and Go allows five.
pub const INTERIM: Bound = things("the head of an answer", 20, "interim answers");

/// Extensions and trailers of all chunks of an answer: Go's servers, and so all of Kubernetes, send none.
pub const FRAMING: Bound = bytes("the framing of an answer", 64 << 10);

/// An answer that is read whole, as it was before compression. A page of 500 pods has some megabytes, and at most 750
/// MiB, since an object has at most 1.5 MiB: then smaller pages are requested. Other answers have no pages, but each of
/// their objects has some 2 KiB.
pub const ANSWER: Bound = bytes("an answer", 256 << 20);

/// Compressed bytes that make no others: Kubernetes begins anew some twenty bytes after it has sent what it had.
pub const COMPRESSION: Bound = things("the compression of an answer", 64 << 10, "bytes that become nothing");

/// The body of a refusal: a sentence. Longer ones are cut, since the status says enough.
pub const REFUSAL: usize = 1 << 20;

/// The answer to a probe, which is not looked at.
pub const PROBE: usize = 64 << 10;

/// An event of a watch, with the empty lines and the unknown events before it: etcd takes objects of up to 1.5 MiB.
pub const EVENT: Bound = bytes("an event of a watch", 16 << 20);

/// The objects of a whole list, counting each page as full: Kubernetes supports clusters of up to 150,000 pods.
pub const OBJECTS: Bound = things("a list", 500_000, "objects");

/// The containers, labels, conditions and the like of an object that are kept, of each: etcd has no room for more.
pub const PARTS: usize = 5_000;

/// Memory for the parts of all objects of a document, which may be a hundred times as long there as in JSON. Those of
/// an honest page that is as long as an answer may be need half of it.
pub const KEPT: Bound = bytes("the content of an answer", 256 << 20);

/// Pods and their containers that are known at a time: as many as a list may have.
pub const KNOWN: usize = 500_000;

/// The token for the next page of a list: its URL has to fit into the head of a request.
pub const TOKEN: Bound = bytes("the token for the next page of a list", 16 << 10);

const fn bytes(what: &'static str, most: usize) -> Bound {
    Bound { what, most, of: Of::Bytes }
}

const fn things(what: &'static str, most: usize, things: &'static str) -> Bound {
    Bound { what, most, of: Of::Things(things) }
}

impl Bound {
    pub const fn most(&self) -> usize {
        self.most
    }

    /// Fails if there are more.
    pub fn check(&'static self, count: usize) -> Result<(), Exceeded> {
        if count > self.most { Err(Exceeded(self)) } else { Ok(()) }
    }
}

/// A server sends more than any honest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Exceeded(&'static Bound);

impl Exceeded {
    /// Whether a whole answer is too long, so that a shorter page may help.
    pub fn is_whole(&self) -> bool {
        *self.0 == ANSWER || *self.0 == KEPT
    }

    /// The error message for this server.
    pub fn of(&self, server: &str) -> String {
        let Bound { what, .. } = self.0;
        let advice = match *self.0 {
            ANSWER | OBJECTS | KEPT => "if that is right, a namespace or a selector makes it smaller",
            _ => "perhaps it is no Kubernetes API server",
        };
        format!("{what} from {server} has {self}, which is too much; {advice}")
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.of, self.most) {
            (Of::Bytes, most) if most >= 1 << 20 => write!(f, "more than {} MiB", most >> 20),
            (Of::Bytes, most) => write!(f, "more than {} KiB", most >> 10),
            (Of::Things(things), most) => write!(f, "more than {most} {things}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_reached_is_reported_with_the_server_and_what_it_sent() {
        assert_eq!(HEAD.check(1 << 20), Ok(()));
        assert_eq!(
            HEAD.check((1 << 20) + 1).unwrap_err().of("https://a"),
            "the head of an answer from https://a has more than 1 MiB, which is too much; perhaps it is no Kubernetes \
             API server"
        );
        assert_eq!(
            OBJECTS.check(500_001).unwrap_err().of("https://a"),
            "a list from https://a has more than 500000 objects, which is too much; if that is right, a namespace or a \
             selector makes it smaller"
        );
    }
}
