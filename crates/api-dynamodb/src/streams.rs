//! DynamoDB Streams: a table's history as this region has it, cut into shards by time.
//!
//! It keeps nothing: streams are facts of their tables' definitions, shards follow from the clock,
//! and records are read from the history. Source: DynamoDB Streams service model 2012-08-10.

use std::collections::BTreeMap;

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::{json, timestamp};
use base::arn::Arn;
use clock::time::WallTime;
use control::tables::Table;
use serde_json::{Value, json as json_value};
use store::port::Store;

use crate::backups;
use crate::choices::{ShardFilterType, ShardIteratorType, StreamViewType};
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::limits::{LIST_STREAMS_MAX, STREAM_SECS};
use crate::settings::Shared;
use crate::wire::shape;

mod iterator;
mod records;
mod shards;

use shards::{Shard, Shards};

shape! {
    /// The members of `ListStreams`.
    ListIn {
        table: "TableName" as String,
        limit: "Limit" as i64,
        after: "ExclusiveStartStreamArn" as String,
    }
}

shape! {
    /// The members of `DescribeStream`.
    DescribeIn {
        arn: "StreamArn" as String,
        limit: "Limit" as i64,
        after: "ExclusiveStartShardId" as String,
        filter: "ShardFilter" as FilterIn,
    }
}

shape! {
    /// Which shards are asked for.
    FilterIn {
        kind: "Type" as String,
        shard: "ShardId" as String,
    }
}

shape! {
    /// The members of `GetShardIterator`.
    IteratorIn {
        arn: "StreamArn" as String,
        shard: "ShardId" as String,
        kind: "ShardIteratorType" as String,
        sequence: "SequenceNumber" as String,
        timestamp: "Timestamp" as f64,
    }
}

/// A stream of a table.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    table: Table,
    arn: String,
    label: String,
    view: StreamViewType,
    /// When it ended, in microseconds since 1970.
    until: Option<i64>,
    shards: Shards,
    /// When this region's replica was made, in microseconds since 1970.
    since_here: i64,
}

/// Returns the ARN of the stream that an iterator stands in.
///
/// Errors: `ValidationException` for a text that is none.
pub(crate) fn of_iterator(iterator: &str) -> Result<&str, Fault> {
    iterator::parts(iterator).map(|(arn, _)| arn)
}

impl<S: Store> DynamoDb<S> {
    /// Answers `ListStreams`.
    pub(crate) fn list_streams(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: ListIn = json::parse(body)?;
        let limit = request.limit.and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.map_or(LIST_STREAMS_MAX, |limit| limit.min(LIST_STREAMS_MAX));
        let after = request.after.unwrap_or_default();
        let only = request.table.as_deref();
        let mut streams = self.streams(caller);
        streams.retain(|stream| only.is_none_or(|only| stream.table.name == only));
        streams.sort_by(|one, other| one.arn.cmp(&other.arn));
        let mut streams = streams.iter().filter(|stream| stream.arn > after);
        let page: Vec<&Stream> = streams.by_ref().take(limit).collect();
        let listed = page.iter().map(|stream| {
            json_value!({
                "StreamArn": stream.arn,
                "TableName": stream.table.name,
                "StreamLabel": stream.label,
            })
        });
        let mut answer = json_value!({ "Streams": listed.collect::<Vec<_>>() });
        if streams.next().is_some()
            && let (Some(last), Some(members)) = (page.last(), answer.as_object_mut())
        {
            members.insert(
                "LastEvaluatedStreamArn".to_owned(),
                last.arn.as_str().into(),
            );
        }
        Ok(answer.to_string().into_bytes())
    }

