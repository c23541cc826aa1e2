//! What one side has of the other's kept frames: the end of Hello and Welcome from minor 2 on. No frame of its own.
//!
//! ```text
//! count u8 ≤ 8 | count times: lane u8 | frames u64          lanes ascending
//! ```
//! A lane that is not named has 0.

use lightmoon_contract::{Lane, Reader, Writer};

use super::field;
use crate::close::Violation;
use crate::limits;

/// How many kept frames of a lane have arrived, over all connections of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// A reliable lane.
    pub lane: Lane,
    /// The frames.
    pub frames: u64,
}

pub(super) fn write(held: &[Held], to: &mut Writer) {
    debug_assert!(held.len() <= limits::STREAMS_MAX, "there are no more reliable lanes");
    // There are eight reliable lanes.
    to.put(&u8::try_from(held.len()).unwrap_or(0));
    for Held { lane, frames } in held {
        to.put(lane);
        to.put(frames);
    }
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<Vec<Held>, Violation> {
    let count = usize::from(from.get::<u8>()?);
    if count > limits::STREAMS_MAX {
        return Err(Violation::protocol(format!("{count} lanes")));
    }
    let mut held: Vec<Held> = Vec::with_capacity(count);
    for _ in 0..count {
        let lane = field::reliable_lane(from)?;
        if held.last().is_some_and(|before| before.lane >= lane) {
            return Err(Violation::protocol("lanes that do not ascend"));
        }
        held.push(Held { lane, frames: from.get()? });
    }
    Ok(held)
}
