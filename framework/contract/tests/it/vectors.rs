//! Golden bytes: `client-sdk/vectors/codec.json`, which every client implementation reads.
//!
//! The test writes the file anew when it is stale and fails once; look at what changed before committing it. Bytes
//! that were released must stay.
//!
//! Values in JSON: integers of 64 bits and more and numbers that are not finite are texts; bytes are lists; maps are
//! lists of pairs; options `null` or `{"some": v}`; results `{"ok": v}` or `{"err": v}`; structs objects; enums
//! `{"Variant": {fields}}`; a field or item without a name has its index as name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroI64, NonZeroU8, NonZeroU32};
use std::time::{Duration, SystemTime};

use lightmoon_contract::codec::{Data, Limits, decode, encode};
use lightmoon_contract::descriptor::{TypeRef, TypeTable};
use lightmoon_contract::{ActorId, Descriptor, Kind, NetId, data};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../client-sdk/vectors/codec.json");

const ABOUT: &str = "The byte format, docs/byte-format.md. `values`: writing `value` gives `hex` and reading `hex` gives \
                     `value`. `reads`: reading `hex` gives `value`, which is written otherwise. `refused`: reading \
                     `hex` fails; `strict` ones only where bytes are hashed or compared. `types` are the named types, \
                     as in the JSON of a descriptor.";

/// A growing struct.
#[data]
#[derive(Debug, PartialEq, Default)]
struct Pair {
    a: u16,
    b: bool,
}

/// The same, one version later.
#[data]
#[derive(Debug, PartialEq, Default)]
struct PairLater {
    a: u16,
    b: bool,
    c: Option<String>,
}

/// A fixed struct.
#[data(fixed)]
#[derive(Debug, PartialEq)]
struct Point {
    x: f32,
    y: f32,
}

/// A fixed enum.
#[data(fixed)]
#[derive(Debug, PartialEq)]
enum Fixed {
    Nothing,
    Two(u32, i8),
    Named { at: Point },
}

/// A growing enum.
#[data]
#[derive(Debug, PartialEq, Default)]
enum Grown {
    #[number(1)]
    Two(u32, i8),
    #[number(2)]
    Unit,
    #[number(300)]
    Named { pair: Pair },
    #[default]
    #[other]
    #[number(0)]
    Other,
}

/// A type within itself.
#[data]
#[derive(Debug, PartialEq, Default)]
struct Tree {
    leaf: u8,
    branches: Vec<Tree>,
}

/// A growing struct without fields.
#[data]
#[derive(Debug, PartialEq, Default)]
struct Empty;

/// A value as JSON.
trait Json: Data {
    fn json(&self) -> String;
}

macro_rules! json {
    ($($type:ty, $this:ident => $json:expr;)*) => {$(
        impl Json for $type {
            fn json(&self) -> String {
                let $this = self;
                $json
            }
        }
    )*};
}

fn quoted(text: impl ToString) -> String {
    let mut out = String::from("\"");
    for letter in text.to_string().chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            control if control < ' ' => write!(out, "\\u{:04x}", u32::from(control)).unwrap(),
            other => out.push(other),
        }
    }
    out + "\""
}

fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(", "))
}

fn object<const N: usize>(fields: [(&str, String); N]) -> String {
    let fields: Vec<_> =
        fields.into_iter().map(|(name, value)| format!("{}: {value}", quoted(name))).collect();
    format!("{{{}}}", fields.join(", "))
}

fn real(value: f64) -> String {
    if value.is_finite() { format!("{value:?}") } else { quoted(value) }
}

fn duration(value: Duration) -> String {
    object([("seconds", quoted(value.as_secs())), ("nanos", value.subsec_nanos().to_string())])
}

