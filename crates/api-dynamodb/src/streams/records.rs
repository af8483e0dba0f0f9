//! GetRecords: events of the history as records of a stream.
//!
//! Images go from the store to the answer without a tree in between.

use api_protocol::json;
use clock::time::WallTime;
use item::codec;
use item::size;
use item::view::ItemRef;
use store::port::Store;
use table::history::{Cause, Event, Place, Portion};

use super::{Stream, iterator, shards, trimmed};
use crate::choices::StreamViewType;
use crate::facade::{Answer, DynamoDb};
use crate::fault::Refused;
use crate::limits::{ITERATOR_SECS, RECORDS_BYTES_MAX, RECORDS_MAX, STREAM_SECS};
use crate::wire::render::{self, Object};
use crate::wire::shape;

shape! {
    /// The members of `GetRecords`.
    RecordsIn {
        iterator: "ShardIterator" as String,
        limit: "Limit" as i64,
    }
}

impl<S: Store> DynamoDb<S> {
    /// Answers `GetRecords`.
    pub(crate) async fn get_records(
        &self,
        caller: &api_protocol::caller::Caller,
        body: &[u8],
    ) -> Answer {
        let request: RecordsIn = json::parse(body)?;
        let now = self.control.clock().wall();
        let given = request.iterator.unwrap_or_default();
        let at = iterator::read(&given, now)?;
        let stream = self.stream(caller, at.arn)?;
        let shard = stream.shards.shard(at.shard);
        // An iterator made at the edge stays good as long as it lives.
        let floor = now.as_micros() - (STREAM_SECS + ITERATOR_SECS) * 1_000_000;
        if at.after.at.0 < floor {
            return Err(trimmed().into());
        }
        // Asked before reading: what comes to be in between is in the next answer.
        let is_closed = self.control.tables().has_passed(shard.end).await?;
        let limit = request.limit.and_then(|limit| usize::try_from(limit).ok());
        let portion = Portion {
            events_max: limit.unwrap_or(RECORDS_MAX).min(RECORDS_MAX),
            bytes_max: RECORDS_BYTES_MAX,
        };
        // What was recorded before the shard is another stream's, or none's at all.
        let (id, after) = (stream.table.id(), at.after.max(Place::before(shard.start)));
        let tables = self.control.tables();
        let page = tables.read_history(id, after, shard.end, portion).await?;
        let reached = page.events.last().map_or(after, |event| event.place);
        let mut out = Vec::with_capacity(256 + page.events.len() * 512);
        let mut answer = Object::start(&mut out);
        let records = answer.member("Records");
        records.push(b'[');
        let mut any = false;
        for event in page.events.iter().filter(|event| event.is_told) {
            if any {
                records.push(b',');
            }
            any = true;
            self.record(records, &stream, event)?;
        }
        records.push(b']');
        if page.more || !is_closed {
            let next = iterator::write(&stream.arn, shard, reached, now);
            render::string(answer.member("NextShardIterator"), &next);
        }
        answer.end();
        Ok(out)
    }

    fn record(&self, out: &mut Vec<u8>, stream: &Stream, event: &Event) -> Result<(), Refused> {
        let region = self.control.project().region.as_str();
        let mut record = Object::start(out);
        let mut text = |name: &str, text: &str| render::string(record.member(name), text);
        let (at, number) = (event.place.at.0, event.place.number);
        // Unlike any other of the project: the table's number, the moment, the place in it.
        let table = stream.table.id & 0xffff_ffff;
        text("eventID", &format!("{table:08x}{at:016x}{number:08x}"));
        text("eventName", name_of(event));
        text("eventVersion", "1.1");
        text("eventSource", "aws:dynamodb");
        text("awsRegion", region);
        change(record.member("dynamodb"), stream, event)?;
        if event.cause == Cause::Expiry {
            let mut identity = Object::start(record.member("userIdentity"));
            render::string(identity.member("PrincipalId"), "dynamodb.amazonaws.com");
            render::string(identity.member("Type"), "Service");
            identity.end();
        }
        // Who wrote it, and its version there: clients pass over members that they do not know.
        let mut origin = Object::start(record.member("hitherOrigin"));
        let home = self.control.project().region_of(event.version.origin);
        let home = home.map_or("", |home| home.name.as_str());
        render::string(origin.member("Region"), home);
        let stamp = event.version.hlc.0.to_string();
        origin
            .member("StampMicros")
            .extend_from_slice(stamp.as_bytes());
        origin.end();
        record.end();
        Ok(())
    }
}

fn change(out: &mut Vec<u8>, stream: &Stream, event: &Event) -> Result<(), Refused> {
    let schema = stream.table.schema();
    let key = event.key().map_err(table::tables::ReadError::from)?;
    let keys = schema
        .map(|schema| key.to_item(&schema))
        .unwrap_or_default();
    let (wants_old, wants_new) = match stream.view {
        StreamViewType::NewImage => (false, true),
        StreamViewType::OldImage => (true, false),
        StreamViewType::NewAndOldImages => (true, true),
        StreamViewType::KeysOnly => (false, false),
    };
    let old = event.old.as_deref().filter(|_| wants_old);
    let new = event.new.as_deref().filter(|_| wants_new);
    let mut bytes = size::item_size(&keys);
    for image in [old, new].into_iter().flatten() {
        bytes += ItemRef::parse(image)?.size()?;
    }
    let mut change = Object::start(out);
    let seconds = WallTime::from_micros(event.place.at.0)
        .as_secs()
        .to_string();
    let created = change.member("ApproximateCreationDateTime");
    created.extend_from_slice(seconds.as_bytes());
    render::item(change.member("Keys"), &codec::encode(&keys))?;
    if let Some(new) = new {
        render::item(change.member("NewImage"), new)?;
    }
    if let Some(old) = old {
        render::item(change.member("OldImage"), old)?;
    }
    let sequence = shards::sequence(event.place);
    render::string(change.member("SequenceNumber"), &sequence);
    let bytes = bytes.to_string();
    change
        .member("SizeBytes")
        .extend_from_slice(bytes.as_bytes());
    render::string(change.member("StreamViewType"), stream.view.as_str());
    change.end();
    Ok(())
}

fn name_of(event: &Event) -> &'static str {
    match (event.was, event.is) {
        (false, _) => "INSERT",
        (true, true) => "MODIFY",
        (true, false) => "REMOVE",
    }
}
