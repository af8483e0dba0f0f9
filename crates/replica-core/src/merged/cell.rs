//! One attribute of a merged item: what was set, and what regions have added since.
//!
//! Every part is joined by itself: the later value, the later count of each region, the later
//! addition and removal of each element.

use std::collections::{BTreeMap, BTreeSet};

use base::region::RegionId;
use bytes::Bytes;
use clock::hlc::{Hlc, Version};
use item::number::{Number, Total};
use item::value::AttributeValue;

use crate::merge::Stamp;
use crate::merged::{NEVER, later};

/// The state of one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The latest write of the whole attribute.
    pub set: Stamp,
    /// What that write made it; `None` where it was removed.
    pub value: Option<AttributeValue>,
    /// The counts that that write had seen, which its value has in it.
    pub observed: Counts,
    /// The counts of all regions.
    pub counts: Counts,
    /// The elements that were added to a set or taken out of it.
    pub elements: BTreeMap<Element, Dots>,
    /// Up to where each region's additions of elements were seen by a write of the whole attribute.
    pub seen: Marks,
}

/// What regions have added in all, each under the version of its first addition: a region that
/// starts again after a removal, or with an empty directory, has another one.
pub type Counts = BTreeMap<Version, Count>;

/// Stamps by region.
pub type Marks = BTreeMap<RegionId, Hlc>;

/// What one region has added to a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Its last addition.
    pub last: Stamp,
    /// The sum of all.
    pub sum: Number,
}

/// An element of a set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    /// A number.
    N(Number),
    /// A text.
    S(String),
    /// Bytes.
    B(Bytes),
}

/// When each region added an element, and which of its additions were taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dots {
    /// The last addition of each region.
    pub added: Marks,
    /// The last addition of each region that a removal had seen.
    pub removed: Marks,
}

impl Default for Cell {
    fn default() -> Self {
        Self::set(NEVER, None)
    }
}

