//! From statements to plans: parameters are bound, keys are found, the rest becomes conditions.
//!
//! Nothing is parsed here, and nothing run.

use base::limits::NESTING_MAX;
use expr::condition::Condition;
use expr::path::Path;
use item::key::KeySchema;
use item::value::AttributeValue;

use crate::ast::Body;
use crate::error::{KeyProblem, PartiqlError};
use crate::plan::{Keys, Plan};
use crate::statement::Statement;

mod areas;
mod conditions;
mod keys;
mod selects;
mod updates;
mod values;
mod writes;

/// Plans a statement.
pub(crate) fn statement(
    statement: &Statement,
    keys: Keys<'_>,
    parameters: &[AttributeValue],
) -> Result<Plan, PartiqlError> {
    if parameters.len() != statement.parameters {
        return Err(PartiqlError::ParameterCount);
    }
    let bound = Bound { keys, parameters };
    match &statement.body {
        Body::Select(select) => selects::select(bound, select).map(Plan::Select),
        Body::Insert(insert) => writes::insert(bound, insert).map(Plan::Insert),
        Body::Update(update) => writes::update(bound, update).map(Plan::Update),
        Body::Delete(delete) => writes::delete(bound, delete).map(Plan::Delete),
        Body::Exists(select) => writes::check(bound, select).map(Plan::Check),
    }
}

/// What a statement's parts stand for.
#[derive(Clone, Copy)]
struct Bound<'b> {
    keys: Keys<'b>,
    /// As many as the statement has.
    parameters: &'b [AttributeValue],
}

impl<'b> Bound<'b> {
    /// Returns the keys of the table, then those of the index.
    fn schemas(self) -> impl Iterator<Item = &'b KeySchema> {
        std::iter::once(self.keys.table).chain(self.keys.index)
    }

    /// Refuses a path into a key attribute.
    fn check_path(self, path: &Path) -> Result<(), KeyProblem> {
        let nested = !path.steps().is_empty();
        if nested && self.schemas().any(|schema| schema.contains(path.name())) {
            let name = path.name().to_owned();
            return Err(KeyProblem::Nested { name });
        }
        Ok(())
    }
}

/// Joins conditions that all must hold; `None` where there are none.
fn all_of(mut conditions: Vec<Condition>) -> Option<Condition> {
    match conditions.pop() {
        Some(only) if conditions.is_empty() => Some(only),
        Some(last) => {
            conditions.push(last);
            Some(Condition::And(conditions))
        }
        None => None,
    }
}

/// Deepest value of a statement.
const VALUE_LEVELS_MAX: usize = NESTING_MAX;
