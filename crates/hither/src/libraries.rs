//! What libraries say through the `log` crate, brought into this program's own log.
//!
//! It takes errors alone: the store's engine tells nowhere else why one of its threads ended.

use log::{LevelFilter, Log, Metadata, Record};

struct Libraries;

impl Log for Libraries {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= LevelFilter::Error
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            tracing::error!(library = record.target(), "{}", record.args());
        }
    }

    fn flush(&self) {}
}

/// Begins to listen. Where something else does already, that goes on.
pub(crate) fn listen() {
    if log::set_logger(&Libraries).is_ok() {
        log::set_max_level(LevelFilter::Error);
    }
}
