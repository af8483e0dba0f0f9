//! The parameters from before expressions, as the same structures that expressions become.
//!
//! Source: DynamoDB developer guide, "Legacy conditional parameters".

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use expr::condition::{Comparator, Condition, Operand};
use expr::error::EvalError;
use expr::key_condition::{KeyCondition, KeyTest};
use expr::path::Path;
use expr::update::{Action, SetOperand, SetValue, Update};
use item::value::{AttributeValue, Kind};

use crate::choices::{AttributeAction, ComparisonOperator, ConditionalOperator};
use crate::fault::{self, Refused};
use crate::wire::shape;
use crate::wire::value::{ValueIn, check_name};

shape! {
    /// A condition on an attribute, in `KeyConditions`, `QueryFilter` and `ScanFilter`.
    ConditionIn {
        values: "AttributeValueList" as Vec<ValueIn>,
        operator: "ComparisonOperator" as String,
    }
}

shape! {
    /// A condition on an attribute, in `Expected`.
    ExpectedIn {
        value: "Value" as ValueIn,
        exists: "Exists" as bool,
        values: "AttributeValueList" as Vec<ValueIn>,
        operator: "ComparisonOperator" as String,
    }
}

shape! {
    /// What becomes of an attribute, in `AttributeUpdates`.
    UpdateIn {
        value: "Value" as ValueIn,
        action: "Action" as String,
    }
}

/// Legacy conditions by attribute.
pub(crate) type ConditionsIn = BTreeMap<String, ConditionIn>;
/// Legacy expectations by attribute.
pub(crate) type ExpectationsIn = BTreeMap<String, ExpectedIn>;
/// Legacy updates by attribute.
pub(crate) type UpdatesIn = BTreeMap<String, UpdateIn>;

/// A legacy condition whose shape has been checked.
struct Test {
    name: String,
    operator: ComparisonOperator,
    values: Vec<AttributeValue>,
}

/// Returns `QueryFilter` or `ScanFilter` as a condition; `None` where there is none.
///
/// Errors: `ValidationException`.
pub(crate) fn filter(
    conditions: Option<ConditionsIn>,
    joined: Option<ConditionalOperator>,
) -> Result<Option<Condition>, Refused> {
    let tests = tests(conditions.unwrap_or_default())?;
    check_joined(joined, tests.len())?;
    Ok(join(
        tests.into_iter().map(Test::into_condition).collect(),
        joined,
    ))
}

/// Returns `Expected` as a condition; `None` where there is none.
///
/// Errors: `ValidationException`.
pub(crate) fn expected(
    expectations: Option<ExpectationsIn>,
    joined: Option<ConditionalOperator>,
) -> Result<Option<Condition>, Refused> {
    let expectations = expectations.unwrap_or_default();
    check_joined(joined, expectations.len())?;
    let conditions = expectations.into_iter().map(|(name, expectation)| {
        let test = expectation.into_test(name)?;
        Ok(test.into_condition())
    });
    Ok(join(
        conditions.collect::<Result<Vec<_>, Refused>>()?,
        joined,
    ))
}

/// Returns `KeyConditions` as a key condition.
///
/// Errors: `ValidationException`.
pub(crate) fn key_conditions(conditions: ConditionsIn) -> Result<KeyCondition, Refused> {
    let tests = tests(conditions)?;
    if tests.is_empty() {
        let message = "Either the KeyConditions or KeyConditionExpression parameter must be \
                       specified in the request.";
        return Err(fault::validation(message).into());
    }
    let tests: Result<Vec<_>, Fault> = tests.into_iter().map(Test::into_key_test).collect();
    let condition = KeyCondition::new(tests?);
    Ok(condition.map_err(|problem| fault::validation(problem.to_string()))?)
}

