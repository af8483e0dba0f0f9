//! Deployment packages, unpacked once into directories named by their hashes.
//!
//! It stores no package: those come through [`CodeSource`].

pub mod unpack;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use clock::port::Entropy;
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use crate::locked::Locked;
use crate::spec::CodeHash;

/// Gives the deployment package of a hash.
pub trait CodeSource: Send + Sync + 'static {
    /// Returns the package, a zip file.
    ///
    /// Errors: [`CodeUnavailable`] where this region does not have it, or not yet.
    fn fetch(&self, code: CodeHash) -> impl Future<Output = Result<Bytes, CodeUnavailable>> + Send;
}

/// A package cannot be had.
#[derive(Clone, Debug, thiserror::Error)]
#[error("fetch the code: {0}")]
pub struct CodeUnavailable(pub String);

/// A package could not be made ready to run.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The package did not come.
    #[error(transparent)]
    Unavailable(#[from] CodeUnavailable),
    /// What came has another hash.
    #[error("fetch the code: it has the hash {0}")]
    OtherHash(CodeHash),
    /// The package cannot be unpacked.
    #[error(transparent)]
    Unpack(#[from] unpack::UnpackError),
    /// The directory could not be read or written.
    #[error("keep the code in {path}")]
    Disk {
        /// Which file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// A directory with unpacked code. It stays as long as somebody holds it.
#[derive(Debug)]
pub(crate) struct CodeDir {
    pub(crate) path: PathBuf,
}

/// A [`CodeSource`] whose kind is not known.
trait AnySource: Send + Sync + 'static {
    fn fetch(&self, code: CodeHash) -> BoxFuture<'_, Result<Bytes, CodeUnavailable>>;
}

impl<C: CodeSource> AnySource for C {
    fn fetch(&self, code: CodeHash) -> BoxFuture<'_, Result<Bytes, CodeUnavailable>> {
        Box::pin(CodeSource::fetch(self, code))
    }
}

/// The unpacked packages of a region.
pub(crate) struct Codes {
    root: PathBuf,
    source: Box<dyn AnySource>,
    ready: Locked<BTreeMap<CodeHash, Arc<OnceCell<Arc<CodeDir>>>>>,
    /// How many directories were swept, so that each gets a name of its own.
    swept: AtomicU64,
}

impl Codes {
    /// Opens the directory: keeps what is whole, removes what an earlier process left half done.
    ///
    /// Errors: those of the operating system.
    pub(crate) fn open(root: PathBuf, source: impl CodeSource) -> Result<Self, PrepareError> {
        let given = root.clone();
        let on_disk = |source| PrepareError::Disk {
            path: given.clone(),
            source,
        };
        std::fs::create_dir_all(&root).map_err(on_disk)?;
        // Functions run in directories of their own, where a relative path leads elsewhere.
        let root = root.canonicalize().map_err(on_disk)?;
        let mut ready = BTreeMap::new();
        for entry in std::fs::read_dir(&root).map_err(on_disk)?.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if name.starts_with(HALF_DONE) {
                std::fs::remove_dir_all(path).map_err(on_disk)?;
            } else if let Some(code) = CodeHash::parse(&name) {
                let cell = OnceCell::new_with(Some(Arc::new(CodeDir { path })));
                ready.insert(code, Arc::new(cell));
            }
        }
        Ok(Self {
            root,
            source: Box::new(source),
            ready: Locked::new(ready),
            swept: AtomicU64::new(0),
        })
    }

    /// Returns the directory of a package, fetching and unpacking it where it is not there yet.
    /// Whoever asks meanwhile waits for the same work.
    pub(crate) async fn prepare(
        &self,
        code: CodeHash,
        entropy: &dyn Entropy,
    ) -> Result<Arc<CodeDir>, PrepareError> {
        let cell = self
            .ready
            .with(|ready| Arc::clone(ready.entry(code).or_default()));
        let nonce = entropy.random();
        let dir = cell.get_or_try_init(|| self.unpack(code, nonce)).await?;
        Ok(Arc::clone(dir))
    }

    async fn unpack(&self, code: CodeHash, nonce: u64) -> Result<Arc<CodeDir>, PrepareError> {
        let path = self.root.join(code.to_string());
        let package = self.source.fetch(code).await?;
        let half_done = self.root.join(format!("{HALF_DONE}{code}-{nonce:016x}"));
        let work = {
            let path = path.clone();
            move || install(code, &package, &half_done, &path)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|join| PrepareError::Disk {
                path: path.clone(),
                source: io::Error::other(join),
            })??;
        Ok(Arc::new(CodeDir { path }))
    }

    /// Forgets the packages that are neither in `wanted` nor in use.
    ///
    /// Shape: the directories that the caller is to remove.
    pub(crate) fn sweep(&self, wanted: &BTreeSet<CodeHash>) -> Vec<PathBuf> {
        self.ready.with(|ready| {
            let unused: Vec<CodeHash> = ready
                .iter()
                .filter(|(code, cell)| {
                    // The map's own count is the only one, of the cell and of what is in it.
                    !wanted.contains(code)
                        && Arc::strong_count(cell) == 1
                        && cell.get().is_none_or(|dir| Arc::strong_count(dir) == 1)
                })
                .map(|(code, _)| *code)
                .collect();
            // Renamed under the lock, so that who asks again finds either all of it or nothing.
            unused
                .into_iter()
                .filter_map(|code| {
                    let path = self.root.join(code.to_string());
                    let number = self.swept.fetch_add(1, Ordering::Relaxed);
                    let doomed = self.root.join(format!("{HALF_DONE}{code}-unused-{number}"));
                    match std::fs::rename(&path, &doomed) {
                        Ok(()) => {
                            ready.remove(&code);
                            Some(doomed)
                        }
                        // It never came to be unpacked.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {
                            ready.remove(&code);
                            None
                        }
                        // What cannot be moved is whole, and stays usable.
                        Err(error) => {
                            tracing::warn!(%error, path = %path.display(), "unused code stays");
                            None
                        }
                    }
                })
                .collect()
        })
    }
}

/// Names of directories that are being filled or emptied begin so.
const HALF_DONE: &str = ".half-";

/// Unpacks `package` aside and moves it into place at once, durably.
fn install(
    code: CodeHash,
    package: &[u8],
    half_done: &Path,
    path: &Path,
) -> Result<(), PrepareError> {
    let found = CodeHash::of(package);
    if found != code {
        return Err(PrepareError::OtherHash(found));
    }
    let unpacked = unpack::unpack(package, half_done).map_err(PrepareError::from);
    let placed = unpacked.and_then(|()| {
        std::fs::rename(half_done, path)
            .and_then(|()| sync_dir(path.parent().unwrap_or(path)))
            .map_err(|source| PrepareError::Disk {
                path: path.to_owned(),
                source,
            })
    });
    if placed.is_err() {
        // What is left here is removed when the directory is opened next.
        let _ = std::fs::remove_dir_all(half_done);
    }
    placed
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests;
