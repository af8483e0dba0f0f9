//! JSON as policies need it: members in their order, the same name twice, no depth to fall into.
//!
//! It is the only file of the crate that knows serde, and knows nothing of policies.

use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use crate::limits::{DEPTH_MAX, TEXT_BYTES_MAX};
use crate::mistake::Problem;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// A number, as it is written in policies that quote it.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// Members in their order; a name may come twice.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Returns the values of a list, or the one that stands in a list's place; and which it is.
    pub(crate) fn items(&self) -> (&[Self], bool) {
        match self {
            Self::List(list) => (list, true),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Map(_) => {
                (std::slice::from_ref(self), false)
            }
        }
    }
}

/// Reads a text.
///
/// Errors: a text that is too long, too deep, or no JSON.
pub(crate) fn read(text: &str) -> Result<Node, Problem> {
    if TEXT_BYTES_MAX < text.len() {
        return Err(Problem::TooLong {
            length: text.len(),
            most: TEXT_BYTES_MAX,
        });
    }
    if DEPTH_MAX < depth(text) {
        return Err(Problem::TooDeep);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let node = Seed.deserialize(&mut reader);
    let node = node.and_then(|node| reader.end().map(|()| node));
    node.map_err(|error| Problem::Syntax {
        line: error.line(),
        column: error.column(),
    })
}

/// Returns how deep lists and maps nest, without going there.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in text.bytes() {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

struct Seed;

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Node;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Node, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = items.next_element_seed(Seed)? {
            list.push(node);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(name) = items.next_key::<String>()? {
            map.push((name, items.next_value_seed(Seed)?));
        }
        Ok(Node::Map(map))
    }
}

#[cfg(test)]
mod tests;
