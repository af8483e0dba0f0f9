//! Terms: what operators stand between.

use super::expressions::expression;
use super::{Parser, paths};
use crate::ast::{Literal, Node, NodeKind, Operation};
use crate::error::{Malformed, OperandProblem, PartiqlError};
use crate::lexer::{Token, TokenKind};

/// Parses a term with any number of signs before it.
pub(super) fn signed(parser: &mut Parser<'_>) -> Result<Node, PartiqlError> {
    let at = parser.peek().at;
    let mut negative = false;
    let mut any = false;
    loop {
        if parser.eat("-") {
            negative = !negative;
        } else if !parser.eat("+") {
            break;
        }
        any = true;
        parser.count_operator()?;
    }
    let node = term(parser)?;
    if !any {
        return Ok(node);
    }
    let NodeKind::Literal(Literal::Number(text)) = node.kind else {
        return Ok(Node::operation(Operation::Signed, at));
    };
    let text = if negative { format!("-{text}") } else { text };
    let (kind, at) = (Literal::Number(text).into(), node.at);
    Ok(Node { kind, at })
}

/// Parses a term, and the steps of a path that may follow it.
fn term(parser: &mut Parser<'_>) -> Result<Node, PartiqlError> {
    let token = parser.next();
    let text = || token.text.to_owned();
    let kind = match token.kind {
        TokenKind::Word | TokenKind::Quoted => {
            if token.kind == TokenKind::Word && parser.is("(") {
                call(parser, token)?
            } else {
                let kind = NodeKind::Path(paths::path(parser, token)?);
                return Ok(Node { kind, at: token.at });
            }
        }
        TokenKind::Text => Literal::Text(token.text.replace("''", "'")).into(),
        TokenKind::Number => Literal::Number(text()).into(),
        TokenKind::Ion => Literal::Ion(text()).into(),
        TokenKind::Parameter => {
            parser.parameters += 1;
            Literal::Parameter(parser.parameters - 1).into()
        }
        TokenKind::Keyword => keyword(parser, token)?,
        TokenKind::Symbol => match token.text {
            "(" => return group(parser, token),
            "[" => {
                parser.enter()?;
                let elements = elements(parser, "]")?;
                parser.leave();
                Literal::List(elements).into()
            }
            "<<" => {
                parser.enter()?;
                let elements = elements(parser, ">>")?;
                parser.leave();
                Literal::Bag(elements).into()
            }
            "{" => tuple(parser)?,
            _ => return Err(before(parser)),
        },
        TokenKind::End => return Err(Malformed::End.into()),
    };
    no_steps(parser)?;
    let at = token.at;
    Ok(Node { kind, at })
}

/// Returns how the token that was stepped over breaks the grammar.
fn before(parser: &mut Parser<'_>) -> PartiqlError {
    parser.at -= 1;
    parser.unexpected()
}

/// Refuses a step into something that is no path.
fn no_steps(parser: &Parser<'_>) -> Result<(), PartiqlError> {
    if parser.is(".") || parser.is("[") {
        let at = parser.peek().at;
        return Err(OperandProblem::Path { at }.into());
    }
    Ok(())
}

/// Parses what starts with a keyword.
fn keyword(parser: &mut Parser<'_>, token: Token<'_>) -> Result<NodeKind, PartiqlError> {
    Ok(match token.text.to_ascii_uppercase().as_str() {
        "TRUE" => Literal::Bool(true).into(),
        "FALSE" => Literal::Bool(false).into(),
        "NULL" => Literal::Null.into(),
        "MISSING" => NodeKind::Missing,
        "SELECT" | "CASE" | "CAST" | "PIVOT" => return Err(Parser::unsupported(token)),
        word if CALLED.contains(&word) && parser.is("(") => call(parser, token)?,
        _ => return Err(before(parser)),
    })
}

/// Parses what follows an open parenthesis: one expression in them is itself, several are a list.
fn group(parser: &mut Parser<'_>, open: Token<'_>) -> Result<Node, PartiqlError> {
    parser.enter()?;
    let first = expression(parser)?;
    if parser.eat(",") {
        let mut all = vec![first];
        all.extend(elements(parser, ")")?);
        parser.leave();
        no_steps(parser)?;
        let (kind, at) = (Literal::List(all).into(), open.at);
        return Ok(Node { kind, at });
    }
    parser.expect(")")?;
    parser.leave();
    if let NodeKind::Path(mut path) = first.kind {
        paths::follow(parser, &mut path)?;
        let (kind, at) = (NodeKind::Path(path), first.at);
        return Ok(Node { kind, at });
    }
    no_steps(parser)?;
    Ok(first)
}

/// Parses expressions between commas, up to a closing bracket.
pub(super) fn elements(parser: &mut Parser<'_>, close: &str) -> Result<Vec<Node>, PartiqlError> {
    let mut elements = Vec::new();
    if parser.eat(close) {
        return Ok(elements);
    }
    loop {
        elements.push(expression(parser)?);
        if !parser.eat(",") {
            break;
        }
    }
    parser.expect(close)?;
    Ok(elements)
}

fn tuple(parser: &mut Parser<'_>) -> Result<NodeKind, PartiqlError> {
    parser.enter()?;
    let mut entries = Vec::new();
    if !parser.eat("}") {
        loop {
            let key = expression(parser)?;
            parser.expect(":")?;
            entries.push((key, expression(parser)?));
            if !parser.eat(",") {
                break;
            }
        }
        parser.expect("}")?;
    }
    parser.leave();
    Ok(Literal::Tuple(entries).into())
}

/// Parses the operands of a call.
fn call(parser: &mut Parser<'_>, name: Token<'_>) -> Result<NodeKind, PartiqlError> {
    parser.expect("(")?;
    parser.enter()?;
    parser.count_operator()?;
    if parser.is("*") {
        // Only aggregates take a star, and there are none.
        return Err(OperandProblem::Path { at: name.at }.into());
    }
    let arguments = elements(parser, ")")?;
    parser.leave();
    Ok(NodeKind::Call {
        name: name.text.to_ascii_lowercase(),
        arguments,
    })
}

/// The keywords that are functions of PartiQL; of them, `size` alone is one of DynamoDB's.
const CALLED: [&str; 19] = [
    "SIZE",
    "AVG",
    "CHARACTER_LENGTH",
    "CHAR_LENGTH",
    "COALESCE",
    "COUNT",
    "DATE_ADD",
    "DATE_DIFF",
    "EXISTS",
    "EXTRACT",
    "LOWER",
    "MAX",
    "MIN",
    "NULLIF",
    "POSITION",
    "SUBSTRING",
    "SUM",
    "TRIM",
    "UPPER",
];
