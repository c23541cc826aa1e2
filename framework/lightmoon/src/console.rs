//! The console: a look into the running server, for its operator only.
//!
//! *Responsible for*: which path is what, letting in only who has the token, and the pages' files. *Not responsible for*: what the numbers
//! mean (`node`, `net`), doing what it asks the node for.
//!
//! ```text
//! /            the pages: files of `framework/lightmoon/console`, one of them for each page
//! /live        what is looked at, as server-sent events        live, pulse; the messages: status, map, actors, events, audit, letters
//! /command/…   POST: call, kick, drain, snapshot               command, one file each
//! /own/…       pages of the game                               own
//! /metrics, /status.json, /contracts.json, /dead-letters.json  for programs
//! ```
//!
//! Invariants:
//! - I1: without the token every path answers 401 and nothing else.
//! - I2: the token is in no page, and a page elsewhere cannot use the browser's cookie (`SameSite=Strict`), nor command anything
//!   (`Origin`).
//! - I3: what is shown comes from reports that workers make by themselves; nothing here waits for a worker or locks it.

mod actors;
mod audit;
mod command;
mod desk;
mod events;
mod inspect;
mod letters;
mod live;
mod map;
mod metrics;
mod own;
mod pulse;
mod status;
mod value;

pub(crate) use audit::Audit;
pub(crate) use desk::Desk;
pub(crate) use events::{EventLog, What};
use live::Live;
pub(crate) use live::{ConsoleCounts, Counted};
pub use own::{ConsolePage, Glance, ZoneGlance};

use crate::board::Board;
use crate::node_thread::ToNode;
use crate::web::{Assets, media_type, not_found, reply, text};
use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;

const COOKIE: &str = "lightmoon_console";

/// Nothing inline, nothing from elsewhere, in nobody's frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
);

/// What the console needs.
#[derive(Clone)]
pub(crate) struct Console {
    pub(crate) board: Arc<Board>,
    pub(crate) token: Arc<str>,
    pub(crate) to_node: Sender<ToNode>,
    pub(crate) live: Arc<Live>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) pages: Arc<[ConsolePage]>,
}

/// The files of the pages.
#[derive(rust_embed::RustEmbed)]
#[folder = "console"]
struct Files;

impl Console {
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/live", get(live::stream))
            .route("/status.json", get(status_json))
            .route("/contracts.json", get(contracts_json))
            .route("/pages.json", get(pages_json))
            .route("/metrics", get(metrics_text))
            .route("/dead-letters.json", get(letters::list))
            .route("/dead-letters/replay", post(letters::replay))
            .route("/command/call", post(command::call::call))
            .route("/command/kick", post(command::kick::kick))
            .route("/command/drain", post(command::drain::drain))
            .route("/command/snapshot", post(command::snapshot::snapshot))
            .route("/own/{name}/{*path}", get(own::file))
            .fallback(file)
            .layer(middleware::from_fn_with_state(self.clone(), let_in))
            .with_state(self)
    }

    /// Sends what is looked at, until the console is gone.
    pub(crate) async fn beat(self) {
        pulse::beat(self).await;
    }

    fn is_token(&self, given: &str) -> bool {
        // All bytes are compared whatever the first difference, so that time tells nothing about the token.
        let differences = given.bytes().zip(self.token.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
        given.len() == self.token.len() && differences == 0
    }
}

/// Answers 401 to whoever does not bring the token, as query, bearer or cookie. With the query it is moved to a cookie,
/// so that it does not stay in the address bar.
async fn let_in(
    State(console): State<Console>,
    Query(query): Query<BTreeMap<String, String>>,
    request: Request,
    next: Next,
) -> Response {
    let by_query = query.get("token").is_some_and(|token| console.is_token(token));
    let headers = request.headers();
    let by_header =
        [bearer(headers), cookie(headers)].into_iter().flatten().any(|token| console.is_token(token));
    if by_query && request.uri().path() == "/" {
        return to_cookie(&console.token);
    }
    if !by_query && !by_header {
        return text(
            StatusCode::UNAUTHORIZED,
            "This console wants its token. Open the console's address as the server printed it at its start.\n",
        );
    }
    if let Some(refusal) = command::foreign(request.method(), headers) {
        Counted::add(&console.board.counted.commands_refused);
        return refusal;
    }
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

fn to_cookie(token: &str) -> Response {
    let mut response = text(StatusCode::SEE_OTHER, "see /\n");
    let cookie = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/"));
    response
}

async fn file(uri: Uri) -> Response {
    let path = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    match <Files as Assets>::file(path) {
        Some(bytes) => reply(StatusCode::OK, media_type(path), bytes),
        None => not_found(),
    }
}

async fn contracts_json(State(console): State<Console>) -> Response {
    reply(StatusCode::OK, "application/json", console.board.descriptor.to_json())
}

/// The pages of the game.
async fn pages_json(State(console): State<Console>) -> Response {
    let page = |page: &ConsolePage| serde_json::json!({ "name": page.name, "title": page.title });
    let pages: serde_json::Value = console.pages.iter().map(page).collect();
    reply(StatusCode::OK, "application/json", pages.to_string())
}

async fn status_json(State(console): State<Console>) -> Response {
    reply(StatusCode::OK, "application/json", status::json(&console.board).to_string())
}

async fn metrics_text(State(console): State<Console>) -> Response {
    reply(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", metrics::text(&console.board))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn console() -> Console {
        let folder = Scratch::new();
        Console {
            board: Arc::new(crate::board::blank()),
            token: Arc::from("0123456789abcdef"),
            to_node: std::sync::mpsc::channel().0,
            live: Arc::default(),
            audit: Arc::new(Audit::open(folder.path()).unwrap()),
            pages: Arc::new([]),
        }
    }

    #[test]
    fn only_the_whole_token_is_the_token() {
        let console = console();
        assert!(console.is_token("0123456789abcdef"));
        for wrong in ["", "0", "0123456789abcdeF", "0123456789abcde", "0123456789abcdef0"] {
            assert!(!console.is_token(wrong), "{wrong}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let headers =
            |value: &str| HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(value).unwrap())]);
        assert_eq!(cookie(&headers("a=b; lightmoon_console=xyz; c=d")), Some("xyz"));
        assert_eq!(cookie(&headers("lightmoon_console_other=xyz")), None);
        assert_eq!(cookie(&HeaderMap::new()), None);
    }
}
