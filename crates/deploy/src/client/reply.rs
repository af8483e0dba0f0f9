//! An answer as a small tree, alike for JSON and XML.

use api_protocol::xml::{self, Element};
use http::StatusCode;
use serde_json::Value;

use super::ClientError;
use crate::operation::{Api, Operation};

/// The body of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply(Body);

#[derive(Clone, Debug, PartialEq)]
enum Body {
    Json(Value),
    Xml(Element),
}

/// A place in an answer.
#[derive(Clone, Copy, Debug)]
pub enum Node<'r> {
    /// Of a JSON body.
    Json(&'r Value),
    /// Of an XML body.
    Xml(&'r Element),
}

impl Reply {
    /// Reads the body of an answer to `operation`.
    pub(super) fn read(
        operation: Operation,
        status: StatusCode,
        body: &[u8],
    ) -> Result<Self, ClientError> {
        let unreadable = |why: String| ClientError::Unreadable {
            operation: operation.name,
            status,
            why,
        };
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(Body::Json(Value::Null)));
        }
        match operation.api {
            Api::DynamoDb | Api::Lambda | Api::ApiGateway | Api::Acm => {
                serde_json::from_slice(body)
                    .map(|value| Self(Body::Json(value)))
                    .map_err(|error| unreadable(error.to_string()))
            }
            Api::Route53 => xml::parse(body)
                .map(|root| Self(Body::Xml(root)))
                .map_err(|error| unreadable(error.to_string())),
        }
    }

    /// Returns the text, number or truth value at a path of members.
    pub fn text(&self, path: &[&str]) -> Option<String> {
        self.root().text(path)
    }

    /// Returns the elements of the list at a path; `member` is their name in XML.
    pub fn items(&self, path: &[&str], member: &str) -> Vec<Node<'_>> {
        self.root().items(path, member)
    }

    /// Returns the place at a path of members.
    pub fn at(&self, path: &[&str]) -> Option<Node<'_>> {
        self.root().at(path)
    }

    /// Returns the name of an XML document's root, where it is an exception by itself.
    pub(super) fn root_name(&self) -> Option<String> {
        match &self.0 {
            Body::Json(_) => None,
            Body::Xml(root) => Some(root.name.clone()),
        }
    }

    fn root(&self) -> Node<'_> {
        match &self.0 {
            Body::Json(value) => Node::Json(value),
            Body::Xml(root) => Node::Xml(root),
        }
    }
}

impl Node<'_> {
    /// Returns the place at a path of members.
    pub fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |node, name| match node {
            Self::Json(value) => value.get(name).map(Self::Json),
            Self::Xml(element) => element.child(name).map(Self::Xml),
        })
    }

    /// Returns the text, number or truth value at a path of members.
    pub fn text(self, path: &[&str]) -> Option<String> {
        match self.at(path)? {
            Self::Json(Value::String(text)) => Some(text.clone()),
            Self::Json(Value::Number(number)) => Some(number.to_string()),
            Self::Json(Value::Bool(flag)) => Some(flag.to_string()),
            Self::Json(Value::Null | Value::Array(_) | Value::Object(_)) => None,
            Self::Xml(element) => Some(element.text.trim().to_owned()),
        }
    }

    /// Returns the elements of the list at a path; `member` is their name in XML.
    pub fn items(self, path: &[&str], member: &str) -> Vec<Self> {
        match self.at(path) {
            Some(Self::Json(value)) => {
                let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
                items.iter().map(Self::Json).collect()
            }
            Some(Self::Xml(element)) => element
                .children
                .iter()
                .filter(|child| child.name == member)
                .map(Self::Xml)
                .collect(),
            None => Vec::new(),
        }
    }

    /// Returns the entries of the map at a path; empty for XML.
    pub fn entries(self, path: &[&str]) -> Vec<(String, String)> {
        match self.at(path) {
            Some(Self::Json(Value::Object(members))) => members
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect(),
            Some(Self::Json(_) | Self::Xml(_)) | None => Vec::new(),
        }
    }
}
