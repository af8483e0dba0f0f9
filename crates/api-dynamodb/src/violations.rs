//! Constraints of the service's model, several broken ones told in one message.
//!
//! The wording is the one that us-east-1 gives: the value is repeated, members are in camel case.

use api_protocol::fault::Fault;

use crate::fault;

/// Broken constraints of one request.
#[derive(Debug, Default)]
pub(crate) struct Violations(Vec<String>);

impl Violations {
    /// Notes a required member that is absent.
    pub(crate) fn required<T>(&mut self, path: &str, member: Option<&T>) {
        if member.is_none() {
            self.0.push(format!(
                "Value null at '{path}' failed to satisfy constraint: Member must not be null"
            ));
        }
    }

    /// Notes a value that breaks a constraint.
    pub(crate) fn value(&mut self, path: &str, value: &str, constraint: &str) {
        let failed = "failed to satisfy constraint";
        self.0.push(format!(
            "Value '{value}' at '{path}' {failed}: Member must {constraint}"
        ));
    }

    /// Notes a value whose constraint the service tells without repeating the value.
    pub(crate) fn silent(&mut self, path: &str, constraint: &str) {
        let failed = "failed to satisfy constraint";
        self.0.push(format!(
            "Value at '{path}' {failed}: Member must {constraint}"
        ));
    }

    /// Notes a broken constraint in words of its own.
    pub(crate) fn other(&mut self, message: String) {
        self.0.push(message);
    }

    /// Notes a text whose length is out of bounds.
    pub(crate) fn length(&mut self, path: &str, value: &str, min: usize, max: usize) {
        let length = value.chars().count();
        if length < min {
            self.value(
                path,
                value,
                &format!("have length greater than or equal to {min}"),
            );
        }
        if max < length {
            self.value(
                path,
                value,
                &format!("have length less than or equal to {max}"),
            );
        }
    }

    /// Notes a number that is too low.
    pub(crate) fn at_least(&mut self, path: &str, value: Option<i64>, min: i64) {
        if let Some(value) = value.filter(|value| *value < min) {
            let constraint = format!("have value greater than or equal to {min}");
            self.value(path, &value.to_string(), &constraint);
        }
    }

    /// Notes a number that is too high.
    pub(crate) fn at_most(&mut self, path: &str, value: Option<i64>, max: i64) {
        if let Some(value) = value.filter(|value| *value > max) {
            let constraint = format!("have value less than or equal to {max}");
            self.value(path, &value.to_string(), &constraint);
        }
    }

    /// Notes a name of a table, or of another thing named like one, of the wrong shape.
    pub(crate) fn name(&mut self, path: &str, name: &str, min: usize) {
        let shaped = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if !name.is_empty() && !name.chars().all(shaped) {
            self.value(
                path,
                name,
                "satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
            );
        }
        self.length(path, name, min, NAME_CHARS_MAX);
    }

    /// Answers with what is broken.
    ///
    /// Errors: `ValidationException` naming every broken constraint, up to ten in words.
    pub(crate) fn check(self) -> Result<(), Fault> {
        let plural = match self.0.len() {
            0 => return Ok(()),
            1 => "",
            _ => "s",
        };
        let count = self.0.len();
        let told = self
            .0
            .iter()
            .take(TOLD_MAX)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("; ");
        let message = format!("{count} validation error{plural} detected: {told}");
        Err(fault::validation(message))
    }
}

/// Longest name of a table or index. 255.
/// Source: DynamoDB service model, `TableName`.
const NAME_CHARS_MAX: usize = 255;

/// How many broken constraints a message tells. 10, as the service does.
const TOLD_MAX: usize = 10;
