//! Who runs regions out of a state directory: one process at a time, which others can name.
//!
//! It guards no data: each region locks its own.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};

/// The file in the state directory that its process keeps locked, with its number in it. The
/// lock goes with the process, however that ends; the file stays.
const FILE: &str = "up.pid";

/// The state directory is this process's until this is dropped.
#[derive(Debug)]
pub(crate) struct Tenancy {
    _file: File,
}

/// Takes the state directory.
///
/// Errors: when another process has it.
pub(crate) fn take(state_dir: &Path) -> anyhow::Result<Tenancy> {
    let path = state_dir.join(FILE);
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    let write = || format!("write {}", path.display());
    let mut file = options.open(&path).with_context(write)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => bail!(
            "run regions in {}: process {} does already; stop it, or name another --state-dir",
            state_dir.display(),
            number(&path).unwrap_or_else(|| "another".to_owned())
        ),
        Err(TryLockError::Error(error)) => return Err(error).with_context(write),
    }
    file.set_len(0).with_context(write)?;
    writeln!(file, "{}", std::process::id()).with_context(write)?;
    Ok(Tenancy { _file: file })
}

/// Returns the number of the process that has the state directory.
pub(crate) fn holder(state_dir: &Path) -> Option<String> {
    let path = state_dir.join(FILE);
    let held = File::open(&path).ok()?.try_lock();
    matches!(held, Err(TryLockError::WouldBlock)).then(|| number(&path))?
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

    #[test]
    fn one_process_at_a_time_has_it_and_is_named() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        assert_eq!(holder(dir.path()), None);
        let taken = take(dir.path()).expect("free");
        let own = std::process::id().to_string();
        assert_eq!(holder(dir.path()), Some(own.clone()));
        let refused = take(dir.path()).expect_err("taken").to_string();
        assert!(refused.contains(&own), "{refused}");
        drop(taken);
        assert_eq!(holder(dir.path()), None);
        take(dir.path()).expect("free again");
    }
}
