//! Numbers, characters, times and addresses: the one place that meets `wincode`.
//!
//! *Responsible for*: the bytes of values without parts. *Not responsible for*: values with parts (`composite`).
//!
//! Invariants:
//! - I1: no other module names `wincode`; a change of that library ends here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroU8, NonZeroU16, NonZeroU32,
    NonZeroU64, NonZeroU128,
};
use std::time::{Duration, SystemTime};

use wincode::config::Configuration;
use wincode::error::ReadError;
use wincode::int_encoding::{LittleEndian, VarInt};
use wincode::io;
use wincode::len::BincodeLen;
use wincode::{SchemaRead, SchemaWrite};

use super::{Data, DecodeError, DecodeReason, Reader, Writer};
use crate::descriptor::{Scalar, TypeRef, TypeTable};

/// Least first byte that is a tag of a longer integer, not an integer itself.
pub(super) const FIRST_TAG: u8 = 251;

/// bincode 2 "standard": little-endian, variable-length integers. The limits of wincode stay unused: they do not add
/// up over lists, [`Reader`]'s do.
type Standard = Configuration<
    true,
    { wincode::config::PREALLOCATION_SIZE_LIMIT_DISABLED },
    BincodeLen,
    LittleEndian,
    VarInt,
>;

/// Appends a scalar.
#[inline]
pub(super) fn write<T: SchemaWrite<Standard, Src = T>>(value: &T, to: &mut Writer) {
    T::write(Sink(to), value)
        .expect("a writer grows as needed and a scalar has no length that could overflow");
}

/// What `wincode` writes into.
struct Sink<'a>(&'a mut Writer);

impl io::Writer for Sink<'_> {
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) -> io::WriteResult<()> {
        // The length is known where this is inlined: one arm is left.
        if let Ok(bytes) = <[u8; 1]>::try_from(bytes) {
            self.0.array(bytes);
        } else if let Ok(bytes) = <[u8; 2]>::try_from(bytes) {
            self.0.array(bytes);
        } else if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
            self.0.array(bytes);
        } else if let Ok(bytes) = <[u8; 8]>::try_from(bytes) {
            self.0.array(bytes);
        } else {
            self.0.raw(bytes);
        }
        Ok(())
    }
}

/// Reads a scalar.
#[inline]
pub(super) fn read<'a, T>(from: &mut Reader<'a>) -> Result<T, DecodeError>
where
    T: SchemaRead<'a, Standard, Dst = T> + SchemaWrite<Standard, Src = T>,
{
    let at = from.position();
    let before = from.remaining();
    let value = T::get(&mut *from.rest()).map_err(|error| DecodeError::new(at, reason(&error)))?;
    if from.is_strict() && T::size_of(&value).ok() != Some(before - from.remaining()) {
        return Err(DecodeError::new(at, DecodeReason::NotShortest));
    }
    Ok(value)
}

#[cold]
const fn reason(error: &ReadError) -> DecodeReason {
    match error {
        ReadError::Io(io::ReadError::ReadSizeLimit(_)) => DecodeReason::End,
        ReadError::InvalidTagEncoding(_) => DecodeReason::Wide,
        ReadError::InvalidBoolEncoding(_) => DecodeReason::Tag,
        ReadError::InvalidUtf8Encoding(_) | ReadError::InvalidUtf8Code(_) | ReadError::InvalidCharLead(_) => {
            DecodeReason::Char
        }
        // A pointer-sized integer that this machine cannot hold; the rest is said of types that do not come here.
        ReadError::Io(_)
        | ReadError::PointerSizedReadError
        | ReadError::PreallocationSizeLimit { .. }
        | ReadError::LengthEncodingOverflow(_)
        | ReadError::InvalidValue(_)
        | ReadError::TrailingBytes
        | ReadError::Custom(_)
        | ReadError::UnalignedPointerRead
        | ReadError::TagEncodingOverflow(_) => DecodeReason::Range,
    }
}

macro_rules! scalars {
    ($($type:ty, $scalar:ident, $min:literal;)*) => {$(
        impl Data for $type {
            const MIN_BYTES: usize = $min;

            #[inline]
            fn write(&self, to: &mut Writer) {
                write(self, to);
            }

            #[inline]
            fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                read(from)
            }

            fn describe(_: &mut TypeTable) -> TypeRef {
                TypeRef::Scalar(Scalar::$scalar)
            }
        }
    )*};
}

/// Unsigned integers: most are below 251 and take one byte, which costs no call of `wincode`.
macro_rules! unsigned {
    ($($type:ty, $scalar:ident;)*) => {$(
        impl Data for $type {
            const MIN_BYTES: usize = 1;

            #[inline]
            fn write(&self, to: &mut Writer) {
                match u8::try_from(*self) {
                    Ok(short) if short < FIRST_TAG => to.array([short]),
                    _ => write(self, to),
                }
            }

            #[inline]
            fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match *from.rest() {
                    [short, rest @ ..] if *short < FIRST_TAG => {
                        *from.rest() = rest;
                        Ok(Self::from(*short))
                    }
                    _ => read(from),
                }
            }

            fn describe(_: &mut TypeTable) -> TypeRef {
                TypeRef::Scalar(Scalar::$scalar)
            }
        }
    )*};
}

