//! What callers build on: an unknown outcome, decided by a serial read, is decided for good.

use bytes::Bytes;

use super::bench::{Bench, SEQ, fence, head, partition};
use crate::{Area, Change, Condition, Done, Head, KeyRange, Outcome, Page, Request, Row};

/// Commits that have to happen, each once.
const COUNT: u64 = 200;

/// Tries of one request before the store is given up.
const TRIES_MAX: u32 = 100;

/// Counts to [`COUNT`] the way `durable` does: one commit at a time, each fenced by the number before; an unknown outcome
/// is read serially; it is sent again only if the read does not show it.
pub(super) fn counter_is_exact(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "counter");
    let key = |seq: u64| Bytes::from(seq.to_be_bytes().to_vec());
    let mut seq = None;
    while seq.is_none_or(|seq| seq < COUNT) {
        let (condition, next) = seq.map_or((Condition::Absent, 0), |seq| (fence(1, seq), seq + 1));
        let changes = vec![Change::Put(Row { key: key(next), value: key(next) })];
        let outcome = bench.commit(&place, condition, head(1, next), changes)?;
        seq = match outcome {
            Outcome::Done(Done::Written) => Some(next),
            Outcome::Unavailable => seq,
            Outcome::Unknown => {
                let shown = serial(bench, KeyRange::all(), 1)?.head.and_then(|head: Head| head.get(SEQ));
                if shown != seq && shown != Some(next) {
                    return Err(format!("after an unknown commit of {next} the number is {shown:?}"));
                }
                shown
            }
            Outcome::Refused(current) => {
                return Err(format!(
                    "commit {next} behind {seq:?} was refused by {current:?}: what a serial read did not show happened \
                     later"
                ));
            }
            Outcome::Done(other) => return Err(format!("a commit gave {other}")),
            Outcome::Damaged => return Err("a commit met damage".to_owned()),
        };
    }
    let page = serial(bench, KeyRange::all(), 1_000)?;
    let rows: Vec<Bytes> = page.rows.into_iter().map(|row| row.value).collect();
    let wanted: Vec<Bytes> = (0..=COUNT).map(key).collect();
    super::bench::expect("the rows that the commits left", &rows, &wanted)
}

/// A serial read, repeated until it is answered: reading does no harm.
fn serial(bench: &mut Bench<'_>, keys: KeyRange, limit: usize) -> Result<Page, String> {
    for _ in 0..TRIES_MAX {
        let request = Request::Read {
            area: Area::Commits,
            partition: partition(1, "counter"),
            keys: keys.clone(),
            limit,
            serial: true,
        };
        match bench.call(request)? {
            Outcome::Done(Done::Page(page)) => return Ok(page),
            Outcome::Unknown | Outcome::Unavailable => {}
            other @ (Outcome::Done(_) | Outcome::Refused(_) | Outcome::Damaged) => {
                return Err(format!("a read gave {other:?}"));
            }
        }
    }
    Err("no serial read is answered".to_owned())
}
