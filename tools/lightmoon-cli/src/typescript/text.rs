//! Names, comments and literals of JavaScript.
//!
//! *Responsible for*: their spelling. *Not responsible for*: what is named.

/// `snake_case` as `camelCase`; an index of a tuple as `value0`.
pub(super) fn camel(name: &str) -> String {
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("value{name}");
    }
    let mut out = String::with_capacity(name.len());
    let mut raise = false;
    for letter in name.trim_start_matches("r#").chars() {
        if letter == '_' {
            raise = !out.is_empty();
        } else if raise {
            out.extend(letter.to_uppercase());
            raise = false;
        } else {
            out.push(letter);
        }
    }
    out
}

/// A name that is not one of `taken`: those get `_` behind them.
pub(super) fn apart_from(name: String, taken: &[&str]) -> String {
    if taken.contains(&name.as_str()) { name + "_" } else { name }
}

/// A parameter's name that is no reserved word.
pub(super) fn parameter(name: &str) -> String {
    const RESERVED: &[&str] = &[
        "arguments",
        "await",
        "case",
        "catch",
        "class",
        "const",
        "debugger",
        "default",
        "delete",
        "eval",
        "export",
        "extends",
        "finally",
        "from",
        "function",
        "implements",
        "import",
        "instanceof",
        "interface",
        "new",
        "null",
        "package",
        "private",
        "protected",
        "public",
        "switch",
        "this",
        "throw",
        "to",
        "try",
        "typeof",
        "undefined",
        "var",
        "void",
        "with",
        "yield",
    ];
    apart_from(camel(name), RESERVED)
}

/// A text as a literal.
pub(super) fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Documentation as the lines of a comment, each behind ` * `; nothing for no documentation.
pub(super) fn docs(text: &str, indent: &str) -> String {
    let clean = text.replace("*/", "* /");
    clean.trim().lines().map(|line| format!("{indent} * {}\n", line.trim()).replace("* \n", "*\n")).collect()
}

/// Documentation in one line, behind a type.
pub(super) fn docs_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    if words.is_empty() { String::new() } else { format!(" {}", words.join(" ").replace("*/", "* /")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_camel_case_and_stay_apart() {
        assert_eq!(camel("half_size"), "halfSize");
        assert_eq!(camel("x"), "x");
        assert_eq!(camel("0"), "value0");
        assert_eq!(camel("r#type"), "type");
        assert_eq!(parameter("from"), "from_");
        assert_eq!(apart_from("name".to_owned(), &["name"]), "name_");
    }

    #[test]
    fn documentation_cannot_end_a_comment() {
        assert!(!docs("a */ b", "").contains("*/"));
        assert!(!docs_line("a */ b").contains("*/"));
        assert_eq!(docs("", ""), "");
    }
}
