//! What a merged item must be, told from its writes and from what each of them had seen.
//!
//! It looks into no state.

use std::collections::BTreeSet;

use clock::hlc::Version;
use item::number::Number;
use item::value::{AttributeValue, Item};
use replica_core::merge::Stamp;
use replica_core::merged::State;
use replica_core::merged::change::{Change, Touch};

use crate::merging::{NUMBER, REGIONS, SET};

/// A write, and how many writes of each region its own had then, itself included.
#[derive(Clone, Debug)]
pub struct Wrote {
    /// The item.
    pub key: u8,
    /// What became of it.
    pub change: Change,
    /// Its stamp.
    pub stamp: Stamp,
    /// What it had seen.
    pub saw: [u64; REGIONS],
    /// What was sent of it.
    pub delta: State,
}

impl Wrote {
    fn saw(&self, other: &Self) -> bool {
        let origin = usize::from(other.stamp.version.origin.0);
        self.saw
            .get(origin)
            .is_some_and(|saw| other.stamp.seq.0 <= *saw)
    }

    /// Returns whether the write writes an attribute whole.
    fn sets(&self, name: &str) -> bool {
        match &self.change {
            Change::Put(_) | Change::Delete => true,
            Change::Update(_) => matches!(self.touch(name), Some(Touch::Set(_))),
        }
    }

    /// Returns what the write sets an attribute to.
    fn set<'w>(&'w self, name: &str) -> Option<&'w AttributeValue> {
        match (&self.change, self.touch(name)) {
            (Change::Put(item), _) => item.get(name),
            (_, Some(Touch::Set(value))) => value.as_ref(),
            (_, _) => None,
        }
    }

    fn touch(&self, name: &str) -> Option<&Touch> {
        let Change::Update(touches) = &self.change else {
            return None;
        };
        let mut of_name = touches.iter().filter(|(touched, _)| touched == name);
        of_name.next().map(|(_, touch)| touch)
    }
}

/// Returns whether somebody set the number while others added to it, and what is wrong with the
/// item, where something is.
pub(super) fn judge(wrote: &[&Wrote], item: &Item) -> (bool, Option<String>) {
    let removed = wrote.iter().filter(|wrote| wrote.change == Change::Delete);
    let removed = removed
        .map(|wrote| wrote.stamp.version)
        .max()
        .unwrap_or_default();
    let (contended, number) = wrong_number(wrote, item, removed);
    (
        contended,
        number.or_else(|| wrong_set(wrote, item, removed)),
    )
}

/// The number must be what was set last, and every addition which that had not seen. Additions that
/// a removal may have taken along may be missing.
fn wrong_number(wrote: &[&Wrote], item: &Item, removed: Version) -> (bool, Option<String>) {
    let sets = wrote.iter().filter(|wrote| wrote.sets(NUMBER));
    let last = sets.max_by_key(|wrote| wrote.stamp.version);
    let base = last.and_then(|last| last.set(NUMBER));
    let base = base.and_then(AttributeValue::as_n).and_then(Number::to_i64);
    let (mut least, mut most) = (base.unwrap_or(0), base.unwrap_or(0));
    let mut contended = false;
    for add in wrote {
        let Some(Touch::Add(by)) = add.touch(NUMBER) else {
            continue;
        };
        if last.is_some_and(|last| last.saw(add)) {
            continue;
        }
        contended |= last.is_some_and(|last| !add.saw(last));
        let by = by.to_i64().unwrap_or(0);
        most += by;
        if removed < add.stamp.version {
            least += by;
        }
    }
    let shown = item.get(NUMBER).and_then(AttributeValue::as_n);
    let shown = shown.and_then(Number::to_i64).unwrap_or(0);
    let is_right = least <= shown && shown <= most;
    let wrong = (!is_right).then(|| format!("a number is {shown}, not {least}..={most}"));
    (contended, wrong)
}

/// The set must have every element that was added and that nobody who had seen that took out or
/// wrote over, and those of what was set last that nobody who had seen that took out.
fn wrong_set(wrote: &[&Wrote], item: &Item, removed: Version) -> Option<String> {
    let sets = || wrote.iter().filter(|wrote| wrote.sets(SET));
    let last = sets().max_by_key(|wrote| wrote.stamp.version);
    let texts = |value: &AttributeValue| {
        let AttributeValue::Ss(texts) = value else {
            return BTreeSet::new();
        };
        texts.clone()
    };
    let taken = |element: &String, of: &Wrote| {
        wrote.iter().any(|other| {
            let takes = matches!(other.touch(SET), Some(Touch::Exclude(all))
                if texts(all).contains(element));
            takes && other.saw(of)
        })
    };
    let (mut must, mut may) = (BTreeSet::new(), BTreeSet::new());
    if let Some(last) = last {
        let set = last.set(SET).map(texts).unwrap_or_default();
        must.extend(set.into_iter().filter(|element| !taken(element, last)));
    }
    for add in wrote {
        let Some(Touch::Include(all)) = add.touch(SET) else {
            continue;
        };
        if sets().any(|set| set.saw(add)) {
            continue;
        }
        let left = texts(all)
            .into_iter()
            .filter(|element| !taken(element, add));
        if removed < add.stamp.version {
            must.extend(left);
        } else {
            may.extend(left);
        }
    }
    let shown = item.get(SET).map(texts).unwrap_or_default();
    let is_right = must.is_subset(&shown)
        && shown
            .iter()
            .all(|one| must.contains(one) || may.contains(one));
    (!is_right).then(|| format!("a set is {shown:?}, not {must:?}, and {may:?} perhaps"))
}
