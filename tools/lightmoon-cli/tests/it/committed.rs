//! Generated files in the repository are what the generator writes.

use std::fs;
use std::path::Path;

use lightmoon_cli::descriptor::Descriptor;
use lightmoon_cli::typescript::{Options, generate};

/// Stale code is rewritten and fails once: the next run passes, and the diff shows what changed.
#[test]
fn the_sample_page_has_the_contracts_of_today() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../game-sample/page/contracts.js");
    let descriptor = Descriptor::from_json(&game_sample_contracts::descriptor().to_json()).unwrap();
    let code = generate(&descriptor, &Options::default()).unwrap();
    if fs::read_to_string(&path).is_ok_and(|committed| committed == code) {
        return;
    }
    fs::write(&path, code).unwrap();
    panic!("{} was stale and has been written anew; look at the difference and commit it", path.display());
}