json! {
    u8, v => v.to_string();
    u16, v => v.to_string();
    u32, v => v.to_string();
    i8, v => v.to_string();
    i16, v => v.to_string();
    i32, v => v.to_string();
    u64, v => quoted(v);
    u128, v => quoted(v);
    i64, v => quoted(v);
    i128, v => quoted(v);
    f32, v => real(f64::from(*v));
    f64, v => real(*v);
    bool, v => v.to_string();
    char, v => quoted(v);
    String, v => quoted(v);
    NonZeroU8, v => v.to_string();
    NonZeroU32, v => v.to_string();
    NonZeroI64, v => quoted(v);
    Duration, v => duration(*v);
    SystemTime, v => duration(v.duration_since(SystemTime::UNIX_EPOCH).unwrap());
    Ipv4Addr, v => quoted(v);
    Ipv6Addr, v => quoted(v);
    IpAddr, v => quoted(v);
    SocketAddr, v => quoted(v);
    NetId, v => object([("0", quoted(v.0))]);
    ActorId, v => object([("kind", object([("0", v.kind.0.to_string())])), ("key", quoted(v.key))]);
    Pair, v => object([("a", v.a.json()), ("b", v.b.json())]);
    PairLater, v => object([("a", v.a.json()), ("b", v.b.json()), ("c", v.c.json())]);
    Point, v => object([("x", v.x.json()), ("y", v.y.json())]);
    Tree, v => object([("leaf", v.leaf.json()), ("branches", v.branches.json())]);
    Empty, _v => object([]);
    Fixed, v => match v {
        Fixed::Nothing => object([("Nothing", object([]))]),
        Fixed::Two(a, b) => object([("Two", object([("0", a.json()), ("1", b.json())]))]),
        Fixed::Named { at } => object([("Named", object([("at", at.json())]))]),
    };
    Grown, v => match v {
        Grown::Two(a, b) => object([("Two", object([("0", a.json()), ("1", b.json())]))]),
        Grown::Unit => object([("Unit", object([]))]),
        Grown::Named { pair } => object([("Named", object([("pair", pair.json())]))]),
        Grown::Other => object([("Other", object([]))]),
    };
    (), _v => list([]);
}

impl<T: Json> Json for Vec<T> {
    fn json(&self) -> String {
        list(self.iter().map(Json::json))
    }
}

impl<T: Json + Ord> Json for BTreeSet<T> {
    fn json(&self) -> String {
        list(self.iter().map(Json::json))
    }
}

impl<T: Json, const N: usize> Json for [T; N] {
    fn json(&self) -> String {
        list(self.iter().map(Json::json))
    }
}

impl<K: Json + Ord, V: Json> Json for BTreeMap<K, V> {
    fn json(&self) -> String {
        list(self.iter().map(|(key, value)| list([key.json(), value.json()])))
    }
}

impl<T: Json> Json for Option<T> {
    fn json(&self) -> String {
        self.as_ref().map_or_else(|| "null".to_owned(), |value| object([("some", value.json())]))
    }
}

impl<T: Json, E: Json> Json for Result<T, E> {
    fn json(&self) -> String {
        match self {
            Ok(value) => object([("ok", value.json())]),
            Err(error) => object([("err", error.json())]),
        }
    }
}

impl<A: Json, B: Json> Json for (A, B) {
    fn json(&self) -> String {
        list([self.0.json(), self.1.json()])
    }
}

/// The file under construction.
#[derive(Default)]
struct File {
    table: TypeTable,
    lines: [Vec<Line>; 3],
}

struct Line {
    name: String,
    shape: TypeRef,
    rest: String,
}

const VALUES: usize = 0;
const READS: usize = 1;
const REFUSED: usize = 2;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter(|digit| !digit.is_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&String::from_iter(pair), 16).unwrap()).collect()
}

impl File {
    fn line<T: Data>(&mut self, part: usize, name: &str, rest: String) {
        let shape = T::describe(&mut self.table);
        self.lines[part].push(Line { name: name.to_owned(), shape, rest });
    }

    /// A value with the bytes that a person derived from the format.
    fn value<T: Json + PartialEq + std::fmt::Debug>(&mut self, name: &str, value: T, bytes: &str) {
        assert_eq!(hex(&encode(&value)), hex(&unhex(bytes)), "{name}");
        assert_eq!(decode::<T>(&unhex(bytes), Limits::NODE.strict()).as_ref(), Ok(&value), "{name}");
        self.line::<T>(
            VALUES,
            name,
            format!("\"value\": {}, \"hex\": \"{}\"", value.json(), hex(&unhex(bytes))),
        );
    }

