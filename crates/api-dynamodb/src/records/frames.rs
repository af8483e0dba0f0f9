//! Where a record ends: at the end of its line, or of a later one if it is still open there.
//!
//! It reads no record. A record that is never closed ends at its bound, or in Ion where the next
//! one has its version marker; the line behind it starts the next one.

use std::io::{self, BufRead, BufReader, Read};

use super::Format;
use crate::limits::RECORD_BYTES_MAX;

/// The records of an object, by their bytes.
pub(super) struct Frames {
    bytes: BufReader<Box<dyn Read + Send>>,
    scan: Scan,
    /// A line that was read and starts the next frame.
    held: Vec<u8>,
    is_start: bool,
}

/// The bytes of a record.
pub(super) enum Frame {
    /// All of them.
    Whole(Vec<u8>),
    /// How many they were: too many.
    TooLong(u64),
}

impl Frames {
    pub(super) fn new(bytes: BufReader<Box<dyn Read + Send>>, format: &Format) -> Self {
        let scan = match format {
            Format::Json => Scan::Lines,
            Format::Csv(columns) => Scan::Csv(columns.delimiter, Csv::Start),
            Format::Ion => Scan::Ion(Ion::default()),
        };
        Self {
            bytes,
            scan,
            held: Vec::new(),
            is_start: true,
        }
    }

    /// Returns the next frame; `None` at the end.
    ///
    /// Errors: those of reading; nothing can be read behind one.
    pub(super) fn next(&mut self) -> io::Result<Option<Frame>> {
        let mut frame = std::mem::take(&mut self.held);
        self.scan.restart();
        if !frame.is_empty() && self.scan.is_closed_by(&frame) {
            return Ok(Some(Frame::Whole(frame)));
        }
        loop {
            let from = frame.len();
            let read = self.line(&mut frame)?;
            if read == 0 {
                let left = (!frame.is_empty()).then_some(Frame::Whole(frame));
                return Ok(left);
            }
            if RECORD_BYTES_MAX < frame.len() {
                let before = u64::try_from(from).unwrap_or(u64::MAX);
                return Ok(Some(Frame::TooLong(before + read)));
            }
            let line = frame.get(from..).unwrap_or_default();
            if from > 0 && self.scan.is_given_up_at(line) {
                self.held = frame.split_off(from);
                return Ok(Some(Frame::Whole(frame)));
            }
            if self.scan.is_closed_by(line) {
                return Ok(Some(Frame::Whole(frame)));
            }
        }
    }

    /// Reads a line to the end of `frame`, of which no more is kept than shows that it is too long.
    /// Returns how long it was.
    fn line(&mut self, frame: &mut Vec<u8>) -> io::Result<u64> {
        let mut length = 0_u64;
        if std::mem::take(&mut self.is_start) && self.bytes.fill_buf()?.starts_with(MARK) {
            self.bytes.consume(MARK.len());
        }
        loop {
            let buffer = self.bytes.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = end.map_or(buffer, |end| buffer.get(..=end).unwrap_or(buffer));
            let room = (RECORD_BYTES_MAX + 1).saturating_sub(frame.len());
            frame.extend_from_slice(part.get(..room).unwrap_or(part));
            let read = part.len();
            self.bytes.consume(read);
            length += u64::try_from(read).unwrap_or(u64::MAX);
            if read == 0 || end.is_some() {
                return Ok(length);
            }
        }
    }
}

/// What is known of a record from the lines that were read of it.
enum Scan {
    Lines,
    Csv(u8, Csv),
    Ion(Ion),
}

impl Scan {
    fn restart(&mut self) {
        match self {
            Self::Lines => {}
            Self::Csv(_, state) => *state = Csv::Start,
            Self::Ion(state) => *state = Ion::default(),
        }
    }

    /// Looks at the next line; returns whether the record ends with it.
    fn is_closed_by(&mut self, line: &[u8]) -> bool {
        match self {
            Self::Lines => true,
            Self::Csv(delimiter, state) => {
                for byte in line {
                    *state = state.after(*byte, *delimiter);
                }
                *state != Csv::Quoted
            }
            Self::Ion(state) => {
                state.look_at(line);
                state.depth == 0 && state.within == Within::Value
            }
        }
    }

    /// Returns whether a line starts another record although this one is open.
    fn is_given_up_at(&self, line: &[u8]) -> bool {
        match self {
            Self::Lines | Self::Csv(..) => false,
            Self::Ion(state) => {
                let within = matches!(state.within, Within::LongText | Within::LongComment);
                !within && line.starts_with(b"$ion_1_0")
            }
        }
    }
}

/// Where in a row a byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Csv {
    /// At the start of a field.
    Start,
    /// In a field without quotes, or behind one's closing quote.
    Plain,
    /// Between quotes.
    Quoted,
    /// Behind a quote that ends its field, or is the first of two.
    Closing,
}

impl Csv {
    fn after(self, byte: u8, delimiter: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::Closing,
            (Self::Start | Self::Closing, b'"') | (Self::Quoted, _) => Self::Quoted,
            (Self::Start | Self::Plain | Self::Closing, byte)
                if byte == delimiter || byte == b'\n' =>
            {
                Self::Start
            }
            (Self::Start | Self::Plain | Self::Closing, _) => Self::Plain,
        }
    }
}

/// Where in Ion text the lines so far end.
#[derive(Default)]
struct Ion {
    /// How many brackets are open.
    depth: usize,
    within: Within,
}

/// What a byte of Ion text is a part of.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Value,
    LongText,
    LongComment,
    Blob,
}

impl Ion {
    fn look_at(&mut self, line: &[u8]) {
        let mut at = 0;
        while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
            at += match self.within {
                Within::Value => self.value(rest),
                Within::LongText => self.until(rest, b"'''"),
                Within::LongComment => self.until(rest, b"*/"),
                Within::Blob => self.until(rest, b"}}"),
            };
        }
    }

    /// Goes on in what ends with `end`; returns how many bytes were looked at.
    fn until(&mut self, rest: &[u8], end: &[u8]) -> usize {
        if self.within == Within::LongText && rest.first() == Some(&b'\\') {
            return 2;
        }
        if rest.starts_with(end) {
            self.within = Within::Value;
            return end.len();
        }
        1
    }

    fn value(&mut self, rest: &[u8]) -> usize {
        match rest {
            [b'\'', b'\'', b'\'', ..] => {
                self.within = Within::LongText;
                3
            }
            [b'{', b'{', ..] => {
                self.within = Within::Blob;
                2
            }
            [b'/', b'*', ..] => {
                self.within = Within::LongComment;
                2
            }
            [b'/', b'/', ..] => rest.len(),
            [quote @ (b'"' | b'\''), text @ ..] => 1 + quoted(text, *quote),
            [b'{' | b'[' | b'(', ..] => {
                self.depth += 1;
                1
            }
            [b'}' | b']' | b')', ..] => {
                self.depth = self.depth.saturating_sub(1);
                1
            }
            _ => 1,
        }
    }
}

/// Returns how long a text is, its closing quote included; it ends with its line.
fn quoted(text: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += match byte {
            b'\\' => 2,
            byte if *byte == quote => return at + 1,
            _ => 1,
        };
    }
    text.len()
}

/// The byte order mark of UTF-8, which some programs put before a text.
const MARK: &[u8] = "\u{feff}".as_bytes();
