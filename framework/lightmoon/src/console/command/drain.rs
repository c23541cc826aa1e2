//! `POST /command/drain {"drain": true}`: takes new players no more, or again. Those that are here play on.

use super::{Order, carry_out};
use crate::console::Console;
use axum::extract::State;
use axum::response::Response;
use lightmoon_node::Command;
use serde::Deserialize;
use serde_json::Value;

/// Whether to.
#[derive(Debug, Deserialize)]
pub(crate) struct Drain {
    drain: bool,
}

pub(crate) async fn drain(State(console): State<Console>, Order { who, says }: Order<Drain>) -> Response {
    let what = if says.drain { "drain the node" } else { "take players again" };
    carry_out(&console, &who, what, Command::Drain(says.drain), |_| Value::Null).await
}
