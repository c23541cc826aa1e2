//! What the fuzz target of stored records does with its input; an ordinary test runs the same over the seeds and noise.
//!
//! A disk gives back whatever it likes: no panic, no memory that outgrows the input. The first byte says what the rest is:
//! bytes as they are, or the body of a record whose checksum is right, so that what lies behind the checksum is reached.

use bytes::Bytes;
use lightmoon_durable::{audit, log_entry, record};

/// Reads the bytes after the first as the row that the first one chooses.
pub(crate) fn stored(input: &[u8]) {
    let Some((which, rest)) = input.split_first() else { return };
    let raw = Bytes::copy_from_slice(rest);
    match which % 4 {
        0 => {
            let _ = (record::open(&raw), log_entry(&raw), audit::snapshots(&raw), audit::entity(&raw));
        }
        1 => {
            let opened = record::open(&record::seal("any", 1, rest)).expect("it was just sealed");
            assert_eq!(opened.body, raw);
        }
        2 => {
            if let Ok(snapshots) = audit::snapshots(&record::seal("manifest", 1, rest)) {
                let parts: usize = snapshots.iter().map(|snapshot| snapshot.keys().len()).sum();
                assert!(parts <= rest.len(), "a part takes a byte at least");
            }
        }
        _ => {
            if let Ok(entry) = log_entry(&record::seal("operation", 1, rest)) {
                assert!(entry.arguments.len() + entry.reply.len() <= rest.len());
            }
        }
    }
}
