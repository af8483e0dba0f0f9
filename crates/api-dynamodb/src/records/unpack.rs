//! Objects unpacked as they are read, never whole.
//!
//! It bounds what it keeps in memory, and no output: whoever reads it does.
//! Source: RFC 1952 (gzip), RFC 8878 (zstd).

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::Packing;
use crate::limits::ZSTD_WINDOW_BYTES_MAX;

/// Returns what is in an object.
pub(super) fn unpacked(object: Box<dyn Read + Send>, packing: Packing) -> Box<dyn Read + Send> {
    match packing {
        Packing::None => object,
        Packing::Gzip => Box::new(Gzip::Unread(BufReader::new(object))),
        Packing::Zstd => {
            let mut decoder = FrameDecoder::new();
            decoder.set_max_window_size(ZSTD_WINDOW_BYTES_MAX);
            Box::new(Zstd {
                packed: BufReader::new(object),
                decoder,
                in_frame: false,
            })
        }
    }
}

/// Members of gzip, one after another; nothing at all is no mistake.
enum Gzip {
    Unread(BufReader<Box<dyn Read + Send>>),
    Reading(Box<MultiGzDecoder<BufReader<Box<dyn Read + Send>>>>),
    Over,
}

impl Read for Gzip {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self {
                Self::Over => return Ok(0),
                Self::Reading(decoder) => return decoder.read(out),
                Self::Unread(packed) => {
                    let is_empty = packed.fill_buf()?.is_empty();
                    *self = match std::mem::replace(self, Self::Over) {
                        Self::Unread(packed) if !is_empty => {
                            Self::Reading(Box::new(MultiGzDecoder::new(packed)))
                        }
                        Self::Unread(_) | Self::Reading(_) | Self::Over => Self::Over,
                    };
                }
            }
        }
    }
}

/// Frames of zstd, one after another, those to be skipped among them.
struct Zstd {
    packed: BufReader<Box<dyn Read + Send>>,
    decoder: FrameDecoder,
    in_frame: bool,
}

impl Zstd {
    /// Starts the next frame; returns whether there is one.
    fn start(&mut self) -> io::Result<bool> {
        loop {
            if self.packed.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.init(&mut self.packed) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    let skipped = io::copy(&mut (&mut self.packed).take(length), &mut io::sink())?;
                    if skipped < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }

    fn check_sum(&self) -> io::Result<()> {
        let given = self.decoder.get_checksum_from_data();
        if given.is_some() && given != self.decoder.get_calculated_checksum() {
            return Err(io::Error::other("the checksum of a frame of zstd is wrong"));
        }
        Ok(())
    }
}

impl Read for Zstd {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.in_frame {
                self.in_frame = self.start()?;
                if !self.in_frame {
                    return Ok(0);
                }
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                let decoded = self.decoder.decode_blocks(&mut self.packed, one);
                decoded.map_err(io::Error::other)?;
            }
            let read = self.decoder.read(out)?;
            if read > 0 || out.is_empty() {
                return Ok(read);
            }
            self.check_sum()?;
            self.in_frame = false;
        }
    }
}
