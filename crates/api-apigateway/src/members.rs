//! The members of a request's body, each taken once; what is left over is refused.
//!
//! It knows no operation. Null counts as absent.

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use api_protocol::rest_json::{Dialect, parse};
use serde_json::{Map, Value, json};

use crate::fault::{bad_request, unsupported};

/// The members of an object that are still to be taken.
#[derive(Debug)]
pub(crate) struct Members(Map<String, Value>);

impl Members {
    /// Reads a body.
    ///
    /// Errors: `BadRequestException` for what is no JSON object.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Fault> {
        let mut members: Map<String, Value> = parse(Dialect::ApiGateway, body)?;
        members.retain(|_, value| !value.is_null());
        Ok(Self(members))
    }

    /// Takes a text.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Fault> {
        self.take(name, |value| serde_json::from_value(value).ok())
    }

    /// Takes a text that must be there.
    pub(crate) fn required(&mut self, name: &str) -> Result<String, Fault> {
        self.text(name)?
            .ok_or_else(|| bad_request(format!("{name} is required")))
    }

    /// Takes a text of at most `most` characters.
    pub(crate) fn short(&mut self, name: &str, most: usize) -> Result<Option<String>, Fault> {
        let text = self.text(name)?;
        match &text {
            Some(text) if text.chars().count() > most => Err(bad_request(format!(
                "{name} must have at most {most} characters"
            ))),
            Some(_) | None => Ok(text),
        }
    }

    /// Takes a truth value.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        self.take(name, |value| value.as_bool())
    }

    /// Takes a whole number.
    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<i64>, Fault> {
        self.take(name, |value| value.as_i64())
    }

    /// Takes a list of texts.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, Fault> {
        self.take(name, |value| serde_json::from_value(value).ok())
    }

    /// Takes a map of texts.
    pub(crate) fn map(&mut self, name: &str) -> Result<Option<BTreeMap<String, String>>, Fault> {
        self.take(name, |value| serde_json::from_value(value).ok())
    }

    /// Takes an object.
    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Self>, Fault> {
        self.take(name, Self::of)
    }

    /// Takes a list of objects.
    pub(crate) fn objects(&mut self, name: &str) -> Result<Option<Vec<Self>>, Fault> {
        let values: Option<Vec<Value>> =
            self.take(name, |value| serde_json::from_value(value).ok())?;
        let Some(values) = values else {
            return Ok(None);
        };
        let objects = values.into_iter().map(Self::of).collect::<Option<_>>();
        let wrong = || bad_request(format!("{name} has a value of the wrong type"));
        objects.map(Some).ok_or_else(wrong)
    }

    /// Takes a member that may have only this value, which is what happens without it.
    pub(crate) fn only(&mut self, name: &str, value: &Value) -> Result<(), Fault> {
        match self.0.remove(name) {
            Some(given) if given != *value => {
                Err(bad_request(format!("{name}: {given} is not supported")))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Takes an empty map or list, or nothing.
    pub(crate) fn empty(&mut self, name: &str) -> Result<(), Fault> {
        let given = self.0.remove(name);
        let empty = given.is_none_or(|value| value == json!({}) || value == json!([]));
        empty.then_some(()).ok_or_else(|| unsupported(name))
    }

    /// Ends the reading.
    ///
    /// Errors: `BadRequestException` naming a member that nobody took: doing the call without it
    /// would not be what was asked for.
    pub(crate) fn finish(self) -> Result<(), Fault> {
        match self.0.keys().next() {
            Some(name) => Err(unsupported(name)),
            None => Ok(()),
        }
    }

    fn of(value: Value) -> Option<Self> {
        let Value::Object(mut members) = value else {
            return None;
        };
        members.retain(|_, value| !value.is_null());
        Some(Self(members))
    }

    fn take<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let Some(value) = self.0.remove(name) else {
            return Ok(None);
        };
        let read = read(value);
        read.map(Some)
            .ok_or_else(|| bad_request(format!("{name} has a value of the wrong type")))
    }
}
