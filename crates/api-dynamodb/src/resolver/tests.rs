//! Which updates add, and which tags are refused.

use item::value::AttributeValue;

use super::*;

fn number(number: i64) -> AttributeValue {
    number.into()
}

#[test]
fn an_attribute_set_to_itself_and_a_number_is_added_to() {
    let path = Path::attribute("n");
    let own = || SetOperand::Path(path.clone());
    let other = || SetOperand::Path(Path::attribute("m"));
    let value = || SetOperand::Value(number(2));
    let or_zero = || {
        let zero = Box::new(SetOperand::Value(number(0)));
        SetOperand::IfNotExists(path.clone(), zero)
    };
    let item: Item = [("n", 5_i64)].into_iter().collect();
    let added =
        |value: &SetValue, item: Option<&Item>| added(&path, value, item).and_then(Number::to_i64);
    let there = Some(&item);
    assert_eq!(added(&SetValue::Plus(own(), value()), there), Some(2));
    assert_eq!(added(&SetValue::Plus(value(), own()), there), Some(2));
    assert_eq!(added(&SetValue::Minus(own(), value()), there), Some(-2));
    assert_eq!(added(&SetValue::Minus(value(), own()), there), None);
    assert_eq!(added(&SetValue::Plus(or_zero(), value()), there), Some(2));
    assert_eq!(added(&SetValue::Plus(or_zero(), value()), None), None);
    assert_eq!(added(&SetValue::Plus(other(), value()), there), None);
    assert_eq!(added(&SetValue::Plus(own(), other()), there), None);
    assert_eq!(added(&SetValue::Operand(value()), there), None);
}

#[test]
fn only_the_resolver_of_dynamodb_is_offered() {
    let checked = |tags: &[(&str, &str)]| {
        let tags = tags.iter();
        let tags = tags.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let checked = check_chosen(&tags.collect());
        checked.map_err(|fault| (fault.code, fault.message))
    };
    assert_eq!(checked(&[]), Ok(()));
    assert_eq!(checked(&[("team", "counters")]), Ok(()));
    assert_eq!(checked(&[(TAG, "item")]), Ok(()));
    for (name, message) in [
        (
            "attributes",
            "The resolver attributes of the tag hither:resolver is not offered yet; only item is",
        ),
        (
            "counters",
            "The resolver counters of the tag hither:resolver is not offered yet; only item is",
        ),
        ("Counters", "Tag hither:resolver is item, not Counters"),
    ] {
        let (code, found) = checked(&[(TAG, name)]).expect_err("refused");
        assert_eq!(code, "ValidationException");
        assert_eq!(found, message);
    }
}

#[test]
fn a_resolver_stays() {
    let tags = |name: &str| BTreeMap::from([(TAG.to_owned(), name.to_owned())]);
    let (none, counters) = (BTreeMap::new(), tags("counters"));
    let kept = |resolver, before, after| check_kept(resolver, (before, after)).is_ok();
    assert!(kept(Resolver::Counters, &counters, &counters));
    assert!(kept(Resolver::Counters, &none, &counters));
    assert!(kept(Resolver::Item, &none, &none));
    assert!(!kept(Resolver::Counters, &counters, &none));
    assert!(!kept(Resolver::Item, &none, &counters));
}
