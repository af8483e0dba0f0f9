//! The log of one function: what its processes write, and the lines Lambda adds.
//!
//! It is memory only: the oldest lines go when the bound is reached, all of them at a restart.

use std::collections::VecDeque;
use std::sync::Arc;

use clock::time::WallTime;
use tokio::sync::watch;

use crate::limits::{LOG_BYTES_MAX, LOG_LINE_BYTES_MAX, LOG_TAIL_BYTES_MAX};
use crate::locked::Locked;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The line's number, growing by one; a reader that follows asks for what comes after it.
    pub sequence: u64,
    /// When the line was read.
    pub at: WallTime,
    /// Which instance wrote it, as Lambda names log streams.
    pub stream: Arc<str>,
    /// The text, without its end of line.
    pub text: String,
}

/// The lines of one function, newest last.
#[derive(Debug)]
pub struct Log {
    ring: Locked<Ring>,
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<LogLine>,
    bytes: usize,
    next: u64,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self {
            ring: Locked::new(Ring::default()),
            newest: watch::Sender::new(0),
        }
    }

    /// Returns at most `count` lines from the line numbered `from` on.
    pub fn read(&self, from: u64, count: usize) -> Vec<LogLine> {
        self.ring.with(|ring| {
            let start = ring.lines.partition_point(|line| line.sequence < from);
            ring.lines.iter().skip(start).take(count).cloned().collect()
        })
    }

    /// Returns a channel that shows the number the next line will have.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    pub(crate) fn push(&self, at: WallTime, stream: &Arc<str>, text: String) {
        let next = self.ring.with(|ring| {
            ring.bytes += text.len();
            ring.lines.push_back(LogLine {
                sequence: ring.next,
                at,
                stream: Arc::clone(stream),
                text,
            });
            ring.next += 1;
            while LOG_BYTES_MAX.as_len() < ring.bytes {
                let Some(oldest) = ring.lines.pop_front() else {
                    break;
                };
                ring.bytes -= oldest.text.len();
            }
            ring.next
        });
        self.newest.send_replace(next);
    }

    /// Returns the number the next line will have.
    pub(crate) fn next(&self) -> u64 {
        self.ring.with(|ring| ring.next)
    }

    /// Returns the end of what `stream` wrote from the line numbered `from` on.
    ///
    /// Shape: at most [`LOG_TAIL_BYTES_MAX`], each line with its end of line.
    pub(crate) fn tail(&self, from: u64, stream: &Arc<str>) -> String {
        let mut text = self.ring.with(|ring| {
            let start = ring.lines.partition_point(|line| line.sequence < from);
            let mut text = String::new();
            for line in ring.lines.iter().skip(start) {
                if Arc::ptr_eq(&line.stream, stream) {
                    text.push_str(&line.text);
                    text.push('\n');
                }
            }
            text
        });
        let mut cut = text.len().saturating_sub(LOG_TAIL_BYTES_MAX.as_len());
        while !text.is_char_boundary(cut) {
            cut += 1;
        }
        text.split_off(cut)
    }
}

/// Cuts what a process writes into lines.
#[derive(Debug, Default)]
pub(crate) struct LineCutter {
    partial: Vec<u8>,
}

impl LineCutter {
    /// Takes some bytes and gives each line that is complete to `emit`.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut emit: impl FnMut(String)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            let is_line = self.partial.ends_with(b"\n");
            if is_line {
                self.partial.pop();
                if self.partial.ends_with(b"\r") {
                    self.partial.pop();
                }
            }
            while LOG_LINE_BYTES_MAX.as_len() < self.partial.len() {
                let rest = self.partial.split_off(LOG_LINE_BYTES_MAX.as_len());
                emit(text_of(&self.partial));
                self.partial = rest;
            }
            if is_line {
                emit(text_of(&self.partial));
                self.partial.clear();
            }
        }
    }

    /// Gives a last line that has no end to `emit`.
    pub(crate) fn finish(&mut self, emit: impl FnOnce(String)) {
        if !self.partial.is_empty() {
            emit(text_of(&self.partial));
            self.partial.clear();
        }
    }
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
