//! The names and values that expressions refer to, and which of them were used.
//!
//! One request has one set of placeholders for all its expressions.

use std::collections::{BTreeMap, BTreeSet};

use item::size::value_size;
use item::value::AttributeValue;

use crate::error::ExprError;
use crate::limits::{PLACEHOLDER_BYTES_MAX, SUBSTITUTION_BYTES_MAX};

/// The placeholders of one request.
#[derive(Clone, Debug, Default)]
pub struct Placeholders {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, AttributeValue>,
    names_used: BTreeSet<String>,
    values_used: BTreeSet<String>,
}

impl Placeholders {
    /// Takes the placeholders of a request, `None` for a parameter that it does not have.
    ///
    /// Errors: [`ExprError`] for an empty map, a placeholder of the wrong shape, or too much.
    pub fn new(
        names: Option<BTreeMap<String, String>>,
        values: Option<BTreeMap<String, AttributeValue>>,
    ) -> Result<Self, ExprError> {
        if let Some(names) = &names {
            check_keys(NAMES, '#', names.keys())?;
            if let Some((key, _)) = names.iter().find(|(_, name)| name.is_empty()) {
                return Err(ExprError::EmptyName { key: key.clone() });
            }
        }
        if let Some(values) = &values {
            check_keys(VALUES, ':', values.keys())?;
        }
        let (names, values) = (names.unwrap_or_default(), values.unwrap_or_default());
        let names_bytes: usize = names.iter().map(|(key, name)| key.len() + name.len()).sum();
        let value_bytes = |(key, value): (&String, &AttributeValue)| key.len() + value_size(value);
        let values_bytes: usize = values.iter().map(value_bytes).sum();
        if names_bytes + values_bytes > SUBSTITUTION_BYTES_MAX.as_len() {
            return Err(ExprError::LargePlaceholders);
        }
        Ok(Self {
            names,
            values,
            ..Self::default()
        })
    }

    /// Returns the attribute name that a placeholder stands for, and notes its use.
    pub(crate) fn name(&mut self, placeholder: &str) -> Option<String> {
        let name = self.names.get(placeholder)?;
        if !self.names_used.contains(placeholder) {
            self.names_used.insert(placeholder.to_owned());
        }
        Some(name.clone())
    }

    /// Returns the value that a placeholder stands for, and notes its use.
    pub(crate) fn value(&mut self, placeholder: &str) -> Option<AttributeValue> {
        let value = self.values.get(placeholder)?;
        if !self.values_used.contains(placeholder) {
            self.values_used.insert(placeholder.to_owned());
        }
        Some(value.clone())
    }

    /// Checks, after all expressions of the request are parsed, that each placeholder was used.
    ///
    /// Errors: [`ExprError::UnusedNames`], then [`ExprError::UnusedValues`].
    pub fn check_all_used(&self) -> Result<(), ExprError> {
        let unused = |all: Vec<&String>, used: &BTreeSet<String>| {
            let unused = all.into_iter().filter(|key| !used.contains(*key));
            unused.map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        let keys = unused(self.names.keys().collect(), &self.names_used);
        if !keys.is_empty() {
            return Err(ExprError::UnusedNames { keys });
        }
        let keys = unused(self.values.keys().collect(), &self.values_used);
        if !keys.is_empty() {
            return Err(ExprError::UnusedValues { keys });
        }
        Ok(())
    }
}

fn check_keys<'k>(
    parameter: &'static str,
    mark: char,
    keys: impl ExactSizeIterator<Item = &'k String>,
) -> Result<(), ExprError> {
    if keys.len() == 0 {
        return Err(ExprError::NoPlaceholders { parameter });
    }
    for key in keys {
        if key.len() > PLACEHOLDER_BYTES_MAX {
            let bytes = key.len();
            return Err(ExprError::LongPlaceholder { parameter, bytes });
        }
        let name = key.strip_prefix(mark).unwrap_or_default();
        let shaped = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if name.is_empty() || !shaped {
            let key = key.clone();
            return Err(ExprError::BadPlaceholder { parameter, key });
        }
    }
    Ok(())
}

const NAMES: &str = "ExpressionAttributeNames";
const VALUES: &str = "ExpressionAttributeValues";

#[cfg(test)]
mod tests;
