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
fn a_mark_names_the_journal_that_its_batch_is_in_or_nothing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let journal = |number: u64, first: Option<u64>| {
        let mut bytes = vec![];
        if let Some(first) = first {
            bytes.push(1);
            bytes.extend(1_u32.to_le_bytes());
            bytes.extend(first.to_le_bytes());
        }
        bytes.resize(64, 0);
        fs::write(dir.path().join(format!("{number}.jnl")), bytes).expect("written");
    };
    journal(0, Some(3));
    let mut marker = Marker::open(dir.path(), dir.path().to_owned()).expect("opened");
    let mut noted = |batch| {
        marker.flushed(batch);
        marker.note();
        Mark::read(dir.path()).expect("readable")
    };
    let (at, batch) = (0, 5);
    let before = Some(Mark { journal: at, batch });
    assert_eq!(noted(5), before);
    // The next journal is begun while the sixth, written before, is flushed.
    journal(1, None);
    assert_eq!(noted(6), before);
    assert_eq!(noted(6), before);
    journal(1, Some(7));
    assert_eq!(
        noted(6),
        before,
        "what is flushed late stays in the journal before"
    );
    let (at, batch) = (1, 7);
    assert_eq!(noted(7), Some(Mark { journal: at, batch }));
}
