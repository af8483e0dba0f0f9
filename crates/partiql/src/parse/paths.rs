//! Paths: names, and steps into maps and lists.

use expr::error::Problem;
use expr::limits::PATH_LEVELS_MAX;
use expr::path::{Path, Step};

use super::Parser;
use crate::error::{Malformed, OperandProblem, PartiqlError};
use crate::lexer::{Token, TokenKind};

/// Parses a path that is to be written to.
pub(super) fn target(parser: &mut Parser<'_>) -> Result<Path, PartiqlError> {
    if !parser.is_name() {
        return Err(Malformed::ExpectedIdentifier.into());
    }
    let name = parser.next();
    path(parser, name)
}

/// Parses the steps after a name.
pub(super) fn path(parser: &mut Parser<'_>, name: Token<'_>) -> Result<Path, PartiqlError> {
    let mut path = Path::attribute(name_of(name)?);
    follow(parser, &mut path)?;
    Ok(path)
}

/// Parses the steps that follow a path.
pub(super) fn follow(parser: &mut Parser<'_>, path: &mut Path) -> Result<(), PartiqlError> {
    let mut steps = path.steps().to_vec();
    loop {
        if parser.eat(".") {
            let token = parser.next();
            match token.kind {
                TokenKind::Word | TokenKind::Quoted => steps.push(Step::Name(name_of(token)?)),
                TokenKind::Symbol if token.text == "*" => {
                    return Err(OperandProblem::Unpivot { at: token.at }.into());
                }
                TokenKind::Symbol
                | TokenKind::Keyword
                | TokenKind::Text
                | TokenKind::Number
                | TokenKind::Ion
                | TokenKind::Parameter
                | TokenKind::End => return Err(Malformed::PathDot.into()),
            }
        } else if parser.eat("[") {
            steps.push(subscript(parser)?);
            parser.expect("]")?;
        } else {
            break;
        }
    }
    let levels = 1 + steps.len();
    if levels > PATH_LEVELS_MAX {
        return Err(Problem::PathTooDeep { levels }.into());
    }
    *path = Path::new(path.name(), steps);
    Ok(())
}

/// Parses what stands in the brackets of a path.
fn subscript(parser: &mut Parser<'_>) -> Result<Step, PartiqlError> {
    let token = parser.next();
    let at = token.at;
    let outside = |index: String| Err(OperandProblem::ListIndex { index, at }.into());
    match token.kind {
        TokenKind::Text if token.text.is_empty() => Err(OperandProblem::EmptyName.into()),
        TokenKind::Word | TokenKind::Quoted => name_of(token).map(Step::Name),
        TokenKind::Text => Ok(Step::Name(token.text.replace("''", "'"))),
        TokenKind::Number if token.text.bytes().all(|byte| byte.is_ascii_digit()) => {
            // The service's indexes are 32 bits with a sign.
            let index = token.text.parse::<i32>().ok();
            match index.and_then(|index| u32::try_from(index).ok()) {
                Some(index) => Ok(Step::Index(index)),
                None => outside(token.text.to_owned()),
            }
        }
        TokenKind::Symbol if token.text == "*" => Err(OperandProblem::Wildcard { at }.into()),
        TokenKind::Symbol if token.text == "-" && parser.peek().kind == TokenKind::Number => {
            let (index, at) = (format!("-{}", parser.peek().text), parser.peek().at);
            Err(OperandProblem::ListIndex { index, at }.into())
        }
        TokenKind::Number
        | TokenKind::Symbol
        | TokenKind::Keyword
        | TokenKind::Ion
        | TokenKind::Parameter => Err(OperandProblem::Path { at }.into()),
        TokenKind::End => Err(Malformed::End.into()),
    }
}

/// Returns the name that a token is.
pub(super) fn name_of(token: Token<'_>) -> Result<String, PartiqlError> {
    if token.text.is_empty() {
        return Err(OperandProblem::EmptyName.into());
    }
    Ok(if token.kind == TokenKind::Quoted {
        token.text.replace("\"\"", "\"")
    } else {
        token.text.to_owned()
    })
}
