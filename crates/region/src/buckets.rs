//! Buckets that exports go to and imports come from: directories of the region's own, one a bucket.
//!
//! It serves nobody: whoever may use the data directory takes files from there, or puts them there.
//! Links are not followed.
//!
//! ```text
//! data directory/buckets/BUCKET/KEY, each slash of a key a directory
//!               /logs/LOG
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use api_dynamodb::buckets::{Buckets, Object, Report};
use api_dynamodb::facade::DynamoDb;
use control::control::Control;
use net::tasks::Tasks;
use store::port::Store;

/// The buckets and logs of a region.
#[derive(Clone)]
struct Directories {
    buckets: PathBuf,
    logs: PathBuf,
}

/// Writes exports into the data directory and loads items from it, as that is asked for.
pub(crate) fn start<S: Store>(tasks: &Arc<Tasks>, control: &Control<S>, data_dir: &Path) {
    let buckets = Directories {
        buckets: data_dir.join("buckets"),
        logs: data_dir.join("logs"),
    };
    let (exporter, to) = (DynamoDb::new(control.clone()), buckets.clone());
    tasks.spawn(async move { exporter.follow_exports(&to).await });
    let loader = DynamoDb::new(control.clone());
    tasks.spawn(async move { loader.follow_loads(&buckets).await });
}

impl Buckets for Directories {
    async fn put(&self, bucket: &str, key: &str, object: Bytes) -> io::Result<()> {
        let (path, top) = (
            path(&self.buckets, &format!("{bucket}/{key}"))?,
            self.buckets.clone(),
        );
        blocking(move || write(&path, &object, &top)).await
    }

    async fn list(&self, bucket: &str, prefix: &str, most: usize) -> io::Result<Vec<Object>> {
        let bucket = path(&self.buckets, bucket)?;
        if let Some((folder, _)) = prefix.rsplit_once('/') {
            path(&bucket, folder)?;
        }
        let start = prefix.to_owned();
        blocking(move || {
            if !fs::symlink_metadata(&bucket)?.is_dir() {
                return Err(io::ErrorKind::NotFound.into());
            }
            let mut found = Vec::new();
            find(&bucket, &bucket, (&start, most), &mut found)?;
            found.sort();
            Ok(found)
        })
        .await
    }

    async fn open(&self, bucket: &str, key: &str) -> io::Result<Box<dyn Read + Send>> {
        let path = path(&self.buckets, &format!("{bucket}/{key}"))?;
        blocking(move || Ok(Box::new(File::open(path)?) as Box<dyn Read + Send>)).await
    }

    async fn report(&self, report: Report<'_>, from: u64, bytes: Bytes) -> io::Result<()> {
        let (top, name) = match report {
            Report::Object { bucket, key } => (self.buckets.clone(), format!("{bucket}/{key}")),
            Report::Log(name) => (self.logs.clone(), name.to_owned()),
        };
        let path = path(&top, &name)?;
        blocking(move || extend(&path, from, &bytes, &top)).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(io::Error::other)?
}

/// Returns where something is kept. Names that would lead elsewhere are refused.
fn path(root: &Path, names: &str) -> io::Result<PathBuf> {
    let mut path = root.to_owned();
    for name in names.split('/') {
        let leads_elsewhere = name.is_empty() || name == "." || name == "..";
        if leads_elsewhere || name.contains(['\\', '\0']) {
            let message = format!("{names} is no name of an object");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        path.push(name);
    }
    Ok(path)
}

/// Finds the objects below a folder whose keys begin so, until there are more than `most`.
fn find(
    bucket: &Path,
    folder: &Path,
    (start, most): (&str, usize),
    found: &mut Vec<Object>,
) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if most < found.len() {
            return Ok(());
        }
        let path = entry.path();
        let key = path.strip_prefix(bucket).ok().and_then(Path::to_str);
        // One that is being written is none yet; one whose name is no text cannot be asked for.
        let Some(key) = key.filter(|key| !key.ends_with(DRAFT)) else {
            continue;
        };
        let kind = entry.file_type()?;
        // From the bucket on, so that no folder on the way is a link.
        let leads_to = |rest: &str| rest.starts_with('/');
        let is_on_way = key.starts_with(start) || start.strip_prefix(key).is_some_and(leads_to);
        if kind.is_dir() && is_on_way {
            find(bucket, &path, (start, most), found)?;
        } else if kind.is_file() && key.starts_with(start) {
            found.push(Object {
                key: key.to_owned(),
                bytes: entry.metadata()?.len(),
            });
        }
    }
    Ok(())
}

/// Replaces what a file has from a byte on.
fn extend(path: &Path, from: u64, bytes: &[u8], top: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let is_made = !path.try_exists()?;
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    // What a crash took is not there any more: no hole takes its place.
    let from = from.min(file.metadata()?.len());
    file.set_len(from)?;
    file.seek(SeekFrom::Start(from))?;
    file.write_all(bytes)?;
    file.sync_data()?;
    if is_made {
        sync_folders(path, top)?;
    }
    Ok(())
}

/// Writes a file whole or not at all.
fn write(path: &Path, object: &[u8], top: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(DRAFT);
    let mut file = File::create(&draft)?;
    file.write_all(object)?;
    file.sync_data()?;
    fs::rename(&draft, path)?;
    sync_folders(path, top)
}

/// Makes the name of a file last, and those of the folders that it is in: up to the one that `top`
/// is in, any of which may have been made with it.
fn sync_folders(path: &Path, top: &Path) -> io::Result<()> {
    let end = top.parent();
    for folder in path.ancestors().skip(1) {
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        if Some(folder) == end {
            break;
        }
    }
    Ok(())
}

/// What the names of files end with that are being written.
const DRAFT: &str = ".part";

#[cfg(test)]
mod tests;
