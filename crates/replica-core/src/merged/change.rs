//! What a write changes of a merged item, as a state of its own.
//!
//! It decides nothing: the write was decided by the item as it is read.

use std::collections::BTreeMap;

use clock::hlc::Version;
use item::number::Number;
use item::value::{AttributeValue, Item};

use crate::merge::Stamp;
use crate::merged::State;
use crate::merged::cell::{Cell, Count, Dots, elements_of};

/// What becomes of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is written whole.
    Put(Item),
    /// It is removed.
    Delete,
    /// Some of its attributes change, each named once; it is made where there is none.
    Update(Vec<(String, Touch)>),
}

/// What becomes of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touch {
    /// It gets a value, or is removed.
    Set(Option<AttributeValue>),
    /// A number is added to it.
    Add(Number),
    /// A set's elements are added to it.
    Include(AttributeValue),
    /// A set's elements are taken out of it.
    Exclude(AttributeValue),
}

impl State {
    /// Returns what a write changes that has seen this state. Its stamp is later than all here;
    /// `key` is the item's key.
    pub fn delta(&self, change: &Change, stamp: Stamp, key: &Item) -> Self {
        let mut delta = Self {
            stamp,
            ..Self::default()
        };
        match change {
            Change::Put(item) => {
                delta.reset = stamp;
                delta.live = stamp.version;
                delta.key = key.as_map().clone();
                delta.cells = self.unset(stamp);
                let rest = item.iter().filter(|(name, _)| !key.contains(name));
                for (name, value) in rest {
                    let cell = self.set(name, Some(value.clone()), stamp);
                    delta.cells.insert(name.clone(), cell);
                }
            }
            Change::Delete => {
                delta.reset = stamp;
                delta.ends = true;
                delta.removed = stamp.version;
                delta.cells = self.unset(stamp);
            }
            Change::Update(touches) => {
                delta.live = stamp.version;
                delta.key = key.as_map().clone();
                for (name, touch) in touches {
                    let cell = self.touch(name, touch, stamp);
                    delta.cells.insert(name.clone(), cell);
                }
            }
        }
        delta.settle();
        delta
    }

    fn touch(&self, name: &str, touch: &Touch, stamp: Stamp) -> Cell {
        match touch {
            Touch::Set(value) => self.set(name, value.clone(), stamp),
            Touch::Add(number) => self.add(name, *number, stamp),
            Touch::Include(set) => {
                let Version { hlc, origin } = stamp.version;
                let dots = Dots {
                    added: [(origin, hlc)].into(),
                    removed: BTreeMap::new(),
                };
                let elements = elements_of(set).unwrap_or_default().into_iter();
                Cell {
                    elements: elements.map(|element| (element, dots.clone())).collect(),
                    ..Cell::default()
                }
            }
            Touch::Exclude(set) => self.exclude(name, set),
        }
    }

    /// Adds to this region's own count; where that is too long a number, sets the sum.
    fn add(&self, name: &str, number: Number, stamp: Stamp) -> Cell {
        let mut cell = Cell::default();
        let counts = self.cells.get(name).map(|cell| &cell.counts);
        let mut counts = counts.into_iter().flatten().rev();
        let own = counts.find(|(born, count)| {
            born.origin == stamp.version.origin && self.removed < count.last.version
        });
        let (born, count) = match own {
            Some((born, count)) => (*born, count.plus(stamp, number)),
            None => {
                let count = Count {
                    last: stamp,
                    sum: number,
                };
                (stamp.version, Some(count))
            }
        };
        match count {
            Some(count) => {
                cell.counts.insert(born, count);
                cell
            }
            None => {
                let there = self.cells.get(name);
                let there = there.and_then(|there| there.value(self.removed));
                let there = there.and_then(|there| there.as_n()).unwrap_or(Number::ZERO);
                let mut total = item::number::Total::default();
                total.add(there);
                total.add(number);
                let sum = AttributeValue::N(total.rounded());
                self.set(name, Some(sum), stamp)
            }
        }
    }

    /// Takes back every addition of the elements that was seen.
    fn exclude(&self, name: &str, set: &AttributeValue) -> Cell {
        let mut taken = Cell::default();
        let Some(cell) = self.cells.get(name) else {
            return taken;
        };
        for element in elements_of(set).unwrap_or_default() {
            if !cell.contains(&element) {
                continue;
            }
            let dots = cell.elements.get(&element);
            let mut removed = dots.map(|dots| dots.added.clone()).unwrap_or_default();
            let is_set = cell.value.as_ref().and_then(elements_of);
            if is_set.is_some_and(|set| set.contains(&element)) {
                let Version { hlc, origin } = cell.set.version;
                let own = removed.entry(origin).or_insert(hlc);
                *own = hlc.max(*own);
            }
            let dots = Dots {
                added: BTreeMap::new(),
                removed,
            };
            taken.elements.insert(element, dots);
        }
        taken
    }

    /// Returns an attribute as a write makes it that has seen this state.
    fn set(&self, name: &str, value: Option<AttributeValue>, stamp: Stamp) -> Cell {
        let there = self.cells.get(name);
        Cell {
            observed: there.map(|cell| cell.counts.clone()).unwrap_or_default(),
            seen: there.map(Cell::to_see).unwrap_or_default(),
            ..Cell::set(stamp, value)
        }
    }

    /// Returns what a write of the whole item must say of attributes that it does not have.
    fn unset(&self, stamp: Stamp) -> BTreeMap<String, Cell> {
        let counted = self.cells.iter().filter(|(_, cell)| !cell.is_single());
        counted
            .map(|(name, _)| (name.clone(), self.set(name, None, stamp)))
            .collect()
    }
}
