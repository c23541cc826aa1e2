//! Bytes of a contract into JSON.

use super::encode::nameless;
use lightmoon_contract::codec::{DecodeError, DecodeReason, Limits, Reader};
use lightmoon_contract::descriptor::{Descriptor, FieldEntry, Scalar, Secrets, Shape, TypeRef};
use serde_json::{Map, Value, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whole numbers up to here are exact in a page.
const EXACT_MAX: u64 = 1 << 53;

/// What stands in place of a field that is secret.
pub(crate) const SECRET: &str = "(secret)";

/// The types, and which of their fields are not shown.
#[derive(Clone, Copy)]
struct Of<'a> {
    types: &'a Descriptor,
    secrets: &'a Secrets,
}

/// The value of this type in `bytes`.
pub(crate) fn decode(descriptor: &Descriptor, kind: &TypeRef, bytes: &[u8]) -> Result<Value, DecodeError> {
    decode_without(descriptor, &Secrets::new(), kind, bytes)
}

/// The same with [`SECRET`] in place of each field that is secret.
pub(crate) fn decode_without(
    types: &Descriptor,
    secrets: &Secrets,
    kind: &TypeRef,
    bytes: &[u8],
) -> Result<Value, DecodeError> {
    let mut from = Reader::new(bytes, Limits::NODE)?;
    let value = value(Of { types, secrets }, kind, &mut from)?;
    from.finish()?;
    Ok(value)
}

fn value(of: Of<'_>, kind: &TypeRef, from: &mut Reader<'_>) -> Result<Value, DecodeError> {
    Ok(match kind {
        TypeRef::Scalar(kind) | TypeRef::NonZero(kind) => scalar(*kind, from)?,
        TypeRef::Text => Value::from(from.get::<String>()?),
        TypeRef::List(item) | TypeRef::Set(item) => {
            let count = from.count(1)?;
            items(of, item, count, from)?
        }
        TypeRef::Array(item, count) => {
            // Items of an array take a byte each at least, or there are none.
            let count = usize::try_from(*count).unwrap_or(usize::MAX);
            if count > from.remaining() {
                return Err(from.error(DecodeReason::End));
            }
            items(of, item, count, from)?
        }
        TypeRef::Map(key, item) => {
            let count = from.count(2)?;
            let mut pairs = Vec::new();
            for _ in 0..count {
                pairs.push(json!([value(of, key, from)?, value(of, item, from)?]));
            }
            Value::Array(pairs)
        }
        TypeRef::Option(inner) => match from.get::<bool>()? {
            false => Value::Null,
            true => value(of, inner, from)?,
        },
        TypeRef::Result(ok, error) => match from.get::<bool>()? {
            false => json!({ "ok": value(of, ok, from)? }),
            true => json!({ "error": value(of, error, from)? }),
        },
        TypeRef::Tuple(parts) if parts.is_empty() => Value::Null,
        TypeRef::Tuple(parts) => {
            let parts: Result<Vec<Value>, _> = parts.iter().map(|part| value(of, part, from)).collect();
            Value::Array(parts?)
        }
        TypeRef::Named(index) => named(of, *index, from)?,
        TypeRef::Ref(_) => exact(from.get()?),
    })
}

fn items(of: Of<'_>, item: &TypeRef, count: usize, from: &mut Reader<'_>) -> Result<Value, DecodeError> {
    let items: Result<Vec<Value>, _> = (0..count).map(|_| value(of, item, from)).collect();
    Ok(Value::Array(items?))
}

fn named(of: Of<'_>, index: u32, from: &mut Reader<'_>) -> Result<Value, DecodeError> {
    let Some(entry) = of.types.named(index) else { return Err(from.error(DecodeReason::Variant)) };
    let secret = of.secrets.get(&index).copied().unwrap_or_default();
    match &entry.shape {
        Shape::Struct { grows: true, fields } => from.window(|from| inside(of, fields, secret, from)),
        Shape::Struct { grows: false, fields } => from.nested(|from| inside(of, fields, secret, from)),
        Shape::Enum { grows, variants } => {
            let number: u32 = from.get()?;
            let variant = variants.iter().find(|variant| variant.number == number);
            let other = || variants.iter().find(|variant| variant.other);
            let Some(variant) = variant.or_else(other) else { return Err(from.error(DecodeReason::Variant)) };
            let fields = if variant.number == number { variant.fields.as_slice() } else { &[] };
            let inside = if *grows {
                from.window(|from| inside(of, fields, &[], from))?
            } else {
                from.nested(|from| inside(of, fields, &[], from))?
            };
            let name = variant.name.clone();
            Ok(if fields.is_empty() { Value::String(name) } else { json!({ name: inside }) })
        }
    }
}

fn inside(
    of: Of<'_>,
    fields: &[FieldEntry],
    secret: &[&str],
    from: &mut Reader<'_>,
) -> Result<Value, DecodeError> {
    let field_of = |field: &FieldEntry, from: &mut Reader<'_>| -> Result<Value, DecodeError> {
        let value = value(of, &field.value, from)?;
        Ok(if secret.contains(&field.name.as_str()) { Value::from(SECRET) } else { value })
    };
    if let Some(only) = nameless(fields) {
        return field_of(only, from);
    }
    let mut object = Map::new();
    for field in fields {
        // An older peer did not know what is missing at the end.
        if from.remaining() == 0 && !matches!(field.value, TypeRef::Tuple(_)) {
            break;
        }
        object.insert(field.name.clone(), field_of(field, from)?);
    }
    Ok(Value::Object(object))
}

fn exact(number: u64) -> Value {
    if number <= EXACT_MAX { Value::from(number) } else { Value::from(number.to_string()) }
}

fn scalar(kind: Scalar, from: &mut Reader<'_>) -> Result<Value, DecodeError> {
    Ok(match kind {
        Scalar::Bool => Value::from(from.get::<bool>()?),
        Scalar::U8 => Value::from(from.get::<u8>()?),
        Scalar::U16 => Value::from(from.get::<u16>()?),
        Scalar::U32 => Value::from(from.get::<u32>()?),
        Scalar::U64 => exact(from.get()?),
        Scalar::U128 => Value::from(from.get::<u128>()?.to_string()),
        Scalar::I8 => Value::from(from.get::<i8>()?),
        Scalar::I16 => Value::from(from.get::<i16>()?),
        Scalar::I32 => Value::from(from.get::<i32>()?),
        Scalar::I64 => {
            let number = from.get::<i64>()?;
            if number.unsigned_abs() <= EXACT_MAX { Value::from(number) } else { number.to_string().into() }
        }
        Scalar::I128 => Value::from(from.get::<i128>()?.to_string()),
        Scalar::F32 => Value::from(from.get::<f32>()?),
        Scalar::F64 => Value::from(from.get::<f64>()?),
        Scalar::Char => Value::from(from.get::<char>()?.to_string()),
        Scalar::Duration => Value::from(from.get::<Duration>()?.as_secs_f64()),
        Scalar::SystemTime => {
            let time: SystemTime = from.get()?;
            Value::from(time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()))
        }
        Scalar::Ipv4 => Value::from(from.get::<Ipv4Addr>()?.to_string()),
        Scalar::Ipv6 => Value::from(from.get::<Ipv6Addr>()?.to_string()),
        Scalar::Ip => Value::from(from.get::<IpAddr>()?.to_string()),
        Scalar::Socket => Value::from(from.get::<SocketAddr>()?.to_string()),
    })
}
