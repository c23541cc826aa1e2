//! Dead letters: messages that were promised to take effect exactly once, and that their receivers could not take.
//!
//! *Responsible for*: `/dead-letters.json`, and sending one again. *Not responsible for*: what makes a message a dead letter
//! (`lightmoon_durable`).
//!
//! Invariants:
//! - I1: a letter is sent again by POST only, which a page elsewhere cannot do with the operator's cookie.

use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use lightmoon_contract::{ActorId, Kind};
use lightmoon_node::DeadLetter;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::command::{unwritten, who_of};
use super::events::What;
use crate::board::Snapshot;
use crate::clock;
use crate::node_thread::ToNode;
use crate::web::{reply, text};

/// Bytes of a letter's arguments that are shown, as hex.
const ARGUMENTS_SHOWN_MAX: usize = 256;

/// Which letter.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Named {
    /// Of the sender.
    kind: u16,
    /// Of the sender.
    key: u64,
    /// Among those of its sender.
    number: u64,
}

/// All of them.
pub(super) async fn list(State(console): State<Console>) -> Response {
    reply(StatusCode::OK, "application/json", json(&console.board.snapshot()).to_string())
}

/// The same for pages that look.
pub(super) fn json(snapshot: &Snapshot) -> Value {
    snapshot.dead_letters.iter().map(letter).collect()
}

fn letter(letter: &DeadLetter) -> Value {
    let posted = &letter.posted;
    let shown = posted.arguments.iter().take(ARGUMENTS_SHOWN_MAX);
    json!({
        // As text: keys and numbers have 64 bits, and a page's numbers have 53.
        "from": { "kind": letter.from.kind.0, "key": letter.from.key.to_string() },
        "to": { "kind": posted.to.kind.0, "key": posted.to.key.to_string() },
        "number": letter.number.to_string(),
        "operation": posted.operation.0,
        "tries": letter.tries,
        "argumentBytes": posted.arguments.len(),
        "arguments": shown.map(|byte| format!("{byte:02x}")).collect::<String>(),
    })
}

/// Sends one again. It is gone from the list a moment later, or there anew if its receiver still cannot take it.
pub(super) async fn replay(
    State(console): State<Console>,
    Query(named): Query<Named>,
    request: Request,
) -> Response {
    let Named { kind, key, number } = named;
    let from = ActorId::new(Kind(kind), key);
    let letters = &console.board.snapshot().dead_letters;
    if !letters.iter().any(|letter| (letter.from, letter.number) == (from, number)) {
        return text(StatusCode::NOT_FOUND, "There is no such dead letter: look at /dead-letters.json.\n");
    }
    let what = format!("send dead letter {number} of {from} again");
    let written = match console.audit.begin(&who_of(&request), &what) {
        Ok(written) => written,
        Err(error) => return unwritten(&error),
    };
    let sent = console.to_node.send(ToNode::Replay { from, number });
    console.audit.end(written, sent.is_ok(), if sent.is_ok() { "sent" } else { "the node has stopped" });
    console.board.events.note(clock::unix_millis(), What::Commanded(what));
    match sent {
        Ok(()) => text(StatusCode::ACCEPTED, "It is sent again.\n"),
        Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, "The node has stopped.\n"),
    }
}
