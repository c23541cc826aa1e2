//! Loading an actor: read, claim, put together.
//!
//! *Responsible for*: the steps from nothing to [`Loaded`]. *Not responsible for*: what a state or a part holds.
//!
//! ```text
//! read the rows, serial ─► claim: IF epoch and seq are as read → our epoch ─► read the parts of the newest whole snapshot
//!        ▲                        │ refused: somebody else was faster
//!        └────────────────────────┘
//! ```
//!
//! Pages of the read have the same head, and the claim happens only if nothing was committed since, so what was read is all
//! there is.
//!
//! Invariants:
//! - I1: an epoch is higher than every one before it: `max(generation << 20, stored + 1)`. So an activation that is over
//!   commits nothing once the actor was loaded again.
//! - I2: a snapshot is given whole or not at all; a damaged one is counted, logged, and the one before it taken.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use lightmoon_contract::{ActorId, Mono, NetId};
use lightmoon_store::{Area, Condition, Done, Head, Is, KeyRange, Outcome, Request, Row, Test};

use super::commit::open_entity_row;
use super::traffic::Purpose;
use super::{Event, Keeper, LoadFailure};
use crate::layout::{self, Section};
use crate::manifest::{Entry, Manifest};
use crate::record::RecordError;
use crate::{Letter, Loaded, Reply, Snapshot, limits, mail};

/// An actor that is being loaded.
#[derive(Debug, Default)]
pub(super) struct Load {
    tries: u32,
    /// The epoch that we claim with; a read that shows it says that the claim happened.
    claimed: Option<u64>,
    head: Option<Head>,
    rows: Vec<Row>,
    step: Step,
    loaded: Loaded,
    entities: Vec<(NetId, u64, Option<Bytes>)>,
    parts: Vec<Bytes>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Step {
    #[default]
    Rows,
    Claim,
    /// The parts of this entry of the manifest.
    Parts(usize),
}

impl Keeper {
    pub(super) fn begin_load(&mut self, actor: ActorId) {
        if let Some(owned) = self.actors.get_mut(&actor) {
            owned.load = Some(Box::default());
            self.traffic.send(Purpose::Load(actor), read_rows(actor, all_rows()), true);
        }
    }

    pub(super) fn load_outcome(&mut self, now: Mono, actor: ActorId, request: Request, outcome: Outcome) {
        let Some(load) = self.actors.get_mut(&actor).and_then(|owned| owned.load.as_mut()) else { return };
        match (load.step, outcome) {
            // A commit came between two pages: those before it show what was, and the claim would not notice.
            (Step::Rows, Outcome::Done(Done::Page(page)))
                if !load.rows.is_empty() && load.head != page.head =>
            {
                self.read_again(actor);
            }
            (Step::Rows, Outcome::Done(Done::Page(page))) => {
                let more =
                    page.more.then(|| page.rows.last().map(|row| all_rows().after(&row.key))).flatten();
                load.head = page.head;
                load.rows.extend(page.rows);
                match more {
                    Some(_) if load.rows.len() >= limits::ENTITY_ROWS_MAX => {
                        self.unreadable(actor, "there are more rows than can be loaded".to_owned());
                    }
                    Some(keys) => self.traffic.send(Purpose::Load(actor), read_rows(actor, keys), true),
                    None => self.claim(actor),
                }
            }
            (Step::Claim, Outcome::Done(_)) => self.claimed(actor),
            (Step::Claim, Outcome::Refused(_) | Outcome::Unknown) => self.read_again(actor),
            (Step::Parts(at), Outcome::Done(Done::Page(page))) => {
                let last = page.rows.last().map(|row| row.key.clone());
                load.parts.extend(page.rows.into_iter().map(|row| row.value));
                match (page.more, last) {
                    (true, Some(last)) => self.read_parts(actor, at, Some(&last)),
                    (true | false, _) => self.parts_read(actor, at),
                }
            }
            // A damaged part is as one that is missing: the snapshot before it may be whole.
            (Step::Parts(at), Outcome::Damaged) => {
                load.parts.clear();
                self.parts_read(actor, at);
            }
            (Step::Rows | Step::Claim, Outcome::Damaged) => {
                self.unreadable(actor, "what is stored is damaged: restore a copy of the store".to_owned());
            }
            // Reading again is safe.
            (Step::Rows | Step::Parts(_), Outcome::Unknown) => {
                self.traffic.send_later(now, Purpose::Load(actor), request);
            }
            (Step::Rows | Step::Claim | Step::Parts(_), _) => {
                self.unreadable(actor, "the store gave an answer that is none".to_owned());
            }
        }
    }

