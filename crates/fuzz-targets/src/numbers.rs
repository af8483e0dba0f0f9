//! Numbers: texts that are read, printed, added and put in order; bytes that may be one.
//!
//! It knows no item. Source: DynamoDB developer guide, "Data types" (number).

use item::number::Number;

/// Takes two texts, the first line and the rest, and both as stored bytes.
pub fn run(data: &[u8]) {
    stored(data);
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (left, right) = text.split_once('\n').unwrap_or((text, "1"));
    let (Ok(left), Ok(right)) = (Number::parse(left), Number::parse(right)) else {
        return;
    };
    for number in [left, right] {
        let shown = number.to_string();
        assert_eq!(Number::parse(&shown), Ok(number), "printed as {shown}");
    }
    let bytes = |number: Number| {
        let mut out = Vec::new();
        number.encode_into(&mut out);
        out
    };
    assert_eq!(
        bytes(left).cmp(&bytes(right)),
        left.cmp(&right),
        "{left} and {right} are ordered as their bytes"
    );
    assert_eq!(Number::decode(&bytes(left)), Ok((left, &[] as &[u8])));
    if let Ok(sum) = left.checked_add(right) {
        assert_eq!(right.checked_add(left), Ok(sum), "{left} + {right}");
        assert_eq!(sum.checked_sub(right), Ok(left), "{sum} - {right}");
        assert_eq!(sum.cmp(&left), right.cmp(&Number::ZERO), "{left} + {right}");
    }
}

fn stored(data: &[u8]) {
    let Ok((number, rest)) = Number::decode(data) else {
        return;
    };
    let mut again = Vec::new();
    number.encode_into(&mut again);
    again.extend(rest);
    assert_eq!(again, data, "{number} has one encoding");
    assert_eq!(Number::parse(&number.to_string()), Ok(number));
}
