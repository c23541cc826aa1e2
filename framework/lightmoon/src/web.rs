//! The public web server: the game's page, the client SDK, where the game is.
//!
//! *Responsible for*: those files, `/lightmoon.json`, `/health`, `/ready`. *Not responsible for*: console and metrics, which are on a
//! listener of their own.
//!
//! Invariants:
//! - I1: nothing here tells more than any player may know.

mod listener;
mod page;
mod reply;

pub(crate) use listener::{Bounded, Peer};
pub use page::Assets;
pub(crate) use page::{Page, media_type};
pub(crate) use reply::{not_found, reply, text};

use crate::board::Board;
use crate::extension::on_this_machine;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::get;
use std::net::SocketAddr;
use std::sync::Arc;

/// The client SDK as browsers load it.
#[derive(rust_embed::RustEmbed)]
#[folder = "../../client-sdk/typescript/src"]
struct Sdk;

/// What the public server needs.
#[derive(Clone)]
pub(crate) struct Web {
    pub(crate) board: Arc<Board>,
    pub(crate) page: Option<Page>,
    /// UDP address of the game.
    pub(crate) game: SocketAddr,
}

impl Web {
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/lightmoon.json", get(location))
            .route("/health", get(health))
            .route("/ready", get(ready))
            .route("/lightmoon/{*path}", get(sdk))
            .fallback(get(asset))
            .with_state(self)
    }

    /// The host that a client of this page should connect to.
    fn game_host(&self, headers: &HeaderMap) -> String {
        // Names may stand for several addresses, of which the game listens on one; so where we know the one, we say it.
        if !self.game.ip().is_unspecified() {
            return bracketed(self.game);
        }
        match host_of(headers) {
            Some(host) if host != "localhost" => host.to_owned(),
            Some(_) | None => bracketed(on_this_machine(self.game)),
        }
    }

    /// What the page may load and connect to: itself and the game.
    fn content_security_policy(&self, headers: &HeaderMap) -> HeaderValue {
        let host = self.game_host(headers);
        // The grammar has no IPv6 addresses; then every https host is allowed.
        let game = if host.starts_with('[') {
            "https:".to_owned()
        } else {
            format!("https://{host}:{}", self.game.port())
        };
        let policy = format!(
            "default-src 'self'; connect-src 'self' {game}; img-src 'self' data: blob:; \
             style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'self'"
        );
        HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'self'"))
    }
}

fn bracketed(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(v4) => v4.ip().to_string(),
        SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
    }
}

/// The host a browser used, without its port; `None` if there is none or it is no plain host.
fn host_of(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) && (!name.contains(':') || name.ends_with(']')) => name,
        Some(_) | None => host,
    };
    let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_plain = match inner {
        Some(address) => address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.'),
        None => name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-'),
    };
    (is_plain && !name.is_empty() && name.len() <= 253).then_some(name)
}

/// Where the game is and how to know it.
async fn location(State(web): State<Web>, headers: HeaderMap) -> Response {
    let host = web.game_host(&headers);
    let port = web.game.port();
    let body = serde_json::json!({
        "title": web.board.title,
        "version": web.board.version,
        "game": { "host": host, "port": port },
        "url": format!("https://{host}:{port}/"),
        "certificateHashes": *web.board.hashes(),
    });
    let mut response = reply(StatusCode::OK, "application/json", body.to_string());
    // Public, and pages may be served from elsewhere.
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

async fn health(State(web): State<Web>) -> Response {
    if web.board.is_healthy() {
        text(StatusCode::OK, "ok\n")
    } else {
        text(StatusCode::SERVICE_UNAVAILABLE, "the node does not take its turns\n")
    }
}

/// For whoever sends new clients here; a server that is not ready is not to be killed for that.
async fn ready(State(web): State<Web>) -> Response {
    match web.board.readiness() {
        Ok(()) => text(StatusCode::OK, "ready\n"),
        Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

async fn sdk(Path(path): Path<String>) -> Response {
    match <Sdk as Assets>::file(&path) {
        Some(bytes) => reply(StatusCode::OK, media_type(&path), bytes),
        None => not_found(),
    }
}

async fn asset(State(web): State<Web>, headers: HeaderMap, uri: Uri) -> Response {
    let path = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    let Some(page) = web.page else {
        return text(StatusCode::OK, "This game has no page. Its location is in /lightmoon.json.\n");
    };
    let Some(bytes) = page.file(path) else { return not_found() };
    let mut response = reply(StatusCode::OK, media_type(path), bytes);
    let policy = web.content_security_policy(&headers);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web(game: &str) -> Web {
        let board = Arc::new(crate::board::blank());
        Web { board, page: None, game: game.parse().unwrap() }
    }

    fn headers(host: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::HOST, HeaderValue::from_str(host).unwrap())])
    }

    #[test]
    fn a_page_is_told_the_address_that_listens() {
        assert_eq!(web("127.0.0.1:5").game_host(&headers("localhost:4433")), "127.0.0.1");
        assert_eq!(web("[::1]:5").game_host(&headers("localhost:4433")), "[::1]");
        assert_eq!(web("0.0.0.0:5").game_host(&headers("play.example.org")), "play.example.org");
        assert_eq!(web("0.0.0.0:5").game_host(&headers("192.168.1.7:4433")), "192.168.1.7");
        assert_eq!(web("0.0.0.0:5").game_host(&headers("localhost:4433")), "127.0.0.1");
        assert_eq!(web("[::]:5").game_host(&headers("[fe80::1]:4433")), "[fe80::1]");
        assert_eq!(web("0.0.0.0:5").game_host(&HeaderMap::new()), "127.0.0.1");
    }

    #[test]
    fn a_made_up_host_gets_into_no_answer() {
        for host in ["a; script-src *", "a b", "[::1]; x", "evil\"", ":80", "[]x"] {
            assert_eq!(host_of(&headers(host)), None, "{host}");
        }
    }

    #[test]
    fn a_page_may_connect_to_itself_and_the_game_only() {
        let policy =
            |game, host| web(game).content_security_policy(&headers(host)).to_str().unwrap().to_owned();
        assert!(policy("127.0.0.1:5", "x").contains("connect-src 'self' https://127.0.0.1:5;"));
        assert!(policy("0.0.0.0:5", "play.example.org").contains("https://play.example.org:5;"));
        assert!(policy("[::1]:5", "x").contains("connect-src 'self' https:;"));
    }
}
