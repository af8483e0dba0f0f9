//! Throttling: calls that a table or an index has no capacity left for are refused, if wanted.
//!
//! It is off unless the endpoint or the table's tag switches it on; then a call costs its units of
//! one bucket, of this region alone and forgotten with the process. What other regions write and
//! what expires costs nothing, and single partitions have no bounds of their own.
//! Source: DynamoDB developer guide, "Diagnosing throttling" (`ThrottlingReasons`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use api_protocol::fault::Fault;
use clock::time::Moment;
use control::tables::TableView;
use control::tables::indexes::Index;
use serde_json::{Value, json};
use store::port::Store;
use table::def::IndexId;
use table::limit::{Bound, Direction, Limit, Throughput};
use table::write::{Current, Decide, Effect, Refusal};

use crate::capacity::{Consumed, Reading, Side, Units};
use crate::catalog::OpenTable;
use crate::facade::DynamoDb;
use crate::fault;
use crate::indexes::{self, OpenIndex};
use crate::items;
use crate::settings::{Most, Own, Reads, Shared};
use crate::tables::IndexSettings;

mod bucket;

use bucket::Bucket;

/// Whether tables are throttled that say nothing of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Throttling {
    /// They are not.
    #[default]
    Off,
    /// They are, by their provisioned units or by the most that they serve by use.
    On,
}

/// The buckets of an endpoint's tables, kept while definitions change.
#[derive(Debug, Default)]
pub(crate) struct Buckets(BTreeMap<BucketId, Arc<Mutex<Bucket>>>);

/// Whose bucket it is: a table's number, and an index's unless it is the table's own.
type BucketId = (u64, Option<IndexId>, Direction);

/// The bounds of a table and of its global secondary indexes.
#[derive(Debug)]
pub(crate) struct Meters {
    table: Meter,
    indexes: BTreeMap<String, Meter>,
}

/// The bounds of a table or of an index.
#[derive(Debug)]
struct Meter {
    table: String,
    /// The index's name, unless it is the table's own.
    index: Option<String>,
    bound: Bound,
    read: Option<Valve>,
    write: Option<Valve>,
}

/// A bucket, and what comes into it a second.
#[derive(Clone, Debug)]
struct Valve {
    bucket: Arc<Mutex<Bucket>>,
    rate: u64,
}

/// A read that was let in.
#[derive(Debug, Default)]
pub(crate) struct Ticket {
    valve: Option<Valve>,
    taken: Units,
}

impl<S: Store> DynamoDb<S> {
    /// Returns what bounds a table; `None` where nothing does.
    pub(crate) fn meters(&self, view: &TableView, own: &Own) -> Option<Meters> {
        let is_on = match wanted(&own.tags).ok()? {
            Some(throttling) => throttling == Throttling::On,
            None => self.throttling == Throttling::On,
        };
        if !is_on {
            return None;
        }
        let now = self.control.clock().now();
        let mut buckets = self.buckets();
        let shared = Shared::of(&view.table);
        let id = view.table.id;
        let mut meter = |index: Option<&Index>| {
            let (bounds, reads) = match index {
                None => ((shared.throughput, shared.on_demand), own.reads),
                Some(index) => {
                    let settings = IndexSettings::of(index);
                    let reads = own.index_reads.get(&index.name);
                    (
                        (settings.throughput, settings.on_demand),
                        reads.copied().unwrap_or_default(),
                    )
                }
            };
            let (bound, (read, write)) = rates(&shared, bounds, reads);
            let mut valve = |rate: Option<u64>, direction| {
                let rate = rate?;
                let id = (id, index.map(Index::id), direction);
                let made = || Arc::new(Mutex::new(Bucket::new(now, rate)));
                let bucket = Arc::clone(buckets.0.entry(id).or_insert_with(made));
                Some(Valve { bucket, rate })
            };
            Meter {
                table: view.table.name.clone(),
                index: index.map(|index| index.name.clone()),
                bound,
                read: valve(read, Direction::Read),
                write: valve(write, Direction::Write),
            }
        };
        let table = meter(None);
        let global = view.indexes.iter().filter(|index| !index.is_local);
        let indexes = global.map(|index| (index.name.clone(), meter(Some(index))));
        let meters = Meters {
            table,
            indexes: indexes.collect(),
        };
        let mut all = std::iter::once(&meters.table).chain(meters.indexes.values());
        let is_bounded = all.any(|meter| meter.read.is_some() || meter.write.is_some());
        is_bounded.then_some(meters)
    }

