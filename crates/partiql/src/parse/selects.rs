//! `SELECT`, and the clauses that other statements have too.

use base::name::TableName;

use super::Parser;
use super::expressions::{expression, tested};
use super::paths::name_of;
use crate::ast::{Node, Select, Source};
use crate::error::{OperandProblem, PartiqlError, SourceProblem, Unsupported};
use crate::lexer::TokenKind;
use crate::plan::Direction;

/// Parses what follows `SELECT`.
pub(super) fn select(parser: &mut Parser<'_>) -> Result<Select, PartiqlError> {
    if parser.is_keyword("DISTINCT") {
        return Err(Unsupported::Distinct.into());
    }
    parser.eat_keyword("ALL");
    if parser.is_keyword("VALUE") {
        return Err(Unsupported::SelectValue.into());
    }
    let list = list(parser)?;
    parser.expect_keyword("FROM")?;
    let source = source(parser)?;
    check_single(parser)?;
    let condition = condition(parser)?;
    check_clauses(parser)?;
    let order = order(parser)?;
    check_clauses(parser)?;
    Ok(Select {
        list,
        source,
        condition,
        order,
    })
}

fn list(parser: &mut Parser<'_>) -> Result<Option<Vec<Node>>, PartiqlError> {
    if parser.eat("*") {
        if parser.is(",") {
            return Err(Unsupported::StarAndOthers.into());
        }
        return Ok(None);
    }
    let mut list = Vec::new();
    loop {
        if parser.is("*") {
            return Err(Unsupported::StarAndOthers.into());
        }
        list.push(expression(parser).map_err(|error| {
            if let PartiqlError::Operand(OperandProblem::Unpivot { .. }) = error {
                Unsupported::Hierarchy.into()
            } else {
                error
            }
        })?);
        if parser.is_keyword("AS") || parser.is_name() {
            return Err(Unsupported::Alias.into());
        }
        if !parser.eat(",") {
            return Ok(Some(list));
        }
    }
}

/// Parses a table, and an index of it if there is one.
pub(super) fn source(parser: &mut Parser<'_>) -> Result<Source, PartiqlError> {
    let name = parser.peek();
    match name.kind {
        TokenKind::Word | TokenKind::Quoted => parser.at += 1,
        TokenKind::Keyword | TokenKind::End | TokenKind::Parameter => {
            return Err(parser.unexpected());
        }
        TokenKind::Text | TokenKind::Number | TokenKind::Ion | TokenKind::Symbol => {
            return Err(SourceProblem::Unexpected.into());
        }
    }
    let table = name_of(name)?;
    let mut index = None;
    while parser.eat(".") {
        if index.is_some() {
            return Err(SourceProblem::LongPath.into());
        }
        if !parser.is_name() {
            return Err(SourceProblem::Unexpected.into());
        }
        index = Some(name_of(parser.next())?);
    }
    if parser.is("[") {
        return Err(SourceProblem::ListIndex.into());
    }
    // An ARN is judged by who reads it.
    if TableName::parse(&table).is_err() && !table.starts_with("arn:") {
        return Err(SourceProblem::TableName.into());
    }
    Ok(Source { table, index })
}

/// Refuses what may follow the table of a `SELECT` in SQL.
fn check_single(parser: &Parser<'_>) -> Result<(), PartiqlError> {
    check_no_alias(parser)?;
    let joins = ["JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "OUTER"];
    if parser.is(",") || joins.iter().any(|join| parser.is_keyword(join)) {
        return Err(SourceProblem::Many.into());
    }
    if parser.peek().kind == TokenKind::Symbol && !parser.is(")") && !parser.is(";") {
        return Err(SourceProblem::Unexpected.into());
    }
    Ok(())
}

/// Refuses a second name for a table.
pub(super) fn check_no_alias(parser: &Parser<'_>) -> Result<(), PartiqlError> {
    let clause = ["OFFSET", "REMOVE"];
    let word = parser.peek().text;
    let named = parser.is_name() && !clause.iter().any(|one| word.eq_ignore_ascii_case(one));
    if named || parser.is_keyword("AS") || parser.is_keyword("AT") {
        return Err(Unsupported::Alias.into());
    }
    Ok(())
}

/// Parses a `WHERE`, if there is one.
pub(super) fn condition(parser: &mut Parser<'_>) -> Result<Option<Node>, PartiqlError> {
    if !parser.eat_keyword("WHERE") {
        return Ok(None);
    }
    expression(parser).map(Some)
}

fn order(parser: &mut Parser<'_>) -> Result<Vec<(Node, Direction)>, PartiqlError> {
    let mut order = Vec::new();
    if !parser.eat_keyword("ORDER") {
        return Ok(order);
    }
    parser.expect_keyword("BY")?;
    loop {
        let key = tested(parser)?;
        let direction = if parser.eat_keyword("DESC") {
            Direction::Descending
        } else {
            parser.eat_keyword("ASC");
            Direction::Ascending
        };
        order.push((key, direction));
        if !parser.eat(",") {
            return Ok(order);
        }
    }
}

/// Refuses the clauses of SQL that DynamoDB does not have.
fn check_clauses(parser: &Parser<'_>) -> Result<(), PartiqlError> {
    let clauses = [
        "GROUP BY",
        "HAVING",
        "LIMIT",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "LET",
    ];
    let found = clauses.into_iter().find(|clause| {
        let keyword = clause.split(' ').next();
        keyword.is_some_and(|keyword| parser.is_keyword(keyword))
    });
    if let Some(clause) = found {
        return Err(Unsupported::Clause(clause).into());
    }
    if parser.peek().kind == TokenKind::Word && parser.peek().text.eq_ignore_ascii_case("OFFSET") {
        return Err(Unsupported::Clause("OFFSET").into());
    }
    Ok(())
}
