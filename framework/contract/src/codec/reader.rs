//! Bytes into values, within limits.
//!
//! *Responsible for*: windows, the budget of memory, nesting, counts, exact ends.
//! *Not responsible for*: what the values mean.
//!
//! Invariants:
//! - I1: no read goes past the end of the current window.
//! - I2: memory is claimed from the budget before it is allocated; the budget is one for the whole input.

use super::{Data, DecodeError, DecodeReason, Grow};
use crate::limits;

/// What reading may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of input. Longer inputs are refused before anything is read.
    pub input_bytes: usize,
    /// Bytes that the value may allocate in all, counted from the types' sizes in memory.
    pub allocation_bytes: usize,
    /// Structs and enums inside each other.
    pub nesting: u32,
    /// Refuses what decodes but is not how we write it: long forms of integers, keys repeated or out of order. For
    /// places where bytes are hashed or compared.
    pub strict: bool,
}

impl Limits {
    /// For what a client sends.
    pub const CLIENT: Self = Self {
        input_bytes: limits::CLIENT_INPUT_BYTES_MAX,
        allocation_bytes: limits::CLIENT_ALLOCATION_BYTES_MAX,
        nesting: limits::NESTING_MAX,
        strict: false,
    };

    /// For what a node sends, to nodes or to clients.
    pub const NODE: Self = Self {
        input_bytes: limits::NODE_INPUT_BYTES_MAX,
        allocation_bytes: limits::NODE_ALLOCATION_BYTES_MAX,
        nesting: limits::NESTING_MAX,
        strict: false,
    };

    /// For a descriptor in the handshake.
    pub const DESCRIPTOR: Self = Self {
        input_bytes: limits::DESCRIPTOR_BYTES_MAX,
        allocation_bytes: limits::DESCRIPTOR_ALLOCATION_BYTES_MAX,
        nesting: limits::NESTING_MAX,
        strict: true,
    };

    /// The same with a bound of `bytes` on the input; what it may allocate grows or shrinks with it.
    #[must_use]
    pub const fn with_input_bytes(self, bytes: usize) -> Self {
        let factor = match self.allocation_bytes.checked_div(self.input_bytes) {
            Some(factor) => factor,
            None => 0,
        };
        Self { input_bytes: bytes, allocation_bytes: bytes.saturating_mul(factor), ..self }
    }

    /// The same, refusing all that we would write otherwise.
    #[must_use]
    pub const fn strict(self) -> Self {
        Self { strict: true, ..self }
    }
}

impl Default for Limits {
    /// [`Limits::CLIENT`], the tightest.
    fn default() -> Self {
        Self::CLIENT
    }
}

