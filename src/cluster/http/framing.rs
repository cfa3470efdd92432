//! Separates the bytes of an HTTP/1.1 body from their framing.

use bytes::BytesMut;
use http::{HeaderMap, StatusCode, header};

use crate::cluster::error::NotHttp;

/// The kind of framing, and the progress in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framing {
    /// This many bytes remain.
    Length(u64),
    Chunked(Chunked),
    /// The body ends with the connection.
    Close,
}

/// The next part of a chunked body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunked {
    /// Within the size of a chunk: its value so far, and the number of digits.
    Size(u64, u8),
    /// Within the rest of the line after a size.
    Extension(u64),
    /// This many bytes of a chunk remain.
    Data(u64),
    /// Within the line break after a chunk.
    Break,
    /// Within a line of the trailer, after this many bytes of it.
    Trailer(u32),
    End,
}

/// The longest line in a body's framing.
const LONGEST_LINE: u32 = 64 << 10;

impl Framing {
    pub fn of(status: StatusCode, headers: &HeaderMap) -> Result<Framing, NotHttp> {
        if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return Ok(Framing::Length(0));
        }
        if let Some(encoding) = headers.get_all(header::TRANSFER_ENCODING).iter().next_back() {
            let last = encoding.as_bytes().rsplit(|&b| b == b',').next().unwrap_or_default();
            return match last.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                true => Ok(Framing::Chunked(Chunked::Size(0, 0))),
                false => Err(NotHttp("an unknown transfer encoding".into())),
            };
        }
        let lengths = headers.get_all(header::CONTENT_LENGTH).iter();
        let mut lengths = lengths.flat_map(|length| length.as_bytes().split(|&b| b == b',')).map(length);
        match lengths.next() {
            Some(Some(length)) if lengths.all(|other| other == Some(length)) => Ok(Framing::Length(length)),
            Some(_) => Err(NotHttp("a content length that is none".into())),
            None => Ok(Framing::Close),
        }
    }

    /// Whether the whole body was read; never true for a body that ends with the connection.
    pub fn is_done(&self) -> bool {
        matches!(self, Framing::Length(0) | Framing::Chunked(Chunked::End))
    }

    /// Adds the bytes of the body in `input` to `body`. Returns how many bytes of the input were used, framing included.
    pub fn decode(&mut self, input: &[u8], body: &mut BytesMut) -> Result<usize, NotHttp> {
        match self {
            Framing::Close => {
                body.extend_from_slice(input);
                Ok(input.len())
            }
            Framing::Length(left) => Ok(take(left, input, body)),
            Framing::Chunked(next) => next.decode(input, body),
        }
    }
}

