//! A call as the HTTP request that AWS's service models ask for.
//!
//! Sources: Smithy 2.0, "AWS JSON", "AWS restJson1" and "AWS restXml" protocols.

use api_protocol::xml::XmlWriter;
use api_protocol::{json, rest_xml};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::{Call, Shape};
use crate::operation::Api;

/// A request that is ready to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The HTTP method.
    pub method: &'static str,
    /// Path and query string.
    pub target: String,
    /// Headers of the call itself, in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
}

impl Call {
    /// Writes the call as an HTTP request.
    pub fn encode(&self) -> Encoded {
        let operation = &self.operation;
        let (path, in_body) = self.target();
        let mut headers = Vec::new();
        let body = match operation.api {
            Api::DynamoDb => {
                headers.extend(aws_json(&json::DYNAMODB, operation.name));
                Bytes::from(json_object(&in_body, str::to_owned).to_string())
            }
            Api::Acm => {
                headers.extend(aws_json(&json::ACM, operation.name));
                Bytes::from(json_object(&in_body, str::to_owned).to_string())
            }
            Api::Lambda | Api::ApiGateway | Api::Route53 if in_body.is_empty() => Bytes::new(),
            Api::Lambda => {
                headers.push(("content-type", "application/json".to_owned()));
                Bytes::from(json_object(&in_body, str::to_owned).to_string())
            }
            Api::ApiGateway => {
                headers.push(("content-type", "application/json".to_owned()));
                Bytes::from(json_object(&in_body, camel_case).to_string())
            }
            Api::Route53 => {
                headers.push(("content-type", "application/xml".to_owned()));
                let mut xml = XmlWriter::undeclared();
                let root = format!("{}Request", operation.name);
                xml.open_in(&root, rest_xml::ROUTE53);
                for (name, value) in &in_body {
                    write_xml(&mut xml, name, value);
                }
                xml.finish()
            }
        };
        Encoded {
            method: operation.method,
            target: path,
            headers,
            body,
        }
    }

    /// Returns path and query, and the parameters that are in neither.
    fn target(&self) -> (String, Vec<(&'static str, &Shape)>) {
        let mut path = self.operation.path.to_owned();
        let mut query = String::new();
        let mut in_body = Vec::new();
        for (name, value) in &self.parameters {
            let place = format!("{{{name}}}");
            let in_query = self.operation.query.iter().find(|(known, _)| known == name);
            if path.contains(&place) {
                path = path.replace(&place, &encoded(&scalar(value).unwrap_or_default()));
            } else if let Some((_, wire)) = in_query {
                query.push(if query.is_empty() { '?' } else { '&' });
                query.push_str(wire);
                query.push('=');
                query.push_str(&encoded(&scalar(value).unwrap_or_default()));
            } else {
                in_body.push((*name, value));
            }
        }
        (path + &query, in_body)
    }
}

fn aws_json(dialect: &json::Dialect, operation: &str) -> [(&'static str, String); 2] {
    let target = format!("{}.{operation}", dialect.target_prefix);
    [
        ("content-type", dialect.content_type.to_owned()),
        ("x-amz-target", target),
    ]
}

/// Returns a text, number or truth value as text.
pub(super) fn scalar(value: &Shape) -> Option<String> {
    match value {
        Shape::Text(text) => Some(text.clone()),
        Shape::Number(number) => Some(number.to_string()),
        Shape::Flag(flag) => Some(flag.to_string()),
        Shape::Blob { .. } | Shape::List { .. } | Shape::Structure(_) | Shape::Map(_) => None,
    }
}

/// Writes a value as JSON, with members named as `name` says.
fn json_value(value: &Shape, name: fn(&str) -> String) -> Value {
    match value {
        Shape::Text(text) => text.clone().into(),
        Shape::Number(number) => (*number).into(),
        Shape::Flag(flag) => (*flag).into(),
        Shape::Blob { bytes, .. } => STANDARD.encode(bytes).into(),
        Shape::List { items, .. } => items.iter().map(|item| json_value(item, name)).collect(),
        Shape::Structure(members) => {
            let members: Vec<_> = members.iter().map(|(name, value)| (*name, value)).collect();
            json_object(&members, name)
        }
        Shape::Map(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), Value::from(value.clone())))
            .collect::<Map<_, _>>()
            .into(),
    }
}

fn json_object(members: &[(&'static str, &Shape)], name: fn(&str) -> String) -> Value {
    members
        .iter()
        .map(|(member, value)| (name(member), json_value(value, name)))
        .collect::<Map<_, _>>()
        .into()
}

fn write_xml(xml: &mut XmlWriter, name: &str, value: &Shape) {
    match value {
        Shape::Text(_) | Shape::Number(_) | Shape::Flag(_) => {
            xml.leaf(name, &scalar(value).unwrap_or_default());
        }
        Shape::Blob { bytes, .. } => xml.leaf(name, &STANDARD.encode(bytes)),
        Shape::List { member, items } => xml.within(name, |xml| {
            for item in items {
                write_xml(xml, member, item);
            }
        }),
        Shape::Structure(members) => xml.within(name, |xml| {
            for (name, value) in members {
                write_xml(xml, name, value);
            }
        }),
        Shape::Map(entries) => xml.within(name, |xml| {
            for (key, value) in entries {
                xml.within("entry", |xml| {
                    xml.leaf("key", key);
                    xml.leaf("value", value);
                });
            }
        }),
    }
}

/// Returns a member's name as API Gateway writes it.
fn camel_case(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_lowercase().collect::<String>() + characters.as_str()
    })
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// All but the unreserved characters of RFC 3986 §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
