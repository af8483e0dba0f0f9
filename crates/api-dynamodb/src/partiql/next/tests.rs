//! Tests of tokens: written, read, made up.

use base::name::TableId;
use item::value::{AttributeValue, Item};
use proptest::prelude::*;

use super::{digest, read, write};
use crate::partiql::selects::Start;

#[test]
fn a_token_is_read_as_it_was_written() {
    let mut key = Item::new();
    key.insert("pk".to_owned(), AttributeValue::from("a"));
    for after in [None, Some(key)] {
        for step in [0, 1, u16::MAX] {
            let after = after.clone();
            let start = Start { step, after };
            assert_eq!(read(&write(&start, 7), 7), Ok(start));
        }
    }
}

#[test]
fn a_token_goes_with_its_statement_alone() {
    let one = digest("SELECT 1", &[AttributeValue::from(1)], TableId(70_000));
    let token = write(&Start::default(), one);
    for other in [
        digest("SELECT 2", &[AttributeValue::from(1)], TableId(70_000)),
        digest("SELECT 1", &[AttributeValue::from(2)], TableId(70_000)),
        digest("SELECT 1", &[], TableId(70_000)),
        digest("SELECT 1", &[AttributeValue::from(1)], TableId(70_001)),
    ] {
        let refused = read(&token, other).expect_err("it is another statement's");
        assert_eq!(refused.message, "NextToken does not match request");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_anything(text in ".{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        use base64::Engine;
        let _ = read(&text, 0);
        let mut framed = vec![1, 0, 0, 0, 0, 0, 0, 0, 0];
        framed.extend(bytes);
        let _ = read(&base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(framed), 0);
    }
}
