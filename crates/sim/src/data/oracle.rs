//! What must never be in the data world, and what must be once all is well.
//!
//! It compares what the stores hold with the truth, and believes no vector of the code's own.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};

use base::region::RegionId;
use clock::hlc::{Hlc, Version};
use replica_core::digest::Digest;
use replica_core::record::Change;
use store::port::Space;
use table::conflict::Conflict;

use crate::data::client::CARTS;
use crate::data::tasks::at_once;
use crate::data::truth::{Items, Truth, Wrote};
use crate::data::world::{Region, World};

/// Returns what is wrong with one region at any moment: it must hold, of each item, the latest
/// version among the writes that it has, and its digest must be the sum of them.
pub fn wrong_in(world: &World, at: usize) -> Option<String> {
    let region = &world.regions[at];
    let process = region.process.as_ref()?;
    let (live, id) = (live(region), region.id());
    let held = world.ledger.open().held(id);
    let applied = process.tables.applied();
    if applied != held.past {
        let past = held.past;
        return Some(format!("{id} says it has {applied}, and has {past}"));
    }
    let touched = process.tables.touched();
    if !touched.covers(&applied) {
        // What is read here, its client takes to the next region as `touched`.
        return Some(format!(
            "{id} shows {applied}, and tells clients of {touched}"
        ));
    }
    if region.disk.disk.has_failed() {
        // What the disk had half written can be read until the process ends.
        return None;
    }
    let truth: Items = held
        .items
        .into_iter()
        .filter(|(_, (_, image))| image.is_some())
        .collect();
    if live != truth {
        return Some(format!("{id} holds {}", difference(&live, &truth)));
    }
    let is_idle = region.disk.disk.waiting() == 0;
    let digest = process.tables.digest(CARTS).0;
    (is_idle && digest != sum(&live)).then(|| format!("{id} has a digest that is not of its items"))
}

/// Returns what is wrong between two regions: digests are equal exactly when items are.
pub fn wrong_between(world: &World, one: usize, other: usize) -> Option<String> {
    let idle = |at: usize| {
        let region = &world.regions[at];
        let process = region.process.as_ref();
        let is_idle = region.disk.disk.waiting() == 0 && !region.disk.disk.has_failed();
        let process = process.filter(|_| is_idle)?;
        Some((live(region), process.tables.digest(CARTS).0))
    };
    let (one_has, other_has) = (idle(one)?, idle(other)?);
    let same = (one_has.0 == other_has.0, one_has.1 == other_has.1);
    (same.0 != same.1).then(|| {
        let (items, digests) = same;
        format!("{one} and {other}: items equal: {items}; digests equal: {digests}")
    })
}

/// Returns how the regions given differ in what they have.
pub fn differences(world: &World, among: &[usize]) -> Option<String> {
    let truth = world.ledger.open();
    let past = |at: usize| truth.held(world.regions[at].id()).past;
    let first = among.first()?;
    let differs = among.iter().find(|at| past(**at) != past(*first))?;
    let (one, other) = (past(*first), past(*differs));
    Some(format!(
        "region {first} has {one}, and {differs} has {other}"
    ))
}

/// Returns what is still under way once nothing happens any more: all regions have all writes,
/// no tombstone is left anywhere, and no log.
pub fn unsettled(world: &World) -> Option<String> {
    let all: Vec<usize> = (0..world.regions.len()).collect();
    if let Some(differences) = differences(world, &all) {
        return Some(differences);
    }
    let last = all.last().map(|at| live(&world.regions[*at]));
    for region in &world.regions {
        let id = region.id();
        if Some(live(region)) != last {
            return Some(format!("{id} holds other items than the last region"));
        }
        for space in [Space::Tombstones, Space::Log] {
            let left = region.disk.rows(space).len();
            if left > 0 {
                return Some(format!("{id} keeps {left} rows of {space}"));
            }
        }
        if rows(region).any(|(_, item)| item.1.is_none()) {
            return Some(format!("{id} keeps a tombstone among its items"));
        }
        if let Some(what) = misremembered(region) {
            return Some(format!("{id} {what}"));
        }
    }
    None
}

/// Returns what is wrong with a region's history: played from nothing it must give each item as
/// it was before each event, and all items in the end.
fn misremembered(region: &Region) -> Option<String> {
    let mut played = BTreeMap::<Bytes, Bytes>::new();
    // In the order of their keys: table 8 · stamp 8 · number 4.
    for (place, event) in region.disk.rows(Space::History) {
        let (key, old, new) = remembered(event);
        if old.as_ref() != played.get(&key) || old == new {
            return Some(format!("has an event that does not follow at {place:?}"));
        }
        match new {
            Some(new) => played.insert(key, new),
            None => played.remove(&key),
        };
    }
    let items = live(region).into_iter();
    let items: BTreeMap<Bytes, Bytes> = items
        .filter_map(|(key, (_, image))| Some((key, image?)))
        .collect();
    (items != played).then(|| "has a history that does not lead to its items".to_owned())
}

