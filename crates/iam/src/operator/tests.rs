//! Names of operators. What they compare is tested with whole policies.

use super::{Operator, Quantifier, Test};

/// Every operator of the user guide.
const ALL: [&str; 26] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
];

#[test]
fn every_operator_is_known_in_every_form() {
    for name in ALL {
        let negated = name.contains("Not");
        for (prefix, quantifier) in [
            ("", Quantifier::One),
            ("ForAllValues:", Quantifier::All),
            ("ForAnyValue:", Quantifier::Any),
        ] {
            for (suffix, if_exists) in [("", false), ("IfExists", true)] {
                let name = format!("{prefix}{name}{suffix}");
                let found = Operator::parse(&name).expect("an operator");
                assert_eq!(found.negated, negated, "{name}");
                assert_eq!(
                    (found.quantifier, found.if_exists),
                    (quantifier, if_exists),
                    "{name}"
                );
            }
        }
    }
    assert_eq!(
        Operator::parse("Null").map(|null| null.test),
        Some(Test::Null)
    );
    assert_eq!(Operator::parse("stringlike"), Operator::parse("StringLike"));
}

#[test]
fn what_aws_has_not_is_unknown() {
    for name in [
        "",
        "String",
        "StringMatches",
        "NumericLike",
        "DateLike",
        "NotBool",
        "NullIfExists",
        "ForAllValues:Null",
        "ForAnyValue:",
        "ForSomeValues:StringLike",
        "IfExists",
        "Numeric",
        "StringEqualsIfExistsIfExists",
        "ForAllValues:ForAnyValue:StringLike",
        "BinaryNotEquals",
    ] {
        assert_eq!(Operator::parse(name), None, "{name}");
    }
}
