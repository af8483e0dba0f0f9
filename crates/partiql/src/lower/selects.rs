//! `SELECT`: which keys, which partitions, or everything.

use std::fmt::Write;

use expr::error::Problem;
use expr::key_condition::{KeyRange, SortRange};
use expr::path::{Path, Step};
use item::key::{Key, KeySchema, KeyValue};

use super::areas::{self, Area, Sorts};
use super::keys::check_compared;
use super::{Bound, all_of};
use crate::ast::{self, Literal, Node, NodeKind};
use crate::error::{KeyProblem, OperandProblem, OrderProblem, PartiqlError};
use crate::limits::{KEYS_MAX, PARTITIONS_MAX};
use crate::plan::{Direction, List, Reads, Select, Selected};

/// Plans a `SELECT`.
pub(super) fn select(bound: Bound<'_>, select: &ast::Select) -> Result<Select, PartiqlError> {
    let list = list(bound, select.list.as_deref())?;
    let on_index = select.source.index.is_some();
    debug_assert!(
        !on_index || bound.keys.index.is_some(),
        "who plans a read of an index knows its keys"
    );
    let keys = match bound.keys.index {
        Some(index) if on_index => index,
        Some(_) | None => bound.keys.table,
    };
    let condition = match &select.condition {
        Some(node) => Some(bound.condition(node)?),
        None if select.order.is_empty() => None,
        None => return Err(OrderProblem::NoWhere.into()),
    };
    let order = order(&select.order, keys)?;
    let area = match &condition {
        Some(condition) => areas::of(condition, keys)?,
        None => None,
    };
    let Some(area) = area else {
        if !select.order.is_empty() {
            return Err(OrderProblem::NoPartition.into());
        }
        if let Some(condition) = &condition {
            check_compared(condition, keys)?;
        }
        return Ok(Select {
            reads: Reads::All,
            filter: condition,
            list,
        });
    };
    for condition in &area.rest {
        check_compared(condition, keys)?;
    }
    let filter = all_of(area.rest.iter().map(|&one| one.clone()).collect());
    let reads = reads(area, keys, on_index, order)?;
    Ok(Select {
        reads,
        filter,
        list,
    })
}

/// Returns what is selected of an item.
fn list(bound: Bound<'_>, list: Option<&[Node]>) -> Result<List, PartiqlError> {
    let Some(list) = list else {
        return Ok(List::Star);
    };
    let mut paths: Vec<Selected> = Vec::with_capacity(list.len());
    for node in list {
        let NodeKind::Path(path) = &node.kind else {
            return Err(OperandProblem::Path { at: node.at }.into());
        };
        bound.check_path(path)?;
        let name = name(path);
        if paths.iter().any(|one| one.name == name) {
            return Err(OperandProblem::DuplicateName(name).into());
        }
        let clash = |one: &Selected| {
            let clash = one.path.clash(path)?;
            Some(Problem::of_clash(clash, one.path.clone(), path.clone()))
        };
        if let Some(problem) = paths.iter().find_map(clash) {
            return Err(problem.into());
        }
        let path = path.clone();
        paths.push(Selected { name, path });
    }
    Ok(List::Paths(paths))
}

/// Returns the name that a value is answered by: the last name of its path, and indexes after it.
fn name(path: &Path) -> String {
    let mut name = path.name().to_owned();
    for step in path.steps() {
        match step {
            Step::Name(last) => name.clone_from(last),
            Step::Index(index) => {
                let _ = write!(name, "[{index}]"); // writing to a String never fails
            }
        }
    }
    name
}

/// The order that a statement asks for.
#[derive(Clone, Copy, Default)]
struct Order {
    partition: Option<Direction>,
    sort: Option<Direction>,
}

