//! Conditions: operators, keys and values, read as each operator wants them.
//!
//! It compares nothing.
//! Source: IAM user guide, "IAM JSON policy elements: Condition".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::arn::ArnPattern;
use crate::condition::{Condition, Wanted};
use crate::json::Node;
use crate::literal::{self, Network};
use crate::mistake::Problem;
use crate::operator::{Operator, Test};
use crate::read::Reader;
use crate::template::{self, Template, Variables, Wildcards};

impl Reader {
    /// Returns the conditions that are known, and whether there are others.
    pub(super) fn conditions(&mut self, node: &Node, at: &str) -> (Vec<Condition>, bool) {
        let mut conditions = Vec::new();
        let mut has_others = false;
        for (name, node) in self.members(node, at).unwrap_or_default() {
            let place = format!("{at}.{name}");
            let Some(operator) = Operator::parse(name) else {
                has_others = true;
                self.tell_newer(place, Problem::Operator(name.to_owned()));
                continue;
            };
            let mut keys: Vec<Box<str>> = Vec::new();
            for (key, node) in self.members(node, &place).unwrap_or_default() {
                let at = format!("{place}[{key:?}]");
                if !is_key(key) {
                    self.tell(at.clone(), Problem::Vendor);
                }
                let key: Box<str> = key.to_lowercase().into();
                if keys.contains(&key) {
                    self.tell(place.clone(), Problem::Twice(key.clone().into()));
                }
                keys.push(key.clone());
                conditions.push(Condition {
                    operator,
                    key,
                    wanted: self.wanted(node, &at, name, operator),
                });
            }
        }
        (conditions, has_others)
    }

    fn wanted(&mut self, node: &Node, at: &str, name: &str, operator: Operator) -> Box<[Wanted]> {
        let (list, is_list) = node.items();
        if list.is_empty() {
            self.tell(at.to_owned(), Problem::Empty("Condition"));
        }
        let mut wanted = Vec::with_capacity(list.len());
        for (index, node) in list.iter().enumerate() {
            let parsed = match scalar(node) {
                Some(text) => parse(&text, operator.test, self.variables).and_then(|wanted| {
                    wanted.ok_or_else(|| Problem::Value {
                        operator: name.to_owned(),
                        value: text,
                    })
                }),
                None => Err(Problem::Wanted("a string, a number or a boolean")),
            };
            match parsed {
                Ok(parsed) => wanted.push(parsed),
                Err(problem) if is_list => self.tell(format!("{at}[{index}]"), problem),
                Err(problem) => self.tell(at.to_owned(), problem),
            }
        }
        wanted.into()
    }
}

/// Returns a value as text, as policies quote numbers and booleans.
fn scalar(node: &Node) -> Option<String> {
    match node {
        Node::Text(text) | Node::Number(text) => Some(text.clone()),
        Node::Bool(is) => Some(is.to_string()),
        Node::Null | Node::List(_) | Node::Map(_) => None,
    }
}

/// Reads a value for its operator; `None` where it does not suit it.
fn parse(text: &str, test: Test, variables: Variables) -> Result<Option<Wanted>, Problem> {
    let template = |wildcards| {
        let parts = template::read(text, variables, wildcards);
        parts
            .map(|parts| Some(Wanted::Text(Template::of(parts))))
            .map_err(|_| Problem::Variable(text.to_owned()))
    };
    match test {
        Test::Text | Test::TextAnyCase => template(Wildcards::No),
        Test::TextLike => template(Wildcards::Yes),
        Test::Arn => {
            let pattern = ArnPattern::parse_value(text, variables)?;
            Ok(pattern.map(Wanted::Arn))
        }
        Test::Number(_) => Ok(literal::number(text).map(Wanted::Number)),
        Test::Date(_) => Ok(literal::time(text).map(Wanted::Time)),
        Test::Bool | Test::Null => Ok(literal::truth(text).map(Wanted::Bool)),
        Test::Binary => {
            let bytes = STANDARD.decode(text).ok();
            Ok(bytes.map(|bytes| Wanted::Binary(bytes.into())))
        }
        Test::Ip => Ok(Network::parse(text).map(Wanted::Network)),
    }
}

/// Returns whether a key has a service before its name, as in `aws:SourceIp`.
fn is_key(key: &str) -> bool {
    key.split_once(':').is_some_and(|(vendor, name)| {
        let is_vendor =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/');
        !vendor.is_empty() && vendor.bytes().all(is_vendor) && !name.is_empty()
    })
}
