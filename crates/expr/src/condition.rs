//! Conditions and filters: true or false of an item, or of there being none.
//!
//! A missing attribute is no error: it equals nothing, not even another missing one.
//! Source: DynamoDB developer guide, "Condition and filter expressions, operators, functions".

use std::borrow::Cow;
use std::cmp::Ordering;

use item::number::Number;
use item::value::{AttributeValue, Item, Kind};

use crate::path::Path;

mod search;

/// A condition on an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// All of them hold.
    And(Vec<Condition>),
    /// One of them holds.
    Or(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// Two values compare so.
    Compare {
        /// The value on the left.
        left: Operand,
        /// How it compares.
        comparator: Comparator,
        /// The value on the right.
        right: Operand,
    },
    /// A value lies between two others, or equals one of them.
    Between {
        /// The value.
        operand: Operand,
        /// The lower bound.
        lower: Operand,
        /// The upper bound.
        upper: Operand,
    },
    /// A value equals one of several.
    In {
        /// The value.
        operand: Operand,
        /// What it may equal.
        candidates: Vec<Operand>,
    },
    /// There is something at the path.
    Exists(Path),
    /// There is nothing at the path.
    NotExists(Path),
    /// A value has this type.
    HasType {
        /// The value.
        operand: Operand,
        /// The type.
        kind: Kind,
    },
    /// A text or bytes begin with another.
    BeginsWith {
        /// The text or bytes.
        operand: Operand,
        /// What they begin with.
        prefix: Operand,
    },
    /// A text or bytes contain another; a set or a list contains an element.
    Contains {
        /// The text, bytes, set or list.
        operand: Operand,
        /// What it contains.
        element: Operand,
    },
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// A value in a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// What is at a path of the item.
    Path(Path),
    /// A value of the request.
    Value(AttributeValue),
    /// The size of another operand.
    Size(Box<Operand>),
}

impl Condition {
    /// Returns whether the condition holds of an item, or of there being none.
    pub fn evaluate(&self, item: Option<&Item>) -> bool {
        match self {
            Self::And(all) => all.iter().all(|condition| condition.evaluate(item)),
            Self::Or(any) => any.iter().any(|condition| condition.evaluate(item)),
            Self::Not(condition) => !condition.evaluate(item),
            Self::Compare {
                left,
                comparator,
                right,
            } => compares(left.resolve(item), *comparator, right.resolve(item)),
            Self::Between {
                operand,
                lower,
                upper,
            } => {
                let operand = operand.resolve(item);
                compares(lower.resolve(item), Comparator::Le, operand.clone())
                    && compares(operand, Comparator::Le, upper.resolve(item))
            }
            Self::In {
                operand,
                candidates,
            } => {
                let operand = operand.resolve(item);
                let equals =
                    |candidate: &Operand| operand.is_some() && operand == candidate.resolve(item);
                candidates.iter().any(equals)
            }
            Self::Exists(path) => item.is_some_and(|item| path.get(item).is_some()),
            Self::NotExists(path) => item.is_none_or(|item| path.get(item).is_none()),
            Self::HasType { operand, kind } => operand
                .resolve(item)
                .is_some_and(|value| value.kind() == *kind),
            Self::BeginsWith { operand, prefix } => both(
                operand.resolve(item),
                prefix.resolve(item),
                search::begins_with,
            ),
            Self::Contains { operand, element } => both(
                operand.resolve(item),
                element.resolve(item),
                search::contains,
            ),
        }
    }

