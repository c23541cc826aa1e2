//! Reading what a server has stored, while it does not run: for audits and tools.
//!
//! *Responsible for*: opening a store without a node, finding actors, their states and operation logs. *Not responsible
//! for*: what states mean; the game knows.
//!
//! Invariants:
//! - I1: an archive changes nothing of what is stored.
//! - I2: it has the data folder for itself: no server can run meanwhile.

use crate::Failure;
use crate::folder::Folder;
use crate::options::{StoreChoice, store_choice};
use crate::storage::open_files;
use bytes::{Bytes, BytesMut};
use lightmoon_contract::{ActorId, Kind, Mono, NetId};
use lightmoon_durable::layout::{self, Section};
use lightmoon_durable::{LogEntry, audit as durable_audit, log_entry};
use lightmoon_store::{Area, Done, KeyRange, Outcome, Request, Row, Scan, Store as _, Ticket};
use lightmoon_store_files::FilesOptions;
use lightmoon_store_files::FilesStore;
use std::fmt;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

pub use lightmoon_durable::{Letter, Posted};

/// How long one answer of the store may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Rows of one page.
const PAGE_ROWS: usize = 100;

/// What a server has stored.
pub struct Archive {
    store: FilesStore,
    woken: Receiver<()>,
    _folder: Option<Folder>,
}

/// One actor, as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StoredActor {
    /// How many commits there were.
    pub seq: u64,
    /// The epoch of its last activation: the node's generation in the upper bits.
    pub epoch: u64,
    /// Its state, a sealed record; `None`: a zone, or nothing was ever saved.
    pub state: Option<Bytes>,
    /// Its durable entities that snapshots do not cover; `None`: gone.
    pub entities: Vec<(NetId, Option<Bytes>)>,
    /// Messages in its outbox that take effect exactly once, by number. One is under way as long as the inbox of its receiver
    /// has a lower number for this actor, or none.
    pub outbox: Vec<(u64, Letter)>,
    /// The last message that it took of each sender.
    pub inbox: Vec<(ActorId, u64)>,
    /// Its operation log, in order: the number of the commit, the operation.
    pub log: Vec<(u64, LogEntry)>,
}

impl Archive {
    /// Opens the store that `url` names as `--store` does: `files:DIR`.
    ///
    /// # Errors
    /// It is no store of files, a server runs in the folder, or the store refuses.
    pub fn open(url: &str) -> Result<Self, Failure> {
        let StoreChoice::Files(path) = store_choice(url, "./lightmoon-data")? else {
            return Err(Failure::wrong_arguments(
                "`memory:` is gone with its server",
                "name the folder of a server that has stopped, as files:DIR",
            ));
        };
        if !path.is_dir() {
            return Err(Failure::new(
                format!("there is no folder {}", path.display()),
                "name the data folder of a server that has stopped, as files:DIR",
            ));
        }
        let folder = Folder::open(&path)?;
        let (wake, woken) = mpsc::channel();
        let store = open_files(&path, FilesOptions::default(), move || {
            // An archive that is gone needs no waking.
            let _ = wake.send(());
        })?;
        Ok(Self { store, woken, _folder: Some(folder) })
    }

    /// Keys of all actors of a kind that were ever stored, ascending.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn actors(&mut self, kind: Kind) -> Result<Vec<u64>, Failure> {
        let (mut keys, mut after) = (Vec::new(), None);
        loop {
            let scan =
                Scan::Partitions { area: Area::Commits, space: layout::ACTORS, after, limit: PAGE_ROWS };
            let Done::Partitions(page) = self.ask(Request::Scan(scan))? else { return Err(odd()) };
            let found = page.iter().filter_map(|key| layout::actor_of(key));
            keys.extend(found.filter(|id| id.kind == kind).map(|id| id.key));
            match page.last() {
                Some(last) => after = Some(last.clone()),
                None => break,
            }
        }
        keys.sort_unstable();
        Ok(keys)
    }

    /// What is stored of an actor; `None`: nothing.
    ///
    /// # Errors
    /// The store does not answer, or what it has is damaged.
    pub fn actor(&mut self, id: ActorId) -> Result<Option<StoredActor>, Failure> {
        let mut actor = StoredActor::default();
        let mut state = BytesMut::new();
        let mut keys = KeyRange::all();
        loop {
            let (area, partition) = (Area::Commits, layout::actor(id));
            let read = Request::Read { area, partition, keys, limit: PAGE_ROWS, serial: true };
            let Done::Page(page) = self.ask(read)? else { return Err(odd()) };
            let Some(head) = page.head else { return Ok(None) };
            actor.seq = head.get(layout::SEQ).unwrap_or(0);
            actor.epoch = head.get(layout::EPOCH).unwrap_or(0);
            for row in &page.rows {
                sort(row, &mut actor, &mut state).map_err(|why| damaged(id, &why))?;
            }
            match page.rows.last().filter(|_| page.more) {
                Some(last) => keys = KeyRange::all().after(&last.key),
                None => break,
            }
        }
        actor.state = (!state.is_empty()).then(|| state.freeze());
        Ok(Some(actor))
    }

    fn ask(&mut self, request: Request) -> Result<Done, Failure> {
        let gone = || Failure::new("the store does not answer", "see the log above");
        self.store.submit(Ticket(1), request).map_err(|rejected| Failure::new(rejected.to_string(), ""))?;
        loop {
            match self.store.poll(Mono(0)) {
                Some((_, Outcome::Done(done))) => return Ok(done),
                Some((_, Outcome::Damaged)) => {
                    return Err(Failure::new(
                        "something that is stored is damaged",
                        "see the log above, and restore a copy of the folder",
                    ));
                }
                Some((_, Outcome::Refused(_) | Outcome::Unknown | Outcome::Unavailable)) => {
                    return Err(gone());
                }
                None => self.woken.recv_timeout(PATIENCE).map_err(|_| gone())?,
            }
        }
    }
}

/// Puts a row where it belongs.
fn sort(row: &Row, actor: &mut StoredActor, state: &mut BytesMut) -> Result<(), String> {
    if let Some(letter) = durable_audit::letter(&row.key, &row.value) {
        actor.outbox.push(letter.map_err(|error| error.to_string())?);
        return Ok(());
    }
    if let Some(mark) = durable_audit::mark(&row.key, &row.value) {
        actor.inbox.push(mark.map_err(|error| error.to_string())?);
        return Ok(());
    }
    let Some((section, k1, _)) = layout::numbers(&row.key) else {
        return Err("it has a row whose key is none".to_owned());
    };
    if section == Section::Log as u8 {
        let entry = log_entry(&row.value).map_err(|error| error.to_string())?;
        actor.log.push((k1, entry));
    } else if section == Section::State as u8 && k1 == 0 {
        state.extend_from_slice(&row.value);
    } else if section == Section::State as u8 {
        let value = row.value.get(8..).ok_or("a durable entity is cut off")?;
        actor.entities.push((NetId(k1), (!value.is_empty()).then(|| row.value.slice(8..))));
    }
    Ok(())
}

fn damaged(id: ActorId, why: &str) -> Failure {
    Failure::new(format!("what is stored of actor {id} is damaged: {why}"), "restore a copy of the folder")
}

fn odd() -> Failure {
    Failure::new("the store gave an answer that is none", "report it")
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").field("store", &self.store).finish_non_exhaustive()
    }
}
