//! What the fuzz target of stored worlds does with its input; an ordinary test runs the same over the seeds and noise.
//!
//! As with stored records: the first byte says what the rest is, mostly the body of a record whose checksum is right.

use bytes::Bytes;
use lightmoon_durable::record;
use lightmoon_zone::audit;

/// Reads the bytes after the first as the part of a world that the first one chooses.
pub(crate) fn world(input: &[u8]) {
    let Some((which, rest)) = input.split_first() else { return };
    match which % 5 {
        0 => {
            let raw = Bytes::copy_from_slice(rest);
            let _ = (audit::world(&raw), audit::entity(&raw), audit::snapshot(&[raw]));
        }
        1 => drop(audit::world(&record::seal("lightmoon.world", 1, rest))),
        2 => drop(audit::entity(&record::seal("lightmoon.entity", 1, rest))),
        3 => drop(audit::snapshot(&[record::seal("lightmoon.snapshot", 1, rest)])),
        _ => {
            let (first, second) = rest.split_at(rest.len() / 2);
            let parts = [first, second].map(|part| record::seal("lightmoon.snapshot", 1, part));
            let _ = audit::snapshot(&parts);
        }
    }
}
