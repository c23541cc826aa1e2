//! Every bound of this crate, with its reason.
//!
//! *Responsible for*: the numbers. *Not responsible for*: counting when they are hit; whoever decodes gets an error and
//! counts it by its reason.

/// Bytes of the arguments of one call from a client: a steering message has tens, a chat line hundreds; 16 KiB is a
/// long letter and still one burst of a slow link.
pub const CLIENT_INPUT_BYTES_MAX: usize = 16 * 1024;

/// Bytes that reading a client's message may allocate in all. A list of empty texts costs 24 bytes for each byte of
/// input, so honest messages stay below 24 x their size; 256 KiB lets ordinary ones through and bounds the worst.
pub const CLIENT_ALLOCATION_BYTES_MAX: usize = 256 * 1024;

/// Bytes of one message between nodes or from a server to its client: a full view of a zone for one client.
pub const NODE_INPUT_BYTES_MAX: usize = 1024 * 1024;

/// Bytes that reading a node's message may allocate in all; the same relation as for clients.
pub const NODE_ALLOCATION_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Structs and enums inside each other: deeper values are a mistake or an attack on the stack.
pub const NESTING_MAX: u32 = 32;

/// Bytes of an encoded descriptor: it crosses the handshake, before a client has proved anything.
pub const DESCRIPTOR_BYTES_MAX: usize = 64 * 1024;

/// Bytes that reading a descriptor may allocate: its entries are up to 20 times larger in memory than encoded.
pub const DESCRIPTOR_ALLOCATION_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Characters of a name of a contract, operation, argument, type, field, variant or component.
pub const NAME_CHARS_MAX: usize = 64;

/// Shortest `max_loss_ms`: below a second, an actor would be saved as often as by `sync`, without its promise.
pub const MAX_LOSS_MS_MIN: u32 = 1_000;

/// `max_loss_ms` of an operation that does not say it: what a player shrugs off after a crash.
pub const MAX_LOSS_MS_DEFAULT: u32 = 10_000;

/// Longest `max_loss_ms`: above a minute, the changes held back cost more memory than saving them costs.
pub const MAX_LOSS_MS_MAX: u32 = 60_000;

/// Bytes of [`crate::Persist::NAME`]: it stands in each record of the store.
pub const PERSIST_NAME_BYTES_MAX: usize = 64;

/// Bytes of the text that travels with a [`crate::CallError`]: enough for one name and a number.
pub const ERROR_TEXT_BYTES_MAX: usize = 256;
