//! Hello: the first frame of a client.
//!
//! ```text
//! minor u16 | features u64 | fingerprint u128 | token bytes ≤ 1,024
//! ```
//! Control lane, once, before anything else. Its layout is the same in all minors of `lightmoon/1`.

use std::fmt;

use bytes::Bytes;
use lightmoon_contract::{Fingerprint, Reader, Writer};

use super::{FrameKind, Layout, field};
use crate::close::Violation;
use crate::limits;

/// Who the client is and what it was built from.
#[derive(Clone, PartialEq, Eq)]
pub struct Hello {
    /// The newest minor version the client speaks.
    pub minor: u16,
    /// Bits of optional abilities; unknown ones are ignored.
    pub features: u64,
    /// Fingerprint of the contracts the client was built from.
    pub fingerprint: Fingerprint,
    /// What the server's authenticator reads; at most [`limits::TOKEN_BYTES_MAX`].
    pub token: Bytes,
}

impl fmt::Debug for Hello {
    /// Leaves out the token: it is a secret, and this ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello")
            .field("minor", &self.minor)
            .field("features", &self.features)
            .field("fingerprint", &self.fingerprint)
            .field("token_bytes", &self.token.len())
            .finish()
    }
}

impl Layout for Hello {
    const KIND: FrameKind = FrameKind::Hello;
    const BODY_BYTES_MAX: usize = limits::TOKEN_BYTES_MAX + limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.put(&self.minor);
        to.put(&self.features);
        to.put(&self.fingerprint);
        to.bytes(&self.token);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self {
            minor: from.get()?,
            features: from.get()?,
            fingerprint: from.get()?,
            token: field::bytes(from, limits::TOKEN_BYTES_MAX, "token")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_reaches_a_log() {
        let hello = Hello { minor: 0, features: 0, fingerprint: Fingerprint(0), token: "secret".into() };
        assert!(!format!("{hello:?}").contains("secret"));
    }
}
