//! Expressions from text: one hand-written recursive descent for all five kinds.
//!
//! ```text
//! condition  = and { OR and }            and = not { AND not }         not = { NOT } test
//! test       = ( condition ) | function ( operand {, operand} )
//!            | operand ( comparator operand | BETWEEN operand AND operand
//!                      | IN ( operand {, operand} ) )
//! operand    = ( operand ) | function ( operand {, operand} ) | :value | path
//! path       = name { . name | [ index ] }              name = identifier | #name
//! projection = path {, path}
//! update     = { SET path = set {, …} | REMOVE path {, …} | ADD path :value {, …}
//!              | DELETE path :value {, …} }
//! set        = operand [ + operand | - operand ]
//! ```
//!
//! A text that does not follow the grammar is a syntax error whatever else is wrong with it;
//! anything else is noted while parsing, and the first thing noted is what is reported.
//! Conditions in parentheses are kept on a stack of our own; where the parser descends, depth is
//! counted first. Source: DynamoDB developer guide, "Expressions".

use item::value::AttributeValue;

use crate::condition::Condition;
use crate::error::{Clause, ExprError, Problem};
use crate::key_condition::KeyCondition;
use crate::limits::{EXPRESSION_BYTES_MAX, OPERAND_DEPTH_MAX, OPERATORS_MAX, PATH_LEVELS_MAX};
use crate::path::{Path, PathTree, Step};
use crate::placeholders::Placeholders;
use crate::projection::Projection;
use crate::reserved::is_reserved;
use crate::update::Update;

mod conditions;
mod lexer;
mod updates;

use lexer::{Token, TokenKind};

/// Parses a `ConditionExpression`.
///
/// Errors: [`ExprError::Invalid`].
pub fn condition(text: &str, placeholders: &mut Placeholders) -> Result<Condition, ExprError> {
    parse(Clause::Condition, text, placeholders, conditions::whole)
}

/// Parses a `FilterExpression`.
///
/// Errors: [`ExprError::Invalid`].
pub fn filter(text: &str, placeholders: &mut Placeholders) -> Result<Condition, ExprError> {
    parse(Clause::Filter, text, placeholders, conditions::whole)
}

/// Parses a `KeyConditionExpression`.
///
/// Errors: [`ExprError::Invalid`] and [`ExprError::KeyCondition`].
pub fn key_condition(
    text: &str,
    placeholders: &mut Placeholders,
) -> Result<KeyCondition, ExprError> {
    let condition = parse(Clause::KeyCondition, text, placeholders, conditions::whole)?;
    Ok(KeyCondition::of(condition)?)
}

/// Parses a `ProjectionExpression`.
///
/// Errors: [`ExprError::Invalid`].
pub fn projection(text: &str, placeholders: &mut Placeholders) -> Result<Projection, ExprError> {
    parse(Clause::Projection, text, placeholders, |parser| {
        let mut paths: Vec<Path> = Vec::new();
        let mut tree = PathTree::default();
        loop {
            let path = parser.path()?;
            if let Err(clash) = tree.insert(&path, ()) {
                let earlier = paths.iter().find_map(|one| Some((one.clash(&path)?, one)));
                let (clash, one) = earlier.unwrap_or((clash, &path));
                parser.note(Problem::of_clash(clash, one.clone(), path));
                tree = PathTree::default();
            } else {
                paths.push(path);
            }
            if !parser.eat(",") {
                return Ok(Projection::of_tree(tree));
            }
        }
    })
}

/// Parses an `UpdateExpression`.
///
/// Errors: [`ExprError::Invalid`].
pub fn update(text: &str, placeholders: &mut Placeholders) -> Result<Update, ExprError> {
    parse(Clause::Update, text, placeholders, updates::whole)
}