    /// Bytes that read as a value which is written otherwise.
    fn read<T: Json + PartialEq + std::fmt::Debug>(&mut self, name: &str, bytes: &str, value: T) {
        assert_eq!(decode::<T>(&unhex(bytes), Limits::NODE).as_ref(), Ok(&value), "{name}");
        assert_ne!(hex(&encode(&value)), hex(&unhex(bytes)), "{name}");
        self.line::<T>(
            READS,
            name,
            format!("\"value\": {}, \"hex\": \"{}\"", value.json(), hex(&unhex(bytes))),
        );
    }

    /// Bytes that must fail.
    fn refused<T: Data + std::fmt::Debug>(&mut self, name: &str, bytes: &str, reason: &str) {
        let error = decode::<T>(&unhex(bytes), Limits::NODE).unwrap_err();
        assert_eq!(error.reason().name(), reason, "{name}");
        self.line::<T>(
            REFUSED,
            name,
            format!("\"strict\": false, \"reason\": \"{reason}\", \"hex\": \"{}\"", hex(&unhex(bytes))),
        );
    }

    /// Bytes that must fail for strict readers only.
    fn refused_strictly<T: Data + std::fmt::Debug>(&mut self, name: &str, bytes: &str, reason: &str) {
        decode::<T>(&unhex(bytes), Limits::NODE).unwrap();
        let error = decode::<T>(&unhex(bytes), Limits::NODE.strict()).unwrap_err();
        assert_eq!(error.reason().name(), reason, "{name}");
        self.line::<T>(
            REFUSED,
            name,
            format!("\"strict\": true, \"reason\": \"{reason}\", \"hex\": \"{}\"", hex(&unhex(bytes))),
        );
    }

    fn text(self) -> String {
        let types = self.table.into_types();
        let descriptor =
            Descriptor { game: String::new(), contracts: Vec::new(), components: Vec::new(), types };
        let mut text = format!("{{\n  \"about\": {},\n", quoted(ABOUT));
        for (part, lines) in ["values", "reads", "refused"].into_iter().zip(self.lines) {
            let lines: Vec<_> = lines.iter().map(|line| line_text(&descriptor, line)).collect();
            writeln!(text, "  \"{part}\": [\n{}\n  ],", lines.join(",\n")).unwrap();
        }
        let json = descriptor.to_json();
        let types =
            json.split_once("\"types\": ").unwrap().1.trim_end().strip_suffix('}').unwrap().to_owned();
        writeln!(
            text,
            "  \"types\": {}\n}}",
            types.replace("}, {\"name\": ", "},\n    {\"name\": ").replacen("[{", "[\n    {", 1)
        )
        .unwrap();
        text
    }
}

fn line_text(descriptor: &Descriptor, Line { name, shape, rest }: &Line) -> String {
    let (text, shape) = (quoted(descriptor.type_text(shape)), descriptor.type_json(shape));
    format!("    {{ \"name\": {}, \"text\": {text}, \"type\": {shape}, {rest} }}", quoted(name))
}

fn integers(file: &mut File) {
    file.value("u8 0", 0u8, "00");
    file.value("u8 255 is raw", 255u8, "ff");
    file.value("i8 -1 is raw", -1i8, "ff");
    file.value("i8 least", i8::MIN, "80");
    file.value("u16 250 is the last of one byte", 250u16, "fa");
    file.value("u16 251 is the first of three", 251u16, "fb fb 00");
    file.value("u16 greatest", u16::MAX, "fb ff ff");
    file.value("u32 65535", 65_535u32, "fb ff ff");
    file.value("u32 65536", 65_536u32, "fc 00 00 01 00");
    file.value("u32 greatest", u32::MAX, "fc ff ff ff ff");
    file.value("u64 2^32 - 1", u64::from(u32::MAX), "fc ff ff ff ff");
    file.value("u64 2^32", 1u64 << 32, "fd 00 00 00 00 01 00 00 00");
    file.value("u64 2^53 + 1 is no JavaScript number", (1u64 << 53) + 1, "fd 01 00 00 00 00 00 20 00");
    file.value("u64 greatest", u64::MAX, "fd ff ff ff ff ff ff ff ff");
    file.value("u128 2^64", 1u128 << 64, "fe 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00");
    file.value("u128 greatest", u128::MAX, "fe ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff");
    file.value("i16 -1", -1i16, "01");
    file.value("i16 1", 1i16, "02");
    file.value("i16 -125", -125i16, "f9");
    file.value("i16 -126", -126i16, "fb fb 00");
    file.value("i16 least", i16::MIN, "fb ff ff");
    file.value("i32 least", i32::MIN, "fc ff ff ff ff");
    file.value("i32 greatest", i32::MAX, "fc fe ff ff ff");
    file.value("i64 -300", -300i64, "fb 57 02");
    file.value("i64 least", i64::MIN, "fd ff ff ff ff ff ff ff ff");
    file.value("i128 least", i128::MIN, "fe ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff");
    file.value("never 0, u8", NonZeroU8::MAX, "ff");
    file.value("never 0, u32", NonZeroU32::MIN, "01");
    file.value("never 0, i64", NonZeroI64::new(-1).unwrap(), "01");
}

