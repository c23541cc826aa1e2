//! Types as JSDoc typedefs with functions that read and write them.
//!
//! *Responsible for*: what a Rust type is in JavaScript. *Not responsible for*: bytes (the SDK's `Reader` and `Writer`).
//!
//! | Rust | JavaScript |
//! |---|---|
//! | integers to 32 bits, floats | `number` |
//! | 64 and 128 bits, keys of actors | `bigint` |
//! | `String`, `char` | `string` |
//! | `Vec<u8>`; `Vec<T>`, sets, arrays | `Uint8Array`; `T[]` |
//! | maps | `Map` |
//! | `Option<T>` | `T \| undefined` |
//! | `Result<T, E>` | `{ok: T} \| {err: E}` |
//! | struct of one unnamed field | that field |
//! | enum without fields; with fields | its variants' names; `{is: "Variant", …}` |

use super::put;
use super::reach::Reach;
use super::text::{camel, docs, docs_line, literal};
use crate::descriptor::{Descriptor, Error, Field, Shape, Type, TypeRef, Variant};

/// Writes typedef, default, reader and writer of a type, as far as clients meet it.
pub(super) fn write(out: &mut String, entry: &Type, all: &Descriptor, reach: &Reach) -> Result<(), Error> {
    if !reach.holds(&entry.name) || transparent(entry).is_some() {
        return Ok(());
    }
    match &entry.shape {
        Shape::Struct { grows, fields } => write_struct(out, entry, *grows, fields, all, reach),
        Shape::Enum { grows, variants } => write_enum(out, entry, *grows, variants, all, reach),
    }
}

/// The only field of a wrapper, which is shown as that field.
fn transparent(entry: &Type) -> Option<&Field> {
    match &entry.shape {
        Shape::Struct { grows: false, fields } => match fields.as_slice() {
            [field] if field.name == "0" => Some(field),
            _ => None,
        },
        Shape::Struct { .. } | Shape::Enum { .. } => None,
    }
}

fn write_struct(
    out: &mut String,
    entry: &Type,
    grows: bool,
    fields: &[Field],
    all: &Descriptor,
    reach: &Reach,
) -> Result<(), Error> {
    let name = &entry.name;
    put(out, &format!("\n/**\n{} * @typedef {{object}} {name}\n", docs(&entry.docs, "")));
    for field in fields {
        let (shown, line) = (shown(&field.value, all)?, docs_line(&field.docs));
        put(out, &format!(" * @property {{{shown}}} {}{line}\n", camel(&field.name)));
    }
    put(out, " */\n");
    if reach.written.contains(name) {
        put(out, &format!("\n/**\n * @param {{Writer}} to\n * @param {{{name}}} value\n */\n"));
        let lines = field_writes(fields, "value.", all, if grows { "    " } else { "  " })?;
        let body = if grows { format!("  to.growing((to) => {{\n{lines}  }});\n") } else { lines };
        put(out, &format!("export function write{name}(to, value) {{\n{body}}}\n"));
    }
    if reach.read.contains(name) {
        let (body, value) = object_read(fields, "", all, grows, "    ")?;
        put(out, &format!("\n/**\n * @param {{Reader}} from\n * @returns {{{name}}}\n */\n"));
        let read = if grows { format!("from.growing((from) => ({value}))") } else { value };
        put(out, &format!("export function read{name}(from) {{\n{body}  return {read};\n}}\n"));
        write_default(out, name, &object_default(fields, "", all)?);
    }
    Ok(())
}

fn write_enum(
    out: &mut String,
    entry: &Type,
    grows: bool,
    variants: &[Variant],
    all: &Descriptor,
    reach: &Reach,
) -> Result<(), Error> {
    let name = &entry.name;
    let plain = is_plain(variants);
    let mut cases = Vec::new();
    for variant in variants {
        cases.push(variant_shown(variant, plain, all)?);
    }
    put(out, &format!("\n/**\n{}", docs(&entry.docs, "")));
    for variant in variants {
        put(out, &format!(" * - `{}`:{}\n", variant.name, docs_line(&variant.docs)));
    }
    put(out, &format!(" * @typedef {{{}}} {name}\n */\n", cases.join(" | ")));
    if reach.written.contains(name) {
        write_enum_writer(out, name, grows, variants, all)?;
    }
    if reach.read.contains(name) {
        write_enum_reader(out, name, grows, variants, all)?;
        let default = variants.iter().find(|variant| variant.other).or_else(|| variants.first());
        let value = match default {
            Some(variant) => {
                variant_value(variant, plain, &object_default(&variant.fields, &tag(variant), all)?)
            }
            None => format!("unknownVariant({}, 0)", literal(name)),
        };
        write_default(out, name, &value);
    }
    Ok(())
}

