//! One condition of a statement: an operator, a key, the values that it is compared with.
//!
//! It reads no documents. What cannot be decided is neither yes nor no: an allow does not apply
//! then, a deny does.
//! Source: IAM user guide, "IAM JSON policy elements: Condition operators", "Conditions with
//! multiple context keys or values", "Multivalued context keys".

use std::net::IpAddr;

use item::number::Number;

use crate::arn::{ArnPattern, Target};
use crate::context::{Context, Value};
use crate::keys;
use crate::literal::{self, Network};
use crate::operator::{Operator, Quantifier, Test};
use crate::template::{Match, Template};

/// Whether something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// It cannot be told.
    Undecided,
}

/// A condition.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) operator: Operator,
    /// The key, in lower case.
    pub(crate) key: Box<str>,
    pub(crate) wanted: Box<[Wanted]>,
}

/// A value of a policy, read as its operator wants it.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    Text(Template),
    Number(Number),
    /// Microseconds since 1970.
    Time(i64),
    Bool(bool),
    Binary(Box<[u8]>),
    Network(Network),
    Arn(ArnPattern),
}

impl Answer {
    pub(crate) fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Undecided => Self::Undecided,
        }
    }

    /// Both of two.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            (Self::Undecided, _) | (_, Self::Undecided) => Self::Undecided,
        }
    }

    /// Either of two.
    pub(crate) fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }
}

impl Condition {
    /// Returns whether it looks at a key, in lower case, by itself or by a variable.
    pub(crate) fn mentions(&self, key: &str) -> bool {
        keys::is_asked(&self.key, key)
            || self.wanted.iter().any(|wanted| match wanted {
                Wanted::Text(template) => template.mentions(key),
                Wanted::Arn(pattern) => pattern.mentions(key),
                Wanted::Number(_)
                | Wanted::Time(_)
                | Wanted::Bool(_)
                | Wanted::Binary(_)
                | Wanted::Network(_) => false,
            })
    }

    /// Returns whether the condition holds of a request.
    pub(crate) fn holds(&self, context: &Context<'_>) -> Answer {
        let Operator {
            test,
            negated,
            quantifier,
            if_exists,
        } = self.operator;
        // Absent, or there with any value: no operator can tell.
        let Some(values) = context.values(&self.key) else {
            return Answer::Undecided;
        };
        if test == Test::Null {
            let is_absent = values.is_empty();
            let wants = |wanted: &Wanted| matches!(wanted, Wanted::Bool(is) if *is == is_absent);
            return Answer::of(self.wanted.iter().any(wants));
        }
        if values.is_empty() {
            return Answer::of(match quantifier {
                _ if if_exists => true,
                Quantifier::One => negated,
                Quantifier::All => true,
                Quantifier::Any => false,
            });
        }
        let mut answers = values.iter().map(|value| {
            let met = self.is_met_by(value, context);
            if negated { met.not() } else { met }
        });
        match quantifier {
            Quantifier::All => answers.fold(Answer::Yes, Answer::and),
            Quantifier::Any => answers.fold(Answer::No, Answer::or),
            Quantifier::One => {
                // An operator for one value says nothing of several that differ.
                let first = answers.next().unwrap_or(Answer::Undecided);
                if answers.all(|answer| answer == first) {
                    first
                } else {
                    Answer::Undecided
                }
            }
        }
    }

    /// Returns whether one of the policy's values is met.
    fn is_met_by(&self, value: &Value<'_>, context: &Context<'_>) -> Answer {
        let one = |wanted: &Wanted| match self.compare(value, wanted, context) {
            Some(holds) => Answer::of(holds),
            None => Answer::Undecided,
        };
        self.wanted.iter().map(one).fold(Answer::No, Answer::or)
    }

    /// Compares a value with one of the policy's; `None` where it is of no such kind, or where
    /// nothing is known of a variable.
    fn compare(&self, value: &Value<'_>, wanted: &Wanted, context: &Context<'_>) -> Option<bool> {
        match (self.operator.test, wanted) {
            (Test::TextAnyCase, Wanted::Text(template)) => {
                is_equal(template.matches_any_case(&value.to_text()?, context))
            }
            (Test::Text | Test::TextLike, Wanted::Text(template)) => {
                is_equal(template.matches(&value.to_text()?, context))
            }
            (Test::Arn, Wanted::Arn(pattern)) => {
                let text = value.to_text()?;
                let target = Target::of(&text);
                if target.is_arn() {
                    is_equal(pattern.matches(&target, context))
                } else {
                    Some(false)
                }
            }
            (Test::Number(order), Wanted::Number(wanted)) => {
                Some(order.holds(&number_of(value)?, wanted))
            }
            (Test::Date(order), Wanted::Time(wanted)) => {
                Some(order.holds(&time_of(value)?, wanted))
            }
            (Test::Bool, Wanted::Bool(wanted)) => Some(bool_of(value)? == *wanted),
            (Test::Binary, Wanted::Binary(wanted)) => Some(*value.to_bytes()? == **wanted),
            (Test::Ip, Wanted::Network(network)) => Some(network.contains(address_of(value)?)),
            // Values are read for their own operator: no other pair is ever made.
            (
                Test::Text
                | Test::TextAnyCase
                | Test::TextLike
                | Test::Number(_)
                | Test::Date(_)
                | Test::Bool
                | Test::Binary
                | Test::Ip
                | Test::Arn
                | Test::Null,
                _,
            ) => None,
        }
    }
}

fn is_equal(found: Match) -> Option<bool> {
    match found {
        Match::Yes => Some(true),
        // A variable without a value equals nothing.
        Match::No | Match::Valueless => Some(false),
        Match::Unknown => None,
    }
}

fn number_of(value: &Value<'_>) -> Option<Number> {
    match value {
        Value::Integer(number) => Some(Number::from(*number)),
        Value::Text(text) => literal::number(text),
        Value::Bool(_) | Value::Time(_) | Value::Ip(_) | Value::Binary(_) => None,
    }
}

fn time_of(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Time(time) => Some(time.as_micros()),
        Value::Integer(seconds) => seconds.checked_mul(1_000_000),
        Value::Text(text) => literal::time(text),
        Value::Bool(_) | Value::Ip(_) | Value::Binary(_) => None,
    }
}

fn bool_of(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(*is),
        Value::Text(text) => literal::truth(text),
        Value::Integer(_) | Value::Time(_) | Value::Ip(_) | Value::Binary(_) => None,
    }
}

fn address_of(value: &Value<'_>) -> Option<IpAddr> {
    match value {
        Value::Ip(address) => Some(*address),
        Value::Text(text) => text.parse().ok(),
        Value::Bool(_) | Value::Integer(_) | Value::Time(_) | Value::Binary(_) => None,
    }
}
