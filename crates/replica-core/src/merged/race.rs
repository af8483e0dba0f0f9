//! Which attributes of a merged item raced: both writes changed them, and one change is lost.
//!
//! It decides no race: [`crate::merge::decide`] does, for each pair of writes.

use std::collections::{BTreeMap, BTreeSet};

use clock::hlc::Version;
use item::value::Item;

use crate::merge::Stamp;
use crate::merged::{NEVER, State};

/// The attributes that an incoming write and earlier ones have both written, by the stamps of the
/// earlier ones. Of the two writes the later one's stay.
pub fn contests(stored: &State, incoming: &State) -> BTreeMap<Version, Contest> {
    let mut found = BTreeMap::<Version, Contest>::new();
    let mut contest = |stored: Stamp, name: Option<&String>| {
        if stored.version == NEVER.version {
            return;
        }
        let contest = found.entry(stored.version).or_insert_with(|| Contest {
            stored,
            names: BTreeSet::new(),
            is_whole: false,
        });
        match name {
            Some(name) => drop(contest.names.insert(name.clone())),
            None => contest.is_whole = true,
        }
    };
    let is_whole = incoming.reset == incoming.stamp;
    if is_whole {
        contest(stored.reset, None);
        for (name, cell) in &stored.cells {
            contest(cell.set, Some(name));
        }
        if incoming.ends {
            let counts = stored.cells.iter().flat_map(|(name, cell)| {
                let counts = cell.counts.values();
                counts.map(move |count| (name, count.last))
            });
            counts.for_each(|(name, last)| contest(last, Some(name)));
        }
        return found;
    }
    for (name, cell) in &incoming.cells {
        if cell.set == incoming.stamp {
            let there = stored.cells.get(name).map_or(stored.reset, |cell| cell.set);
            contest(there, Some(name));
        } else if stored.ends && incoming.stamp.version < stored.removed {
            contest(stored.reset, Some(name));
        }
    }
    found
}

/// Attributes that two writes have both written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contest {
    /// The earlier known of the two.
    pub stored: Stamp,
    /// The attributes.
    pub names: BTreeSet<String>,
    /// Whether both wrote the item whole.
    pub is_whole: bool,
}

impl Contest {
    /// Returns the item as it would be if the loser had won what was contested: `merged` is what
    /// became of it, `lost` the item as the loser had it.
    pub fn lost_image(&self, merged: Option<&Item>, lost: Option<&Item>) -> Option<Item> {
        let (Some(merged), Some(lost), false) = (merged, lost, self.is_whole) else {
            return lost.cloned();
        };
        let mut image = merged.clone().into_map();
        for name in &self.names {
            match lost.get(name) {
                Some(value) => drop(image.insert(name.clone(), value.clone())),
                None => drop(image.remove(name)),
            }
        }
        Some(Item::from(image))
    }
}
