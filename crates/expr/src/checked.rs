//! Conditions and set values made of parts, with the checks that every text's parts go through.
//!
//! Other languages than expressions build them too; evaluation stands with the structures.
//! Source: DynamoDB's published error texts, and answers of the service recorded by others.

use std::cmp::Ordering;

use item::value::{AttributeValue, Kind};

use crate::condition::{Comparator, Condition, Operand, order};
use crate::error::{Problem, Shown};
use crate::limits::IN_OPERANDS_MAX;
use crate::update::{Action, SetOperand, SetValue};

mod calls;

pub use calls::{Called, condition_arity, condition_call, set_arity, set_call};

/// Makes a comparison of two values.
///
/// Errors: [`Problem`] for a path compared with itself, or an order of values that have none.
pub fn compare(
    left: Operand,
    comparator: Comparator,
    right: Operand,
) -> Result<Condition, Problem> {
    check_distinct(comparator.as_str(), &left, [&right])?;
    if comparator.is_ordering() {
        check_ordered(comparator.as_str(), [&left, &right])?;
    }
    Ok(Condition::Compare {
        left,
        comparator,
        right,
    })
}

/// Makes the condition that a value lies between two others.
///
/// Errors: [`Problem`] as for [`compare`], and for bounds of two types or the wrong way round.
pub fn between(operand: Operand, lower: Operand, upper: Operand) -> Result<Condition, Problem> {
    check_distinct("BETWEEN", &operand, [&lower, &upper])?;
    check_ordered("BETWEEN", [&operand, &lower, &upper])?;
    if let (Operand::Value(low), Operand::Value(high)) = (&lower, &upper) {
        let shown = |value: &AttributeValue| Shown(value.clone());
        if low.kind() != high.kind() {
            let (lower, upper) = (shown(low), shown(high));
            return Err(Problem::BetweenTypes { lower, upper });
        }
        if order(low, high).is_some_and(Ordering::is_gt) {
            let (lower, upper) = (shown(low), shown(high));
            return Err(Problem::BetweenOrder { lower, upper });
        }
    }
    Ok(Condition::Between {
        operand,
        lower,
        upper,
    })
}

/// Makes the condition that a value equals one of several.
///
/// Errors: [`Problem`] for more than 100 of them, and for a path among its own candidates.
pub fn among(operand: Operand, candidates: Vec<Operand>) -> Result<Condition, Problem> {
    let count = candidates.len();
    if count > IN_OPERANDS_MAX {
        return Err(Problem::TooManyCandidates { count });
    }
    check_distinct("IN", &operand, &candidates)?;
    Ok(Condition::In {
        operand,
        candidates,
    })
}

/// Makes a sum of two operands of `SET`.
///
/// Errors: [`Problem`] for an operand that is never a number.
pub fn plus(left: SetOperand, right: SetOperand) -> Result<SetValue, Problem> {
    check_numbers("+", [&left, &right])?;
    Ok(SetValue::Plus(left, right))
}

/// Makes a difference of two operands of `SET`.
///
/// Errors: [`Problem`] for an operand that is never a number.
pub fn minus(left: SetOperand, right: SetOperand) -> Result<SetValue, Problem> {
    check_numbers("-", [&left, &right])?;
    Ok(SetValue::Minus(left, right))
}

/// Checks the value of an `ADD` or `DELETE` action.
///
/// Errors: [`Problem::ActionType`] for a type that the action does not take.
pub(crate) fn check_action(action: &Action) -> Result<(), Problem> {
    let (name, kind, number) = match action {
        Action::Set { .. } | Action::Remove { .. } => return Ok(()),
        Action::Add { value, .. } => ("ADD", value.kind(), true),
        Action::Delete { value, .. } => ("DELETE", value.kind(), false),
    };
    let fits = match kind {
        Kind::Ss | Kind::Ns | Kind::Bs => true,
        Kind::N => number,
        Kind::S | Kind::B | Kind::Bool | Kind::Null | Kind::M | Kind::L => false,
    };
    if fits {
        return Ok(());
    }
    Err(Problem::ActionType {
        action: name,
        kind: long_name(kind),
    })
}

/// Returns the type of an operand that has one whatever the item is.
fn kind_of(operand: &Operand) -> Option<Kind> {
    match operand {
        Operand::Path(_) => None,
        Operand::Value(value) => Some(value.kind()),
        Operand::Size(_) => Some(Kind::N),
    }
}

/// Returns the type of an operand of `SET` that has one whatever the item is.
fn set_kind_of(operand: &SetOperand) -> Option<Kind> {
    match operand {
        SetOperand::Path(_) | SetOperand::IfNotExists(..) => None,
        SetOperand::Value(value) => Some(value.kind()),
        SetOperand::ListAppend(..) => Some(Kind::L),
        SetOperand::Nested(value) => match &**value {
            SetValue::Operand(operand) => set_kind_of(operand),
            SetValue::Plus(..) | SetValue::Minus(..) => Some(Kind::N),
        },
    }
}

fn operand_type(function: &str, kind: Kind) -> Problem {
    Problem::OperandType {
        function: function.to_owned(),
        kind: kind.as_str(),
    }
}

fn check_numbers(operator: &str, operands: [&SetOperand; 2]) -> Result<(), Problem> {
    let appends = |operand: &&SetOperand| matches!(operand, SetOperand::ListAppend(..));
    if operands.iter().any(appends) {
        let name = "list_append".to_owned();
        return Err(Problem::MisusedFunction { name });
    }
    let mut kinds = operands.into_iter().filter_map(set_kind_of);
    match kinds.find(|kind| *kind != Kind::N) {
        Some(kind) => Err(operand_type(operator, kind)),
        None => Ok(()),
    }
}

fn check_ordered<'o>(
    operator: &str,
    operands: impl IntoIterator<Item = &'o Operand>,
) -> Result<(), Problem> {
    let mut kinds = operands.into_iter().filter_map(kind_of);
    match kinds.find(|kind| !matches!(kind, Kind::S | Kind::N | Kind::B)) {
        Some(kind) => Err(operand_type(operator, kind)),
        None => Ok(()),
    }
}

fn check_distinct<'o>(
    operator: &str,
    first: &Operand,
    others: impl IntoIterator<Item = &'o Operand>,
) -> Result<(), Problem> {
    match first {
        Operand::Path(path) if others.into_iter().any(|other| other == first) => {
            Err(Problem::SameOperand {
                operator: operator.to_owned(),
                operand: path.clone(),
            })
        }
        Operand::Path(_) | Operand::Value(_) | Operand::Size(_) => Ok(()),
    }
}

/// Returns a type's name as the messages about `ADD` and `DELETE` spell it.
const fn long_name(kind: Kind) -> &'static str {
    match kind {
        Kind::S => "STRING",
        Kind::N => "NUMBER",
        Kind::B => "BINARY",
        Kind::Bool => "BOOLEAN",
        Kind::Null => "NULL",
        Kind::M => "MAP",
        Kind::L => "LIST",
        Kind::Ss => "STRING_SET",
        Kind::Ns => "NUMBER_SET",
        Kind::Bs => "BINARY_SET",
    }
}

#[cfg(test)]
mod tests;
