//! Key attributes in conditions: their values, and tests of them.

use expr::condition::{Comparator, Condition, Operand};
use expr::key_condition::SortRange;
use item::key::{KeyAttribute, KeyRole, KeySchema, KeyValue};
use item::value::AttributeValue;

use crate::error::KeyProblem;

/// A test of a sort key that a read can use.
pub(super) enum SortTest {
    /// It equals one of these.
    Points(Vec<KeyValue>),
    /// It lies in a range.
    Range(SortRange),
}

/// Returns the conditions that all must hold for a condition to hold.
pub(super) fn conjuncts(condition: &Condition) -> Vec<&Condition> {
    let mut found = Vec::new();
    let mut waiting = vec![condition];
    while let Some(condition) = waiting.pop() {
        if let Condition::And(all) = condition {
            waiting.extend(all.iter().rev());
        } else {
            found.push(condition);
        }
    }
    found
}

/// Returns the values that an attribute equals one of where the condition holds.
pub(super) fn equals<'c>(condition: &'c Condition, name: &str) -> Option<Vec<&'c AttributeValue>> {
    match condition {
        Condition::Compare {
            left,
            comparator: Comparator::Eq,
            right,
        } => match (left, right) {
            (path, Operand::Value(value)) | (Operand::Value(value), path) if is(path, name) => {
                Some(vec![value])
            }
            (_, _) => None,
        },
        Condition::In {
            operand,
            candidates,
        } if is(operand, name) => candidates.iter().map(literal).collect(),
        Condition::Or(any) => {
            let any = any.iter().map(|one| equals(one, name));
            Some(any.collect::<Option<Vec<_>>>()?.concat())
        }
        Condition::Compare { .. }
        | Condition::In { .. }
        | Condition::And(_)
        | Condition::Not(_)
        | Condition::Between { .. }
        | Condition::Exists(_)
        | Condition::NotExists(_)
        | Condition::HasType { .. }
        | Condition::BeginsWith { .. }
        | Condition::Contains { .. } => None,
    }
}

/// Returns the test of a sort key that a condition is.
pub(super) fn sort_test(
    condition: &Condition,
    sort: &KeyAttribute,
) -> Result<Option<SortTest>, KeyProblem> {
    let value = |value: &AttributeValue| -> Result<KeyValue, KeyProblem> {
        Ok(sort.value_of(value, KeyRole::Sort)?)
    };
    if let Some(values) = equals(condition, &sort.name) {
        let values = values.into_iter().map(value).collect::<Result<_, _>>()?;
        return Ok(Some(SortTest::Points(values)));
    }
    let range = match condition {
        Condition::Compare {
            left,
            comparator,
            right,
        } => match (left, right) {
            (path, Operand::Value(bound)) if is(path, &sort.name) => range(*comparator)
                .map(|range| value(bound).map(range))
                .transpose()?,
            (Operand::Value(bound), path) if is(path, &sort.name) => range(turned(*comparator))
                .map(|range| value(bound).map(range))
                .transpose()?,
            (_, _) => None,
        },
        Condition::Between {
            operand,
            lower: Operand::Value(lower),
            upper: Operand::Value(upper),
        } if is(operand, &sort.name) => Some(SortRange::Between(value(lower)?, value(upper)?)),
        Condition::BeginsWith {
            operand,
            prefix: Operand::Value(prefix),
        } if is(operand, &sort.name) => Some(SortRange::BeginsWith(value(prefix)?)),
        Condition::Between { .. }
        | Condition::BeginsWith { .. }
        | Condition::In { .. }
        | Condition::And(_)
        | Condition::Or(_)
        | Condition::Not(_)
        | Condition::Exists(_)
        | Condition::NotExists(_)
        | Condition::HasType { .. }
        | Condition::Contains { .. } => None,
    };
    Ok(range.map(SortTest::Range))
}

/// Checks the values that key attributes are compared with in a condition that is no key's.
pub(super) fn check_compared(condition: &Condition, keys: &KeySchema) -> Result<(), KeyProblem> {
    let check = |operands: &[&Operand]| -> Result<(), KeyProblem> {
        let attribute = keys
            .attributes()
            .find(|attribute| operands.iter().any(|operand| is(operand, &attribute.name)));
        let Some(attribute) = attribute else {
            return Ok(());
        };
        operands
            .iter()
            .filter_map(|operand| literal(operand))
            .try_for_each(|value| compared(attribute, value))
    };
    let mut waiting = vec![condition];
    while let Some(condition) = waiting.pop() {
        match condition {
            Condition::And(all) | Condition::Or(all) => waiting.extend(all.iter().rev()),
            Condition::Not(negated) => waiting.push(negated),
            Condition::Compare { left, right, .. } => check(&[left, right])?,
            Condition::Between {
                operand,
                lower,
                upper,
            } => check(&[operand, lower, upper])?,
            Condition::In {
                operand,
                candidates,
            } => {
                for candidate in candidates {
                    check(&[operand, candidate])?;
                }
            }
            Condition::Exists(_)
            | Condition::NotExists(_)
            | Condition::HasType { .. }
            | Condition::BeginsWith { .. }
            | Condition::Contains { .. } => {}
        }
    }
    Ok(())
}

/// Checks a value that a key attribute is compared with. No item has a key that is too long, and
/// to ask for one is no mistake.
fn compared(attribute: &KeyAttribute, value: &AttributeValue) -> Result<(), KeyProblem> {
    let error = attribute.value_of(value, KeyRole::Partition).err();
    match error.map(KeyProblem::from) {
        None | Some(KeyProblem::Long { .. }) => Ok(()),
        Some(KeyProblem::Kind { .. }) => Err(KeyProblem::ConditionKind),
        Some(problem) => Err(problem),
    }
}

/// Returns whether an operand is a whole attribute.
fn is(operand: &Operand, name: &str) -> bool {
    match operand {
        Operand::Path(path) => path.steps().is_empty() && path.name() == name,
        Operand::Value(_) | Operand::Size(_) => false,
    }
}

fn literal(operand: &Operand) -> Option<&AttributeValue> {
    match operand {
        Operand::Value(value) => Some(value),
        Operand::Path(_) | Operand::Size(_) => None,
    }
}

/// Returns the range below or above a bound; `None` for operators that make none.
fn range(comparator: Comparator) -> Option<fn(KeyValue) -> SortRange> {
    match comparator {
        Comparator::Eq | Comparator::Ne => None,
        Comparator::Lt => Some(SortRange::Lt),
        Comparator::Le => Some(SortRange::Le),
        Comparator::Gt => Some(SortRange::Gt),
        Comparator::Ge => Some(SortRange::Ge),
    }
}

/// Returns the operator with its sides changed.
const fn turned(comparator: Comparator) -> Comparator {
    match comparator {
        same @ (Comparator::Eq | Comparator::Ne) => same,
        Comparator::Lt => Comparator::Gt,
        Comparator::Le => Comparator::Ge,
        Comparator::Gt => Comparator::Lt,
        Comparator::Ge => Comparator::Le,
    }
}
