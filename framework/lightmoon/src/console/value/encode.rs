//! JSON into the bytes of a contract.

use lightmoon_contract::Writer;
use lightmoon_contract::descriptor::{Descriptor, FieldEntry, Scalar, Shape, TypeRef, VariantEntry};
use serde_json::{Map, Value};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What does not fit, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wrong {
    path: String,
    wants: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` has to be {}", self.path, self.wants)
    }
}

fn wrong<T>(path: &str, wants: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { path: path.to_owned(), wants: wants.into() })
}

/// The bytes of an operation's arguments, which are fields of a growing struct.
pub(crate) fn arguments(
    descriptor: &Descriptor,
    fields: &[FieldEntry],
    given: &Value,
) -> Result<Vec<u8>, Wrong> {
    let mut to = Encoder { descriptor, writer: Writer::new() };
    to.window(|to| to.fields(fields, given, "arguments"))?;
    Ok(to.writer.into_bytes())
}

struct Encoder<'a> {
    descriptor: &'a Descriptor,
    writer: Writer,
}

impl Encoder<'_> {
    /// What `fill` writes, behind its length.
    fn window(&mut self, fill: impl FnOnce(&mut Self) -> Result<(), Wrong>) -> Result<(), Wrong> {
        let mut inner = Self { descriptor: self.descriptor, writer: Writer::new() };
        fill(&mut inner)?;
        self.writer.bytes(inner.writer.as_bytes());
        Ok(())
    }

    fn fields(&mut self, fields: &[FieldEntry], given: &Value, path: &str) -> Result<(), Wrong> {
        if let Some(only) = nameless(fields) {
            return self.value(&only.value, given, path);
        }
        let none = Map::new();
        let Some(given) =
            given.as_object().or_else(|| (given.is_null() && fields.is_empty()).then_some(&none))
        else {
            return wrong(path, "an object with its fields");
        };
        if let Some(name) = given.keys().find(|name| !fields.iter().any(|field| field.name == **name)) {
            return wrong(&format!("{path}.{name}"), "left out: there is no such field");
        }
        for field in fields {
            let path = format!("{path}.{}", field.name);
            match given.get(&field.name) {
                Some(value) => self.value(&field.value, value, &path)?,
                None => return wrong(&path, "given"),
            }
        }
        Ok(())
    }

    fn value(&mut self, kind: &TypeRef, given: &Value, path: &str) -> Result<(), Wrong> {
        match kind {
            TypeRef::Scalar(scalar) => self.scalar(*scalar, given, path),
            TypeRef::NonZero(_) if matches!(text_of(given).as_deref(), Some("0")) => {
                wrong(path, "a number that is not 0")
            }
            TypeRef::NonZero(scalar) => self.scalar(*scalar, given, path),
            TypeRef::Text => {
                let Some(text) = given.as_str() else { return wrong(path, "text") };
                self.writer.bytes(text.as_bytes());
                Ok(())
            }
            TypeRef::List(item) | TypeRef::Set(item) => {
                let items = list(given, path)?;
                self.writer.count(items.len());
                self.items(item, items, path)
            }
            TypeRef::Array(item, count) => {
                let items = list(given, path)?;
                if u64::try_from(items.len()) != Ok(*count) {
                    return wrong(path, format!("a list of {count}"));
                }
                self.items(item, items, path)
            }
            TypeRef::Map(key, value) => {
                let pairs = list(given, path)?;
                self.writer.count(pairs.len());
                pairs.iter().enumerate().try_for_each(|(at, pair)| {
                    let path = format!("{path}[{at}]");
                    let Some([k, v]) = pair.as_array().map(Vec::as_slice) else {
                        return wrong(&path, "a key and a value");
                    };
                    self.value(key, k, &path)?;
                    self.value(value, v, &path)
                })
            }
            TypeRef::Option(inner) => {
                self.writer.put(&!given.is_null());
                if given.is_null() { Ok(()) } else { self.value(inner, given, path) }
            }
            TypeRef::Result(ok, error) => {
                let (is_error, value) =
                    match given.as_object().map(|given| (given.get("ok"), given.get("error"))) {
                        Some((Some(value), None)) => (false, value),
                        Some((None, Some(value))) => (true, value),
                        _ => return wrong(path, "an object with `ok` or with `error`"),
                    };
                self.writer.put(&is_error);
                self.value(if is_error { error } else { ok }, value, path)
            }
            TypeRef::Tuple(parts) if parts.is_empty() => Ok(()),
            TypeRef::Tuple(parts) => {
                let items = list(given, path)?;
                if items.len() != parts.len() {
                    return wrong(path, format!("a list of {}", parts.len()));
                }
                parts.iter().zip(items).try_for_each(|(part, item)| self.value(part, item, path))
            }
            TypeRef::Named(index) => self.named(*index, given, path),
            TypeRef::Ref(_) => self.scalar(Scalar::U64, given, path),
        }
    }

    fn items(&mut self, item: &TypeRef, items: &[Value], path: &str) -> Result<(), Wrong> {
        items.iter().enumerate().try_for_each(|(at, value)| self.value(item, value, &format!("{path}[{at}]")))
    }

    fn named(&mut self, index: u32, given: &Value, path: &str) -> Result<(), Wrong> {
        let Some(entry) = self.descriptor.named(index) else {
            return wrong(path, "of a type that the contracts have");
        };
        match &entry.shape {
            Shape::Struct { grows: true, fields } => self.window(|to| to.fields(fields, given, path)),
            Shape::Struct { grows: false, fields } => self.fields(fields, given, path),
            Shape::Enum { grows, variants } => {
                let (variant, inside) = chosen(variants, given, path)?;
                self.writer.put(&variant.number);
                let path = format!("{path}.{}", variant.name);
                if *grows {
                    self.window(|to| to.fields(&variant.fields, inside, &path))
                } else {
                    self.fields(&variant.fields, inside, &path)
                }
            }
        }
    }

    fn scalar(&mut self, scalar: Scalar, given: &Value, path: &str) -> Result<(), Wrong> {
        let to = &mut self.writer;
        match scalar {
            Scalar::Bool => match given.as_bool() {
                Some(value) => to.put(&value),
                None => return wrong(path, "true or false"),
            },
            Scalar::U8 => to.put(&number::<u8>(given, path)?),
            Scalar::U16 => to.put(&number::<u16>(given, path)?),
            Scalar::U32 => to.put(&number::<u32>(given, path)?),
            Scalar::U64 => to.put(&number::<u64>(given, path)?),
            Scalar::U128 => to.put(&number::<u128>(given, path)?),
            Scalar::I8 => to.put(&number::<i8>(given, path)?),
            Scalar::I16 => to.put(&number::<i16>(given, path)?),
            Scalar::I32 => to.put(&number::<i32>(given, path)?),
            Scalar::I64 => to.put(&number::<i64>(given, path)?),
            Scalar::I128 => to.put(&number::<i128>(given, path)?),
            Scalar::F32 => to.put(&number::<f32>(given, path)?),
            Scalar::F64 => to.put(&number::<f64>(given, path)?),
            Scalar::Char => to.put(&parsed::<char>(given, path, "one character")?),
            Scalar::Duration => to.put(&seconds(given, path)?),
            Scalar::SystemTime => match UNIX_EPOCH.checked_add(seconds(given, path)?) {
                Some(time) => to.put::<SystemTime>(&time),
                None => return wrong(path, "seconds since 1970"),
            },
            Scalar::Ipv4 => to.put(&parsed::<Ipv4Addr>(given, path, "an IPv4 address")?),
            Scalar::Ipv6 => to.put(&parsed::<Ipv6Addr>(given, path, "an IPv6 address")?),
            Scalar::Ip => to.put(&parsed::<IpAddr>(given, path, "an IP address")?),
            Scalar::Socket => to.put(&parsed::<SocketAddr>(given, path, "an address with a port")?),
        }
        Ok(())
    }
}

/// The one field of a struct that only gives a value another name.
pub(crate) fn nameless(fields: &[FieldEntry]) -> Option<&FieldEntry> {
    match fields {
        [only] if only.name == "0" => Some(only),
        _ => None,
    }
}

/// The variant that is meant, and its fields.
fn chosen<'a>(
    variants: &'a [VariantEntry],
    given: &'a Value,
    path: &str,
) -> Result<(&'a VariantEntry, &'a Value), Wrong> {
    let only = given.as_object().filter(|given| given.len() == 1).and_then(|given| given.iter().next());
    let (name, inside) = match (given.as_str(), only) {
        (Some(name), _) => (name, &Value::Null),
        (None, Some((name, inside))) => (name.as_str(), inside),
        (None, None) => ("", &Value::Null),
    };
    match variants.iter().find(|variant| variant.name == name) {
        Some(variant) => Ok((variant, inside)),
        None => {
            let names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
            wrong(path, format!("one of {}", names.join(", ")))
        }
    }
}

fn list<'a>(given: &'a Value, path: &str) -> Result<&'a [Value], Wrong> {
    given.as_array().map_or_else(|| wrong(path, "a list"), |items| Ok(items.as_slice()))
}

/// What stands there as text: of a number its digits.
fn text_of(given: &Value) -> Option<String> {
    match given {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn parsed<T: FromStr>(given: &Value, path: &str, wants: &str) -> Result<T, Wrong> {
    match text_of(given).and_then(|text| text.parse().ok()) {
        Some(value) => Ok(value),
        None => wrong(path, wants),
    }
}

fn number<T: FromStr>(given: &Value, path: &str) -> Result<T, Wrong> {
    parsed(given, path, &format!("a number of type {}", std::any::type_name::<T>()))
}

fn seconds(given: &Value, path: &str) -> Result<Duration, Wrong> {
    let seconds: f64 = number(given, path)?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) => Ok(time),
        Err(_) => wrong(path, "seconds, not negative"),
    }
}
