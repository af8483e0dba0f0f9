//! Buckets that exports go to: directories of the region's own, one a bucket.
//!
//! It serves nobody: whoever may read the data directory takes the files from there.
//!
//! ```text
//! data directory/buckets/BUCKET/KEY, each slash of a key a directory
//! ```

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use api_dynamodb::exports::write::Buckets;
use api_dynamodb::facade::DynamoDb;
use control::control::Control;
use net::tasks::Tasks;
use store::port::Store;

/// The buckets of a region.
struct Directories(PathBuf);

/// Writes exports into the data directory as they are asked for.
pub(crate) fn start<S: Store>(tasks: &Arc<Tasks>, control: &Control<S>, data_dir: &Path) {
    let exporter = DynamoDb::new(control.clone());
    let buckets = Directories(data_dir.join("buckets"));
    tasks.spawn(async move { exporter.follow_exports(&buckets).await });
}

impl Buckets for Directories {
    async fn put(&self, bucket: &str, key: &str, object: Bytes) -> io::Result<()> {
        let path = self.path(bucket, key)?;
        let written = tokio::task::spawn_blocking(move || write(&path, &object));
        written.await.map_err(io::Error::other)?
    }
}

impl Directories {
    /// Returns where an object is kept. Names that would lead elsewhere are refused.
    fn path(&self, bucket: &str, key: &str) -> io::Result<PathBuf> {
        let mut path = self.0.clone();
        for name in std::iter::once(bucket).chain(key.split('/')) {
            let leads_elsewhere = name.is_empty() || name == "." || name == "..";
            if leads_elsewhere || name.contains(['\\', '\0']) {
                let message = format!("{bucket}/{key} is no name of an object");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            path.push(name);
        }
        Ok(path)
    }
}

/// Writes a file whole or not at all.
fn write(path: &Path, object: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(".part");
    let mut file = std::fs::File::create(&draft)?;
    file.write_all(object)?;
    file.sync_data()?;
    std::fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::Directories;

    #[test]
    fn no_name_leads_out_of_the_buckets() {
        let buckets = Directories(PathBuf::from("/data/buckets"));
        let path = buckets.path("b", "AWSDynamoDB/1/data/x.json.gz");
        let expected = "/data/buckets/b/AWSDynamoDB/1/data/x.json.gz";
        assert_eq!(path.ok(), Some(PathBuf::from(expected)));
        for (bucket, key) in [
            ("..", "x"),
            ("b", "../x"),
            ("b", "a//x"),
            ("b", ""),
            ("", "x"),
        ] {
            assert!(buckets.path(bucket, key).is_err(), "{bucket} {key}");
        }
    }
}
