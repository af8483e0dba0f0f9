//! A call as the command that a user would type.
//!
//! Source: aws CLI user guide, "Specifying parameter values" and "Using shorthand syntax".

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::encode::scalar;
use super::{Call, Shape};

impl fmt::Display for Call {
    /// Writes the command in one line, ready for a POSIX shell.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = &self.operation;
        let (service, verb) = (operation.api.command(), kebab_case(operation.name));
        write!(f, "aws {service} {verb} --region {}", self.signing_region())?;
        for (name, value) in &self.parameters {
            let (name, value) = unwrapped(name, value);
            let option = kebab_case(name);
            if let Shape::Flag(flag) = value {
                write!(f, " --{}{option}", if *flag { "" } else { "no-" })?;
                continue;
            }
            write!(f, " --{option}")?;
            for argument in arguments(value) {
                write!(f, " {}", quoted(&argument))?;
            }
        }
        Ok(())
    }
}

/// The command line takes a function's code by itself, and not as part of a structure.
fn unwrapped<'c>(name: &'static str, value: &'c Shape) -> (&'static str, &'c Shape) {
    if let Shape::Structure(members) = value
        && let [(inner, blob @ Shape::Blob { .. })] = members.as_slice()
    {
        return (inner, blob);
    }
    (name, value)
}

/// Returns the arguments of one option.
fn arguments(value: &Shape) -> Vec<String> {
    match value {
        Shape::Text(_) | Shape::Number(_) | Shape::Flag(_) => scalar(value).into_iter().collect(),
        Shape::Blob { file, .. } => vec![format!("fileb://{file}")],
        Shape::List { items, .. } => items
            .iter()
            .map(|item| scalar(item).or_else(|| shorthand(item)))
            .collect::<Option<Vec<String>>>()
            .unwrap_or_else(|| vec![json(value)]),
        Shape::Structure(_) | Shape::Map(_) => {
            vec![shorthand(value).unwrap_or_else(|| json(value))]
        }
    }
}

/// Writes `Name=value,Other={Inner=value}`, where no value holds a character with a meaning.
fn shorthand(value: &Shape) -> Option<String> {
    let pairs = pairs(value)?.into_iter().map(|(name, value)| {
        let text = match scalar(&value) {
            Some(text) => word(&text)?,
            None => format!("{{{}}}", flat(&value)?),
        };
        Some(format!("{}={text}", word(&name)?))
    });
    pairs
        .collect::<Option<Vec<_>>>()
        .map(|pairs| pairs.join(","))
}

/// Writes `Name=value,Other=value`.
fn flat(value: &Shape) -> Option<String> {
    let pairs = pairs(value)?
        .into_iter()
        .map(|(name, value)| Some(format!("{}={}", word(&name)?, word(&scalar(&value)?)?)));
    pairs
        .collect::<Option<Vec<_>>>()
        .map(|pairs| pairs.join(","))
}

fn pairs(value: &Shape) -> Option<Vec<(String, Shape)>> {
    match value {
        Shape::Structure(members) => Some(
            members
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        ),
        Shape::Map(entries) => Some(
            entries
                .iter()
                .map(|(name, value)| (name.clone(), Shape::Text(value.clone())))
                .collect(),
        ),
        Shape::Text(_)
        | Shape::Number(_)
        | Shape::Flag(_)
        | Shape::Blob { .. }
        | Shape::List { .. } => None,
    }
}

/// Returns a text that shorthand leaves as it is.
fn word(text: &str) -> Option<String> {
    let plain = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.:/-*$".contains(&byte));
    plain.then(|| text.to_owned())
}

/// Writes JSON with the members in the order of the service model, as people know them.
fn json(value: &Shape) -> String {
    let text = |text: &str| Value::from(text).to_string();
    let joined = |parts: Vec<String>| parts.join(",");
    match value {
        Shape::Text(value) => text(value),
        Shape::Number(_) | Shape::Flag(_) => scalar(value).unwrap_or_default(),
        Shape::Blob { bytes, .. } => text(&STANDARD.encode(bytes)),
        Shape::List { items, .. } => format!("[{}]", joined(items.iter().map(json).collect())),
        Shape::Structure(_) | Shape::Map(_) => {
            let pairs = pairs(value).unwrap_or_default();
            let members = pairs
                .iter()
                .map(|(name, value)| format!("{}:{}", text(name), json(value)));
            format!("{{{}}}", joined(members.collect()))
        }
    }
}

/// Quotes a text for a POSIX shell, where it needs it.
fn quoted(text: &str) -> String {
    let safe = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.:/=,@%+-".contains(&byte));
    if safe {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Returns `create-api` of `CreateApi`, and `dns-name` of `DNSName`.
fn kebab_case(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut text = String::new();
    for (at, character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| characters.get(at));
        let after = characters.get(at + 1);
        let starts_word = before.is_some_and(char::is_ascii_lowercase)
            || (before.is_some_and(char::is_ascii_uppercase)
                && after.is_some_and(char::is_ascii_lowercase));
        if character.is_ascii_uppercase() && starts_word {
            text.push('-');
        }
        text.push(character.to_ascii_lowercase());
    }
    text
}
