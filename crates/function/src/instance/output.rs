//! What an instance's process writes, read without ever waiting for it.
//!
//! It keeps no lines; they go to the function's log.

use std::io;
use std::sync::Arc;

use tokio::net::unix::pipe;

use crate::code::CodeDir;
use crate::locked::Locked;
use crate::log::LineCutter;

/// The reading end of a process's standard output and error.
pub(crate) struct Output {
    pipe: pipe::Receiver,
    lines: Locked<Lines>,
    /// The code that the process runs stays on disk as long as the process.
    _code: Arc<CodeDir>,
}

#[derive(Default)]
struct Lines {
    cutter: LineCutter,
    is_closed: bool,
}

impl Output {
    pub(crate) fn new(pipe: pipe::Receiver, code: Arc<CodeDir>) -> Self {
        Self {
            pipe,
            lines: Locked::new(Lines::default()),
            _code: code,
        }
    }

    /// Waits until there may be something to read; for ever once the process closed its end.
    pub(crate) async fn readable(&self) {
        if self.lines.with(|lines| lines.is_closed) || self.pipe.readable().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Reads what there is and gives each complete line to `emit`.
    ///
    /// What a process wrote before it sent us something is there when that arrives, so a drain
    /// on arrival puts lines and invocations in their true order.
    pub(crate) fn drain(&self, mut emit: impl FnMut(String)) {
        let mut buf = [0; 4096];
        self.lines.with(|lines| {
            // A process that writes faster than we read must not keep us here.
            for _ in 0..READS_MAX {
                match self.pipe.try_read(&mut buf) {
                    Ok(0) => {
                        lines.is_closed = true;
                        return;
                    }
                    Ok(count) => lines
                        .cutter
                        .feed(buf.get(..count).unwrap_or_default(), &mut emit),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                    Err(error) => {
                        tracing::warn!(%error, "cannot read a function's output");
                        lines.is_closed = true;
                        return;
                    }
                }
            }
        });
    }

    /// Gives a last line without end to `emit`.
    pub(crate) fn finish(&self, emit: impl FnOnce(String)) {
        self.lines.with(|lines| lines.cutter.finish(emit));
    }
}

/// Most reads in one go. 64: at 4 KiB each, four times what a pipe holds.
const READS_MAX: usize = 64;
