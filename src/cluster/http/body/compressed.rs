//! Bodies that arrive compressed.

use std::{future::poll_fn, io::Write};

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
async fn a_body_that_is_cut_anywhere_is_no_whole_one() {
    let whole = gzip(b"one\ntwo\n");
    for cut in 1..whole.len() {
        assert!(read(answer("gzip", whole[..cut].to_vec()).unwrap()).await.is_err(), "{cut}");
    }
    for rest in [&b"x"[..], b"\0", b"0\r\n", &whole[..1]] {
        let with_rest = [&whole[..], rest].concat();
        assert!(read(answer("gzip", with_rest).unwrap()).await.is_err(), "{rest:?}");
    }
}

#[tokio::test]
async fn members_without_content_have_an_end() {
    let members = gzip(b"").repeat(10_000);
    assert!(read(answer("gzip", members.clone()).unwrap()).await.unwrap_err().contains("become nothing"));
    let some = [gzip(b"one").repeat(1000), gzip(b"").repeat(1000), gzip(b"two").repeat(1000)].concat();
    assert!(read(answer("gzip", some).unwrap()).await.is_ok());
}

#[tokio::test]
async fn a_bomb_is_given_in_pieces() {
    let size = 64 << 20;
    let (all, longest) = read(answer("gzip", gzip(&vec![0; size])).unwrap()).await.unwrap();
    assert_eq!(all.len(), size);
    assert!(longest < 2 << 20, "{longest}");
}
