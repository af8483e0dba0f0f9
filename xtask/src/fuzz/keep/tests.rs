//! Tests of what is kept of what a fuzzer found.

use super::*;

#[test]
fn the_few_that_reach_the_most_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let (kept, found) = (folder.path().join("kept"), folder.path().join("found"));
    for folder in [&kept, &found] {
        std::fs::create_dir(folder).expect("made");
    }
    let names = [
        (&kept, "ours"),
        (&found, "more"),
        (&found, "same"),
        (&found, "most"),
        (&found, "large"),
    ];
    let names: Vec<String> = (names.iter())
        .map(|(folder, name)| folder.join(name).display().to_string())
        .collect();
    for name in &names {
        std::fs::write(name, "x").expect("written");
    }
    let told = format!(
        "5\n1\n{}\n\
         STARTED 0 4\nFT 0 1 2\nCOV 0 7\n\
         STARTED 1 9\nFT 1 1 3\n\
         STARTED 2 4\nFT 2 1 2\n\
         STARTED 3 12\nFT 3 3 4\n\
         STARTED 4 99999\nFT 4 5 6 7 8\n\
         DONE\n",
        names.join("\n")
    );
    let inputs = parse(&told);
    assert_eq!(inputs.len(), 5);
    assert_eq!(inputs[3].bytes, 12);
    assert_eq!(inputs[3].reaches, HashSet::from([3, 4]));
    assert_eq!(add(&inputs, &kept).expect("copied"), 1);
    assert!(kept.join("most").exists());
    assert!(
        !kept.join("more").exists(),
        "another reaches all that it does"
    );
    assert!(!kept.join("large").exists(), "nobody can read it");
}
