//! Answer: what became of a request.
//!
//! ```text
//! request u64 | 00 | value bytes ≤ 65,536
//! request u64 | 01 | code u16 | text ≤ 256
//! ```
//! The request's lane. Exactly one for each request with a number other than 0.

use bytes::Bytes;
use lightmoon_contract::{ErrorCode, Reader, Writer};

use super::{FrameKind, Layout, field};
use crate::close::Violation;
use crate::limits;

/// Why a request failed, as it travels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The stable code, see `docs/book/src/errors`.
    pub code: ErrorCode,
    /// What the code's error adds to it; at most [`limits::ERROR_TEXT_BYTES_MAX`] bytes.
    pub text: String,
}

/// What became of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The request's number.
    pub request: u64,
    /// The encoded value, or why there is none.
    pub result: Result<Bytes, Fault>,
}

impl Layout for Answer {
    const KIND: FrameKind = FrameKind::Answer;
    const BODY_BYTES_MAX: usize = limits::ANSWER_BYTES_MAX + limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.put(&self.request);
        match &self.result {
            Ok(value) => {
                to.put(&0u8);
                to.bytes(value);
            }
            Err(fault) => {
                to.put(&1u8);
                to.put(&fault.code);
                to.bytes(fault.text.as_bytes());
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        let request = from.get()?;
        let result = match from.get::<u8>()? {
            0 => Ok(field::bytes(from, limits::ANSWER_BYTES_MAX, "value")?),
            1 => Err(Fault {
                code: from.get()?,
                text: field::text(from, limits::ERROR_TEXT_BYTES_MAX, "error text")?,
            }),
            tag => return Err(Violation::protocol(format!("result {tag}"))),
        };
        Ok(Self { request, result })
    }
}
