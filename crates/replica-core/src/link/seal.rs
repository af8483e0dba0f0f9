//! Seals and opens frames: nobody without the session's key can make, change or repeat one.
//!
//! It does not hide them. The tag is also the checksum that TCP's own is too weak to be.
//! Source: the BLAKE3 specification, §2.3 (keyed hashing).

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::frame::{self, Frame, HEAD_BYTES, Head};
use crate::record::WireError;

/// A secret of 32 bytes. It never shows in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(pub [u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A frame that is not what the peer sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The tag does not fit: the bytes were changed on the way, or come from somebody else.
    #[error("a frame's tag does not fit its bytes")]
    Tampered,
    /// The bytes are sealed rightly, but are no frame.
    #[error("read a frame")]
    Wire(#[from] WireError),
}

/// Seals the frames of one direction of one connection.
#[derive(Debug)]
pub struct Sealer {
    key: Key,
    count: u64,
}

impl Sealer {
    /// Makes the sealer of a connection's direction.
    pub const fn new(key: Key) -> Self {
        Self { key, count: 0 }
    }

    /// Appends `frame`, sealed, to `out`.
    pub fn seal(&mut self, frame: &Frame, out: &mut BytesMut) {
        let start = out.len();
        frame.encode(out, TAG_BYTES);
        let (head, body) = out
            .get(start..)
            .and_then(|frame| frame.split_at_checked(HEAD_BYTES))
            .unwrap_or_default();
        let tag = tag(&self.key, self.count, head, body);
        out.put_slice(&tag);
        self.count += 1;
    }
}

/// Opens the frames of one direction of one connection, in order.
#[derive(Debug)]
pub struct Opener {
    key: Key,
    count: u64,
}

impl Opener {
    /// Makes the opener of a connection's direction.
    pub const fn new(key: Key) -> Self {
        Self { key, count: 0 }
    }

    /// Takes the next sealed frame off `buf`.
    ///
    /// Shape: `None` while the frame is not whole.
    /// Errors: [`OpenError`]; the connection cannot go on then.
    pub fn open(&mut self, buf: &mut BytesMut, bound: usize) -> Result<Option<Frame>, OpenError> {
        let Some((head, mut body)) = frame::split(buf, bound + TAG_BYTES)? else {
            return Ok(None);
        };
        let length = body.len();
        let Some(end) = length.checked_sub(TAG_BYTES) else {
            return Err(OpenError::Tampered);
        };
        let found = body.split_off(end);
        let expected = tag(&self.key, self.count, &head_bytes(head, length), &body);
        if !constant_time_eq(&expected, &found) {
            return Err(OpenError::Tampered);
        }
        self.count += 1;
        Ok(Some(Frame::decode(head, body)?))
    }
}

/// Bytes of a frame's tag.
pub const TAG_BYTES: usize = 16;

fn tag(key: &Key, count: u64, head: &[u8], body: &[u8]) -> [u8; TAG_BYTES] {
    let mut hasher = blake3::Hasher::new_keyed(&key.0);
    hasher.update(&count.to_be_bytes());
    hasher.update(head);
    hasher.update(body);
    let mut tag = [0; TAG_BYTES];
    hasher.finalize_xof().fill(&mut tag);
    tag
}

fn head_bytes(head: Head, length: usize) -> [u8; HEAD_BYTES] {
    let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [a, b, c, d, head.kind, head.flags]
}

fn constant_time_eq(expected: &[u8; TAG_BYTES], found: &Bytes) -> bool {
    let differing = expected
        .iter()
        .zip(found)
        .fold(0, |differing, (a, b)| differing | (a ^ b));
    differing == 0 && found.len() == TAG_BYTES
}

#[cfg(test)]
mod tests;
