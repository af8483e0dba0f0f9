//! One call of an AWS operation, as a value: to be sent, or printed as a command.
//!
//! It is not signed and goes nowhere by itself.

mod command;
mod encode;

use base::region::RegionName;
use bytes::Bytes;

use crate::operation::Operation;

pub use encode::Encoded;

/// A call: which operation, in which region, with which parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The operation.
    pub operation: Operation,
    /// The region whose endpoint it goes to.
    pub region: RegionName,
    /// The parameters, in the order of the service model.
    pub parameters: Vec<(&'static str, Shape)>,
}

/// A parameter's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
    /// A truth value.
    Flag(bool),
    /// Bytes, and the name of the file that they would stand in on the command line.
    Blob {
        /// The bytes.
        bytes: Bytes,
        /// The file's name.
        file: String,
    },
    /// Values of one kind.
    List {
        /// The name of each element in XML.
        member: &'static str,
        /// The values.
        items: Vec<Shape>,
    },
    /// Members by name.
    Structure(Vec<(&'static str, Shape)>),
    /// Texts by a name that the user chooses.
    Map(Vec<(String, String)>),
}

impl Call {
    /// Makes a call without parameters.
    pub fn new(operation: Operation, region: &RegionName) -> Self {
        Self {
            operation,
            region: region.clone(),
            parameters: Vec::new(),
        }
    }

    /// Adds a parameter.
    pub fn with(mut self, name: &'static str, value: impl Into<Shape>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }

    /// Adds a parameter where there is a value for it.
    pub fn with_some(self, name: &'static str, value: Option<impl Into<Shape>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Returns the region that the call is signed for: global services have only one.
    pub fn signing_region(&self) -> &str {
        if self.operation.api.service().is_global() {
            "us-east-1"
        } else {
            self.region.as_str()
        }
    }
}

impl From<&str> for Shape {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Shape {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Shape {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i64> for Shape {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// Makes a structure.
pub fn structure<const N: usize>(members: [(&'static str, Shape); N]) -> Shape {
    Shape::Structure(members.into())
}

#[cfg(test)]
mod tests;
