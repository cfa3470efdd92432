//! Undoes the compression of a body, whether it was asked for or not.

use std::{
    io::{self, Write},
    mem,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::{HeaderMap, Response, StatusCode, header};
use tower::BoxError;

use super::{body::Body, chunk::Chunk};

/// Bytes that are decompressed at once: they become a thousand times as many at most.
const PIECE: usize = 1 << 10;

/// The way in which a body is compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
    /// One that this program does not know, or several.
    Other(String),
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Encoding {
        let values = headers.get_all(header::CONTENT_ENCODING).iter();
        let names = values.flat_map(|value| value.as_bytes().split(|&b| b == b','));
        let names = names.map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase());
        let names: Vec<String> = names.filter(|name| !matches!(name.as_str(), "" | "identity")).collect();
        match &names[..] {
            [] => Encoding::Identity,
            [name] if matches!(name.as_str(), "gzip" | "x-gzip") => Encoding::Gzip,
            names => Encoding::Other(names.join(", ")),
        }
    }
}

/// The answer with its body as it was before compression. The error is the name of an unknown encoding.
pub fn decoded(answer: Response<Body>) -> Result<Response<Body>, String> {
    let (parts, body) = answer.into_parts();
    // Such an answer has no body.
    let is_empty = matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let body = match Encoding::of(&parts.headers) {
        Encoding::Gzip if !is_empty => Body::Gzip(Box::new(Gunzip::new(body))),
        Encoding::Other(name) if !is_empty => return Err(name),
        _ => body,
    };
    Ok(Response::from_parts(parts, body))
}

/// A body that arrives in gzip's format, in one member or several: Kubernetes 1.37 begins a member at each flush.
pub struct Gunzip {
    pub body: Body,
    decoder: MultiGzDecoder<Vec<u8>>,
    /// Bytes that are not decompressed yet.
    input: Bytes,
    is_empty: bool,
}

impl Gunzip {
    fn new(body: Body) -> Gunzip {
        Gunzip { body, decoder: MultiGzDecoder::new(Vec::new()), input: Bytes::new(), is_empty: true }
    }

    /// Adds decompressed bytes to `chunk`; false at the end.
    pub fn poll_more(&mut self, cx: &mut Context<'_>, chunk: &mut Chunk) -> Poll<Result<bool, BoxError>> {
        loop {
            if self.input.is_empty() {
                match ready!(self.body.poll_chunk(cx)) {
                    Some(bytes) => self.input = bytes?,
                    None => return Poll::Ready(self.finish(chunk)),
                }
            }
            self.is_empty = false;
            let piece = self.input.split_to(self.input.len().min(PIECE));
            self.decoder.write_all(&piece).and_then(|()| self.decoder.flush()).map_err(broken)?;
            if self.take(chunk) {
                return Poll::Ready(Ok(true));
            }
        }
    }

    /// An end before the compression has ended is an error.
    fn finish(&mut self, chunk: &mut Chunk) -> Result<bool, BoxError> {
        if !self.is_empty {
            self.decoder.try_finish().map_err(broken)?;
        }
        Ok(self.take(chunk))
    }

    fn take(&mut self, chunk: &mut Chunk) -> bool {
        let bytes = mem::take(self.decoder.get_mut());
        let some = !bytes.is_empty();
        if some {
            chunk.push(bytes.into());
        }
        some
    }
}

fn broken(error: io::Error) -> BoxError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => error.into(),
        _ => format!("its gzip compression is broken ({error})").into(),
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn answer(encoding: &str, body: Vec<u8>) -> Result<Response<Body>, String> {
        let answer = Response::builder().header("Content-Encoding", encoding);
        decoded(answer.body(Body::Whole(body.into())).unwrap())
    }

    /// All of an answer, and the length of its longest chunk.
    async fn read(answer: Response<Body>) -> Result<(Vec<u8>, usize), String> {
        let (mut body, mut all, mut longest) = (answer.into_body(), Vec::new(), 0);
        while let Some(chunk) = poll_fn(|cx| body.poll_chunk(cx)).await {
            let chunk = chunk.map_err(|error| error.to_string())?;
            longest = longest.max(chunk.len());
            all.extend(chunk);
        }
        Ok((all, longest))
    }

    #[tokio::test]
    async fn one_member_or_several_are_joined() {
        for encoding in ["gzip", "x-gzip", "identity, GZIP"] {
            let body = [gzip(b"one\n"), gzip(b""), gzip(b"two\n")].concat();
            let (all, _) = read(answer(encoding, body).unwrap()).await.unwrap();
            assert_eq!(all, b"one\ntwo\n", "{encoding}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_not_compressed_stays_as_it_is() {
        for encoding in ["", "identity"] {
            assert_eq!(read(answer(encoding, b"one".to_vec()).unwrap()).await.unwrap().0, b"one");
        }
        assert_eq!(read(answer("gzip", Vec::new()).unwrap()).await.unwrap().0, b"");
    }

    #[tokio::test]
    async fn an_unknown_encoding_is_named() {
        assert_eq!(answer("br", Vec::new()).err().as_deref(), Some("br"));
        assert_eq!(answer("deflate, gzip", Vec::new()).err().as_deref(), Some("deflate, gzip"));
    }

    #[tokio::test]
    async fn a_body_that_is_cut_or_broken_is_an_error() {
        let whole = gzip(&[b'x'; 1000]);
        let cut = read(answer("gzip", whole[..whole.len() - 9].to_vec()).unwrap()).await;
        assert!(cut.is_err());
        let text = read(answer("gzip", b"a log line\n".to_vec()).unwrap()).await;
        assert!(text.unwrap_err().contains("gzip compression is broken"));
    }

    #[tokio::test]
    async fn a_bomb_is_given_in_pieces() {
        let size = 64 << 20;
        let (all, longest) = read(answer("gzip", gzip(&vec![0; size])).unwrap()).await.unwrap();
        assert_eq!(all.len(), size);
        assert!(longest < 2 << 20, "{longest}");
    }
}
