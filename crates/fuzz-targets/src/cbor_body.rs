//! Bodies of Smithy's RPC v2 CBOR: what is read comes back, and nothing less is read.
//!
//! It knows no operation.

use api_protocol::cbor;
use serde_json::Value;

/// Takes a body.
pub fn run(data: &[u8]) {
    let Ok(value) = cbor::parse(data) else {
        return;
    };
    let mut bytes = Vec::new();
    write(&mut bytes, &value);
    assert_eq!(cbor::parse(&bytes).as_ref(), Ok(&value));
    // A value says where it ends: cut short or followed by another byte, it is none.
    if data.len() > 1 {
        for len in [data.len() / 2, data.len() - 1] {
            assert!(len == 0 || cbor::parse(&data[..len]).is_err());
        }
        assert!(cbor::parse(&[data, &[0]].concat()).is_err());
    }
}

/// Writes a value with heads as long as they can be, which the product never does.
fn write(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => bytes.push(0xf6),
        Value::Bool(value) => bytes.push(0xf4 | u8::from(*value)),
        Value::Number(number) => {
            if let Some(value) = number.as_u64() {
                head(bytes, 0, value);
            } else if let Some(value) = number.as_i64() {
                head(bytes, 1, !value.cast_unsigned());
            } else if let Some(value) = number.as_f64() {
                bytes.push(0xfb);
                bytes.extend(value.to_be_bytes());
            }
        }
        Value::String(text) => write_text(bytes, text),
        Value::Array(values) => {
            head(bytes, 4, values.len() as u64);
            for value in values {
                write(bytes, value);
            }
        }
        Value::Object(members) => {
            head(bytes, 5, members.len() as u64);
            for (name, value) in members {
                write_text(bytes, name);
                write(bytes, value);
            }
        }
    }
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    head(bytes, 3, text.len() as u64);
    bytes.extend(text.as_bytes());
}

fn head(bytes: &mut Vec<u8>, kind: u8, value: u64) {
    bytes.push(kind << 5 | 0x1b);
    bytes.extend(value.to_be_bytes());
}
