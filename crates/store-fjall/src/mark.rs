//! How far the journal is known to be on disk, noted beside it.
//!
//! It makes nothing last: the note itself is never flushed, since an older one is true as well.
//!
//! The journal alone cannot tell a batch that a crash cut short from one that was acknowledged and
//! is damaged. What the note names was on disk, so that it can only be missing by damage.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::journal;

/// The file in the data directory.
const FILE: &str = "HITHER_FLUSHED";

/// A batch that was on disk, and everything before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The number of the journal that it is in.
    pub(crate) journal: u64,
    /// The engine's number of the batch.
    pub(crate) batch: u64,
}

impl Mark {
    /// Reads the mark of a data directory; `None` where there is none that is whole.
    ///
    /// Errors: where the file is there and cannot be read.
    pub(crate) fn read(directory: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(directory.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            bytes => Ok(Self::parse(&bytes?)),
        }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (body, sum) = bytes.split_last_chunk()?;
        let (version, rest) = body.split_first_chunk()?;
        let (journal, batch) = rest.split_first_chunk()?;
        let is_whole = *version == VERSION && u32::from_le_bytes(*sum) == crc32fast::hash(body);
        is_whole.then_some(Self {
            journal: u64::from_le_bytes(*journal),
            batch: u64::from_le_bytes(batch.try_into().ok()?),
        })
    }

    fn bytes(self) -> Vec<u8> {
        let mut bytes = VERSION.to_vec();
        bytes.extend(self.journal.to_le_bytes());
        bytes.extend(self.batch.to_le_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }
}

/// The form of the file.
const VERSION: [u8; 4] = *b"HFL\x01";

/// Keeps the mark of an open store.
pub(crate) struct Marker {
    file: File,
    journals: PathBuf,
    /// The newest journal that was seen, and the number of its first batch once it has one.
    journal: u64,
    first: Option<u64>,
    /// The last batch that is known to be on disk and not noted, and how many were before it.
    unnoted: Option<u64>,
    count: u32,
}

impl Marker {
    /// Opens the mark of a data directory whose journals are in `journals`.
    pub(crate) fn open(directory: &Path, journals: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(directory.join(FILE))?;
        Ok(Self {
            file,
            journal: journal::newest(&journals)?.unwrap_or_default(),
            journals,
            first: None,
            unnoted: None,
            count: 0,
        })
    }

    /// Takes note of a batch that is on disk, and writes the mark where many are not noted.
    pub(crate) fn flushed(&mut self, batch: u64) {
        self.unnoted = Some(batch);
        self.count += 1;
        if self.count >= UNNOTED_MAX {
            self.note();
        }
    }

    /// Writes the mark, where there is something to note.
    ///
    /// A batch below the first of the newest journal is in an older one, or in none: there is no
    /// mark of it, since the engine removes older ones as it likes.
    pub(crate) fn note(&mut self) {
        self.count = 0;
        let Some(batch) = self.unnoted.take() else {
            return;
        };
        match self.first_of_newest() {
            Ok(Some(first)) if first <= batch => {}
            Ok(_) => return,
            Err(error) => {
                tracing::debug!(%error, "the newest journal could not be read");
                return;
            }
        }
        let mark = Mark {
            journal: self.journal,
            batch,
        };
        if let Err(error) = self.file.write_all_at(&mark.bytes(), 0) {
            tracing::debug!(%error, "how far the journal is on disk could not be noted");
        }
    }

    /// Returns the number of the first batch in the newest journal.
    fn first_of_newest(&mut self) -> io::Result<Option<u64>> {
        while journal::path(&self.journals, self.journal + 1).exists() {
            self.journal += 1;
            self.first = None;
        }
        if self.first.is_none() {
            self.first = journal::first(&self.journals, self.journal)?;
        }
        Ok(self.first)
    }
}

/// Most batches on disk between two marks. 64: a write of 24 bytes is nothing beside so many
/// flushes, and where the queue is empty the mark is written anyway.
const UNNOTED_MAX: u32 = 64;

#[cfg(test)]
mod tests;
