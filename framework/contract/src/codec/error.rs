//! Why bytes are not the value that was expected.
//!
//! *Responsible for*: the reasons, their names and the place. *Not responsible for*: what follows from it.

use std::fmt;

/// Why bytes could not be read, and where. A retry with the same bytes fails the same way.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecodeError {
    at: usize,
    reason: DecodeReason,
}

impl DecodeError {
    /// An error at byte `at` of the input.
    #[must_use]
    pub const fn new(at: usize, reason: DecodeReason) -> Self {
        Self { at, reason }
    }

    /// The byte where reading stopped, from 0.
    #[must_use]
    pub const fn at(self) -> usize {
        self.at
    }

    /// Why it stopped.
    #[must_use]
    pub const fn reason(self) -> DecodeReason {
        self.reason
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.reason, self.at)
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecodeError({self})")
    }
}

impl std::error::Error for DecodeError {}

/// What is wrong with bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeReason {
    /// The input or its window ends inside a value.
    #[error("the input ends inside a value")]
    End,
    /// Bytes are left over after the value.
    #[error("bytes are left over after the value")]
    Trailing,
    /// The input is longer than the limit.
    #[error("the input is longer than allowed")]
    TooLong,
    /// A variable-length integer has a tag that is reserved or wider than the type.
    #[error("an integer is wider than its type")]
    Wide,
    /// A strict reader met an integer that was not written in its shortest form.
    #[error("an integer is not in its shortest form")]
    NotShortest,
    /// A bool, option or result that is neither 0 nor 1.
    #[error("a tag is neither 0 nor 1")]
    Tag,
    /// A number out of its type's range, such as a `usize` of 64 bits on a machine of 32.
    #[error("a number is out of range")]
    Range,
    /// Bytes of a `char` that are none.
    #[error("a character is not valid")]
    Char,
    /// Text that is not UTF-8.
    #[error("a text is not UTF-8")]
    Utf8,
    /// A 0 where none may be.
    #[error("a number that is never 0 is 0")]
    Zero,
    /// Nanoseconds of a second and more, or seconds beyond what the type holds.
    #[error("a time is out of range")]
    Time,
    /// An enum without an "other" variant that has no such number.
    #[error("an enum has no variant of this number")]
    Variant,
    /// A count that the remaining bytes cannot hold.
    #[error("a count is larger than the bytes that follow")]
    Count,
    /// Structs and enums deeper inside each other than allowed.
    #[error("values are nested too deep")]
    Nesting,
    /// The value would take more memory than allowed.
    #[error("the value would take more memory than allowed")]
    Allocation,
    /// A strict reader met a repeated or unsorted key.
    #[error("keys are repeated or not in ascending order")]
    KeyOrder,
    /// A `#[required]` field is missing.
    #[error("a required field is missing")]
    Missing,
}

impl DecodeReason {
    /// The stable name, as in `client-sdk/vectors`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Trailing => "trailing",
            Self::TooLong => "too-long",
            Self::Wide => "wide",
            Self::NotShortest => "not-shortest",
            Self::Tag => "tag",
            Self::Range => "range",
            Self::Char => "char",
            Self::Utf8 => "utf8",
            Self::Zero => "zero",
            Self::Time => "time",
            Self::Variant => "variant",
            Self::Count => "count",
            Self::Nesting => "nesting",
            Self::Allocation => "allocation",
            Self::KeyOrder => "key-order",
            Self::Missing => "missing",
        }
    }
}
