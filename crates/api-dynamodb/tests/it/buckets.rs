//! Buckets in memory.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::Mutex;

use api_dynamodb::buckets::{Buckets, Object, Report};
use bytes::Bytes;
use serde_json::Value;

/// Objects by bucket and key; the bucket `read-only` takes nothing.
#[derive(Default)]
pub(crate) struct InMemory {
    objects: Mutex<BTreeMap<String, Bytes>>,
    reports: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Buckets for InMemory {
    async fn put(&self, bucket: &str, key: &str, object: Bytes) -> io::Result<()> {
        if bucket == "read-only" {
            return Err(io::Error::other("it is read-only"));
        }
        let mut objects = self.objects.lock().unwrap();
        objects.insert(format!("{bucket}/{key}"), object);
        Ok(())
    }

    async fn list(&self, bucket: &str, prefix: &str, most: usize) -> io::Result<Vec<Object>> {
        let objects = self.objects.lock().unwrap();
        let bucket = format!("{bucket}/");
        if !objects.keys().any(|key| key.starts_with(&bucket)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let listed = objects.iter().filter_map(|(key, object)| {
            let key = key.strip_prefix(&bucket)?.to_owned();
            let bytes = object.len() as u64;
            key.starts_with(prefix).then_some(Object { key, bytes })
        });
        Ok(listed.take(most + 1).collect())
    }

    async fn open(&self, bucket: &str, key: &str) -> io::Result<Box<dyn Read + Send>> {
        let objects = self.objects.lock().unwrap();
        let object = objects.get(&format!("{bucket}/{key}")).cloned();
        let object = object.ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Cursor::new(object)))
    }

    async fn report(&self, report: Report<'_>, from: u64, bytes: Bytes) -> io::Result<()> {
        let name = match report {
            Report::Object { bucket, key } => {
                self.put(bucket, key, Bytes::new()).await?;
                format!("{bucket}/{key}")
            }
            Report::Log(name) => name.to_owned(),
        };
        let mut reports = self.reports.lock().unwrap();
        let report = reports.entry(name).or_default();
        report.truncate(usize::try_from(from).unwrap());
        report.extend_from_slice(&bytes);
        Ok(())
    }
}

impl InMemory {
    /// Stores an object.
    pub(crate) async fn store(&self, bucket: &str, key: &str, object: impl Into<Vec<u8>>) {
        let object: Vec<u8> = object.into();
        self.put(bucket, key, object.into()).await.unwrap();
    }

    /// Returns the lines of all reports whose names end so.
    pub(crate) fn reported(&self, end: &str) -> Vec<Value> {
        let reports = self.reports.lock().unwrap();
        let reports = reports.iter().filter(|(name, _)| name.ends_with(end));
        let lines = reports.flat_map(|(_, report)| report.split(|byte| *byte == b'\n'));
        let lines = lines.filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    pub(crate) fn text(&self, key: &str) -> String {
        let objects = self.objects.lock().unwrap();
        let object = objects.get(key);
        let object = object.unwrap_or_else(|| panic!("{key} among {:?}", objects.keys()));
        if !key.contains("/data/") {
            return String::from_utf8(object.to_vec()).unwrap();
        }
        let mut text = String::new();
        let mut packed = flate2::read::GzDecoder::new(&object[..]);
        packed.read_to_string(&mut text).unwrap();
        text
    }

    /// Returns the summary of an export, and the lines of its data files, sorted.
    pub(crate) fn read(&self, manifest: &str) -> (Value, Vec<String>) {
        let summary: Value =
            serde_json::from_str(&self.text(&format!("bucket/{manifest}"))).unwrap();
        let files = summary["manifestFilesS3Key"].as_str().unwrap();
        let mut lines = Vec::new();
        for file in self.text(&format!("bucket/{files}")).lines() {
            let file: Value = serde_json::from_str(file).unwrap();
            let key = file["dataFileS3Key"].as_str().unwrap();
            lines.extend(
                self.text(&format!("bucket/{key}"))
                    .lines()
                    .map(str::to_owned),
            );
        }
        lines.sort();
        (summary, lines)
    }
}
