//! Records gathered into batches, and batches written.
//!
//! No item stands twice in one batch: of two records of one key the later one takes the place of
//! the one before, or is written later where either of them may leave the item as it is: for its
//! condition, or for the size of its collection. It opens no object. What a batch costs is taken
//! from no table's throughput; it is held to the rate that its load asks for, and its items to the
//! size of their collections.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api_protocol::fault::Fault;
use control::control::ControlError;
use control::loads::{Load, LoadKind, Progress};
use expr::condition::Condition;
use item::key::{Key, KeyValue};
use item::size;
use item::value::Item;
use store::port::Store;
use table::limit::Limit;
use table::write::{Current, Decide, Effect, Write};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::report::{self, Kind, Lines};
use super::{LoadError, Settings};
use crate::buckets::{Buckets, Object};
use crate::catalog::OpenTable;
use crate::collections;
use crate::facade::DynamoDb;
use crate::fault;
use crate::indexes::{self, Writing};
use crate::items;
use crate::limits::{
    LOAD_BATCH_BYTES, LOAD_BATCH_CONDITIONS, LOAD_BATCH_ITEMS, LOAD_NOTED_BATCHES,
    LOAD_REPORT_BYTES_MAX, LOAD_REPORTED_MAX,
};
use crate::records::{Entry, Format, Packing, Record, Records};
use crate::throttle;

/// The batches of a load.
pub(super) struct Batches<'l, S: Store> {
    facade: &'l DynamoDb<S>,
    /// What is written later shares it.
    load: Arc<Load>,
    layout: (Packing, Format),
    /// How far it has come for certain.
    noted: Progress,
    /// How far it has come once the batch is written.
    progress: Progress,
    /// How many records of the object are to be passed over, since they are done.
    skip: u64,
    writes: Vec<Write>,
    /// Where in the batch the write of a key is, and whether that may leave its item as it is.
    keys: BTreeMap<Key, (usize, bool)>,
    /// How many writes of the batch may have to be reported.
    conditions: usize,
    /// How large the records of the batch are.
    bytes: u64,
    units: u64,
    /// How many batches were written since progress was noted.
    unnoted: usize,
    /// Whether there are reports of mistakes, and of what was not to be written.
    tells: [bool; 2],
    errors: Lines,
    /// What was not to be written, as the writes find out.
    refused: Arc<Mutex<Refusals>>,
    /// What could not be written, as they find out.
    unfit: Arc<Mutex<Refusals>>,
    /// By how much the batch makes each collection larger.
    grown: Arc<Mutex<BTreeMap<KeyValue, i64>>>,
}

/// A write of a record.
struct Ready {
    key: Key,
    decide: Decide,
    has_condition: bool,
    /// By how much its item's collection may grow, in bytes, where that is near its bound.
    room: Option<i64>,
    /// What it costs.
    units: u64,
}

/// Items that were not written.
#[derive(Debug, Default)]
struct Refusals {
    count: u64,
    lines: Lines,
}

impl<'l, S: Store> Batches<'l, S> {
    pub(super) fn new(
        facade: &'l DynamoDb<S>,
        load: &Load,
        progress: Progress,
        layout: (Packing, Format),
    ) -> Self {
        Self {
            facade,
            load: Arc::new(load.clone()),
            layout,
            noted: progress.clone(),
            progress,
            skip: 0,
            writes: Vec::new(),
            keys: BTreeMap::new(),
            conditions: 0,
            bytes: 0,
            units: 0,
            unnoted: 0,
            tells: [Kind::Errors, Kind::Refusals].map(|kind| report::tells(load, kind)),
            errors: Lines::default(),
            refused: Arc::default(),
            unfit: Arc::default(),
            grown: Arc::default(),
        }
    }

    pub(super) fn load(&self) -> &Load {
        &self.load
    }

    /// Notes how many bytes all objects have.
    pub(super) const fn note_total(&mut self, total: u64) {
        self.progress.total = Some(total);
    }

    /// Returns whether an object is done.
    pub(super) fn is_behind(&self, object: &Object) -> bool {
        let known = self.progress.object.as_str();
        object.key.as_str() < known || (object.key == known && self.progress.is_done)
    }

