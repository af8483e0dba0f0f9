//! Tests of bodies as items.

use serde_json::json;

use super::{ResourceKey, body_in, item_of};
use crate::system::SystemTable;

#[test]
fn a_body_comes_back_as_it_was() {
    let key = ResourceKey {
        table: SystemTable::Zones,
        partition: "p".to_owned(),
        sort: "s".to_owned(),
    };
    for body in [
        json!({"a": null, "b": [true, false], "c": {"d": "text", "": ""}}),
        json!({"small": 1, "negative": -7, "large": u64::MAX, "least": i64::MIN}),
        json!({"float": 0.1, "exponent": 1.5e300, "tiny": 2.5e-308, "whole": 3.0}),
        json!([]),
    ] {
        assert_eq!(body_in(&item_of(&key, &body)), Some(body));
    }
}
