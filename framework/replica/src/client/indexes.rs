//! Which slot an index names: two levels of 256, so a look-up is two reads and an idle view takes 2 KiB.

const PAGE: usize = 256;
const NONE: u16 = u16::MAX;

/// Index to slot. Slots are below 4,096, so the highest `u16` can mean none.
#[derive(Debug)]
pub(super) struct Indexes {
    pages: Vec<Option<Box<[u16; PAGE]>>>,
}

impl Default for Indexes {
    fn default() -> Self {
        Self { pages: vec![None; PAGE] }
    }
}

impl Indexes {
    pub(super) fn get(&self, index: u16) -> Option<u16> {
        let page = self.pages[usize::from(index >> 8)].as_ref()?;
        Some(page[usize::from(index & 0xFF)]).filter(|slot| *slot != NONE)
    }

    pub(super) fn set(&mut self, index: u16, slot: u16) {
        let page = self.pages[usize::from(index >> 8)].get_or_insert_with(|| Box::new([NONE; PAGE]));
        page[usize::from(index & 0xFF)] = slot;
    }

    pub(super) fn unset(&mut self, index: u16) {
        if let Some(page) = &mut self.pages[usize::from(index >> 8)] {
            page[usize::from(index & 0xFF)] = NONE;
        }
    }
}
