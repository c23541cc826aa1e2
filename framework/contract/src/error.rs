//! Stable codes of errors that travel.
//!
//! *Responsible for*: the table code ↔ name, and [`CallError`] as a code with a text.
//! *Not responsible for*: codes that close a connection (`wire`).
//!
//! Invariants:
//! - I1: a code is never given to a second error; `docs/book/src/errors` has a page for each name.
//! - I2: a peer that does not know a code keeps it as [`CallError::Other`].

use std::fmt;

use crate::{CallError, DecodeError, DecodeReason, Kind, OperationNumber, limits};

/// The stable number of an error, as it travels.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ErrorCode(pub u16);

/// One row of the table of codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodeEntry {
    /// The number.
    pub code: ErrorCode,
    /// The name, as in `docs/book/src/errors`.
    pub name: &'static str,
    /// Whether the call certainly did nothing, so that a repeat is safe.
    pub nothing_was_done: bool,
    /// Whether a repeat may succeed.
    pub retry: bool,
}

macro_rules! codes {
    ($($(#[doc = $docs:literal])* $name:ident = $code:literal, $text:literal, nothing_was_done: $nothing:literal, retry: $retry:literal;)*) => {
        impl ErrorCode {
            $($(#[doc = $docs])* pub const $name: Self = Self($code);)*

            /// All codes, ascending.
            pub const TABLE: &'static [CodeEntry] = &[
                $(CodeEntry { code: Self($code), name: $text, nothing_was_done: $nothing, retry: $retry },)*
            ];
        }
    };
}

codes! {
    /// [`CallError::NoSuchOperation`].
    NO_SUCH_OPERATION = 1, "no-such-operation", nothing_was_done: true, retry: false;
    /// [`CallError::BadArguments`].
    BAD_ARGUMENTS = 2, "bad-arguments", nothing_was_done: true, retry: false;
    /// [`CallError::WrongType`].
    WRONG_TYPE = 3, "wrong-type", nothing_was_done: true, retry: false;
    /// [`CallError::NotAllowed`].
    NOT_ALLOWED = 4, "not-allowed", nothing_was_done: true, retry: false;
    /// [`CallError::TooFast`].
    TOO_FAST = 5, "too-fast", nothing_was_done: true, retry: true;
    /// [`CallError::NotAttached`].
    NOT_ATTACHED = 6, "not-attached", nothing_was_done: true, retry: true;
    /// [`CallError::NoSuchKind`].
    NO_SUCH_KIND = 7, "no-such-kind", nothing_was_done: true, retry: false;
    /// [`CallError::Busy`].
    BUSY = 8, "busy", nothing_was_done: true, retry: true;
    /// [`CallError::TimedOut`].
    TIMED_OUT = 9, "timed-out", nothing_was_done: false, retry: true;
    /// [`CallError::Panicked`].
    PANICKED = 10, "panicked", nothing_was_done: false, retry: true;
    /// [`CallError::Gone`].
    GONE = 11, "gone", nothing_was_done: false, retry: true;
    /// [`CallError::Deadlock`].
    DEADLOCK = 12, "deadlock", nothing_was_done: true, retry: false;
    /// [`CallError::StoreUnavailable`].
    STORE_UNAVAILABLE = 13, "store-unavailable", nothing_was_done: true, retry: true;
    /// [`CallError::Unreadable`].
    UNREADABLE = 14, "unreadable", nothing_was_done: true, retry: false;
    /// [`CallError::RequestReused`].
    REQUEST_REUSED = 15, "request-reused", nothing_was_done: true, retry: false;
    /// [`CallError::AnswerForgotten`].
    ANSWER_FORGOTTEN = 16, "answer-forgotten", nothing_was_done: false, retry: false;
    /// [`CallError::NotKept`].
    NOT_KEPT = 17, "not-kept", nothing_was_done: true, retry: false;
}

impl ErrorCode {
    /// The row of this code; `None` for a code of a newer version.
    #[must_use]
    pub fn entry(self) -> Option<&'static CodeEntry> {
        Self::TABLE.iter().find(|entry| entry.code == self)
    }

    /// The stable name; `unknown` for a code of a newer version.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().map_or("unknown", |entry| entry.name)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.name())
    }
}

impl CallError {
    /// The code that travels.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::NoSuchOperation(_) => ErrorCode::NO_SUCH_OPERATION,
            Self::BadArguments(_) => ErrorCode::BAD_ARGUMENTS,
            Self::WrongType(_) => ErrorCode::WRONG_TYPE,
            Self::NotAllowed => ErrorCode::NOT_ALLOWED,
            Self::TooFast => ErrorCode::TOO_FAST,
            Self::NotAttached => ErrorCode::NOT_ATTACHED,
            Self::NoSuchKind(_) => ErrorCode::NO_SUCH_KIND,
            Self::Busy => ErrorCode::BUSY,
            Self::TimedOut => ErrorCode::TIMED_OUT,
            Self::Panicked => ErrorCode::PANICKED,
            Self::Gone => ErrorCode::GONE,
            Self::Deadlock { .. } => ErrorCode::DEADLOCK,
            Self::StoreUnavailable => ErrorCode::STORE_UNAVAILABLE,
            Self::Unreadable => ErrorCode::UNREADABLE,
            Self::RequestReused => ErrorCode::REQUEST_REUSED,
            Self::AnswerForgotten => ErrorCode::ANSWER_FORGOTTEN,
            Self::NotKept => ErrorCode::NOT_KEPT,
            Self::Other(code) => *code,
        }
    }

    /// The text that travels beside the code, for people: at most [`limits::ERROR_TEXT_BYTES_MAX`] bytes.
    ///
    /// It names no types, paths or state of the server.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = match self {
            Self::BadArguments(error) => format!("arguments could not be read: {error}"),
            // Which actors there are is of no use outside the process.
            Self::Deadlock { .. } => "the call came back to an actor that waits for it".to_owned(),
            // The name of a Rust type is of no use outside the process.
            Self::WrongType(_) => "the call met a fault of the server".to_owned(),
            Self::NoSuchOperation(_)
            | Self::NotAllowed
            | Self::TooFast
            | Self::NotAttached
            | Self::NoSuchKind(_)
            | Self::Busy
            | Self::TimedOut
            | Self::Panicked
            | Self::Gone
            | Self::StoreUnavailable
            | Self::Unreadable
            | Self::RequestReused
            | Self::AnswerForgotten
            | Self::NotKept
            | Self::Other(_) => self.to_string(),
        };
        text.truncate(text.floor_char_boundary(limits::ERROR_TEXT_BYTES_MAX));
        text
    }

    /// The error of a code that came over the wire.
    ///
    /// What the code alone does not say (which number, which byte) is only in the text and is not recovered.
    #[must_use]
    pub const fn from_code(code: ErrorCode) -> Self {
        match code {
            ErrorCode::NO_SUCH_OPERATION => Self::NoSuchOperation(OperationNumber(0)),
            ErrorCode::BAD_ARGUMENTS => Self::BadArguments(DecodeError::new(0, DecodeReason::Trailing)),
            ErrorCode::WRONG_TYPE => Self::WrongType("message"),
            ErrorCode::NOT_ALLOWED => Self::NotAllowed,
            ErrorCode::TOO_FAST => Self::TooFast,
            ErrorCode::NOT_ATTACHED => Self::NotAttached,
            ErrorCode::NO_SUCH_KIND => Self::NoSuchKind(Kind(0)),
            ErrorCode::BUSY => Self::Busy,
            ErrorCode::TIMED_OUT => Self::TimedOut,
            ErrorCode::PANICKED => Self::Panicked,
            ErrorCode::GONE => Self::Gone,
            ErrorCode::DEADLOCK => Self::Deadlock { cycle: String::new() },
            ErrorCode::STORE_UNAVAILABLE => Self::StoreUnavailable,
            ErrorCode::UNREADABLE => Self::Unreadable,
            ErrorCode::REQUEST_REUSED => Self::RequestReused,
            ErrorCode::ANSWER_FORGOTTEN => Self::AnswerForgotten,
            ErrorCode::NOT_KEPT => Self::NotKept,
            other => Self::Other(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_have_a_page_that_says_the_same() {
        for pair in ErrorCode::TABLE.windows(2) {
            assert!(pair[0].code < pair[1].code, "{pair:?}");
        }
        for entry in ErrorCode::TABLE {
            let path = format!("{}/../../docs/book/src/errors/{}.md", env!("CARGO_MANIFEST_DIR"), entry.name);
            let page = std::fs::read_to_string(&path).unwrap_or_default();
            let first = format!("# {}\n\nCode {}. ", entry.name, entry.code.0);
            assert!(page.starts_with(&first), "{path} has to start with {first:?}");
            let done = if entry.nothing_was_done { "yes" } else { "not certain" };
            let retry = if entry.retry { "yes" } else { "no" };
            let last = format!("Nothing was done: {done}. A repeat may succeed: {retry}.\n");
            assert!(page.ends_with(&last), "{path} has to end with {last:?}");
        }
    }

    #[test]
    fn an_error_keeps_its_code_over_the_wire() {
        for entry in ErrorCode::TABLE {
            let error = CallError::from_code(entry.code);
            assert_eq!(error.code(), entry.code);
            assert!(!error.text().is_empty() && error.text().len() <= limits::ERROR_TEXT_BYTES_MAX);
        }
        let newer = ErrorCode(60_000);
        assert_eq!(CallError::from_code(newer), CallError::Other(newer));
        assert_eq!((CallError::Other(newer).code(), newer.name()), (newer, "unknown"));
    }

    #[test]
    fn a_text_names_no_type_of_the_server() {
        assert!(!CallError::WrongType("secret::Type").text().contains("secret"));
    }
}