    /// Somebody else claimed or committed meanwhile, or nobody knows.
    fn read_again(&mut self, actor: ActorId) {
        let Some(load) = self.actors.get_mut(&actor).and_then(|owned| owned.load.as_mut()) else { return };
        load.tries += 1;
        if load.tries >= limits::CLAIMS_MAX {
            return self.end_load(actor, Err(LoadFailure::Away));
        }
        (load.step, load.head) = (Step::Rows, None);
        load.rows.clear();
        self.traffic.send(Purpose::Load(actor), read_rows(actor, all_rows()), true);
    }

    fn claim(&mut self, actor: ActorId) {
        let generation = self.generation << limits::EPOCH_SHIFT;
        let Some(load) = self.actors.get_mut(&actor).and_then(|owned| owned.load.as_mut()) else { return };
        let stored = load.head.as_ref().and_then(|head| head.get(layout::EPOCH));
        if stored.is_some() && stored == load.claimed {
            return self.claimed(actor);
        }
        if let Some(epoch) = stored.filter(|epoch| epoch >> limits::EPOCH_SHIFT > self.generation) {
            self.fence(epoch);
            return self.end_load(actor, Err(LoadFailure::Away));
        }
        let epoch = stored.map_or(generation, |stored| generation.max(stored + 1));
        load.claimed = Some(epoch);
        load.step = Step::Claim;
        let field = |field| load.head.as_ref().and_then(|head| head.get(field)).unwrap_or(0);
        let (seq, ids) = (field(layout::SEQ), field(layout::IDS));
        let is = |field, value| Test { field, is: Is::Equal, value };
        let condition = match stored {
            None => Condition::Absent,
            Some(stored) => Condition::Holds(vec![is(layout::EPOCH, stored), is(layout::SEQ, seq)]),
        };
        let head = [(layout::EPOCH, epoch), (layout::SEQ, seq), (layout::IDS, ids + limits::IDS_RESERVED)];
        let (partition, head) = (layout::actor(actor), Head::of(head));
        let request = Request::Commit { partition, condition, head, changes: Vec::new() };
        self.traffic.send(Purpose::Load(actor), request, true);
    }

    /// The actor is ours, and what was read is all there is.
    fn claimed(&mut self, actor: ActorId) {
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        let Some(load) = &mut owned.load else { return };
        let field = |field| load.head.as_ref().and_then(|head| head.get(field)).unwrap_or(0);
        owned.epoch = load.claimed.unwrap_or(0);
        owned.seq = field(layout::SEQ);
        load.loaded.is_new = load.head.is_none();
        load.loaded.ids = field(layout::IDS);
        if load.head.as_ref().and_then(|head| head.get(layout::EPOCH)) == load.claimed {
            // This read shows the claim of a try before: it reserved ids already.
            load.loaded.ids = load.loaded.ids.saturating_sub(limits::IDS_RESERVED);
        }
        let mut state = BytesMut::new();
        let (mut parts, mut manifest) = (0, Manifest::default());
        let (mut outbox, mut marks) = (BTreeMap::new(), BTreeMap::new());
        for row in std::mem::take(&mut load.rows) {
            let numbers = layout::numbers(&row.key);
            if let Some(read) = numbers.and_then(|numbers| read_mail(numbers, &row.value)) {
                match read {
                    Ok(MailRow::Letter(number, letter)) => drop(outbox.insert(number, letter)),
                    Ok(MailRow::Mark(from, number)) => drop(marks.insert(from, number)),
                    Ok(MailRow::Reply(reply)) => load.loaded.replies.push(reply),
                    Err(error) => return self.unreadable(actor, error.to_string()),
                }
                continue;
            }
            match layout::numbers(&row.key) {
                Some((section, 0, 0)) if section == Section::Manifest as u8 => {
                    match Manifest::open(&row.value) {
                        Ok(read) => manifest = read,
                        Err(error) => return self.unreadable(actor, error.to_string()),
                    }
                }
                Some((section, 0, _)) if section == Section::State as u8 => {
                    state.extend_from_slice(&row.value);
                    parts += 1;
                }
                Some((section, net, 0)) if section == Section::State as u8 => {
                    let Some((seq, value)) = open_entity_row(&row.value) else {
                        return self.unreadable(actor, format!("the row of entity {net} is cut off"));
                    };
                    load.entities.push((NetId(net), seq, value));
                }
                _ => {
                    return self.unreadable(actor, "there is a row that this build does not know".to_owned());
                }
            }
        }
        // Those that are settled in a commit to come were taken.
        outbox.retain(|number, _| !owned.settling.contains_key(number));
        let before = std::mem::take(&mut owned.outbox);
        load.loaded.inbox = marks.iter().map(|(from, number)| (*from, *number)).collect();
        load.loaded.outbox = (outbox.len(), outbox.values().map(Letter::bytes).sum());
        (owned.outbox, owned.marks) = (outbox, marks);
        owned.state_parts = parts;
        owned.manifest = manifest;
        owned.entities = load.entities.iter().map(|(net, seq, _)| (*net, *seq)).collect();
        load.loaded.state = (parts > 0).then(|| state.freeze());
        let has_snapshots = !owned.manifest.entries.is_empty();
        self.outbox_gone(actor, &before);
        if !has_snapshots {
            return self.finish_load(actor, None);
        }
        self.read_parts(actor, 0, None);
    }

