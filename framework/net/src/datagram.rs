//! Datagrams of one link on their way out, and what is reported of its path.
//!
//! *Responsible for*: handing quinn what fits now, noticing when its buffer is tight and when the path changes. *Not responsible for*: which
//! datagram is worth sending (`wire`, which hears of the path and holds back).
//!
//! Invariants:
//! - I1: nothing is handed to quinn that would push an older datagram out of its buffer.
//! - I2: a path that was reported as tight is reported again when it is not.

use crate::event::NetEvent;
use crate::limits;
use crate::link::Shared;
use bytes::Bytes;
use lightmoon_wire::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What was reported of a path.
#[derive(Debug, Default)]
pub(crate) struct Watch(Mutex<Watched>);

#[derive(Debug, Default)]
struct Watched {
    rtt: Duration,
    size_max: usize,
    is_tight: bool,
    /// Datagrams since the path was looked at.
    since: u32,
}

impl Watch {
    fn lock(&self) -> MutexGuard<'_, Watched> {
        // Nothing in here panics between two consistent states.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands a datagram over if there is room for it; answers whether the buffer is tight now.
pub(crate) fn send(shared: &Shared, bytes: Bytes) -> bool {
    let mut watched = shared.watch.lock();
    watched.since += 1;
    if watched.since >= limits::PATH_EVERY_DATAGRAMS {
        look(shared, &mut watched);
    }
    if bytes.len() > watched.size_max {
        shared.tally.datagrams_too_large.add(1);
        return watched.is_tight;
    }
    let room = shared.session.datagram_send_buffer_space();
    let size = bytes.len();
    if size > room {
        shared.tally.datagrams_dropped.add(1);
    } else if shared.session.send_datagram(bytes).is_ok() {
        shared.tally.datagrams_sent.add(1);
    } else {
        // The path shrank, or the connection is ending; its `closed` tells then.
        shared.tally.datagrams_too_large.add(1);
        look(shared, &mut watched);
    }
    let left = room.saturating_sub(size);
    if !watched.is_tight && left < limits::DATAGRAM_ROOM_TIGHT {
        watched.is_tight = true;
        report(shared, &watched, Some(left));
    }
    watched.is_tight
}

/// Looks at a tight path again; answers whether it still is.
pub(crate) fn is_still_tight(shared: &Shared) -> bool {
    let mut watched = shared.watch.lock();
    if watched.is_tight && shared.session.datagram_send_buffer_space() >= limits::DATAGRAM_ROOM_FREE {
        watched.is_tight = false;
        report(shared, &watched, None);
    }
    watched.is_tight
}

/// Reports the path of a link that was just opened.
pub(crate) fn begin(shared: &Shared) {
    look(shared, &mut shared.watch.lock());
}

/// Looks at the path, and reports it if it changed by much.
fn look(shared: &Shared, watched: &mut Watched) {
    watched.since = 0;
    let (rtt, size_max) = (shared.session.rtt(), shared.session.max_datagram_size());
    let quarter = watched.rtt / 4;
    if size_max == watched.size_max && rtt.abs_diff(watched.rtt) <= quarter {
        return;
    }
    (watched.rtt, watched.size_max) = (rtt, size_max);
    let room = watched.is_tight.then(|| shared.session.datagram_send_buffer_space());
    report(shared, watched, room);
}

fn report(shared: &Shared, watched: &Watched, datagram_room: Option<usize>) {
    let path = Path { rtt: watched.rtt, datagram_bytes_max: watched.size_max, datagram_room };
    (shared.sink)(NetEvent::Path { link: shared.link, path });
}
