//! Keys: their order as values and as bytes, and bytes that may be one.
//!
//! It knows no schema.

use bytes::Bytes;
use item::key::{Key, KeyValue, decode_value, encode_sort, encode_sort_prefix, prefix_end};
use item::number::Number;

/// Takes stored bytes; and two values: a type, the length of the first, then both.
pub fn run(data: &[u8]) {
    if let Ok(key) = Key::decode(data) {
        assert_eq!(key.encode(), data, "{key:?} has one encoding");
    }
    let [kind, length, rest @ ..] = data else {
        return;
    };
    let Some((left, right)) = rest.split_at_checked(usize::from(*length)) else {
        return;
    };
    let (Some(left), Some(right)) = (value(*kind, left), value(*kind, right)) else {
        return;
    };
    let (low, high) = (encode_sort(&left), encode_sort(&right));
    assert_eq!(low.cmp(&high), left.cmp(&right), "{left:?}, {right:?}");
    // What follows a value does not change the order.
    if left != right {
        let followed = |bytes: &[u8], end: u8| [bytes, &[end; 4]].concat();
        let order = followed(&low, 0xff).cmp(&followed(&high, 0));
        assert_eq!(order, left.cmp(&right), "{left:?}, {right:?}");
    }
    assert_eq!(decode_value(&low), Ok((left.clone(), &[] as &[u8])));
    check_prefix(&left, &right, &high);
    for sort in [None, Some(right)] {
        let partition = left.clone();
        let key = Key { partition, sort };
        assert_eq!(Key::decode(&key.encode()), Ok(key));
    }
}

/// Checks that the range of a prefix holds exactly the values that begin with it.
fn check_prefix(left: &KeyValue, right: &KeyValue, encoded: &[u8]) {
    let begins = match (left, right) {
        (KeyValue::S(left), KeyValue::S(right)) => right.starts_with(left),
        (KeyValue::B(left), KeyValue::B(right)) => right.starts_with(left),
        (KeyValue::N(_) | KeyValue::S(_) | KeyValue::B(_), _) => left == right,
    };
    let prefix = encode_sort_prefix(left);
    let below = prefix_end(&prefix).is_none_or(|end| encoded < end.as_slice());
    let within = prefix.as_slice() <= encoded && below;
    assert_eq!(within, begins, "{right:?} begins with {left:?}");
}

fn value(kind: u8, bytes: &[u8]) -> Option<KeyValue> {
    match kind {
        b'N' => {
            let text = std::str::from_utf8(bytes).ok()?;
            Some(KeyValue::N(Number::parse(text).ok()?))
        }
        b'S' => Some(KeyValue::S(String::from_utf8(bytes.to_vec()).ok()?)),
        b'B' => Some(KeyValue::B(Bytes::copy_from_slice(bytes))),
        _ => None,
    }
}
