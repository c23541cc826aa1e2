//! Types whose values are kept in a store, longer than the build that wrote them.
//!
//! *Responsible for*: [`Persist`]: the name and version of a type, and how values of older versions are read.
//! *Not responsible for*: records, checksums and when a value is written (`durable`), or where (`store`).
//!
//! Invariants:
//! - I1: a name never changes and is never given to a second type: it is all that a store knows of a type.
//! - I2: a value of a newer version is never read and never written over.

use crate::{Data, DecodeError};

/// A value that can be kept: state of an actor, a component of a durable entity.
///
/// Values are kept as their bytes, with [`NAME`](Self::NAME) and [`VERSION`](Self::VERSION) beside them. A growing type
/// (`#[data]`) takes new fields at its end without a new version. Everything else is a new version: raise
/// [`VERSION`](Self::VERSION) and let [`upgrade`](Self::upgrade) read what older builds wrote. Values are upgraded when they
/// are loaded, one by one.
///
/// # Examples
///
/// A hull was an integer in percent, and became a number with a shield beside it:
///
/// ```
/// use lightmoon_contract::{Limits, Persist, UpgradeError, codec, data};
///
/// #[data]
/// #[derive(Clone, Debug, Default, PartialEq)]
/// pub struct Hull {
///     pub left: f32,
///     pub shield: f32,
/// }
///
/// /// What version 1 of [`Hull`] was.
/// #[data]
/// #[derive(Default)]
/// struct HullV1 {
///     percent: u8,
/// }
///
/// impl Persist for Hull {
///     const NAME: &'static str = "hull";
///     const VERSION: u16 = 2;
///
///     fn upgrade(version: u16, bytes: &[u8]) -> Result<Self, UpgradeError> {
///         match version {
///             1 => {
///                 let old: HullV1 = codec::decode(bytes, Limits::NODE)
///                     .map_err(|error| UpgradeError::unreadable::<Self>(version, error))?;
///                 Ok(Self { left: f32::from(old.percent) / 100.0, shield: 0.0 })
///             }
///             _ => Err(UpgradeError::unknown::<Self>(version)),
///         }
///     }
/// }
///
/// let kept = codec::encode(&HullV1 { percent: 50 });
/// assert_eq!(Hull::upgrade(1, &kept), Ok(Hull { left: 0.5, shield: 0.0 }));
/// assert_eq!(Hull::upgrade(7, &kept).unwrap_err().to_string(), "no way to read version 7 of `hull`, this build has version 2");
/// ```
pub trait Persist: Data {
    /// What the store calls this type: 1 to [`PERSIST_NAME_BYTES_MAX`](crate::limits::PERSIST_NAME_BYTES_MAX) bytes,
    /// unique in the game. The type may be renamed and moved, this may not.
    const NAME: &'static str;

    /// The version that this build writes; from 1 upwards.
    const VERSION: u16 = 1;

    /// The value of `bytes` that a build of an older `version` wrote. `version` is at least 1 and below
    /// [`VERSION`](Self::VERSION).
    ///
    /// The default knows no older version.
    ///
    /// # Errors
    /// No code reads that version, or the bytes are not of it. The actor is not started, and its callers get
    /// [`CallError::Unreadable`](crate::CallError::Unreadable).
    fn upgrade(version: u16, bytes: &[u8]) -> Result<Self, UpgradeError> {
        let _ = bytes;
        Err(UpgradeError::unknown::<Self>(version))
    }
}

/// Why a value of an older version could not be read. Do not retry; nothing is lost, a build that can read it will.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// No code reads this version. Add the step to the type's [`Persist::upgrade`].
    #[error("no way to read version {version} of `{name}`, this build has version {current}")]
    Unknown {
        /// [`Persist::NAME`] of the type.
        name: &'static str,
        /// The version that was found.
        version: u16,
        /// [`Persist::VERSION`] of this build.
        current: u16,
    },
    /// The bytes are not of the version that stands beside them. Correct the step in [`Persist::upgrade`]: what it reads
    /// has to be what that version wrote.
    #[error("version {version} of `{name}` could not be read")]
    Unreadable {
        /// [`Persist::NAME`] of the type.
        name: &'static str,
        /// The version that was found.
        version: u16,
        /// What is wrong with the bytes.
        #[source]
        source: DecodeError,
    },
}

impl UpgradeError {
    /// No code of `T` reads this version.
    #[must_use]
    pub const fn unknown<T: Persist>(version: u16) -> Self {
        Self::Unknown { name: T::NAME, version, current: T::VERSION }
    }

    /// The bytes are not of this version of `T`.
    #[must_use]
    pub const fn unreadable<T: Persist>(version: u16, source: DecodeError) -> Self {
        Self::Unreadable { name: T::NAME, version, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;

    #[data]
    #[derive(Debug, Default, PartialEq)]
    struct Purse {
        coins: u64,
    }

    impl Persist for Purse {
        const NAME: &'static str = "purse";
    }

    #[test]
    fn a_type_of_one_version_reads_no_other() {
        assert_eq!(Purse::VERSION, 1);
        let error = Purse::upgrade(3, &[]).unwrap_err();
        assert_eq!(error, UpgradeError::Unknown { name: "purse", version: 3, current: 1 });
    }
}
