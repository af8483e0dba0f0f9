//! Expressions: operators by their precedence, then terms, then the steps of paths.
//!
//! ```text
//! OR < AND < NOT < = <> < <= > >= IN BETWEEN LIKE IS < || < + - < * / % < sign < . [ ]
//! ```

use expr::condition::Comparator;

use super::Parser;
use super::terms::{elements, signed};
use crate::ast::{Literal, Node, NodeKind, Operation, Operator};
use crate::error::{OperandProblem, PartiqlError, Position};
use crate::lexer::TokenKind;

/// Parses an expression in which anything may stand.
pub(super) fn expression(parser: &mut Parser<'_>) -> Result<Node, PartiqlError> {
    from(parser, Level::Or)
}

/// Parses an expression without `OR`, `AND` and `NOT` outside parentheses.
pub(super) fn tested(parser: &mut Parser<'_>) -> Result<Node, PartiqlError> {
    from(parser, Level::Test)
}

/// How tightly an operator binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    Test,
    Concat,
    Sum,
    Product,
    Sign,
}

impl Level {
    const fn tighter(self) -> Self {
        match self {
            Self::Or => Self::And,
            Self::And => Self::Not,
            Self::Not => Self::Test,
            Self::Test => Self::Concat,
            Self::Concat => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product | Self::Sign => Self::Sign,
        }
    }
}

/// An operator between operands.
#[derive(Clone, Copy)]
enum Infix {
    Or,
    And,
    Between,
    In,
    Is,
    Binary(Operator),
}

/// An operator that waits for what stands right of it.
struct Waiting {
    level: Level,
    at: Position,
    what: Open,
    /// Whether a `NOT` stands before it.
    negated: bool,
}

/// What of an operator has been read.
enum Open {
    /// `NOT`, and whether it stands an even number of times.
    Not {
        even: bool,
    },
    Or(Node),
    And(Node),
    Binary(Operator, Node),
    /// `BETWEEN`, up to its `AND`.
    Lower(Node),
    /// `BETWEEN`, from its `AND` on.
    Upper(Node, Node),
}

/// Parses an expression of operators that bind as `least` does or tighter. They wait on a stack
/// of our own: brackets alone recurse.
fn from(parser: &mut Parser<'_>, least: Level) -> Result<Node, PartiqlError> {
    let mut waiting: Vec<Waiting> = Vec::new();
    loop {
        let tightest = waiting.last().map_or(least, |last| last.level.tighter());
        if tightest <= Level::Not && parser.is_keyword("NOT") {
            waiting.push(negation(parser)?);
        }
        let mut left = signed(parser)?;
        loop {
            let at = parser.peek().at;
            let (negated, infix) = infix(parser);
            let level = infix.map_or(Level::Or, |(level, _)| level);
            if matches!(infix, Some((_, Infix::And))) {
                left = closed(&mut waiting, left, Level::Concat);
                if let Some(lower) = between(&mut waiting) {
                    parser.at += 1;
                    waiting.push(lower.upper(left));
                    break;
                }
            }
            left = closed(&mut waiting, left, level);
            if waiting.last().is_some_and(Waiting::is_lower) {
                return Err(parser.unexpected());
            }
            let Some((level, infix)) = infix.filter(|_| level >= least) else {
                return Ok(left);
            };
            parser.at += 1 + usize::from(negated);
            parser.count_operator()?;
            let what = match infix {
                Infix::Is => {
                    left = is(parser, left, at)?;
                    continue;
                }
                Infix::In => {
                    left = among(parser, left, at, negated)?;
                    continue;
                }
                Infix::Or => Open::Or(left),
                Infix::And => Open::And(left),
                Infix::Between => Open::Lower(left),
                Infix::Binary(operator) => Open::Binary(operator, left),
            };
            waiting.push(Waiting {
                level,
                at,
                what,
                negated,
            });
            break;
        }
    }
}

/// Gives all operators that bind as `level` does or tighter what stands right of them. Where the
/// text goes on with nothing that joins, that is all of them: none binds less than `OR`.
fn closed(waiting: &mut Vec<Waiting>, right: Node, level: Level) -> Node {
    let mut right = right;
    while let Some(last) = waiting.pop_if(|last| last.level >= level && !last.is_lower()) {
        right = last.close(right);
    }
    right
}

/// Takes the `BETWEEN` out that waits for its `AND`, if that is what the `AND` at the front is.
fn between(waiting: &mut Vec<Waiting>) -> Option<Waiting> {
    waiting.pop_if(|last| last.is_lower())
}

impl Waiting {
    const fn is_lower(&self) -> bool {
        matches!(self.what, Open::Lower(_))
    }

    /// Gives a `BETWEEN` its lower bound.
    fn upper(self, lower: Node) -> Self {
        let what = match self.what {
            Open::Lower(operand) => Open::Upper(operand, lower),
            other @ (Open::Not { .. }
            | Open::Or(_)
            | Open::And(_)
            | Open::Binary(..)
            | Open::Upper(..)) => other,
        };
        Self { what, ..self }
    }

