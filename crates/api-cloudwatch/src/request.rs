//! A request's members, whichever protocol it came in.
//!
//! It knows no operation. Numbers and moments may be texts: forms have nothing else.

use api_protocol::fault::Fault;
use api_protocol::timestamp;
use api_protocol::uri::Parameters;
use clock::time::WallTime;
use serde_json::{Map, Value};

use crate::limits::FORM_DEPTH_MAX;

/// Members of a request, or of a structure in one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Members<'v> {
    value: &'v Value,
}

impl<'v> Members<'v> {
    /// Reads a structure.
    ///
    /// Errors: `SerializationException` for what is none.
    pub(crate) fn of(value: &'v Value) -> Result<Self, Fault> {
        if value.is_object() {
            return Ok(Self { value });
        }
        Err(Fault::serialization("a structure was expected"))
    }

    fn member(self, name: &str) -> Option<&'v Value> {
        self.value.get(name).filter(|value| !value.is_null())
    }

    /// Returns a text.
    ///
    /// Errors: `SerializationException` for what is none.
    pub(crate) fn text(self, name: &str) -> Result<Option<&'v str>, Fault> {
        let member = self.member(name);
        let text = member.map(|value| value.as_str().ok_or_else(|| wrong(name, "text")));
        text.transpose()
    }

    /// Returns a text that must be there.
    ///
    /// Errors: also `MissingParameter`.
    pub(crate) fn needed(self, name: &str) -> Result<&'v str, Fault> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| missing(name))
    }

    /// Returns a whole number.
    ///
    /// Errors: `SerializationException` for what is none.
    pub(crate) fn number(self, name: &str) -> Result<Option<i64>, Fault> {
        let member = self.member(name);
        let number = member.map(|value| {
            let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
            number.ok_or_else(|| wrong(name, "whole number"))
        });
        number.transpose()
    }

    /// Returns a boolean.
    ///
    /// Errors: `SerializationException` for what is none.
    pub(crate) fn flag(self, name: &str) -> Result<Option<bool>, Fault> {
        let member = self.member(name);
        let flag = member.map(|value| {
            let flag = value.as_bool().or_else(|| value.as_str()?.parse().ok());
            flag.ok_or_else(|| wrong(name, "boolean"))
        });
        flag.transpose()
    }

    /// Returns a moment, which must be there.
    ///
    /// Errors: `MissingParameter`; `SerializationException` for what is none.
    pub(crate) fn moment(self, name: &str) -> Result<WallTime, Fault> {
        let moment = match self.member(name).ok_or_else(|| missing(name))? {
            Value::Number(number) => timestamp::parse_epoch(number),
            Value::String(text) => timestamp::parse_iso(text),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        moment.ok_or_else(|| wrong(name, "moment"))
    }

    /// Returns the structure of a member.
    ///
    /// Errors: `SerializationException` for what is none.
    pub(crate) fn structure(self, name: &str) -> Result<Option<Self>, Fault> {
        self.member(name).map(Self::of).transpose()
    }

    /// Returns the values of a list; one that is not there has none.
    ///
    /// Errors: `SerializationException` for what is no list.
    pub(crate) fn list(self, name: &str) -> Result<&'v [Value], Fault> {
        match self.member(name) {
            None => Ok(&[]),
            Some(Value::Array(values)) => Ok(values),
            Some(_) => Err(wrong(name, "list")),
        }
    }

    /// Returns the texts of a list.
    ///
    /// Errors: `SerializationException` for what is none.
    pub(crate) fn texts(self, name: &str) -> Result<Vec<&'v str>, Fault> {
        let values = self.list(name)?.iter();
        let texts = values.map(|value| value.as_str().ok_or_else(|| wrong(name, "list of texts")));
        texts.collect()
    }
}

/// Reads a form's parameters as the members that they stand for.
///
/// Shape: `Dimensions.member.1.Name=x` is the member `Name` of the first of `Dimensions`.
/// Errors: `SerializationException` for names that contradict each other.
pub(crate) fn of_form(parameters: &Parameters) -> Result<Value, Fault> {
    let mut root = Map::new();
    for (name, value) in parameters.iter() {
        let parts: Vec<&str> = name.split('.').collect();
        let contradiction = || Fault::serialization(format!("the parameter {name} has no place"));
        let Some((last, outer)) = parts.split_last().filter(|_| parts.len() <= FORM_DEPTH_MAX)
        else {
            return Err(contradiction());
        };
        let mut at = &mut root;
        for part in outer {
            let inner = at.entry(*part).or_insert_with(|| Value::Object(Map::new()));
            at = inner.as_object_mut().ok_or_else(contradiction)?;
        }
        at.insert((*last).to_owned(), value.into());
    }
    Ok(with_lists(Value::Object(root)))
}

/// Makes lists of what is numbered.
fn with_lists(value: Value) -> Value {
    let Value::Object(mut members) = value else {
        return value;
    };
    if members.len() == 1
        && let Some(Value::Object(numbered)) = members.get_mut("member")
    {
        let numbered = std::mem::take(numbered).into_iter();
        let place = |name: &str| name.parse::<u32>().unwrap_or(u32::MAX);
        let mut numbered: Vec<(u32, Value)> = numbered
            .map(|(name, value)| (place(&name), value))
            .collect();
        numbered.sort_by_key(|(place, _)| *place);
        return numbered
            .into_iter()
            .map(|(_, value)| with_lists(value))
            .collect();
    }
    let members = members.into_iter();
    let members = members.map(|(name, value)| (name, with_lists(value)));
    Value::Object(members.collect())
}

/// Refuses a call without a member that it needs.
pub(crate) fn missing(name: &str) -> Fault {
    let message = format!("The request must contain the parameter {name}");
    Fault::caller("MissingParameter", message)
}

/// Refuses a member's value.
pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    Fault::caller("InvalidParameterValue", message)
}

fn wrong(name: &str, what: &str) -> Fault {
    Fault::serialization(format!("{name} is no {what}"))
}
