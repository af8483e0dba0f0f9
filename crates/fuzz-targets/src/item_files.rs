//! Item files: whatever an object of a bucket holds, in any format, packed in any way.
//!
//! It writes no item. Source: DynamoDB developer guide, "Amazon S3 import formats for DynamoDB".

use std::io::Cursor;

use api_dynamodb::records::{Columns, Format, Packing, Record, Records};
use item::codec;
use item::key::KeyKind;

/// Takes a byte that says how the object is packed and written, and the object after it.
pub fn run(data: &[u8]) {
    let Some((how, object)) = data.split_first() else {
        return;
    };
    let packing = match how >> 4 {
        1 => Packing::Gzip,
        2 => Packing::Zstd,
        _ => Packing::None,
    };
    let format = match how & 0xf {
        0 => Format::Json,
        1 => Format::Ion,
        2 => columns(None),
        _ => columns(Some(vec!["pk".to_owned(), "n".to_owned()])),
    };
    let records = Records::new(Box::new(Cursor::new(object.to_vec())), packing, format);
    let mut bytes = 0;
    let mut unreadable = 0;
    for entry in records {
        assert_eq!(unreadable, 0, "nothing follows what cannot be read");
        bytes += entry.bytes;
        match entry.record {
            Ok(Record::Put { item, condition: _ } | Record::Delete(item)) => {
                let stored = codec::encode(&item);
                let read = codec::decode(&stored);
                assert_eq!(read.as_ref().ok(), Some(&item), "an item can be stored");
            }
            Err(error) => {
                assert!(!error.to_string().is_empty(), "a mistake has words");
                let is_last = matches!(error, api_dynamodb::records::RecordError::Unreadable(_));
                unreadable += usize::from(is_last);
            }
        }
    }
    if packing == Packing::None {
        let length = object.len() as u64;
        assert!(bytes <= length, "no byte is read twice");
    }
}

fn columns(header: Option<Vec<String>>) -> Format {
    Format::Csv(Columns {
        delimiter: b',',
        header,
        kinds: [("n".to_owned(), KeyKind::N), ("b".to_owned(), KeyKind::B)].into(),
    })
}
