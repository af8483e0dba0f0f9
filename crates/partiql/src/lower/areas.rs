//! Areas: the partitions and sort keys that a condition can hold of.
//!
//! An area may be larger than its condition, never smaller: what it does not say stays to be
//! tested of each item.

use std::collections::{BTreeMap, BTreeSet};

use expr::condition::Condition;
use expr::key_condition::SortRange;
use item::key::{KeyRole, KeySchema, KeyValue};

use super::keys::{SortTest, conjuncts, equals, sort_test};
use crate::error::KeyProblem;

/// The part of a table that a condition can hold of.
pub(super) struct Area<'c> {
    pub(super) partitions: BTreeMap<KeyValue, Sorts>,
    /// What must be tested beside being in the area.
    pub(super) rest: Vec<&'c Condition>,
    /// Whether every attribute of the key equals one value, none of a list.
    pub(super) is_key: bool,
}

/// The sort keys of an area in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sorts {
    All,
    Points(BTreeSet<KeyValue>),
    Range(SortRange),
}

/// Returns the area of a condition; `None` where it can hold in any partition.
pub(super) fn of<'c>(
    condition: &'c Condition,
    keys: &KeySchema,
) -> Result<Option<Area<'c>>, KeyProblem> {
    let mut partitions: Option<BTreeSet<KeyValue>> = None;
    let (mut others, mut listed) = (Vec::new(), false);
    for one in conjuncts(condition) {
        let Some(values) = equals(one, &keys.partition.name) else {
            others.push(one);
            continue;
        };
        listed |= !matches!(one, Condition::Compare { .. });
        let value = |value| keys.partition.value_of(value, KeyRole::Partition);
        let values = values.into_iter().map(value);
        let values = values.collect::<Result<BTreeSet<_>, _>>()?;
        partitions = Some(match partitions {
            None => values,
            Some(earlier) => &earlier & &values,
        });
    }
    let Some(partitions) = partitions else {
        return of_alternatives(others, keys);
    };
    let sorts = sorts(others, keys)?;
    let partitions = partitions.into_iter();
    Ok(Some(Area {
        partitions: partitions
            .map(|partition| (partition, sorts.sorts.clone()))
            .collect(),
        rest: sorts.rest,
        is_key: !listed && (keys.sort.is_none() || sorts.is_point),
    }))
}

/// Returns the area of conditions of which one is an `OR` whose sides all have an area.
fn of_alternatives<'c>(
    mut conditions: Vec<&'c Condition>,
    keys: &KeySchema,
) -> Result<Option<Area<'c>>, KeyProblem> {
    for (at, condition) in conditions.iter().enumerate() {
        let Condition::Or(any) = condition else {
            continue;
        };
        let Some((partitions, exact)) = union(any, keys)? else {
            continue;
        };
        if exact {
            conditions.remove(at);
        }
        return Ok(Some(Area {
            partitions,
            rest: conditions,
            is_key: false,
        }));
    }
    Ok(None)
}

type Partitions = BTreeMap<KeyValue, Sorts>;

/// Returns what the areas of conditions have together, and whether it says all that they do.
fn union(any: &[Condition], keys: &KeySchema) -> Result<Option<(Partitions, bool)>, KeyProblem> {
    let mut partitions = Partitions::new();
    let mut exact = true;
    for one in any {
        let Some(area) = of(one, keys)? else {
            return Ok(None);
        };
        exact &= area.rest.is_empty();
        for (partition, sorts) in area.partitions {
            let joined = match (partitions.remove(&partition), sorts) {
                (None, sorts) => sorts,
                (Some(one), two) if one == two => one,
                (Some(Sorts::Points(one)), Sorts::Points(two)) => Sorts::Points(&one | &two),
                (Some(_), _) => {
                    exact = false;
                    Sorts::All
                }
            };
            partitions.insert(partition, joined);
        }
    }
    Ok(Some((partitions, exact)))
}

/// The sort keys that conditions can hold of, and what must be tested beside.
struct Sorted<'c> {
    sorts: Sorts,
    rest: Vec<&'c Condition>,
    is_point: bool,
}

