//! What operators may command: one file each.
//!
//! *Responsible for*: what all commands have in common: who may give them, their size, the audit trail, one answer in words. *Not
//! responsible for*: carrying them out (`node`).
//!
//! A command is a POST with JSON, by somebody with the token, from this console's own pages or from no page at all.
//!
//! Invariants:
//! - I1: nothing is carried out that is not in the audit trail before.
//! - I2: a page elsewhere commands nothing, though the browser may add the cookie: cookies do not know ports, and a game's page on the
//!   same host is another origin.

pub(super) mod call;
pub(super) mod drain;
pub(super) mod kick;
pub(super) mod snapshot;

use super::Console;
use super::audit::Who;
use super::events::What;
use super::live::Counted;
use crate::node_thread::ToNode;
use crate::web::{Peer, reply, text};
use crate::{clock, limits};
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, FromRequest, Request};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use lightmoon_node::{Command, Operated};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// By which an operator calls themselves.
const NAME: &str = "x-lightmoon-operator";

/// Refuses whatever changes something and comes from a page elsewhere; `None`: it may go on.
pub(super) fn foreign(method: &Method, headers: &HeaderMap) -> Option<Response> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_own = |origin: &str| origin.split_once("://").is_some_and(|(_, from)| from == host);
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    let is_foreign = origin.is_some_and(|origin| !is_own(origin))
        || site.is_some_and(|site| !matches!(site, "same-origin" | "none"));
    is_foreign.then(|| {
        text(
            StatusCode::FORBIDDEN,
            "Commands are taken from this console's own pages, or from a program with the token, not from a page elsewhere.\n",
        )
    })
}

/// A command as it came: who gives it, and what it says.
pub(super) struct Order<T> {
    pub(super) who: Who,
    pub(super) says: T,
}

impl<T: DeserializeOwned> FromRequest<Console> for Order<T> {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let refuse = |status, why: String| {
            Counted::add(&console.board.counted.commands_refused);
            text(status, why)
        };
        let who = who_of(&request);
        let media = request.headers().get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
        if !media.is_some_and(|media| media.starts_with("application/json")) {
            let why = "A command is JSON: send it with `content-type: application/json`.\n";
            return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, why.to_owned()));
        }
        let Ok(body) = to_bytes(request.into_body(), limits::COMMAND_BYTES_MAX).await else {
            let why = format!("A command has at most {} bytes.\n", limits::COMMAND_BYTES_MAX);
            return Err(refuse(StatusCode::PAYLOAD_TOO_LARGE, why));
        };
        match serde_json::from_slice(&body) {
            Ok(says) => Ok(Self { who, says }),
            Err(error) => {
                Err(refuse(StatusCode::BAD_REQUEST, format!("The command cannot be read: {error}.\n")))
            }
        }
    }
}

pub(super) fn who_of(request: &Request) -> Who {
    let name = request.headers().get(NAME).and_then(|name| name.to_str().ok()).unwrap_or_default();
    let name = name.chars().filter(|c| !c.is_control()).take(limits::OPERATOR_NAME_MAX).collect();
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    Who { name, address: peer.map(|ConnectInfo(Peer(address))| address.to_string()).unwrap_or_default() }
}

/// Writes a command down, has the node carry it out, and says what came of it; `shown` makes JSON of an answer.
pub(super) async fn carry_out(
    console: &Console,
    who: &Who,
    what: &str,
    command: Command,
    shown: impl FnOnce(&Bytes) -> Value,
) -> Response {
    let number = match console.audit.begin(who, what) {
        Ok(number) => number,
        Err(error) => {
            Counted::add(&console.board.counted.commands_refused);
            tracing::error!(target: "lightmoon::console", %error, what, "a command was refused: the audit trail cannot be written");
            return unwritten(&error);
        }
    };
    let (status, body) = outcome(console, command, shown).await;
    let is_done = status.is_success();
    let words = match body["error"].as_str() {
        Some(error) => error.to_owned(),
        None if body.is_null() => "done".to_owned(),
        None => body["answer"].to_string(),
    };
    let words = cut(&words);
    console.audit.end(number, is_done, &words);
    console.board.events.note(clock::unix_millis(), What::Commanded(format!("{what}: {words}")));
    if !is_done {
        Counted::add(&console.board.counted.commands_refused);
    }
    reply(status, "application/json", body.to_string())
}

/// The answer to a command that cannot be written down.
pub(super) fn unwritten(error: &std::io::Error) -> Response {
    let why =
        format!("The audit trail cannot be written ({error}), so nothing was done. Make room for it.\n");
    text(StatusCode::SERVICE_UNAVAILABLE, why)
}

async fn outcome(
    console: &Console,
    command: Command,
    shown: impl FnOnce(&Bytes) -> Value,
) -> (StatusCode, Value) {
    let error = |status, why: String| (status, json!({ "error": why }));
    let Some((token, answered)) = console.board.desk.open() else {
        let why = "too many commands are under way: try again when some are done";
        return error(StatusCode::SERVICE_UNAVAILABLE, why.to_owned());
    };
    if console.to_node.send(ToNode::Operate { token, command }).is_err() {
        return error(StatusCode::SERVICE_UNAVAILABLE, "the node has stopped".to_owned());
    }
    let result: Operated = match tokio::time::timeout(limits::COMMAND_PATIENCE, answered).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) | Err(_) => {
            let why = "the node did not answer in time; what was asked may still happen";
            return error(StatusCode::GATEWAY_TIMEOUT, why.to_owned());
        }
    };
    match result {
        Ok(bytes) => (StatusCode::OK, shown(&bytes)),
        Err(refused) => error(StatusCode::CONFLICT, refused.to_string()),
    }
}

/// What the trail keeps of a text.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(limits::AUDIT_TEXT_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn is_foreign(method: Method, given: &[(&'static str, &'static str)]) -> bool {
        let headers = given
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)));
        foreign(&method, &headers.collect()).is_some()
    }

    #[test]
    fn pages_elsewhere_command_nothing() {
        let host = ("host", "127.0.0.1:4434");
        assert!(!is_foreign(Method::POST, &[host]), "a program says no origin");
        assert!(!is_foreign(Method::POST, &[host, ("origin", "http://127.0.0.1:4434")]));
        for origin in
            ["http://127.0.0.1:4433", "http://evil.example", "null", "http://127.0.0.1:4434.evil.example"]
        {
            assert!(is_foreign(Method::POST, &[host, ("origin", origin)]), "{origin}");
        }
        assert!(is_foreign(Method::POST, &[host, ("sec-fetch-site", "same-site")]));
        assert!(is_foreign(Method::DELETE, &[host, ("sec-fetch-site", "cross-site")]));
        assert!(
            !is_foreign(Method::GET, &[host, ("sec-fetch-site", "cross-site")]),
            "reading changes nothing"
        );
    }

    #[test]
    fn the_trail_keeps_a_readable_part_of_a_long_text() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"ä".repeat(5_000)).chars().count(), limits::AUDIT_TEXT_MAX + 1);
    }
}