/// Runs one grammar rule over a whole text.
fn parse<T>(
    clause: Clause,
    text: &str,
    placeholders: &mut Placeholders,
    rule: impl FnOnce(&mut Parser<'_, '_>) -> Result<T, Problem>,
) -> Result<T, ExprError> {
    let invalid = |problem| ExprError::Invalid {
        clause,
        problem: Box::new(problem),
    };
    if text.len() > EXPRESSION_BYTES_MAX {
        let bytes = text.len();
        return Err(invalid(Problem::TooLong { bytes }));
    }
    if text.is_empty() {
        return Err(invalid(Problem::Empty));
    }
    let tokens = lexer::tokens(text);
    if tokens.len() == 1 {
        // Blanks alone are not nothing, to the service: they are a text that ends too early.
        let (token, near) = ("<EOF>".to_owned(), text.to_owned());
        return Err(invalid(Problem::Syntax { token, near }));
    }
    let mut parser = Parser {
        text,
        tokens,
        at: 0,
        placeholders,
        noted: None,
        operators: 0,
        depth: 0,
    };
    let parsed = rule(&mut parser).map_err(invalid)?;
    if parser.peek().kind != TokenKind::End {
        return Err(invalid(parser.syntax()));
    }
    match parser.noted {
        Some(problem) => Err(invalid(problem)),
        None => Ok(parsed),
    }
}

/// When the service finds a problem: those of an earlier stage hide those of a later one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Seen in the text alone.
    Text,
    /// Seen when names and values are put in.
    Names,
    /// Seen when paths are held against each other.
    Paths,
    /// Seen when operands are looked at.
    Operands,
}

impl Problem {
    const fn stage(&self) -> Stage {
        match self {
            Self::Empty
            | Self::TooLong { .. }
            | Self::Syntax { .. }
            | Self::RedundantParentheses
            | Self::Reserved { .. }
            | Self::ListIndex { .. }
            | Self::UnknownFunction { .. }
            | Self::NotInCondition { .. }
            | Self::NotInUpdate { .. }
            | Self::MisusedFunction { .. }
            | Self::RepeatedSection { .. } => Stage::Text,
            Self::UndefinedName { .. } | Self::UndefinedValue { .. } => Stage::Names,
            Self::PathTooDeep { .. } | Self::PathsConflict { .. } | Self::PathsOverlap { .. } => {
                Stage::Paths
            }
            Self::UnknownType { .. }
            | Self::OperandCount { .. }
            | Self::OperandType { .. }
            | Self::ActionType { .. }
            | Self::PathRequired { .. }
            | Self::SameOperand { .. }
            | Self::OperandTooDeep { .. }
            | Self::TooManyOperators { .. }
            | Self::TooManyCandidates { .. }
            | Self::BetweenTypes { .. }
            | Self::BetweenOrder { .. } => Stage::Operands,
        }
    }
}

/// A text being parsed.
struct Parser<'t, 'p> {
    text: &'t str,
    tokens: Vec<Token<'t>>,
    at: usize,
    placeholders: &'p mut Placeholders,
    noted: Option<Problem>,
    operators: usize,
    depth: usize,
}