unsigned! {
    u16, U16;
    u32, U32;
    u64, U64;
    u128, U128;
    usize, U64;
}

scalars! {
    i8, I8, 1;
    i16, I16, 1;
    i32, I32, 1;
    i64, I64, 1;
    i128, I128, 1;
    isize, I64, 1;
    f32, F32, 4;
    f64, F64, 8;
    bool, Bool, 1;
    char, Char, 1;
}

impl Data for u8 {
    const MIN_BYTES: usize = 1;

    #[inline]
    fn write(&self, to: &mut Writer) {
        to.raw(&[*self]);
    }

    #[inline]
    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        read(from)
    }

    fn describe(_: &mut TypeTable) -> TypeRef {
        TypeRef::Scalar(Scalar::U8)
    }

    #[inline]
    fn write_items(items: &[Self], to: &mut Writer) {
        to.raw(items);
    }

    #[inline]
    fn read_items(from: &mut Reader<'_>, count: usize) -> Result<Vec<Self>, DecodeError> {
        from.raw(count).map(<[u8]>::to_vec)
    }
}

macro_rules! non_zero {
    ($($type:ty, $inside:ty, $scalar:ident;)*) => {$(
        impl Data for $type {
            const MIN_BYTES: usize = 1;

            #[inline]
            fn write(&self, to: &mut Writer) {
                self.get().write(to);
            }

            #[inline]
            fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = from.position();
                Self::new(from.get::<$inside>()?).ok_or_else(|| DecodeError::new(at, DecodeReason::Zero))
            }

            fn describe(_: &mut TypeTable) -> TypeRef {
                TypeRef::NonZero(Scalar::$scalar)
            }
        }
    )*};
}

non_zero! {
    NonZeroU8, u8, U8;
    NonZeroU16, u16, U16;
    NonZeroU32, u32, U32;
    NonZeroU64, u64, U64;
    NonZeroU128, u128, U128;
    NonZeroI8, i8, I8;
    NonZeroI16, i16, I16;
    NonZeroI32, i32, I32;
    NonZeroI64, i64, I64;
    NonZeroI128, i128, I128;
}

impl Data for Duration {
    const MIN_BYTES: usize = 2;

    fn write(&self, to: &mut Writer) {
        write(self, to);
    }

    /// Refuses nanoseconds of a second and more, which `wincode` would carry over: one value, one form.
    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = from.position();
        let seconds = from.get::<u64>()?;
        let nanos = from.get::<u32>()?;
        if nanos >= 1_000_000_000 {
            return Err(DecodeError::new(at, DecodeReason::Time));
        }
        Ok(Self::new(seconds, nanos))
    }

    fn describe(_: &mut TypeTable) -> TypeRef {
        TypeRef::Scalar(Scalar::Duration)
    }
}

/// Time since 1970; earlier times are written as 1970.
impl Data for SystemTime {
    const MIN_BYTES: usize = 2;

    fn write(&self, to: &mut Writer) {
        self.duration_since(Self::UNIX_EPOCH).unwrap_or_default().write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = from.position();
        let since = from.get::<Duration>()?;
        Self::UNIX_EPOCH.checked_add(since).ok_or_else(|| DecodeError::new(at, DecodeReason::Time))
    }

    fn describe(_: &mut TypeTable) -> TypeRef {
        TypeRef::Scalar(Scalar::SystemTime)
    }
}

impl Data for Ipv4Addr {
    const MIN_BYTES: usize = 4;

    fn write(&self, to: &mut Writer) {
        write(self, to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        read(from)
    }

    fn describe(_: &mut TypeTable) -> TypeRef {
        TypeRef::Scalar(Scalar::Ipv4)
    }
}

impl Data for Ipv6Addr {
    const MIN_BYTES: usize = 16;

    fn write(&self, to: &mut Writer) {
        write(self, to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        read(from)
    }

    fn describe(_: &mut TypeTable) -> TypeRef {
        TypeRef::Scalar(Scalar::Ipv6)
    }
}

/// Reads the tag of an address: 0 for version 4, 1 for version 6.
fn is_version_6(from: &mut Reader<'_>) -> Result<bool, DecodeError> {
    let at = from.position();
    match from.get::<u32>()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::new(at, DecodeReason::Tag)),
    }
}

impl Data for IpAddr {
    const MIN_BYTES: usize = 5;

    fn write(&self, to: &mut Writer) {
        write(self, to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if is_version_6(from)? { Ok(Self::V6(from.get()?)) } else { Ok(Self::V4(from.get()?)) }
    }

    fn describe(_: &mut TypeTable) -> TypeRef {
        TypeRef::Scalar(Scalar::Ip)
    }
}

/// Address and port; flow label and scope of version 6 do not travel.
impl Data for SocketAddr {
    const MIN_BYTES: usize = 6;

    fn write(&self, to: &mut Writer) {
        write(self, to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if is_version_6(from)? {
            Ok(Self::V6(SocketAddrV6::new(from.get()?, from.get()?, 0, 0)))
        } else {
            Ok(Self::V4(SocketAddrV4::new(from.get()?, from.get()?)))
        }
    }

    fn describe(_: &mut TypeTable) -> TypeRef {
        TypeRef::Scalar(Scalar::Socket)
    }
}
