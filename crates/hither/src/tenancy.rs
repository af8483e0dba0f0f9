//! Who runs regions out of a state directory: one process at a time, which others can name.
//!
//! It guards no data: each region locks its own.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

/// The file in the state directory that its process keeps locked, with its number in it. The
/// lock goes with the process, however that ends; the file stays.
const FILE: &str = "up.pid";

/// How often the lock is tried while others look at it. 100 times, a tenth of a second: who looks
/// lets go at once.
const TRIES_MAX: usize = 100;

/// The pause between two tries. 1 ms.
const PAUSE: Duration = Duration::from_millis(1);

/// The state directory is this process's until this is dropped.
#[derive(Debug)]
pub(crate) struct Tenancy {
    _file: File,
}

/// Takes the state directory.
///
/// Errors: when another process has it.
pub(crate) async fn take(state_dir: &Path) -> anyhow::Result<Tenancy> {
    let path = state_dir.join(FILE);
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    let write = || format!("write {}", path.display());
    let mut file = options.open(&path).with_context(write)?;
    let locked = lock(&file, async || tokio::time::sleep(PAUSE).await).await;
    if !locked.with_context(write)? {
        bail!(
            "run regions in {}: process {} does already; stop it, or name another --state-dir",
            state_dir.display(),
            number(&path).unwrap_or_else(|| "another".to_owned())
        );
    }
    file.set_len(0).with_context(write)?;
    writeln!(file, "{}", std::process::id()).with_context(write)?;
    Ok(Tenancy { _file: file })
}

/// Locks the file for its process alone; `false` where another has it.
///
/// Who looks shares the lock for a moment, so that it is tried again after a `pause`.
async fn lock(file: &File, mut pause: impl AsyncFnMut()) -> io::Result<bool> {
    for _ in 0..TRIES_MAX {
        if is_free(file.try_lock())? {
            return Ok(true);
        }
        if !is_free(file.try_lock_shared())? {
            return Ok(false);
        }
        file.unlock()?;
        pause().await;
    }
    Ok(false)
}

fn is_free(locked: Result<(), TryLockError>) -> io::Result<bool> {
    match locked {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Returns the number of the process that has the state directory.
pub(crate) fn holder(state_dir: &Path) -> Option<String> {
    let path = state_dir.join(FILE);
    // Shared: several may look at once, and none of them is a holder to another.
    let looked = File::open(&path).ok()?.try_lock_shared();
    matches!(looked, Err(TryLockError::WouldBlock)).then(|| number(&path))?
}

fn number(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let number = text.trim();
    (!number.is_empty()).then(|| number.to_owned())
}

#[cfg(test)]
mod tests {
    //! Tests of taking a state directory.

    use super::*;

    #[tokio::test]
    async fn one_process_at_a_time_has_it_and_is_named() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        assert_eq!(holder(dir.path()), None);
        let taken = take(dir.path()).await.expect("free");
        let own = std::process::id().to_string();
        assert_eq!(holder(dir.path()), Some(own.clone()));
        let refused = take(dir.path()).await.expect_err("taken").to_string();
        assert!(refused.contains(&own), "{refused}");
        drop(taken);
        assert_eq!(holder(dir.path()), None);
        take(dir.path()).await.expect("free again");
    }

    /// Looks at a state directory as [`holder`] does, and does not let go.
    fn looker(state_dir: &Path) -> File {
        let file = File::open(state_dir.join(FILE)).expect("it was taken before");
        file.try_lock_shared().expect("nobody has it");
        file
    }

    #[tokio::test]
    async fn who_looks_is_no_holder_to_another_who_looks() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        drop(take(dir.path()).await.expect("free"));
        let _looker = looker(dir.path());
        assert_eq!(holder(dir.path()), None);
        assert_eq!(holder(dir.path()), None, "the first look has ended");
    }

    #[tokio::test]
    async fn who_looks_keeps_nobody_out_for_long() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        drop(take(dir.path()).await.expect("free"));
        let file = File::open(dir.path().join(FILE)).expect("it is there");
        let mut looking = Some(looker(dir.path()));
        assert!(
            lock(&file, async || drop(looking.take()))
                .await
                .expect("locked")
        );
        let other = File::open(dir.path().join(FILE)).expect("it is there");
        let waits = async || unreachable!("a holder is not waited for");
        assert!(!lock(&other, waits).await.expect("looked at"));
        drop(file);
        let _looker = looker(dir.path());
        let mut pauses = 0;
        assert!(!lock(&other, async || pauses += 1).await.expect("looked at"));
        assert_eq!(pauses, TRIES_MAX, "nor forever for one who looks");
    }
}