fn other_scalars(file: &mut File) {
    file.value("bool false", false, "00");
    file.value("bool true", true, "01");
    file.value("f32 1.5", 1.5f32, "00 00 c0 3f");
    file.value("f32 -0", -0.0f32, "00 00 00 80");
    file.value("f32 infinity", f32::INFINITY, "00 00 80 7f");
    file.value("f64 0.1", 0.1f64, "9a 99 99 99 99 99 b9 3f");
    file.value("f64 minus infinity", f64::NEG_INFINITY, "00 00 00 00 00 00 f0 ff");
    file.value("char of one byte", 'a', "61");
    file.value("char of three bytes", '€', "e2 82 ac");
    file.value("char of four bytes", '\u{10FFFF}', "f4 8f bf bf");
    file.value("duration 300 s 5 ns", Duration::new(300, 5), "fb 2c 01 05");
    file.value("duration 0", Duration::ZERO, "00 00");
    file.value("time", SystemTime::UNIX_EPOCH + Duration::new(1, 2), "01 02");
    file.value("address of version 4", Ipv4Addr::LOCALHOST, "7f 00 00 01");
    file.value("address of version 6", Ipv6Addr::LOCALHOST, "00000000000000000000000000000001");
    file.value("address of either, 4", IpAddr::from([10, 0, 0, 1]), "00 0a 00 00 01");
    file.value(
        "address of either, 6",
        IpAddr::from(Ipv6Addr::LOCALHOST),
        "01 00000000000000000000000000000001",
    );
    file.value("socket address", SocketAddr::from(([10, 0, 0, 1], 4433)), "00 0a 00 00 01 fb 51 11");
}

fn composites(file: &mut File) {
    file.value("text", "né".to_owned(), "03 6e c3 a9");
    file.value("text, empty", String::new(), "00");
    file.value("text with a mark that looks like a byte order", "\u{FEFF}a".to_owned(), "04 ef bb bf 61");
    file.value("bytes", vec![1u8, 0xFB, 255], "03 01 fb ff");
    file.value("list", vec![1u16, 300, 2], "03 01 fb 2c 01 02");
    file.value("list of lists", vec![vec![1u8], vec![]], "02 01 01 00");
    file.value("array", [1u16, 300, 2], "01 fb 2c 01 02");
    file.value("array of bytes", [1u8, 2, 3], "01 02 03");
    file.value(
        "map",
        BTreeMap::from([(1u16, "a".to_owned()), (300, "b".to_owned())]),
        "02 01 01 61 fb 2c 01 01 62",
    );
    file.value(
        "map of texts in the order of their bytes",
        BTreeMap::from([("Z".to_owned(), 1u8), ("a".to_owned(), 2)]),
        "02 01 5a 01 01 61 02",
    );
    file.value(
        "map of negative keys in numeric order",
        BTreeMap::from([(-1i32, true), (0, false)]),
        "02 01 01 00 00",
    );
    file.value("set", BTreeSet::from([3u32, 1]), "02 01 03");
    file.value("option, none", None::<u16>, "00");
    file.value("option, some", Some(300u16), "01 fb 2c 01");
    file.value("option in an option", Some(None::<bool>), "01 00");
    file.value("result, ok", Ok::<u16, String>(5), "00 05");
    file.value("result, error", Err::<u16, String>("x".to_owned()), "01 01 78");
    file.value("tuple", (300u16, true), "fb 2c 01 01");
    file.value("nothing", (), "");
    file.value("identity of an entity", NetId(1 << 40), "fd 00 00 00 00 00 01 00 00");
    file.value("name of an actor", ActorId::new(Kind(3), 300), "03 fb 2c 01");
}

