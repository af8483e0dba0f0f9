//! Tests of journals that the engine wrote and something else changed.
//!
//! Every byte is damaged in turn, and every end is cut off, at each place a crash may have.

use std::fs;
use std::path::{Path, PathBuf};

use store::conformance::commit;
use store::port::{Batch, Durability, Space, Store};

use super::{Batches, JournalError, judge, path};
use crate::directory::DirectoryError;
use crate::engine::{FjallStore, Memory};
use crate::mark::Mark;

/// How many batches the journals hold, with one item each.
const BATCHES: u8 = 6;

/// Writes a store and ends it; returns its journal.
async fn written(directory: &Path) -> PathBuf {
    let store = FjallStore::open(directory, Memory::default()).expect("opened");
    for number in 0..BATCHES {
        let mut batch = Batch::default();
        batch.put(Space::Items, vec![number], vec![number; 30]);
        // Long enough for the engine to compress it.
        batch.put(Space::Log, vec![number], vec![number; 6000]);
        commit(&store, batch, Durability::Disk)
            .await
            .expect("stored");
    }
    drop(store);
    let journal = path(&directory.join("store"), 0);
    let mut batches = Batches::open(&journal, None).expect("there");
    while batches.next().expect("readable") {}
    let bytes = fs::read(&journal).expect("readable");
    assert!(
        bytes[usize::try_from(batches.end).expect("short")..]
            .iter()
            .all(|byte| *byte == 0)
    );
    // Without the room that is kept for more, which makes it slow to copy.
    fs::File::options()
        .write(true)
        .open(&journal)
        .and_then(|file| file.set_len(batches.end))
        .expect("cut");
    journal
}

async fn count(store: &FjallStore) -> u8 {
    let mut count = 0;
    for number in 0..BATCHES {
        let value = store.get(Space::Items, &[number]).await.expect("readable");
        count += u8::from(value.is_some_and(|value| value == vec![number; 30]));
    }
    count
}

fn end_of(journal: &Path, batches: u8) -> usize {
    let mut found = Batches::open(journal, None).expect("there");
    for _ in 0..batches {
        assert!(found.next().expect("readable"));
    }
    usize::try_from(found.end).expect("short")
}

#[tokio::test]
async fn a_flipped_bit_anywhere_before_the_mark_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let journal = written(dir.path()).await;
    let mark = Mark::read(dir.path()).expect("readable");
    assert!(mark.is_some(), "an ended store has noted its last batch");
    let bytes = fs::read(&journal).expect("readable");
    let folder = journal.parent().expect("it has one");
    // The first batch's number may be any that is below the second's.
    for at in (0..5).chain(13..bytes.len()) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&journal, &flipped).expect("written");
        let error = judge(folder, mark).expect_err("damaged");
        let JournalError::Damaged { file, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(file, journal);
        assert_eq!(
            fs::read(&journal).expect("readable"),
            flipped,
            "it was changed"
        );
    }
    let error = FjallStore::open(dir.path(), Memory::default()).err();
    assert!(matches!(error, Some(DirectoryError::Journal { .. })));
    fs::write(&journal, &bytes).expect("written");
    let store = FjallStore::open(dir.path(), Memory::default()).expect("opened");
    assert_eq!(count(&store).await, BATCHES);
}

#[tokio::test]
async fn what_a_crash_left_after_the_mark_is_cut_off() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let journal = written(dir.path()).await;
    let bytes = fs::read(&journal).expect("readable");
    let folder = journal.parent().expect("it has one").to_owned();
    let [before, end] = [BATCHES - 1, BATCHES].map(|batches| end_of(&journal, batches));
    let whole = Mark::read(dir.path()).expect("readable").expect("noted");
    let mark = Some(Mark {
        batch: whole.batch - 1,
        ..whole
    });
    // The last batch lost its middle, its end, or its beginning, which were on no disk yet.
    let holes = [
        before + 40..end - 40,
        before + 40..end,
        before..before + 40,
        before + 1..before + 5,
        end - 1..end,
    ];
    for hole in holes {
        let mut torn = bytes.clone();
        torn[hole.clone()].fill(0);
        fs::write(&journal, &torn).expect("written");
        judge(&folder, mark).expect("a crash");
        let cut = fs::read(&journal).expect("readable");
        assert!(cut.starts_with(&bytes[..before]), "{hole:?}");
        assert!(cut[before..].first().is_none_or(|byte| *byte == 0));
        // The same after the mark is damage.
        fs::write(&journal, &torn).expect("written");
        judge(&folder, Some(whole)).expect_err("damaged");
    }
    judge(&folder, mark).expect("a crash");
    fs::remove_file(dir.path().join("HITHER_FLUSHED")).expect("there");
    let store = FjallStore::open(dir.path(), Memory::default()).expect("opened");
    assert_eq!(count(&store).await, BATCHES - 1);
}

