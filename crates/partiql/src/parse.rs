//! Statements from text: a hand-written recursive descent.
//!
//! ```text
//! select = SELECT ( * | expression {, expression} ) FROM source
//!          [ WHERE expression ] [ ORDER BY expression [ASC | DESC] {, …} ]
//! insert = INSERT INTO source VALUE expression
//! update = UPDATE source { SET path = expression {, …} | REMOVE path }
//!          [ WHERE expression ] [ returning ]
//! delete = DELETE FROM source [ WHERE expression ] [ returning ]
//! exists = EXISTS ( select )
//! source = name [ . name ]      returning = RETURNING ( ALL | MODIFIED ) ( NEW | OLD ) *
//! ```
//!
//! Expressions are in [`expressions`]; their brackets alone descend, and depth is counted first.
//! Source: DynamoDB developer guide, "PartiQL statements for DynamoDB".

use expr::error::Problem;
use expr::limits::OPERATORS_MAX;

use crate::ast::Body;
use crate::error::{Malformed, PartiqlError, Unsupported};
use crate::lexer::{self, Token, TokenKind};
use crate::limits::{NESTING_MAX, STATEMENT_CHARACTERS_MAX};

mod expressions;
mod paths;
mod selects;
mod terms;
mod writes;

/// Parses a whole statement; returns it and how many parameters it has.
pub(crate) fn whole(text: &str) -> Result<(Body, usize), PartiqlError> {
    // A character has at most four bytes: most texts need no count.
    if STATEMENT_CHARACTERS_MAX < text.len() && STATEMENT_CHARACTERS_MAX < text.chars().count() {
        return Err(PartiqlError::TooLong);
    }
    let mut parser = Parser {
        tokens: lexer::tokens(text)?,
        at: 0,
        parameters: 0,
        operators: 0,
        depth: 0,
    };
    let body = parser.statement()?;
    if parser.eat(";") && parser.peek().kind != TokenKind::End {
        return Err(Malformed::ManyStatements.into());
    }
    if parser.peek().kind != TokenKind::End {
        return Err(parser.unexpected());
    }
    Ok((body, parser.parameters))
}

/// A text being parsed.
struct Parser<'t> {
    tokens: Vec<Token<'t>>,
    at: usize,
    parameters: usize,
    operators: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn statement(&mut self) -> Result<Body, PartiqlError> {
        let token = self.peek();
        if token.kind != TokenKind::Keyword {
            return Err(Malformed::ExpectedDataManipulation.into());
        }
        self.at += 1;
        match token.text.to_ascii_uppercase().as_str() {
            "SELECT" => Ok(Body::Select(selects::select(self)?)),
            "INSERT" => Ok(Body::Insert(writes::insert(self)?)),
            "UPDATE" => Ok(Body::Update(writes::update(self)?)),
            "DELETE" => Ok(Body::Delete(writes::delete(self)?)),
            "EXISTS" => {
                self.expect("(")?;
                if !self.eat_keyword("SELECT") {
                    return Err(Unsupported::ExistsOfOther.into());
                }
                let select = selects::select(self)?;
                self.expect(")")?;
                Ok(Body::Exists(select))
            }
            "PIVOT" => Err(Unsupported::SelectValue.into()),
            "CREATE" => Err(Unsupported::Operation("CreateTable").into()),
            "DROP" => Err(Unsupported::Operation("DropTable").into()),
            "EXEC" => Err(Unsupported::Operation("Exec").into()),
            _ => Err(Malformed::ExpectedDataManipulation.into()),
        }
    }

    /// Returns the token at the front; at the end of the text, always the end token.
    fn peek(&self) -> Token<'t> {
        let token = self.tokens.get(self.at).or_else(|| self.tokens.last());
        *token.expect("the lexer always gives an end token")
    }

    fn peek_second(&self) -> Option<Token<'t>> {
        self.tokens.get(self.at + 1).copied()
    }

    /// Steps over the token at the front.
    fn next(&mut self) -> Token<'t> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn is(&self, symbol: &str) -> bool {
        let token = self.peek();
        token.kind == TokenKind::Symbol && token.text == symbol
    }

    /// Steps over a symbol, if it is at the front.
    fn eat(&mut self, symbol: &str) -> bool {
        let found = self.is(symbol);
        self.at += usize::from(found);
        found
    }

    /// Steps over a symbol.
    fn expect(&mut self, symbol: &str) -> Result<(), PartiqlError> {
        if self.eat(symbol) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        let token = self.peek();
        token.kind == TokenKind::Keyword && token.text.eq_ignore_ascii_case(keyword)
    }

    /// Steps over a keyword, in any case, if it is at the front.
    fn eat_keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_keyword(keyword);
        self.at += usize::from(found);
        found
    }

    /// Steps over a keyword.
    fn expect_keyword(&mut self, keyword: &str) -> Result<(), PartiqlError> {
        if self.eat_keyword(keyword) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// Steps over a word that is no keyword but means something here, if it is at the front.
    fn eat_word(&mut self, word: &str) -> bool {
        let token = self.peek();
        let found = token.kind == TokenKind::Word && token.text.eq_ignore_ascii_case(word);
        self.at += usize::from(found);
        found
    }

    /// Returns whether a name is at the front.
    fn is_name(&self) -> bool {
        matches!(self.peek().kind, TokenKind::Word | TokenKind::Quoted)
    }

    /// Returns how the token at the front breaks the grammar.
    fn unexpected(&self) -> PartiqlError {
        let token = self.peek();
        let malformed = match token.kind {
            TokenKind::Keyword => Malformed::Keyword,
            TokenKind::End => Malformed::End,
            TokenKind::Symbol if OPERATORS.contains(&token.text) => Malformed::Operator,
            TokenKind::Symbol
            | TokenKind::Word
            | TokenKind::Quoted
            | TokenKind::Text
            | TokenKind::Number
            | TokenKind::Ion
            | TokenKind::Parameter => Malformed::Term,
        };
        malformed.into()
    }

    /// Returns that PartiQL has what stands at a place, and DynamoDB has not.
    fn unsupported(token: Token<'_>) -> PartiqlError {
        let (word, at) = (token.text.to_owned(), token.at);
        Unsupported::Token { word, at }.into()
    }

    /// Counts an operator or function.
    fn count_operator(&mut self) -> Result<(), PartiqlError> {
        self.operators += 1;
        if self.operators > OPERATORS_MAX {
            let count = self.operators;
            return Err(Problem::TooManyOperators { count }.into());
        }
        Ok(())
    }

    /// Counts a level of parentheses, calls, lists or maps; [`Parser::leave`] uncounts it.
    fn enter(&mut self) -> Result<(), PartiqlError> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(Malformed::TooDeep.into());
        }
        Ok(())
    }

    fn leave(&mut self) {
        debug_assert!(self.depth > 0, "levels are left as often as entered");
        self.depth -= 1;
    }
}

const OPERATORS: [&str; 12] = [
    "<=", ">=", "<>", "!=", "||", "=", "<", ">", "+", "*", "/", "%",
];

#[cfg(test)]
mod tests;
