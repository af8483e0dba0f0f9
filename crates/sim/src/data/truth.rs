//! What is true: every write, what it had seen, and what each region must hold.
//!
//! It is kept from what goes into the stores, not from what the code says of itself. Nothing of
//! it reaches the regions.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use base::region::RegionId;
use clock::hlc::Version;
use item::codec;
use item::value::AttributeValue;
use replica_core::record::{Change, Record};
use replica_core::vector::{Seq, VersionVector};

/// What all regions wrote, and what each has.
#[derive(Debug, Default)]
pub struct Truth {
    writes: BTreeMap<(RegionId, Seq), Wrote>,
    versions: BTreeMap<Version, Seq>,
    held: BTreeMap<RegionId, Held>,
    violations: Vec<String>,
    /// Whether what clients were told is done must survive every crash.
    pub keeps_acknowledged: bool,
    digest: u64,
    /// The regions that lost their directory. What comes in copies is not in any log: from the
    /// first of them on, only what is in the end is judged.
    replaced: BTreeSet<RegionId>,
}

/// One write that is in its region's log.
#[derive(Clone, Debug)]
pub struct Wrote {
    /// The write.
    pub record: Record,
    /// What its region had when it was made, itself left out.
    pub past: VersionVector,
    /// Whether its client was told that it is done.
    pub acknowledged: bool,
}

/// What one region has.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Whose writes it has, up to where, without a gap.
    pub past: VersionVector,
    /// What it must hold of each item by those: the latest version.
    pub items: Items,
    trimmed: VersionVector,
}

/// Items by key: a version, and what it says; `None` where it is a delete.
pub type Items = BTreeMap<Bytes, (Version, Option<Bytes>)>;

/// The attribute that names the client's operation.
pub const OPERATION: &str = "operation";

/// The attribute that names the operation that this one replaced.
pub const REPLACED: &str = "replaced";

/// Violations kept. 8: the first tells most.
const VIOLATIONS_MAX: usize = 8;

impl Truth {
    /// Counts a region in, which has nothing yet.
    pub fn join(&mut self, region: RegionId) {
        self.held.entry(region).or_default();
    }

