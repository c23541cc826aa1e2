//! Flaws: deliberately wrong clients, to prove that the checkers see.
//!
//! *Responsible for*: bending what a client holds, and what it says of its calls, in the ways real faults would.
//! *Not responsible for*: finding them; a [`crate::Judge`] with a flaw must.
//!
//! Invariants:
//! - I1: a flaw bends only what checkers are shown. The world goes the same way with it or without.

use std::collections::{BTreeMap, BTreeSet};

use lightmoon_contract::{NetId, Tick};

use crate::checker::ClientNumber;
use crate::truth::{HeldEntity, HeldView};
use crate::world::CallNews;

/// A way to be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// Ignores that entities left.
    KeepsLeft,
    /// Applies what belongs to an attachment that is over.
    AppliesOldGenerations,
    /// Gives an index to another entity at once, so that a late packet meets the new owner.
    ReusesIndexes,
    /// Overlooks some of the entities that enter.
    MissesEnters,
    /// Keeps the first value of sticky components.
    FreezesSticky,
    /// Shows the values of late packets under the ticks of new ones.
    AppliesLatePackets,
    /// Takes a packet that was overtaken for the newest.
    GoesBack,
    /// Gives answers twice.
    AnswersTwice,
    /// Loses answers.
    LosesAnswers,
    /// Shows nothing new after a while.
    Freezes,
    /// Overlooks, of some entities, all that comes after they entered.
    StaysBehind,
    /// Shows each value only when the next one is there, so never the last.
    MissesLast,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::KeepsLeft,
        Self::AppliesOldGenerations,
        Self::ReusesIndexes,
        Self::MissesEnters,
        Self::FreezesSticky,
        Self::AppliesLatePackets,
        Self::GoesBack,
        Self::AnswersTwice,
        Self::LosesAnswers,
        Self::Freezes,
        Self::StaysBehind,
        Self::MissesLast,
    ];
}

/// What a flawed client remembers.
#[derive(Debug, Default)]
struct Memory {
    shown: Option<HeldView>,
    real: Option<HeldView>,
    /// What it really held some looks ago.
    old: Option<HeldView>,
    /// State of the entity that left last.
    left: Option<HeldEntity>,
    looks: u32,
    /// First sticky values.
    sticky: BTreeMap<NetId, BTreeMap<u16, Vec<u8>>>,
    /// State of entities, as it was first or before it changed.
    state: BTreeMap<NetId, State>,
}

/// Values of an entity with their ticks.
type State = BTreeMap<u16, (Tick, Vec<u32>)>;

/// Looks of a client between two times at which [`Flaw::GoesBack`] shows what was held then.
const GOES_BACK_EVERY: u32 = 20;

/// Looks of a client after which [`Flaw::Freezes`] shows nothing new.
const FREEZES_AFTER: u32 = 100;

/// Bends what checkers are shown.
#[derive(Debug)]
pub(crate) struct Bender {
    flaw: Flaw,
    memory: BTreeMap<ClientNumber, Memory>,
}

impl Bender {
    pub(crate) const fn new(flaw: Flaw) -> Self {
        Self { flaw, memory: BTreeMap::new() }
    }

    /// What the flawed client would hold in place of `real`.
    pub(crate) fn bend(&mut self, client: ClientNumber, real: HeldView) -> HeldView {
        let memory = self.memory.entry(client).or_default();
        memory.looks += 1;
        let before = memory.real.replace(real.clone());
        let attachment = (real.zone, real.generation);
        let same = |view: &HeldView| (view.zone, view.generation) == attachment;
        let mut shown = real;
        match self.flaw {
            Flaw::KeepsLeft => carry(&mut shown, memory.shown.take_if(|view| same(view))),
            Flaw::AppliesOldGenerations => carry(&mut shown, memory.shown.take()),
            Flaw::ReusesIndexes => reuse(&mut shown, before.filter(same), &mut memory.left),
            Flaw::MissesEnters => shown.entities.retain(|net, _| net.0 % 3 != 0 || *net == shown.avatar),
            Flaw::FreezesSticky => {
                for (net, entity) in &mut shown.entities {
                    entity.sticky =
                        memory.sticky.entry(*net).or_insert_with(|| entity.sticky.clone()).clone();
                }
            }
            Flaw::AppliesLatePackets => late(&mut shown, memory.shown.as_ref().filter(|view| same(view))),
            Flaw::GoesBack if memory.looks.is_multiple_of(GOES_BACK_EVERY) => {
                back(&mut shown, std::mem::replace(&mut memory.old, before).filter(same));
            }
            Flaw::Freezes if memory.looks > FREEZES_AFTER => {
                shown = memory.shown.clone().filter(same).unwrap_or(shown);
            }
            Flaw::StaysBehind => {
                memory.state.retain(|net, _| shown.entities.contains_key(net));
                for (net, entity) in shown.entities.iter_mut().filter(|(net, _)| net.0 % 3 == 0) {
                    entity.state = memory.state.entry(*net).or_insert_with(|| entity.state.clone()).clone();
                }
            }
            Flaw::MissesLast => {
                match before.filter(same) {
                    Some(before) => miss_last(&mut shown, &before, &mut memory.state),
                    // What was shown of another attachment is not what comes before this one.
                    None => memory.state.clear(),
                }
            }
            Flaw::Freezes | Flaw::GoesBack | Flaw::AnswersTwice | Flaw::LosesAnswers => {}
        }
        memory.shown = Some(shown.clone());
        shown
    }

