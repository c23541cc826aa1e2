//! What a game adds to its binary: verbs, settings, things that run beside the server.
//!
//! *Responsible for*: the two traits and what they are given. *Not responsible for*: game logic; that is in [`Game`].
//!
//! [`Game`]: lightmoon_node::Game

use crate::Failure;
use crate::setting::{Setting, Settings};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A verb of the game's binary besides `serve`, such as `bots`.
///
/// Its settings are read from the command line only: the environment and `lightmoon.toml` configure the server.
pub trait Verb: Send {
    /// The word on the command line.
    fn name(&self) -> &'static str;

    /// One line for the help text.
    fn about(&self) -> &'static str;

    /// What it can be told.
    fn settings(&self) -> Vec<Setting> {
        Vec::new()
    }

    /// Does it, on the main thread.
    ///
    /// # Errors
    /// What could not be done; printed as `error: …`, and the process ends with the failure's exit code.
    fn run(&self, settings: &Settings) -> Result<(), Failure>;
}

/// Something that runs beside the server in its process, such as bots for a first look.
pub trait Extension: Send {
    /// Settings that `serve` takes besides its own.
    fn settings(&self) -> Vec<Setting> {
        Vec::new()
    }

    /// Called once, on the main thread, when every port listens. Start threads here and return.
    ///
    /// # Errors
    /// The server stops in order and the process ends with the failure's exit code.
    fn on_ready(&self, ready: &Ready, settings: &Settings) -> Result<(), Failure>;

    /// Called once, on the main thread, before the server stops. Must return within 100 ms.
    fn on_stopping(&self) {}
}

/// A server that listens: what `--ready-json` tells scripts.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ready {
    /// UDP address of the game.
    pub game: SocketAddr,
    /// TCP address of the page.
    pub web: SocketAddr,
    /// TCP address of the console.
    pub console: SocketAddr,
    /// What opens the console.
    pub console_token: String,
    /// SHA-256 of the certificates that clients may meet, the one shown now first; hex.
    pub certificate_hashes: Vec<String>,
    /// The data folder.
    pub data: PathBuf,
    /// Id of the process that runs the node.
    pub pid: u32,
    /// Id of the process that starts the node again when it dies, if there is one. Signals that stop the server go there.
    pub parent: Option<u32>,
}

impl Ready {
    /// URL of the page, on this machine.
    #[must_use]
    pub fn page_url(&self) -> String {
        format!("http://{}/", on_this_machine(self.web))
    }

    /// URL that opens the console. It contains the token.
    #[must_use]
    pub fn console_url(&self) -> String {
        format!("http://{}/?token={}", self.console, self.console_token)
    }

    /// The same as JSON, for scripts.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "game": on_this_machine(self.game).to_string(),
            "gamePort": self.game.port(),
            "web": self.page_url(),
            "webPort": self.web.port(),
            "console": format!("http://{}/", self.console),
            "consolePort": self.console.port(),
            "consoleToken": self.console_token,
            "certificateHashes": self.certificate_hashes,
            "data": self.data,
            "pid": self.pid,
            "parent": self.parent,
        })
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token never reaches a log.
        f.debug_struct("Ready")
            .field("game", &self.game)
            .field("web", &self.web)
            .field("console", &self.console)
            .finish_non_exhaustive()
    }
}

/// `0.0.0.0` and `[::]` listen everywhere and are nowhere: a client here connects to loopback.
pub(crate) fn on_this_machine(address: SocketAddr) -> SocketAddr {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
