//! `POST /command/kick {"session", "reason"}`: ends a session. Its client is told the reason and does not come back by itself.

use super::{Order, carry_out, cut};
use crate::console::Console;
use crate::web::text;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use lightmoon_contract::SessionId;
use lightmoon_node::Command;
use serde::Deserialize;
use serde_json::Value;

/// Characters of a reason: what fits into the frame that ends a link, with room to spare.
const REASON_MAX: usize = 120;

/// Whom, and why.
#[derive(Debug, Deserialize)]
pub(crate) struct Kick {
    /// As the list of sessions shows it, in hexadecimal digits.
    session: String,
    #[serde(default)]
    reason: String,
}

pub(crate) async fn kick(State(console): State<Console>, Order { who, says }: Order<Kick>) -> Response {
    let Ok(session) = u64::from_str_radix(&says.session, 16).map(SessionId) else {
        return text(
            StatusCode::BAD_REQUEST,
            "A session is named by 16 hexadecimal digits, as the list shows it.\n",
        );
    };
    let reason: String = says.reason.chars().filter(|c| !c.is_control()).take(REASON_MAX).collect();
    let reason = if reason.is_empty() { "an operator ended this session".to_owned() } else { reason };
    let what = cut(&format!("kick session {session}: {reason}"));
    carry_out(&console, &who, &what, Command::Kick { session, reason }, |_| Value::Null).await
}
