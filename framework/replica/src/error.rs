//! What can be wrong with the bytes a client receives, or with a game's components.
//!
//! *Responsible for*: the kinds of fault. *Not responsible for*: closing connections (`wire`, clients).

use lightmoon_contract::{DecodeError, NetId};

use crate::limits;

/// A payload is malformed, or does not fit this client. Close the connection as a protocol violation; the view must be
/// attached anew before it is used again. Never retry the same bytes.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplicaError {
    /// The payload is longer than the protocol allows.
    #[error("payload of {0} bytes is too large")]
    TooLarge(usize),
    /// It ends within a value.
    #[error("payload ends within a value")]
    End,
    /// A number or length could not be read.
    #[error("a number or length could not be read")]
    Bytes(#[from] DecodeError),
    /// A filling bit at the end of a bit run is 1.
    #[error("filling bits are not zero")]
    Padding,
    /// Bytes follow behind the last record.
    #[error("bytes follow the last record")]
    Trailing,
    /// An event that this client does not know.
    #[error("unknown event {0}")]
    UnknownEvent(u8),
    /// A generation that was never attached.
    #[error("view of generation {0} came before its attach")]
    NotAttached(u32),
    /// An event before the first layout.
    #[error("an event came before the first layout")]
    NoLayout,
    /// A layout that is not the first event of its payload.
    #[error("a layout is not the first event of its payload")]
    LateLayout,
    /// A layout that breaks its own rules.
    #[error("layout is malformed")]
    MalformedLayout,
    /// The server's component of this number does not fit the client's. The two must not play together.
    #[error("component {0} of the server does not fit this client")]
    Layout(u16),
    /// A view payload is missing: its lane is reliable and ordered, so the server left it out.
    #[error("view payload {got} came, {expected} was expected")]
    Gap {
        /// The sequence that was due.
        expected: u64,
        /// The sequence that came.
        got: u64,
    },
    /// The tick of a view payload is lower than the one before.
    #[error("tick of a view payload ran backwards")]
    TickBackwards,
    /// Enter of an index that is in use.
    #[error("index {0} is in use")]
    IndexTaken(u16),
    /// Enter of an entity that is in the view.
    #[error("entity {0} is in the view already")]
    EntityTaken(NetId),
    /// Enter without an id.
    #[error("an entity without id entered")]
    NoId,
    /// Leave, Sticky or Mask of an index that names nothing.
    #[error("index {0} names nothing")]
    UnknownIndex(u16),
    /// A mask with components beyond the layout.
    #[error("a mask goes beyond the layout")]
    Mask,
    /// A sticky value for a component that is not sticky or that the entity does not have.
    #[error("position {0} is no sticky component of the entity")]
    NotSticky(u8),
    /// An unknown reason of a leave.
    #[error("unknown reason {0} of a leave")]
    Reason(u8),
    /// A sticky value, or all of an entity together, beyond their limits.
    #[error("sticky value of {0} bytes is too large")]
    StickyTooLarge(usize),
    /// More entities than a view may hold.
    #[error("more than {max} entities in the view", max = limits::ENTITIES_MAX)]
    TooMany,
    /// The widths of fields that are not right behind their layout, or a delta packet without them.
    #[error("widths of fields are missing or out of place")]
    Fields,
    /// A delta packet against values that no packet can be against.
    #[error("baseline of {0} ticks ago is impossible")]
    Baseline(u32),
    /// A tick rate that no zone has.
    #[error("tick rate {0} is not 1 to 60")]
    Rate(u8),
}

/// A game's components cannot be replicated together. A fault of the game; found when it is built.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// More components than a mask has bits.
    #[error("{0} replicated components, at most {max} are possible", max = limits::COMPONENTS_MAX)]
    TooManyComponents(usize),
    /// Two components have one number.
    #[error("components `{first}` and `{second}` have the same number {number}")]
    SameNumber {
        /// Name of one.
        first: &'static str,
        /// Name of the other.
        second: &'static str,
        /// Their number.
        number: u16,
    },
    /// A state component without fields, or a sticky one with fields.
    #[error("component `{0}` must have quantised fields exactly if it is state")]
    Fields(&'static str),
    /// A field that is not 1 to 32 bits wide.
    #[error("field `{field}` of `{component}` is not 1 to 32 bits wide")]
    FieldBits {
        /// Name of the component.
        component: &'static str,
        /// Name of the field.
        field: &'static str,
    },
    /// All state components together are too wide.
    #[error("state components take {0} bits together, at most {max} are possible", max = limits::STATE_BITS_MAX)]
    TooManyBits(u32),
}