fn order(order: &[(Node, Direction)], keys: &KeySchema) -> Result<Order, PartiqlError> {
    let mut found = Order::default();
    for (node, direction) in order {
        let NodeKind::Path(path) = &node.kind else {
            let shown = if let NodeKind::Literal(Literal::Number(text) | Literal::Text(text)) =
                &node.kind
            {
                text.clone()
            } else {
                node.shown()
            };
            return Err(OrderProblem::NoName(shown).into());
        };
        if !path.steps().is_empty() {
            return Err(OrderProblem::NoName(node.shown()).into());
        }
        if path.name() == keys.partition.name {
            found.partition.get_or_insert(*direction);
        } else if keys.contains(path.name()) {
            found.sort.get_or_insert(*direction);
        } else {
            return Err(OrderProblem::NotOfKey(path.name().to_owned()).into());
        }
    }
    Ok(found)
}

/// Returns the reads of an area. Partitions come in the order of their values, as the service
/// answers them; within each, sort keys do.
fn reads(
    area: Area<'_>,
    keys: &KeySchema,
    on_index: bool,
    order: Order,
) -> Result<Reads, PartiqlError> {
    let Area {
        mut partitions,
        is_key,
        ..
    } = area;
    partitions.retain(|_, sorts| !matches!(sorts, Sorts::Points(points) if points.is_empty()));
    if partitions.len() > 1 && order.sort.is_some() && order.partition.is_none() {
        return Err(OrderProblem::ManyPartitions.into());
    }
    let count = partitions.values().map(|sorts| match sorts {
        Sorts::Points(points) => points.len(),
        Sorts::All | Sorts::Range(_) => 1,
    });
    if partitions.len() > PARTITIONS_MAX || count.sum::<usize>() > KEYS_MAX {
        return Err(KeyProblem::ManyReads.into());
    }
    let direction = order.sort.unwrap_or(Direction::Ascending);
    let mut partitions: Vec<_> = partitions.into_iter().collect();
    if order.partition == Some(Direction::Descending) {
        partitions.reverse();
    }
    let has_sort = keys.sort.is_some();
    let points = |sorts: &Sorts| matches!(sorts, Sorts::Points(_)) || !has_sort;
    if on_index || !partitions.iter().all(|(_, sorts)| points(sorts)) {
        let ranges: Vec<_> = partitions
            .into_iter()
            .flat_map(|(partition, sorts)| ranges(&partition, sorts, direction))
            .collect();
        return Ok(if ranges.is_empty() {
            Reads::Keys(Vec::new())
        } else {
            Reads::Ranges { ranges, direction }
        });
    }
    let mut keys: Vec<Key> = partitions
        .into_iter()
        .flat_map(|(partition, sorts)| points_of(&partition, sorts, direction))
        .collect();
    Ok(match keys.pop() {
        Some(only) if is_key && keys.is_empty() => Reads::Key(only),
        last => {
            keys.extend(last);
            Reads::Keys(keys)
        }
    })
}

fn ranges(partition: &KeyValue, sorts: Sorts, direction: Direction) -> Vec<KeyRange> {
    let range = |sort| KeyRange {
        partition: partition.clone(),
        sort,
    };
    match sorts {
        Sorts::All => vec![range(None)],
        Sorts::Range(sort) => vec![range(Some(sort))],
        Sorts::Points(points) => {
            let points = points.into_iter().map(SortRange::Eq).map(Some);
            directed(points.map(range).collect(), direction)
        }
    }
}

fn points_of(partition: &KeyValue, sorts: Sorts, direction: Direction) -> Vec<Key> {
    let key = |sort| Key {
        partition: partition.clone(),
        sort,
    };
    match sorts {
        Sorts::All | Sorts::Range(_) => vec![key(None)],
        Sorts::Points(points) => {
            directed(points.into_iter().map(Some).map(key).collect(), direction)
        }
    }
}

fn directed<T>(mut ascending: Vec<T>, direction: Direction) -> Vec<T> {
    match direction {
        Direction::Ascending => {}
        Direction::Descending => ascending.reverse(),
    }
    ascending
}
