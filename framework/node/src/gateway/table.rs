//! Links and sessions by their ids.
//!
//! *Responsible for*: finding one quickly, several times in a row above all. *Not responsible for*: how many there may be (its
//! owner).
//!
//! A packet is looked at in several steps, each of which names its link or session anew, so the one that was found last is tried
//! first. Values stand in boxes outside of the tree: what has to be walked through to find one fits the nearest cache.
//!
//! Invariants:
//! - I1: `index` and `places` name the same entries.
//! - I2: an id that was found last is found again only while its entry is there.

use std::cell::Cell;
use std::collections::BTreeMap;

/// Values by id, in the order of the ids.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    index: BTreeMap<K, u32>,
    places: Vec<Option<(K, Box<V>)>>,
    free: Vec<u32>,
    /// The place that was found last.
    last: Cell<u32>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { index: BTreeMap::new(), places: Vec::new(), free: Vec::new(), last: Cell::new(0) }
    }
}

impl<K: Copy + Ord, V> Table<K, V> {
    fn find(&self, id: &K) -> Option<usize> {
        let last = self.last.get() as usize;
        if self.places.get(last).and_then(Option::as_ref).is_some_and(|(there, _)| there == id) {
            return Some(last);
        }
        let found = *self.index.get(id)?;
        self.last.set(found);
        Some(found as usize)
    }

    pub(super) fn get(&self, id: &K) -> Option<&V> {
        let at = self.find(id)?;
        self.places[at].as_ref().map(|(_, value)| &**value)
    }

    pub(super) fn get_mut(&mut self, id: &K) -> Option<&mut V> {
        let at = self.find(id)?;
        self.places[at].as_mut().map(|(_, value)| &mut **value)
    }

    pub(super) fn contains_key(&self, id: &K) -> bool {
        self.find(id).is_some()
    }

    /// Puts a value under an id, in place of one that was there.
    pub(super) fn insert(&mut self, id: K, value: V) {
        self.remove(&id);
        let entry = Some((id, Box::new(value)));
        let place = match self.free.pop() {
            Some(place) => {
                self.places[place as usize] = entry;
                place
            }
            None => {
                self.places.push(entry);
                u32::try_from(self.places.len() - 1).expect("owners hold far fewer")
            }
        };
        self.index.insert(id, place);
    }

    pub(super) fn remove(&mut self, id: &K) -> Option<V> {
        let place = self.index.remove(id)?;
        self.free.push(place);
        self.places[place as usize].take().map(|(_, value)| *value)
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// All ids, in their order.
    pub(super) fn keys(&self) -> impl Iterator<Item = K> + '_ {
        self.index.keys().copied()
    }

    /// All entries, in the order of their ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.index.values().filter_map(|place| {
            let (id, value) = self.places[*place as usize].as_ref()?;
            Some((*id, &**value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_last_is_not_found_once_it_is_gone_or_its_place_has_another() {
        let mut table = Table::default();
        table.insert(7, "seven");
        assert_eq!(table.get(&7), Some(&"seven"));
        assert_eq!(table.remove(&7), Some("seven"));
        assert_eq!((table.get(&7), table.contains_key(&7)), (None, false));
        table.insert(8, "eight");
        assert_eq!(table.places.len(), 1, "its place is used again");
        assert_eq!((table.get(&7), table.get(&8)), (None, Some(&"eight")));
    }

    #[test]
    fn a_table_is_as_a_map_whatever_is_done_to_it() {
        let mut random = fastrand::Rng::with_seed(3);
        let (mut table, mut map) = (Table::default(), BTreeMap::new());
        for step in 0..20_000u32 {
            let id = random.u8(..40);
            match random.u8(..4) {
                0 => {
                    table.insert(id, step);
                    map.insert(id, step);
                }
                1 => assert_eq!(table.remove(&id), map.remove(&id)),
                2 => assert_eq!(table.get_mut(&id), map.get_mut(&id)),
                _ => assert_eq!(table.get(&id), map.get(&id)),
            }
            assert_eq!((table.len(), table.is_empty()), (map.len(), map.is_empty()));
            assert!(table.places.len() <= 40, "places are used again");
        }
        assert!(table.iter().eq(map.iter().map(|(id, value)| (*id, value))));
        assert!(table.keys().eq(map.keys().copied()));
    }
}
