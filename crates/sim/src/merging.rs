//! Short histories of merged items in three regions: what joins and collections must never lose.
//!
//! It runs the states that ship, without store, log format or network: a history takes
//! microseconds, so that many thousands are looked at. The truth is told from what each write had
//! seen, not from any state.

mod truth;

use std::collections::BTreeMap;

use base::region::RegionId;
use clock::hlc::{Hlc, Version};
use item::value::{AttributeValue, Item};
use replica_core::merge::Stamp;
use replica_core::merged::State;
use replica_core::merged::change::{Change, Touch};
use replica_core::vector::Seq;

use crate::chance::Chance;

pub use truth::Wrote;

/// When a region drops the state of an item that is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collection {
    /// Never.
    Never,
    /// Once every region has its removal: a mistake.
    Acknowledged,
    /// Once the frontier has passed it and then the moment when that was noticed.
    Twice,
}

/// A mistake to put in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mistake {
    /// None.
    #[default]
    Nothing,
    /// Setting a number drops what others added meanwhile.
    SetDropsAdditions,
}

/// What came of a history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What is wrong, where something is.
    pub violation: Option<String>,
    /// How many writes there were.
    pub writes: u64,
    /// How many were heard of, again or for the first time.
    pub heard: u64,
    /// How many items that are no more were dropped.
    pub collected: u64,
    /// How many numbers were looked at that had been set while others added.
    pub contended: u64,
}

/// How many regions there are.
const REGIONS: usize = 3;
/// How many items there are.
const KEYS: u8 = 2;
/// Steps in which nothing is written any more, and all is heard.
const QUIET: u64 = 400;

/// The number that is added to.
pub const NUMBER: &str = "n";
/// The set that is added to.
pub const SET: &str = "s";

struct Region {
    skew: i64,
    clock: i64,
    log: Vec<Wrote>,
    items: BTreeMap<u8, State>,
    /// How many writes of each region it has.
    has: [u64; REGIONS],
    /// Up to which stamp it has each region's writes.
    passed: [i64; REGIONS],
    /// What it knows of each other region.
    known: [([u64; REGIONS], i64); REGIONS],
    /// Which removals it has found below the frontier, and when.
    marks: BTreeMap<u8, (Version, i64)>,
}

struct World {
    chance: Chance,
    now: i64,
    regions: Vec<Region>,
    away: Option<usize>,
    collection: Collection,
    mistake: Mistake,
    report: Report,
}

/// Runs the history of a seed.
pub fn run(seed: u64, collection: Collection, mistake: Mistake) -> Report {
    let mut chance = Chance::new(seed);
    let region = |chance: &mut Chance| Region {
        skew: i64::try_from(chance.below(40)).unwrap_or(0) - 20,
        clock: 0,
        log: Vec::new(),
        items: BTreeMap::new(),
        has: [0; REGIONS],
        passed: [0; REGIONS],
        known: [([0; REGIONS], 0); REGIONS],
        marks: BTreeMap::new(),
    };
    let mut world = World {
        regions: (0..REGIONS).map(|_| region(&mut chance)).collect(),
        chance,
        now: 1_000,
        away: None,
        collection,
        mistake,
        report: Report::default(),
    };
    let steps = world.chance.between(20, 80);
    for step in 0..steps + QUIET {
        world.now += i64::try_from(world.chance.below(5)).unwrap_or(0);
        if world.chance.one_in(15) {
            let away = world.chance.index(REGIONS);
            world.away = world.away.is_none().then_some(away);
        }
        let is_quiet = steps <= step;
        world.away = world.away.filter(|_| !is_quiet);
        let at = world.chance.index(REGIONS);
        if !is_quiet && world.chance.below(10) < 4 {
            world.write(at);
        } else {
            world.hear(at);
        }
    }
    for _ in 0..2 {
        for at in 0..REGIONS {
            for from in (0..REGIONS).filter(|from| *from != at) {
                let (first, last) = (world.regions[at].has[from], world.regions[from].log.len());
                world.take(at, from, first, last as u64);
            }
        }
    }
    world.judge();
    world.report
}

impl World {
    fn write(&mut self, at: usize) {
        let key = u8::try_from(self.chance.below(u64::from(KEYS))).unwrap_or(0);
        let id: Item = [("id", i64::from(key))].into_iter().collect();
        let state = self.regions[at]
            .items
            .get(&key)
            .cloned()
            .unwrap_or_default();
        let change = self.choose(&id);
        let takes = matches!(&change, Change::Update(touches)
            if touches.iter().all(|(_, touch)| matches!(touch, Touch::Exclude(_))));
        if takes && !state.exists() {
            return;
        }
        let region = &mut self.regions[at];
        let clock = (self.now + region.skew).max(1).max(region.clock + 1);
        region.clock = clock;
        region.passed[at] = clock;
        region.has[at] += 1;
        let stamp = Stamp {
            version: Version {
                hlc: Hlc(clock),
                origin: RegionId(u16::try_from(at).unwrap_or(0)),
            },
            seq: Seq(region.has[at]),
        };
        let delta = state.delta(&change, stamp, &id);
        region.log.push(Wrote {
            key,
            change,
            stamp,
            saw: region.has,
            delta: delta.clone(),
        });
        self.report.writes += 1;
        self.join(at, key, &delta);
    }

