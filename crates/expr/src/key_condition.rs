//! Key conditions: which partition a query reads, and which range of its sort keys.
//!
//! Parsing needs no table; [`KeyCondition::bind`] needs its key schema.
//! Source: DynamoDB developer guide, "Key condition expressions for the Query operation".

use item::key::{
    KeyAttribute, KeyError, KeyRole, KeySchema, KeyValue, encode_sort, encode_sort_prefix,
    prefix_end,
};
use item::value::AttributeValue;

use crate::condition::{Comparator, Condition, Operand};
use crate::error::KeyConditionProblem;

pub mod index;

/// Conditions on one or more attributes, not yet matched with a key schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCondition {
    tests: Vec<(String, KeyTest)>,
}

/// A condition on one key attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyTest {
    /// Equal to.
    Eq(AttributeValue),
    /// Less than.
    Lt(AttributeValue),
    /// Less than or equal to.
    Le(AttributeValue),
    /// Greater than.
    Gt(AttributeValue),
    /// Greater than or equal to.
    Ge(AttributeValue),
    /// Between two values or equal to one of them.
    Between(AttributeValue, AttributeValue),
    /// Beginning with.
    BeginsWith(AttributeValue),
}

/// What a query reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The partition.
    pub partition: KeyValue,
    /// The range of sort keys; all of them where there is none.
    pub sort: Option<SortRange>,
}

/// A range of sort keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortRange {
    /// Equal to.
    Eq(KeyValue),
    /// Less than.
    Lt(KeyValue),
    /// Less than or equal to.
    Le(KeyValue),
    /// Greater than.
    Gt(KeyValue),
    /// Greater than or equal to.
    Ge(KeyValue),
    /// Between two values or equal to one of them.
    Between(KeyValue, KeyValue),
    /// Beginning with.
    BeginsWith(KeyValue),
}

/// A key condition that does not fit the key schema. `Display` is DynamoDB's own wording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// There is no condition on a key attribute, or one on an attribute beside the key.
    #[error("Query condition missed key schema element: {name}")]
    Missed {
        /// The key attribute.
        name: String,
    },
    /// The partition key is not tested for equality, or there is no sort key to test.
    #[error("Query key condition not supported")]
    NotSupported,
    /// There are more conditions than the key has attributes.
    #[error("Conditions can be of length 1 or 2 only")]
    TooMany,
    /// A value has another type than the key attribute.
    #[error(
        "One or more parameter values were invalid: \
         Condition parameter type does not match schema type"
    )]
    WrongType,
    /// A value can be no key.
    #[error(transparent)]
    Key(KeyError),
}

impl KeyCondition {
    /// Makes a key condition of tests, as `KeyConditions` gives them.
    ///
    /// Errors: [`KeyConditionProblem`] for two tests of one attribute, or more than any key has
    /// attributes.
    pub fn new(tests: Vec<(String, KeyTest)>) -> Result<Self, KeyConditionProblem> {
        let names = || tests.iter().map(|(name, _)| name);
        if names()
            .enumerate()
            .any(|(at, name)| names().take(at).any(|earlier| earlier == name))
        {
            return Err(KeyConditionProblem::Repeated);
        }
        if tests.len() > TESTS_MAX {
            return Err(KeyConditionProblem::TooMany);
        }
        Ok(Self { tests })
    }

    /// Returns the tests, each of another attribute.
    pub fn tests(&self) -> &[(String, KeyTest)] {
        &self.tests
    }

    /// Makes a key condition of a condition, if it is one.
    pub(crate) fn of(condition: Condition) -> Result<Self, KeyConditionProblem> {
        let mut tests = Vec::new();
        collect(condition, &mut tests)?;
        Self::new(tests)
    }

