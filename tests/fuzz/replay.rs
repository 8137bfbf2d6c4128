//! Calls every target with the inputs that are kept in `fuzz/corpus/`: seeds, what reached new code, and what once failed.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use fuzz_tests::TARGETS;

#[test]
fn no_kept_input_fails() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, target) in TARGETS {
        let folder = corpus.join(name);
        let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut inputs = 0;
        for file in files {
            let path = file.unwrap().path();
            let input = fs::read(&path).unwrap();
            assert!(catch_unwind(|| target(&input)).is_ok(), "{}", path.display());
            inputs += 1;
        }
        assert!(inputs > 0, "{name}");
    }
}