impl Cell {
    /// Returns an attribute that was written whole.
    pub const fn set(set: Stamp, value: Option<AttributeValue>) -> Self {
        Self {
            set,
            value,
            observed: BTreeMap::new(),
            counts: BTreeMap::new(),
            elements: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    /// Returns the attribute as it is read in an item that was last removed then; `None` where
    /// there is none.
    pub fn value(&self, removed: Version) -> Option<AttributeValue> {
        match &self.value {
            None => {
                let number = self.counted(Number::ZERO, removed);
                number.or_else(|| self.collected())
            }
            Some(AttributeValue::N(number)) => {
                let number = self.counted(*number, removed);
                number.or_else(|| self.value.clone())
            }
            Some(AttributeValue::Ss(_) | AttributeValue::Ns(_) | AttributeValue::Bs(_)) => {
                if self.elements.is_empty() {
                    return self.value.clone();
                }
                self.collected()
            }
            Some(
                AttributeValue::S(_)
                | AttributeValue::B(_)
                | AttributeValue::Bool(_)
                | AttributeValue::Null
                | AttributeValue::M(_)
                | AttributeValue::L(_),
            ) => self.value.clone(),
        }
    }

    /// Returns whether nothing but one write of the whole attribute is known.
    pub fn is_single(&self) -> bool {
        self.observed.is_empty()
            && self.counts.is_empty()
            && self.elements.is_empty()
            && self.seen.is_empty()
    }

    /// Returns whether an element is in the set.
    pub fn contains(&self, element: &Element) -> bool {
        let is_set = || self.base().is_some_and(|base| base.contains(element));
        match self.elements.get(element) {
            Some(dots) => dots.is_added() || !self.is_taken(dots) && is_set(),
            None => is_set(),
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        if self.set.version < other.set.version {
            self.set = other.set;
            self.value.clone_from(&other.value);
            self.observed.clone_from(&other.observed);
        }
        for (born, count) in &other.counts {
            let own = self.counts.entry(*born).or_insert(*count);
            if own.last.version < count.last.version {
                *own = *count;
            }
        }
        for (element, dots) in &other.elements {
            let own = self.elements.entry(element.clone()).or_default();
            raise(&mut own.added, &dots.added);
            raise(&mut own.removed, &dots.removed);
        }
        raise(&mut self.seen, &other.seen);
    }

    /// Forgets what a write of the whole item, or of this attribute, has made meaningless.
    pub(super) fn settle(&mut self, reset: Stamp, removed: Version) {
        if self.set.version < reset.version {
            self.set = reset;
            self.value = None;
            self.observed.clear();
        }
        let is_later = |origin: RegionId, hlc: Hlc| removed < Version { hlc, origin };
        // A count that a removal has hidden may yet be added to by its region, which then says what
        // it was before, until that region is known to count anew.
        let born: Vec<Version> = self.counts.keys().copied().collect();
        self.counts
            .retain(|one, count| removed < count.last.version || !is_over(*one, &born));
        self.seen.retain(|origin, hlc| is_later(*origin, *hlc));
        let seen = &self.seen;
        let matters = |origin: &RegionId, hlc: &mut Hlc| {
            is_later(*origin, *hlc) && seen.get(origin).is_none_or(|seen| *seen < *hlc)
        };
        self.elements.retain(|_, dots| {
            dots.added.retain(matters);
            dots.removed.retain(matters);
            !dots.added.is_empty() || !dots.removed.is_empty()
        });
    }

    /// Returns whether it says nothing that the item's own write does not say.
    pub(super) fn is_nothing(&self, reset: Stamp) -> bool {
        self.set.version == reset.version && self.value.is_none() && self.is_single()
    }

    /// Returns up to where a write which has seen this state has seen additions of elements. What a
    /// removal had seen does not count: of the same addition it may not have seen other elements.
    pub(super) fn to_see(&self) -> Marks {
        let mut seen = self.seen.clone();
        for dots in self.elements.values() {
            raise(&mut seen, &dots.added);
        }
        seen
    }

    /// Returns what regions have added since the number was set, with that number; `None` where
    /// nobody has.
    fn counted(&self, number: Number, removed: Version) -> Option<AttributeValue> {
        let is_seen = |born: &Version, count: &Count| {
            let seen = self.observed.get(born);
            let seen = seen.map_or(removed, |seen| removed.max(seen.last.version));
            count.last.version <= seen
        };
        let mut total = Total::default();
        total.add(number);
        let mut any = false;
        for (born, count) in &self.counts {
            if is_seen(born, count) {
                continue;
            }
            any = true;
            total.add(count.sum);
            if let Some(seen) = self.observed.get(born) {
                total.add(seen.sum.negated());
            }
        }
        any.then(|| AttributeValue::N(total.rounded()))
    }

    /// Returns the set that is left of what was set, with what was added to it.
    fn collected(&self) -> Option<AttributeValue> {
        let added = self.elements.iter();
        let added = added.filter(|(_, dots)| dots.is_added());
        let added: BTreeSet<&Element> = added.map(|(element, _)| element).collect();
        let base = self.base().unwrap_or_default();
        let is_left = |element: &&Element| {
            let dots = self.elements.get(element);
            dots.is_none_or(|dots| !self.is_taken(dots))
        };
        let mut all: BTreeSet<&Element> = base.iter().filter(is_left).collect();
        // A set has elements of one type: that of what was set, else the first that was added.
        let kind = base.first().or_else(|| added.first().copied())?;
        let kind = std::mem::discriminant(kind);
        let of_kind = |element: &&&Element| std::mem::discriminant::<Element>(element) == kind;
        all.extend(added.iter().filter(of_kind));
        set_of(all.into_iter())
    }

    /// Returns the elements of the set that was set.
    fn base(&self) -> Option<BTreeSet<Element>> {
        self.value.as_ref().and_then(elements_of)
    }

    /// Returns whether an element that was set has been taken out.
    fn is_taken(&self, dots: &Dots) -> bool {
        let Version { hlc, origin } = self.set.version;
        dots.removed.get(&origin).is_some_and(|taken| hlc <= *taken)
    }
}

impl Dots {
    /// Returns whether an addition was not taken back.
    fn is_added(&self) -> bool {
        let mut added = self.added.iter();
        added.any(|(origin, hlc)| self.removed.get(origin).is_none_or(|gone| gone < hlc))
    }
}

impl Count {
    /// Returns the count after one more addition; `None` where that needs too many digits.
    pub(super) fn plus(self, last: Stamp, number: Number) -> Option<Self> {
        let sum = self.sum.checked_add(number).ok()?;
        Some(Self {
            last: later(self.last, last),
            sum,
        })
    }
}

/// Returns the elements of a set; `None` for other values.
pub fn elements_of(value: &AttributeValue) -> Option<BTreeSet<Element>> {
    match value {
        AttributeValue::Ss(set) => Some(set.iter().cloned().map(Element::S).collect()),
        AttributeValue::Ns(set) => Some(set.iter().copied().map(Element::N).collect()),
        AttributeValue::Bs(set) => Some(set.iter().cloned().map(Element::B).collect()),
        AttributeValue::S(_)
        | AttributeValue::N(_)
        | AttributeValue::B(_)
        | AttributeValue::Bool(_)
        | AttributeValue::Null
        | AttributeValue::M(_)
        | AttributeValue::L(_) => None,
    }
}

/// Returns the set of elements of one type; `None` where there is no element.
fn set_of<'a>(elements: impl Iterator<Item = &'a Element>) -> Option<AttributeValue> {
    let (mut texts, mut numbers, mut bytes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for element in elements {
        match element {
            Element::S(text) => drop(texts.insert(text.clone())),
            Element::N(number) => drop(numbers.insert(*number)),
            Element::B(blob) => drop(bytes.insert(blob.clone())),
        }
    }
    if !texts.is_empty() {
        Some(AttributeValue::Ss(texts))
    } else if !numbers.is_empty() {
        Some(AttributeValue::Ns(numbers))
    } else if !bytes.is_empty() {
        Some(AttributeValue::Bs(bytes))
    } else {
        None
    }
}

/// Returns whether the region of a count counts anew: it adds no more to this one.
fn is_over(born: Version, all: &[Version]) -> bool {
    let is_next = |next: &Version| next.origin == born.origin && born < *next;
    all.iter().any(is_next)
}

/// Takes the later mark of each region.
fn raise(marks: &mut Marks, others: &Marks) {
    for (origin, hlc) in others {
        let own = marks.entry(*origin).or_insert(*hlc);
        *own = (*own).max(*hlc);
    }
}
