//! Gathers the pieces of a body that are available together.

use std::mem;

use bytes::{Bytes, BytesMut};

/// Approximate size at which gathered data is passed on.
pub const BATCH: usize = 64 << 10;

/// The gathered data of a body. A single piece is not copied.
#[derive(Default)]
pub struct Chunk {
    first: Bytes,
    gathered: BytesMut,
}

impl Chunk {
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn len(&self) -> usize {
        self.first.len() + self.gathered.len()
    }

    pub fn push(&mut self, piece: Bytes) {
        if self.is_empty() {
            self.first = piece;
        } else {
            self.buffer().extend_from_slice(&piece);
        }
    }

    /// The buffer to add to.
    pub fn buffer(&mut self) -> &mut BytesMut {
        if !self.first.is_empty() {
            self.gathered.reserve(BATCH);
            self.gathered.extend_from_slice(&mem::take(&mut self.first));
        }
        &mut self.gathered
    }

    pub fn into_bytes(self) -> Bytes {
        if self.first.is_empty() { self.gathered.freeze() } else { self.first }
    }
}
