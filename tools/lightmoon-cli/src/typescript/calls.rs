//! Contracts as classes of calls, with their pushes.
//!
//! *Responsible for*: operations that clients may call, pushes they may hear. *Not responsible for*: sending (the SDK).

use super::text::{apart_from, camel, docs, docs_line, literal, parameter};
use super::{put, types};
use crate::descriptor::{CallForm, Contract, Descriptor, Error, Operation};

/// Properties of a contract's object that pushes must not hide.
const OF_CONTRACT: &[&str] = &["name", "kind", "calls"];
/// Members of a class of calls that operations must not hide.
const OF_CALLS: &[&str] = &["caller", "target", "constructor"];

/// Writes a contract: its operations, its class, its object.
pub(super) fn write(out: &mut String, contract: &Contract, all: &Descriptor) -> Result<(), Error> {
    let name = &contract.name;
    let called: Vec<_> = contract.operations.iter().filter(|operation| is_called(operation)).collect();
    for operation in &called {
        let Operation { number, lane, timeout_ms, .. } = operation;
        let title = literal(&format!("{name}.{}", operation.name));
        let fields = format!(
            "name: {title}, kind: {}, number: {number}, lane: {lane}, timeoutMs: {timeout_ms}",
            contract.kind
        );
        put(out, &format!("\nconst {} = {{ {fields} }};\n", constant(contract, operation)));
    }
    put(out, &format!("\n/** Calls that clients may make to a `{name}`. */\nexport class {name}Calls {{\n"));
    put(out, "  /**\n   * @param {Caller} caller\n   * @param {Target} target\n   */\n");
    put(out, "  constructor(caller, target) {\n    this.caller = caller;\n    this.target = target;\n  }\n");
    for operation in &called {
        write_call(out, contract, operation, all)?;
    }
    put(out, "}\n");
    let pushes = contract.operations.iter().filter(|operation| operation.form == CallForm::Push);
    put(out, &format!("\n/**\n{} */\nexport const {name} = {{\n", docs(&contract.docs, "")));
    put(out, &format!("  name: {},\n  kind: {},\n", literal(name), contract.kind));
    put(out, "  /**\n   * @param {Caller} caller\n   * @param {Target} target\n   */\n");
    put(out, &format!("  calls: (caller, target) => new {name}Calls(caller, target),\n"));
    for push in pushes {
        write_push(out, contract, push, all)?;
    }
    put(out, "};\n");
    Ok(())
}

fn is_called(operation: &Operation) -> bool {
    operation.aim.is_some() && operation.form != CallForm::Push
}

/// The name of an operation's constant.
fn constant(contract: &Contract, operation: &Operation) -> String {
    format!("{}_{}", contract.name, operation.name).to_uppercase()
}

fn write_call(
    out: &mut String,
    contract: &Contract,
    operation: &Operation,
    all: &Descriptor,
) -> Result<(), Error> {
    let names: Vec<_> = operation.arguments.iter().map(|field| parameter(&field.name)).collect();
    put(out, &format!("\n  /**\n{}", docs(&operation.docs, "  ")));
    for (field, name) in operation.arguments.iter().zip(&names) {
        let (shown, line) = (types::shown(&field.value, all)?, docs_line(&field.docs));
        put(out, &format!("   * @param {{{shown}}} {name}{line}\n"));
    }
    let asked = operation.form == CallForm::Request;
    let returns = if asked {
        format!("{{Promise<{}>}}", types::shown(&operation.reply, all)?)
    } else {
        "{boolean} whether it was sent".to_owned()
    };
    put(out, &format!("   * @returns {returns}\n   */\n"));
    let method = apart_from(camel(&operation.name), OF_CALLS);
    put(out, &format!("  {method}({}) {{\n", names.join(", ")));
    let verb = if asked { "ask" } else { "tell" };
    let target = constant(contract, operation);
    put(out, &format!("    return this.caller.{verb}(this.target, {target}, (to) => to.growing("));
    if names.is_empty() {
        put(out, "() => {})");
    } else {
        put(out, "(to) => {\n");
        for (field, name) in operation.arguments.iter().zip(&names) {
            put(out, &format!("      {};\n", types::written(&field.value, name, all)?));
        }
        put(out, "    })");
    }
    if asked {
        put(out, &format!(", (from) => {}", types::read(&operation.reply, all)?));
    }
    put(out, ");\n  }\n");
    Ok(())
}

fn write_push(
    out: &mut String,
    contract: &Contract,
    push: &Operation,
    all: &Descriptor,
) -> Result<(), Error> {
    let name = apart_from(camel(&push.name), OF_CONTRACT);
    put(out, &format!("  /**\n{}   */\n  {name}: {{\n", docs(&push.docs, "  ")));
    put(out, &format!("    name: {},\n", literal(&format!("{}.{}", contract.name, push.name))));
    put(out, &format!("    kind: {},\n    number: {},\n", contract.kind, push.number));
    put(out, "    /** @param {Reader} from */\n");
    if push.arguments.is_empty() {
        put(out, "    read: (from) => from.growing(() => ({})),\n");
    } else {
        put(out, "    read: (from) => from.growing((from) => ({\n");
        for field in &push.arguments {
            put(out, &format!("      {}: {},\n", camel(&field.name), types::field_read(field, true, all)?));
        }
        put(out, "    })),\n");
    }
    put(out, "  },\n");
    Ok(())
}