    /// Lets a read of a table, or of an index of it, begin; it is to be settled.
    ///
    /// Errors: `ProvisionedThroughputExceededException`; `ThrottlingException` where the table is
    /// billed by use.
    pub(crate) fn admit_read(
        &self,
        open: &OpenTable,
        index: Option<&OpenIndex<'_>>,
        reading: Reading,
    ) -> Result<Ticket, Fault> {
        let Some(meters) = &open.meters else {
            return Ok(Ticket::default());
        };
        // Local indexes are read at their table's expense.
        let meter = index.and_then(|index| meters.indexes.get(&index.view.name));
        let meter = meter.unwrap_or(&meters.table);
        let Some(valve) = &meter.read else {
            return Ok(Ticket::default());
        };
        let taken = Units::of_read(0, reading);
        if !valve.admit(self.control.clock().now(), taken) {
            return Err(limited(&meter.held(Direction::Read)));
        }
        Ok(Ticket {
            valve: Some(valve.clone()),
            taken,
        })
    }

    /// Makes a decision that is taken only while the table, and those of its indexes that change
    /// with the item, have capacity left for it.
    pub(crate) fn metered(&self, open: &Arc<OpenTable>, side: Side, decide: Decide) -> Decide {
        if open.meters.is_none() {
            return decide;
        }
        let (open, now) = (Arc::clone(open), self.control.clock().now());
        Box::new(move |current| match (&open.meters, side) {
            (None, _) => decide(current),
            (Some(meters), Side::Read) => meters.read(current, decide, now),
            (Some(meters), Side::Plain | Side::Write) => {
                meters.write(&open, current, decide, (now, side))
            }
        })
    }

    /// Forgets the buckets of tables that are no more.
    pub(crate) fn forget_buckets(&self) {
        let mut buckets = self.buckets();
        buckets.0.retain(|_, bucket| Arc::strong_count(bucket) > 1);
    }
}

impl Meters {
    fn read(&self, current: &Current, decide: Decide, now: Moment) -> Result<Effect, Refusal> {
        let units = |bytes| Units::of_read(bytes, Reading::Transactional);
        if let Some(valve) = &self.table.read {
            if !valve.admit(now, units(0)) {
                return Err(Refusal::Limited(self.table.held(Direction::Read)));
            }
            valve.take(units(size(current)).minus(units(0)));
        }
        decide(current)
    }

    fn write(
        &self,
        open: &OpenTable,
        current: &Current,
        decide: Decide,
        (now, side): (Moment, Side),
    ) -> Result<Effect, Refusal> {
        // It pays at the end: what an index holds back costs the table nothing.
        if let Some(valve) = &self.table.write
            && !valve.is_open(now)
        {
            return Err(Refusal::Limited(self.table.held(Direction::Write)));
        }
        let decided = decide(current);
        let consumed = match &decided {
            // A condition that does not hold costs what the item costs that it was tested on.
            Err(_) => Consumed::of_table(Units::of_write(size(current), 0)),
            Ok(effect) => {
                let new = effect.image(current);
                let consumed = indexes::consumed_by(open, (current.image(), new.as_ref()));
                // What cannot be read, the write itself fails of.
                consumed.unwrap_or_default()
            }
        };
        let consumed = consumed.of(side);
        let of_indexes = || {
            let parts = consumed.global().iter();
            parts.filter_map(|(name, units)| {
                let meter = self.indexes.get(name)?;
                Some((meter, meter.write.as_ref()?, *units))
            })
        };
        if let Some((meter, _, _)) = of_indexes().find(|(_, valve, _)| !valve.is_open(now)) {
            return Err(Refusal::Limited(meter.held(Direction::Write)));
        }
        if let Some(valve) = &self.table.write {
            valve.take(consumed.of_partitions());
        }
        of_indexes().for_each(|(_, valve, units)| valve.take(units));
        decided
    }
}

impl Meter {
    /// Returns what holds a call back.
    fn held(&self, direction: Direction) -> Limit {
        Limit::Throughput(Throughput {
            table: self.table.clone(),
            index: self.index.clone(),
            direction,
            bound: self.bound,
        })
    }
}

impl Valve {
    fn admit(&self, now: Moment, least: Units) -> bool {
        self.bucket().admit(now, self.rate, least)
    }

    fn is_open(&self, now: Moment) -> bool {
        self.bucket().is_open(now, self.rate)
    }

    fn take(&self, units: Units) {
        self.bucket().take(units);
    }

    fn bucket(&self) -> std::sync::MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Returns whether the read is counted, so that its cost is to be found out.
    pub(crate) const fn counts(&self) -> bool {
        self.valve.is_some()
    }