    /// Starts with an object, where it was left.
    pub(super) fn begin(
        &mut self,
        object: &Object,
        opened: io::Result<Box<dyn Read + Send>>,
    ) -> Pages {
        if self.progress.object == object.key {
            self.skip = self.progress.records;
        } else {
            self.skip = 0;
            self.progress.object.clone_from(&object.key);
            self.progress.records = 0;
        }
        self.progress.is_done = false;
        let (packing, format) = self.layout.clone();
        let object = opened.unwrap_or_else(|error| Box::new(Unopened(Some(error))));
        Pages::new(Records::new(object, packing, format))
    }

    /// Ends an object.
    pub(super) const fn end(&mut self, object: &Object) {
        self.progress.is_done = true;
        self.progress.packed += object.bytes;
    }

    /// Returns whether the batch is to be written before a record is added to it.
    pub(super) fn is_full_for(&self, entry: &Entry) -> bool {
        LOAD_BATCH_ITEMS <= self.writes.len()
            || LOAD_BATCH_CONDITIONS <= self.conditions
            || (!self.writes.is_empty() && LOAD_BATCH_BYTES < self.bytes + entry.bytes)
            || LOAD_BATCH_BYTES < self.errors.len()
    }

    /// Adds a record; the batch is written before, where it has one of its key and either of them
    /// may leave the item as it is.
    ///
    /// Errors: those of writing, and of reading the size of its item's collection.
    pub(super) async fn add(
        &mut self,
        open: &Arc<OpenTable>,
        entry: Entry,
        buckets: &impl Buckets,
    ) -> Result<(), LoadError> {
        if self.skip > 0 {
            self.skip -= 1;
            return Ok(());
        }
        let number = self.progress.records;
        let read = entry.record.map_err(|error| error.to_string());
        let mut ready = read.and_then(|record| self.ready(open, record, number));
        if let Ok(ready) = &mut ready {
            ready.room = self.room(open, &ready.key).await?;
            let before = self.keys.get(&ready.key);
            if before.is_some_and(|(_, may_stay)| *may_stay || ready.may_stay()) {
                self.write(buckets).await?;
                // The one before has made the collection larger, or smaller.
                ready.room = self.room(open, &ready.key).await?;
            }
        }
        self.progress.records += 1;
        self.progress.bytes += entry.bytes;
        self.bytes += entry.bytes;
        match ready {
            Ok(ready) => {
                let ready = self.collected(open, ready, number);
                self.progress.written += 1;
                self.units += ready.units;
                self.push(open, ready);
            }
            Err(message) => {
                if self.tells_errors() {
                    let at = (&*self.progress.object, number);
                    self.errors.error(&self.load, at, &message);
                }
                self.progress.failed += 1;
            }
        }
        Ok(())
    }

    /// Adds a write to the batch, in place of one of its key.
    fn push(&mut self, open: &OpenTable, ready: Ready) {
        let may_stay = ready.may_stay();
        let write = Write {
            table: Arc::clone(&open.def),
            key: ready.key.clone(),
            decide: ready.decide,
        };
        let at = self.keys.get(&ready.key).map(|(at, _)| *at);
        if let Some(before) = at.and_then(|at| self.writes.get_mut(at)) {
            *before = write;
            return;
        }
        if ready.has_condition && self.tells_refusals() {
            self.conditions += 1;
        }
        self.keys.insert(ready.key, (self.writes.len(), may_stay));
        self.writes.push(write);
    }

    /// Returns whether mistakes are told of, and there is room for one.
    fn tells_errors(&self) -> bool {
        let unfit = self.unfit.lock().unwrap_or_else(PoisonError::into_inner);
        let told = self.progress.reported[0] + self.errors.len() + unfit.lines.len();
        let count = self.progress.failed + unfit.count;
        self.tells[0] && count < LOAD_REPORTED_MAX && told < LOAD_REPORT_BYTES_MAX
    }

    /// Returns by how much an item's collection may grow, where that is near its bound.
    ///
    /// Errors: those of reading the size.
    async fn room(&self, open: &OpenTable, key: &Key) -> Result<Option<i64>, LoadError> {
        if !open.def.has_collections() {
            return Ok(None);
        }
        let pending = u64::try_from(self.writes.len()).unwrap_or(u64::MAX);
        let room = self.facade.collection_room(open, key, pending).await;
        Ok(room.map_err(ControlError::Read)?)
    }

