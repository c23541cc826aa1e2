//! `POST /command/snapshot {}`: every world that is kept makes a snapshot now.

use super::{Order, carry_out};
use crate::console::Console;
use axum::extract::State;
use axum::response::Response;
use lightmoon_node::Command;
use serde::Deserialize;
use serde_json::Value;

/// Nothing to say.
#[derive(Debug, Deserialize)]
pub(crate) struct Snapshot {}

pub(crate) async fn snapshot(State(console): State<Console>, order: Order<Snapshot>) -> Response {
    carry_out(&console, &order.who, "snapshot every world", Command::Snapshot, |_| Value::Null).await
}
