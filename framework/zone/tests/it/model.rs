//! Any operations, ticks, saves and crashes, beside a model without an ECS.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use lightmoon_contract::NetId;

use crate::desk::Desk;
use crate::goods::{Place, first, fresh, line, yard};

#[derive(Clone, PartialEq, Debug, Default)]
struct Thing {
    place: Option<Place>,
    cargo: Option<Vec<u32>>,
    tag: Option<String>,
    is_hidden: bool,
    drift: f32,
}

impl Thing {
    fn is_kept(&self) -> bool {
        self.place.is_some() || self.cargo.is_some() || self.tag.is_some()
    }
}

/// What a yard is.
#[derive(Clone, PartialEq, Debug, Default)]
struct Yard {
    things: BTreeMap<NetId, Thing>,
    gold: u64,
}

impl Yard {
    fn populated() -> Self {
        let thing = |number: u64| {
            let place = Some(Place { x: (number - 1) as f32, y: 0.0 });
            (first(number), Thing { place, ..Thing::default() })
        };
        Self { things: (1..=3).map(thing).collect(), gold: 0 }
    }

    fn tick(&mut self) {
        for thing in self.things.values_mut().filter(|thing| !thing.is_hidden) {
            if let Some(place) = &mut thing.place {
                place.x += thing.drift;
            }
        }
    }

    fn lines(&self) -> Vec<String> {
        let things = self.things.iter().filter_map(|(id, thing)| {
            let Thing { place, cargo, tag, is_hidden, .. } = thing.clone();
            line(*id, place, cargo, tag, is_hidden)
        });
        std::iter::once(format!("till {}", self.gold)).chain(things).collect()
    }
}

/// The zone and what it should be.
struct Pair {
    desk: Desk,
    live: Yard,
    stored: Yard,
    /// What `sync` operations touched since the last save.
    touched: BTreeSet<NetId>,
    is_till_touched: bool,
    last: NetId,
}

impl Pair {
    fn new() -> Self {
        Self {
            desk: fresh::<3>(),
            live: Yard::populated(),
            stored: Yard::populated(),
            touched: BTreeSet::new(),
            is_till_touched: false,
            last: first(3),
        }
    }

    fn any(&self, random: &mut Rng) -> NetId {
        let count = self.live.things.len();
        self.live.things.keys().nth(random.usize(..count.max(1))).copied().unwrap_or(first(1))
    }

    /// Applies a `sync` change to the thing; `change` says whether it touches anything kept.
    fn touch(&mut self, id: NetId, change: impl FnOnce(&mut Thing) -> bool) {
        let Some(thing) = self.live.things.get_mut(&id) else { return };
        let was_kept = thing.is_kept();
        if change(thing) && (was_kept || thing.is_kept()) {
            self.touched.insert(id);
        }
    }

    fn step(&mut self, random: &mut Rng) {
        let id = self.any(random);
        match random.u32(..16) {
            0 | 1 => self.put(random),
            2 | 3 => self.load(id, random.u32(..9)),
            4 => {
                self.desk.ask(yard::Strip { id });
                self.touch(id, |thing| thing.cargo.take().is_some());
            }
            5 => self.tag(id, random.bool()),
            6 => {
                self.desk.ask(yard::Wreck { id });
                if self.live.things.remove(&id).is_some_and(|thing| thing.is_kept()) {
                    self.touched.insert(id);
                }
            }
            7 => self.hide(id, random.bool()),
            8 => {
                self.desk.ask(yard::Earn { gold: 3 });
                self.live.gold += 3;
                self.is_till_touched = true;
            }
            9 => self.ring(),
            10 => {
                let (x, y) = (random.f32() * 9.0, 3.0);
                self.desk.ask(yard::Shift { id, x, y });
                self.live.things.entry(id).and_modify(|thing| thing.place = Some(Place { x, y }));
            }
            11 => {
                let speed = random.f32();
                self.desk.ask(yard::Launch { id, speed });
                self.live.things.entry(id).and_modify(|thing| thing.drift = speed);
            }
            12 => {
                if random.u8(..4) == 0 {
                    self.desk.ask(yard::Lose { id });
                    self.live.things.remove(&id);
                }
            }
            13 => {
                if random.u8(..4) == 0 {
                    self.desk.ask(yard::Empty { id });
                    self.touch(id, |thing| {
                        let had = thing.is_kept();
                        (thing.place, thing.cargo, thing.tag) = (None, None, None);
                        had
                    });
                }
            }
            _ => {
                self.desk.ticks(1);
                self.live.tick();
            }
        }
    }

