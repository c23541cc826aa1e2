//! Values into bytes.
//!
//! *Responsible for*: the growing buffer and length-prefixed windows. *Not responsible for*: bounds; what is written is
//! our own, and whoever sends it checks its size.

use super::{Data, scalar};

/// Collects the bytes of values.
#[derive(Debug, Default, Clone)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// Starts with nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { out: Vec::new() }
    }

    /// Starts behind what `out` holds already: its buffer is used on.
    #[must_use]
    pub const fn onto(out: Vec<u8>) -> Self {
        Self { out }
    }

    /// Appends a value.
    #[inline]
    pub fn put<T: Data>(&mut self, value: &T) {
        value.write(self);
    }

    /// Appends bytes as they are, without a length.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Appends a few bytes, of which scalars are made.
    #[inline]
    pub(super) fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        if N <= self.out.capacity() - self.out.len() {
            self.out.extend_from_slice(&bytes);
        } else {
            // Buffer and bytes go there by value: what is lent to a call could not stay in registers.
            self.out = grown(std::mem::take(&mut self.out), bytes);
        }
    }

    /// Appends an unsigned variable-length integer; lengths and counts are such.
    #[inline]
    pub fn varint(&mut self, value: u64) {
        value.write(self);
    }

    /// Appends a count or length.
    #[inline]
    pub fn count(&mut self, count: usize) {
        self.varint(count as u64);
    }

    /// Appends bytes with their length in front.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    /// Appends what `fill` writes with its length in front: a window.
    #[inline]
    pub fn window(&mut self, fill: impl FnOnce(&mut Self)) {
        let at = self.out.len();
        // Nearly all windows are below 251 bytes, where the length takes one byte: that is left free and filled in.
        self.out.push(0);
        fill(self);
        let length = self.out.len() - at - 1;
        match u8::try_from(length) {
            Ok(short) if short < scalar::FIRST_TAG => self.out[at] = short,
            _ => self.widen(at, length),
        }
    }

    /// Makes room for a length of more than one byte at `at`.
    #[cold]
    fn widen(&mut self, at: usize, length: usize) {
        let mut prefix = Self::onto(Vec::with_capacity(9));
        prefix.count(length);
        self.out.splice(at..=at, prefix.out);
    }

    /// How many bytes were written.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// The bytes so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// The bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Makes room for so many bytes more.
    #[inline]
    pub(super) fn reserve(&mut self, more: usize) {
        self.out.reserve(more);
    }
}

/// Appends bytes for which there is no room yet.
#[cold]
#[inline(never)]
fn grown<const N: usize>(mut out: Vec<u8>, bytes: [u8; N]) -> Vec<u8> {
    out.extend_from_slice(&bytes);
    out
}
