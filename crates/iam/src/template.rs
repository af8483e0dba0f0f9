//! Texts of policies with variables in them: `${aws:username}`, `${key, 'default'}`, `${*}`.
//!
//! It decides nothing about where they may stand. What replaces a variable stands for itself: a
//! `*` in a user's tag is no wildcard.
//! Source: IAM user guide, "IAM policy elements: Variables and tags".

use std::borrow::Cow;

use crate::context::{Context, Missing};
use crate::glob::{Builder, Glob};
use crate::keys;
use crate::limits::VARIABLE_BYTES_MAX;

/// Whether a policy's version has variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variables {
    /// `2012-10-17`: they are replaced.
    Replaced,
    /// `2008-10-17`: they are letters as others.
    Literal,
}

/// Whether `*` and `?` are wildcards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wildcards {
    /// They are, as in `StringLike`.
    Yes,
    /// They stand for themselves, as in `StringEquals`.
    No,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Characters that stand for themselves.
    Text(String),
    /// `?`.
    One,
    /// `*`.
    Many,
    /// A variable: its key in lower case, and what stands in where there is no value.
    Variable {
        /// The key.
        key: String,
        /// What stands in.
        default: Option<String>,
    },
}

/// A text that waits for the values of its variables, if it has any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Template {
    /// It has none.
    Fixed(Glob),
    /// It has some.
    Open(Box<[Part]>),
}

/// Whether a text is one that a template stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Yes,
    No,
    /// A variable has no value: the template stands for nothing.
    Valueless,
    /// Nothing is known of a variable, and some value of it would make it so.
    Unknown,
}

/// A template with its variables replaced.
enum Resolved {
    /// All of them.
    Whole(Glob),
    /// By `*` where nothing is known of them.
    AtMost(Glob),
}

/// A variable that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadVariable;

impl Template {
    /// Puts a text's parts together.
    pub(crate) fn of(parts: Vec<Part>) -> Self {
        let is_open = parts
            .iter()
            .any(|part| matches!(part, Part::Variable { .. }));
        if is_open {
            return Self::Open(parts.into());
        }
        let mut builder = Builder::default();
        for part in &parts {
            match part {
                Part::Text(text) => builder.text(text),
                Part::One => builder.one(),
                Part::Many => builder.many(),
                Part::Variable { .. } => {}
            }
        }
        Self::Fixed(builder.finish())
    }

    /// Returns whether it has a variable of this key, in lower case.
    pub(crate) fn mentions(&self, wanted: &str) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Open(parts) => parts.iter().any(
                |part| matches!(part, Part::Variable { key, .. } if keys::is_asked(key, wanted)),
            ),
        }
    }

    /// Returns whether `text` is one that this stands for.
    pub(crate) fn matches(&self, text: &str, context: &Context<'_>) -> Match {
        match self {
            Self::Fixed(glob) => Match::of(glob.matches(text)),
            Self::Open(parts) => match resolve(parts, context) {
                Some(Resolved::Whole(glob)) => Match::of(glob.matches(text)),
                Some(Resolved::AtMost(glob)) if glob.matches(text) => Match::Unknown,
                Some(Resolved::AtMost(_)) => Match::No,
                None => Match::Valueless,
            },
        }
    }

    /// Returns whether `text` is the one that this stands for, case aside.
    pub(crate) fn matches_any_case(&self, text: &str, context: &Context<'_>) -> Match {
        let own = match self {
            Self::Fixed(glob) => Cow::Borrowed(glob),
            Self::Open(parts) => match resolve(parts, context) {
                Some(Resolved::Whole(glob)) => Cow::Owned(glob),
                Some(Resolved::AtMost(_)) => return Match::Unknown,
                None => return Match::Valueless,
            },
        };
        let lower = |text: &str| text.to_lowercase();
        Match::of(
            own.literal()
                .is_some_and(|own| own.eq_ignore_ascii_case(text) || lower(own) == lower(text)),
        )
    }
}

impl Match {
    pub(crate) fn of(is: bool) -> Self {
        if is { Self::Yes } else { Self::No }
    }
}

/// Replaces variables; `None` where one has no value.
fn resolve(parts: &[Part], context: &Context<'_>) -> Option<Resolved> {
    let mut builder = Builder::default();
    let mut is_whole = true;
    for part in parts {
        match part {
            Part::Text(text) => builder.text(text),
            Part::One => builder.one(),
            Part::Many => builder.many(),
            Part::Variable { key, default } => {
                let value = match context.single(key) {
                    Ok(value) => value.to_text(),
                    Err(Missing::Absent) => None,
                    Err(Missing::Unknown) => {
                        is_whole = false;
                        builder.many();
                        continue;
                    }
                };
                let value = value
                    .or_else(|| default.as_deref().map(Cow::Borrowed))
                    .filter(|value| value.len() <= VARIABLE_BYTES_MAX)?;
                builder.text(&value);
            }
        }
    }
    let glob = builder.finish();
    Some(if is_whole {
        Resolved::Whole(glob)
    } else {
        Resolved::AtMost(glob)
    })
}

/// Reads a text of a policy.
///
/// Errors: [`BadVariable`] for `${` that is not closed, or that holds no key.
pub(crate) fn read(
    text: &str,
    variables: Variables,
    wildcards: Wildcards,
) -> Result<Vec<Part>, BadVariable> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if variables == Variables::Replaced
            && let Some(after) = rest.strip_prefix("${")
        {
            let (inside, after) = close(after).ok_or(BadVariable)?;
            match inside {
                "*" | "?" | "$" => plain.push_str(inside),
                _ => {
                    flush(&mut plain, &mut parts);
                    parts.push(variable(inside)?);
                }
            }
            rest = after;
            continue;
        }
        match (letter, wildcards) {
            ('*', Wildcards::Yes) => {
                flush(&mut plain, &mut parts);
                parts.push(Part::Many);
            }
            ('?', Wildcards::Yes) => {
                flush(&mut plain, &mut parts);
                parts.push(Part::One);
            }
            (letter, Wildcards::Yes | Wildcards::No) => plain.push(letter),
        }
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
    }
    flush(&mut plain, &mut parts);
    Ok(parts)
}

fn flush(plain: &mut String, parts: &mut Vec<Part>) {
    if !plain.is_empty() {
        parts.push(Part::Text(std::mem::take(plain)));
    }
}

/// Returns what is inside of a variable and what follows it; a `}` in quotes does not end it.
fn close(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '\'' => quoted = !quoted,
            '}' if !quoted => return Some((text.get(..at)?, text.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

fn variable(inside: &str) -> Result<Part, BadVariable> {
    let (key, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((key, default)) => {
            let default = default
                .trim()
                .strip_prefix('\'')
                .and_then(|default| default.strip_suffix('\''))
                .filter(|default| !default.contains('\''))
                .ok_or(BadVariable)?;
            (key, Some(default.to_owned()))
        }
    };
    let key = key.trim();
    let is_key = key
        .split_once(':')
        .is_some_and(|(vendor, name)| !vendor.is_empty() && !name.is_empty());
    if !is_key || key.contains(['$', '{', '\'', '*', '?']) {
        return Err(BadVariable);
    }
    Ok(Part::Variable {
        key: key.to_lowercase(),
        default,
    })
}

#[cfg(test)]
mod tests;
