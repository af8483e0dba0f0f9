//! The expressions of one request and their placeholders: taken together, parsed, accounted for.
//!
//! Order of checks: legacy beside expressions, placeholders without expressions, placeholders
//! themselves, each expression, placeholders that none of them used.

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use expr::condition::Condition;
use expr::error::ExprError;
use expr::key_condition::KeyCondition;
use expr::parse;
use expr::placeholders::Placeholders;
use expr::projection::Projection;
use expr::update::Update;

use crate::fault::{self, Refused};
use crate::wire::value::ValueIn;

/// The expression parameters of a request, whichever it has.
#[derive(Debug, Default)]
pub(crate) struct Expressions {
    pub(crate) update: Option<String>,
    pub(crate) condition: Option<String>,
    pub(crate) key_condition: Option<String>,
    pub(crate) filter: Option<String>,
    pub(crate) projection: Option<String>,
    pub(crate) names: Option<BTreeMap<String, String>>,
    pub(crate) values: Option<BTreeMap<String, ValueIn>>,
}

/// Parsed expressions.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) update: Option<Update>,
    pub(crate) condition: Option<Condition>,
    pub(crate) key_condition: Option<KeyCondition>,
    pub(crate) filter: Option<Condition>,
    pub(crate) projection: Option<Projection>,
}

impl Expressions {
    /// Parses all of them.
    ///
    /// `legacy` names the legacy parameters that the request has; `nulls` says, for a message,
    /// which of the operation's own expressions could have used values.
    /// Errors: `ValidationException`.
    pub(crate) fn parse(self, legacy: &[&str], nulls: &str) -> Result<Parsed, Refused> {
        let given: Vec<&str> = self.given().collect();
        if !legacy.is_empty() && !given.is_empty() {
            return Err(fault::validation(format!(
                "Can not use both expression and non-expression parameters in the same request: \
                 Non-expression parameters: {{{}}} Expression parameters: {{{}}}",
                legacy.join(", "),
                given.join(", "),
            ))
            .into());
        }
        if self.names.is_some() && given.is_empty() {
            return Err(without("ExpressionAttributeNames", "").into());
        }
        let takes_values = given.iter().any(|name| *name != PROJECTION);
        if self.values.is_some() && !takes_values {
            return Err(without("ExpressionAttributeValues", nulls).into());
        }
        let values = self.values.map(checked_values).transpose()?;
        let mut placeholders = Placeholders::new(self.names, values)?;
        let parsed = Parsed {
            projection: each(self.projection, &mut placeholders, parse::projection)?,
            filter: each(self.filter, &mut placeholders, parse::filter)?,
            update: each(self.update, &mut placeholders, parse::update)?,
            condition: each(self.condition, &mut placeholders, parse::condition)?,
            key_condition: each(self.key_condition, &mut placeholders, parse::key_condition)?,
        };
        placeholders.check_all_used()?;
        Ok(parsed)
    }

    /// Returns the names of the expression parameters that the request has.
    fn given(&self) -> impl Iterator<Item = &'static str> {
        [
            ("UpdateExpression", &self.update),
            ("ConditionExpression", &self.condition),
            ("KeyConditionExpression", &self.key_condition),
            ("FilterExpression", &self.filter),
            (PROJECTION, &self.projection),
        ]
        .into_iter()
        .filter(|(_, expression)| expression.is_some())
        .map(|(name, _)| name)
    }
}

fn each<T>(
    text: Option<String>,
    placeholders: &mut Placeholders,
    rule: fn(&str, &mut Placeholders) -> Result<T, ExprError>,
) -> Result<Option<T>, ExprError> {
    text.map(|text| rule(&text, placeholders)).transpose()
}

fn checked_values(
    values: BTreeMap<String, ValueIn>,
) -> Result<BTreeMap<String, item::value::AttributeValue>, Fault> {
    let checked = |(key, value): (String, ValueIn)| match value.check() {
        Ok(value) => Ok((key, value)),
        Err(problem) => Err(fault::validation(format!(
            "ExpressionAttributeValues contains invalid value: {problem} for key {key}"
        ))),
    };
    values.into_iter().map(checked).collect()
}

fn without(parameter: &str, nulls: &str) -> Fault {
    let colon = if nulls.is_empty() { "" } else { ": " };
    let text = format!("{parameter} can only be specified when using expressions{colon}{nulls}");
    fault::validation(text)
}

const PROJECTION: &str = "ProjectionExpression";
