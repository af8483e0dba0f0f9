//! Shard iterators: where a reader stands, written down for it to bring back.
//!
//! Nothing is kept of them here. One that was made up is only as good as what it says, and is
//! held against the stream as any request is.

use api_protocol::fault::Fault;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::{Buf, BufMut, Bytes};
use clock::hlc::Hlc;
use clock::time::WallTime;
use store::port::Store;
use table::history::Place;

use super::shards::{self, Shard};
use super::trimmed;
use crate::choices::ShardIteratorType;
use crate::facade::DynamoDb;
use crate::fault::{self, Refused};
use crate::limits::{ITERATOR_SECS, STREAM_SECS};

/// Where a reader wants to begin in a shard.
pub(super) struct Start {
    pub(super) kind: ShardIteratorType,
    pub(super) sequence: Option<String>,
    pub(super) timestamp: Option<f64>,
}

/// An iterator that was read.
pub(super) struct Iterator<'t> {
    pub(super) arn: &'t str,
    pub(super) shard: u64,
    /// Everything up to here was read.
    pub(super) after: Place,
}

impl<S: Store> DynamoDb<S> {
    /// Returns the place after which a reader begins.
    pub(super) async fn first_place(&self, shard: Shard, start: &Start) -> Result<Place, Refused> {
        let now = self.control.clock().wall().as_micros();
        let floor = Hlc(now - STREAM_SECS * 1_000_000);
        let beginning = Place::before(shard.start);
        let takes_sequence = matches!(
            start.kind,
            ShardIteratorType::AtSequenceNumber | ShardIteratorType::AfterSequenceNumber
        );
        if start.sequence.is_some() && !takes_sequence {
            let message = "SequenceNumber must not be given for this ShardIteratorType";
            return Err(fault::validation(message).into());
        }
        match start.kind {
            ShardIteratorType::TrimHorizon => Ok(beginning.max(Place::before(floor))),
            ShardIteratorType::Latest => {
                let latest = Place::end_of(self.control.tables().instant().await?);
                Ok(latest.min(Place::before(shard.end)).max(beginning))
            }
            ShardIteratorType::AtTimestamp => {
                let seconds = start.timestamp.ok_or_else(|| missing("Timestamp"))?;
                #[expect(clippy::cast_possible_truncation, reason = "out of range saturates")]
                let asked = Place::before(Hlc((seconds * 1e6) as i64));
                let first = beginning.max(Place::before(floor));
                Ok(asked.max(first).min(Place::before(shard.end)))
            }
            ShardIteratorType::AtSequenceNumber | ShardIteratorType::AfterSequenceNumber => {
                let sequence = start.sequence.as_ref();
                let sequence = sequence.ok_or_else(|| missing("SequenceNumber"))?;
                let place = shards::parse_sequence(sequence);
                let place = place.filter(|place| shard.start <= place.at && place.at < shard.end);
                let place = place.ok_or_else(|| bad_sequence(sequence))?;
                if place.at < floor {
                    return Err(trimmed().into());
                }
                if start.kind == ShardIteratorType::AfterSequenceNumber {
                    return Ok(place);
                }
                Ok(match place.number.checked_sub(1) {
                    Some(number) => Place { number, ..place },
                    None => Place::before(place.at),
                })
            }
        }
    }
}

/// Writes an iterator that has read everything of a shard up to `after`.
pub(super) fn write(arn: &str, shard: Shard, after: Place, now: WallTime) -> String {
    let mut token = Vec::with_capacity(29);
    token.put_u8(FORMAT);
    token.put_u64(shard.index);
    token.put_i64(after.at.0);
    token.put_u32(after.number);
    token.put_i64(now.as_millis());
    format!("{arn}|1|{}", URL_SAFE_NO_PAD.encode(token))
}

/// Returns the ARN of the stream that an iterator stands in, and where it stands there.
///
/// Errors: `ValidationException` for a text that is none.
pub(super) fn parts(text: &str) -> Result<(&str, &str), Fault> {
    let invalid = || fault::validation("Invalid ShardIterator");
    let (arn, token) = text.split_once("|1|").ok_or_else(invalid)?;
    // What goes on behind either is no iterator that was ever handed out.
    if arn.contains('|') || token.contains('|') {
        return Err(invalid());
    }
    Ok((arn, token))
}

/// Reads an iterator.
///
/// Errors: `ValidationException` for a text that is none, `ExpiredIteratorException` for an old
/// one.
pub(super) fn read(text: &str, now: WallTime) -> Result<Iterator<'_>, Fault> {
    let invalid = || fault::validation("Invalid ShardIterator");
    let (arn, token) = parts(text)?;
    let token = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    let mut token = Bytes::from(token);
    if token.len() != 29 || token.get_u8() != FORMAT {
        return Err(invalid());
    }
    let shard = token.get_u64();
    let after = Place {
        at: Hlc(token.get_i64()),
        number: token.get_u32(),
    };
    let age = now.as_millis().saturating_sub(token.get_i64());
    if ITERATOR_SECS * 1_000 < age {
        let message = format!("Iterator expired. The iterator was created {age} ms ago.");
        return Err(Fault::caller("ExpiredIteratorException", message));
    }
    Ok(Iterator { arn, shard, after })
}

fn missing(member: &str) -> Fault {
    fault::validation(format!("{member} must be given for this ShardIteratorType"))
}

fn bad_sequence(sequence: &str) -> Fault {
    fault::validation(format!(
        "Invalid SequenceNumber: {sequence} is not in the range of the shard"
    ))
}

/// The version of an iterator's bytes.
const FORMAT: u8 = 1;
