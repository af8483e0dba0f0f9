//! A statement: parsed, but not yet held against a table.

use crate::ast::{Body, Source};
use crate::error::PartiqlError;
use crate::parse;

/// A statement that follows the grammar.
#[derive(Clone, Debug)]
pub struct Statement {
    pub(crate) body: Body,
    pub(crate) parameters: usize,
}

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// `SELECT`: it reads.
    Select,
    /// `INSERT`.
    Insert,
    /// `UPDATE`.
    Update,
    /// `DELETE`.
    Delete,
    /// `EXISTS`: it writes nothing, and stands only in a transaction that writes.
    Exists,
}

/// Parses a statement.
///
/// Errors: [`PartiqlError`] for what is wrong whatever the table is.
pub fn parse(text: &str) -> Result<Statement, PartiqlError> {
    let (body, parameters) = parse::whole(text)?;
    Ok(Statement { body, parameters })
}

impl Statement {
    /// Returns what the statement does.
    pub const fn kind(&self) -> StatementKind {
        match &self.body {
            Body::Select(_) => StatementKind::Select,
            Body::Insert(_) => StatementKind::Insert,
            Body::Update(_) => StatementKind::Update,
            Body::Delete(_) => StatementKind::Delete,
            Body::Exists(_) => StatementKind::Exists,
        }
    }

    /// Returns the table, as a name or an ARN.
    pub fn table(&self) -> &str {
        &self.source().table
    }

    /// Returns the index that a `SELECT` reads.
    pub fn index(&self) -> Option<&str> {
        self.source().index.as_deref()
    }

    /// Returns how many parameters the statement has.
    pub const fn parameters(&self) -> usize {
        self.parameters
    }

    /// Returns whether the statement gives back an item that it writes: a transaction must not.
    pub(crate) const fn returns(&self) -> bool {
        match &self.body {
            Body::Update(update) => update.returning.is_some(),
            Body::Delete(delete) => delete.returning.is_some(),
            Body::Select(_) | Body::Insert(_) | Body::Exists(_) => false,
        }
    }

    const fn source(&self) -> &Source {
        match &self.body {
            Body::Select(select) | Body::Exists(select) => &select.source,
            Body::Insert(insert) => &insert.source,
            Body::Update(update) => &update.source,
            Body::Delete(delete) => &delete.source,
        }
    }
}
