//! `INSERT`, `UPDATE` and `DELETE`.

use super::Parser;
use super::expressions::expression;
use super::paths::target;
use super::selects::{check_no_alias, condition, source};
use crate::ast::{Change, Delete, Insert, Update};
use crate::error::{Malformed, PartiqlError, ReturningProblem, SourceProblem, Unsupported};
use crate::lexer::TokenKind;
use crate::plan::Returning;

/// Parses what follows `INSERT`.
pub(super) fn insert(parser: &mut Parser<'_>) -> Result<Insert, PartiqlError> {
    parser.expect_keyword("INTO")?;
    let source = source(parser)?;
    if source.index.is_some() {
        return Err(SourceProblem::InsertIntoIndex.into());
    }
    check_no_alias(parser)?;
    let bracket = ["{", "[", "(", "<<"].iter().any(|open| parser.is(open));
    if bracket || parser.is_keyword("SELECT") {
        return Err(Unsupported::InsertMany.into());
    }
    parser.expect_keyword("VALUE")?;
    let item = expression(parser)?;
    if parser.is_keyword("AT") {
        let at = parser.peek().at;
        return Err(Unsupported::At { at }.into());
    }
    if parser.is_keyword("ON") {
        return Err(Unsupported::Clause("ON CONFLICT").into());
    }
    if parser.is_keyword("RETURNING") {
        return Err(ReturningProblem::Insert.into());
    }
    Ok(Insert { source, item })
}

/// Parses what follows `UPDATE`.
pub(super) fn update(parser: &mut Parser<'_>) -> Result<Update, PartiqlError> {
    let source = source(parser)?;
    if source.index.is_some() {
        return Err(SourceProblem::WriteOnIndex.into());
    }
    check_no_alias(parser)?;
    let mut changes = Vec::new();
    loop {
        if parser.eat_keyword("SET") {
            loop {
                let path = target(parser)?;
                parser.expect("=")?;
                let value = expression(parser)?;
                changes.push(Change::Set { path, value });
                if !parser.eat(",") {
                    break;
                }
            }
        } else if parser.eat_word("REMOVE") {
            let path = target(parser)?;
            changes.push(Change::Remove { path });
        } else {
            break;
        }
    }
    if changes.is_empty() {
        return Err(Malformed::ExpectedDataManipulation.into());
    }
    let condition = condition(parser)?;
    let returning = returning(parser)?;
    Ok(Update {
        source,
        changes,
        condition,
        returning,
    })
}

/// Parses what follows `DELETE`.
pub(super) fn delete(parser: &mut Parser<'_>) -> Result<Delete, PartiqlError> {
    parser.expect_keyword("FROM")?;
    let source = source(parser)?;
    if source.index.is_some() {
        return Err(SourceProblem::WriteOnIndex.into());
    }
    check_no_alias(parser)?;
    let condition = condition(parser)?;
    let returning = returning(parser)?;
    match returning {
        None | Some(Returning::AllOld) => {}
        Some(other @ (Returning::AllNew | Returning::ModifiedOld | Returning::ModifiedNew)) => {
            return Err(ReturningProblem::Delete(other.as_str()).into());
        }
    }
    Ok(Delete {
        source,
        condition,
        returning,
    })
}

fn returning(parser: &mut Parser<'_>) -> Result<Option<Returning>, PartiqlError> {
    if !parser.eat_keyword("RETURNING") {
        return Ok(None);
    }
    let modified = parser.eat_keyword("MODIFIED");
    if !modified {
        parser.expect_keyword("ALL")?;
    }
    let new = parser.eat_keyword("NEW");
    if !new {
        parser.expect_keyword("OLD")?;
    }
    if !parser.eat("*") {
        return Err(match parser.peek().kind {
            TokenKind::End => Malformed::End.into(),
            TokenKind::Word
            | TokenKind::Keyword
            | TokenKind::Quoted
            | TokenKind::Text
            | TokenKind::Number
            | TokenKind::Ion
            | TokenKind::Parameter
            | TokenKind::Symbol => ReturningProblem::NoStar.into(),
        });
    }
    if parser.is(",") {
        return Err(ReturningProblem::Many.into());
    }
    Ok(Some(match (modified, new) {
        (false, true) => Returning::AllNew,
        (false, false) => Returning::AllOld,
        (true, true) => Returning::ModifiedNew,
        (true, false) => Returning::ModifiedOld,
    }))
}