fn write_enum_writer(
    out: &mut String,
    name: &str,
    grows: bool,
    variants: &[Variant],
    all: &Descriptor,
) -> Result<(), Error> {
    let subject = if is_plain(variants) { "value" } else { "value.is" };
    put(out, &format!("\n/**\n * @param {{Writer}} to\n * @param {{{name}}} value\n */\n"));
    put(out, &format!("export function write{name}(to, value) {{\n  switch ({subject}) {{\n"));
    for variant in variants {
        put(out, &format!("    case {}:\n      to.u32({});\n", literal(&variant.name), variant.number));
        let inner = if grows && !variant.fields.is_empty() { "        " } else { "      " };
        let lines = field_writes(&variant.fields, "value.", all, inner)?;
        put(
            out,
            &match (grows, variant.fields.is_empty()) {
                (true, true) => "      to.count(0);\n".to_owned(),
                (true, false) => format!("      to.growing((to) => {{\n{lines}      }});\n"),
                (false, _) => lines,
            },
        );
        put(out, "      return;\n");
    }
    put(out, "  }\n}\n");
    Ok(())
}

fn write_enum_reader(
    out: &mut String,
    name: &str,
    grows: bool,
    variants: &[Variant],
    all: &Descriptor,
) -> Result<(), Error> {
    let plain = is_plain(variants);
    put(out, &format!("\n/**\n * @param {{Reader}} from\n * @returns {{{name}}}\n */\n"));
    put(out, &format!("export function read{name}(from) {{\n  const number = from.u32();\n"));
    let (open, close, indent) =
        if grows { ("  return from.growing((from) => {\n", "  });\n", "    ") } else { ("", "", "  ") };
    put(out, &format!("{open}{indent}switch (number) {{\n"));
    for variant in variants {
        let (_, value) = object_read(&variant.fields, &tag(variant), all, grows, &format!("{indent}    "))?;
        let value = variant_value(variant, plain, &value);
        put(out, &format!("{indent}  case {}:\n{indent}    return {value};\n", variant.number));
    }
    let unknown = match variants.iter().find(|variant| variant.other) {
        Some(other) => variant_value(other, plain, &object_default(&other.fields, &tag(other), all)?),
        None => format!("unknownVariant({}, number)", literal(name)),
    };
    put(out, &format!("{indent}  default:\n{indent}    return {unknown};\n{indent}}}\n{close}}}\n"));
    // The window is unused when no variant has fields; JavaScript has no lint for that, readers of the code do.
    if grows && variants.iter().all(|variant| variant.fields.is_empty()) {
        *out = out.replace(
            "from.growing((from) => {\n    switch (number)",
            "from.growing(() => {\n    switch (number)",
        );
    }
    Ok(())
}

fn write_default(out: &mut String, name: &str, value: &str) {
    put(
        out,
        &format!(
            "\n/** @returns {{{name}}} what stands where an older peer sent none */\nexport function default{name}() {{\n  return {value};\n}}\n"
        ),
    );
}

/// Whether no variant has fields.
fn is_plain(variants: &[Variant]) -> bool {
    variants.iter().all(|variant| variant.fields.is_empty())
}

/// The property that tells variants apart.
fn tag(variant: &Variant) -> String {
    format!("is: {}", literal(&variant.name))
}

fn variant_value(variant: &Variant, plain: bool, object: &str) -> String {
    if !plain {
        return object.to_owned();
    }
    literal(&variant.name)
}

fn variant_shown(variant: &Variant, plain: bool, all: &Descriptor) -> Result<String, Error> {
    let name = literal(&variant.name);
    if plain {
        return Ok(name);
    }
    let mut parts = vec![format!("is: {name}")];
    for field in &variant.fields {
        parts.push(format!("{}: {}", camel(&field.name), shown(&field.value, all)?));
    }
    Ok(format!("{{{}}}", parts.join(", ")))
}

/// Statements that write fields of an object.
pub(super) fn field_writes(
    fields: &[Field],
    object: &str,
    all: &Descriptor,
    indent: &str,
) -> Result<String, Error> {
    let mut out = String::new();
    for field in fields {
        let value = format!("{object}{}", camel(&field.name));
        put(&mut out, &format!("{indent}{};\n", written(&field.value, &value, all)?));
    }
    Ok(out)
}

/// An object literal that reads fields; the first part of the pair stands before it.
fn object_read(
    fields: &[Field],
    tag: &str,
    all: &Descriptor,
    grows: bool,
    indent: &str,
) -> Result<(String, String), Error> {
    let mut lines = Vec::new();
    if !tag.is_empty() {
        lines.push(tag.to_owned());
    }
    for field in fields {
        let name = camel(&field.name);
        lines.push(format!("{name}: {}", field_read(field, grows, all)?));
    }
    let inside: String = lines.iter().map(|line| format!("{indent}{line},\n")).collect();
    let end = &indent[..indent.len() - 2];
    let text = if lines.is_empty() { "{}".to_owned() } else { format!("{{\n{inside}{end}}}") };
    Ok((String::new(), text))
}

