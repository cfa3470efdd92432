//! Separates the bytes of an HTTP/1.1 body from their framing.

use bytes::BytesMut;
use http::{HeaderMap, Version, header};
use tower::BoxError;

use crate::cluster::{bounds::FRAMING, error::NotHttp};

/// The kind of framing, and the progress in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framing {
    /// This many bytes remain.
    Length(u64),
    Chunked(Chunked),
    /// The body ends with the connection.
    Close,
}

/// A chunked body so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunked {
    next: Part,
    /// Bytes of extensions and trailers so far.
    extra: usize,
}

/// The next part of a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Within the size of a chunk: its value so far, and the number of digits.
    Size(u64, u8),
    /// Within the rest of the line after a size.
    Extension(u64),
    /// This many bytes of a chunk remain.
    Data(u64),
    /// At the line break after a chunk, and within it.
    Break,
    Newline,
    /// At the beginning of a line of the trailer, within it, and within the line break of an empty one.
    Trailer,
    Field,
    LastNewline,
    End,
}

impl Default for Part {
    fn default() -> Self {
        Part::Size(0, 0)
    }
}

impl Framing {
    /// The framing that the headers of an answer announce. A contradiction is an error: two readers of one answer, such
    /// as a proxy and this program, must not see its end in two places.
    pub fn of(version: Version, headers: &HeaderMap) -> Result<Framing, NotHttp> {
        let wrong = |what: &str| Err(NotHttp(what.to_owned()));
        let length = content_length(headers)?;
        let encodings = headers.get_all(header::TRANSFER_ENCODING).iter();
        let mut encodings = encodings.flat_map(|value| value.as_bytes().split(|&b| b == b','));
        match (encodings.next(), length) {
            (None, Some(length)) => Ok(Framing::Length(length)),
            (None, None) => Ok(Framing::Close),
            (Some(_), Some(_)) => wrong("a content length beside a transfer encoding"),
            (Some(_), None) if version == Version::HTTP_10 => wrong("a transfer encoding in HTTP/1.0"),
            (Some(encoding), None) => {
                let is_chunked = encoding.trim_ascii().eq_ignore_ascii_case(b"chunked");
                match is_chunked && encodings.next().is_none() {
                    true => Ok(Framing::Chunked(Chunked::default())),
                    false => wrong("an unknown transfer encoding"),
                }
            }
        }
    }

    /// Whether the whole body was read; never true for a body that ends with the connection.
    pub fn is_done(&self) -> bool {
        matches!(self, Framing::Length(0) | Framing::Chunked(Chunked { next: Part::End, .. }))
    }

    /// Adds the bytes of the body in `input` to `body`. Returns how many bytes of the input were used, framing
    /// included.
    pub fn decode(&mut self, input: &[u8], body: &mut BytesMut) -> Result<usize, BoxError> {
        match self {
            Framing::Close => {
                body.extend_from_slice(input);
                Ok(input.len())
            }
            Framing::Length(left) => Ok(take(left, input, body)),
            Framing::Chunked(chunked) => chunked.decode(input, body),
        }
    }
}