/// Digits only: a number may have a sign as well.
fn length(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    let digits = text.iter().all(u8::is_ascii_digit).then_some(text)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn take(left: &mut u64, input: &[u8], body: &mut BytesMut) -> usize {
    let amount = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    body.extend_from_slice(&input[..amount]);
    *left -= amount as u64;
    amount
}

impl Chunked {
    fn decode(&mut self, input: &[u8], body: &mut BytesMut) -> Result<usize, NotHttp> {
        let mut at = 0;
        while at < input.len() && *self != Chunked::End {
            if let Chunked::Data(left) = self {
                at += take(left, &input[at..], body);
                if *left == 0 {
                    *self = Chunked::Break;
                }
                continue;
            }
            *self = self.framed(input[at])?;
            at += 1;
        }
        Ok(at)
    }

    /// The state after this byte of the framing.
    fn framed(&self, byte: u8) -> Result<Chunked, NotHttp> {
        let wrong = |what: &str| Err(NotHttp(format!("{what} in a chunked body")));
        match (self, byte) {
            (&Chunked::Size(size, digits), _) => match ((byte as char).to_digit(16), byte) {
                (Some(_), _) if digits == 16 => wrong("a size that is too large"),
                (Some(digit), _) => Ok(Chunked::Size(size << 4 | u64::from(digit), digits + 1)),
                (None, _) if digits == 0 => wrong("no size"),
                (None, b'\n') => Ok(Chunked::begin(size)),
                (None, b'\r' | b';' | b' ' | b'\t') => Ok(Chunked::Extension(size)),
                (None, _) => wrong("no size"),
            },
            (&Chunked::Extension(size), b'\n') => Ok(Chunked::begin(size)),
            (&Chunked::Extension(size), _) => Ok(Chunked::Extension(size)),
            (Chunked::Break, b'\r') => Ok(Chunked::Break),
            (Chunked::Break, b'\n') => Ok(Chunked::Size(0, 0)),
            (Chunked::Break, _) => wrong("a chunk that is too long"),
            (Chunked::Trailer(0), b'\n') => Ok(Chunked::End),
            (Chunked::Trailer(0), b'\r') => Ok(Chunked::Trailer(0)),
            (Chunked::Trailer(_), b'\n') => Ok(Chunked::Trailer(0)),
            (&Chunked::Trailer(LONGEST_LINE), _) => wrong("a trailer that is too long"),
            (&Chunked::Trailer(length), _) => Ok(Chunked::Trailer(length + 1)),
            (Chunked::Data(_) | Chunked::End, _) => Ok(self.clone()),
        }
    }

    fn begin(size: u64) -> Chunked {
        if size == 0 { Chunked::Trailer(0) } else { Chunked::Data(size) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Decodes an input that is read in pieces, which end at `cuts`.
    fn decode(framing: Framing, input: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, usize, bool), NotHttp> {
        let (mut framing, mut body, mut at) = (framing, BytesMut::new(), 0);
        for &cut in cuts.iter().chain([&input.len()]) {
            if cut > at {
                at += framing.decode(&input[at..cut], &mut body)?;
            }
        }
        Ok((body.to_vec(), at, framing.is_done()))
    }

    fn chunked() -> Framing {
        Framing::Chunked(Chunked::Size(0, 0))
    }

    const BODY: &[u8] = b"4\r\none\n\r\nA;x=\"y\"\r\n0123456789\r\n0\r\ndate: now\r\nx: y\r\n\r\nmore";

    #[test]
    fn every_single_cut_gives_the_same_body() {
        for cut in 0..=BODY.len() {
            let decoded = decode(chunked(), BODY, &[cut]).unwrap();
            assert_eq!(decoded, (b"one\n0123456789".to_vec(), BODY.len() - 4, true), "cut at {cut}");
        }
    }

    #[test]
    fn a_body_without_its_end_is_not_done() {
        let end = BODY.len() - b"\r\nmore".len();
        for length in 0..=end {
            assert!(!decode(chunked(), &BODY[..length], &[]).unwrap().2, "{length}");
        }
    }

    #[test]
    fn invalid_chunks_are_errors() {
        for input in ["\r\n", "x\r\n", "-1\r\n", "11112222333344445\r\n", "1\r\nab\r\n", "1 x\ra\n\nx"] {
            assert!(decode(chunked(), input.as_bytes(), &[]).is_err(), "{input:?}");
        }
    }

    #[test]
    fn the_headers_define_the_end_of_a_body() {
        let of = |status: u16, name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            Framing::of(StatusCode::from_u16(status).unwrap(), &headers).ok()
        };
        assert_eq!(of(200, "transfer-encoding", "Chunked"), Some(chunked()));
        assert_eq!(of(200, "transfer-encoding", "gzip, chunked"), Some(chunked()));
        assert_eq!(of(200, "transfer-encoding", "gzip"), None);
        assert_eq!(of(200, "content-length", "7"), Some(Framing::Length(7)));
        assert_eq!(of(200, "content-length", "-7"), None);
        assert_eq!(of(200, "date", "now"), Some(Framing::Close));
        assert_eq!(of(204, "date", "now"), Some(Framing::Length(0)));
    }

    proptest! {
        #[test]
        fn a_chunked_body_is_the_same_however_it_is_cut(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..8),
            mut cuts in proptest::collection::vec(0..600_usize, 0..12),
        ) {
            let mut input = Vec::new();
            for chunk in &chunks {
                input.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                input.extend(chunk);
                input.extend(b"\r\n");
            }
            input.extend(b"0\r\n\r\n");
            cuts.sort_unstable();
            cuts.retain(|&cut| cut <= input.len());
            let decoded = decode(chunked(), &input, &cuts).unwrap();
            prop_assert_eq!(decoded, (chunks.concat(), input.len(), true));
        }

        #[test]
        fn a_counted_body_ends_after_its_length(
            body in proptest::collection::vec(any::<u8>(), 1..80),
            cut in 0..80_usize,
        ) {
            let mut input = body.clone();
            input.extend(b"HTTP/1.1");
            let decoded = decode(Framing::Length(body.len() as u64), &input, &[cut.min(input.len())]).unwrap();
            prop_assert_eq!(decoded, (body.clone(), body.len(), true));
        }

        #[test]
        fn no_input_makes_it_panic(input in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(chunked(), &input, &[]);
        }
    }
}
