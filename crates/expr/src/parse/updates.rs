//! The grammar of updates.

use item::value::{AttributeValue, Kind};

use super::lexer::TokenKind;
use super::{Parser, clash_problem};
use crate::error::Problem;
use crate::path::Path;
use crate::update::{Action, SetOperand, SetValue, Update};

/// Parses a whole update.
pub(super) fn whole(parser: &mut Parser<'_, '_>) -> Result<Update, Problem> {
    let mut actions = Vec::new();
    let mut seen: Vec<&'static str> = Vec::new();
    loop {
        let section = SECTIONS
            .into_iter()
            .find(|section| parser.eat_keyword(section));
        let Some(section) = section else {
            if !seen.is_empty() && parser.peek().kind == TokenKind::End {
                break;
            }
            return Err(parser.syntax());
        };
        if seen.contains(&section) {
            parser.note(Problem::RepeatedSection { section });
        }
        seen.push(section);
        loop {
            actions.extend(action(parser, section)?);
            if !parser.eat(",") {
                break;
            }
        }
    }
    match Update::new(actions) {
        Ok(update) => Ok(update),
        Err((clash, one, two)) => {
            parser.note(clash_problem(clash, one, two));
            Ok(Update::default())
        }
    }
}

/// Parses one action; `None` if a noted problem has left it without meaning.
fn action(parser: &mut Parser<'_, '_>, section: &'static str) -> Result<Option<Action>, Problem> {
    let path = target(parser)?;
    match section {
        SET => {
            parser.expect("=")?;
            let value = set_value(parser)?;
            Ok(value.map(|value| Action::Set { path, value }))
        }
        REMOVE => Ok(Some(Action::Remove { path })),
        adding_or_deleting => {
            let Some(value) = parser.value()? else {
                return Ok(None);
            };
            if !fits(adding_or_deleting, value.kind()) {
                let (action, kind) = (adding_or_deleting, long_name(value.kind()));
                parser.note(Problem::ActionType { action, kind });
            }
            Ok(Some(match adding_or_deleting {
                ADD => Action::Add { path, value },
                _ => Action::Delete { path, value },
            }))
        }
    }
}

/// Parses the path of an action: no section's keyword can start one.
fn target(parser: &mut Parser<'_, '_>) -> Result<Path, Problem> {
    if SECTIONS
        .into_iter()
        .any(|section| parser.is_keyword(section))
    {
        return Err(parser.syntax());
    }
    parser.path()
}

fn fits(section: &str, kind: Kind) -> bool {
    match kind {
        Kind::Ss | Kind::Ns | Kind::Bs => true,
        Kind::N => section == ADD,
        Kind::S | Kind::B | Kind::Bool | Kind::Null | Kind::M | Kind::L => false,
    }
}

/// Parses what `SET` puts at a path; `None` if a noted problem has left it without meaning.
fn set_value(parser: &mut Parser<'_, '_>) -> Result<Option<SetValue>, Problem> {
    let left = set_term(parser)?;
    let (operator, join): (_, fn(SetOperand, SetOperand) -> SetValue) = if parser.eat("+") {
        ("+", SetValue::Plus)
    } else if parser.eat("-") {
        ("-", SetValue::Minus)
    } else {
        return Ok(left);
    };
    parser.count_operator()?;
    let left = single(parser, left)?;
    let right = set_operand(parser)?;
    let operands = [&left, &right].into_iter().flatten();
    let wrong = operands.filter_map(kind_of).find(|kind| *kind != Kind::N);
    if let Some(kind) = wrong {
        parser.note(operand_type(operator, kind));
    }
    Ok(left.zip(right).map(|(left, right)| join(left, right)))
}

/// Parses one term of a sum, which may stand in parentheses.
fn set_term(parser: &mut Parser<'_, '_>) -> Result<Option<SetValue>, Problem> {
    if parser.eat("(") {
        parser.enter()?;
        let value = set_value(parser)?;
        parser.leave();
        parser.expect(")")?;
        return Ok(value);
    }
    if let Some(name) = parser.call_name() {
        return Ok(call(parser, name)?.map(SetValue::Operand));
    }
    let operand = if parser.peek().kind == TokenKind::Value {
        parser.value()?.map(SetOperand::Value)
    } else {
        Some(SetOperand::Path(target(parser)?))
    };
    Ok(operand.map(SetValue::Operand))
}

