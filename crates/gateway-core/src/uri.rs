//! The URI of an HTTP backend, with places for path variables.
//!
//! It resolves no names and opens nothing.
//! Source: API Gateway developer guide, "HTTP proxy integrations"; RFC 3986.

use std::fmt::Write;

use http::uri::{Authority, Scheme, Uri};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// An absolute `http` or `https` URI whose path and query may hold `{name}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriTemplate {
    /// Whether the backend is reached by TLS.
    pub security: Security,
    /// Host and port as written, for the `host` header.
    pub authority: Authority,
    /// The port to connect to.
    pub port: u16,
    path: Vec<Piece>,
    query: Vec<Piece>,
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Security {
    /// Plain TCP.
    Plain,
    /// TLS; the server's certificate is verified.
    Tls,
}

/// A text that is no URI of an HTTP backend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("integration URI {text:?} {reason}")]
pub struct BadUri {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// A client's path that cannot be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path cannot be passed on to the backend")]
pub struct BadPath;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// A variable by name, without the sign of a greedy one.
    Variable(String),
}

/// What a value must not hold as it is; slashes may stand, for greedy variables.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

impl UriTemplate {
    /// Reads a template.
    ///
    /// Errors: [`BadUri`] for other schemes, user names, fragments and variables in the host.
    pub fn parse(text: &str) -> Result<Self, BadUri> {
        let bad = |reason| BadUri {
            text: text.chars().take(200).collect(),
            reason,
        };
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| bad("must begin with http:// or https://"))?;
        let security = match scheme {
            "http" => Security::Plain,
            "https" => Security::Tls,
            _ => return Err(bad("must begin with http:// or https://")),
        };
        if text.contains('#') {
            return Err(bad("must have no fragment"));
        }
        let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(path_at);
        if authority.contains(['@', '{', '}']) {
            return Err(bad("must have a host without user names and variables"));
        }
        let authority: Authority = authority.parse().map_err(|_| bad("has no valid host"))?;
        let has_port = authority.as_str().len() > authority.host().len();
        if authority.host().is_empty() || has_port && authority.port_u16().is_none() {
            return Err(bad("has no valid host"));
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let template = Self {
            security,
            port: authority.port_u16().unwrap_or(match security {
                Security::Plain => 80,
                Security::Tls => 443,
            }),
            authority,
            path: pieces(path).map_err(bad)?,
            query: pieces(query).map_err(bad)?,
        };
        // One fill shows whether the literals between the variables make a URI.
        template
            .fill(&[], None, None)
            .map_err(|_| bad("is no valid URI"))?;
        Ok(template)
    }

    /// Returns the path and query to ask the backend for.
    ///
    /// `tail` is the client's path where the route is `$default`, and follows the template's own;
    /// `query` is the client's query, and follows the template's own.
    /// Errors: [`BadPath`] when a dot segment could lead out of the template's path, or the
    /// result is no URI; only the client's path can cause either.
    pub fn fill(
        &self,
        variables: &[(&str, String)],
        tail: Option<&str>,
        query: Option<&str>,
    ) -> Result<Uri, BadPath> {
        let decoded = tail.map(|tail| percent_decode_str(tail).decode_utf8_lossy());
        let values = variables.iter().map(|(_, value)| value.as_str());
        if values.chain(decoded.as_deref()).any(has_dot_segment) {
            return Err(BadPath);
        }
        let mut text = String::new();
        put(&mut text, &self.path, variables);
        if let Some(tail) = tail {
            if text.ends_with('/') {
                text.pop();
            }
            text.push_str(tail);
        }
        if !text.starts_with('/') {
            text.insert(0, '/');
        }
        let mut own = String::new();
        put(&mut own, &self.query, variables);
        let queries = [own.as_str(), query.unwrap_or("")];
        for (at, query) in queries.into_iter().filter(|q| !q.is_empty()).enumerate() {
            text.push(if at == 0 { '?' } else { '&' });
            text.push_str(query);
        }
        Uri::builder()
            .path_and_query(text)
            .build()
            .map_err(|_| BadPath)
    }

    /// Returns the host without its port.
    pub fn host(&self) -> &str {
        self.authority.host()
    }

    /// Returns the scheme.
    pub fn scheme(&self) -> Scheme {
        match self.security {
            Security::Plain => Scheme::HTTP,
            Security::Tls => Scheme::HTTPS,
        }
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, &'static str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after
            .split_once('}')
            .ok_or("has a variable without an end")?;
        let name = name.strip_suffix('+').unwrap_or(name);
        if name.is_empty() || name.contains('{') {
            return Err("has a variable without a name");
        }
        pieces.push(Piece::Literal(before.to_owned()));
        pieces.push(Piece::Variable(name.to_owned()));
        rest = after;
    }
    if rest.contains('}') {
        return Err("has a } without a {");
    }
    pieces.push(Piece::Literal(rest.to_owned()));
    Ok(pieces)
}

/// Returns whether a decoded path has a `.` or `..` segment.
fn has_dot_segment(path: &str) -> bool {
    path.split(['/', '\\'])
        .any(|segment| matches!(segment, "." | ".."))
}

fn put(text: &mut String, pieces: &[Piece], variables: &[(&str, String)]) {
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Variable(name) => {
                let value = variables.iter().find(|(known, _)| known == name);
                let value = value.map_or("", |(_, value)| value.as_str());
                write!(text, "{}", utf8_percent_encode(value, ESCAPED))
                    .expect("a string takes any text");
            }
        }
    }
}

#[cfg(test)]
mod tests;
