//! Function calls: what each function takes, and what it makes of it.

use item::value::{AttributeValue, Kind};

use super::{kind_of, operand_type, set_kind_of};
use crate::condition::{Condition, Operand};
use crate::error::Problem;
use crate::update::SetOperand;

/// What a call in a condition is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Called {
    /// True or false.
    Condition(Condition),
    /// A value.
    Operand(Operand),
}

/// Makes a function call of a condition. Names are in lower case, as expressions write them.
///
/// Errors: [`Problem`] for a function that conditions do not have, or operands that do not fit.
pub fn condition_call(name: &str, arguments: Vec<Operand>) -> Result<Called, Problem> {
    let owned = || name.to_owned();
    let wanted = condition_arity(name)?;
    let count = arguments.len();
    let mut arguments = arguments.into_iter();
    let (Some(first), second) = (arguments.next(), arguments.next()) else {
        return Err(count_problem(name, count));
    };
    if count != wanted {
        return Err(count_problem(name, count));
    }
    Ok(Called::Condition(match (name, first, second) {
        ("size", operand, _) => {
            if let Some(kind @ (Kind::N | Kind::Bool | Kind::Null)) = kind_of(&operand) {
                return Err(operand_type(name, kind));
            }
            return Ok(Called::Operand(Operand::Size(Box::new(operand))));
        }
        ("attribute_exists", Operand::Path(path), _) => Condition::Exists(path),
        ("attribute_not_exists", Operand::Path(path), _) => Condition::NotExists(path),
        ("begins_with" | "contains", Operand::Path(one), Some(Operand::Path(two)))
            if one == two =>
        {
            return Err(Problem::SameOperand {
                operator: owned(),
                operand: one,
            });
        }
        ("begins_with", operand, Some(prefix)) => {
            for kind in [&operand, &prefix].into_iter().filter_map(kind_of) {
                if !matches!(kind, Kind::S | Kind::B) {
                    return Err(operand_type(name, kind));
                }
            }
            Condition::BeginsWith { operand, prefix }
        }
        ("contains", operand, Some(element)) => Condition::Contains { operand, element },
        ("attribute_type", operand, Some(kind)) => {
            let kind = type_named(&kind)?;
            Condition::HasType { operand, kind }
        }
        (_, _, _) => return Err(Problem::PathRequired { function: owned() }),
    }))
}

/// Makes a function call of `SET`. Names are in lower case, as expressions write them.
///
/// Errors: [`Problem`] for a function that updates do not have, or operands that do not fit.
pub fn set_call(name: &str, arguments: Vec<SetOperand>) -> Result<SetOperand, Problem> {
    let owned = || name.to_owned();
    set_arity(name)?;
    let count = arguments.len();
    let Ok([first, second]) = <[SetOperand; 2]>::try_from(arguments) else {
        return Err(count_problem(name, count));
    };
    // The service takes a list_append as the operand of no function.
    for operand in [&first, &second] {
        if matches!(operand, SetOperand::ListAppend(..)) {
            let name = LIST_APPEND.to_owned();
            return Err(Problem::MisusedFunction { name });
        }
    }
    if name == IF_NOT_EXISTS {
        let SetOperand::Path(path) = first else {
            let function = owned();
            return Err(Problem::PathRequired { function });
        };
        if matches!(&second, SetOperand::Path(other) if *other == path) {
            let (operator, operand) = (owned(), path);
            return Err(Problem::SameOperand { operator, operand });
        }
        return Ok(SetOperand::IfNotExists(path, Box::new(second)));
    }
    for operand in [&first, &second] {
        if let Some(kind) = set_kind_of(operand).filter(|kind| *kind != Kind::L) {
            return Err(operand_type(name, kind));
        }
    }
    Ok(SetOperand::ListAppend(Box::new(first), Box::new(second)))
}

/// Returns how many operands a function of conditions takes.
///
/// Errors: [`Problem`] for a function that conditions do not have.
pub fn condition_arity(name: &str) -> Result<usize, Problem> {
    match name {
        "attribute_exists" | "attribute_not_exists" | "size" => Ok(1),
        "attribute_type" | "begins_with" | "contains" => Ok(2),
        IF_NOT_EXISTS | LIST_APPEND => Err(Problem::NotInCondition {
            name: name.to_owned(),
        }),
        _ => Err(Problem::UnknownFunction {
            name: name.to_owned(),
        }),
    }
}

/// Returns how many operands a function of `SET` takes.
///
/// Errors: [`Problem`] for a function that updates do not have.
pub fn set_arity(name: &str) -> Result<usize, Problem> {
    match name {
        IF_NOT_EXISTS | LIST_APPEND => Ok(2),
        "attribute_exists"
        | "attribute_not_exists"
        | "attribute_type"
        | "begins_with"
        | "contains"
        | "size" => Err(Problem::NotInUpdate {
            name: name.to_owned(),
        }),
        _ => Err(Problem::UnknownFunction {
            name: name.to_owned(),
        }),
    }
}

fn count_problem(function: &str, count: usize) -> Problem {
    let function = function.to_owned();
    Problem::OperandCount { function, count }
}

/// Returns the type that the second operand of `attribute_type` names.
fn type_named(operand: &Operand) -> Result<Kind, Problem> {
    match operand {
        Operand::Value(AttributeValue::S(name)) => {
            Kind::parse(name).ok_or_else(|| Problem::UnknownType { name: name.clone() })
        }
        Operand::Path(_) | Operand::Value(_) | Operand::Size(_) => Err(Problem::OperandType {
            function: "attribute_type".to_owned(),
            kind: kind_of(operand).map_or("{NS,SS,L,BS,N,M,B,BOOL,NULL,S}", Kind::as_str),
        }),
    }
}

const IF_NOT_EXISTS: &str = "if_not_exists";
const LIST_APPEND: &str = "list_append";
