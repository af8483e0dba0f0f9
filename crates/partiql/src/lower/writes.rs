//! `INSERT`, `UPDATE`, `DELETE` and `EXISTS`: one item, and what must hold of it.

use expr::condition::Condition;
use expr::path::Path;
use item::key::{Key, KeyAttribute, KeyRole, KeySchema, KeyValue};
use item::value::Item;

use super::keys::{check_compared, conjuncts, equals};
use super::{Bound, all_of};
use crate::ast::{self, Node};
use crate::error::{KeyProblem, PartiqlError, SourceProblem};
use crate::plan::{Check, Delete, Insert, Update};

/// Plans an `INSERT`.
pub(super) fn insert(bound: Bound<'_>, insert: &ast::Insert) -> Result<Insert, PartiqlError> {
    let item = Item::from(bound.attributes(&insert.item)?);
    let key = bound.keys.table.key_of(&item).map_err(KeyProblem::from)?;
    Ok(Insert {
        key,
        item,
        condition: Condition::NotExists(partition_path(bound.keys.table)),
    })
}

/// Plans an `UPDATE`.
pub(super) fn update(bound: Bound<'_>, update: &ast::Update) -> Result<Update, PartiqlError> {
    let (key, rest) = item_of(bound, update.condition.as_ref())?;
    Ok(Update {
        key,
        changes: bound.update(&update.changes)?,
        condition: there(bound.keys.table, rest),
        returning: update.returning,
    })
}

/// Plans a `DELETE`. An item that is not there is deleted already, whatever must hold of it.
pub(super) fn delete(bound: Bound<'_>, delete: &ast::Delete) -> Result<Delete, PartiqlError> {
    let (key, rest) = item_of(bound, delete.condition.as_ref())?;
    let gone = Condition::NotExists(partition_path(bound.keys.table));
    Ok(Delete {
        key,
        condition: all_of(rest).map(|rest| Condition::Or(vec![gone, rest])),
        returns_old: delete.returning.is_some(),
    })
}

/// Plans an `EXISTS`.
pub(super) fn check(bound: Bound<'_>, select: &ast::Select) -> Result<Check, PartiqlError> {
    if select.source.index.is_some() {
        return Err(SourceProblem::CheckOnIndex.into());
    }
    let (key, rest) = match item_of(bound, select.condition.as_ref()) {
        Ok((_, rest)) if rest.is_empty() => return Err(KeyProblem::Check.into()),
        Err(PartiqlError::Key(KeyProblem::Incomplete)) => return Err(KeyProblem::Check.into()),
        other => other?,
    };
    Ok(Check {
        key,
        condition: there(bound.keys.table, rest),
    })
}

/// Returns the condition that an item is there and the rest holds of it.
fn there(keys: &KeySchema, mut rest: Vec<Condition>) -> Condition {
    let there = Condition::Exists(partition_path(keys));
    if rest.is_empty() {
        return there;
    }
    rest.insert(0, there);
    Condition::And(rest)
}

fn partition_path(keys: &KeySchema) -> Path {
    Path::attribute(keys.partition.name.clone())
}

/// Returns the key that a condition gives whole, and what else it says.
fn item_of(bound: Bound<'_>, node: Option<&Node>) -> Result<(Key, Vec<Condition>), PartiqlError> {
    let keys = bound.keys.table;
    let node = node.ok_or(KeyProblem::Incomplete)?;
    let condition = bound.condition(node)?;
    let mut rest = conjuncts(&condition);
    let partition = equal_to(&mut rest, &keys.partition, KeyRole::Partition)?;
    let sort = match &keys.sort {
        Some(sort) => Some(equal_to(&mut rest, sort, KeyRole::Sort)?),
        None => None,
    };
    for condition in &rest {
        check_compared(condition, keys)?;
    }
    let key = Key { partition, sort };
    Ok((key, rest.into_iter().cloned().collect()))
}

/// Takes the conditions out that give the value of a key attribute; all of them give the same.
fn equal_to(
    conditions: &mut Vec<&Condition>,
    attribute: &KeyAttribute,
    role: KeyRole,
) -> Result<KeyValue, KeyProblem> {
    let mut found: Option<KeyValue> = None;
    let mut rest = Vec::with_capacity(conditions.len());
    for condition in conditions.drain(..) {
        let values = if matches!(condition, Condition::Compare { .. }) {
            equals(condition, &attribute.name)
        } else {
            None
        };
        let Some([value]) = values.as_deref() else {
            rest.push(condition);
            continue;
        };
        let value = attribute.value_of(value, role)?;
        if found.as_ref().is_some_and(|earlier| *earlier != value) {
            let name = attribute.name.clone();
            return Err(KeyProblem::Many { name });
        }
        found = Some(value);
    }
    *conditions = rest;
    found.ok_or(KeyProblem::Incomplete)
}
