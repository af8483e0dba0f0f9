//! Values as messages repeat them, bounded whatever their size.
//!
//! Structures are written as the service's own language writes them.

use std::fmt::Write as _;

use super::facts::{Kind, Model, ShapeId};
use super::quick::VALUE;
use super::raw::{Raw, Value};

/// Returns a text, cut where it is too long.
pub(super) fn text(text: &str) -> String {
    match text.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Returns a value, with its first elements where there are too many.
pub(super) fn value(model: &Model, shape: ShapeId, raw: Raw<'_>) -> String {
    let mut out = String::new();
    write(&mut out, model, shape, raw);
    out
}

/// Returns a member's name as the service's own language spells it.
pub(super) fn camel(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

fn write(out: &mut String, model: &Model, id: ShapeId, raw: Raw<'_>) {
    let shape = model.shape(id);
    match (&shape.kind, raw.value()) {
        (_, Value::Null) => out.push_str("null"),
        (Kind::Structure(members), _) => {
            let mut given = raw.members().filter(|(_, raw)| !raw.is_null());
            if shape.name == VALUE {
                // Of these only one member is given, as a rule.
                let name = given.next().map(|(name, _)| name);
                // Writing to a text cannot fail.
                let _ = write!(out, "{VALUE}({})", name.unwrap_or_default());
                return;
            }
            out.push_str(shape.name);
            out.push('(');
            for (at, member) in members.iter().enumerate() {
                if 0 < at {
                    out.push_str(", ");
                }
                out.push_str(&camel(member.name));
                out.push('=');
                match raw
                    .members()
                    .filter(|(name, _)| *name == member.name)
                    .last()
                {
                    Some((_, raw)) => write(out, model, member.shape, raw),
                    None => out.push_str("null"),
                }
            }
            out.push(')');
        }
        (Kind::List { element, .. }, _) => {
            out.push('[');
            series(out, raw.elements(), |out, raw| {
                write(out, model, *element, raw);
            });
            out.push(']');
        }
        (Kind::Map { value, .. }, _) => {
            out.push('{');
            series(out, raw.members(), |out, (name, raw)| {
                out.push_str(&text(&name));
                out.push('=');
                write(out, model, *value, raw);
            });
            out.push('}');
        }
        (_, Value::Text(given)) => out.push_str(&text(&given)),
        (_, Value::Number(number)) => out.push_str(&text(number)),
        (_, Value::True) => out.push_str("true"),
        (_, Value::False) => out.push_str("false"),
        (_, Value::List(_) | Value::Object(_)) => {}
    }
}

/// Writes elements until enough is written.
fn series<T>(out: &mut String, all: impl Iterator<Item = T>, mut each: impl FnMut(&mut String, T)) {
    for (at, one) in all.enumerate() {
        if 0 < at {
            out.push_str(", ");
        }
        if CHARS_MAX < out.len() {
            out.push('…');
            return;
        }
        each(out, one);
    }
}

/// How much of a value is repeated. 1,024 characters, more than any name has.
const CHARS_MAX: usize = 1024;