    /// What the flawed client would say of its calls.
    pub(crate) fn bend_calls(&self, news: Vec<(ClientNumber, CallNews)>) -> Vec<(ClientNumber, CallNews)> {
        let is_answer = |news: &CallNews| matches!(news, CallNews::Answered(_));
        match self.flaw {
            Flaw::AnswersTwice => news
                .into_iter()
                .flat_map(|one| std::iter::repeat_n(one, if is_answer(&one.1) { 2 } else { 1 }))
                .collect(),
            Flaw::LosesAnswers => news.into_iter().filter(|(_, news)| !is_answer(news)).collect(),
            Flaw::KeepsLeft
            | Flaw::AppliesOldGenerations
            | Flaw::ReusesIndexes
            | Flaw::MissesEnters
            | Flaw::FreezesSticky
            | Flaw::AppliesLatePackets
            | Flaw::GoesBack
            | Flaw::Freezes
            | Flaw::StaysBehind
            | Flaw::MissesLast => news,
        }
    }
}

/// Keeps what was shown before.
fn carry(shown: &mut HeldView, before: Option<HeldView>) {
    for (net, entity) in before.into_iter().flat_map(|view| view.entities) {
        shown.entities.entry(net).or_insert(entity);
    }
}

/// Gives an entity that is new the values of one that left.
fn reuse(shown: &mut HeldView, before: Option<HeldView>, left: &mut Option<HeldEntity>) {
    let Some(before) = before else { return };
    let known: BTreeSet<NetId> = before.entities.keys().copied().collect();
    if let Some(new) = shown.entities.iter_mut().find(|(net, _)| !known.contains(net))
        && let Some(old) = left.take()
    {
        for (number, (_, fields)) in old.state {
            new.1.state.entry(number).and_modify(|(_, value)| *value = fields);
        }
    }
    let gone = before.entities.into_iter().find(|(net, _)| !shown.entities.contains_key(net));
    if let Some((_, entity)) = gone {
        *left = Some(entity);
    }
}

/// Keeps older values under newer ticks.
fn late(shown: &mut HeldView, before: Option<&HeldView>) {
    let Some(before) = before else { return };
    for (net, entity) in &mut shown.entities {
        let Some(old) = before.entities.get(net) else { continue };
        for (number, (_, fields)) in &mut entity.state {
            if let Some((_, value)) = old.state.get(number) {
                fields.clone_from(value);
            }
        }
    }
}

/// Shows what was held before the last change.
fn miss_last(shown: &mut HeldView, before: &HeldView, last: &mut BTreeMap<NetId, State>) {
    last.retain(|net, _| shown.entities.contains_key(net));
    for (net, entity) in &mut shown.entities {
        let Some(old) = before.entities.get(net) else {
            last.remove(net);
            continue;
        };
        let values = |state: &State| state.values().map(|(_, fields)| fields.clone()).collect::<Vec<_>>();
        if values(&old.state) != values(&entity.state) {
            last.insert(*net, old.state.clone());
        }
        if let Some(state) = last.get(net) {
            entity.state.clone_from(state);
        }
    }
}

/// Goes back to what was held before.
fn back(shown: &mut HeldView, before: Option<HeldView>) {
    for (net, old) in before.into_iter().flat_map(|view| view.entities) {
        if let Some(entity) = shown.entities.get_mut(&net) {
            entity.state = old.state;
        }
    }
}
