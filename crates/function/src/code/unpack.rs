//! Unpacks a deployment package into an empty directory.
//!
//! It trusts nothing in the package: names, sizes and links are checked as they come.
//! Source: Lambda developer guide, "Working with .zip file archives".

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use zip::read::{ZipArchive, ZipFile};

use crate::code::sync_dir;
use crate::limits::{CODE_BYTES_MAX, CODE_ENTRIES_MAX, CODE_NAME_BYTES_MAX, FILE_NAME_BYTES_MAX};

/// A package cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It is no zip file, or a damaged one, or one that needs a password.
    #[error("read the zip file")]
    NotZip(#[source] zip::result::ZipError),
    /// It has more files and directories than allowed.
    #[error("unpack the zip file: it has more than {CODE_ENTRIES_MAX} files and directories")]
    TooManyEntries,
    /// It is larger than allowed once unpacked.
    #[error("unpack the zip file: it holds more than {} bytes", CODE_BYTES_MAX.as_u64())]
    TooLarge,
    /// An entry's name leads out of the directory, or is the name of another entry.
    #[error("unpack the zip file: its entry {0:?} has a name that cannot be used")]
    BadName(String),
    /// A link leads out of the directory.
    #[error("unpack the zip file: its link {0:?} leads out of it")]
    BadLink(String),
    /// A file could not be written.
    #[error("unpack the zip file to {path}")]
    Disk {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Checks a package as [`unpack`] would, without writing; for who stores it.
///
/// Errors: [`UnpackError`], except for the disk's.
pub fn check(package: &[u8]) -> Result<(), UnpackError> {
    check_within(package, CODE_BYTES_MAX.as_u64())
}

fn check_within(package: &[u8], mut left: u64) -> Result<(), UnpackError> {
    let mut archive = open(package)?;
    let mut names = Names::default();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).map_err(UnpackError::NotZip)?;
        let name = name_of(&entry)?;
        names.admit(&entry, &name)?;
        if entry.is_symlink() {
            link_target(&mut entry, &name, &mut left)?;
        } else if !entry.is_dir() {
            copy(&mut entry, &mut io::sink(), &mut left, Path::new(""))?;
        }
    }
    Ok(())
}

/// The names of a package, as a directory would hold them.
#[derive(Default)]
struct Names {
    files: BTreeSet<PathBuf>,
    dirs: BTreeSet<PathBuf>,
}

impl Names {
    /// Takes the name of a file, a link or a directory, and of all directories above it.
    ///
    /// Errors: `BadName` for one that is taken; `TooManyEntries`, those above counted.
    fn admit<R: Read>(&mut self, entry: &ZipFile<'_, R>, name: &Path) -> Result<(), UnpackError> {
        let taken = || UnpackError::BadName(shown_name(entry));
        for above in name.ancestors().skip(1) {
            if self.files.contains(above) {
                return Err(taken());
            }
            if !self.dirs.insert(above.to_owned()) {
                // Those above this one were taken together with it.
                break;
            }
            self.check_count()?;
        }
        let is_free = if entry.is_dir() {
            self.dirs.insert(name.to_owned());
            !self.files.contains(name)
        } else {
            !self.dirs.contains(name) && self.files.insert(name.to_owned())
        };
        self.check_count()?;
        is_free.then_some(()).ok_or_else(taken)
    }

    fn check_count(&self) -> Result<(), UnpackError> {
        // The package's own directory is among them.
        if CODE_ENTRIES_MAX < self.files.len() + self.dirs.len() {
            return Err(UnpackError::TooManyEntries);
        }
        Ok(())
    }
}

/// Unpacks `package` into `into`, which must not exist yet, and makes it durable.
///
/// Shape: files keep their executable bits and lose their write bits.
/// Errors: [`UnpackError`]; the directory is then half filled.
pub fn unpack(package: &[u8], into: &Path) -> Result<(), UnpackError> {
    let mut archive = open(package)?;
    let mut left = CODE_BYTES_MAX.as_u64();
    let mut links = Vec::new();
    let mut names = Names::default();
    on(into, fs::create_dir(into))?;
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).map_err(UnpackError::NotZip)?;
        let name = name_of(&entry)?;
        names.admit(&entry, &name)?;
        let path = into.join(&name);
        if entry.is_dir() {
            on(&path, fs::create_dir_all(&path))?;
        } else if entry.is_symlink() {
            links.push((path, link_target(&mut entry, &name, &mut left)?));
        } else {
            write_file(&mut entry, &path, &mut left)?;
        }
    }
    // Links come last, so that nothing is ever written through one.
    for (path, target) in links {
        make_parent(&path)?;
        on(&path, symlink(target, &path))?;
    }
    sync_tree(into)
}