/// Returns `AttributeUpdates` as an update.
///
/// Errors: `ValidationException`.
pub(crate) fn updates(updates: UpdatesIn) -> Result<Update, Refused> {
    let actions = updates
        .into_iter()
        .map(|(name, update)| update.into_action(name));
    let actions = actions.collect::<Result<Vec<_>, Refused>>()?;
    let update = Update::new(actions);
    Ok(update.map_err(|(_, one, _)| fault::validation(format!("{one} is updated twice")))?)
}

/// Puts the refusal of an update in the words that it has where `AttributeUpdates` asked for it.
pub(crate) fn reworded(is_legacy: bool, refused: Refused) -> Refused {
    if is_legacy && refused.0.message == EvalError::WrongType.to_string() {
        return fault::validation("Type mismatch for attribute to update").into();
    }
    refused
}

fn check_joined(joined: Option<ConditionalOperator>, conditions: usize) -> Result<(), Fault> {
    let message = match (joined, conditions) {
        (Some(_), 0) => "ConditionalOperator cannot be used without Filter or Expected",
        (Some(_), 1) => {
            "ConditionalOperator can only be used when Filter or Expected has two or more elements"
        }
        (None | Some(_), _) => return Ok(()),
    };
    Err(fault::validation(message))
}

fn join(mut all: Vec<Condition>, joined: Option<ConditionalOperator>) -> Option<Condition> {
    if all.len() < 2 {
        return all.pop();
    }
    Some(match joined {
        Some(ConditionalOperator::Or) => Condition::Or(all),
        Some(ConditionalOperator::And) | None => Condition::And(all),
    })
}

fn tests(conditions: ConditionsIn) -> Result<Vec<Test>, Refused> {
    let test = |(name, condition): (String, ConditionIn)| {
        let operator = operator(condition.operator.as_deref());
        let operator = operator.ok_or_else(|| {
            fault::validation("The filter condition for an attribute cannot be null")
        })?;
        Test::new(
            name,
            operator,
            checked(condition.values.unwrap_or_default())?,
        )
    };
    conditions.into_iter().map(test).collect()
}

/// Reads an operator whose name has been checked.
fn operator(name: Option<&str>) -> Option<ComparisonOperator> {
    name.and_then(ComparisonOperator::parse)
}

fn checked(values: Vec<ValueIn>) -> Result<Vec<AttributeValue>, Refused> {
    Ok(values
        .into_iter()
        .map(ValueIn::check)
        .collect::<Result<_, _>>()?)
}

impl ExpectedIn {
    fn into_test(self, name: String) -> Result<Test, Refused> {
        let refuse = |message: String| {
            let message = format!("{message} for Attribute: {name}");
            Err(fault::invalid_parameter(message).into())
        };
        let Self {
            value,
            exists,
            values,
            operator: wire,
        } = self;
        if let Some(operator) = operator(wire.as_deref()) {
            if exists.is_some() {
                return refuse("Exists and ComparisonOperator cannot be used together".to_owned());
            }
            let values = match (value, values) {
                (Some(_), Some(_)) => {
                    return refuse(
                        "Value and AttributeValueList cannot be used together".to_owned(),
                    );
                }
                (Some(value), None) => vec![value],
                (None, Some(values)) => values,
                (None, None) if operator.operands().1 > 0 => {
                    let operator = operator.as_str();
                    return refuse(format!(
                        "Value or AttributeValueList must be used with ComparisonOperator: \
                         {operator}"
                    ));
                }
                (None, None) => Vec::new(),
            };
            return Test::new(name, operator, checked(values)?);
        }
        if values.is_some() {
            let message = "AttributeValueList can only be used with a ComparisonOperator";
            return refuse(message.to_owned());
        }
        let operator = match (exists, &value) {
            (Some(false), Some(_)) => {
                return refuse("Value cannot be used when Exists is false".to_owned());
            }
            (Some(false), None) => ComparisonOperator::Null,
            (Some(true), None) => {
                return refuse("Value must be provided when Exists is true".to_owned());
            }
            (None, None) => return refuse("Value must be provided when Exists is null".to_owned()),
            (Some(true) | None, Some(_)) => ComparisonOperator::Eq,
        };
        let values = checked(value.into_iter().collect())?;
        Test::new(name, operator, values)
    }
}

