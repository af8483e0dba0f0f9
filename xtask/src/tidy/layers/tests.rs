//! Tests of the layer rules, over crates that are made up.

use super::{Crate, check, matches};

fn complaints(name: &str, own: &[&str], others: &[&str]) -> Vec<String> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let one = Crate {
        name: name.to_owned(),
        own: owned(own),
        others: owned(others),
    };
    check(&[one])
        .into_iter()
        .map(|complaint| complaint.what)
        .collect()
}

#[test]
fn arrows_that_are_refused() {
    let refused = |name, own: &str| {
        assert_eq!(
            complaints(name, &[own], &[]),
            [format!("`{name}` may not depend on `{own}`")]
        );
    };
    refused("base", "clock");
    refused("dns-core", "health-core");
    refused("dns", "gateway");
    refused("dns", "control");
    refused("api-route53", "api-dynamodb");
    refused("api-route53", "net");
    refused("store", "table");
    refused("deploy", "region");
    refused("region", "sim");
}

#[test]
fn dependencies_that_are_refused() {
    let refused = |name, other: &str| {
        assert_eq!(
            complaints(name, &[], &[other]).len(),
            1,
            "{name} on {other}"
        );
    };
    refused("dns-core", "tokio");
    refused("replica-core", "serde");
    refused("table", "serde_json");
    refused("control", "hyper-util");
    refused("region", "fjall");
    refused("api-lambda", "aws-sdk-dynamodb");
}

#[test]
fn what_is_allowed_and_what_has_no_layer() {
    assert!(complaints("dns", &["net", "dns-core", "base"], &["tokio"]).is_empty());
    assert!(complaints("store-fjall", &["store"], &["fjall"]).is_empty());
    assert_eq!(
        complaints("novel", &[], &[]),
        ["`novel` has no layer: give it a rule in xtask"]
    );
}

#[test]
fn patterns() {
    assert!(matches("api-*", "api-iam") && matches("*-core", "dns-core") && matches("*", "x"));
    assert!(!matches("store-*", "store") && !matches("base", "base2"));
}
