//! Condition operators by name: what they test, how they take several values, what absence means.
//!
//! Source: IAM user guide, "IAM JSON policy elements: Condition operators".

/// An operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) test: Test,
    /// Whether it wants that nothing listed is met.
    pub(crate) negated: bool,
    pub(crate) quantifier: Quantifier,
    /// Whether a key that is absent satisfies it.
    pub(crate) if_exists: bool,
}

/// What is compared, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Text,
    TextAnyCase,
    TextLike,
    Number(Order),
    Date(Order),
    Bool,
    Binary,
    Ip,
    Arn,
    /// Whether the key is absent.
    Null,
}

/// How the request's value stands to the policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Which of a request's values are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// The one that there is.
    One,
    /// `ForAllValues:`
    All,
    /// `ForAnyValue:`
    Any,
}

impl Operator {
    /// Reads a name; it has no case. `None` for an operator that there is not.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let (quantifier, rest) = match name.split_once(':') {
            None => (Quantifier::One, name.as_str()),
            Some(("forallvalues", rest)) => (Quantifier::All, rest),
            Some(("foranyvalue", rest)) => (Quantifier::Any, rest),
            Some(_) => return None,
        };
        let (base, if_exists) = match rest.strip_suffix("ifexists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (test, negated) = test_of(base)?;
        // Whether a key exists is what `Null` asks itself.
        let is_plain = quantifier == Quantifier::One && !if_exists;
        (test != Test::Null || is_plain).then_some(Self {
            test,
            negated,
            quantifier,
            if_exists,
        })
    }
}

impl Order {
    pub(crate) fn holds<T: Ord>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

fn test_of(name: &str) -> Option<(Test, bool)> {
    Some(match name {
        "stringequals" => (Test::Text, false),
        "stringnotequals" => (Test::Text, true),
        "stringequalsignorecase" => (Test::TextAnyCase, false),
        "stringnotequalsignorecase" => (Test::TextAnyCase, true),
        "stringlike" => (Test::TextLike, false),
        "stringnotlike" => (Test::TextLike, true),
        "bool" => (Test::Bool, false),
        "binaryequals" => (Test::Binary, false),
        "ipaddress" => (Test::Ip, false),
        "notipaddress" => (Test::Ip, true),
        "arnequals" | "arnlike" => (Test::Arn, false),
        "arnnotequals" | "arnnotlike" => (Test::Arn, true),
        "null" => (Test::Null, false),
        _ => {
            let (order, negated) = order_of(
                name.strip_prefix("numeric")
                    .or_else(|| name.strip_prefix("date"))?,
            )?;
            let test = if name.starts_with("numeric") {
                Test::Number(order)
            } else {
                Test::Date(order)
            };
            (test, negated)
        }
    })
}

fn order_of(name: &str) -> Option<(Order, bool)> {
    Some(match name {
        "equals" => (Order::Equal, false),
        "notequals" => (Order::Equal, true),
        "lessthan" => (Order::Less, false),
        "lessthanequals" => (Order::LessOrEqual, false),
        "greaterthan" => (Order::Greater, false),
        "greaterthanequals" => (Order::GreaterOrEqual, false),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
