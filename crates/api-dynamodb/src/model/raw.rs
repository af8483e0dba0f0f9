//! A JSON text that is known to be one, taken apart where it stands.
//!
//! It copies nothing but texts with escapes. Depth is bounded before anything recurses.

use std::borrow::Cow;

use api_protocol::fault::Fault;
use api_protocol::json;
use serde::de::IgnoredAny;

use super::scan::Scan;

/// A value in its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw<'t>(&'t str);

/// A value, one level of it.
#[derive(Debug)]
pub(super) enum Value<'t> {
    Null,
    True,
    False,
    Number(&'t str),
    Text(Cow<'t, str>),
    List(Raw<'t>),
    Object(Raw<'t>),
}

impl<'t> Raw<'t> {
    /// Takes a request's body; an empty one is an empty object.
    ///
    /// Errors: `SerializationException` without a message for what is no JSON, with one for what
    /// is nested too deeply.
    pub(super) fn parse(body: &'t [u8]) -> Result<Self, Fault> {
        json::check_depth(body)?;
        let body = if body.is_empty() { b"{}" } else { body };
        let broken = || Fault::serialization("");
        let text = std::str::from_utf8(body).map_err(|_| broken())?;
        serde_json::from_str::<IgnoredAny>(text).map_err(|_| broken())?;
        Ok(Self(text))
    }

    /// Returns the value, one level of it.
    pub(super) fn value(self) -> Value<'t> {
        let text = self.0.trim_ascii();
        match text.as_bytes().first() {
            Some(b'{') => Value::Object(Self(text)),
            Some(b'[') => Value::List(Self(text)),
            Some(b'"') => Value::Text(unescaped(text)),
            Some(b't') => Value::True,
            Some(b'f') => Value::False,
            Some(b'n') | None => Value::Null,
            Some(_) => Value::Number(text),
        }
    }

    pub(super) fn is_null(self) -> bool {
        matches!(self.value(), Value::Null)
    }

    /// Returns the members of an object, in their order.
    pub(super) fn members(self) -> impl Iterator<Item = (Cow<'t, str>, Self)> {
        let mut scan = self.inside(b'{');
        std::iter::from_fn(move || {
            let scan = scan.as_mut()?;
            scan.took(b',');
            let name = text(scan.value()?)?;
            scan.take(b':')?;
            Some((unescaped(name), Self(text(scan.value()?)?)))
        })
    }

    /// Returns the elements of a list.
    pub(super) fn elements(self) -> impl Iterator<Item = Self> {
        let mut scan = self.inside(b'[');
        std::iter::from_fn(move || {
            let scan = scan.as_mut()?;
            scan.took(b',');
            if scan.peek()? == b']' {
                return None;
            }
            text(scan.value()?).map(Self)
        })
    }

    fn inside(self, opens: u8) -> Option<Scan<'t>> {
        let mut scan = Scan::new(self.0.as_bytes());
        scan.take(opens)?;
        Some(scan)
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// Returns what a quoted text says; half a surrogate pair stands for what cannot be shown.
fn unescaped(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.trim_matches('"');
    if !quoted.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let read = serde_json::from_str::<String>(quoted);
    read.map_or(Cow::Borrowed("\u{fffd}"), Cow::Owned)
}
