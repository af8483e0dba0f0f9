//! Route keys, and the tree that finds the route of a request.
//!
//! It knows no integrations: a route is a number to it.
//! Source: API Gateway developer guide, "Create routes for HTTP APIs", "Routing API requests".

use std::collections::BTreeMap;
use std::fmt;

use http::Method;
use percent_encoding::percent_decode_str;

use crate::limits::ROUTE_KEY_BYTES_MAX;

/// What a route matches: `$default`, or a method and a path as in `GET /carts/{id}`.
///
/// Shape: a variable fills a whole segment; a greedy one, `{proxy+}`, stands last.
#[derive(Clone, PartialEq, Eq)]
pub struct RouteKey {
    text: String,
    pattern: Option<Pattern>,
}

/// A text that is no route key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("route key {text:?} {reason}")]
pub struct BadRouteKey {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// The routes of one stage, ready to be searched.
#[derive(Clone, Debug, Default)]
pub struct RouteTree {
    root: Node,
    fallback: Option<usize>,
}

/// How a route was found; the earlier kind wins over the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Method and path match in full.
    Full,
    /// The path matches by a greedy variable.
    Greedy,
    /// Nothing matched, and the API has a `$default` route.
    Default,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    /// `None` stands for `ANY`.
    method: Option<Method>,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Variable(String),
    Greedy(String),
}

#[derive(Clone, Debug, Default)]
struct Node {
    literals: BTreeMap<String, Node>,
    variable: Option<Box<Node>>,
    full: Methods,
    greedy: Methods,
}

#[derive(Clone, Debug, Default)]
struct Methods {
    exact: Vec<(Method, usize)>,
    any: Option<usize>,
}

impl RouteKey {
    /// Reads a route key.
    ///
    /// Errors: [`BadRouteKey`] with the reason.
    pub fn parse(text: &str) -> Result<Self, BadRouteKey> {
        let bad = |reason| BadRouteKey {
            text: text.chars().take(80).collect(),
            reason,
        };
        if text == "$default" {
            return Ok(Self {
                text: text.to_owned(),
                pattern: None,
            });
        }
        if text.len() > ROUTE_KEY_BYTES_MAX {
            return Err(bad("is longer than 512 bytes"));
        }
        let (method, path) = text
            .split_once(' ')
            .ok_or_else(|| bad("must be $default, or a method, a space and a path"))?;
        let method = match method {
            "ANY" => None,
            "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" => {
                Some(Method::from_bytes(method.as_bytes()).map_err(|_| bad("has no method"))?)
            }
            _ => return Err(bad("must begin with ANY or an HTTP method in upper case")),
        };
        let path = path
            .strip_prefix('/')
            .ok_or_else(|| bad("must have a path that begins with /"))?;
        let segments = parse_segments(path).map_err(bad)?;
        Ok(Self {
            text: text.to_owned(),
            pattern: Some(Pattern { method, segments }),
        })
    }

    /// Returns the key as AWS spells it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the path of the key, `$default` where it has none.
    pub fn resource(&self) -> &str {
        self.text
            .split_once(' ')
            .map_or(self.text.as_str(), |(_, path)| path)
    }

    /// Returns the variables of `path` by name, percent-decoded, in the order of the key.
    ///
    /// Shape: empty when the key has no variables; `path` is one that this route matches.
    pub fn variables<'k>(&'k self, path: &str) -> Vec<(&'k str, String)> {
        let Some(pattern) = &self.pattern else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut rest = remainder(path);
        for segment in &pattern.segments {
            let Some(whole) = rest else { break };
            match segment {
                Segment::Literal(_) => {}
                Segment::Variable(name) => found.push((name.as_str(), decode(first(whole).0))),
                Segment::Greedy(name) => found.push((name.as_str(), decode(whole))),
            }
            rest = first(whole).1;
        }
        found
    }
}