/// Reads an event's item key and images as they are stored: format 1 · cause 1 · flags 1 · stamp 8
/// · origin 2 · length 2 · key · length 4 · image before · image after.
fn remembered(mut event: Bytes) -> (Bytes, Option<Bytes>, Option<Bytes>) {
    let flags = event.get(2).copied().unwrap_or_default();
    event.advance(13);
    let key = usize::from(event.get_u16());
    let key = event.split_to(key);
    let old = (flags & 8 != 0).then(|| {
        let old = event.get_u32() as usize;
        event.split_to(old)
    });
    (key, old, (flags & 16 != 0).then_some(event))
}

/// Returns what is still to come after a region has lost its directory: all regions hold the same
/// items and owe nothing, and no acknowledged write of the others is lost, or undone by an older
/// one.
pub fn unlike_after_loss(world: &World) -> Option<String> {
    let items = live(world.regions.first()?);
    let applied = world.regions.first()?.process.as_ref()?.tables.applied();
    for region in &world.regions {
        let (id, tables) = (region.id(), &region.process.as_ref()?.tables);
        let owed = tables.local().owed;
        if owed.values().any(|owed| !owed.is_empty()) {
            return Some(format!("{id} is owed {owed:?}"));
        }
        if tables.applied() != applied {
            return Some(format!("{id} has {}, not {applied}", tables.applied()));
        }
        let found = live(region);
        if found != items {
            return Some(format!("{id} holds {}", difference(&found, &items)));
        }
        if tables.digest(CARTS).0 != sum(&items) {
            return Some(format!("{id} has a digest that is not of its items"));
        }
    }
    undone(&world.ledger.open(), &items)
}

fn undone(truth: &Truth, items: &Items) -> Option<String> {
    let writes: Vec<&Wrote> = truth.writes().collect();
    let is_kept = |wrote: &Wrote| {
        wrote.acknowledged && !truth.lost_directories().contains(&wrote.record.origin)
    };
    for wrote in writes.iter().filter(|wrote| is_kept(wrote)) {
        for change in &wrote.record.changes {
            let version = wrote.record.version_of(change);
            let ends = |other: &&Wrote| {
                let mut changes = other.record.changes.iter();
                changes.any(|one| {
                    let is_delete = one.key == change.key && one.image.is_none();
                    is_delete && version <= other.record.version_of(one)
                })
            };
            let stays = match items.get(&change.key) {
                Some((found, _)) => version <= *found,
                None => writes.iter().any(ends),
            };
            if !stays {
                let (origin, seq) = (wrote.record.origin, wrote.record.seq);
                return Some(format!("{origin}:{seq}, acknowledged, is lost or undone"));
            }
        }
    }
    None
}

/// Returns what became of writes that may not have: each stays, or was seen by a later one of
/// its item, or is the loser of a race in some region's conflict log; and only races are there.
pub fn unaccounted(world: &World) -> Option<String> {
    let truth = world.ledger.open();
    let mut races: Vec<Conflict> = Vec::new();
    for region in &world.regions {
        let process = region.process.as_ref()?;
        let found = at_once(process.tables.conflicts(CARTS, usize::MAX));
        let Ok(found) = found else {
            return Some(format!("{} cannot read its conflict log", region.id()));
        };
        for race in &found {
            if let Some(what) = no_race(&truth, region.id(), race) {
                return Some(what);
            }
        }
        races.extend(found);
    }
    let items = live(world.regions.first()?);
    let writes: Vec<&Wrote> = truth.writes().collect();
    for wrote in &writes {
        for change in &wrote.record.changes {
            let (version, key) = (wrote.record.version_of(change), &change.key);
            if change.stamp.is_some() {
                continue; // nobody wrote it: it ended a write that it had seen
            }
            let stays = match items.get(key) {
                Some((found, _)) => *found == version,
                None => change.image.is_none() && is_last(&writes, version, key),
            };
            let superseded = || {
                let mut later = writes.iter().filter(|later| later.saw(&wrote.record));
                later.any(|later| changes(later, key))
            };
            let lost = |race: &Conflict| race.loser == version && is_of(race, key);
            if !stays && !superseded() && !races.iter().any(lost) {
                let (origin, seq) = (wrote.record.origin, wrote.record.seq);
                let told = if wrote.acknowledged {
                    ", acknowledged,"
                } else {
                    ""
                };
                return Some(format!("{origin}:{seq}{told} is lost without a trace"));
            }
        }
    }
    None
}

