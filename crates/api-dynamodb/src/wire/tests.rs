//! Tests of values and items from JSON and to JSON.

use std::collections::BTreeMap;

use expr::parse;
use expr::placeholders::Placeholders;
use item::codec;
use item::value::{AttributeValue, Item};
use proptest::prelude::*;

use super::render;
use super::value::ItemIn;

fn read(json: &str) -> Result<Item, String> {
    let item: ItemIn = serde_json::from_str(json).map_err(|error| format!("JSON: {error}"))?;
    item.check().map_err(|problem| problem.to_string())
}

fn write(item: &Item) -> String {
    let mut out = Vec::new();
    render::item(&mut out, &codec::encode(item)).unwrap();
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn keeps(json: &str) {
    assert_eq!(write(&read(json).unwrap()), json);
}

#[track_caller]
fn refuses(json: &str, message: &str) {
    assert_eq!(read(json), Err(message.to_owned()), "{json}");
}

#[test]
fn every_type_comes_back() {
    keeps("{}");
    keeps(r#"{"a":{"S":""},"b":{"N":"-1.5"},"c":{"B":"AAEC/w=="},"d":{"BOOL":false}}"#);
    keeps(r#"{"a":{"NULL":true},"b":{"L":[{"S":"x"},{"L":[]}]},"c":{"M":{"k":{"M":{}}}}}"#);
    keeps(r#"{"a":{"SS":["x","y"]},"b":{"NS":["1","2"]},"c":{"BS":["","AA==","AAA="]}}"#);
    keeps("{\"\\\"\\\\\\n\\u0001é\":{\"S\":\"\\r\\t\\u001f/𝄞\"}}");
}

#[test]
fn numbers_come_back_in_normal_form() {
    let item = read(r#"{"a":{"N":"1E2"},"b":{"NS":["-0","010"]}}"#).unwrap();
    assert_eq!(write(&item), r#"{"a":{"N":"100"},"b":{"NS":["0","10"]}}"#);
}

#[test]
fn null_is_absent_unknown_is_ignored_and_the_last_counts() {
    assert_eq!(
        read(r#"{"a":{"S":null,"X":[1],"S":"1","S":"2"},"b":null}"#),
        Ok(Item::from_iter([("a", "2")]))
    );
}

#[test]
fn wrong_values_have_dynamodbs_words() {
    let invalid = "One or more parameter values were invalid: ";
    refuses(
        r#"{"a":{"SS":[]}}"#,
        &format!("{invalid}An string set  may not be empty"),
    );
    refuses(
        r#"{"a":{"NS":[]}}"#,
        &format!("{invalid}An number set  may not be empty"),
    );
    refuses(
        r#"{"a":{"BS":[]}}"#,
        &format!("{invalid}Binary sets should not be empty"),
    );
    refuses(
        r#"{"a":{"SS":["a","a"]}}"#,
        &format!("{invalid}Input collection [a, a] contains duplicates."),
    );
    refuses(
        r#"{"a":{"NS":["1","1.0"]}}"#,
        &format!("{invalid}Input collection [1, 1.0] contains duplicates."),
    );
    refuses(
        r#"{"a":{"BS":["AA==","AA=="]}}"#,
        &format!("{invalid}Input collection [AA==, AA==]of type BS contains duplicates."),
    );
    refuses(
        r#"{"a":{"NULL":false}}"#,
        &format!("{invalid}Null attribute value types must have the value of true"),
    );
    refuses(
        r#"{"a":{"L":[{"M":{"x":{}}}]}}"#,
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
    );
    refuses(
        r#"{"a":{"S":"x","N":"1"}}"#,
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the \
         supported datatypes",
    );
    refuses(
        r#"{"a":{"N":"b"}}"#,
        "The parameter cannot be converted to a numeric value: b",
    );
    refuses(
        r#"{"":{"S":"x"}}"#,
        &format!("{invalid}Empty attribute name"),
    );
}

#[test]
fn wrong_types_are_no_requests() {
    for json in [
        r#"{"a":{"S":1}}"#,
        r#"{"a":{"N":1}}"#,
        r#"{"a":{"B":"A"}}"#,
        r#"{"a":{"B":"AA"}}"#,
        r#"{"a":{"BOOL":"true"}}"#,
        r#"{"a":{"L":{}}}"#,
        r#"{"a":{"M":[]}}"#,
        r#"{"a":{"SS":"x"}}"#,
        r#"{"a":"x"}"#,
        "[]",
    ] {
        let error = read(json).unwrap_err();
        assert!(error.starts_with("JSON: "), "{json}: {error}");
    }
}

#[track_caller]
fn projects(expression: &str, json: &str) {
    let item = read(
        r#"{"a":{"N":"1"},"l":{"L":[{"N":"0"},{"M":{"x":{"N":"1"},"y":{"N":"2"}}},{"N":"3"}]},
            "m":{"M":{"k":{"S":"v"},"n":{"M":{"z":{"NULL":true}}}}}}"#,
    )
    .unwrap();
    let projection = parse::projection(expression, &mut Placeholders::default()).unwrap();
    let mut out = Vec::new();
    render::projected(&mut out, &codec::encode(&item), &projection).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), json, "{expression}");
    assert_eq!(write(&projection.apply(&item)), json, "{expression}");
}

#[test]
fn projections_are_rendered_in_place() {
    projects("a", r#"{"a":{"N":"1"}}"#);
    projects("gone, a, zzz", r#"{"a":{"N":"1"}}"#);
    projects(
        "m.n.z, m.gone",
        r#"{"m":{"M":{"n":{"M":{"z":{"NULL":true}}}}}}"#,
    );
    projects("l[2], l[0]", r#"{"l":{"L":[{"N":"0"},{"N":"3"}]}}"#);
    projects(
        "l[1].y, l[9], l[0].x",
        r#"{"l":{"L":[{"M":{"y":{"N":"2"}}}]}}"#,
    );
    projects("m.gone, l[9], a.x", "{}");
    projects("gone", "{}");
}

proptest! {
    #[test]
    fn strings_are_written_as_serde_json_reads_them(text in "\\PC{0,20}|[\u{0}-\u{7f}]{0,20}") {
        let mut out = Vec::new();
        render::string(&mut out, &text);
        prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }

    #[test]
    fn bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..50)) {
        let map = BTreeMap::from([("a".to_owned(), AttributeValue::B(bytes.into()))]);
        let item = Item::from(map);
        prop_assert_eq!(read(&write(&item)), Ok(item));
    }

    #[test]
    fn no_json_breaks_the_reader(text in "[\\[\\]{}:,\"SNBMLOUla01 ]{0,40}") {
        let _ = read(&text);
    }
}
