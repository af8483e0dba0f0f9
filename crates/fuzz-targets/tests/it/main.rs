//! Every kept input of every target, run without a fuzzer.
//!
//! It looks for nothing new: `cargo xtask fuzz NAME` does.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use fuzz_targets::targets::TARGETS;

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

fn check(name: &str) {
    let (_, target) = TARGETS
        .iter()
        .find(|(own, _)| *own == name)
        .expect("there is such a target");
    let mut files: Vec<PathBuf> = fs::read_dir(corpus().join(name))
        .expect("every target has a corpus")
        .map(|entry| entry.expect("a folder can be listed").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus of {name} is not empty");
    for file in files {
        // The last one printed is the one that failed.
        eprintln!("{}", file.display());
        target(&fs::read(&file).expect("an input can be read"));
    }
}

/// A test for each target, so that one that fails does not hide another.
macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*

        /// The names of the tests above.
        const TESTED: &[&str] = &[$(stringify!($name)),*];
    };
}

targets! {
    cbor_body
    dns_message
    dynamodb_json
    expressions
    front_door
    gzip_body
    iam_policy
    item_codec
    item_files
    keys
    numbers
    partiql_statement
    replication
    session_token
    sigv4_request
}

#[test]
fn targets_corpora_tests_and_programs_are_the_same() {
    let names = |names: &mut dyn Iterator<Item = String>| names.collect::<BTreeSet<_>>();
    let targets = names(&mut TARGETS.iter().map(|(name, _)| (*name).to_owned()));
    let stems = |folder: PathBuf| {
        let entries = fs::read_dir(folder).expect("the folder is there");
        let stem = |entry: fs::DirEntry| {
            let path = entry.path();
            path.file_stem()?.to_str().map(str::to_owned)
        };
        names(&mut entries.flatten().filter_map(stem))
    };
    assert_eq!(
        targets,
        names(&mut TESTED.iter().map(|name| (*name).to_owned()))
    );
    assert_eq!(targets, stems(corpus()));
    assert_eq!(targets, stems(corpus().join("../fuzz_targets")));
}