/// An expression that reads a field, or takes its default where an older peer's value ends.
pub(super) fn field_read(field: &Field, grows: bool, all: &Descriptor) -> Result<String, Error> {
    let value = read(&field.value, all)?;
    if field.required || !grows {
        return Ok(value);
    }
    Ok(format!("from.field((from) => {value}, {})", default(&field.value, all)?))
}

fn object_default(fields: &[Field], tag: &str, all: &Descriptor) -> Result<String, Error> {
    let mut parts = Vec::new();
    if !tag.is_empty() {
        parts.push(tag.to_owned());
    }
    for field in fields {
        parts.push(format!("{}: {}", camel(&field.name), default(&field.value, all)?));
    }
    Ok(if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join(", ")) })
}

/// The type of a value in JSDoc.
pub(super) fn shown(value: &TypeRef, all: &Descriptor) -> Result<String, Error> {
    Ok(match value {
        TypeRef::Scalar(name) | TypeRef::NonZero(name) => scalar(name)?.shown.to_owned(),
        TypeRef::Text => "string".to_owned(),
        TypeRef::Ref => "bigint".to_owned(),
        TypeRef::List(item) if is_byte(item) => "Uint8Array".to_owned(),
        TypeRef::List(item) | TypeRef::Set(item) | TypeRef::Array(item, _) => {
            format!("({})[]", shown(item, all)?)
        }
        TypeRef::Map(key, value) => format!("Map<{}, {}>", shown(key, all)?, shown(value, all)?),
        TypeRef::Option(inside) => format!("{} | undefined", shown(inside, all)?),
        TypeRef::Result(ok, err) => format!("{{ok: {}}} | {{err: {}}}", shown(ok, all)?, shown(err, all)?),
        TypeRef::Tuple(items) if items.is_empty() => "undefined".to_owned(),
        TypeRef::Tuple(items) => {
            let items = items.iter().map(|item| shown(item, all)).collect::<Result<Vec<_>, _>>()?;
            format!("[{}]", items.join(", "))
        }
        TypeRef::Named(name) => match transparent(all.named(name)?) {
            Some(field) => shown(&field.value, all)?,
            None => name.clone(),
        },
    })
}

/// An expression that reads a value from `from`.
pub(super) fn read(value: &TypeRef, all: &Descriptor) -> Result<String, Error> {
    Ok(match value {
        TypeRef::Scalar(name) => format!("from.{}()", scalar(name)?.method),
        TypeRef::NonZero(name) => format!("from.nonZero(from.{}())", scalar(name)?.method),
        TypeRef::Text => "from.text()".to_owned(),
        TypeRef::Ref => "from.u64()".to_owned(),
        TypeRef::List(item) if is_byte(item) => "from.bytes()".to_owned(),
        TypeRef::List(item) | TypeRef::Set(item) => format!("from.list((from) => {})", read(item, all)?),
        TypeRef::Array(item, count) => format!("from.array({count}, (from) => {})", read(item, all)?),
        TypeRef::Map(key, value) => {
            format!("from.map((from) => {}, (from) => {})", read(key, all)?, read(value, all)?)
        }
        TypeRef::Option(inside) => format!("from.option((from) => {})", read(inside, all)?),
        TypeRef::Result(ok, err) => {
            format!("from.result((from) => {}, (from) => {})", read(ok, all)?, read(err, all)?)
        }
        TypeRef::Tuple(items) if items.is_empty() => "undefined".to_owned(),
        TypeRef::Tuple(items) => {
            let items = items.iter().map(|item| read(item, all)).collect::<Result<Vec<_>, _>>()?;
            format!("[{}]", items.join(", "))
        }
        TypeRef::Named(name) => match transparent(all.named(name)?) {
            Some(field) => read(&field.value, all)?,
            None => format!("read{name}(from)"),
        },
    })
}