fn named(file: &mut File) {
    file.value("growing struct", Pair { a: 300, b: true }, "04 fb 2c 01 01");
    file.value("growing struct without fields", Empty, "00");
    file.value(
        "growing struct in a list",
        vec![Pair::default(), Pair { a: 1, b: true }],
        "02 02 00 00 02 01 01",
    );
    file.value(
        "growing struct with all fields",
        PairLater { a: 1, b: true, c: Some("x".into()) },
        "05 01 01 01 01 78",
    );
    let long = PairLater { a: 1, b: true, c: Some("x".repeat(250)) };
    file.value(
        "growing struct of more than 250 bytes",
        long,
        &format!("fb fe 00 01 01 01 fa {}", "78".repeat(250)),
    );
    file.value("fixed struct", Point { x: 1.5, y: 0.0 }, "00 00 c0 3f 00 00 00 00");
    file.value("fixed enum, no fields", Fixed::Nothing, "00");
    file.value("fixed enum, two fields", Fixed::Two(300, -5), "01 fb 2c 01 fb");
    file.value(
        "fixed enum, a name",
        Fixed::Named { at: Point { x: 0.0, y: 1.5 } },
        "02 00 00 00 00 00 00 c0 3f",
    );
    file.value("growing enum, two fields", Grown::Two(300, -5), "01 04 fb 2c 01 fb");
    file.value("growing enum, no fields", Grown::Unit, "02 00");
    file.value(
        "growing enum, a number of three bytes",
        Grown::Named { pair: Pair { a: 1, b: false } },
        "fb 2c 01 03 02 01 00",
    );
    file.value("growing enum, the other one", Grown::Other, "00 00");
    let leaf = |leaf| Tree { leaf, branches: Vec::new() };
    file.value(
        "type within itself",
        Tree { leaf: 1, branches: vec![leaf(2), leaf(3)] },
        "08 01 02 02 02 00 02 03 00",
    );
}

fn reads(file: &mut File) {
    file.read("a field of a newer peer is skipped", "05 fb 2c 01 01 09", Pair { a: 300, b: true });
    file.read("a missing field is its default", "03 fb 2c 01", Pair { a: 300, b: false });
    file.read("all fields are missing", "00", Pair::default());
    file.read("a missing option is none", "02 01 01", PairLater { a: 1, b: true, c: None });
    file.read("an unknown variant is the other one", "09 02 01 02", Grown::Other);
    file.read("an unknown variant and what follows it", "02 09 01 ff 02 00", vec![Grown::Other, Grown::Unit]);
    file.read("fields of a known variant grow too", "02 02 ff ff", Grown::Unit);
    file.read("missing fields of a variant", "01 01 07", Grown::Two(7, 0));
    file.read("an integer in a longer form", "fb 05 00", 5u16);
    file.read("a signed integer in a longer form", "fd 05 00 00 00 00 00 00 00", -3i64);
    file.read("of a repeated key the last counts", "02 01 09 01 08", BTreeMap::from([(1u8, 8u8)]));
    file.read("keys out of order", "02 02 09 01 08", BTreeMap::from([(1u8, 8u8), (2, 9)]));
}