    /// Answers `DescribeStream`.
    pub(crate) async fn describe_stream(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: DescribeIn = json::parse(body)?;
        let filter = request.filter.unwrap_or_default();
        let kind = filter.kind.as_deref().and_then(ShardFilterType::parse);
        let stream = self.stream(caller, &request.arn.unwrap_or_default())?;
        let limit = request.limit.and_then(|limit| u64::try_from(limit).ok());
        let limit = limit.map_or(SHARDS_MAX, |limit| limit.min(SHARDS_MAX));
        let (oldest, open) = self.shard_span(&stream).await?;
        let mut first = oldest;
        if let Some(after) = &request.after {
            let after = stream.shards.parse(after).ok_or_else(|| bad_shard(after))?;
            first = first.max(after.index + 1);
        }
        let mut last = open;
        if kind == Some(ShardFilterType::ChildShards) {
            let parent = filter.shard.as_deref().unwrap_or_default();
            let parent = stream
                .shards
                .parse(parent)
                .ok_or_else(|| bad_shard(parent))?;
            first = first.max(parent.index + 1);
            last = last.min(parent.index + 1);
        }
        let listed: Vec<Shard> = (first..=last)
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|index| stream.shards.shard(index))
            .collect();
        let more = listed.last().filter(|shard| shard.index < last);
        let last_told = more.map(|shard| stream.shards.id(*shard));
        let shards: Vec<Value> = listed
            .iter()
            .map(|shard| stream.describe(*shard, stream.until.is_some() || shard.index < open))
            .collect();
        let status = if stream.until.is_some() {
            "DISABLED"
        } else {
            "ENABLED"
        };
        let created = WallTime::from_micros(stream.shards.since());
        let mut description = json_value!({
            "StreamArn": stream.arn,
            "StreamLabel": stream.label,
            "StreamStatus": status,
            "StreamViewType": stream.view.as_str(),
            "CreationRequestDateTime": timestamp::epoch(created),
            "TableName": stream.table.name,
            "KeySchema": backups::key_schema(&stream.table),
            "Shards": shards,
        });
        if let (Some(last), Some(members)) = (last_told, description.as_object_mut()) {
            members.insert("LastEvaluatedShardId".to_owned(), last.into());
        }
        let answer = json_value!({ "StreamDescription": description });
        Ok(answer.to_string().into_bytes())
    }

    /// Answers `GetShardIterator`.
    pub(crate) async fn get_shard_iterator(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: IteratorIn = json::parse(body)?;
        let kind = request.kind.as_deref().and_then(ShardIteratorType::parse);
        let stream = self.stream(caller, &request.arn.unwrap_or_default())?;
        let (oldest, open) = self.shard_span(&stream).await?;
        let given = request.shard.unwrap_or_default();
        let shard = stream.shards.parse(&given).filter(|s| s.index <= open);
        let shard = shard.ok_or_else(|| no_shard(&given, &stream.arn))?;
        if shard.index < oldest {
            return Err(trimmed().into());
        }
        let start = iterator::Start {
            kind: kind.unwrap_or(ShardIteratorType::TrimHorizon),
            sequence: request.sequence,
            timestamp: request.timestamp,
        };
        let place = self.first_place(shard, &start).await?;
        let now = self.control.clock().wall();
        let iterator = iterator::write(&stream.arn, shard, place, now);
        let answer = json_value!({ "ShardIterator": iterator });
        Ok(answer.to_string().into_bytes())
    }

    /// Returns the index of the oldest shard that may hold records, and that of the last one.
    async fn shard_span(&self, stream: &Stream) -> Result<(u64, u64), Refused> {
        let now = self.control.clock().wall().as_micros();
        let floor = (now - STREAM_SECS * 1_000_000).max(stream.since_here);
        let end = stream.until.unwrap_or(now).min(now);
        let mut open = stream.shards.at(end);
        // Where the clock went back, the last shard is the one that others have seen to be open.
        if stream.until.is_none() && open > 0 {
            let start = stream.shards.shard(open).start;
            if !self.control.tables().has_passed(start).await? {
                open -= 1;
            }
        }
        Ok((stream.shards.at(floor).min(open), open))
    }

    /// Returns a stream that has records yet.
    fn stream(&self, caller: &Caller, arn: &str) -> Result<Stream, Refused> {
        let missing = || {
            let message = format!("Requested resource not found: Stream: {arn} not found");
            Fault::caller("ResourceNotFoundException", message)
        };
        if Arn::parse(arn).is_none_or(|parsed| parsed.service != "dynamodb") {
            return Err(fault::validation("Invalid StreamArn").into());
        }
        let (name, label) = self.stream_named(arn).ok_or_else(missing)?;
        let mut streams = Vec::new();
        if let Some(open) = self.tables_by_name().get(name) {
            let since_here = self.own_replica(open).map_or(0, |replica| replica.created);
            streams = self.streams_of(caller, &open.view.table, since_here, None);
        }
        let mut found = streams.into_iter().find(|stream| stream.label == label);
        if found.is_none() {
            let mut gone = self.streams_of_deleted(caller).into_iter();
            found = gone.find(|stream| stream.table.name == name && stream.label == label);
        }
        let found = found.filter(|stream| self.is_kept(stream));
        Ok(found.ok_or_else(missing)?)
    }

    /// Returns the streams of this region that have records yet, or will have.
    fn streams(&self, caller: &Caller) -> Vec<Stream> {
        let mut streams = self.streams_of_deleted(caller);
        for open in self.tables_by_name().values() {
            let since_here = self.own_replica(open).map_or(0, |replica| replica.created);
            streams.extend(self.streams_of(caller, &open.view.table, since_here, None));
        }
        streams.retain(|stream| self.is_kept(stream));
        streams
    }

    /// Returns the streams of tables that this region has no more.
    fn streams_of_deleted(&self, caller: &Caller) -> Vec<Stream> {
        let gone = self.control.remains().into_iter();
        let streams = gone
            .flat_map(|gone| self.streams_of(caller, &gone.table, gone.created, Some(gone.ended)));
        streams.collect()
    }

    /// Returns whether a stream has records yet, or will have.
    fn is_kept(&self, stream: &Stream) -> bool {
        let floor = self.control.clock().wall().as_micros() - STREAM_SECS * 1_000_000;
        stream.until.is_none_or(|until| floor < until)
    }

    /// Returns the streams of a table, which ended where it did.
    fn streams_of(
        &self,
        caller: &Caller,
        table: &Table,
        since_here: i64,
        ended: Option<i64>,
    ) -> Vec<Stream> {
        let shared = Shared::of(table);
        let arn = self.table_arn(caller, &table.name);
        let own = shared.running_stream(table.created).into_iter();
        let all = own.chain(shared.past_streams);
        let stream = |one: crate::settings::StreamFacts| {
            let until = one.until.or(ended);
            Some(Stream {
                table: table.clone(),
                arn: format!("{arn}/stream/{}", one.label),
                view: StreamViewType::parse(&one.view)?,
                label: one.label,
                until,
                shards: Shards::new(one.since, until, one.roll_secs),
                since_here,
            })
        };
        all.filter_map(stream).collect()
    }
}

