//! HTTP, whatever a server sends.

use std::io::Write;

use bytes::{Bytes, BytesMut};
use flate2::{Compression, write::GzEncoder};
use http::Response;

use super::{
    chunk::Chunk,
    encoding::{Encoding, Gunzip},
    framing::{Chunked, Framing},
    http1::parse_head,
};
use crate::fuzz::pieces;

/// The body in all pieces, the number of bytes taken, and whether it has ended. None: it is broken.
fn decoded<'i>(
    mut framing: Framing,
    pieces: impl Iterator<Item = &'i [u8]>,
) -> Option<(BytesMut, usize, bool)> {
    let (mut body, mut taken) = (BytesMut::new(), 0);
    for piece in pieces {
        let used = framing.decode(piece, &mut body).ok()?;
        taken += used;
        if framing.is_done() {
            break;
        }
        assert_eq!(used, piece.len());
    }
    Some((body, taken, framing.is_done()))
}

/// A chunked body is the same wherever a read ends, and never longer than what was sent.
pub fn chunks(input: &[u8]) {
    let (input, pieces) = pieces(input);
    let chunked = || Framing::Chunked(Chunked::default());
    let whole = decoded(chunked(), [input].into_iter());
    assert_eq!(decoded(chunked(), pieces), whole);
    if let Some((body, taken, _)) = whole {
        assert!(body.len() <= taken && taken <= input.len());
    }
}

/// A head is the same wherever a read ends, and so is its framing.
pub fn head(input: &[u8]) {
    let (input, pieces) = pieces(input);
    let whole = parse_head(input);
    let mut read = 0;
    let first = pieces
        .map(|piece| {
            read += piece.len();
            parse_head(&input[..read])
        })
        .find(|found| !matches!(found, Ok(None)));
    match (whole, first) {
        (Err(_), Some(Err(_))) | (Ok(None), None) => {}
        (Ok(Some((length, answer))), Some(Ok(Some(found)))) => {
            assert_eq!(
                (length, answer.status(), answer.version()),
                (found.0, found.1.status(), found.1.version())
            );
            assert_eq!(answer.headers(), found.1.headers());
            judge(&answer);
        }
        (whole, first) => panic!("{whole:?} in one read, {first:?} in several"),
    }
}

fn judge(answer: &Response<()>) {
    let _ = Encoding::of(answer.headers());
    let Ok(framing) = Framing::of(answer.version(), answer.headers()) else { return };
    let lengths = answer.headers().get_all("content-length").iter().collect::<Vec<_>>();
    if let Framing::Length(length @ 1..) = framing {
        let same = |value: &&http::HeaderValue| {
            value.to_str().is_ok_and(|text| {
                text.split(',').all(|text| text.trim().trim_start_matches('0') == length.to_string())
            })
        };
        assert!(lengths.iter().all(same), "{lengths:?} is not {length}");
    }
}

fn gunzipped<'i>(pieces: impl Iterator<Item = &'i [u8]>) -> (Bytes, bool) {
    let (mut gunzip, mut chunk) = (Gunzip::new(), Chunk::default());
    for piece in pieces {
        gunzip.put(Bytes::copy_from_slice(piece));
        while !gunzip.needs_input() {
            if gunzip.take(&mut chunk).is_err() {
                return (chunk.into_bytes(), false);
            }
        }
    }
    let ended = gunzip.finish(&mut chunk).is_ok();
    (chunk.into_bytes(), ended)
}

/// Compressed data is the same wherever a read ends, and what was compressed comes back.
pub fn gzip(input: &[u8]) {
    let (input, pieces) = pieces(input);
    let whole = gunzipped([input].into_iter());
    let (parts, ended) = gunzipped(pieces);
    assert_eq!(ended, whole.1);
    assert!(!ended || parts == whole.0);

    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let compressed = encoder.write_all(input).and_then(|()| encoder.finish()).unwrap_or_default();
    assert_eq!(gunzipped(compressed.chunks(7)), (Bytes::copy_from_slice(input), true));
    if let [most @ .., _] = &compressed[..] {
        assert!(!gunzipped([most].into_iter()).1, "an end that is missing is an error");
    }
}
