//! Tests of parts that no text makes: what PartiQL builds is checked as what expressions say.

use item::value::{AttributeValue, Item, Kind};

use super::{among, between, check_action, compare, condition_call, minus, plus, set_call};
use crate::condition::{Comparator, Condition, Operand};
use crate::error::{EvalError, Problem};
use crate::path::Path;
use crate::update::{Action, SetOperand, SetValue, Update};

fn path(name: &str) -> Operand {
    Operand::Path(Path::attribute(name))
}

fn value(value: impl Into<AttributeValue>) -> Operand {
    Operand::Value(value.into())
}

fn set_path(name: &str) -> SetOperand {
    SetOperand::Path(Path::attribute(name))
}

#[track_caller]
fn refused<T>(made: Result<T, Problem>, message: &str) {
    let problem = made.err().map(|problem| problem.to_string());
    assert!(
        problem.as_deref().is_some_and(|one| one.contains(message)),
        "{problem:?}"
    );
}

#[test]
fn conditions_of_parts_are_those_of_texts() {
    let made = compare(path("a"), Comparator::Lt, value(5)).unwrap();
    let item = Item::from_iter([("a", 4)]);
    assert!(made.evaluate(Some(&item)));
    assert!(
        between(path("a"), value(4), value(4))
            .unwrap()
            .evaluate(Some(&item))
    );
    assert!(
        among(path("a"), vec![value(1), value(4)])
            .unwrap()
            .evaluate(Some(&item))
    );
    let called = condition_call("attribute_exists", vec![path("b")]).unwrap();
    let super::Called::Condition(called) = called else {
        panic!("{called:?}");
    };
    assert_eq!(called, Condition::Exists(Path::attribute("b")));
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    refused(
        compare(path("a"), Comparator::Eq, path("a")),
        "must be distinct",
    );
    refused(
        compare(path("a"), Comparator::Ge, value(true)),
        "operand type: BOOL",
    );
    refused(
        between(path("a"), value(2), value(1)),
        "upper bound to be greater",
    );
    refused(
        between(path("a"), value(2), value("x")),
        "requires same data type",
    );
    refused(
        among(path("a"), vec![value(1); 101]),
        "number of operands: 101",
    );
    refused(condition_call("size", vec![]), "number of operands: 0");
    refused(
        condition_call("size", vec![path("a"), path("b")]),
        "number of operands: 2",
    );
    refused(
        condition_call("attribute_exists", vec![value(1)]),
        "requires a document path",
    );
    refused(
        condition_call("list_append", vec![]),
        "not allowed in a condition",
    );
    refused(set_call("size", vec![]), "not allowed in an update");
    refused(
        set_call("if_not_exists", vec![set_path("a")]),
        "number of operands: 1",
    );
    refused(
        plus(set_path("a"), SetOperand::Value("x".into())),
        "operator or function: +, operand type: S",
    );
    let path = Path::attribute("a");
    for kind in Kind::ALL {
        let value = match kind {
            Kind::Ss => AttributeValue::Ss(["x".to_owned()].into()),
            Kind::N => 1.into(),
            Kind::Bool => true.into(),
            Kind::S | Kind::B | Kind::Null | Kind::M | Kind::L | Kind::Ns | Kind::Bs => continue,
        };
        let add = Action::Add {
            path: path.clone(),
            value: value.clone(),
        };
        let delete = Action::Delete {
            path: path.clone(),
            value,
        };
        assert_eq!(check_action(&add).is_ok(), kind != Kind::Bool, "ADD {kind}");
        assert_eq!(
            check_action(&delete).is_ok(),
            kind == Kind::Ss,
            "DELETE {kind}"
        );
    }
}

#[test]
fn sums_stand_in_sums() {
    let nested = |value: SetValue| SetOperand::Nested(Box::new(value));
    let inner = minus(set_path("a"), SetOperand::Value(1.into())).unwrap();
    let sum = plus(nested(inner.clone()), nested(inner)).unwrap();
    let update = Update::new(vec![Action::Set {
        path: Path::attribute("b"),
        value: sum,
    }]);
    let update = update.unwrap();
    let item = Item::from_iter([("a", 5)]);
    let after = update.apply(&item).unwrap();
    assert_eq!(after.get("b"), Some(&AttributeValue::from(8)));
    let text = Item::from_iter([("a", "x")]);
    assert_eq!(update.apply(&text), Err(EvalError::WrongType));
    assert_eq!(update.apply(&Item::new()), Err(EvalError::MissingAttribute));
    // A sum is a number whatever the item is: no list can be appended to it.
    let sum = nested(plus(set_path("a"), set_path("b")).unwrap());
    refused(
        set_call("list_append", vec![sum, set_path("c")]),
        "operand type: N",
    );
}