/// A statement that writes `expression` to `to`.
pub(super) fn written(value: &TypeRef, expression: &str, all: &Descriptor) -> Result<String, Error> {
    Ok(match value {
        TypeRef::Scalar(name) | TypeRef::NonZero(name) => {
            format!("to.{}({expression})", scalar(name)?.method)
        }
        TypeRef::Text => format!("to.text({expression})"),
        TypeRef::Ref => format!("to.u64({expression})"),
        TypeRef::List(item) if is_byte(item) => format!("to.bytes({expression})"),
        TypeRef::List(item) | TypeRef::Set(item) => {
            format!("to.list({expression}, (to, item) => {})", written(item, "item", all)?)
        }
        TypeRef::Array(item, count) => {
            format!("to.array({count}, {expression}, (to, item) => {})", written(item, "item", all)?)
        }
        TypeRef::Map(key, inside) => format!(
            "to.map({expression}, (to, key) => {}, (to, item) => {})",
            written(key, "key", all)?,
            written(inside, "item", all)?
        ),
        TypeRef::Option(inside) => {
            format!("to.option({expression}, (to, item) => {})", written(inside, "item", all)?)
        }
        TypeRef::Result(ok, err) => format!(
            "to.result({expression}, (to, item) => {}, (to, item) => {})",
            written(ok, "item", all)?,
            written(err, "item", all)?
        ),
        TypeRef::Tuple(items) if items.is_empty() => "void 0".to_owned(),
        TypeRef::Tuple(items) => {
            let parts =
                items.iter().enumerate().map(|(i, item)| written(item, &format!("{expression}[{i}]"), all));
            parts.collect::<Result<Vec<_>, _>>()?.join(", ")
        }
        TypeRef::Named(name) => match transparent(all.named(name)?) {
            Some(field) => written(&field.value, expression, all)?,
            None => format!("write{name}(to, {expression})"),
        },
    })
}

/// What a field is when an older peer did not send it.
fn default(value: &TypeRef, all: &Descriptor) -> Result<String, Error> {
    Ok(match value {
        TypeRef::Scalar(name) => scalar(name)?.default.to_owned(),
        TypeRef::NonZero(name) => if scalar(name)?.shown == "bigint" { "1n" } else { "1" }.to_owned(),
        TypeRef::Text => "\"\"".to_owned(),
        TypeRef::Ref => "0n".to_owned(),
        TypeRef::List(item) if is_byte(item) => "new Uint8Array(0)".to_owned(),
        TypeRef::List(_) | TypeRef::Set(_) => "[]".to_owned(),
        TypeRef::Array(item, count) => {
            format!("Array.from({{ length: {count} }}, () => {})", default(item, all)?)
        }
        TypeRef::Map(..) => "new Map()".to_owned(),
        TypeRef::Option(_) => "undefined".to_owned(),
        TypeRef::Result(ok, _) => format!("{{ ok: {} }}", default(ok, all)?),
        TypeRef::Tuple(items) if items.is_empty() => "undefined".to_owned(),
        TypeRef::Tuple(items) => {
            let items = items.iter().map(|item| default(item, all)).collect::<Result<Vec<_>, _>>()?;
            format!("[{}]", items.join(", "))
        }
        TypeRef::Named(name) => match transparent(all.named(name)?) {
            Some(field) => default(&field.value, all)?,
            None => format!("default{name}()"),
        },
    })
}

fn is_byte(item: &TypeRef) -> bool {
    *item == TypeRef::Scalar("u8".to_owned())
}

/// A value without parts in JavaScript.
struct Scalar {
    /// Its type.
    shown: &'static str,
    /// The method of reader and writer.
    method: &'static str,
    default: &'static str,
}

fn scalar(name: &str) -> Result<Scalar, Error> {
    let of = |shown, method, default| Ok(Scalar { shown, method, default });
    match name {
        "bool" => of("boolean", "bool", "false"),
        "u8" => of("number", "u8", "0"),
        "u16" => of("number", "u16", "0"),
        "u32" => of("number", "u32", "0"),
        "i8" => of("number", "i8", "0"),
        "i16" => of("number", "i16", "0"),
        "i32" => of("number", "i32", "0"),
        "f32" => of("number", "f32", "0"),
        "f64" => of("number", "f64", "0"),
        "u64" => of("bigint", "u64", "0n"),
        "u128" => of("bigint", "u128", "0n"),
        "i64" => of("bigint", "i64", "0n"),
        "i128" => of("bigint", "i128", "0n"),
        "char" => of("string", "char", "\"\\0\""),
        "duration" => of("{seconds: bigint, nanos: number}", "duration", "{ seconds: 0n, nanos: 0 }"),
        "systemTime" => of("{seconds: bigint, nanos: number}", "duration", "{ seconds: 0n, nanos: 0 }"),
        "ipv4" => of("Uint8Array", "ipv4", "new Uint8Array(4)"),
        "ipv6" => of("Uint8Array", "ipv6", "new Uint8Array(16)"),
        "ip" => of("Uint8Array", "ip", "new Uint8Array(4)"),
        "socket" => of("{ip: Uint8Array, port: number}", "socket", "{ ip: new Uint8Array(4), port: 0 }"),
        other => Err(Error::Type(other.to_owned())),
    }
}