#[tokio::test]
async fn every_journal_but_the_newest_is_whole() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let first = written(dir.path()).await;
    let folder = first.parent().expect("it has one").to_owned();
    let bytes = fs::read(&first).expect("readable");
    let (half, end) = (end_of(&first, 3), bytes.len());
    let second = path(&folder, 1);
    fs::write(&first, &bytes[..half]).expect("written");
    fs::write(&second, &bytes[half..]).expect("written");
    judge(&folder, None).expect("whole");
    // The room that is kept for more may follow in both.
    fs::write(&first, [&bytes[..half], &[0; 9000]].concat()).expect("written");
    judge(&folder, None).expect("whole");
    for damaged in [
        &bytes[..half - 1],
        &[&bytes[..half], &[0; 9000], &[1]].concat(),
    ] {
        fs::write(&first, damaged).expect("written");
        judge(&folder, None).expect_err("damaged");
    }
    // Batches whose numbers do not rise are not what was written.
    fs::write(&first, &bytes[..half]).expect("written");
    fs::write(&second, &bytes[..end]).expect("written");
    let mark = Mark::read(dir.path()).expect("readable").expect("noted");
    let mark = Mark { journal: 1, ..mark };
    judge(&folder, Some(mark)).expect_err("damaged");
    // A journal that is gone, and was the newest.
    fs::remove_file(&second).expect("there");
    judge(&folder, Some(mark)).expect_err("damaged");
}

#[tokio::test]
async fn a_store_whose_making_was_cut_short_is_made() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let folder = dir.path().join("store");
    drop(FjallStore::open(dir.path(), Memory::default()).expect("opened"));
    // What there is before the engine's own mark is written.
    let cut_short = |version: &[u8]| {
        fs::remove_dir_all(folder.join("keyspaces")).expect("there");
        fs::create_dir(folder.join("keyspaces")).expect("made");
        fs::remove_file(folder.join("version")).expect("there");
        if version != b"none" {
            fs::write(folder.join("version"), version).expect("written");
        }
        fs::write(path(&folder, 0), [0; 9000]).expect("written");
        FjallStore::open(dir.path(), Memory::default())
    };
    drop(cut_short(b"none").expect("made anew"));
    drop(cut_short(b"").expect("made anew"));
    // A store that was used is not.
    let mut batch = Batch::default();
    batch.put(Space::Items, vec![1], vec![1]);
    let store = FjallStore::open(dir.path(), Memory::default()).expect("opened");
    let stored = commit(&store, batch, Durability::Disk).await;
    stored.expect("stored");
    drop(store);
    let version = fs::read(folder.join("version")).expect("there");
    fs::remove_file(folder.join("version")).expect("there");
    let bytes = fs::read(path(&folder, 0)).expect("readable");
    let refused = || FjallStore::open(dir.path(), Memory::default()).err();
    assert!(matches!(refused(), Some(DirectoryError::Journal { .. })));
    assert_eq!(fs::read(path(&folder, 0)).expect("readable"), bytes);
    // Nor one whose first journal is long gone, beside which the engine could make another.
    fs::rename(path(&folder, 0), path(&folder, 1)).expect("renamed");
    assert!(matches!(refused(), Some(DirectoryError::Journal { .. })));
    assert_eq!(fs::read(path(&folder, 1)).expect("readable"), bytes);
    fs::rename(path(&folder, 1), path(&folder, 0)).expect("renamed");
    fs::write(folder.join("version"), version).expect("written");
    drop(FjallStore::open(dir.path(), Memory::default()).expect("opened"));
    // Nor one of which all is gone but the mark.
    fs::remove_dir_all(&folder).expect("there");
    assert!(matches!(refused(), Some(DirectoryError::Journal { .. })));
    assert!(!folder.join("version").exists());
}
