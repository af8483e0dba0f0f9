//! The data directory: whose it is, which format it has, and when to refuse it.
//!
//! It never changes a directory that it does not recognise.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::journal::{self, JournalError};
use crate::mark::Mark;

/// The folder of a data directory that is the engine's.
pub(crate) const ENGINE: &str = "store";

/// The file by which the engine keeps others out.
const LOCK: &str = "lock";

/// How often a lock is tried, and how long is waited after each: 200 ms, as the engine waits.
const LOCK_TRIES: usize = 4;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The file that marks a data directory and names its format.
const MARKER: &str = "HITHER_FORMAT";

/// The format that this build writes, and the newest that it reads.
///
/// | format | what came with it |
/// |---|---|
/// | 1 | the first |
/// | 2 | indexes, history and backups: an older build would leave them behind as items change |
const FORMAT: u32 = 2;

/// The oldest format that this build takes over, by marking it as its own.
const FORMAT_MIN: u32 = 1;

/// A data directory that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// It holds files, but none of ours.
    #[error(
        "open {path}: the directory is not empty and is no data directory of Hither \
         (it has no file {MARKER}); name another directory, or empty this one"
    )]
    Foreign {
        /// The directory.
        path: PathBuf,
    },
    /// A newer build wrote it.
    #[error(
        "open {path}: its format is {found}, and this build reads up to {FORMAT}; \
         start the build that wrote it, or a newer one"
    )]
    Newer {
        /// The directory.
        path: PathBuf,
        /// The format found.
        found: u32,
    },
    /// Its marker is not readable as one.
    #[error(
        "open {path}: the file {MARKER} is damaged; nothing was changed. Where the project has \
         other regions, move the directory away and start with an empty one, which they fill; \
         otherwise restore it from a backup of its newest state"
    )]
    Damaged {
        /// The directory.
        path: PathBuf,
    },
    /// Writes that were acknowledged cannot be read.
    #[error(
        "open {path}: the journal {file} is damaged at byte {at}, in or before writes that were \
         acknowledged; nothing was changed. Where the project has other regions, move the \
         directory away and start with an empty one: they fill it, and only what had reached \
         none of them is lost. Otherwise restore the directory from a backup of its newest state"
    )]
    Journal {
        /// The directory.
        path: PathBuf,
        /// The journal.
        file: PathBuf,
        /// Its first byte that is not of a whole batch.
        at: u64,
    },
    /// Another process has it open.
    #[error("open {path}: another process has this data directory open; stop it first")]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The engine could not open what is there.
    #[error(
        "open {path}: {reason}; what is damaged is left as it is, though files that nothing needs \
         may have been cleared away. Where the project has other regions, move the directory away \
         and start with an empty one, which they fill; otherwise restore it from a backup of its \
         newest state"
    )]
    Engine {
        /// The directory.
        path: PathBuf,
        /// What the engine said.
        reason: String,
    },
    /// The operating system refused.
    #[error("open {path}")]
    Io {
        /// The directory.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
}

/// Makes the directory if it is not there, and checks that it is ours and readable.
///
/// Errors: [`DirectoryError`]; the directory is unchanged then.
pub(crate) fn prepare(path: &Path) -> Result<(), DirectoryError> {
    let io = |source| DirectoryError::Io {
        path: path.to_owned(),
        source,
    };
    fs::create_dir_all(path).map_err(io)?;
    let marker = path.join(MARKER);
    if !marker.exists() {
        // A crash at the first start may have left a draft, or the engine's folder, which are ours.
        let (draft, engine) = (draft_of(&marker), path.join(ENGINE));
        let mut entries = fs::read_dir(path).map_err(io)?;
        let is_foreign = |entry: std::io::Result<fs::DirEntry>| {
            entry.map_or(true, |entry| {
                let path = entry.path();
                path != draft && (path != engine || !is_empty(&path))
            })
        };
        if entries.any(is_foreign) {
            return Err(DirectoryError::Foreign {
                path: path.to_owned(),
            });
        }
        return make_last(path, &engine)
            .and_then(|()| write_marker(path, &marker))
            .map_err(io);
    }
    let text = fs::read_to_string(&marker).unwrap_or_default();
    match text.trim().parse::<u32>() {
        Ok(FORMAT) => Ok(()),
        Ok(FORMAT_MIN..FORMAT) => write_marker(path, &marker).map_err(io),
        Ok(found) if found > FORMAT => Err(DirectoryError::Newer {
            path: path.to_owned(),
            found,
        }),
        Ok(_) | Err(_) => Err(DirectoryError::Damaged {
            path: path.to_owned(),
        }),
    }
}

/// Checks the engine's journals in `engine`, and removes what a crash left there.
///
/// Errors: [`DirectoryError`]; the directory is unchanged then.
pub(crate) fn judge(path: &Path, engine: &Path) -> Result<(), DirectoryError> {
    let io = |source| DirectoryError::Io {
        path: path.to_owned(),
        source,
    };
    // The engine's own lock: nobody writes while it is held. Where there is none, the engine has
    // made nothing yet, or what it made is gone.
    let lock = match fs::File::open(engine.join(LOCK)) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        lock => Some(lock.map_err(io)?),
    };
    if let Some(lock) = &lock
        && !acquired(lock).map_err(io)?
    {
        let path = path.to_owned();
        return Err(DirectoryError::Locked { path });
    }
    let mark = Mark::read(path).map_err(io)?;
    let judged = journal::clear_unfinished(engine).and_then(|()| journal::judge(engine, mark));
    judged.map_err(|error| match error {
        JournalError::Damaged { file, at } => DirectoryError::Journal {
            path: path.to_owned(),
            file,
            at,
        },
        JournalError::Io(source) => io(source),
    })
}

/// Returns whether a lock could be had, within the time that a process that ends holds it.
#[expect(
    clippy::disallowed_methods,
    reason = "an engine's start, below every simulated seam"
)]
fn acquired(lock: &fs::File) -> std::io::Result<bool> {
    for _ in 0..LOCK_TRIES {
        match lock.try_lock() {
            Ok(()) => return Ok(true),
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}

fn draft_of(marker: &Path) -> PathBuf {
    marker.with_extension("draft")
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// Makes the engine's folder, and all names on the way to it last: a flush makes what is in a
/// file last, not its name.
fn make_last(path: &Path, engine: &Path) -> std::io::Result<()> {
    fs::create_dir_all(engine)?;
    // The data directory, which may have been made along with the one above it.
    for folder in path.ancestors().take(WAY_MAX) {
        match sync(folder) {
            // Somebody else's, who let us pass and not look: we made nothing in it.
            Err(error) if folder != path && error.kind() == ErrorKind::PermissionDenied => {}
            synced => synced?,
        }
    }
    Ok(())
}

/// Makes the names in a folder last.
pub(crate) fn sync(folder: &Path) -> std::io::Result<()> {
    let is_here = folder.as_os_str().is_empty();
    fs::File::open(if is_here { Path::new(".") } else { folder })?.sync_all()
}

/// How many directories' names are made to last at the first start. 3: the data directory's, that
/// of the region's directory around it, and what is in both.
const WAY_MAX: usize = 3;

/// Writes the marker so that a crash leaves either none or a whole one.
fn write_marker(directory: &Path, marker: &Path) -> std::io::Result<()> {
    let draft = draft_of(marker);
    let mut file = fs::File::create(&draft)?;
    writeln!(file, "{FORMAT}")?;
    file.sync_all()?;
    fs::rename(&draft, marker)?;
    sync(directory)
}

#[cfg(test)]
mod tests;