fn refused(file: &mut File) {
    file.refused::<u8>("nothing where a byte is", "", "end");
    file.refused::<u16>("an integer cut after its tag", "fb", "end");
    file.refused::<u16>("an integer cut inside", "fb 2c", "end");
    file.refused::<u32>("an integer of the greatest tag cut inside", "fc 00 00 00", "end");
    file.refused::<u16>("u16 with the tag of u32", "fc 05 00 00 00", "wide");
    file.refused::<u32>("u32 with the tag of u64", "fd 05 00 00 00 00 00 00 00", "wide");
    file.refused::<u64>("u64 with the tag of u128", "fe 05 000000000000000000000000000000", "wide");
    file.refused::<i16>("i16 with the tag of i32", "fc 05 00 00 00", "wide");
    file.refused::<u128>("the reserved tag", "ff 05", "wide");
    file.refused::<u8>("a byte too much", "05 00", "trailing");
    file.refused::<bool>("bool 2", "02", "tag");
    file.refused::<Option<u8>>("option 2", "02 05", "tag");
    file.refused::<Result<u8, u8>>("result 2", "02 05", "tag");
    file.refused::<char>("char of a surrogate", "ed a0 80", "char");
    file.refused::<char>("char above 10FFFF", "f4 90 80 80", "char");
    file.refused::<char>("char in a longer form", "c1 a1", "char");
    file.refused::<char>("char cut inside", "e2 82", "end");
    file.refused::<String>("text that is not UTF-8", "02 c3 28", "utf8");
    file.refused::<String>("text with a surrogate", "03 ed a0 80", "utf8");
    file.refused::<String>("text longer than what follows", "03 61 62", "count");
    file.refused::<Vec<u8>>("bytes longer than what follows", "02 61", "count");
    file.refused::<Vec<u64>>("list of 2^64 - 1", "fd ff ff ff ff ff ff ff ff 00", "count");
    file.refused::<Vec<f32>>("more floats than the bytes hold", "02 00 00 00 00 00 00 00", "count");
    file.refused::<BTreeMap<u8, u8>>("map of more pairs than the bytes hold", "02 01 01 02", "count");
    file.refused::<Duration>("a second of nanoseconds", "00 fc 00 ca 9a 3b", "time");
    file.refused::<NonZeroU32>("0 where none may be", "00", "zero");
    file.refused::<IpAddr>("address of version 2", "02 00 00 00 00", "tag");
    file.refused::<Fixed>("fixed enum, unknown variant", "03", "variant");
    file.refused::<Point>("fixed struct, a byte too much", "00 00 00 00 00 00 00 00 00", "trailing");
    file.refused::<Pair>("growing struct longer than what follows", "05 fb 2c 01 01", "end");
    file.refused::<Pair>("growing struct that ends inside a field", "02 fb 2c 01 01", "end");
    file.refused::<Grown>("growing variant that ends inside a field", "01 02 fb 2c 01 fb", "end");
    file.refused::<Grown>("growing variant without a length", "02", "end");
    file.refused::<Tree>(
        "a count that only bytes behind the window could hold",
        "02 01 01 02 00 00",
        "count",
    );
    file.refused::<Tree>("deeper than 32", &hex(&deep(33)), "nesting");
    file.refused_strictly::<u16>("an integer in a longer form", "fb 05 00", "not-shortest");
    file.refused_strictly::<String>("a count in a longer form", "fb 01 00 61", "not-shortest");
    file.refused_strictly::<BTreeMap<u8, u8>>("a repeated key", "02 01 09 01 08", "key-order");
    file.refused_strictly::<BTreeMap<u8, u8>>("keys out of order", "02 02 09 01 08", "key-order");
    file.refused_strictly::<BTreeSet<u8>>("a set out of order", "02 02 01", "key-order");
}

/// A tree that is one branch of this depth.
fn deep(depth: u32) -> Vec<u8> {
    let mut tree = Tree::default();
    for _ in 1..depth {
        tree = Tree { leaf: 0, branches: vec![tree] };
    }
    encode(&tree)
}

#[test]
fn the_golden_bytes_are_current() {
    let mut file = File::default();
    integers(&mut file);
    other_scalars(&mut file);
    composites(&mut file);
    named(&mut file);
    reads(&mut file);
    refused(&mut file);
    let text = file.text();
    if std::fs::read_to_string(PATH).is_ok_and(|present| present == text) {
        return;
    }
    std::fs::write(PATH, text).unwrap();
    panic!("client-sdk/vectors/codec.json was stale and is written anew: look at what changed");
}