    fn choose(&mut self, id: &Item) -> Change {
        let chance = &mut self.chance;
        let value = i64::try_from(chance.below(100)).unwrap_or(0);
        let elements = |chance: &mut Chance| {
            let texts = ["a", "b", "c"].into_iter();
            let texts = texts.filter(|_| chance.one_in(2)).map(str::to_owned);
            AttributeValue::Ss(texts.chain(["d".to_owned()]).take(2).collect())
        };
        let one = |name: &str, touch: Touch| Change::Update(vec![(name.to_owned(), touch)]);
        match chance.below(12) {
            0 => {
                let mut item = id.clone();
                item.insert("a0", value);
                item.insert(NUMBER, value);
                Change::Put(item)
            }
            1 | 2 => {
                let name = format!("a{}", chance.below(3));
                let value = (!chance.one_in(5)).then(|| value.into());
                one(&name, Touch::Set(value))
            }
            3 => one(NUMBER, Touch::Set(Some(value.into()))),
            4..7 => one(NUMBER, Touch::Add((1 + value).into())),
            7 => one(SET, Touch::Set(Some(elements(chance)))),
            8 | 9 => one(SET, Touch::Include(elements(chance))),
            10 => one(SET, Touch::Exclude(elements(chance))),
            _ => Change::Delete,
        }
    }

    fn join(&mut self, at: usize, key: u8, delta: &State) {
        let state = self.regions[at].items.entry(key).or_default();
        state.join(delta);
        if self.mistake == Mistake::SetDropsAdditions {
            for cell in state.cells.values_mut() {
                let set = cell.set.version;
                cell.counts.retain(|_, count| set < count.last.version);
            }
        }
    }

    /// Hears some of what another region wrote, in order, sometimes again.
    fn hear(&mut self, at: usize) {
        let from = self.chance.index(REGIONS);
        if from == at || self.away == Some(from) || self.away == Some(at) {
            return;
        }
        let has = self.regions[at].has[from];
        let again = if self.chance.one_in(6) { 3 } else { 0 };
        let length = self.regions[from].log.len() as u64;
        let last = length.min(has + 1 + self.chance.below(4));
        self.take(at, from, has.saturating_sub(again), last);
        if last == length {
            // It promises that its next write is later than this.
            let other = &mut self.regions[from];
            other.clock = other.clock.max(self.now + other.skew).max(1);
            other.passed[from] = other.clock;
            let promise = other.clock;
            let region = &mut self.regions[at];
            region.passed[from] = region.passed[from].max(promise);
        }
        let other = &self.regions[from];
        let told = (other.has, lowest(&other.passed));
        let clock = other.clock;
        let region = &mut self.regions[at];
        region.known[from] = told;
        region.clock = region.clock.max(clock);
        if self.chance.one_in(2) {
            self.collect(at);
        }
    }

    fn take(&mut self, at: usize, from: usize, first: u64, last: u64) {
        for position in first..last {
            let index = usize::try_from(position).unwrap_or(0);
            let wrote = self.regions[from].log[index].clone();
            self.report.heard += 1;
            let is_again = position < self.regions[at].has[from];
            if is_again && self.collection != Collection::Never {
                continue; // positions make it exactly once
            }
            self.join(at, wrote.key, &wrote.delta);
            let region = &mut self.regions[at];
            region.clock = region.clock.max(wrote.stamp.version.hlc.0);
            region.has[from] = region.has[from].max(position + 1);
            region.passed[from] = region.passed[from].max(wrote.stamp.version.hlc.0);
        }
    }

    /// Drops the states of items that are no more, as soon as that is thought to be safe.
    fn collect(&mut self, at: usize) {
        let region = &mut self.regions[at];
        let others = (0..REGIONS).filter(|other| *other != at);
        let frontier = others
            .clone()
            .map(|other| region.known[other].1)
            .fold(lowest(&region.passed), i64::min);
        let gone: Vec<(u8, Stamp)> = region
            .items
            .iter()
            .filter(|(_, state)| !state.exists())
            .map(|(key, state)| (*key, state.stamp))
            .collect();
        for (key, stamp) in gone {
            let version = stamp.version;
            let drops = match self.collection {
                Collection::Never => false,
                Collection::Acknowledged => {
                    let origin = usize::from(version.origin.0);
                    let mut have = others.clone().map(|other| region.known[other].0[origin]);
                    have.all(|have| stamp.seq.0 <= have)
                }
                Collection::Twice => {
                    let is_passed = version.hlc.0 < frontier;
                    let mark = region.marks.get(&key).filter(|mark| mark.0 == version);
                    match mark {
                        _ if !is_passed => false,
                        Some((_, noticed)) => *noticed < frontier,
                        None => {
                            region.marks.insert(key, (version, region.clock));
                            false
                        }
                    }
                }
            };
            if drops {
                region.items.remove(&key);
                self.report.collected += 1;
            }
        }
    }

    fn judge(&mut self) {
        let wrote: Vec<&Wrote> = self.regions.iter().flat_map(|region| &region.log).collect();
        for key in 0..KEYS {
            let view = |region: &Region| region.items.get(&key).and_then(State::view);
            let views: Vec<Option<Item>> = self.regions.iter().map(view).collect();
            if views.windows(2).any(|pair| pair[0] != pair[1]) {
                self.report.violation = Some(format!("item {key} differs: {views:?}"));
                return;
            }
            let Some(Some(item)) = views.first() else {
                continue;
            };
            let of_key = wrote.iter().copied().filter(|wrote| wrote.key == key);
            let (contended, wrong) = truth::judge(&of_key.collect::<Vec<_>>(), item);
            self.report.contended += u64::from(contended);
            if wrong.is_some() {
                self.report.violation = wrong;
                return;
            }
        }
    }
}

fn lowest(stamps: &[i64]) -> i64 {
    stamps.iter().copied().min().unwrap_or(0)
}