impl<'t> Parser<'t, '_> {
    /// Returns the token at the front; at the end of the text, always the end token.
    fn peek(&self) -> Token<'t> {
        let last = self.tokens.last();
        let token = self.tokens.get(self.at).or(last);
        *token.expect("the lexer always gives an end token")
    }

    fn peek_second(&self) -> Option<Token<'t>> {
        self.tokens.get(self.at + 1).copied()
    }

    fn advance(&mut self) {
        self.at += 1;
    }

    /// Steps over a symbol, if it is at the front.
    fn eat(&mut self, symbol: &str) -> bool {
        let token = self.peek();
        let found = token.kind == TokenKind::Symbol && token.text == symbol;
        self.at += usize::from(found);
        found
    }

    /// Returns whether a keyword, in any case, is at the front.
    fn is_keyword(&self, keyword: &str) -> bool {
        let token = self.peek();
        token.kind == TokenKind::Identifier && token.text.eq_ignore_ascii_case(keyword)
    }

    /// Steps over a keyword, in any case, if it is at the front.
    fn eat_keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_keyword(keyword);
        self.at += usize::from(found);
        found
    }

    /// Steps over a symbol.
    ///
    /// Errors: a syntax error if it is not at the front.
    fn expect(&mut self, symbol: &str) -> Result<(), Problem> {
        if self.eat(symbol) {
            Ok(())
        } else {
            Err(self.syntax())
        }
    }

    /// Returns the syntax error that the token at the front is.
    fn syntax(&self) -> Problem {
        let token = self.peek();
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let start = before.map_or(token.start, |before| before.start);
        let end = self.peek_second().map_or(token.start, |after| after.end());
        let shown = match token.kind {
            TokenKind::End => "<EOF>",
            TokenKind::Identifier
            | TokenKind::Name
            | TokenKind::Value
            | TokenKind::Number
            | TokenKind::Symbol => token.text,
        };
        Problem::Syntax {
            token: shown.to_owned(),
            near: self.text.get(start..end).unwrap_or_default().to_owned(),
        }
    }

    /// Notes a problem that is reported if the rest of the text follows the grammar.
    fn note(&mut self, problem: Problem) {
        let stage = problem.stage();
        if self
            .noted
            .as_ref()
            .is_none_or(|noted| stage < noted.stage())
        {
            self.noted = Some(problem);
        }
    }

    /// Counts an operator or function.
    ///
    /// Errors: [`Problem::TooManyOperators`], at once: what follows is not looked at.
    fn count_operator(&mut self) -> Result<(), Problem> {
        self.operators += 1;
        if self.operators > OPERATORS_MAX {
            let count = self.operators;
            return Err(Problem::TooManyOperators { count });
        }
        Ok(())
    }

    /// Counts a level of an operand's parentheses or calls; [`Parser::leave`] uncounts it.
    ///
    /// Errors: [`Problem::OperandTooDeep`], at once.
    fn enter(&mut self) -> Result<(), Problem> {
        self.depth += 1;
        if self.depth > OPERAND_DEPTH_MAX {
            let levels = self.depth;
            return Err(Problem::OperandTooDeep { levels });
        }
        Ok(())
    }

    fn leave(&mut self) {
        debug_assert!(
            self.depth > 0,
            "levels are left as often as they are entered"
        );
        self.depth -= 1;
    }

    /// Parses a document path and puts in the names of its placeholders.
    fn path(&mut self) -> Result<Path, Problem> {
        let attribute = self.name()?;
        let mut path = Path::attribute(attribute);
        self.steps(&mut path)?;
        Ok(path)
    }

    /// Parses what follows the attribute of a path.
    fn steps(&mut self, path: &mut Path) -> Result<(), Problem> {
        loop {
            if self.eat(".") {
                let name = self.name()?;
                path.push(Step::Name(name));
            } else if self.eat("[") {
                let index = self.index()?;
                path.push(Step::Index(index));
            } else {
                break;
            }
        }
        let levels = path.levels();
        if levels > PATH_LEVELS_MAX {
            self.note(Problem::PathTooDeep { levels });
        }
        Ok(())
    }

    fn name(&mut self) -> Result<String, Problem> {
        let token = self.peek();
        match token.kind {
            TokenKind::Identifier => {
                if is_reserved(token.text) {
                    let word = token.text.to_owned();
                    self.note(Problem::Reserved { word });
                }
                self.advance();
                Ok(token.text.to_owned())
            }
            TokenKind::Name => {
                self.advance();
                Ok(self.placeholders.name(token.text).unwrap_or_else(|| {
                    let name = token.text.to_owned();
                    self.note(Problem::UndefinedName { name });
                    token.text.to_owned()
                }))
            }
            TokenKind::Value | TokenKind::Number | TokenKind::Symbol | TokenKind::End => {
                Err(self.syntax())
            }
        }
    }

    /// Parses a list index and its closing bracket.
    fn index(&mut self) -> Result<u32, Problem> {
        let token = self.peek();
        if token.kind != TokenKind::Number {
            return Err(self.syntax());
        }
        self.advance();
        self.expect("]")?;
        // The service's indexes are 32 bits with a sign.
        match token
            .text
            .parse::<i32>()
            .ok()
            .and_then(|index| u32::try_from(index).ok())
        {
            Some(index) => Ok(index),
            None => {
                let index = token.text.to_owned();
                self.note(Problem::ListIndex { index });
                Ok(0)
            }
        }
    }

    /// Parses a value placeholder and puts in its value; `None` if it has none, which is noted.
    fn value(&mut self) -> Result<Option<AttributeValue>, Problem> {
        let token = self.peek();
        if token.kind != TokenKind::Value {
            return Err(self.syntax());
        }
        self.advance();
        let value = self.placeholders.value(token.text);
        if value.is_none() {
            let name = token.text.to_owned();
            self.note(Problem::UndefinedValue { name });
        }
        Ok(value)
    }

    /// Returns the name of a function if a call of one is at the front.
    fn call_name(&self) -> Option<&'t str> {
        let token = self.peek();
        let called = self
            .peek_second()
            .is_some_and(|second| second.kind == TokenKind::Symbol && second.text == "(");
        (token.kind == TokenKind::Identifier && called).then_some(token.text)
    }
}

#[cfg(test)]
mod tests;
