//! Requests held against the model: types first, then what holds of values.
//!
//! ```text
//! bytes ──► quick: certainly good? ──yes──► the operation
//!             └─no─► is it JSON? ──► types ──► constraints ──► the operation
//!                      SerializationException    ValidationException
//! ```
//!
//! It looks at requests alone: tables and items come later. Source: DynamoDB API reference,
//! "Common Errors".

use api_protocol::fault::Fault;

use super::constraints;
use super::facts::{Model, Operation};
use super::quick;
use super::raw::Raw;
use super::types;

/// In which words constraints are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wording {
    /// All that is broken, each with its value, members in camel case.
    #[default]
    Classic,
    /// The first that is broken, without its value, members in Pascal case: what more and more
    /// regions of AWS say since 2026.
    Newer,
}

/// Checks a request, except for its attribute values where nothing else is wrong with it.
///
/// Errors: `SerializationException`, `ValidationException`.
pub(crate) fn check(operation: &Operation, body: &[u8], wording: Wording) -> Result<(), Fault> {
    let model = Model::get();
    if quick::is_good(model, operation.input, body) {
        return Ok(());
    }
    check_all(operation, body, wording)
}

/// Checks all of a request.
///
/// Errors: `SerializationException`, `ValidationException`.
pub(crate) fn check_all(operation: &Operation, body: &[u8], wording: Wording) -> Result<(), Fault> {
    let model = Model::get();
    let request = Raw::parse(body)?;
    types::check(model, operation.input, request)?;
    constraints::check(model, operation.input, request, wording)
}

/// Returns the answer to a request that could not be read, in the service's words if it has any.
pub(crate) fn explain(operation: &Operation, body: &[u8], fault: Fault) -> Fault {
    let checked =
        Raw::parse(body).and_then(|request| types::check(Model::get(), operation.input, request));
    checked.err().unwrap_or(fault)
}

#[cfg(test)]
mod tests;