fn set_operand(parser: &mut Parser<'_, '_>) -> Result<Option<SetOperand>, Problem> {
    let term = set_term(parser)?;
    single(parser, term)
}

/// Takes a value as an operand: a sum cannot be one.
fn single(parser: &Parser<'_, '_>, value: Option<SetValue>) -> Result<Option<SetOperand>, Problem> {
    match value {
        None => Ok(None),
        Some(SetValue::Operand(operand)) => Ok(Some(operand)),
        Some(SetValue::Plus(..) | SetValue::Minus(..)) => Err(parser.syntax()),
    }
}

/// Parses a function call.
fn call(parser: &mut Parser<'_, '_>, name: &str) -> Result<Option<SetOperand>, Problem> {
    parser.advance();
    parser.expect("(")?;
    parser.enter()?;
    parser.count_operator()?;
    let mut arguments = Vec::new();
    loop {
        arguments.push(set_operand(parser)?);
        if !parser.eat(",") {
            break;
        }
    }
    parser.leave();
    parser.expect(")")?;
    match function(name, arguments) {
        Ok(operand) => Ok(operand),
        Err(problem) => {
            parser.note(problem);
            Ok(None)
        }
    }
}

/// Gives a call its meaning; `None` if an operand has none.
fn function(name: &str, arguments: Vec<Option<SetOperand>>) -> Result<Option<SetOperand>, Problem> {
    let owned = || name.to_owned();
    match name {
        IF_NOT_EXISTS | LIST_APPEND => {}
        "attribute_exists"
        | "attribute_not_exists"
        | "attribute_type"
        | "begins_with"
        | "contains"
        | "size" => {
            return Err(Problem::NotInUpdate { name: owned() });
        }
        _ => return Err(Problem::UnknownFunction { name: owned() }),
    }
    let count = arguments.len();
    let Ok([first, second]) = <[Option<SetOperand>; 2]>::try_from(arguments) else {
        let function = owned();
        return Err(Problem::OperandCount { function, count });
    };
    let Some((first, second)) = first.zip(second) else {
        return Ok(None);
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
        return Ok(Some(SetOperand::IfNotExists(path, Box::new(second))));
    }
    for operand in [&first, &second] {
        if let Some(kind) = kind_of(operand).filter(|kind| *kind != Kind::L) {
            return Err(operand_type(name, kind));
        }
    }
    Ok(Some(SetOperand::ListAppend(
        Box::new(first),
        Box::new(second),
    )))
}

/// Returns the type of an operand that has one whatever the item is.
fn kind_of(operand: &SetOperand) -> Option<Kind> {
    match operand {
        SetOperand::Path(_) | SetOperand::IfNotExists(..) => None,
        SetOperand::Value(value) => Some(AttributeValue::kind(value)),
        SetOperand::ListAppend(..) => Some(Kind::L),
    }
}

fn operand_type(function: &str, kind: Kind) -> Problem {
    Problem::OperandType {
        function: function.to_owned(),
        kind: kind.as_str(),
    }
}

/// Returns a type's name as the messages about `ADD` and `DELETE` spell it.
const fn long_name(kind: Kind) -> &'static str {
    match kind {
        Kind::S => "STRING",
        Kind::N => "NUMBER",
        Kind::B => "BINARY",
        Kind::Bool => "BOOL",
        Kind::Null => "NULL",
        Kind::M => "MAP",
        Kind::L => "LIST",
        Kind::Ss => "STRING_SET",
        Kind::Ns => "NUMBER_SET",
        Kind::Bs => "BINARY_SET",
    }
}

const SET: &str = "SET";
const REMOVE: &str = "REMOVE";
const ADD: &str = "ADD";
const DELETE: &str = "DELETE";
const SECTIONS: [&str; 4] = [SET, REMOVE, ADD, DELETE];

const IF_NOT_EXISTS: &str = "if_not_exists";
const LIST_APPEND: &str = "list_append";