    /// Returns the range that the condition means in a table or index of this key schema.
    ///
    /// Errors: [`BindError`] when the condition and the schema do not fit.
    pub fn bind(&self, schema: &KeySchema) -> Result<KeyRange, BindError> {
        if self.tests.len() > 2 {
            return Err(BindError::TooMany);
        }
        let partition = std::slice::from_ref(&schema.partition);
        let mut found = self.bind_index(partition, schema.sort.as_slice())?;
        let partition = found.partition.pop();
        Ok(KeyRange {
            partition: partition.expect("each attribute of the partition has a value"),
            sort: found.equal.pop().map(SortRange::Eq).or(found.range),
        })
    }
}

impl KeyTest {
    fn bind(&self, sort: &KeyAttribute) -> Result<SortRange, BindError> {
        let value = |value: &AttributeValue| key_value(sort, value, KeyRole::Sort);
        Ok(match self {
            Self::Eq(bound) => SortRange::Eq(value(bound)?),
            Self::Lt(bound) => SortRange::Lt(value(bound)?),
            Self::Le(bound) => SortRange::Le(value(bound)?),
            Self::Gt(bound) => SortRange::Gt(value(bound)?),
            Self::Ge(bound) => SortRange::Ge(value(bound)?),
            Self::Between(lower, upper) => SortRange::Between(value(lower)?, value(upper)?),
            Self::BeginsWith(prefix) => SortRange::BeginsWith(value(prefix)?),
        })
    }
}

impl SortRange {
    /// Returns the longest of the values that it is tested against.
    fn longest(&self) -> &KeyValue {
        match self {
            Self::Eq(value)
            | Self::Lt(value)
            | Self::Le(value)
            | Self::Gt(value)
            | Self::Ge(value)
            | Self::BeginsWith(value) => value,
            Self::Between(low, high) if low.bytes() < high.bytes() => high,
            Self::Between(low, _) => low,
        }
    }

    /// Returns the encoded sort keys of the range: from the first one, up to but not with the
    /// second.
    ///
    /// Shape: empty or `None` where the range is open on that side.
    pub fn bytes(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        // The encodings delimit themselves, so those above a value's start at its prefix's end.
        let after = |value: &KeyValue| prefix_end(&encode_sort(value));
        let open = Vec::new;
        match self {
            Self::Eq(value) => (encode_sort(value), after(value)),
            Self::Lt(value) => (open(), Some(encode_sort(value))),
            Self::Le(value) => (open(), after(value)),
            Self::Gt(value) => (after(value).unwrap_or_default(), None),
            Self::Ge(value) => (encode_sort(value), None),
            Self::Between(lower, upper) => (encode_sort(lower), after(upper)),
            Self::BeginsWith(prefix) => {
                let prefix = encode_sort_prefix(prefix);
                let end = prefix_end(&prefix);
                (prefix, end)
            }
        }
    }

    /// Returns whether the range holds a sort key.
    pub fn contains(&self, sort: &KeyValue) -> bool {
        match self {
            Self::Eq(value) => sort == value,
            Self::Lt(value) => sort < value,
            Self::Le(value) => sort <= value,
            Self::Gt(value) => sort > value,
            Self::Ge(value) => sort >= value,
            Self::Between(lower, upper) => lower <= sort && sort <= upper,
            Self::BeginsWith(prefix) => match (sort, prefix) {
                (KeyValue::S(sort), KeyValue::S(prefix)) => sort.starts_with(prefix.as_str()),
                (KeyValue::B(sort), KeyValue::B(prefix)) => sort.starts_with(prefix),
                (_, _) => sort == prefix,
            },
        }
    }
}

/// Most attributes of a key, four of the partition and four that order it.
/// Source: DynamoDB developer guide, "Multi-attribute keys pattern".
const TESTS_MAX: usize = 8;

fn key_value(
    attribute: &KeyAttribute,
    value: &AttributeValue,
    role: KeyRole,
) -> Result<KeyValue, BindError> {
    attribute
        .value_of(value, role)
        .map_err(|error| match error {
            KeyError::WrongType { .. } => BindError::WrongType,
            error @ (KeyError::Missing { .. }
            | KeyError::Empty { .. }
            | KeyError::TooLong { .. }
            | KeyError::Surplus { .. }) => BindError::Key(error),
        })
}

