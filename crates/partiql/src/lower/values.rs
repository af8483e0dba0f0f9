//! Values: literals, and the parameters among them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use item::number::Number;
use item::value::AttributeValue;

use super::{Bound, VALUE_LEVELS_MAX};
use crate::ast::{Literal, Node, NodeKind};
use crate::error::{OperandProblem, PartiqlError, Position, ValueProblem};

impl Bound<'_> {
    /// Returns the value that a literal is.
    pub(super) fn value(self, node: &Node) -> Result<AttributeValue, PartiqlError> {
        Ok(self.value_at(node, &Place::root())?)
    }

    /// Returns the attributes that a tuple is: they alone nest, not the item that they make.
    pub(super) fn attributes(
        self,
        node: &Node,
    ) -> Result<BTreeMap<String, AttributeValue>, PartiqlError> {
        let at = node.at;
        let NodeKind::Literal(Literal::Tuple(entries)) = &node.kind else {
            return Err(ValueProblem::NoItem { at }.into());
        };
        if entries.iter().any(|(key, _)| text(key) == Some("")) {
            return Err(OperandProblem::EmptyName.into());
        }
        let mut attributes = BTreeMap::new();
        for (key, value) in entries {
            let name = key_name(key, &Place::root())?;
            // Messages about an attribute name places in its value, not in the item.
            let value = self.value_at(value, &Place::root())?;
            if attributes.insert(name.to_owned(), value).is_some() {
                return Err(duplicate(name, &Place::root(), key.at).into());
            }
        }
        Ok(attributes)
    }

    fn value_at(self, node: &Node, place: &Place<'_>) -> Result<AttributeValue, ValueProblem> {
        let (path, at) = (|| place.to_string(), node.at);
        let NodeKind::Literal(literal) = &node.kind else {
            let what = if let (NodeKind::Path(path), None) = (&node.kind, place.parent) {
                path.name().to_owned()
            } else {
                node.shown()
            };
            let path = path();
            return Err(ValueProblem::NoValue { what, path, at });
        };
        Ok(match literal {
            Literal::Null => AttributeValue::Null,
            Literal::Bool(truth) => AttributeValue::Bool(*truth),
            Literal::Text(text) => AttributeValue::S(text.clone()),
            Literal::Number(text) => {
                let number = Number::parse(text).map_err(ValueProblem::Number)?;
                if number.is_zero() && text.starts_with('-') && text.contains('.') {
                    return Err(ValueProblem::NegativeZero { path: path(), at });
                }
                AttributeValue::N(number)
            }
            Literal::Parameter(number) => self.parameter(*number),
            Literal::List(elements) => {
                place.check_depth()?;
                let element = |(at, element)| self.value_at(element, &place.element(at));
                let elements = elements.iter().enumerate().map(element);
                AttributeValue::L(elements.collect::<Result<_, _>>()?)
            }
            Literal::Tuple(entries) => {
                place.check_depth()?;
                let mut map = BTreeMap::new();
                for (key, value) in entries {
                    let name = key_name(key, place)?;
                    let value = self.value_at(value, &place.entry(name))?;
                    if map.insert(name.to_owned(), value).is_some() {
                        return Err(duplicate(name, place, at));
                    }
                }
                AttributeValue::M(map)
            }
            Literal::Bag(elements) => self.set(node, elements, place)?,
            Literal::Ion(text) => {
                return Err(ValueProblem::Ion {
                    text: text.clone(),
                    path: path(),
                    at,
                });
            }
        })
    }

    fn parameter(self, number: usize) -> AttributeValue {
        let parameter = self.parameters.get(number).cloned();
        debug_assert!(parameter.is_some(), "parameters were counted");
        parameter.unwrap_or(AttributeValue::Null)
    }

    /// Returns the set that a bag is: of one type, and with each element once.
    fn set(
        self,
        bag: &Node,
        elements: &[Node],
        place: &Place<'_>,
    ) -> Result<AttributeValue, ValueProblem> {
        if elements.is_empty() {
            return Err(ValueProblem::EmptySet { at: bag.at });
        }
        let (mut texts, mut numbers, mut bytes) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for element in elements {
            let at = element.at;
            if !matches!(element.kind, NodeKind::Literal(_)) {
                return Err(ValueProblem::SetElement { at });
            }
            let fresh = match self.value_at(element, place)? {
                AttributeValue::S(text) => texts.insert(text),
                AttributeValue::N(number) => numbers.insert(number),
                AttributeValue::B(one) => bytes.insert(one),
                AttributeValue::Bool(_)
                | AttributeValue::Null
                | AttributeValue::M(_)
                | AttributeValue::L(_)
                | AttributeValue::Ss(_)
                | AttributeValue::Ns(_)
                | AttributeValue::Bs(_) => return Err(ValueProblem::SetElement { at }),
            };
            if !fresh {
                return Err(ValueProblem::SetDuplicate);
            }
        }
        match (texts.is_empty(), numbers.is_empty(), bytes.is_empty()) {
            (false, true, true) => Ok(AttributeValue::Ss(texts)),
            (true, false, true) => Ok(AttributeValue::Ns(numbers)),
            (true, true, false) => Ok(AttributeValue::Bs(bytes)),
            (_, _, _) => Err(ValueProblem::SetMixed),
        }
    }
}

/// Returns the name that a key of a map is.
fn key_name<'n>(key: &'n Node, place: &Place<'_>) -> Result<&'n str, ValueProblem> {
    text(key).ok_or_else(|| ValueProblem::KeyType {
        what: key.shown(),
        path: place.to_string(),
        at: key.at,
    })
}

fn text(node: &Node) -> Option<&str> {
    if let NodeKind::Literal(Literal::Text(text)) = &node.kind {
        Some(text)
    } else {
        None
    }
}

fn duplicate(key: &str, place: &Place<'_>, at: Position) -> ValueProblem {
    ValueProblem::DuplicateKey {
        key: key.to_owned(),
        path: place.to_string(),
        at,
    }
}

/// Where in a value something stands: only messages need it as a text.
struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    step: Step<'p>,
    /// How many lists and maps are around it.
    depth: usize,
}

enum Step<'p> {
    Root,
    Entry(&'p str),
    Element(usize),
}

impl Place<'_> {
    const fn root() -> Self {
        Self {
            parent: None,
            step: Step::Root,
            depth: 0,
        }
    }

    const fn entry<'p>(&'p self, name: &'p str) -> Place<'p> {
        self.below(Step::Entry(name))
    }

    const fn element(&self, at: usize) -> Place<'_> {
        self.below(Step::Element(at))
    }

    const fn below<'p>(&'p self, step: Step<'p>) -> Place<'p> {
        Place {
            parent: Some(self),
            step,
            depth: self.depth + 1,
        }
    }

    /// Refuses one more list or map.
    const fn check_depth(&self) -> Result<(), ValueProblem> {
        if self.depth >= VALUE_LEVELS_MAX {
            return Err(ValueProblem::TooDeep);
        }
        Ok(())
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}.")?;
        }
        match self.step {
            Step::Root => f.write_str("root"),
            Step::Entry(name) => f.write_str(name),
            Step::Element(at) => write!(f, "{at}"),
        }
    }
}