/// Reads values from bytes.
#[derive(Debug)]
pub struct Reader<'a> {
    /// What is left of the current window.
    rest: &'a [u8],
    /// Where the current window ends, counted from the start of the input.
    end: usize,
    budget: usize,
    nesting_left: u32,
    strict: bool,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    ///
    /// # Errors
    /// The input is longer than the limit.
    pub const fn new(input: &'a [u8], limits: Limits) -> Result<Self, DecodeError> {
        if input.len() > limits.input_bytes {
            return Err(DecodeError::new(limits.input_bytes, DecodeReason::TooLong));
        }
        Ok(Self {
            rest: input,
            end: input.len(),
            budget: limits.allocation_bytes,
            nesting_left: limits.nesting,
            strict: limits.strict,
        })
    }

    /// Reads a value.
    ///
    /// # Errors
    /// As [`Data::read`].
    #[inline]
    pub fn get<T: Data>(&mut self) -> Result<T, DecodeError> {
        T::read(self)
    }

    /// Reads a field of a growing type: its default if the window ended before it.
    ///
    /// # Errors
    /// As [`Data::read`]; a window that ends inside the field is an error too.
    #[inline]
    pub fn field<T: Grow>(&mut self) -> Result<T, DecodeError> {
        if self.rest.is_empty() { Ok(T::missing()) } else { T::read(self) }
    }

    /// Reads a field of a growing type that has to be there.
    ///
    /// # Errors
    /// As [`Data::read`]; [`DecodeReason::Missing`] if the window ended before it.
    #[inline]
    pub fn required<T: Data>(&mut self) -> Result<T, DecodeError> {
        if self.rest.is_empty() && T::MIN_BYTES > 0 {
            Err(self.error(DecodeReason::Missing))
        } else {
            T::read(self)
        }
    }

    /// Takes `count` bytes as they are.
    ///
    /// # Errors
    /// Fewer are left in the window.
    #[inline]
    pub fn raw(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.error(DecodeReason::End)),
        }
    }

    /// Takes all that is left of the window.
    pub const fn remainder(&mut self) -> &'a [u8] {
        let taken = self.rest;
        self.rest = &[];
        taken
    }

    /// Takes bytes that have their length in front, without copying them.
    ///
    /// # Errors
    /// The length is none or more than what is left.
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.count(1)?;
        self.raw(length)
    }

    /// Reads an unsigned variable-length integer.
    ///
    /// # Errors
    /// It ends early, is too wide or, for a strict reader, longer than needed.
    #[inline]
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        self.get()
    }

    /// Reads the count of items of at least `item_bytes_min` bytes each.
    ///
    /// # Errors
    /// More items than the remaining bytes can hold.
    #[inline]
    pub fn count(&mut self, item_bytes_min: usize) -> Result<usize, DecodeError> {
        let at = self.position();
        let count = self.varint()?;
        let most = self.rest.len() / item_bytes_min.max(1);
        match usize::try_from(count) {
            Ok(count) if count <= most => Ok(count),
            _ => Err(DecodeError::new(at, DecodeReason::Count)),
        }
    }

    /// Takes `bytes` from the budget of memory, before they are allocated.
    ///
    /// # Errors
    /// The budget does not have them.
    #[inline]
    pub const fn claim(&mut self, bytes: usize) -> Result<(), DecodeError> {
        match self.budget.checked_sub(bytes) {
            Some(left) => {
                self.budget = left;
                Ok(())
            }
            None => Err(self.error(DecodeReason::Allocation)),
        }
    }

    /// Runs `read` one level deeper: every struct and enum reads its inside this way.
    ///
    /// # Errors
    /// The levels are used up, or `read` failed.
    #[inline]
    pub fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let Some(left) = self.nesting_left.checked_sub(1) else {
            return Err(self.error(DecodeReason::Nesting));
        };
        self.nesting_left = left;
        let value = read(self);
        self.nesting_left += 1;
        value
    }

    /// Runs `read` one level deeper within a length-prefixed window, then skips what it left: fields of a newer peer.
    ///
    /// # Errors
    /// The length is more than what is left, the levels are used up, or `read` failed.
    #[inline]
    pub fn window<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let length = self.length()?;
        let inside = self.raw(length)?;
        let outside = (self.rest, self.end);
        self.end = self.position();
        self.rest = inside;
        let value = self.nested(read);
        (self.rest, self.end) = outside;
        value
    }

    /// Reads the length of a window.
    #[inline]
    fn length(&mut self) -> Result<usize, DecodeError> {
        let length = self.varint()?;
        // A length beyond the address space is longer than what is left.
        usize::try_from(length).map_err(|_| self.error(DecodeReason::End))
    }

    /// Bytes left in the window.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.end - self.rest.len()
    }

    /// Whether only our own form of each value is taken.
    #[must_use]
    pub const fn is_strict(&self) -> bool {
        self.strict
    }

    /// Checks that everything was read.
    ///
    /// # Errors
    /// Bytes are left.
    pub const fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.error(DecodeReason::Trailing)) }
    }

    /// An error at the present position.
    #[must_use]
    pub const fn error(&self, reason: DecodeReason) -> DecodeError {
        DecodeError::new(self.position(), reason)
    }

    /// The same place, window and limits once more. Whoever reads with it puts it back in place of this one, also after
    /// an error: the budget must not be spent twice.
    #[inline]
    pub(super) const fn fork(&self) -> Self {
        Self {
            rest: self.rest,
            end: self.end,
            budget: self.budget,
            nesting_left: self.nesting_left,
            strict: self.strict,
        }
    }

    #[inline]
    pub(super) const fn rest(&mut self) -> &mut &'a [u8] {
        &mut self.rest
    }
}
