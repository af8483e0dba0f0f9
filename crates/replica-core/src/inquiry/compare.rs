//! Comparing what two regions hold: which buckets differ, and of which keys that is no delay.
//!
//! It asks nobody. Regions write while they are compared, so two answers are never of one moment;
//! what is found here holds all the same:
//!
//! ```text
//!   here:  ──● before ──────────────────────● after ──►
//!   there: ─────────────● theirs ─────────────────────►
//!              waits until it has   waits until it has
//!              applied `before`     applied `theirs`
//! ```
//!
//! Regions that work hold versions in order: `theirs` is `before` or later, and `after` is `theirs`
//! or later. What is before and after the same here, and other there, is a difference.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::digest::Digest;
use crate::inquiry::{Entry, FANOUT, Held};

/// One key that two regions hold differently.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The encoded key.
    pub key: Bytes,
    /// What is here; `None` is nothing at all.
    pub ours: Option<Held>,
    /// What is there.
    pub theirs: Option<Held>,
}

/// What one look at some keys came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Keys that differ.
    pub differences: Vec<Difference>,
    /// Keys that were written meanwhile, so that they are to be looked at again.
    pub moving: usize,
}

/// Returns the groups whose sums differ.
pub fn differing_groups(ours: &[Digest], theirs: &[Digest]) -> Vec<u8> {
    let differ = |group: &u8| ours.get(usize::from(*group)) != theirs.get(usize::from(*group));
    (0..=u8::MAX).filter(differ).collect()
}

/// Returns the buckets of some groups whose sums differ.
pub fn differing_buckets(groups: &[u8], ours: &[Digest], theirs: &[Digest]) -> BTreeSet<u16> {
    let mut differing = BTreeSet::new();
    for (at, group) in groups.iter().enumerate() {
        for low in 0..=u8::MAX {
            let place = at * FANOUT + usize::from(low);
            if ours.get(place) != theirs.get(place) {
                differing.insert(u16::from_be_bytes([*group, low]));
            }
        }
    }
    differing
}

/// Compares what is listed of the same range of keys: here, then there, then here again.
pub fn look(before: &[Entry], theirs: &[Entry], after: &[Entry]) -> Look {
    let by_key = |entries: &[Entry]| -> BTreeMap<Bytes, Held> {
        let entries = entries.iter();
        entries
            .map(|entry| (entry.key.clone(), entry.held))
            .collect()
    };
    let (before, theirs, after) = (by_key(before), by_key(theirs), by_key(after));
    let keys = before.keys().chain(theirs.keys()).chain(after.keys());
    let keys: BTreeSet<&Bytes> = keys.collect();
    let mut look = Look::default();
    for key in keys {
        let there = theirs.get(key).copied();
        match judge(before.get(key).copied(), there, after.get(key).copied()) {
            Verdict::Same => {}
            Verdict::Moving => look.moving += 1,
            Verdict::Differs => look.differences.push(Difference {
                key: key.clone(),
                ours: after.get(key).copied(),
                theirs: there,
            }),
        }
    }
    look
}

/// What three looks at one key come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// What is there was here, or comes between what was and what is here.
    Same,
    /// It was written meanwhile, and not in order: it may be a collected tombstone.
    Moving,
    /// It is different for good.
    Differs,
}

fn judge(before: Option<Held>, theirs: Option<Held>, after: Option<Held>) -> Verdict {
    if same(before, theirs) || same(theirs, after) {
        return Verdict::Same;
    }
    if before == after {
        return Verdict::Differs;
    }
    let version = |held: Option<Held>| held.map(|held| held.version);
    if version(before) <= version(theirs) && version(theirs) <= version(after) {
        return Verdict::Same;
    }
    Verdict::Moving
}

/// Returns whether two regions show a caller the same: tombstones are collected at different
/// moments in different regions, and one is as good as nothing.
fn same(one: Option<Held>, other: Option<Held>) -> bool {
    let live = |held: Option<Held>| held.filter(|held| held.sum.is_some());
    live(one) == live(other)
}

#[cfg(test)]
mod tests;