impl RouteTree {
    /// Adds a route under its number.
    ///
    /// Shape: of two routes with the same method and the same shape of path the first stays.
    pub fn add(&mut self, key: &RouteKey, number: usize) {
        let Some(pattern) = &key.pattern else {
            self.fallback.get_or_insert(number);
            return;
        };
        let mut node = &mut self.root;
        for segment in &pattern.segments {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::Variable(_) => node.variable.get_or_insert_default(),
                Segment::Greedy(_) => {
                    node.greedy.add(pattern.method.as_ref(), number);
                    return;
                }
            };
        }
        node.full.add(pattern.method.as_ref(), number);
    }

    /// Returns the number of the best route for a request, and how it fits.
    ///
    /// A literal segment beats a variable, further left counts more; a method beats `ANY` on the
    /// same path; any full match beats any greedy one; a trailing slash makes no difference.
    pub fn find(&self, method: &Method, path: &str) -> Option<(usize, Fit)> {
        let rest = remainder(path);
        if let Some(number) = self.root.full(method, rest) {
            return Some((number, Fit::Full));
        }
        if let Some(number) = self.root.greedy(method, rest) {
            return Some((number, Fit::Greedy));
        }
        self.fallback.map(|number| (number, Fit::Default))
    }
}

impl Node {
    fn full(&self, method: &Method, rest: Option<&str>) -> Option<usize> {
        let Some(whole) = rest else {
            return self.full.find(method);
        };
        let (segment, rest) = first(whole);
        self.literal(segment)
            .and_then(|node| node.full(method, rest))
            .or_else(|| {
                let node = self.variable.as_ref().filter(|_| !segment.is_empty())?;
                node.full(method, rest)
            })
    }

    fn greedy(&self, method: &Method, rest: Option<&str>) -> Option<usize> {
        let whole = rest?;
        let (segment, rest) = first(whole);
        self.literal(segment)
            .and_then(|node| node.greedy(method, rest))
            .or_else(|| {
                let node = self.variable.as_ref().filter(|_| !segment.is_empty())?;
                node.greedy(method, rest)
            })
            .or_else(|| self.greedy.find(method))
    }

    fn literal(&self, segment: &str) -> Option<&Node> {
        if segment.contains('%') {
            return self.literals.get(&decode(segment));
        }
        self.literals.get(segment)
    }
}

impl Methods {
    fn add(&mut self, method: Option<&Method>, number: usize) {
        match method {
            Some(method) if self.exact.iter().all(|(known, _)| known != method) => {
                self.exact.push((method.clone(), number));
            }
            Some(_) => {}
            None => {
                self.any.get_or_insert(number);
            }
        }
    }

    fn find(&self, method: &Method) -> Option<usize> {
        let exact = self.exact.iter().find(|(known, _)| known == method);
        exact.map(|(_, number)| *number).or(self.any)
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn parse_segments(path: &str) -> Result<Vec<Segment>, &'static str> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let mut segments: Vec<Segment> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for text in path.split('/') {
        if matches!(segments.last(), Some(Segment::Greedy(_))) {
            return Err("has something after its greedy variable");
        }
        let Some(inner) = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) else {
            if text.is_empty() {
                return Err("has an empty segment, or ends with /");
            }
            if text.contains(['{', '}']) || text.contains(char::is_whitespace) {
                return Err("has a segment that is neither a literal nor one {variable}");
            }
            segments.push(Segment::Literal(text.to_owned()));
            continue;
        };
        let name = inner.strip_suffix('+').unwrap_or(inner);
        let shaped = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':'));
        if !shaped {
            return Err("has a variable whose name is not of a-z, A-Z, 0-9, _, -, . and :");
        }
        if names.contains(&name) {
            return Err("has two variables of the same name");
        }
        names.push(name);
        segments.push(if inner.ends_with('+') {
            Segment::Greedy(name.to_owned())
        } else {
            Segment::Variable(name.to_owned())
        });
    }
    Ok(segments)
}

/// Returns what there is to match of a path: nothing for the root, no slash at either end.
fn remainder(path: &str) -> Option<&str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    (!path.is_empty()).then_some(path)
}

fn first(path: &str) -> (&str, Option<&str>) {
    match path.split_once('/') {
        Some((segment, rest)) => (segment, Some(rest)),
        None => (path, None),
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests;
