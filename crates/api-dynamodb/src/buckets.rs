//! Where exports, imports and their reports are kept, as a port: names in, bytes in and out.
//!
//! It knows no file system, and no S3: a bucket is wherever the implementation keeps it.

use std::io::{self, Read};

use bytes::Bytes;

use crate::limits::OBJECT_NAME_BYTES_MAX;

/// Where objects of buckets are kept.
pub trait Buckets: Send + Sync {
    /// Stores an object, in place of one that has its key.
    fn put(
        &self,
        bucket: &str,
        key: &str,
        object: Bytes,
    ) -> impl Future<Output = io::Result<()>> + Send;

    /// Returns the objects whose keys begin so, in the order of their keys; of more than `most` at
    /// least one more than that.
    ///
    /// Errors: [`io::ErrorKind::NotFound`] where there is no such bucket.
    fn list(
        &self,
        bucket: &str,
        prefix: &str,
        most: usize,
    ) -> impl Future<Output = io::Result<Vec<Object>>> + Send;

    /// Returns what is in an object. It is read where waiting is allowed.
    fn open(
        &self,
        bucket: &str,
        key: &str,
    ) -> impl Future<Output = io::Result<Box<dyn Read + Send>>> + Send;

    /// Replaces what a report has from a byte on; it is on disk then.
    fn report(
        &self,
        report: Report<'_>,
        from: u64,
        bytes: Bytes,
    ) -> impl Future<Output = io::Result<()>> + Send;
}

/// An object of a bucket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// How many bytes it has.
    pub bytes: u64,
}

/// A text that grows as work goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report<'r> {
    /// An object of a bucket.
    Object {
        /// The bucket.
        bucket: &'r str,
        /// The key.
        key: &'r str,
    },
    /// A log of the region, where AWS has CloudWatch.
    Log(&'r str),
}

/// Returns whether something can be the folder of an object: names with slashes in between.
pub(crate) fn is_folder(folder: &str) -> bool {
    let is_plain = |part: &str| {
        let is_named = !part.is_empty() && part != "." && part != "..";
        is_named && part.len() <= OBJECT_NAME_BYTES_MAX && !part.contains(['\\', '\0'])
    };
    folder.split('/').all(is_plain)
}

/// Returns what the keys of all objects begin with that are written below a prefix.
pub(crate) fn root(prefix: &str) -> String {
    match prefix.trim_end_matches('/') {
        "" => "AWSDynamoDB".to_owned(),
        prefix => format!("{prefix}/AWSDynamoDB"),
    }
}

/// Returns whether the keys that begin with a prefix are all within the bucket.
pub(crate) fn is_prefix(prefix: &str) -> bool {
    let folder = prefix.rsplit_once('/').map(|(folder, _)| folder);
    folder.is_none_or(is_folder) && !prefix.contains(['\\', '\0'])
}