impl ComparisonOperator {
    /// Returns how many values the operator takes at least and at most.
    const fn operands(self) -> (usize, usize) {
        match self {
            Self::Null | Self::NotNull => (0, 0),
            Self::In => (1, usize::MAX),
            Self::Between => (2, 2),
            Self::Eq
            | Self::Ne
            | Self::Le
            | Self::Lt
            | Self::Ge
            | Self::Gt
            | Self::Contains
            | Self::NotContains
            | Self::BeginsWith => (1, 1),
        }
    }

    /// Returns whether the operator takes values of a type.
    const fn takes(self, kind: Kind) -> bool {
        match self {
            Self::Eq | Self::Ne | Self::Null | Self::NotNull => true,
            Self::BeginsWith => matches!(kind, Kind::S | Kind::B),
            Self::Contains | Self::NotContains => {
                matches!(kind, Kind::S | Kind::N | Kind::B | Kind::Bool | Kind::Null)
            }
            Self::In | Self::Le | Self::Lt | Self::Ge | Self::Gt | Self::Between => {
                matches!(kind, Kind::S | Kind::N | Kind::B)
            }
        }
    }
}

impl Test {
    /// Checks the number and types of the values.
    fn new(
        name: String,
        operator: ComparisonOperator,
        values: Vec<AttributeValue>,
    ) -> Result<Self, Refused> {
        let shown = operator.as_str();
        let (min, max) = operator.operands();
        if values.len() < min || max < values.len() {
            let message = "Invalid number of argument(s) for the";
            let message = format_args!("{message} {shown} ComparisonOperator");
            return Err(fault::invalid_parameter(message).into());
        }
        if let Some(kind) = values
            .iter()
            .map(AttributeValue::kind)
            .find(|k| !operator.takes(*k))
        {
            let message = "is not valid for";
            let message =
                format_args!("ComparisonOperator {shown} {message} {kind} AttributeValue type");
            return Err(fault::invalid_parameter(message).into());
        }
        let mut kinds = values.iter().map(AttributeValue::kind);
        if kinds
            .next()
            .is_some_and(|first| kinds.any(|kind| kind != first))
        {
            let message = "AttributeValues inside AttributeValueList must be of same type";
            return Err(fault::invalid_parameter(message).into());
        }
        if let (ComparisonOperator::Between, [lower, upper]) = (operator, &values[..])
            && !in_order(lower, upper)
        {
            let message = "The BETWEEN condition was provided a range where the lower bound is \
                           greater than the upper bound";
            return Err(fault::validation(message).into());
        }
        Ok(Self {
            name,
            operator,
            values,
        })
    }

    fn into_condition(self) -> Condition {
        let path = Path::attribute(self.name);
        let operand = Operand::Path(path.clone());
        let mut values = self.values.into_iter().map(Operand::Value);
        let mut value = || {
            values
                .next()
                .unwrap_or(Operand::Value(AttributeValue::Null))
        };
        let compare = |comparator, right| Condition::Compare {
            left: operand.clone(),
            comparator,
            right,
        };
        match self.operator {
            ComparisonOperator::Eq => compare(Comparator::Eq, value()),
            ComparisonOperator::Ne => compare(Comparator::Ne, value()),
            ComparisonOperator::Le => compare(Comparator::Le, value()),
            ComparisonOperator::Lt => compare(Comparator::Lt, value()),
            ComparisonOperator::Ge => compare(Comparator::Ge, value()),
            ComparisonOperator::Gt => compare(Comparator::Gt, value()),
            ComparisonOperator::NotNull => Condition::Exists(path),
            ComparisonOperator::Null => Condition::NotExists(path),
            ComparisonOperator::BeginsWith => Condition::BeginsWith {
                prefix: value(),
                operand,
            },
            ComparisonOperator::Contains => Condition::Contains {
                element: value(),
                operand,
            },
            ComparisonOperator::NotContains => Condition::And(vec![
                Condition::Exists(path),
                Condition::Not(Box::new(Condition::Contains {
                    element: value(),
                    operand,
                })),
            ]),
            ComparisonOperator::Between => Condition::Between {
                lower: value(),
                upper: value(),
                operand,
            },
            ComparisonOperator::In => Condition::In {
                operand,
                candidates: values.collect(),
            },
        }
    }

