//! The grammar of conditions, filters and key conditions.

use item::value::AttributeValue;

use super::Parser;
use super::lexer::TokenKind;
use crate::checked::{self, Called};
use crate::condition::{Comparator, Condition, Operand};
use crate::error::Problem;

/// What stands at one place of a condition: only its surroundings say what it must be.
enum Term {
    /// A value, in parentheses or not.
    Operand { operand: Operand, grouped: bool },
    /// A call of a function that is true or false.
    Call { name: String, condition: Condition },
    /// A condition, in parentheses or not.
    Condition { condition: Condition, grouped: bool },
    /// Something that a noted problem has left without meaning: it fits everywhere.
    Unknown,
}

/// A condition whose terms are still being read: the whole one, or one in parentheses.
#[derive(Default)]
struct Level {
    /// The finished terms of `OR`.
    any: Vec<Condition>,
    /// The finished terms of `AND`.
    all: Vec<Condition>,
    /// How many `NOT` stand before the term being read.
    negations: usize,
}

/// Parses a whole condition: `OR`, `AND`, `NOT` and parentheses, with a stack of levels.
pub(super) fn whole(parser: &mut Parser<'_, '_>) -> Result<Condition, Problem> {
    let mut outer: Vec<Level> = Vec::new();
    let mut level = Level::default();
    loop {
        while parser.eat_keyword("NOT") {
            parser.count_operator()?;
            level.negations += 1;
        }
        if parser.eat("(") {
            outer.push(std::mem::take(&mut level));
            continue;
        }
        let mut term = term(parser)?;
        loop {
            term = tested(parser, term)?;
            if parser.eat_keyword("AND") {
                parser.count_operator()?;
                level.take(parser, term)?;
                break;
            }
            if parser.eat_keyword("OR") {
                parser.count_operator()?;
                level.take(parser, term)?;
                level.end_all();
                break;
            }
            if outer.is_empty() || !parser.eat(")") {
                if outer.is_empty() {
                    level.take(parser, term)?;
                    return Ok(level.end());
                }
                return Err(parser.syntax());
            }
            let inner = std::mem::replace(&mut level, outer.pop().unwrap_or_default());
            term = inner.close(parser, term)?;
        }
    }
}

impl Level {
    /// Takes the term that has been read.
    fn take(&mut self, parser: &mut Parser<'_, '_>, term: Term) -> Result<(), Problem> {
        let condition = as_condition(parser, term)?;
        let negated = !std::mem::take(&mut self.negations).is_multiple_of(2);
        self.all.push(if negated {
            Condition::Not(Box::new(condition))
        } else {
            condition
        });
        Ok(())
    }

    /// Ends a term of `OR`.
    fn end_all(&mut self) {
        let all = std::mem::take(&mut self.all);
        self.any.push(joined(all, Condition::And));
    }

    fn end(mut self) -> Condition {
        self.end_all();
        joined(self.any, Condition::Or)
    }

    /// Ends a level in parentheses: what stood alone in them stays what it is.
    fn close(mut self, parser: &mut Parser<'_, '_>, last: Term) -> Result<Term, Problem> {
        if self.any.is_empty() && self.all.is_empty() && self.negations == 0 {
            return group(parser, last);
        }
        self.take(parser, last)?;
        Ok(Term::Condition {
            condition: self.end(),
            grouped: true,
        })
    }
}

fn joined(mut conditions: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match conditions.pop() {
        Some(only) if conditions.is_empty() => only,
        last => {
            conditions.extend(last);
            join(conditions)
        }
    }
}

/// Parses the test that may follow a term.
fn tested(parser: &mut Parser<'_, '_>, left: Term) -> Result<Term, Problem> {
    let token = parser.peek();
    let condition = if let Some(comparator) = Comparator::parse(token.text) {
        let left = as_operand(parser, left)?;
        parser.advance();
        parser.count_operator()?;
        let right = operand(parser)?;
        noted(parser, checked::compare(left, comparator, right))
    } else if parser.is_keyword("BETWEEN") {
        let operand = as_operand(parser, left)?;
        between(parser, operand)?
    } else if parser.is_keyword("IN") {
        let operand = as_operand(parser, left)?;
        among(parser, operand)?
    } else {
        return Ok(left);
    };
    Ok(Term::Condition {
        condition,
        grouped: false,
    })
}

fn between(parser: &mut Parser<'_, '_>, tested: Operand) -> Result<Condition, Problem> {
    parser.advance();
    parser.count_operator()?;
    let lower = operand(parser)?;
    if !parser.eat_keyword("AND") {
        return Err(parser.syntax());
    }
    let upper = operand(parser)?;
    Ok(noted(parser, checked::between(tested, lower, upper)))
}

fn among(parser: &mut Parser<'_, '_>, tested: Operand) -> Result<Condition, Problem> {
    parser.advance();
    parser.count_operator()?;
    parser.expect("(")?;
    let mut candidates = Vec::new();
    loop {
        candidates.push(operand(parser)?);
        if !parser.eat(",") {
            break;
        }
    }
    parser.expect(")")?;
    Ok(noted(parser, checked::among(tested, candidates)))
}

/// Takes a condition that has been checked; one with a problem is noted and loses its meaning.
fn noted(parser: &mut Parser<'_, '_>, condition: Result<Condition, Problem>) -> Condition {
    condition.unwrap_or_else(|problem| {
        parser.note(problem);
        Condition::Or(Vec::new())
    })
}

