//! What becomes of writes that raced, as a table's tag `hither:resolver` chooses when it is made.
//!
//! It merges nothing: it says which attributes an update changes, and how.

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use expr::path::Path;
use expr::update::{Action, SetOperand, SetValue, Update};
use item::number::Number;
use item::value::Item;
use table::def::Resolver;
use table::write::Touched;

use crate::fault;

/// The tag.
pub(crate) const TAG: &str = "hither:resolver";

/// Checks that a table's tags choose what DynamoDB does. The other resolvers are not offered: what
/// stands beside their items is not bounded yet in every history of several regions.
///
/// Errors: `ValidationException` for what is no resolver, and for what is not offered.
pub(crate) fn check_chosen(tags: &BTreeMap<String, String>) -> Result<(), Fault> {
    tags.get(TAG).map_or(Ok(()), |name| check_offered(name))
}

/// Checks that a resolver is offered.
///
/// Errors: `ValidationException`.
pub(crate) fn check_offered(name: &str) -> Result<(), Fault> {
    match Resolver::parse(name) {
        Some(Resolver::Item) => Ok(()),
        Some(Resolver::Attributes | Resolver::Counters) => Err(fault::validation(format!(
            "The resolver {name} of the tag {TAG} is not offered yet; only item is"
        ))),
        None => Err(fault::validation(format!("Tag {TAG} is item, not {name}"))),
    }
}

/// Checks that a change of tags leaves a table its resolver, which items are stored by.
///
/// Errors: `ValidationException`.
pub(crate) fn check_kept(
    resolver: Resolver,
    (before, after): (&BTreeMap<String, String>, &BTreeMap<String, String>),
) -> Result<(), Fault> {
    let (before, after) = (before.get(TAG), after.get(TAG));
    let is_said = after.is_some_and(|name| Resolver::parse(name) == Some(resolver));
    if before == after || is_said {
        return Ok(());
    }
    Err(fault::validation(format!(
        "The resolver of a table is chosen when it is made, by the tag {TAG}, and cannot be \
         changed; this table's is {}",
        resolver.as_str()
    )))
}

/// Returns the attributes that an update changes, each once, and how.
pub(crate) fn touched(update: &Update, before: Option<&Item>) -> Vec<(String, Touched)> {
    let mut touched = BTreeMap::new();
    for action in update.actions() {
        let name = action.path().name();
        let how = how(action, before).unwrap_or(Touched::Set);
        // Several paths into one attribute are changes within it.
        touched.insert(name.to_owned(), how);
    }
    touched.into_iter().collect()
}

/// Returns how an action changes an attribute, where it does not set it.
fn how(action: &Action, before: Option<&Item>) -> Option<Touched> {
    if !action.path().steps().is_empty() {
        return None;
    }
    match action {
        Action::Set { path, value } => added(path, value, before).map(Touched::Add),
        Action::Add { value, .. } => Some(match value.as_n() {
            Some(number) => Touched::Add(number),
            None => Touched::Include(value.clone()),
        }),
        Action::Delete { value, .. } => Some(Touched::Exclude(value.clone())),
        Action::Remove { .. } => None,
    }
}

/// Returns the number that is added by an attribute being set to itself and a number.
fn added(path: &Path, value: &SetValue, before: Option<&Item>) -> Option<Number> {
    let is_itself = |operand: &SetOperand| match operand {
        SetOperand::Path(read) => read == path,
        SetOperand::IfNotExists(read, _) => {
            read == path && before.is_some_and(|item| item.contains(path.name()))
        }
        SetOperand::Value(_) | SetOperand::ListAppend(..) | SetOperand::Nested(_) => false,
    };
    let number = |operand: &SetOperand| match operand {
        SetOperand::Value(value) => value.as_n(),
        SetOperand::Path(_)
        | SetOperand::IfNotExists(..)
        | SetOperand::ListAppend(..)
        | SetOperand::Nested(_) => None,
    };
    match value {
        SetValue::Plus(one, two) if is_itself(one) => number(two),
        SetValue::Plus(one, two) if is_itself(two) => number(one),
        SetValue::Minus(one, two) if is_itself(one) => number(two).map(Number::negated),
        SetValue::Plus(..) | SetValue::Minus(..) | SetValue::Operand(_) => None,
    }
}

#[cfg(test)]
mod tests;
