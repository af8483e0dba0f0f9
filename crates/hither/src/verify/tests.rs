//! Tests of what is told of a comparison.

use serde_json::{Value, json};

use super::lines;

fn told(verdict: &str, compared: Value, differences: Value, differing: u64) -> String {
    let told = json!({
        "table": "carts",
        "region": "us-east-1",
        "verdict": verdict,
        "as_of": {"us-east-1": 5, "eu-west-1": 7},
        "items": 9,
        "took_ms": 12.3,
        "compared": compared,
        "differing": differing,
        "complete": true,
        "differences": differences,
    });
    lines(&told).join("\n")
}

#[test]
fn what_is_the_same_is_told_with_its_positions() {
    let same = json!([{"region": "eu-west-1", "outcome": "same"}]);
    assert_eq!(
        told("converged", same, json!([]), 0),
        "converged: carts is the same in us-east-1 and eu-west-1\n  \
         as of     eu-west-1 7, us-east-1 5\n  \
         items     9 in us-east-1, compared within 13 ms"
    );
    let alone = told("converged", json!([]), json!([]), 0);
    assert!(alone.starts_with("carts is in us-east-1 alone"), "{alone}");
}

#[test]
fn what_differs_is_named_with_what_each_region_has() {
    let compared = json!([
        {"region": "ap-northeast-1", "outcome": "not-compared", "problem": "it is away"},
        {"region": "eu-west-1", "outcome": "differs", "differing": 2},
    ]);
    let version = |deleted, hash: Option<&str>| {
        json!({
            "region": "eu-west-1", "stamp_micros": 1_700_000_000_000_001_i64,
            "deleted": deleted, "hash": hash,
        })
    };
    let differences = json!([{
        "key": {"id": {"S": "a"}},
        "versions": {
            "ap-northeast-1": null,
            "eu-west-1": version(true, None),
            "us-east-1": version(false, Some("0123456789")),
        },
    }]);
    let found = told("differs", compared, differences, 2);
    for line in [
        "not converged: of carts 2 keys differ",
        "  ap-northeast-1   not-compared: it is away",
        "  eu-west-1        2 keys differ",
        r#"{"id":{"S":"a"}}"#,
        "  ap-northeast-1   nothing",
        "  eu-west-1        deleted in eu-west-1 at 2023-11-14T22:13:20.000001Z",
        "  us-east-1        written in eu-west-1 at 2023-11-14T22:13:20.000001Z  01234567",
        "… and 1 more",
    ] {
        assert!(found.lines().any(|found| found == line), "{line}\n{found}");
    }
}