    fn into_key_test(self) -> Result<(String, KeyTest), Fault> {
        let mut values = self.values.into_iter();
        let mut value = || values.next().unwrap_or(AttributeValue::Null);
        let test = match self.operator {
            ComparisonOperator::Eq => KeyTest::Eq(value()),
            ComparisonOperator::Le => KeyTest::Le(value()),
            ComparisonOperator::Lt => KeyTest::Lt(value()),
            ComparisonOperator::Ge => KeyTest::Ge(value()),
            ComparisonOperator::Gt => KeyTest::Gt(value()),
            ComparisonOperator::BeginsWith => KeyTest::BeginsWith(value()),
            ComparisonOperator::Between => KeyTest::Between(value(), value()),
            ComparisonOperator::Ne
            | ComparisonOperator::In
            | ComparisonOperator::NotNull
            | ComparisonOperator::Null
            | ComparisonOperator::Contains
            | ComparisonOperator::NotContains => {
                return Err(fault::validation(
                    "Attempted conditional constraint is not an indexable operation",
                ));
            }
        };
        Ok((self.name, test))
    }
}

/// Returns whether the bounds of `BETWEEN`, of one type, are in order.
fn in_order(lower: &AttributeValue, upper: &AttributeValue) -> bool {
    match (lower, upper) {
        (AttributeValue::S(lower), AttributeValue::S(upper)) => lower <= upper,
        (AttributeValue::N(lower), AttributeValue::N(upper)) => lower <= upper,
        (AttributeValue::B(lower), AttributeValue::B(upper)) => lower <= upper,
        (_, _) => true,
    }
}

impl UpdateIn {
    fn into_action(self, name: String) -> Result<Action, Refused> {
        check_name(&name)?;
        let path = Path::attribute(name);
        let action = self.action.as_deref().and_then(AttributeAction::parse);
        let action = action.unwrap_or(AttributeAction::Put);
        let Some(value) = self.value else {
            if action == AttributeAction::Delete {
                return Ok(Action::Remove { path });
            }
            let message = "Only DELETE action is allowed when no attribute value is specified";
            return Err(fault::invalid_parameter(message).into());
        };
        let value = value.check()?;
        let kind = value.kind();
        let is_set = matches!(kind, Kind::Ss | Kind::Ns | Kind::Bs);
        match action {
            AttributeAction::Put => Ok(Action::Set {
                path,
                value: SetValue::Operand(SetOperand::Value(value)),
            }),
            AttributeAction::Add if is_set || kind == Kind::N => Ok(Action::Add { path, value }),
            // A list is appended to, as nothing but this parameter can.
            AttributeAction::Add if kind == Kind::L => {
                let empty = SetOperand::Value(AttributeValue::L(Vec::new()));
                let there = SetOperand::IfNotExists(path.clone(), Box::new(empty));
                let value = SetOperand::Value(value);
                let both = SetOperand::ListAppend(Box::new(there), Box::new(value));
                Ok(Action::Set {
                    path,
                    value: SetValue::Operand(both),
                })
            }
            AttributeAction::Add => {
                let message = format_args!("ADD action is not supported for the type {kind}");
                Err(fault::invalid_parameter(message).into())
            }
            AttributeAction::Delete if is_set => Ok(Action::Delete { path, value }),
            AttributeAction::Delete => {
                let message =
                    format_args!("DELETE action with value is not supported for the type {kind}");
                Err(fault::invalid_parameter(message).into())
            }
        }
    }
}