    fn read_parts(&mut self, actor: ActorId, at: usize, after: Option<&Bytes>) {
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        let (Some(load), Some(entry)) = (&mut owned.load, owned.manifest.entries.get(at)) else { return };
        load.step = Step::Parts(at);
        let to = Some(layout::chunk(entry.epoch, entry.number, u64::MAX));
        let all = KeyRange { from: entry.key(0), to };
        let keys = after.map_or_else(|| all.clone(), |last| all.after(last));
        let (area, partition) = (Area::Chunks, layout::actor(actor));
        let read = Request::Read { area, partition, keys, limit: limits::LOAD_PAGE_ROWS, serial: true };
        self.traffic.send(Purpose::Load(actor), read, true);
    }

    fn parts_read(&mut self, actor: ActorId, at: usize) {
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        let (Some(load), Some(entry)) = (&mut owned.load, owned.manifest.entries.get(at)) else { return };
        let parts = std::mem::take(&mut load.parts);
        if entry.is_made_of(&parts) {
            load.loaded.snapshot = Some(Snapshot { tick: entry.tick, parts });
            let seq = entry.seq;
            return self.finish_load(actor, Some(seq));
        }
        let Entry { number, tick, .. } = entry;
        tracing::error!(%actor, number, tick, "a snapshot is damaged or incomplete; the one before it is taken");
        self.counters.snapshots_damaged += 1;
        if at + 1 < owned.manifest.entries.len() {
            self.read_parts(actor, at + 1, None);
        } else {
            self.unreadable(
                actor,
                "every kept snapshot is damaged: restore the store from a copy".to_owned(),
            );
        }
    }

    /// Everything is there. `covered`: up to which commit the snapshot shows what happened.
    fn finish_load(&mut self, actor: ActorId, covered: Option<u64>) {
        let Some(load) = self.actors.get_mut(&actor).and_then(|owned| owned.load.as_mut()) else { return };
        let newer = std::mem::take(&mut load.entities)
            .into_iter()
            .filter(|(_, seq, _)| covered.is_none_or(|covered| *seq > covered));
        load.loaded.entities = newer.map(|(net, _, value)| (net, value)).collect();
        let loaded = std::mem::take(&mut load.loaded);
        self.counters.loads += 1;
        self.end_load(actor, Ok(loaded));
        let letters: Vec<u64> =
            self.actors.get(&actor).map(|owned| owned.outbox.keys().copied().collect()).unwrap_or_default();
        self.in_outbox(actor, &letters);
        if covered.is_some() {
            self.sweep(actor);
        }
    }

    fn unreadable(&mut self, actor: ActorId, why: String) {
        self.end_load(actor, Err(LoadFailure::Unreadable(why)));
    }

    fn end_load(&mut self, actor: ActorId, result: Result<Loaded, LoadFailure>) {
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        owned.load = None;
        match result {
            Ok(loaded) => self.events.push_back(Event::Loaded { actor, loaded }),
            Err(error) => {
                owned.is_released = true;
                self.fail_load(actor, error);
            }
        }
        self.go_on(actor);
    }
}

/// Everything but the operation log.
fn all_rows() -> KeyRange {
    layout::sections(Section::Manifest as u8, Section::Log as u8)
}

/// A row of the outbox, the inbox or the replies.
enum MailRow {
    Letter(u64, Letter),
    Mark(ActorId, u64),
    Reply(Reply),
}

/// `None`: it is a row of something else.
fn read_mail((section, k1, k2): (u8, u64, u64), value: &Bytes) -> Option<Result<MailRow, RecordError>> {
    if section == Section::Outbox as u8 {
        Some(Letter::open(value).map(|letter| MailRow::Letter(k1, letter)))
    } else if section == Section::Inbox as u8 {
        let from = mail::mark_of(k1, k2)?;
        Some(mail::open_mark(value).map(|number| MailRow::Mark(from, number)))
    } else if section == Section::Replies as u8 {
        Some(mail::open_reply(k1, k2, value).map(MailRow::Reply))
    } else {
        None
    }
}

fn read_rows(actor: ActorId, keys: KeyRange) -> Request {
    let (area, partition) = (Area::Commits, layout::actor(actor));
    Request::Read { area, partition, keys, limit: limits::LOAD_PAGE_ROWS, serial: true }
}
