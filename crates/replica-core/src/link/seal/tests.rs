//! Tests of sealed frames.

use bytes::BytesMut;

use base::name::TableId;

use super::{Key, OpenError, Opener, Sealer};
use crate::frame::Frame;

const BOUND: usize = 1 << 16;

fn two_sealed() -> BytesMut {
    let mut sealer = Sealer::new(Key([1; 32]));
    let mut out = BytesMut::new();
    sealer.seal(&Frame::CopyLater(TableId(1)), &mut out);
    sealer.seal(&Frame::CopyLater(TableId(1)), &mut out);
    out
}

#[test]
fn what_is_sealed_opens_in_order() {
    let mut buf = two_sealed();
    let mut opener = Opener::new(Key([1; 32]));
    for _ in 0..2 {
        let frame = opener.open(&mut buf, BOUND).expect("untouched");
        assert_eq!(frame, Some(Frame::CopyLater(TableId(1))));
    }
    assert_eq!(opener.open(&mut buf, BOUND), Ok(None));
}

#[test]
fn no_byte_can_be_changed() {
    let whole = two_sealed();
    let length = whole.len() / 2;
    for at in 0..length {
        let mut buf = BytesMut::from(&whole[..length]);
        buf[at] ^= 1;
        let opened = Opener::new(Key([1; 32])).open(&mut buf, BOUND);
        assert!(!matches!(opened, Ok(Some(_))), "byte {at}");
    }
}

#[test]
fn a_frame_opens_once_and_only_with_its_key() {
    let whole = two_sealed();
    let second = &whole[whole.len() / 2..];
    let opened = Opener::new(Key([1; 32])).open(&mut BytesMut::from(second), BOUND);
    assert_eq!(opened, Err(OpenError::Tampered));
    let opened = Opener::new(Key([2; 32])).open(&mut whole.clone(), BOUND);
    assert_eq!(opened, Err(OpenError::Tampered));
}

#[test]
fn a_frame_shorter_than_a_tag_is_refused() {
    let mut buf = BytesMut::from(&[0, 0, 0, 3, 23, 0, 1, 2, 3][..]);
    let opened = Opener::new(Key([1; 32])).open(&mut buf, BOUND);
    assert_eq!(opened, Err(OpenError::Tampered));
}

#[test]
fn a_key_does_not_show_in_logs() {
    assert_eq!(format!("{:?}", Key([65; 32])), "Key(…)");
}
