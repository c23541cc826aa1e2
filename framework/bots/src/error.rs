//! Why bots could not play.

use std::io;

/// Why a run did not begin, or did not end well. A server that does not answer is none: the report has it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The web address does not say where a game is. Check that the server runs there, and try again.
    #[error("cannot ask http://{web}/lightmoon.json where the game is: {why}; is the server running there?")]
    Web {
        /// The address.
        web: String,
        /// What went wrong.
        why: String,
    },
    /// The file does not say where a game is. Give the one that the server was started with.
    #[error("{path} is no file that a server wrote by --ready-json: {why}")]
    ReadyJson {
        /// The file.
        path: String,
        /// What went wrong.
        why: String,
    },
    /// A certificate's hash is none. Take it from the server's `/lightmoon.json`.
    #[error("{0:?} is no SHA-256 in 64 hex digits")]
    Hash(String),
    /// So many bots are not run. Start several runs.
    #[error("{0} bots: it must be 1 to {max}", max = crate::limits::BOTS_MAX)]
    Count(usize),
    /// The system gave no socket or thread. Free some, and try again.
    #[error("the system gives no {what} to bots: {source}")]
    System {
        /// What was wanted.
        what: &'static str,
        /// Its reason.
        source: io::Error,
    },
    /// There is no such script. Take one of those named.
    #[error("there is no script `{name}`; there are: {known}")]
    NoScript {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The components that bots are to see do not fit together: a fault of the game.
    #[error("the components that bots are to see do not fit together: {0}")]
    Components(String),
    /// The code of a bot panicked: a fault of the game. The run ended.
    #[error("a bot panicked: {0}")]
    Panicked(String),
}