/// The same length may come several times, as Go allows.
fn content_length(headers: &HeaderMap) -> Result<Option<u64>, NotHttp> {
    let lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let mut lengths = lengths.flat_map(|length| length.as_bytes().split(|&b| b == b',')).map(length);
    match lengths.next() {
        Some(Some(length)) if lengths.all(|other| other == Some(length)) => Ok(Some(length)),
        Some(_) => Err(NotHttp("a content length that is none".into())),
        None => Ok(None),
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
    fn decode(&mut self, input: &[u8], body: &mut BytesMut) -> Result<usize, BoxError> {
        let mut at = 0;
        while at < input.len() && self.next != Part::End {
            if let Part::Data(left) = &mut self.next {
                at += take(left, &input[at..], body);
                if *left == 0 {
                    self.next = Part::Break;
                }
                continue;
            }
            let is_extra = matches!(self.next, Part::Extension(_) | Part::Trailer | Part::Field);
            if is_extra && input[at] != b'\n' {
                self.extra += 1;
                FRAMING.check(self.extra)?;
            }
            self.next = self.next.then(input[at])?;
            at += 1;
        }
        Ok(at)
    }
}

impl Part {
    /// The part after this byte of the framing. As in Go, a line may end without a carriage return.
    fn then(self, byte: u8) -> Result<Part, NotHttp> {
        let wrong = |what: &str| Err(NotHttp(format!("{what} in a chunked body")));
        match (self, byte) {
            (Part::Size(size, digits), _) => match ((byte as char).to_digit(16), byte) {
                (Some(_), _) if digits == 16 => wrong("a size that is too large"),
                (Some(digit), _) => Ok(Part::Size(size << 4 | u64::from(digit), digits + 1)),
                (None, _) if digits == 0 => wrong("no size"),
                (None, b'\n') => Ok(Part::begin(size)),
                (None, b'\r' | b';' | b' ' | b'\t') => Ok(Part::Extension(size)),
                (None, _) => wrong("no size"),
            },
            (Part::Extension(size), b'\n') => Ok(Part::begin(size)),
            (Part::Extension(size), _) => Ok(Part::Extension(size)),
            (Part::Break, b'\r') => Ok(Part::Newline),
            (Part::Break | Part::Newline, b'\n') => Ok(Part::Size(0, 0)),
            (Part::Break | Part::Newline, _) => wrong("a chunk that is too long"),
            (Part::Trailer, b'\r') => Ok(Part::LastNewline),
            (Part::Trailer | Part::LastNewline, b'\n') => Ok(Part::End),
            (Part::Field, b'\n') => Ok(Part::Trailer),
            (Part::Trailer | Part::Field, _) => Ok(Part::Field),
            (Part::LastNewline, _) => wrong("a trailer without a line break"),
            (Part::Data(_) | Part::End, _) => Ok(self),
        }
    }

    fn begin(size: u64) -> Part {
        if size == 0 { Part::Trailer } else { Part::Data(size) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Decodes an input that is read in pieces, which end at `cuts`.
    fn decode(framing: Framing, input: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, usize, bool), BoxError> {
        let (mut framing, mut body, mut at) = (framing, BytesMut::new(), 0);
        for &cut in cuts.iter().chain([&input.len()]) {
            if cut > at {
                at += framing.decode(&input[at..cut], &mut body)?;
            }
        }
        Ok((body.to_vec(), at, framing.is_done()))
    }

    fn chunked() -> Framing {
        Framing::Chunked(Chunked::default())
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
        for input in [
            "\r\n",
            "x\r\n",
            "-1\r\n",
            "11112222333344445\r\n",
            "1\r\nab\r\n",
            "1 x\ra\n\nx",
            "1\r\na\r\r\n",
            "0\r\n\rx",
        ] {
            assert!(decode(chunked(), input.as_bytes(), &[]).is_err(), "{input:?}");
        }
    }

    #[test]
    fn the_headers_define_the_end_of_a_body() {
        let of = |version: Version, lines: &[(&'static str, &str)]| {
            let lines = lines
                .iter()
                .map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()));
            Framing::of(version, &lines.collect()).map_err(|error| error.to_string())
        };
        let framing = |lines: &[_]| of(Version::HTTP_11, lines).unwrap();
        let length = |value| ("content-length", value);
        let encoding = |value| ("transfer-encoding", value);
        assert_eq!(framing(&[encoding("Chunked")]), chunked());
        assert_eq!(framing(&[length("7")]), Framing::Length(7));
        assert_eq!(framing(&[length("7"), length("7")]), Framing::Length(7));
        assert_eq!(framing(&[("date", "now")]), Framing::Close);

        let wrong = |lines: &[_], words: &str| {
            let error = of(Version::HTTP_11, lines).unwrap_err();
            assert!(error.contains(words), "{lines:?}: {error}");
        };
        for value in ["-7", "+7", "7, 8", "7,", "", "0x7", "7 8", "99999999999999999999"] {
            wrong(&[length(value)], "a content length that is none");
        }
        wrong(&[length("7"), length("8")], "a content length that is none");
        wrong(&[length("7"), encoding("chunked")], "beside a transfer encoding");
        for value in ["gzip", "gzip, chunked", "chunked, chunked", "chunked, gzip", "identity", ""] {
            wrong(&[encoding(value)], "an unknown transfer encoding");
        }
        wrong(&[encoding("chunked"), encoding("chunked")], "an unknown transfer encoding");
        let old = of(Version::HTTP_10, &[encoding("chunked")]);
        assert_eq!(old, Err("a transfer encoding in HTTP/1.0".to_owned()));
    }

    #[test]
    fn extensions_and_trailers_have_a_limit_in_all() {
        let extended = |count: usize| {
            let chunk = format!("1;{}\r\nx\r\n", "x".repeat(1000));
            decode(chunked(), chunk.repeat(count).as_bytes(), &[])
        };
        assert!(extended(60).is_ok());
        assert!(extended(70).unwrap_err().to_string().contains("64 KiB"));
        for piece in ["x", "x: y\r\n", " x\n"] {
            let trailer = format!("0\r\n{}", piece.repeat(70 << 10));
            assert!(decode(chunked(), trailer.as_bytes(), &[]).is_err(), "{piece:?}");
        }
        // The usual framing costs nothing.
        let lines = "2\r\nx\n\r\n".repeat(200 << 10);
        assert!(decode(chunked(), lines.as_bytes(), &[]).is_ok());
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