    /// Takes what the read has cost.
    pub(crate) fn settle(self, units: Units) {
        if let Some(valve) = self.valve {
            valve.take(units.minus(self.taken));
        }
    }
}

/// Returns what bounds a capacity, and how many units come in a second.
fn rates(
    shared: &Shared,
    (provisioned, most): (Option<(u64, u64)>, Option<Most>),
    own: Reads,
) -> (Bound, (Option<u64>, Option<u64>)) {
    if shared.is_on_demand() {
        let (read, write) = most.unwrap_or_default();
        let rate = |most: Option<i64>| u64::try_from(most?).ok();
        return (Bound::OnDemand, (rate(own.on_demand.or(read)), rate(write)));
    }
    let (read, write) = provisioned.unzip();
    (Bound::Provisioned, (own.provisioned.or(read), write))
}

/// Returns what a table's tags say of throttling.
///
/// Errors: `ValidationException` for a tag that says neither `on` nor `off`.
pub(crate) fn wanted(tags: &BTreeMap<String, String>) -> Result<Option<Throttling>, Fault> {
    match tags.get(TAG).map(String::as_str) {
        None => Ok(None),
        Some("on") => Ok(Some(Throttling::On)),
        Some("off") => Ok(Some(Throttling::Off)),
        Some(_) => Err(fault::validation(format!("Tag {TAG} is on or off"))),
    }
}

/// Answers a call that a limit does not admit.
///
/// Shape: `resource` is the end of an ARN, for [`located`] to complete.
pub(crate) fn limited(limit: &Limit) -> Fault {
    let used = match limit {
        Limit::CollectionSize => {
            let message = "Collection size exceeded.";
            return Fault::caller("ItemCollectionSizeLimitExceededException", message);
        }
        Limit::Throughput(used) => used,
    };
    let (kind, message, resource) = match &used.index {
        None => ("Table", TABLE_EXCEEDED, format!("table/{}", used.table)),
        Some(index) => {
            let resource = format!("table/{}/index/{index}", used.table);
            ("Index", INDEX_EXCEEDED, resource)
        }
    };
    let direction = match used.direction {
        Direction::Read => "Read",
        Direction::Write => "Write",
    };
    let reasons = |bound: &str| {
        let reason = format!("{kind}{direction}{bound}ThroughputExceeded");
        json!([{ "reason": reason, "resource": resource }])
    };
    let (fault, name, reasons) = match used.bound {
        Bound::Provisioned => (
            Fault::caller("ProvisionedThroughputExceededException", message),
            "ThrottlingReasons",
            reasons("Provisioned"),
        ),
        Bound::OnDemand => (
            Fault::caller("ThrottlingException", ABOVE_MOST),
            "throttlingReasons",
            reasons("MaxOnDemand"),
        ),
    };
    fault.with_retry().with_detail(name, reasons)
}

/// Completes the ARNs of what throttled a call; `arn` makes one of what follows account and region.
pub(crate) fn located(fault: Fault, arn: impl Fn(&str) -> String) -> Fault {
    let is_reasons = |name: &str| name.eq_ignore_ascii_case("ThrottlingReasons");
    let found = fault.details().find(|(name, _)| is_reasons(name));
    let found = found.map(|(name, reasons)| (name.clone(), reasons.clone()));
    let Some((name, mut reasons)) = found else {
        return fault;
    };
    for reason in reasons.as_array_mut().into_iter().flatten() {
        let resource = reason["resource"].as_str().map(&arn);
        reason["resource"] = resource.map_or(Value::Null, Value::from);
    }
    fault.with_detail(&name, reasons)
}

/// Returns the size of the item as it is; nothing for one that cannot be read, which the write
/// itself fails of.
fn size(current: &Current) -> usize {
    let size = current.image().map(|image| items::size_of(image));
    size.and_then(Result::ok).unwrap_or(0)
}

/// The tag of a table that switches throttling on or off for it.
const TAG: &str = "hither:throttling";

const ABOVE_MOST: &str =
    "Throughput exceeds the maximum OnDemandThroughput configured on table or index";
pub(crate) const TABLE_EXCEEDED: &str = "The level of configured provisioned throughput for the \
                                         table was exceeded. Consider increasing your \
                                         provisioning level with the UpdateTable API.";
const INDEX_EXCEEDED: &str = "The level of configured provisioned throughput for one or more \
                              global secondary indexes of the table was exceeded. Consider \
                              increasing your provisioning level for the under-provisioned global \
                              secondary indexes with the UpdateTable API";
