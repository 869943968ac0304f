//! Replays the corpora of the fuzz targets.

use reseal_testkit::fuzz::TARGETS;
use std::{fs, path::Path};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/fuzz/corpus");

#[test]
fn every_target_survives_its_corpus() {
    for (name, target) in TARGETS {
        let mut inputs = 0;
        for entry in fs::read_dir(Path::new(CORPUS).join(name)).unwrap() {
            target(&fs::read(entry.unwrap().path()).unwrap());
            inputs += 1;
        }
        assert!(inputs >= 10, "{name} has a corpus of {inputs}");
    }
}

#[test]
fn the_corpora_hold_values_that_open() {
    let ring = |key| reseal::Keyring::builder().primary(key).build().unwrap();
    let key = b"the key of the fuzzing corpora!!";
    let key = reseal::Key::from_bytes(reseal::KeyUse::Data, key).unwrap();
    let ring = ring(key);
    let context = reseal::Context::new();
    let texts = fs::read_dir(Path::new(CORPUS).join("envelope_text")).unwrap();
    let opening = texts
        .filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok())
        .filter(|stored| ring.open(stored, &context).is_ok())
        .count();
    assert!(opening >= 3, "{opening}");
}
