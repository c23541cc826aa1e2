//! `POST /command/call {"kind", "key", "operation", "arguments"}`: calls an operation of an actor as the node itself.

use super::{Order, carry_out, cut};
use crate::console::value;
use crate::console::{Console, live::Counted};
use crate::web::text;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use lightmoon_contract::descriptor::{ContractEntry, OperationEntry};
use lightmoon_contract::operation::CallForm;
use lightmoon_contract::{ActorId, Kind};
use lightmoon_node::Command;
use serde::Deserialize;
use serde_json::{Value, json};

/// What to call.
#[derive(Debug, Deserialize)]
pub(crate) struct Call {
    /// Number of the actor's kind.
    kind: u16,
    /// Its key, as text: it has 64 bits.
    key: String,
    /// The operation's name.
    operation: String,
    /// Its arguments by name.
    #[serde(default)]
    arguments: Value,
}

pub(crate) async fn call(State(console): State<Console>, Order { who, says }: Order<Call>) -> Response {
    let descriptor = std::sync::Arc::clone(&console.board.descriptor);
    let (contract, operation, to) = match find(&says, &descriptor.contracts) {
        Ok(found) => found,
        Err(why) => return refuse(&console, why),
    };
    let arguments = match value::arguments(&descriptor, &operation.arguments, &says.arguments) {
        Ok(arguments) => arguments,
        Err(wrong) => return refuse(&console, format!("{wrong}.\n")),
    };
    let what = cut(&format!("call {}.{} of {to} with {}", contract.name, operation.name, says.arguments));
    let command = Command::Call { to, number: operation.number, arguments: arguments.into() };
    let shown = |bytes: &bytes::Bytes| match operation.form {
        CallForm::Request => match value::decode(&descriptor, &operation.reply, bytes) {
            Ok(answer) => json!({ "answer": answer }),
            Err(error) => json!({ "answer": format!("cannot be read: {error}") }),
        },
        CallForm::OneWay | CallForm::Push => Value::Null,
    };
    carry_out(&console, &who, &what, command, shown).await
}

fn find<'a>(
    says: &Call,
    contracts: &'a [ContractEntry],
) -> Result<(&'a ContractEntry, &'a OperationEntry, ActorId), String> {
    let kind = Kind(says.kind);
    let contract = contracts.iter().find(|contract| contract.kind == kind);
    let contract = contract.ok_or_else(|| format!("No contract has kind {kind}: see /contracts.json.\n"))?;
    let operation = contract.operation_named(&says.operation).ok_or_else(|| {
        format!("{} has no operation `{}`: see /contracts.json.\n", contract.name, says.operation)
    })?;
    let key = says.key.parse().map_err(|_| "A key is a whole number, as text.\n".to_owned())?;
    Ok((contract, operation, ActorId::new(kind, key)))
}

fn refuse(console: &Console, why: String) -> Response {
    Counted::add(&console.board.counted.commands_refused);
    text(StatusCode::BAD_REQUEST, why)
}