    /// Makes a write that finds its item's collection too large one that is told of, and does
    /// nothing. Unlike callers' writes, those of a batch do not go beyond the bound together.
    fn collected(&self, open: &OpenTable, ready: Ready, number: u64) -> Ready {
        let Some(room) = ready.room else {
            return ready;
        };
        let def = Arc::clone(&open.def);
        let partition = ready.key.partition.clone();
        let (grown, unfit) = (Arc::clone(&self.grown), Arc::clone(&self.unfit));
        let at = || (Arc::clone(&self.load), self.progress.object.clone());
        let told = self.tells_errors().then(at);
        let decide = ready.decide;
        let decide: Decide = Box::new(move |current: &Current| {
            let effect = decide(current)?;
            let growth = collections::growth(&def, current, &effect);
            let mut grown = grown.lock().unwrap_or_else(PoisonError::into_inner);
            let grown = grown.entry(partition).or_default();
            if growth <= 0 || grown.saturating_add(growth) <= room {
                *grown = grown.saturating_add(growth);
                return Ok(effect);
            }
            let mut unfit = unfit.lock().unwrap_or_else(PoisonError::into_inner);
            unfit.count += 1;
            if let Some((load, object)) = told {
                unfit.lines.error(&load, (&object, number), &too_large());
            }
            Ok(Effect::Keep)
        });
        Ready { decide, ..ready }
    }

    /// Returns whether what is not to be written is told of, and there is room for it.
    const fn tells_refusals(&self) -> bool {
        self.tells[1]
            && self.progress.refused < LOAD_REPORTED_MAX
            && self.progress.reported[1] < LOAD_REPORT_BYTES_MAX
    }

    /// Makes a write of a record.
    ///
    /// Errors: what is wrong with it, in words.
    fn ready(&self, open: &OpenTable, record: Record, number: u64) -> Result<Ready, String> {
        let told = |fault: Fault| fault.message;
        let schema = &open.def.schema;
        let (item, condition) = match record {
            Record::Put { item, condition } => (item, condition),
            Record::Delete(key) => {
                return Ok(Ready {
                    key: items::key_of(schema, &key).map_err(told)?,
                    decide: Box::new(|_: &Current| Ok(Effect::Delete)),
                    has_condition: false,
                    room: None,
                    units: 1,
                });
            }
        };
        let key = schema.key_of(&item);
        let key = key.map_err(|error| told(fault::bad_key_of_item(&error)))?;
        items::check_size(&item, items::TOO_LARGE).map_err(told)?;
        indexes::check_item(open, &item, Writing::Put).map_err(told)?;
        if condition.is_some() && self.load.kind == LoadKind::Import {
            return Err("a record that is imported has no condition".to_owned());
        }
        let bytes = u64::try_from(size::item_size(&item)).unwrap_or(u64::MAX);
        Ok(Ready {
            key,
            has_condition: condition.is_some(),
            decide: self.decide(item, condition, number),
            room: None,
            units: bytes.div_ceil(1024),
        })
    }

    fn decide(&self, item: Item, condition: Option<Condition>, number: u64) -> Decide {
        let Some(condition) = condition else {
            return Box::new(move |_: &Current| Ok(Effect::Put(item)));
        };
        let at = (self.progress.object.clone(), number);
        let (load, refused) = (Arc::clone(&self.load), Arc::clone(&self.refused));
        let (mut room, mut bytes) = (0, 0);
        if self.tells_refusals() {
            room = LOAD_REPORTED_MAX - self.progress.refused;
            bytes = LOAD_REPORT_BYTES_MAX - self.progress.reported[1];
        }
        Box::new(move |current: &Current| {
            let existing = current.item()?;
            if condition.evaluate(existing.as_ref()) {
                return Ok(Effect::Put(item));
            }
            let mut refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
            if refused.count < room && refused.lines.len() < bytes {
                let at = (&*at.0, at.1);
                refused.lines.refusal(&load, at, &item, existing.as_ref());
            }
            refused.count += 1;
            Ok(Effect::Keep)
        })
    }

    /// Writes the batch.
    pub(super) async fn write(&mut self, buckets: &impl Buckets) -> Result<(), LoadError> {
        let began = Instant::now();
        let writes = std::mem::take(&mut self.writes);
        self.keys.clear();
        self.conditions = 0;
        self.bytes = 0;
        self.unnoted += 1;
        let is_shared = self.load.kind == LoadKind::Puts;
        let is_due = self.progress.is_done || LOAD_NOTED_BATCHES <= self.unnoted;
        let is_told = !self.errors.is_empty() || self.has_unfit();
        if is_shared || is_due || is_told {
            self.note(writes, buckets).await?;
        } else if !writes.is_empty() {
            let written = self.facade.control.tables().transact(writes).await;
            written.map_err(ControlError::Write)?;
        }
        // The collections are as large as they are said to be.
        let grown = self.grown.lock();
        grown.unwrap_or_else(PoisonError::into_inner).clear();
        let units = std::mem::take(&mut self.units);
        let pause = self.pause(units);
        if !pause.is_zero() {
            tokio::time::sleep_until(began + pause).await;
        }
        Ok(())
    }