    /// Calls `visit` with each path that the condition reads.
    pub fn for_each_path<'c>(&'c self, visit: &mut dyn FnMut(&'c Path)) {
        match self {
            Self::And(conditions) | Self::Or(conditions) => {
                for condition in conditions {
                    condition.for_each_path(visit);
                }
            }
            Self::Not(condition) => condition.for_each_path(visit),
            Self::Exists(path) | Self::NotExists(path) => visit(path),
            Self::HasType { operand, kind: _ } => operand.for_path(visit),
            Self::Compare { left, right, .. } => {
                left.for_path(visit);
                right.for_path(visit);
            }
            Self::BeginsWith {
                operand,
                prefix: other,
            }
            | Self::Contains {
                operand,
                element: other,
            } => {
                operand.for_path(visit);
                other.for_path(visit);
            }
            Self::Between {
                operand,
                lower,
                upper,
            } => {
                operand.for_path(visit);
                lower.for_path(visit);
                upper.for_path(visit);
            }
            Self::In {
                operand,
                candidates,
            } => {
                operand.for_path(visit);
                for candidate in candidates {
                    candidate.for_path(visit);
                }
            }
        }
    }
}

impl Comparator {
    /// Returns the operator as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "<>",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }

    /// Reads an operator.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Eq, Self::Ne, Self::Lt, Self::Le, Self::Gt, Self::Ge]
            .into_iter()
            .find(|comparator| comparator.as_str() == text)
    }

    /// Returns whether the operator needs values that have an order.
    pub(crate) const fn is_ordering(self) -> bool {
        !matches!(self, Self::Eq | Self::Ne)
    }
}

impl Operand {
    fn resolve<'v>(&'v self, item: Option<&'v Item>) -> Option<Cow<'v, AttributeValue>> {
        match self {
            Self::Path(path) => path.get(item?).map(Cow::Borrowed),
            Self::Value(value) => Some(Cow::Borrowed(value)),
            Self::Size(operand) => {
                let size = size(operand.resolve(item)?.as_ref())?;
                Some(Cow::Owned(AttributeValue::N(size)))
            }
        }
    }

    fn for_path<'c>(&'c self, visit: &mut dyn FnMut(&'c Path)) {
        match self {
            Self::Path(path) => visit(path),
            Self::Value(_) => {}
            Self::Size(operand) => operand.for_path(visit),
        }
    }
}

/// Returns the order of two values; `None` where they have none.
pub(crate) fn order(one: &AttributeValue, two: &AttributeValue) -> Option<Ordering> {
    match (one, two) {
        (AttributeValue::S(one), AttributeValue::S(two)) => Some(one.cmp(two)),
        (AttributeValue::N(one), AttributeValue::N(two)) => Some(one.cmp(two)),
        (AttributeValue::B(one), AttributeValue::B(two)) => Some(one.cmp(two)),
        (_, _) => None,
    }
}

type Resolved<'v> = Option<Cow<'v, AttributeValue>>;

fn compares(left: Resolved<'_>, comparator: Comparator, right: Resolved<'_>) -> bool {
    let (Some(left), Some(right)) = (left, right) else {
        return comparator == Comparator::Ne;
    };
    let is = |test: fn(Ordering) -> bool| order(&left, &right).is_some_and(test);
    match comparator {
        Comparator::Eq => left == right,
        Comparator::Ne => left != right,
        Comparator::Lt => is(Ordering::is_lt),
        Comparator::Le => is(Ordering::is_le),
        Comparator::Gt => is(Ordering::is_gt),
        Comparator::Ge => is(Ordering::is_ge),
    }
}

fn both(
    one: Resolved<'_>,
    two: Resolved<'_>,
    test: fn(&AttributeValue, &AttributeValue) -> bool,
) -> bool {
    one.zip(two).is_some_and(|(one, two)| test(&one, &two))
}

/// Returns what `size` gives for a value; `None` for types that have no size.
fn size(value: &AttributeValue) -> Option<Number> {
    let size = match value {
        // UTF-16 code units, as the service counts them.
        AttributeValue::S(text) => text.encode_utf16().count(),
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::M(map) => map.len(),
        AttributeValue::L(list) => list.len(),
        AttributeValue::Ss(set) => set.len(),
        AttributeValue::Ns(set) => set.len(),
        AttributeValue::Bs(set) => set.len(),
        AttributeValue::N(_) | AttributeValue::Bool(_) | AttributeValue::Null => return None,
    };
    Some(Number::from(u64::try_from(size).ok()?))
}

#[cfg(test)]
mod tests;
