//! The grammar of updates.

use item::value::AttributeValue;

use super::Parser;
use super::lexer::TokenKind;
use crate::checked;
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
            parser.note(Problem::of_clash(clash, one, two));
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
            let term = set_value(parser)?;
            Ok(term.value.map(|value| Action::Set { path, value }))
        }
        REMOVE => Ok(Some(Action::Remove { path })),
        adding_or_deleting => {
            let Some(value) = parser.value()? else {
                return Ok(None);
            };
            let action = match adding_or_deleting {
                ADD => Action::Add { path, value },
                _ => Action::Delete { path, value },
            };
            if let Err(problem) = checked::check_action(&action) {
                parser.note(problem);
            }
            Ok(Some(action))
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

/// What `SET` puts at a path, and whether it stands in parentheses. There is none where a noted
/// problem has left it without meaning.
struct Term {
    value: Option<SetValue>,
    grouped: bool,
}

/// Parses what `SET` puts at a path.
fn set_value(parser: &mut Parser<'_, '_>) -> Result<Term, Problem> {
    let left = set_term(parser)?;
    let join: Join = if parser.eat("+") {
        checked::plus
    } else if parser.eat("-") {
        checked::minus
    } else {
        return Ok(left);
    };
    parser.count_operator()?;
    let left = single(parser, left.value)?;
    let right = set_operand(parser)?;
    let value = match left.zip(right).map(|(left, right)| join(left, right)) {
        None => None,
        Some(Ok(value)) => Some(value),
        Some(Err(problem)) => {
            parser.note(problem);
            // The action stays, whatever its value: its path may clash with another.
            let nothing = SetOperand::Value(AttributeValue::Null);
            Some(SetValue::Operand(nothing))
        }
    };
    Ok(ungrouped(value))
}

fn ungrouped(value: Option<SetValue>) -> Term {
    let grouped = false;
    Term { value, grouped }
}

type Join = fn(SetOperand, SetOperand) -> Result<SetValue, Problem>;

/// Parses one term of a sum, which may stand in parentheses.
fn set_term(parser: &mut Parser<'_, '_>) -> Result<Term, Problem> {
    if parser.eat("(") {
        parser.enter()?;
        let inner = set_value(parser)?;
        parser.leave();
        parser.expect(")")?;
        if inner.grouped {
            parser.note(Problem::RedundantParentheses);
        }
        let (value, grouped) = (inner.value, true);
        return Ok(Term { value, grouped });
    }
    if let Some(name) = parser.call_name() {
        return Ok(ungrouped(call(parser, name)?.map(SetValue::Operand)));
    }
    let operand = if parser.peek().kind == TokenKind::Value {
        parser.value()?.map(SetOperand::Value)
    } else {
        Some(SetOperand::Path(target(parser)?))
    };
    Ok(ungrouped(operand.map(SetValue::Operand)))
}

fn set_operand(parser: &mut Parser<'_, '_>) -> Result<Option<SetOperand>, Problem> {
    let term = set_term(parser)?;
    single(parser, term.value)
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
    checked::set_arity(name)?;
    match arguments.into_iter().collect() {
        None => Ok(None),
        Some(arguments) => checked::set_call(name, arguments).map(Some),
    }
}

const SET: &str = "SET";
const REMOVE: &str = "REMOVE";
const ADD: &str = "ADD";
const DELETE: &str = "DELETE";
const SECTIONS: [&str; 4] = [SET, REMOVE, ADD, DELETE];
