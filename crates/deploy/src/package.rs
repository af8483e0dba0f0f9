//! A function's code as the zip that Lambda takes.
//!
//! The same files always make the same bytes: a second deployment finds nothing to change.

use std::fs::{self, File};
use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use base::units::ByteCount;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::limits::{CODE_BYTES_MAX, CODE_DEPTH_MAX, CODE_FILES_MAX};

/// A function's code, packed.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    /// The zip.
    pub zip: Bytes,
    /// Where it came from: what commands name.
    pub file: String,
}

/// Code that cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A file or directory cannot be read.
    #[error("read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There are too many files, or too deep.
    #[error("pack {path}: more than {CODE_FILES_MAX} files or {CODE_DEPTH_MAX} levels")]
    TooMany {
        /// The directory.
        path: PathBuf,
    },
    /// The files are too large.
    #[error("pack {path}: more than {CODE_BYTES_MAX}")]
    TooLarge {
        /// The directory.
        path: PathBuf,
    },
    /// A name is not UTF-8, or the archive refuses it.
    #[error("pack {path}")]
    Archive {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ZipError,
    },
}

impl Code {
    /// Takes a zip that exists already.
    pub fn of_zip(zip: impl Into<Bytes>, file: &str) -> Self {
        Self {
            zip: zip.into(),
            file: file.to_owned(),
        }
    }

    /// Packs what stands at `path`: a zip as it is, a directory with all its files, or one
    /// executable, which becomes `bootstrap`.
    ///
    /// Errors: [`PackageError`].
    pub fn read(path: &Path) -> Result<Self, PackageError> {
        let shown = path.display().to_string();
        let metadata = fs::metadata(path).map_err(|source| unread(path, source))?;
        if metadata.is_dir() {
            let zip = packed(&files_below(path)?)?;
            return Ok(Self::of_zip(zip, &format!("{shown}.zip")));
        }
        if path.extension().is_some_and(|extension| extension == "zip") {
            let zip = fs::read(path).map_err(|source| unread(path, source))?;
            return Ok(Self::of_zip(zip, &shown));
        }
        let bootstrap = Entry {
            name: "bootstrap".to_owned(),
            path: path.to_owned(),
        };
        Ok(Self::of_zip(packed(&[bootstrap])?, &format!("{shown}.zip")))
    }

    /// Returns the hash by which Lambda names the code, base64 of its SHA-256.
    pub fn sha256(&self) -> String {
        STANDARD.encode(digest(&SHA256, &self.zip))
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Code({}, {} bytes)", self.file, self.zip.len())
    }
}

/// A file, and its name in the archive.
struct Entry {
    name: String,
    path: PathBuf,
}

/// Returns all files below a directory, in the order of their names.
fn files_below(root: &Path) -> Result<Vec<Entry>, PackageError> {
    let too_many = || PackageError::TooMany {
        path: root.to_owned(),
    };
    let mut files = Vec::new();
    let mut pending = vec![(root.to_owned(), String::new(), 0)];
    while let Some((directory, prefix, depth)) = pending.pop() {
        if CODE_DEPTH_MAX <= depth {
            return Err(too_many());
        }
        let listing = fs::read_dir(&directory).map_err(|source| unread(&directory, source))?;
        for entry in listing {
            let entry = entry.map_err(|source| unread(&directory, source))?;
            let path = entry.path();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let metadata = fs::metadata(&path).map_err(|source| unread(&path, source))?;
            if metadata.is_dir() {
                pending.push((path, format!("{name}/"), depth + 1));
            } else {
                files.push(Entry { name, path });
            }
            if CODE_FILES_MAX < files.len() + pending.len() {
                return Err(too_many());
            }
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn packed(files: &[Entry]) -> Result<Vec<u8>, PackageError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut left = CODE_BYTES_MAX.as_u64();
    for Entry { name, path } in files {
        let archive = |source: ZipError| PackageError::Archive {
            path: path.clone(),
            source,
        };
        let (contents, mode) = contents(path, left)?;
        left = left.saturating_sub(ByteCount::bytes(len(&contents)).as_u64());
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(mode);
        zip.start_file(name, options).map_err(archive)?;
        zip.write_all(&contents)
            .map_err(|source| unread(path, source))?;
    }
    let finished = zip.finish().map_err(|source| PackageError::Archive {
        path: PathBuf::from("archive"),
        source,
    })?;
    Ok(finished.into_inner())
}

/// Returns a file's contents of at most `left` bytes, and the mode that it gets.
fn contents(path: &Path, left: u64) -> Result<(Vec<u8>, u32), PackageError> {
    let file = File::open(path).map_err(|source| unread(path, source))?;
    let metadata = file.metadata().map_err(|source| unread(path, source))?;
    let mut contents = Vec::new();
    file.take(left.saturating_add(1))
        .read_to_end(&mut contents)
        .map_err(|source| unread(path, source))?;
    if left < len(&contents) {
        return Err(PackageError::TooLarge {
            path: path.to_owned(),
        });
    }
    let executable = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    Ok((contents, if executable { 0o755 } else { 0o644 }))
}

fn len(contents: &[u8]) -> u64 {
    u64::try_from(contents.len()).unwrap_or(u64::MAX)
}

fn unread(path: &Path, source: io::Error) -> PackageError {
    PackageError::Read {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
