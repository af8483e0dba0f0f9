//! Tests of how races are asked for and told.

use jiff::Timestamp;
use serde_json::json;

use super::{difference, escaped, line, micros};

#[test]
fn times_are_read_as_such_or_as_how_long_ago() {
    let now: Timestamp = "2026-11-23T10:00:00Z".parse().expect("a time");
    let check = |text: &str, expect: &str| {
        let expect: Timestamp = expect.parse().expect("a time");
        let read = micros(text, now).expect(text);
        assert_eq!(read, expect.as_microsecond(), "{text}");
    };
    check("2h", "2026-11-23T08:00:00Z");
    check("PT30M", "2026-11-23T09:30:00Z");
    check("2026-11-22T00:00:00+01:00", "2026-11-21T23:00:00Z");
    assert!(micros("yesterday", now).is_err());
}

#[test]
fn what_is_asked_for_survives_the_way() {
    assert_eq!(escaped("my.table-1_x"), "my.table-1_x");
    assert_eq!(escaped("{\"a\":1}&"), "%7B%22a%22%3A1%7D%26");
}

#[test]
fn a_race_is_a_line() {
    let race = json!({
        "id": "00ff", "key": {"id": {"S": "a"}}, "restored_micros": 1,
        "winner": {"region": "eu-west-1", "stamp_micros": 1_000_000, "item": null},
        "loser": {"region": "us-east-1", "stamp_micros": 1, "item": {}},
    });
    let expect = "00ff  1970-01-01T00:00:01.000000Z  {\"id\":{\"S\":\"a\"}}  \
                  delete of eu-west-1 beat write of us-east-1  restored";
    assert_eq!(line(&race), expect);
}

#[test]
fn images_differ_by_attributes() {
    let one = json!({"id": {"S": "a"}, "n": {"N": "1"}, "won": {"S": "x"}});
    let other = json!({"id": {"S": "a"}, "n": {"N": "2"}, "lost": {"S": "y"}});
    let expect = [
        r#"  id = {"S":"a"}"#,
        r#"- lost = {"S":"y"}"#,
        r#"- n = {"N":"2"}"#,
        r#"+ n = {"N":"1"}"#,
        r#"+ won = {"S":"x"}"#,
    ];
    assert_eq!(difference::lines(&one, &other), expect);
    let gone = [
        r#"- id = {"S":"a"}"#,
        r#"- lost = {"S":"y"}"#,
        r#"- n = {"N":"2"}"#,
    ];
    assert_eq!(difference::lines(&json!(null), &other), gone);
}

#[tokio::test]
async fn a_region_that_may_have_written_is_the_last_that_is_asked() {
    let nodes = ["127.0.0.11:1", "127.0.0.12:1"].map(|node| node.parse().expect("an address"));
    for (is_lost, asked) in [(true, 1), (false, 2)] {
        let count = std::cell::Cell::new(0);
        let ask = async |_| {
            count.set(count.get() + 1);
            let error = anyhow::anyhow!("no answer");
            Err(super::once(if is_lost {
                error
            } else {
                error.context(super::NotAsked)
            }))
        };
        let error = super::first(&nodes, ask).await.expect_err("none answers");
        assert_eq!(count.get(), asked);
        assert_eq!(error.is::<super::Unknown>(), is_lost);
    }
}
