//! What the demo says while it runs: sentences on stdout, progress on a terminal's stderr.
//!
//! With `--json` it says nothing; the report says it all.

use crate::progress::{Bar, Deployment, Lines, Progress};

/// Says what happens.
pub(crate) struct Narrator {
    pub(crate) progress: Progress,
}

impl Narrator {
    pub(crate) fn new(lines: Lines) -> Self {
        Self {
            progress: Progress::new(lines),
        }
    }

    pub(crate) fn heading(&self, text: &str) {
        self.progress.line(&format!("\n{text}\n"));
    }

    pub(crate) fn line(&self, text: &str) {
        self.progress.line(&format!("  {text}"));
    }

    /// Shows that something takes a while; the returned bar ends when it is dropped.
    pub(crate) fn waits(&self, text: &str) -> Bar {
        self.progress.waits(text)
    }

    /// Shows how many of `all` are done; the returned bar ends when it is dropped.
    pub(crate) fn counts(&self, text: &str, all: usize) -> Bar {
        self.progress.counts(text, all)
    }

    /// Tells of a deployment.
    pub(crate) fn deployment(&self) -> Deployment<'_> {
        self.progress.deployment()
    }
}
