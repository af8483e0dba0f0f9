//! Tests of the mark: what is read back, and when it waits.

use std::fs;

use super::{FILE, Mark, Marker};

const MARK: Mark = Mark {
    journal: 7,
    batch: 1 << 40,
};

#[test]
fn a_mark_comes_back_whole_or_not_at_all() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    assert_eq!(Mark::read(dir.path()).expect("readable"), None);
    let file = dir.path().join(FILE);
    let bytes = MARK.bytes();
    fs::write(&file, &bytes).expect("written");
    assert_eq!(Mark::read(dir.path()).expect("readable"), Some(MARK));
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&file, &flipped).expect("written");
        assert_eq!(Mark::read(dir.path()).expect("readable"), None, "{bit}");
    }
    for short in 0..bytes.len() {
        fs::write(&file, &bytes[..short]).expect("written");
        assert_eq!(Mark::read(dir.path()).expect("readable"), None, "{short}");
    }
}

#[test]
fn a_mark_waits_for_a_batch_after_the_next_journal_began() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut marker = Marker::open(dir.path(), dir.path().to_owned()).expect("opened");
    let mut noted = |journal: u64, batch| {
        fs::write(dir.path().join(format!("{journal}.jnl")), "").expect("written");
        marker.flushed(batch);
        marker.note();
        Mark::read(dir.path()).expect("readable")
    };
    let (journal, batch) = (0, 5);
    assert_eq!(noted(0, 5), Some(Mark { journal, batch }));
    // The sixth may be in either.
    assert_eq!(noted(1, 6), Some(Mark { journal, batch }));
    let (journal, batch) = (1, 7);
    assert_eq!(noted(1, 7), Some(Mark { journal, batch }));
}