fn open(package: &[u8]) -> Result<ZipArchive<io::Cursor<&[u8]>>, UnpackError> {
    let archive = ZipArchive::new(io::Cursor::new(package)).map_err(UnpackError::NotZip)?;
    if CODE_ENTRIES_MAX < archive.len() {
        return Err(UnpackError::TooManyEntries);
    }
    Ok(archive)
}

fn name_of<R: Read>(entry: &ZipFile<'_, R>) -> Result<PathBuf, UnpackError> {
    let name = entry.enclosed_name();
    let is_plain = |name: &PathBuf| {
        name.components().next().is_some()
            && name.as_os_str().len() <= CODE_NAME_BYTES_MAX
            && name.components().all(
                |part| matches!(part, Component::Normal(text) if text.len() <= FILE_NAME_BYTES_MAX),
            )
    };
    name.filter(is_plain)
        .ok_or_else(|| UnpackError::BadName(shown_name(entry)))
}

fn shown_name<R: Read>(entry: &ZipFile<'_, R>) -> String {
    String::from_utf8_lossy(entry.name_raw()).into_owned()
}

fn write_file<R: Read>(
    entry: &mut ZipFile<'_, R>,
    path: &Path,
    left: &mut u64,
) -> Result<(), UnpackError> {
    make_parent(path)?;
    let execute = entry.unix_mode().unwrap_or(0) & 0o111;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| {
            if source.kind() == io::ErrorKind::AlreadyExists {
                UnpackError::BadName(shown_name(entry))
            } else {
                disk(path, source)
            }
        })?;
    copy(entry, &mut file, left, path)?;
    on(
        path,
        file.set_permissions(fs::Permissions::from_mode(0o444 | execute)),
    )?;
    on(path, file.sync_all())
}

/// Copies an entry; what it really holds counts, whatever its header says.
fn copy<R: Read>(
    entry: &mut ZipFile<'_, R>,
    into: &mut impl Write,
    left: &mut u64,
    path: &Path,
) -> Result<(), UnpackError> {
    let copied = io::copy(&mut entry.take(*left + 1), into).map_err(|source| {
        // What the operating system finds is the disk's fault, everything else the package's.
        if source.raw_os_error().is_some() {
            disk(path, source)
        } else {
            UnpackError::NotZip(source.into())
        }
    })?;
    *left = left.checked_sub(copied).ok_or(UnpackError::TooLarge)?;
    Ok(())
}

fn link_target<R: Read>(
    entry: &mut ZipFile<'_, R>,
    name: &Path,
    left: &mut u64,
) -> Result<PathBuf, UnpackError> {
    let refuse = || UnpackError::BadLink(name.display().to_string());
    let mut target = Vec::new();
    copy(entry, &mut target, left, name)?;
    let target = PathBuf::from(String::from_utf8(target).map_err(|_| refuse())?);
    // `..` is allowed at the beginning alone, and never above the package's root.
    let mut depth = name.components().count() - 1;
    let mut is_leading = true;
    for part in target.components() {
        match part {
            Component::ParentDir if is_leading && 0 < depth => depth -= 1,
            Component::Normal(_) => is_leading = false,
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(refuse());
            }
        }
    }
    Ok(target)
}

fn make_parent(path: &Path) -> Result<(), UnpackError> {
    match path.parent() {
        Some(parent) => on(parent, fs::create_dir_all(parent)),
        None => Ok(()),
    }
}

/// Makes all names below `root` durable. Links are not followed.
fn sync_tree(root: &Path) -> Result<(), UnpackError> {
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in on(&dir, fs::read_dir(&dir))? {
            let entry = on(&dir, entry)?;
            if on(&dir, entry.file_type())?.is_dir() {
                dirs.push(entry.path());
            }
        }
        on(&dir, sync_dir(&dir))?;
    }
    Ok(())
}

fn on<T>(path: &Path, result: io::Result<T>) -> Result<T, UnpackError> {
    result.map_err(|source| disk(path, source))
}

fn disk(path: &Path, source: io::Error) -> UnpackError {
    UnpackError::Disk {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