    /// Writes the batch together with the progress that it is.
    async fn note(&mut self, writes: Vec<Write>, buckets: &impl Buckets) -> Result<(), LoadError> {
        let errors = self.errors.take();
        // Before the progress that counts them: what is told twice is told in the same place.
        let from = self.progress.reported[0];
        self.progress.reported[0] += u64::try_from(errors.len()).unwrap_or(u64::MAX);
        report::add(&self.load, Kind::Errors, from, errors, buckets).await?;
        let before = self.progress.clone();
        let (refused, unfit) = (Arc::clone(&self.refused), Arc::clone(&self.unfit));
        let to = move || {
            let refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
            let unfit = unfit.lock().unwrap_or_else(PoisonError::into_inner);
            after(before, &refused, &unfit)
        };
        let written = self.facade.control.advance_load(&self.noted, writes, to);
        written.await?;
        let [mut refused, mut unfit] = [&self.refused, &self.unfit].map(|found| {
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *found)
        });
        let [errors, refusals] = self.progress.reported;
        self.progress = after(self.progress.clone(), &refused, &unfit);
        self.noted = self.progress.clone();
        self.unnoted = 0;
        // After it: only the writes know. What a crash takes from the report is counted.
        let (errors_more, refusals_more) = (unfit.lines.take(), refused.lines.take());
        report::add(&self.load, Kind::Errors, errors, errors_more, buckets).await?;
        report::add(&self.load, Kind::Refusals, refusals, refusals_more, buckets).await?;
        Ok(())
    }

    fn has_unfit(&self) -> bool {
        let unfit = self.unfit.lock().unwrap_or_else(PoisonError::into_inner);
        0 < unfit.count
    }

    /// Returns how long a batch of so many units has to take.
    fn pause(&self, units: u64) -> Duration {
        let request = Settings::of(&self.load).request;
        let most = request["MaxWriteRequestUnits"]
            .as_u64()
            .filter(|most| *most > 0);
        let micros = most.map(|most| units.saturating_mul(1_000_000) / most);
        Duration::from_micros(micros.unwrap_or(0))
    }
}

impl Ready {
    /// Returns whether it may leave its item as it is: what stands there before it counts then.
    const fn may_stay(&self) -> bool {
        self.has_condition || self.room.is_some()
    }
}

/// Returns the progress when some of the items that were to be written were not, or could not be.
fn after(mut progress: Progress, refused: &Refusals, unfit: &Refusals) -> Progress {
    progress.refused += refused.count;
    progress.failed += unfit.count;
    progress.written -= refused.count + unfit.count;
    progress.reported[0] += unfit.lines.len();
    progress.reported[1] += refused.lines.len();
    progress
}

/// Says what is wrong with an item whose collection would be too large.
fn too_large() -> String {
    let fault = throttle::limited(&Limit::CollectionSize);
    format!("{}: {}", fault.code, fault.message)
}

/// The records of an object, read ahead by a page.
pub(super) struct Pages(Option<JoinHandle<(Records, Vec<Entry>)>>);

impl Pages {
    fn new(records: Records) -> Self {
        Self(Some(tokio::task::spawn_blocking(move || read(records))))
    }

    /// Returns the next records; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Vec<Entry>> {
        let (records, page) = match self.0.take()?.await {
            Ok(read) => read,
            // A panic of the reader is the reader's bug, and ends it.
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => return None,
            },
        };
        if page.is_empty() {
            return None;
        }
        *self = Self::new(records);
        Some(page)
    }
}

fn read(mut records: Records) -> (Records, Vec<Entry>) {
    let mut page = Vec::new();
    let mut bytes = 0;
    while page.len() < LOAD_BATCH_ITEMS && bytes < LOAD_BATCH_BYTES {
        let Some(entry) = records.next() else { break };
        bytes += entry.bytes;
        page.push(entry);
    }
    (records, page)
}

/// An object that could not be opened: reading it says so.
struct Unopened(Option<io::Error>);

impl Read for Unopened {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
