//! Every shape a contract can have, in the generated code.

use lightmoon_cli::descriptor::{Descriptor, Error};
use lightmoon_cli::typescript::{Options, generate};

fn descriptor(operations: &str, types: &str) -> String {
    format!(
        r#"{{"format": 1, "game": "g", "fingerprint": "00ff", "bytes": "0102", "components": [],
        "contracts": [{{"name": "Thing", "docs": "A thing.", "kind": 3, "provisional": false, "ticking": false,
        "operations": [{operations}]}}], "types": [{types}]}}"#
    )
}

fn operation(form: &str, aim: &str, arguments: &str, reply: &str) -> String {
    format!(
        r#"{{"name": "do_it", "docs": "Does it.", "number": 4, "provisional": false, "form": "{form}", "priority": "high",
        "reliability": "reliable-ordered", "lane": 19, "aim": {aim}, "rate": {{"perSecond": 1, "burst": 1}},
        "timeoutMs": 5000, "everyMs": null, "arguments": [{arguments}], "reply": {reply}}}"#
    )
}

fn argument(json: &str) -> String {
    format!(r#"{{"name": "the_value", "docs": "", "type": {json}, "required": false}}"#)
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
fn code(text: &str) -> String {
    generate(&Descriptor::from_json(text).unwrap(), &Options::default()).unwrap()
}

#[test]
fn each_type_is_read_and_written_by_its_own_words() {
    for (json, shown, read, written) in [
        (r#""u8""#, "number", "from.u8()", "to.u8(theValue)"),
        (r#""u64""#, "bigint", "from.u64()", "to.u64(theValue)"),
        (r#""string""#, "string", "from.text()", "to.text(theValue)"),
        (r#"{"list": "u8"}"#, "Uint8Array", "from.bytes()", "to.bytes(theValue)"),
        (
            r#"{"list": "u16"}"#,
            "(number)[]",
            "from.list((from) => from.u16())",
            "to.list(theValue, (to, item) => to.u16(item))",
        ),
        (
            r#"{"option": "bool"}"#,
            "boolean | undefined",
            "from.option((from) => from.bool())",
            "to.option(theValue, (to, item) => to.bool(item))",
        ),
        (r#"{"ref": "Thing"}"#, "bigint", "from.u64()", "to.u64(theValue)"),
        (
            r#"{"tuple": ["u8", "f32"]}"#,
            "[number, number]",
            "[from.u8(), from.f32()]",
            "to.u8(theValue[0]), to.f32(theValue[1])",
        ),
        (
            r#"{"array": ["u8", 3]}"#,
            "(number)[]",
            "from.array(3, (from) => from.u8())",
            "to.array(3, theValue, (to, item) => to.u8(item))",
        ),
    ] {
        let code = code(&descriptor(&operation("request", r#""own""#, &argument(json), json), ""));
        assert!(code.contains(&format!("@param {{{shown}}} theValue")), "{json}: {code}");
        assert!(code.contains(&format!("@returns {{Promise<{shown}>}}")), "{json}: {code}");
        assert!(code.contains(&format!("(from) => {read});")), "{json}: {code}");
        assert!(code.contains(&format!("      {written};\n")), "{json}: {code}");
    }
}

#[test]
fn what_clients_cannot_reach_is_not_written() {
    let secret = r#"{"name": "Secret", "docs": "", "struct": {"grows": true, "fields": []}}"#;
    let call = operation("one-way", "null", &argument(r#"{"named": "Secret"}"#), r#"{"tuple": []}"#);
    let code = code(&descriptor(&call, secret));
    assert!(!code.contains("Secret"), "{code}");
    assert!(!code.contains("doIt"), "{code}");
}

#[test]
fn an_unknown_variant_becomes_the_other_one_or_an_error() {
    let variant = |name: &str, number: u32, other: bool| {
        format!(
            r#"{{"name": "{name}", "docs": "", "number": {number}, "provisional": false, "other": {other}, "fields": []}}"#
        )
    };
    for (other, expected) in
        [(true, "default:\n        return \"B\";"), (false, "unknownVariant(\"E\", number)")]
    {
        let variants = [variant("A", 0, false), variant("B", 7, other)].join(", ");
        let entry =
            format!(r#"{{"name": "E", "docs": "", "enum": {{"grows": true, "variants": [{variants}]}}}}"#);
        let push = operation("push", "null", &argument(r#"{"named": "E"}"#), r#"{"tuple": []}"#);
        let code = code(&descriptor(&push, &entry));
        assert!(code.contains(expected), "{code}");
        assert!(code.contains("case 7:\n        return \"B\";"), "{code}");
    }
}

#[test]
fn a_newer_descriptor_is_refused_by_name() {
    let newer = descriptor("", "").replace("\"format\": 1", "\"format\": 2");
    assert!(matches!(Descriptor::from_json(&newer), Err(Error::Format(2))));
    let odd = descriptor(&operation("request", r#""own""#, &argument(r#"{"heap": "u8"}"#), r#""u8""#), "");
    assert!(Descriptor::from_json(&odd).is_err());
    let missing =
        descriptor(&operation("request", r#""own""#, &argument(r#"{"named": "No"}"#), r#""u8""#), "");
    assert!(matches!(
        generate(&Descriptor::from_json(&missing).unwrap(), &Options::default()),
        Err(Error::Type(_))
    ));
}