/// Parses an operand where nothing else may stand.
fn operand(parser: &mut Parser<'_, '_>) -> Result<Operand, Problem> {
    let term = operand_term(parser)?;
    as_operand(parser, term)
}

fn operand_term(parser: &mut Parser<'_, '_>) -> Result<Term, Problem> {
    if !parser.eat("(") {
        return term(parser);
    }
    parser.enter()?;
    let inner = operand_term(parser)?;
    parser.leave();
    parser.expect(")")?;
    group(parser, inner)
}

/// Parses a term that does not start with a parenthesis.
fn term(parser: &mut Parser<'_, '_>) -> Result<Term, Problem> {
    let token = parser.peek();
    let keyword = KEYWORDS
        .iter()
        .any(|keyword| token.text.eq_ignore_ascii_case(keyword));
    if token.kind == TokenKind::Identifier && keyword {
        return Err(parser.syntax());
    }
    if let Some(name) = parser.call_name() {
        return call(parser, name);
    }
    if token.kind == TokenKind::Value {
        let value = parser.value()?.map(Operand::Value);
        return Ok(value.map_or(Term::Unknown, ungrouped));
    }
    parser.path().map(Operand::Path).map(ungrouped)
}

/// Puts a term in parentheses, and parses what may follow them if it is a path.
fn group(parser: &mut Parser<'_, '_>, inner: Term) -> Result<Term, Problem> {
    Ok(match inner {
        Term::Operand {
            mut operand,
            grouped,
        } => {
            note_redundant(parser, grouped);
            if let Operand::Path(path) = &mut operand {
                parser.steps(path)?;
            }
            Term::Operand {
                operand,
                grouped: true,
            }
        }
        Term::Condition { condition, grouped } => {
            note_redundant(parser, grouped);
            Term::Condition {
                condition,
                grouped: true,
            }
        }
        // The call is a condition: in parentheses it can be nothing else.
        Term::Call { condition, .. } => Term::Condition {
            condition,
            grouped: true,
        },
        Term::Unknown => Term::Unknown,
    })
}

fn note_redundant(parser: &mut Parser<'_, '_>, redundant: bool) {
    if redundant {
        parser.note(Problem::RedundantParentheses);
    }
}

/// Parses a function call.
fn call(parser: &mut Parser<'_, '_>, name: &str) -> Result<Term, Problem> {
    parser.advance();
    parser.expect("(")?;
    parser.enter()?;
    parser.count_operator()?;
    let mut arguments = Vec::new();
    loop {
        let argument = operand_term(parser)?;
        // An undefined value leaves a hole that the checks below step over.
        arguments.push(match argument {
            Term::Unknown => None,
            Term::Operand { .. } | Term::Call { .. } | Term::Condition { .. } => {
                Some(as_operand(parser, argument)?)
            }
        });
        if !parser.eat(",") {
            break;
        }
    }
    parser.leave();
    parser.expect(")")?;
    match function(name, arguments) {
        Ok(term) => Ok(term),
        Err(problem) => {
            parser.note(problem);
            Ok(Term::Unknown)
        }
    }
}

/// Gives a call its meaning.
fn function(name: &str, arguments: Vec<Option<Operand>>) -> Result<Term, Problem> {
    checked::condition_arity(name)?;
    let Some(arguments) = arguments.into_iter().collect() else {
        return Ok(Term::Unknown);
    };
    Ok(match checked::condition_call(name, arguments)? {
        Called::Operand(operand) => ungrouped(operand),
        Called::Condition(condition) => Term::Call {
            name: name.to_owned(),
            condition,
        },
    })
}

/// Takes a term as a condition. A path or a value alone is a syntax error at what follows it.
fn as_condition(parser: &mut Parser<'_, '_>, term: Term) -> Result<Condition, Problem> {
    match term {
        Term::Condition { condition, .. } | Term::Call { condition, .. } => Ok(condition),
        Term::Unknown => Ok(Condition::Or(Vec::new())),
        Term::Operand {
            operand: Operand::Size(_),
            ..
        } => {
            let name = "size".to_owned();
            parser.note(Problem::MisusedFunction { name });
            Ok(Condition::Or(Vec::new()))
        }
        Term::Operand {
            operand: Operand::Path(_) | Operand::Value(_),
            ..
        } => Err(parser.syntax()),
    }
}

/// Takes a term as a value. A condition that is no function call is a syntax error.
fn as_operand(parser: &mut Parser<'_, '_>, term: Term) -> Result<Operand, Problem> {
    match term {
        Term::Operand { operand, .. } => Ok(operand),
        Term::Unknown => Ok(UNKNOWN),
        Term::Call { name, .. } => {
            parser.note(Problem::MisusedFunction { name });
            Ok(UNKNOWN)
        }
        Term::Condition { .. } => Err(parser.syntax()),
    }
}

fn ungrouped(operand: Operand) -> Term {
    Term::Operand {
        operand,
        grouped: false,
    }
}

/// Stands for a value that a noted problem has left without meaning; never evaluated, since a
/// noted problem is always reported, and never itself a problem.
const UNKNOWN: Operand = Operand::Value(AttributeValue::S(String::new()));

const KEYWORDS: [&str; 5] = ["AND", "OR", "NOT", "BETWEEN", "IN"];
