//! Tests of recognising data directories.

use std::fs;

use super::{DirectoryError, MARKER, prepare};

#[test]
fn a_fresh_directory_becomes_ours_and_stays_so() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("data");
    prepare(&path).expect("made");
    prepare(&path).expect("known again");
}

#[test]
fn a_directory_whose_first_start_was_cut_short_is_ours() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("HITHER_FORMAT.draft"), "").expect("written");
    fs::create_dir(dir.path().join("store")).expect("made");
    prepare(dir.path()).expect("made");
    prepare(dir.path()).expect("known again");
}

#[test]
fn the_format_before_is_taken_over() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join(MARKER), "1\n").expect("written");
    prepare(dir.path()).expect("taken over");
    let marker = fs::read_to_string(dir.path().join(MARKER)).expect("there");
    assert_eq!(marker, "2\n");
}

#[test]
fn foreign_newer_and_damaged_directories_are_refused_unchanged() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("photo.jpg"), "x").expect("written");
    assert!(matches!(
        prepare(dir.path()),
        Err(DirectoryError::Foreign { .. })
    ));
    assert!(!dir.path().join(MARKER).exists());

    fs::write(dir.path().join(MARKER), "3\n").expect("written");
    let error = prepare(dir.path()).expect_err("newer");
    assert!(matches!(error, DirectoryError::Newer { found: 3, .. }));
    assert!(error.to_string().contains("start the build that wrote it"));

    fs::write(dir.path().join(MARKER), "what\n").expect("written");
    assert!(matches!(
        prepare(dir.path()),
        Err(DirectoryError::Damaged { .. })
    ));
    assert_eq!(
        fs::read_to_string(dir.path().join(MARKER)).expect("there"),
        "what\n"
    );
}
