//! The suite that every store passes.

use lightmoon_contract::Mono;
use lightmoon_store::{Store, conformance};
use lightmoon_store_files::Faults;

use crate::{folder, open, options};

/// A clock that lets the commit thread run at each look.
fn wait() -> impl FnMut() -> Mono {
    let mut millis = 0;
    move || {
        millis += 1;
        std::thread::sleep(std::time::Duration::from_micros(50));
        Mono::from_millis(millis)
    }
}

#[test]
fn the_store_in_files_is_right() {
    let root = folder("right");
    let mut count = 0;
    let open_empty = || -> Box<dyn Store> {
        count += 1;
        Box::new(open(&root.join(count.to_string())).unwrap().0)
    };
    let failures = conformance::check(open_empty, wait());
    assert!(failures.is_empty(), "{}", conformance::report(&failures));
    std::fs::remove_dir_all(root).unwrap();
}

#[test]
fn it_is_right_too_while_tables_are_made_all_the_time() {
    let root = folder("tables");
    let mut count = 0;
    let open_empty = || -> Box<dyn Store> {
        count += 1;
        let faults = Faults { memtable_bytes: 4 * 1024, ..Faults::default() };
        let folder = root.join(count.to_string());
        Box::new(lightmoon_store_files::FilesStore::open(&folder, options(faults), || {}).unwrap().0)
    };
    let failures = conformance::check(open_empty, wait());
    assert!(failures.is_empty(), "{}", conformance::report(&failures));
    std::fs::remove_dir_all(root).unwrap();
}

#[test]
fn what_is_done_survives_the_end_of_the_store() {
    let root = folder("survives");
    let failures = conformance::survives(|| Box::new(open(&root).unwrap().0), wait());
    assert!(failures.is_empty(), "{}", conformance::report(&failures));
    std::fs::remove_dir_all(root).unwrap();
}