impl Stream {
    fn describe(&self, shard: Shard, is_closed: bool) -> Value {
        let mut range = json_value!({ "StartingSequenceNumber": shard.first() });
        if is_closed && let Some(range) = range.as_object_mut() {
            range.insert("EndingSequenceNumber".to_owned(), shard.last().into());
        }
        let mut told = json_value!({
            "ShardId": self.shards.id(shard),
            "SequenceNumberRange": range,
        });
        if let (Some(parent), Some(told)) = (shard.index.checked_sub(1), told.as_object_mut()) {
            let parent = self.shards.id(self.shards.shard(parent));
            told.insert("ParentShardId".to_owned(), parent.into());
        }
        told
    }
}

/// Returns how long the shards of a stream are to be, in seconds, where a tag of the table says.
pub(crate) fn roll_of(tags: &BTreeMap<String, String>) -> Result<Option<u32>, Fault> {
    let Some(text) = tags.get(ROLL_TAG) else {
        return Ok(None);
    };
    let invalid = || {
        let message = format!("Tag {ROLL_TAG} is a time from 1s to 4h, as in 2s, 5m or 4h");
        fault::validation(message)
    };
    shards::parse_roll(text).map(Some).ok_or_else(invalid)
}

fn bad_shard(id: &str) -> Fault {
    fault::validation(format!("Invalid ShardId provided: {id}"))
}

fn no_shard(id: &str, arn: &str) -> Fault {
    let message = format!("Requested resource not found: Shard: {id} in Stream: {arn} not found");
    Fault::caller("ResourceNotFoundException", message)
}

fn trimmed() -> Fault {
    let message = "The operation attempted to read past the oldest stream record in a shard";
    Fault::caller("TrimmedDataAccessException", message)
}

/// The tag that says how long a shard of a table's stream is, read when the stream begins.
const ROLL_TAG: &str = "hither:stream-roll";

/// Most shards of one answer. 100.
/// Source: DynamoDB API reference, `DescribeStream`.
const SHARDS_MAX: u64 = 100;
