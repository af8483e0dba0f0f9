//! An answer as its members, and as each protocol writes them.
//!
//! It knows no operation. Sources: Smithy 2.0, "Smithy RPC v2 CBOR protocol", "AWS JSON 1.0
//! protocol", "AWS query protocol".

use api_protocol::cbor::Writer;
use api_protocol::timestamp;
use api_protocol::xml::XmlWriter;
use clock::time::WallTime;
use serde_json::{Map, Value};

/// A value of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Text(String),
    Number(f64),
    /// Units: whole seconds since 1970.
    Moment(u64),
    List(Vec<Node>),
    /// Members by the names that the model gives them.
    Structure(Vec<(&'static str, Node)>),
    /// Values by names that callers gave.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Makes a text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Writes it as JSON has it.
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => (*number).into(),
            Self::Moment(secs) => (*secs).into(),
            Self::List(nodes) => nodes.iter().map(Self::json).collect(),
            Self::Structure(members) => {
                let members = members.iter();
                let members = members.map(|(name, node)| ((*name).to_owned(), node.json()));
                Value::Object(members.collect::<Map<_, _>>())
            }
            Self::Map(members) => {
                let members = members.iter();
                let members = members.map(|(name, node)| (name.clone(), node.json()));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }

    /// Writes it as CBOR.
    pub(crate) fn cbor(&self, writer: &mut Writer) {
        match self {
            Self::Text(text) => writer.text(text),
            Self::Number(number) => writer.number(*number),
            Self::Moment(secs) => writer.moment(*secs),
            Self::List(nodes) => {
                writer.array(nodes.len());
                for node in nodes {
                    node.cbor(writer);
                }
            }
            Self::Structure(members) => {
                writer.map(members.len());
                for (name, node) in members {
                    writer.text(name);
                    node.cbor(writer);
                }
            }
            Self::Map(members) => {
                writer.map(members.len());
                for (name, node) in members {
                    writer.text(name);
                    node.cbor(writer);
                }
            }
        }
    }

    /// Writes what is in it as XML.
    pub(crate) fn xml(&self, xml: &mut XmlWriter) {
        match self {
            Self::Text(_) | Self::Number(_) | Self::Moment(_) => {}
            Self::List(nodes) => {
                for node in nodes {
                    node.element("member", xml);
                }
            }
            Self::Structure(members) => {
                for (name, node) in members {
                    node.element(name, xml);
                }
            }
            Self::Map(members) => {
                for (name, node) in members {
                    xml.within("entry", |xml| {
                        xml.leaf("key", name);
                        node.element("value", xml);
                    });
                }
            }
        }
    }

    fn element(&self, name: &str, xml: &mut XmlWriter) {
        match self {
            Self::Text(text) => xml.leaf(name, text),
            Self::Number(number) => xml.leaf(name, &number.to_string()),
            Self::Moment(secs) => {
                let micros = i64::try_from(*secs)
                    .unwrap_or(i64::MAX)
                    .saturating_mul(1_000_000);
                xml.leaf(name, &timestamp::iso_seconds(WallTime::from_micros(micros)));
            }
            Self::List(_) | Self::Structure(_) | Self::Map(_) => {
                xml.within(name, |xml| self.xml(xml));
            }
        }
    }
}
