//! Seeds of the fuzz targets as ordinary tests: as they are, cut, and mutated.
//!
//! *Responsible for*: reading seeds and changing them. *Not responsible for*: what a target does with bytes (beside this).

use std::path::Path;

/// How much is made of each seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Prefixes of up to this many bytes.
    pub(crate) prefix_bytes_max: usize,
    /// Mutants, each of one to four changes.
    pub(crate) mutants: u64,
}

/// Runs `body` over the stored seeds of `target`, their prefixes, and mutants of them.
pub(crate) fn run(target: &str, effort: Effort, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the seeds are there")
        .map(|file| file.expect("it can be listed").path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let seed = std::fs::read(&file).expect("a seed can be read");
        let prefixes = (0..=seed.len().min(effort.prefix_bytes_max)).map(|end| seed[..end].to_vec());
        for input in
            prefixes.chain((0..effort.mutants).map(|number| mutant(&seed, number))).chain([seed.clone()])
        {
            let survived = std::panic::catch_unwind(|| body(&input));
            assert!(survived.is_ok(), "{}: fails with {input:?}", file.display());
        }
    }
}

fn mutant(seed: &[u8], number: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(number);
    let mut bytes = seed.to_vec();
    for _ in 0..random.usize(1..5) {
        let at = random.usize(..bytes.len());
        match random.u8(0..4) {
            0 => bytes.insert(at, random.u8(..)),
            1 if bytes.len() > 1 => drop(bytes.remove(at)),
            _ => bytes[at] = random.u8(..),
        }
    }
    bytes
}
