//! What exports, imports and bulk operations ask leave for beside their own: to read the objects of
//! buckets, to write them, and to delete items.
//!
//! It looks into no bucket. An object is not named before it is found or written: leave is asked
//! for all that the keys may begin with. Source: DynamoDB developer guide, "Requesting a data
//! import" and "Requesting a table export" (permissions); Service Authorization Reference,
//! "Actions, resources, and condition keys for Amazon S3".

use api_protocol::json;

use super::asks::{Ask, On};
use crate::buckets;
use crate::fault::Refused;
use crate::wire::shape;

shape! {
    /// The members that name buckets.
    FilesIn {
        table: "TableName" as String,
        bucket: "S3Bucket" as String,
        prefix: "S3Prefix" as String,
        source: "S3BucketSource" as PlaceIn,
        input: "InputS3Configuration" as PlaceIn,
        output: "OutputS3Configuration" as PlaceIn,
    }
}

shape! {
    /// A bucket, and what the keys of its objects begin with.
    PlaceIn { bucket: "S3Bucket" as String, prefix: "S3KeyPrefix" as String, }
}

/// Returns what a request asks leave for on top of its own action. Where no bucket is named there
/// is none to be read.
///
/// Errors: what is wrong with a request that cannot be read.
pub(super) fn of(operation: &str, body: &[u8]) -> Result<Vec<Ask>, Refused> {
    let request = || json::parse::<FilesIn>(body);
    Ok(match operation {
        "ExportTableToPointInTime" => {
            let FilesIn { bucket, prefix, .. } = request()?;
            written(PlaceIn { bucket, prefix })
        }
        "ImportTable" => read(request()?.source.unwrap_or_default()),
        "StartBulkPutItems" => {
            let request = request()?;
            let mut asks = read(request.input.unwrap_or_default());
            asks.extend(written(request.output.unwrap_or_default()));
            // Any record may tell that an item is gone.
            let deletes = |table| Ask::plain("dynamodb", "DeleteItem", On::of_table(table));
            asks.extend(request.table.map(deletes));
            asks
        }
        _ => Vec::new(),
    })
}

fn read(place: PlaceIn) -> Vec<Ask> {
    let Some(bucket) = place.bucket else {
        return Vec::new();
    };
    let bucket = format!("arn:aws:s3:::{bucket}");
    let objects = format!("{bucket}/{}*", place.prefix.unwrap_or_default());
    vec![
        Ask::plain("s3", "ListBucket", On::Arn(bucket)),
        Ask::plain("s3", "GetObject", On::Arn(objects)),
    ]
}

fn written(place: PlaceIn) -> Vec<Ask> {
    let Some(bucket) = place.bucket else {
        return Vec::new();
    };
    let root = buckets::root(&place.prefix.unwrap_or_default());
    let objects = format!("arn:aws:s3:::{bucket}/{root}/*");
    vec![Ask::plain("s3", "PutObject", On::Arn(objects))]
}
