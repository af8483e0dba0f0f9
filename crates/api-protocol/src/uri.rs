//! Paths and query strings, decoded.
//!
//! It routes nothing: REST facades match on the segments.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::limits::PARAMETERS_MAX;

/// Returns the segments of a path, decoded, without empty ones.
///
/// Shape: `/v2/apis/a%2Fb` becomes `["v2", "apis", "a/b"]`.
pub fn segments(path: &str) -> Vec<Cow<'_, str>> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| percent_decode(segment.as_bytes()).decode_utf8_lossy())
        .collect()
}

/// The parameters of a query string or a form, decoded, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads the parameters of a query string or a form.
    ///
    /// Shape: at most [`PARAMETERS_MAX`]; those beyond are dropped.
    pub fn parse(text: &[u8]) -> Self {
        let pairs = text
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
            .take(PARAMETERS_MAX)
            .map(|pair| {
                let mut halves = pair.splitn(2, |byte| *byte == b'=');
                let mut half = || decoded(halves.next().unwrap_or_default());
                (half(), half())
            })
            .collect();
        Self(pairs)
    }

    /// Reads the parameters of a request's query string.
    pub fn of_uri(uri: &http::Uri) -> Self {
        Self::parse(uri.query().unwrap_or_default().as_bytes())
    }

    /// Returns the first value of `name`.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.iter()
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// Returns all values of `name`, in their order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter()
            .filter(move |(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// Returns all names and values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }
}

fn decoded(text: &[u8]) -> String {
    let spaced: Cow<'_, [u8]> = if text.contains(&b'+') {
        text.iter()
            .map(|byte| if *byte == b'+' { b' ' } else { *byte })
            .collect()
    } else {
        Cow::Borrowed(text)
    };
    percent_decode(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests;
