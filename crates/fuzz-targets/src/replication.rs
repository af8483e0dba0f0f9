//! Records of the log and frames of a link, as another region or a disk hands them over.
//!
//! It opens no link.

use bytes::{Bytes, BytesMut};
use replica_core::frame::{self, Frame};
use replica_core::limits::FRAME_BYTES_MAX;
use replica_core::record::Record;

/// Takes the bytes of a record, and those of frames one after another.
pub fn run(data: &[u8]) {
    if let Ok(record) = Record::decode(Bytes::copy_from_slice(data)) {
        let again = Record::decode(Bytes::from(record.encode()));
        assert_eq!(again.as_ref(), Ok(&record));
    }
    let mut buffer = BytesMut::from(data);
    while let Ok(Some((head, body))) = frame::split(&mut buffer, FRAME_BYTES_MAX.as_len()) {
        let Ok(frame) = Frame::decode(head, body) else {
            continue;
        };
        if let Frame::Data(data) = &frame {
            // What a window counts must not overflow.
            let _ = data.cost();
        }
        let mut encoded = BytesMut::new();
        frame.encode(&mut encoded);
        let again = Frame::take(&mut encoded, FRAME_BYTES_MAX.as_len());
        assert!(encoded.is_empty(), "{frame:?} is followed by nothing");
        assert_eq!(again, Ok(Some(frame)));
    }
}
