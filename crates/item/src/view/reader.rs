//! A cursor over stored bytes that never reads past their end.

use crate::codec::CodecError;
use crate::number::NumberRef;

/// The bytes not read yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn peek(&self) -> Result<u8, CodecError> {
        self.0.first().copied().ok_or(CodecError::Length)
    }

    pub(super) fn byte(&mut self) -> Result<u8, CodecError> {
        let (first, rest) = self.0.split_first().ok_or(CodecError::Length)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], CodecError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(CodecError::Length)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Reads a count of at most four bytes; the encoder writes none that needs more.
    pub(super) fn count(&mut self) -> Result<usize, CodecError> {
        let mut count = 0_usize;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            count |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                // A last byte of zero would be a second way to write the same count.
                let shortest = byte != 0 || shift == 0;
                return if shortest {
                    Ok(count)
                } else {
                    Err(CodecError::Length)
                };
            }
        }
        Err(CodecError::Length)
    }

    pub(super) fn blob(&mut self) -> Result<&'a [u8], CodecError> {
        let count = self.count()?;
        self.take(count)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, CodecError> {
        str::from_utf8(self.blob()?).map_err(|_| CodecError::NotUtf8)
    }

    pub(super) fn number(&mut self) -> Result<NumberRef<'a>, CodecError> {
        let (number, rest) = NumberRef::read(self.0).map_err(|_| CodecError::BadNumber)?;
        self.0 = rest;
        Ok(number)
    }

    /// Reads a size, and takes that many bytes as the body of a container with its count.
    pub(super) fn sized(&mut self) -> Result<(Self, usize), CodecError> {
        let size = self.take(4)?.try_into().map_err(|_| CodecError::Length)?;
        let size = usize::try_from(u32::from_le_bytes(size)).map_err(|_| CodecError::Length)?;
        let mut body = Self(self.take(size)?);
        let count = body.count()?;
        Ok((body, count))
    }
}
