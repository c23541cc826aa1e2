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
    match which % 6 {
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
        3 => {
            // Any key, any row: what is none of outbox, inbox and replies is said to be none.
            let (key, row) = rest.split_at(rest.len().min(17));
            let row = Bytes::copy_from_slice(row);
            let _ = (audit::letter(key, &row), audit::mark(key, &row), audit::reply(key, &row));
        }
        4 => {
            let key = [&[2u8; 1][..], &[0; 16]].concat();
            if let Some(Ok((_, letter))) = audit::letter(&key, &record::seal("letter", 1, rest)) {
                assert!(letter.posted.arguments.len() <= rest.len());
            }
            let key = [&[6u8; 1][..], &[0; 16]].concat();
            if let Some(Ok(reply)) = audit::reply(&key, &record::seal("reply", 1, rest)) {
                assert!(reply.reply.is_none_or(|reply| reply.len() <= rest.len()));
            }
        }
        _ => {
            if let Ok(entry) = log_entry(&record::seal("operation", 1, rest)) {
                assert!(entry.arguments.len() + entry.reply.len() <= rest.len());
            }
        }
    }
}