    fn put(&mut self, random: &mut Rng) {
        let (x, y) = (random.f32() * 100.0, 2.0);
        let id = self.desk.ask(yard::Put { x, y });
        assert!(id > self.last, "an id came twice");
        self.last = id;
        let thing = Thing { place: Some(Place { x, y }), cargo: Some(vec![]), ..Thing::default() };
        self.live.things.insert(id, thing);
        self.touched.insert(id);
    }

    fn load(&mut self, id: NetId, number: u32) {
        self.desk.ask(yard::Load { id, number });
        self.touch(id, |thing| {
            thing.cargo.get_or_insert_default().push(number);
            true
        });
    }

    fn tag(&mut self, id: NetId, has: bool) {
        let text = has.then(|| "mark".to_owned());
        self.desk.ask(yard::Tag { id, text: text.clone() });
        self.touch(id, |thing| std::mem::replace(&mut thing.tag, text).is_some() || has);
    }

    fn hide(&mut self, id: NetId, hidden: bool) {
        self.desk.ask(yard::Hide { id, hidden });
        self.touch(id, |thing| std::mem::replace(&mut thing.is_hidden, hidden) || hidden);
    }

    fn ring(&mut self) {
        self.desk.ask(yard::Ring {});
        for (id, thing) in &mut self.live.things {
            // The observer's query does not see hidden things.
            if let (Some(cargo), Some(_), false) = (&mut thing.cargo, &thing.tag, thing.is_hidden) {
                cargo.push(7);
                self.touched.insert(*id);
            }
        }
    }

    fn save(&mut self, snapshot: bool) {
        let rows = self.desk.save(snapshot).unwrap_or_default();
        let things: BTreeSet<NetId> = rows.iter().copied().filter(|id| id.0 << 24 != 0).collect();
        assert_eq!(things, self.touched, "the rows are those of sync operations");
        assert_eq!(rows.len() - things.len(), usize::from(self.is_till_touched));
        if snapshot {
            self.stored = self.live.clone();
            self.stored.things.retain(|_, thing| thing.is_kept());
        }
        for id in std::mem::take(&mut self.touched) {
            match self.live.things.get(&id).filter(|thing| thing.is_kept()) {
                Some(thing) => drop(self.stored.things.insert(id, thing.clone())),
                None => drop(self.stored.things.remove(&id)),
            }
        }
        if std::mem::take(&mut self.is_till_touched) {
            self.stored.gold = self.live.gold;
        }
    }

    fn crash(&mut self) {
        self.desk.crash();
        assert_eq!(self.desk.unreadable(), None);
        // What drifts is not kept.
        self.stored.things.values_mut().for_each(|thing| thing.drift = 0.0);
        self.live = self.stored.clone();
        self.touched.clear();
        self.is_till_touched = false;
    }
}

#[test]
fn whatever_happens_a_zone_comes_back_as_its_snapshot_with_the_saved_rows_over_it() {
    for seed in 0..60 {
        let mut random = Rng::with_seed(seed);
        let mut pair = Pair::new();
        for step in 0..120 {
            match random.u32(..20) {
                0 => pair.save(true),
                1 | 2 => pair.save(false),
                3 if random.bool() => pair.crash(),
                _ => pair.step(&mut random),
            }
            assert_eq!(pair.desk.ask(yard::Look {}), pair.live.lines(), "seed {seed}, step {step}");
            assert!(pair.desk.failed.is_empty(), "seed {seed}: {:?}", pair.desk.failed);
        }
        pair.save(true);
        let kept = pair.desk.ask(yard::Kept {});
        pair.crash();
        assert_eq!(pair.desk.ask(yard::Kept {}), kept, "seed {seed}");
    }
}
