//! Writes exports: data files first, then the manifests that name them.
//!
//! It knows no file system: where objects of buckets are kept is the port's matter. An export
//! that was begun and not ended is begun anew; its files have the same names then.
//! Source: DynamoDB developer guide, "DynamoDB table export output format".

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;

use api_protocol::timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clock::hlc::Hlc;
use clock::time::WallTime;
use control::exports::{Export, ExportStatus};
use flate2::Compression;
use flate2::write::GzEncoder;
use item::codec;
use item::key::{Key, KeySchema};
use item::view::ItemRef;
use serde_json::json;
use store::port::Store;
use table::rewind::{ChangedItem, RewindError};
use table::tables::ReadError;

use super::filter::Filter;
use super::{Settings, ion, md5};
use crate::buckets::Buckets;
use crate::facade::DynamoDb;
use crate::limits::EXPORT_FILE_BYTES;
use crate::loading::RETRY_PERIOD;
use crate::tables;
use crate::wire::render::{self, Object};

/// An export that was not written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The table's items could not be read as of its time.
    #[error(transparent)]
    Rewind(#[from] RewindError),
    /// What is stored cannot be read.
    #[error(transparent)]
    Codec(#[from] codec::CodecError),
    /// An object could not be stored.
    #[error("store an object of an export: {0}")]
    Object(#[from] std::io::Error),
    /// What it is to tell cannot be read: another build asked for it.
    #[error("read what the export is to tell")]
    Filter,
    /// What became of it could not be noted.
    #[error(transparent)]
    Control(#[from] control::control::ControlError),
}

impl From<ReadError> for ExportError {
    fn from(error: ReadError) -> Self {
        Self::Rewind(error.into())
    }
}

/// A data file as the manifest names it.
struct DataFile {
    items: u64,
    key: String,
    sum: [u8; 16],
}

/// The files of an export that are being written.
struct Files {
    lines: Vec<u8>,
    items: u64,
    bytes: u64,
    done: Vec<DataFile>,
}

impl<S: Store> DynamoDb<S> {
    /// Writes exports as they are asked for, until the tables are closed.
    pub async fn follow_exports(&self, buckets: &impl Buckets) {
        let mut generation = self.control.generation();
        let mut retry = tokio::time::interval(RETRY_PERIOD);
        retry.reset();
        // Those that are tried again later.
        let mut failed = BTreeSet::new();
        loop {
            for export in self.control.running_exports() {
                if failed.contains(&export.id) {
                    continue;
                }
                if let Err(error) = self.work_on_export(&export, buckets).await {
                    tracing::error!(%error, "an export could not be worked on");
                    failed.insert(export.id);
                }
            }
            tokio::select! {
                changed = generation.changed() => if changed.is_err() {
                    return;
                },
                _ = retry.tick() => failed.clear(),
            }
        }
    }

    /// Writes all exports that are asked for.
    ///
    /// Errors: [`ExportError`] of the first that cannot be worked on.
    pub async fn work_on_exports(&self, buckets: &impl Buckets) -> Result<(), ExportError> {
        for export in self.control.running_exports() {
            self.work_on_export(&export, buckets).await?;
        }
        Ok(())
    }

    async fn work_on_export(
        &self,
        export: &Export,
        buckets: &impl Buckets,
    ) -> Result<(), ExportError> {
        let written = self.write_export(export, buckets).await;
        let ended = Some(self.control.clock().wall().as_micros());
        let told = match written {
            Ok(files) => Export {
                status: ExportStatus::Completed,
                items: files.done.iter().map(|file| file.items).sum(),
                bytes: files.bytes,
                ended,
                ..export.clone()
            },
            Err(
                error @ (ExportError::Rewind(RewindError::Unknown(_))
                | ExportError::Object(_)
                | ExportError::Filter),
            ) => {
                tracing::warn!(%error, "an export has failed");
                Export {
                    status: ExportStatus::Failed,
                    failure: Some(error.to_string()),
                    ended,
                    ..export.clone()
                }
            }
            Err(error) => return Err(error),
        };
        self.control.change_export(export, &told).await?;
        for copy in export.copies() {
            self.control.tables().drop_backup(copy).await?;
        }
        Ok(())
    }

    async fn write_export(
        &self,
        export: &Export,
        buckets: &impl Buckets,
    ) -> Result<Files, ExportError> {
        let settings = Settings::of(export);
        let home = settings.home(export);
        let started = format!("{home}/_started");
        buckets
            .put(&settings.bucket, &started, Bytes::new())
            .await?;
        let (tables, table) = (self.control.tables(), export.table.id());
        let [items, changed] = export.copies();
        tables.back_up(table, Hlc(export.to), items).await?;
        let source = if export.incremental {
            let span = (Hlc(export.from), Hlc(export.to + 1));
            tables.note_changed(table, span, changed).await?;
            changed
        } else {
            items
        };
        let mut files = Files {
            lines: Vec::new(),
            items: 0,
            bytes: 0,
            done: Vec::new(),
        };
        let schema = export.table.schema().ok_or(ExportError::Filter)?;
        let filter = Filter::parse(settings.filter.as_ref(), &schema);
        let filter = filter.map_err(|_| ExportError::Filter)?;
        let mut after = None;
        loop {
            let (rows, next) = tables.read_backup(source, after.as_ref()).await?;
            for (key, value) in rows {
                if export.incremental {
                    let changed = ChangedItem::decode(key, value).map_err(ReadError::from)?;
                    let new = tables.item_of_backup(items, &changed.key).await?;
                    let change = (&changed, new.as_ref());
                    write_change(&mut files, (&settings, &schema), &filter, change)?;
                } else if filter.reads(&value, &schema)? {
                    files.bytes += size_of(&value)?;
                    if filter.tells(&value)? {
                        write_item(&mut files, &settings, &filter.part(&value)?)?;
                    }
                }
            }
            if files.lines.len() >= EXPORT_FILE_BYTES {
                files.end(export, buckets).await?;
            }
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        if files.items > 0 || files.done.is_empty() {
            files.end(export, buckets).await?;
        }
        self.write_manifests(export, &files, buckets).await?;
        Ok(files)
    }

    async fn write_manifests(
        &self,
        export: &Export,
        files: &Files,
        buckets: &impl Buckets,
    ) -> Result<(), ExportError> {
        let settings = Settings::of(export);
        let home = settings.home(export);
        let mut listed = String::new();
        for file in &files.done {
            let line = json!({
                "itemCount": file.items,
                "md5Checksum": STANDARD.encode(file.sum),
                "etag": hex(file.sum),
                "dataFileS3Key": file.key,
            });
            writeln!(listed, "{line}").expect("a text takes everything");
        }
        let key = format!("{home}/manifest-files");
        put_with_sum(buckets, &settings.bucket, &key, listed.into_bytes()).await?;
        let iso = |micros: i64| timestamp::iso_millis(WallTime::from_micros(micros));
        let mut summary = json!({
            "version": if export.incremental { "2023-08-01" } else { "2020-06-30" },
            "exportArn": settings.arn,
            "startTime": iso(export.created),
            "endTime": iso(self.control.clock().wall().as_micros()),
            "tableArn": settings.table_arn,
            "tableId": tables::table_id(&export.table),
            "s3Bucket": settings.bucket,
            "s3Prefix": settings.prefix,
            "s3SseAlgorithm": null,
            "s3SseKmsKeyId": null,
            "manifestFilesS3Key": format!("{home}/manifest-files.json"),
            "billedSizeBytes": files.bytes,
            "itemCount": files.done.iter().map(|file| file.items).sum::<u64>(),
            "outputFormat": if settings.is_ion { "ION" } else { "DYNAMODB_JSON" },
        });
        if let Some(members) = summary.as_object_mut() {
            let mut tell = |name: &str, text: String| members.insert(name.to_owned(), text.into());
            if export.incremental {
                tell("exportFromTime", iso(export.from));
                tell("exportToTime", iso(export.to + 1));
                tell("outputView", settings.view().to_owned());
                tell("exportType", "INCREMENTAL_EXPORT".to_owned());
            } else {
                tell("exportTime", iso(export.to));
                tell("exportType", "FULL_EXPORT".to_owned());
            }
        }
        let key = format!("{home}/manifest-summary");
        let summary = summary.to_string().into_bytes();
        put_with_sum(buckets, &settings.bucket, &key, summary).await?;
        Ok(())
    }
}

impl Files {
    /// Ends a data file and stores it.
    async fn end(&mut self, export: &Export, buckets: &impl Buckets) -> std::io::Result<()> {
        let settings = Settings::of(export);
        let lines = std::mem::take(&mut self.lines);
        // It takes a second or so, in which nothing else could run here.
        let packing = tokio::task::spawn_blocking(move || pack(lines));
        let (packed, sum, lines) = packing.await.map_err(std::io::Error::other)??;
        self.lines = lines;
        let kind = if settings.is_ion { "ion" } else { "json" };
        let number = self.done.len();
        let key = format!(
            "{}/{:016x}{number:08}.{kind}.gz",
            settings.data(export),
            export.id
        );
        self.done.push(DataFile {
            items: self.items,
            sum,
            key: key.clone(),
        });
        self.items = 0;
        buckets.put(&settings.bucket, &key, packed.into()).await
    }
}

/// Returns lines packed, with their sum, and the room that they took.
fn pack(mut lines: Vec<u8>) -> std::io::Result<(Vec<u8>, [u8; 16], Vec<u8>)> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&lines)?;
    let packed = packed.finish()?;
    let sum = md5::sum(&packed);
    lines.clear();
    Ok((packed, sum, lines))
}

/// Writes a line that tells what became of an item.
fn write_change(
    files: &mut Files,
    (settings, schema): (&Settings, &KeySchema),
    filter: &Filter,
    (changed, new): (&ChangedItem, Option<&Bytes>),
) -> Result<(), ExportError> {
    let old = changed.old.as_ref();
    // What there is no more is told or not by what it last was.
    let (false, Some(latest)) = (old == new, new.or(old)) else {
        return Ok(());
    };
    if !filter.reads(latest, schema)? {
        return Ok(());
    }
    for image in [old, new].into_iter().flatten() {
        files.bytes += size_of(image)?;
    }
    if !filter.tells(latest)? {
        return Ok(());
    }
    let key = changed.key.get(2..).and_then(|key| Key::decode(key).ok());
    let keys = key.map(|key| codec::encode(&key.to_item(schema)));
    let old = old.filter(|_| settings.with_old);
    let part = |image: Option<&Bytes>| image.map(|image| filter.part(image)).transpose();
    let (old, new) = (part(old)?, part(new)?);
    let parts = [
        ("Keys", keys.as_deref()),
        ("OldImage", old.as_deref()),
        ("NewImage", new.as_deref()),
    ];
    let out = &mut files.lines;
    let stamp = changed.written.0;
    if settings.is_ion {
        out.extend_from_slice(b"$ion_1_0 {Record:{");
        let metadata = format!("Metadata:{{WriteTimestampMicros:{stamp}.}}");
        out.extend_from_slice(metadata.as_bytes());
        for (name, image) in parts {
            if let Some(image) = image {
                out.extend_from_slice(format!(",{name}:").as_bytes());
                ion::item(out, image)?;
            }
        }
        out.extend_from_slice(b"}}\n");
    } else {
        let mut line = Object::start(out);
        let written = json!({ "WriteTimestampMicros": { "N": stamp.to_string() } });
        line.member("Metadata")
            .extend_from_slice(written.to_string().as_bytes());
        for (name, image) in parts {
            if let Some(image) = image {
                render::item(line.member(name), image)?;
            }
        }
        line.end();
        out.push(b'\n');
    }
    files.items += 1;
    Ok(())
}

/// Writes a line of an item.
fn write_item(files: &mut Files, settings: &Settings, image: &[u8]) -> Result<(), ExportError> {
    files.items += 1;
    let out = &mut files.lines;
    if settings.is_ion {
        out.extend_from_slice(b"$ion_1_0 {Item:");
        ion::item(out, image)?;
    } else {
        out.extend_from_slice(b"{\"Item\":");
        render::item(out, image)?;
    }
    out.extend_from_slice(b"}\n");
    Ok(())
}

async fn put_with_sum(
    buckets: &impl Buckets,
    bucket: &str,
    key: &str,
    object: Vec<u8>,
) -> std::io::Result<()> {
    let sum = STANDARD.encode(md5::sum(&object)).into_bytes();
    buckets
        .put(bucket, &format!("{key}.json"), object.into())
        .await?;
    let key = format!("{key}.checksum");
    buckets.put(bucket, &key, sum.into()).await
}

fn size_of(image: &[u8]) -> Result<u64, codec::CodecError> {
    let size = ItemRef::parse(image)?.size()?;
    Ok(u64::try_from(size).unwrap_or(u64::MAX))
}

fn hex(sum: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(sum))
}