/// Returns how many lost races the regions' conflict logs tell of.
pub fn races(world: &World) -> usize {
    let rows = world.regions.iter();
    rows.map(|region| region.disk.rows(Space::Conflicts).len())
        .sum()
}

fn no_race(truth: &Truth, holder: RegionId, race: &Conflict) -> Option<String> {
    let key = race.key.encode();
    let winners = truth.writes_of(race.winner, &key);
    let losers = truth.writes_of(race.loser, &key);
    let ([winner, ..], [loser]) = (&winners[..], &losers[..]) else {
        return Some(format!(
            "{holder} logs a race of writes that are none: {race:?}"
        ));
    };
    let of_item = |wrote: &Wrote, image: &Option<Bytes>| {
        let mut changes = wrote.record.changes.iter();
        changes
            .any(|change| change.key.get(2..) == Some(&race.key.encode()) && change.image == *image)
    };
    let beaten = |winner: &&Wrote| beaten_by_an_end(truth, winner, race);
    if winners.iter().any(beaten) {
        return Some(format!("{holder} lets an expiry beat a write: {race:?}"));
    }
    let right = of_item(winner, &race.winner_image) && of_item(loser, &race.loser_image);
    // What ended a write won over what that write has raced with.
    let ended = truth.ended_by(race.winner, &key);
    let mut winners = winners.iter().copied().chain(ended);
    let concurrent = winners.any(|winner| !winner.saw(&loser.record) && !loser.saw(&winner.record));
    (!right || !concurrent || race.winner <= race.loser)
        .then(|| format!("{holder} logs a race that was none: {race:?}"))
}

/// Returns whether a race was won by the end of an item that its loser would have outlived.
fn beaten_by_an_end(truth: &Truth, winner: &Wrote, race: &Conflict) -> bool {
    let key = race.key.encode();
    let of_item = |change: &&Change| change.key.get(2..) == Some(&key[..]);
    let ends = |change: &Change| change.stamp.is_some();
    if !winner.record.changes.iter().filter(of_item).any(ends) {
        return false;
    }
    let seen = truth.writes().filter(|seen| winner.saw(&seen.record));
    let ended = seen.flat_map(|seen| {
        let changes = seen.record.changes.iter().filter(of_item);
        changes.map(|change| seen.record.version_of(change))
    });
    ended.max() < Some(race.loser)
}

fn is_of(race: &Conflict, key: &[u8]) -> bool {
    key.get(2..) == Some(&race.key.encode())
}

fn changes(wrote: &Wrote, key: &Bytes) -> bool {
    wrote.record.changes.iter().any(|change| change.key == *key)
}

fn is_last(writes: &[&Wrote], version: Version, key: &Bytes) -> bool {
    let mut of_key = writes.iter().filter(|wrote| changes(wrote, key));
    of_key.all(|wrote| {
        let mut changes = wrote
            .record
            .changes
            .iter()
            .filter(|change| change.key == *key);
        changes.all(|change| wrote.record.version_of(change) <= version)
    })
}

/// Returns the items that a region's reads see.
fn live(region: &Region) -> Items {
    rows(region).filter(|(_, item)| item.1.is_some()).collect()
}

/// Reads items as they are stored, tombstones included: key: table 8 · key; value: format 1 ·
/// kind 1, 0 of an item · stamp 8 · origin 2 · position 8 · image.
fn rows(region: &Region) -> impl Iterator<Item = (Bytes, (Version, Option<Bytes>))> {
    let rows = region.disk.rows(Space::Items).into_iter();
    rows.map(|(key, mut value)| {
        let tombstone = value.get(1) != Some(&0);
        value.advance(2);
        let version = Version {
            hlc: Hlc(value.get_i64()),
            origin: RegionId(value.get_u16()),
        };
        value.advance(8);
        (key.slice(8..), (version, (!tombstone).then_some(value)))
    })
}

fn sum(items: &Items) -> Digest {
    let mut digest = Digest::default();
    for (key, (version, image)) in items {
        digest.add(key, *version, image.as_deref().unwrap_or_default());
    }
    digest
}

fn difference(found: &Items, truth: &Items) -> String {
    let keys = found.keys().chain(truth.keys());
    let differs = |key: &&Bytes| found.get(*key) != truth.get(*key);
    let version = |items: &Items, key: &Bytes| items.get(key).map(|(version, _)| *version);
    match keys.into_iter().find(differs) {
        Some(key) => {
            let (found, truth) = (version(found, key), version(truth, key));
            format!("{found:?} of {key:?} where {truth:?} is the last it has")
        }
        None => "what it must".to_owned(),
    }
}
