//! Why a link did not send what it was told to send.
//!
//! *Responsible for*: the errors of our own side's calls. *Not responsible for*: what the peer did ([`crate::Closing`]).

/// Why something was not sent. Nothing of it was sent, so a retry never doubles.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The link is not open: not yet, or not any more. Wait for the next one.
    #[error("the link is not open")]
    NotOpen,
    /// It belongs to an attachment that is over. Drop it.
    #[error("it belongs to an attachment that is over")]
    Stale,
    /// It is too large. Cut it; the same again fails again.
    #[error("{bytes} bytes where at most {max} may be")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
    /// No request of this number is open. Drop the answer.
    #[error("no such request is open")]
    Unasked,
    /// Too many requests wait for an answer. Retry when one came.
    #[error("too many requests wait for an answer")]
    Busy,
}