fn sorts<'c>(conditions: Vec<&'c Condition>, keys: &KeySchema) -> Result<Sorted<'c>, KeyProblem> {
    let Some(sort) = &keys.sort else {
        let (sorts, rest) = (Sorts::All, conditions);
        return Ok(Sorted {
            sorts,
            rest,
            is_point: false,
        });
    };
    let mut points: Option<BTreeSet<KeyValue>> = None;
    let mut ranges: Vec<(SortRange, &Condition)> = Vec::new();
    let (mut rest, mut is_point) = (Vec::new(), false);
    for condition in conditions {
        match sort_test(condition, sort)? {
            None => rest.push(condition),
            Some(SortTest::Range(range)) => ranges.push((range, condition)),
            Some(SortTest::Points(values)) => {
                is_point |= matches!(condition, Condition::Compare { .. });
                let values = BTreeSet::from_iter(values);
                points = Some(match points {
                    None => values,
                    Some(earlier) => &earlier & &values,
                });
            }
        }
    }
    let sorts = match points {
        Some(mut points) => {
            points.retain(|point| ranges.iter().all(|(range, _)| range.contains(point)));
            Sorts::Points(points)
        }
        None => narrowest(ranges, &mut rest),
    };
    Ok(Sorted {
        sorts,
        rest,
        is_point,
    })
}

/// Returns one range that holds what all ranges hold; adds to `rest` those that it does not say.
fn narrowest<'c>(
    mut ranges: Vec<(SortRange, &'c Condition)>,
    rest: &mut Vec<&'c Condition>,
) -> Sorts {
    let lower = ranges.iter().position(|(range, _)| is_lower(range));
    let upper = ranges.iter().position(|(range, _)| is_upper(range));
    let others = |ranges: Vec<(SortRange, &'c Condition)>, said: &[usize]| {
        let others = ranges.into_iter().enumerate();
        let others = others.filter(|(at, _)| !said.contains(at));
        others
            .map(|(_, (_, condition))| condition)
            .collect::<Vec<_>>()
    };
    let bounds = lower.zip(upper).and_then(|(lower, upper)| {
        let (from, to) = (ranges.get(lower)?, ranges.get(upper)?);
        Some((bound(&from.0)?.clone(), bound(&to.0)?.clone()))
    });
    if let (Some((from, to)), Some(lower), Some(upper)) = (bounds, lower, upper) {
        if from > to {
            return Sorts::Points(BTreeSet::new());
        }
        // Both ends are read where one may be meant to be left out: it is tested again.
        let says = |at: usize| {
            let range = ranges.get(at).map(|(range, _)| range);
            matches!(range, Some(SortRange::Ge(_) | SortRange::Le(_))).then_some(at)
        };
        let said: Vec<usize> = [says(lower), says(upper)].into_iter().flatten().collect();
        rest.extend(others(ranges, &said));
        return Sorts::Range(SortRange::Between(from, to));
    }
    if ranges.is_empty() {
        return Sorts::All;
    }
    let closed = ranges
        .iter()
        .position(|(range, _)| bound(range).is_none())
        .unwrap_or_default();
    let (range, _) = ranges.remove(closed);
    rest.extend(others(ranges, &[]));
    Sorts::Range(range)
}

const fn is_lower(range: &SortRange) -> bool {
    matches!(range, SortRange::Gt(_) | SortRange::Ge(_))
}

const fn is_upper(range: &SortRange) -> bool {
    matches!(range, SortRange::Lt(_) | SortRange::Le(_))
}

/// Returns the one end that a range has.
const fn bound(range: &SortRange) -> Option<&KeyValue> {
    match range {
        SortRange::Lt(bound)
        | SortRange::Le(bound)
        | SortRange::Gt(bound)
        | SortRange::Ge(bound) => Some(bound),
        SortRange::Eq(_) | SortRange::Between(..) | SortRange::BeginsWith(_) => None,
    }
}