    fn close(self, right: Node) -> Node {
        let at = self.at;
        let operation = match self.what {
            Open::Not { even } => {
                let node = not(right, at);
                // Two negations are none, but what they negate must still be a condition.
                return if even { not(node, at) } else { node };
            }
            Open::Or(left) => {
                let mut any = if let NodeKind::Operation(Operation::Or(any)) = left.kind {
                    any
                } else {
                    vec![left]
                };
                any.push(right);
                Operation::Or(any)
            }
            Open::And(left) => {
                let mut all = if let NodeKind::Operation(Operation::And(all)) = left.kind {
                    all
                } else {
                    vec![left]
                };
                all.push(right);
                Operation::And(all)
            }
            Open::Binary(operator, left) => Operation::Binary {
                operator,
                left: Box::new(left),
                right: Box::new(right),
            },
            // Only an `AND` takes the lower bound, and it makes it an upper one.
            Open::Lower(left) => return left,
            Open::Upper(operand, lower) => Operation::Between {
                operand: Box::new(operand),
                lower: Box::new(lower),
                upper: Box::new(right),
            },
        };
        let node = Node::operation(operation, at);
        if self.negated { not(node, at) } else { node }
    }
}

/// Returns the operator at the front, and whether a `NOT` stands before it.
fn infix(parser: &Parser<'_>) -> (bool, Option<(Level, Infix)>) {
    let token = parser.peek();
    match token.kind {
        TokenKind::Symbol => (false, symbol(token.text)),
        TokenKind::Keyword if token.text.eq_ignore_ascii_case("NOT") => {
            let second = parser.peek_second();
            let keyword = second.filter(|second| second.kind == TokenKind::Keyword);
            let infix = keyword.and_then(|second| keyword_infix(second.text));
            let tests = infix.filter(|(_, infix)| match infix {
                Infix::Between | Infix::In | Infix::Binary(Operator::Other("like")) => true,
                Infix::Or | Infix::And | Infix::Is | Infix::Binary(_) => false,
            });
            (true, tests)
        }
        TokenKind::Keyword => (false, keyword_infix(token.text)),
        TokenKind::Word
        | TokenKind::Quoted
        | TokenKind::Text
        | TokenKind::Number
        | TokenKind::Ion
        | TokenKind::Parameter
        | TokenKind::End => (false, None),
    }
}

fn symbol(text: &str) -> Option<(Level, Infix)> {
    let test = |comparator| (Level::Test, Operator::Compare(comparator));
    let (level, operator) = match text {
        "=" => test(Comparator::Eq),
        "<>" | "!=" => test(Comparator::Ne),
        "<" => test(Comparator::Lt),
        "<=" => test(Comparator::Le),
        ">" => test(Comparator::Gt),
        ">=" => test(Comparator::Ge),
        "||" => (Level::Concat, Operator::Other("||")),
        "+" => (Level::Sum, Operator::Plus),
        "-" => (Level::Sum, Operator::Minus),
        "*" => (Level::Product, Operator::Other("*")),
        "/" => (Level::Product, Operator::Other("/")),
        "%" => (Level::Product, Operator::Other("%")),
        _ => return None,
    };
    Some((level, Infix::Binary(operator)))
}

fn keyword_infix(text: &str) -> Option<(Level, Infix)> {
    let infixes = [
        ("OR", Level::Or, Infix::Or),
        ("AND", Level::And, Infix::And),
        ("BETWEEN", Level::Test, Infix::Between),
        ("IN", Level::Test, Infix::In),
        ("IS", Level::Test, Infix::Is),
        ("LIKE", Level::Test, Infix::Binary(Operator::Other("like"))),
    ];
    let mut infixes = infixes.into_iter();
    let (_, level, infix) = infixes.find(|(word, ..)| text.eq_ignore_ascii_case(word))?;
    Some((level, infix))
}

/// Parses what stands right of `IN`.
fn among(
    parser: &mut Parser<'_>,
    operand: Node,
    at: Position,
    negated: bool,
) -> Result<Node, PartiqlError> {
    let operation = Operation::In {
        operand: Box::new(operand),
        candidates: Box::new(candidates(parser)?),
    };
    let node = Node::operation(operation, at);
    Ok(if negated { not(node, at) } else { node })
}

/// Parses a list of candidates: in parentheses, one element alone is a list too.
fn candidates(parser: &mut Parser<'_>) -> Result<Node, PartiqlError> {
    let token = parser.peek();
    if !parser.eat("(") {
        return signed(parser);
    }
    parser.enter()?;
    if parser.is_keyword("SELECT") {
        return Err(OperandProblem::In.into());
    }
    let elements = elements(parser, ")")?;
    parser.leave();
    let (kind, at) = (Literal::List(elements).into(), token.at);
    Ok(Node { kind, at })
}

/// Parses what stands right of `IS`.
fn is(parser: &mut Parser<'_>, operand: Node, at: Position) -> Result<Node, PartiqlError> {
    let negated = parser.eat_keyword("NOT");
    let token = parser.peek();
    if token.kind != TokenKind::Keyword {
        return Err(parser.unexpected());
    }
    parser.at += 1;
    let operation = Operation::Is {
        operand: Box::new(operand),
        kind: token.text.to_ascii_uppercase(),
    };
    let node = Node::operation(operation, at);
    Ok(if negated { not(node, at) } else { node })
}

fn not(node: Node, at: Position) -> Node {
    Node::operation(Operation::Not(Box::new(node)), at)
}

/// Steps over any number of `NOT`.
fn negation(parser: &mut Parser<'_>) -> Result<Waiting, PartiqlError> {
    let at = parser.peek().at;
    let mut count = 0_usize;
    while parser.eat_keyword("NOT") {
        parser.count_operator()?;
        count += 1;
    }
    let even = count.is_multiple_of(2);
    Ok(Waiting {
        level: Level::Not,
        at,
        what: Open::Not { even },
        negated: false,
    })
}