/// Adds the tests of a condition to `tests`.
fn collect(
    condition: Condition,
    tests: &mut Vec<(String, KeyTest)>,
) -> Result<(), KeyConditionProblem> {
    let operator = |operator| Err(KeyConditionProblem::Operator { operator });
    match condition {
        Condition::And(all) => all.into_iter().try_for_each(|one| collect(one, tests)),
        Condition::Or(_) => operator("OR"),
        Condition::Not(_) => operator("NOT"),
        Condition::In { .. } => operator("IN"),
        Condition::Exists(_) => operator("attribute_exists"),
        Condition::NotExists(_) => operator("attribute_not_exists"),
        Condition::HasType { .. } => operator("attribute_type"),
        Condition::Contains { .. } => operator("contains"),
        Condition::Compare {
            left,
            comparator,
            right,
        } => {
            let (name, value, comparator) = compared(left, comparator, right)?;
            let test = match comparator {
                Comparator::Eq => KeyTest::Eq,
                Comparator::Ne => return operator("<>"),
                Comparator::Lt => KeyTest::Lt,
                Comparator::Le => KeyTest::Le,
                Comparator::Gt => KeyTest::Gt,
                Comparator::Ge => KeyTest::Ge,
            };
            tests.push((name, test(value)));
            Ok(())
        }
        Condition::Between {
            operand,
            lower,
            upper,
        } => {
            let name = name_first("BETWEEN", operand)?;
            tests.push((name, KeyTest::Between(literal(lower)?, literal(upper)?)));
            Ok(())
        }
        Condition::BeginsWith { operand, prefix } => {
            let name = name_first("begins_with", operand)?;
            tests.push((name, KeyTest::BeginsWith(literal(prefix)?)));
            Ok(())
        }
    }
}

/// Returns a comparison as name, value and operator, turned round where the name is on the right.
fn compared(
    left: Operand,
    comparator: Comparator,
    right: Operand,
) -> Result<(String, AttributeValue, Comparator), KeyConditionProblem> {
    let turned = match comparator {
        same @ (Comparator::Eq | Comparator::Ne) => same,
        Comparator::Lt => Comparator::Gt,
        Comparator::Le => Comparator::Ge,
        Comparator::Gt => Comparator::Lt,
        Comparator::Ge => Comparator::Le,
    };
    match (left, right) {
        (Operand::Path(_), Operand::Path(_)) => Err(KeyConditionProblem::ManyNames),
        (Operand::Size(_), _) | (_, Operand::Size(_)) => Err(KeyConditionProblem::Nested),
        (Operand::Value(_), Operand::Value(_)) => Err(KeyConditionProblem::NoName),
        (path @ Operand::Path(_), Operand::Value(value)) => {
            Ok((name_first("=", path)?, value, comparator))
        }
        (Operand::Value(value), path @ Operand::Path(_)) => {
            Ok((name_first("=", path)?, value, turned))
        }
    }
}

fn name_first(operator: &'static str, operand: Operand) -> Result<String, KeyConditionProblem> {
    match operand {
        Operand::Path(path) if path.steps().is_empty() => Ok(path.name().to_owned()),
        Operand::Path(_) => Err(KeyConditionProblem::NestedPath),
        Operand::Size(_) => Err(KeyConditionProblem::Nested),
        Operand::Value(_) => Err(KeyConditionProblem::NameNotFirst { operator }),
    }
}

fn literal(operand: Operand) -> Result<AttributeValue, KeyConditionProblem> {
    match operand {
        Operand::Value(value) => Ok(value),
        Operand::Path(_) => Err(KeyConditionProblem::ManyNames),
        Operand::Size(_) => Err(KeyConditionProblem::Nested),
    }
}

#[cfg(test)]
mod tests;
