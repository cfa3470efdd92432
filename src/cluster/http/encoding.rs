//! The compression of a body, whether it was asked for or not, and how it is undone.

use std::{
    io::{self, Write},
    mem,
};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::{HeaderMap, header};
use tower::BoxError;

use super::{super::bounds::COMPRESSION, chunk::Chunk};

/// Bytes that are decompressed at once: they become a thousand times as many at most.
const PIECE: usize = 1 << 10;

/// The way in which a body is compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encoding {
    Identity,
    Gzip,
    /// One that this program does not know, or several.
    Other(String),
}

impl Encoding {
    pub fn of(headers: &HeaderMap) -> Encoding {
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

/// Decompresses what arrives in gzip's format, in one member or several: Kubernetes 1.37 begins a member at each flush.
pub struct Gunzip {
    decoder: MultiGzDecoder<Vec<u8>>,
    /// Bytes that are not decompressed yet.
    input: Bytes,
    is_empty: bool,
    /// Bytes that were decompressed to nothing, since the last that were not.
    vain: usize,
}

impl Gunzip {
    pub fn new() -> Gunzip {
        Gunzip { decoder: MultiGzDecoder::new(Vec::new()), input: Bytes::new(), is_empty: true, vain: 0 }
    }

    pub fn needs_input(&self) -> bool {
        self.input.is_empty()
    }

    pub fn put(&mut self, input: Bytes) {
        self.input = input;
    }

    /// Adds the decompressed bytes of a piece of the input to `chunk`; false if there are none.
    pub fn take(&mut self, chunk: &mut Chunk) -> Result<bool, BoxError> {
        let piece = self.input.split_to(self.input.len().min(PIECE));
        self.is_empty &= piece.is_empty();
        self.decoder.write_all(&piece).and_then(|()| self.decoder.flush()).map_err(broken)?;
        let some = self.give(chunk);
        self.vain = if some { 0 } else { self.vain + piece.len() };
        COMPRESSION.check(self.vain)?;
        Ok(some)
    }

    /// Adds the last bytes; false if there are none. An end before the compression has ended is an error.
    pub fn finish(&mut self, chunk: &mut Chunk) -> Result<bool, BoxError> {
        if !self.is_empty {
            self.decoder.try_finish().map_err(broken)?;
        }
        Ok(self.give(chunk))
    }

    fn give(&mut self, chunk: &mut Chunk) -> bool {
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
