//! Limits of the wire: what is refused before it costs much.
//!
//! The largest bodies stand in [`base::limits`].

use base::units::ByteCount;

/// Deepest nesting of a JSON body. 120.
/// An item nested 32 levels deep, in a transaction, needs 72; `serde_json` itself stops at 128.
pub const JSON_DEPTH_MAX: usize = 120;

/// Deepest nesting of a CBOR body. 32; the deepest request of `CloudWatch` has 8.
pub const CBOR_DEPTH_MAX: usize = 32;

/// Most values of a CBOR body. 100,000.
/// 500 queries of `GetMetricData`, each of a metric with 30 dimensions, are some 50,000; a value
/// of one byte on the wire takes 32 in memory.
pub const CBOR_VALUES_MAX: usize = 100_000;

/// Deepest nesting of an XML body. 32; Route 53's deepest request has 8.
pub const XML_DEPTH_MAX: usize = 32;

/// Most elements of an XML body. 200,000.
/// Route 53 allows 1,000 records a change; with all members each is about 30 elements.
pub const XML_ELEMENTS_MAX: usize = 200_000;

/// Smallest reply that is compressed. 4 KiB; below it the bytes saved fit in the same packets.
pub const GZIP_REPLY_BYTES_MIN: ByteCount = ByteCount::kib(4);

/// Most parameters of a form or a query string. 1,000; beyond it the rest is not read.
pub const PARAMETERS_MAX: usize = 1_000;

/// Most derived signing keys kept. 1,024: one a (key, day, region, service); beyond it the
/// cache starts over, which costs four HMACs a key.
pub const SIGNING_KEYS_MAX: usize = 1_024;

/// How far a signature's date may be from our clock. 5 minutes.
/// Source: IAM user guide, "Elements of an AWS API request signature".
pub const SIGNATURE_SKEW_SECS: i64 = 300;

/// Longest life of a presigned request. 7 days.
/// Source: IAM user guide, "Create a signed AWS API request" (`X-Amz-Expires`).
pub const PRESIGNED_SECS_MAX: i64 = 604_800;
