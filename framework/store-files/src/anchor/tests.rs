//! The anchor against torn, flipped and newer files.

use std::path::PathBuf;

use super::{Anchor, FORMAT, Known, MAGIC, PAGE_BYTES};
use crate::OpenError;

/// An empty folder of one test, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("lightmoon-anchor-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl std::ops::Deref for Folder {
    type Target = std::path::Path;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // One that stays behind harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const fn known(number: u64) -> Known {
    Known { number, lost_to: 0 }
}

#[test]
fn it_knows_what_was_written_last() {
    let folder = Folder::new("last");
    assert!(matches!(Anchor::open(&folder, false), Err(OpenError::Damaged { .. })));
    for number in 1..6 {
        let mut anchor = Anchor::open(&folder, true).unwrap();
        assert_eq!(anchor.known(), known(number - 1));
        anchor.write(known(number)).unwrap();
    }
}

#[test]
fn one_torn_slot_leaves_the_commit_before() {
    let folder = Folder::new("torn");
    let mut anchor = Anchor::open(&folder, true).unwrap();
    anchor.write(known(7)).unwrap();
    anchor.write(known(8)).unwrap();
    drop(anchor);
    let whole = std::fs::read(Anchor::path(&folder)).unwrap();
    for page in [1, 2] {
        let mut torn = whole.clone();
        torn[page * PAGE_BYTES + 9] ^= 4;
        std::fs::write(Anchor::path(&folder), torn).unwrap();
        let left = Anchor::open(&folder, true).unwrap().known().number;
        assert!(left == 7 || left == 8, "{left}");
    }
    let mut torn = whole;
    torn[PAGE_BYTES] ^= 1;
    torn[2 * PAGE_BYTES] ^= 1;
    std::fs::write(Anchor::path(&folder), torn).unwrap();
    assert!(matches!(Anchor::open(&folder, true), Err(OpenError::Damaged { .. })));
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let folder = Folder::new("newer");
    drop(Anchor::open(&folder, true).unwrap());
    let mut bytes = std::fs::read(Anchor::path(&folder)).unwrap();
    let header = [MAGIC.as_slice(), &(FORMAT + 1).to_le_bytes()].concat();
    bytes[..12].copy_from_slice(&header);
    bytes[12..16].copy_from_slice(&crc32c::crc32c(&header).to_le_bytes());
    std::fs::write(Anchor::path(&folder), &bytes).unwrap();
    assert!(
        matches!(Anchor::open(&folder, true), Err(OpenError::Newer { found, .. }) if found == FORMAT + 1)
    );
    assert_eq!(std::fs::read(Anchor::path(&folder)).unwrap(), bytes);
}

#[test]
fn a_second_holder_is_refused() {
    let folder = Folder::new("held");
    let _held = Anchor::open(&folder, true).unwrap();
    assert!(matches!(Anchor::open(&folder, true), Err(OpenError::InUse { .. })));
}
