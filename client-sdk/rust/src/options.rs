//! What an application tells a client once.
//!
//! *Responsible for*: options with their defaults. *Not responsible for*: where the server is (drivers).

use std::time::Duration;

use bytes::Bytes;
use lightmoon_contract::Descriptor;
use lightmoon_contract::replicate::ComponentSpec;
use lightmoon_replica::{Schema, SchemaError};

use crate::limits;

/// How a client comes back after its connection broke.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryOptions {
    /// Wait before the first try; default [`limits::RETRY_FIRST`]. Doubled for each further try.
    pub first: Duration,
    /// Longest wait; default [`limits::RETRY_LONGEST`].
    pub longest: Duration,
    /// Tries in a row after which the client gives up with `Lost`; default `None`: it never does.
    pub tries_max: Option<u32>,
    /// Time for one try to reach the server; default [`limits::DIAL_TIME_MAX`].
    pub dial_time_max: Duration,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            first: limits::RETRY_FIRST,
            longest: limits::RETRY_LONGEST,
            tries_max: None,
            dial_time_max: limits::DIAL_TIME_MAX,
        }
    }
}

/// What a client is built from and who it is.
#[derive(Clone)]
pub struct ClientOptions {
    /// The contracts the client was built from: `my_contracts::descriptor()`.
    pub descriptor: Descriptor,
    /// The components the client knows.
    pub schema: Schema,
    /// What the server's authenticator reads, at most 1,024 bytes; default empty.
    pub token: Bytes,
    /// How it comes back.
    pub retry: RetryOptions,
    /// Whether each state packet is an [`crate::Event::State`]; default no: a game draws at its own pace. Bots and measurements
    /// act when news come.
    pub state_events: bool,
}

impl ClientOptions {
    /// Options with the defaults. `components` are the specs of what the client wants to see, in any order:
    /// `&[Pose::SPEC, Label::SPEC]`.
    ///
    /// # Errors
    /// The components do not fit together; see [`SchemaError`].
    pub fn new(descriptor: Descriptor, components: &[ComponentSpec]) -> Result<Self, SchemaError> {
        let schema = Schema::new(components)?;
        Ok(Self {
            descriptor,
            schema,
            token: Bytes::new(),
            retry: RetryOptions::default(),
            state_events: false,
        })
    }

    /// The same with a token.
    #[must_use]
    pub fn token(mut self, token: impl Into<Bytes>) -> Self {
        self.token = token.into();
        self
    }

    /// The same with an event for each state packet.
    #[must_use]
    pub const fn state_events(mut self) -> Self {
        self.state_events = true;
        self
    }

    /// The same with other ways to come back.
    #[must_use]
    pub const fn retry(mut self, retry: RetryOptions) -> Self {
        self.retry = retry;
        self
    }
}

impl std::fmt::Debug for ClientOptions {
    /// Leaves out the token: it is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientOptions")
            .field("game", &self.descriptor.game)
            .field("token_bytes", &self.token.len())
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
