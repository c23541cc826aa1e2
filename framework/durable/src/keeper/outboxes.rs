//! The list of actors that may have messages to send: after a restart they are brought to life without being called.
//!
//! *Responsible for*: writing an actor into the list before its first message is in a commit, reading the list of earlier
//! generations, taking out who has nothing left. *Not responsible for*: delivering (`relay`).
//!
//! A row of the list is the generation and the actor. A node writes under its own generation and removes only rows of earlier
//! ones, so a removal never meets an entry of the present.
//!
//! Invariants:
//! - I1: an actor with a message in its outbox stands in the list.
//! - I2: nobody is taken out while a node of an earlier generation may still write.
//! - I3: the list of earlier generations is read at the start, and every [`limits::OUTBOXES_AGAIN_AFTER`] as long as a node
//!   that was replaced may write late.

use bytes::Bytes;
use lightmoon_contract::{ActorId, Mono};
use lightmoon_store::{Area, Condition, Done, Field, Head, Is, KeyRange, Outcome, Request, Row, Scan, Test};

use super::traffic::Purpose;
use super::{Event, Keeper};
use crate::layout::{self, Section};
use crate::limits;

/// Whether an actor stands in the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Listed {
    #[default]
    No,
    Asked,
    Yes,
}

impl Keeper {
    /// Whether an actor may have messages in its commits; if not, it is written into the list, and goes on then.
    pub(super) fn is_listed(&mut self, actor: ActorId) -> bool {
        let key = layout::outbox(self.generation, actor);
        let Some(owned) = self.actors.get_mut(&actor) else { return false };
        if owned.listed == Listed::No {
            owned.listed = Listed::Asked;
            let append =
                Request::Append { log: layout::outboxes(), rows: vec![Row { key, value: Bytes::new() }] };
            self.traffic.send(Purpose::List(actor), append, true);
        }
        self.actors.get(&actor).is_some_and(|owned| owned.listed == Listed::Yes)
    }

    pub(super) fn list_outcome(&mut self, now: Mono, actor: ActorId, request: Request, outcome: &Outcome) {
        match outcome {
            Outcome::Done(_) => {
                if let Some(owned) = self.actors.get_mut(&actor) {
                    owned.listed = Listed::Yes;
                    self.go_on(actor);
                }
            }
            // The same row once more does no harm.
            Outcome::Unknown | Outcome::Unavailable | Outcome::Refused(_) | Outcome::Damaged => {
                self.traffic.send_later(now, Purpose::List(actor), request);
            }
        }
    }

    /// Reads the list of earlier generations from its beginning.
    pub(super) fn read_outboxes(&mut self) {
        self.outboxes_at = None;
        let to = Some(Bytes::copy_from_slice(&self.generation.to_be_bytes()));
        self.read_outboxes_of(KeyRange { from: Bytes::new(), to });
    }

    fn read_outboxes_of(&mut self, keys: KeyRange) {
        let (area, partition, limit) = (Area::Log, layout::outboxes(), limits::LOAD_PAGE_ROWS);
        let read = Request::Read { area, partition, keys, limit, serial: true };
        self.traffic.send(Purpose::Outboxes, read, false);
    }

    pub(super) fn outboxes_outcome(&mut self, now: Mono, request: &Request, outcome: Outcome) {
        // Once it is alone, what this node reads is all there will ever be.
        self.outboxes_at = (!self.is_alone()).then(|| now + limits::OUTBOXES_AGAIN_AFTER);
        let Outcome::Done(Done::Page(page)) = outcome else {
            self.outboxes_at = Some(now + limits::OUTBOXES_AGAIN_AFTER);
            return;
        };
        for row in &page.rows {
            let Some(actor) = layout::outbox_of(&row.key) else { continue };
            match self.actors.get(&actor) {
                None => self.look_into(actor, row.key.clone()),
                // If that fails nobody may try again.
                Some(owned) if owned.load.is_some() => self.look_again(),
                Some(_) => {}
            }
        }
        if let (true, Some(last), Request::Read { keys, .. }) = (page.more, page.rows.last(), request) {
            self.outboxes_at = None;
            self.read_outboxes_of(keys.after(&last.key));
        }
    }

    /// The list is to be read once more.
    pub(super) fn look_again(&mut self) {
        let at = self.now + limits::OUTBOXES_AGAIN_AFTER;
        self.outboxes_at.get_or_insert(at);
    }

    /// Whether no node of an earlier generation is left that writes.
    fn is_alone(&self) -> bool {
        self.now.since(self.began.unwrap_or(self.now)) >= limits::FORMER_GONE_AFTER
    }

    /// Looks whether an actor that stands in the list has a message.
    fn look_into(&mut self, actor: ActorId, listed: Bytes) {
        let (area, partition) = (Area::Commits, layout::actor(actor));
        let keys = layout::sections(Section::Outbox as u8, Section::Outbox as u8 + 1);
        let read = Request::Read { area, partition, keys, limit: 1, serial: true };
        self.traffic.send(Purpose::Holds(actor, listed), read, false);
    }

    pub(super) fn holds_outcome(&mut self, actor: ActorId, listed: Bytes, outcome: &Outcome) {
        // What could not be read is read again with the list.
        let Outcome::Done(Done::Page(page)) = outcome else { return self.look_again() };
        if !page.rows.is_empty() {
            self.events.push_back(Event::Wake(actor));
        } else if self.is_alone() && !self.actors.contains_key(&actor) {
            self.bar(actor, listed, page.head.as_ref());
        }
    }

    /// Takes an actor without messages away from whoever had it last, so that it can be taken out of the list: a node that
    /// does not know that it was replaced commits nothing of it any more.
    fn bar(&mut self, actor: ActorId, listed: Bytes, head: Option<&Head>) {
        let field = |field| head.and_then(|head| head.get(field)).unwrap_or(0);
        let (epoch, seq) = (field(layout::EPOCH), field(layout::SEQ));
        let is = |field, value| Test { field, is: Is::Equal, value };
        let condition = Condition::Holds(vec![is(layout::EPOCH, epoch), is(layout::SEQ, seq)]);
        let barred = (self.generation << limits::EPOCH_SHIFT).max(epoch + 1);
        let mut fields: Vec<(Field, u64)> = head.map(|head| head.fields().collect()).unwrap_or_default();
        fields.retain(|(field, _)| *field != layout::EPOCH);
        let head = Head::of(fields.into_iter().chain([(layout::EPOCH, barred)]));
        let partition = layout::actor(actor);
        let commit = Request::Commit { partition, condition, head, changes: Vec::new() };
        self.traffic.send(Purpose::Bar(listed), commit, false);
    }

    pub(super) fn bar_outcome(&mut self, listed: Bytes, outcome: &Outcome) {
        match outcome {
            Outcome::Done(_) => {
                let remove = Scan::RemoveFromLog { partition: layout::outboxes(), keys: vec![listed] };
                self.traffic.send(Purpose::Forget, Request::Scan(remove), false);
            }
            // Somebody has it, or nobody knows: it stays in the list, for the next node that looks.
            Outcome::Refused(_) | Outcome::Unknown | Outcome::Unavailable | Outcome::Damaged => {}
        }
    }
}