    /// Notes something that must not be.
    pub fn wrong(&mut self, what: String) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(what);
        }
    }

    /// Notes that a region starts from an empty directory.
    pub fn replaced(&mut self, region: RegionId) {
        self.replaced.insert(region);
        self.held.insert(region, Held::default());
    }

    /// Returns the regions that lost their directory.
    pub fn lost_directories(&self) -> &BTreeSet<RegionId> {
        &self.replaced
    }

    /// Notes something that does not follow from what is in the logs.
    fn unfounded(&mut self, what: String) {
        if self.replaced.is_empty() {
            self.wrong(what);
        }
    }

    /// Returns what was wrong so far.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// Returns a digest of all writes so far, in their order.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Returns the writes that are in their regions' logs.
    pub fn writes(&self) -> impl Iterator<Item = &Wrote> {
        self.writes.values()
    }

    /// Returns the writes that made a version of an item, whose key is given without its hash: one,
    /// but that several regions may end what expires, and so make the same version.
    pub fn writes_of(&self, version: Version, key: &[u8]) -> Vec<&Wrote> {
        let makes = |wrote: &&Wrote| {
            let record = &wrote.record;
            let mut changes = record.changes.iter();
            changes.any(|one| record.version_of(one) == version && one.key.get(2..) == Some(key))
        };
        self.writes.values().filter(makes).collect()
    }

    /// Returns the write of an item that a version of it is the end of.
    pub fn ended_by(&self, version: Version, key: &[u8]) -> Option<&Wrote> {
        self.writes.values().find(|wrote| {
            let record = &wrote.record;
            let is_ended = |one: &Change| {
                record.version_of(one).end() == version && one.key.get(2..) == Some(key)
            };
            version.hlc.is_end() && record.changes.iter().any(is_ended)
        })
    }

    /// Returns what a region has.
    pub fn held(&self, region: RegionId) -> Held {
        self.held.get(&region).cloned().unwrap_or_default()
    }

    /// Notes that a record goes into a region's log: its own at the moment of the write, or a
    /// copy of another's.
    pub fn handed_in(&mut self, holder: RegionId, record: &Record) {
        let (origin, seq) = (record.origin, record.seq);
        if origin != holder {
            let known = self.writes.get(&(origin, seq));
            if known.is_none_or(|known| known.record != *record) {
                self.unfounded(format!("{holder} got {origin}:{seq}, which {origin} lacks"));
            }
            return;
        }
        let last = self.writes.range(..(origin, Seq(u64::MAX))).next_back();
        let last = last.map(|(at, _)| *at).filter(|(of, _)| *of == origin);
        if seq != last.map_or(Seq(0), |(_, seq)| seq).next() {
            self.unfounded(format!("{origin} writes {seq} after {last:?}"));
        }
        let held = self.held.entry(holder).or_default();
        let mut past = held.past.clone();
        past.advance(origin, Seq(seq.0.saturating_sub(1)));
        let mut seen = past.clone();
        seen.advance(origin, seq);
        let lost_updates: Vec<String> = record
            .changes
            .iter()
            .filter_map(|change| lost_update(held, &change.key, change.image.as_ref()?))
            .collect();
        for lost in lost_updates {
            self.unfounded(format!("{origin}:{seq} {lost}"));
        }
        if record.seen != seen {
            let claim = &record.seen;
            self.unfounded(format!(
                "{origin}:{seq} says it saw {claim}, and saw {seen}"
            ));
        }
        let version = record.version();
        if let Some(other) = self.versions.insert(version, seq) {
            self.unfounded(format!("{origin} stamps {other} and {seq} alike"));
        }
        self.fold(version.hlc.0.unsigned_abs() ^ seq.0 << 48 ^ u64::from(origin.0) << 32);
        let wrote = Wrote {
            record: record.clone(),
            past,
            acknowledged: false,
        };
        self.writes.insert((origin, seq), wrote);
    }

    /// Notes that a record can be read in a region, with all it changes.
    pub fn took_effect(&mut self, holder: RegionId, record: &Record) {
        let (origin, seq) = (record.origin, record.seq);
        let held = self.held.entry(holder).or_default();
        let before = held.past.at(origin);
        if before.next() != seq {
            self.unfounded(format!("{holder} applies {origin}:{seq} after {before}"));
        }
        let held = self.held.entry(holder).or_default();
        held.past.advance(origin, seq);
        held.take(record);
        self.fold(seq.0 << 32 ^ u64::from(holder.0) << 16 ^ u64::from(origin.0));
    }

    /// Notes that a region has dropped a record from a log.
    pub fn trimmed(&mut self, holder: RegionId, origin: RegionId, seq: Seq) {
        let lacks = |held: &&Held| held.past.at(origin) < seq;
        if self.held.values().any(|held| lacks(&held)) {
            self.unfounded(format!("{holder} trims {origin}:{seq}, which one lacks"));
        }
        let held = self.held.entry(holder).or_default();
        held.trimmed.advance(origin, seq);
    }

    /// Notes that a region lost what was not on disk; `kept` is what its logs still hold.
    pub fn crashed(&mut self, holder: RegionId, kept: Vec<(RegionId, Seq)>) {
        let held = self.held.entry(holder).or_default();
        // What was trimmed had been on disk; where the trimming itself was lost, it is kept.
        let before = std::mem::replace(&mut held.past, held.trimmed.clone());
        for (origin, seq) in kept {
            held.past.advance(origin, seq);
        }
        held.past.meet(&before);
        held.items = Items::new();
        let mut anew = held.clone();
        let own = held.past.at(holder);
        for ((origin, seq), wrote) in &self.writes {
            if *seq <= anew.past.at(*origin) {
                anew.take(&wrote.record);
            }
        }
        self.held.insert(holder, anew);
        if self.replaced.is_empty() {
            self.lost(holder, own);
        }
        self.fold(own.0 ^ u64::from(holder.0) << 48);
    }

    /// Forgets what a region lost of its own writes: nobody may have been told of it.
    fn lost(&mut self, holder: RegionId, own: Seq) {
        let lost = (holder, own.next())..=(holder, Seq(u64::MAX));
        let lost: Vec<_> = self.writes.range(lost).map(|(at, _)| *at).collect();
        for at in lost {
            let Some(wrote) = self.writes.remove(&at) else {
                continue;
            };
            self.versions.remove(&wrote.record.version());
            let (origin, seq) = at;
            if wrote.acknowledged && self.keeps_acknowledged {
                self.unfounded(format!(
                    "a crash took {origin}:{seq}, which was acknowledged"
                ));
            }
            if self.held.values().any(|held| seq <= held.past.at(origin)) {
                self.unfounded(format!("a crash took {origin}:{seq}, which others have"));
            }
        }
    }

    /// Notes that a client was told that its operation is done, at this position of the log.
    pub fn acknowledged(&mut self, origin: RegionId, seq: Seq, operation: &str) {
        let wrote = self.writes.get_mut(&(origin, seq));
        let is_it = wrote.is_some_and(|wrote| {
            wrote.acknowledged = true;
            let images = wrote.record.changes.iter();
            let mut images = images.filter_map(|change| change.image.as_ref());
            images.all(|image| attribute(image, OPERATION).as_deref() == Some(operation))
        });
        if !is_it {
            self.unfounded(format!("{origin}:{seq} is not {operation}, acknowledged"));
        }
    }

    fn fold(&mut self, what: u64) {
        self.digest = (self.digest ^ what)
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(17);
    }
}

impl Wrote {
    /// Returns whether this write had seen another.
    pub fn saw(&self, other: &Record) -> bool {
        other.seq <= self.past.at(other.origin)
    }
}

impl Held {
    fn take(&mut self, record: &Record) {
        for change in &record.changes {
            let version = record.version_of(change);
            let held = self.items.get(&change.key);
            if held.is_none_or(|(held, _)| *held < version) {
                let item = (version, change.image.clone());
                self.items.insert(change.key.clone(), item);
            }
        }
    }
}

/// Each write replaces what its region has, not something older.
fn lost_update(held: &Held, key: &Bytes, image: &Bytes) -> Option<String> {
    let current = held.items.get(key).and_then(|(_, image)| image.as_ref());
    let current = current.and_then(|image| attribute(image, OPERATION));
    let replaced = attribute(image, REPLACED);
    (current != replaced).then(|| format!("replaces {replaced:?} where {current:?} is"))
}

/// Returns a text attribute of an encoded item.
pub fn attribute(image: &[u8], name: &str) -> Option<String> {
    let item = codec::decode(image).ok()?;
    let text = item.get(name).and_then(AttributeValue::as_s);
    text.map(str::to_owned)
}
