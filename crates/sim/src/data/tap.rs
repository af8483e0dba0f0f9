//! A store that tells the truth-keeper what is handed in and what takes effect.
//!
//! It changes nothing: batches go to the store in memory as they are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};

use base::region::RegionId;
use replica_core::record::Record;
use replica_core::vector::Seq;
use store::memory::MemStore;
use store::port::{
    Batch, Completion, Durability, Op, Order, Range, Rows, Space, Store, StoreError,
};

use crate::data::tasks::at_once;
use crate::data::truth::Truth;

/// The truth, shared by the taps of all regions.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Truth>>);

impl Ledger {
    /// Opens the ledger.
    pub fn open(&self) -> MutexGuard<'_, Truth> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One region's disk, listened to.
#[derive(Clone)]
pub struct Tap {
    /// The store itself.
    pub disk: MemStore,
    holder: RegionId,
    ledger: Ledger,
    untold: Untold,
}

/// What was trimmed from logs by batches that failed: the disk may have it or not.
type Untold = Arc<Mutex<Vec<(RegionId, Seq)>>>;

/// What a batch does to the logs.
enum Logged {
    Put(Record),
    Trimmed(RegionId, Seq),
}

impl Tap {
    /// Listens to the store of region `holder`.
    pub fn new(disk: MemStore, holder: RegionId, ledger: Ledger) -> Self {
        Self {
            disk,
            holder,
            ledger,
            untold: Untold::default(),
        }
    }

    /// Cuts the power: the returned store holds what was on disk.
    #[must_use]
    pub fn crash(&self) -> Self {
        let after = Self::new(self.disk.crash(), self.holder, self.ledger.clone());
        let kept = after.rows(Space::Log);
        // What a failing disk has written after all, though it told nobody.
        for (key, value) in &kept {
            let beyond = |(origin, seq)| self.ledger.open().held(self.holder).past.at(origin) < seq;
            if position(key).is_some_and(beyond)
                && let Ok(record) = Record::decode(value.clone())
            {
                self.ledger.open().took_effect(self.holder, &record);
            }
        }
        let kept: Vec<_> = kept.iter().filter_map(|(key, _)| position(key)).collect();
        let untold = std::mem::take(&mut *self.untold());
        for (origin, seq) in untold.into_iter().filter(|at| !kept.contains(at)) {
            self.ledger.open().trimmed(self.holder, origin, seq);
        }
        self.ledger.open().crashed(self.holder, kept);
        after
    }

    /// Returns all rows of a namespace, as reads see them.
    pub fn rows(&self, space: Space) -> Vec<(Bytes, Bytes)> {
        let range = Range {
            space,
            from: std::ops::Bound::Unbounded,
            to: std::ops::Bound::Unbounded,
            order: Order::Ascending,
            rows_max: usize::MAX,
            bytes_max: usize::MAX,
        };
        let rows = at_once(self.disk.range(range));
        rows.map(|rows| rows.rows).unwrap_or_default()
    }

    fn untold(&self) -> MutexGuard<'_, Vec<(RegionId, Seq)>> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn logged(&self, op: &Op) -> Option<Logged> {
        match op {
            Op::Put(Space::Log, key, value) => match Record::decode(value.clone()) {
                Ok(record) if position(key) == Some((record.origin, record.seq)) => {
                    Some(Logged::Put(record))
                }
                Ok(_) | Err(_) => {
                    let holder = self.holder;
                    self.ledger
                        .open()
                        .wrong(format!("{holder} logs what is no record"));
                    None
                }
            },
            Op::Delete(Space::Log, key) => {
                let (origin, seq) = position(key)?;
                Some(Logged::Trimmed(origin, seq))
            }
            Op::Put(..) | Op::Delete(..) => None,
        }
    }
}

/// Reads the key of a log's row: origin 2 · position 8.
fn position(mut key: &[u8]) -> Option<(RegionId, Seq)> {
    let origin = key.try_get_u16().ok()?;
    let seq = key.try_get_u64().ok()?;
    Some((RegionId(origin), Seq(seq)))
}

impl Store for Tap {
    type Past = <MemStore as Store>::Past;

    fn past(&self) -> Self::Past {
        self.disk.past()
    }

    async fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.disk.get(space, key).await
    }

    async fn range(&self, range: Range) -> Result<Rows, StoreError> {
        self.disk.range(range).await
    }

    fn submit(&self, batch: Batch, durability: Durability, done: Completion) {
        let logged: Vec<Logged> = batch.ops.iter().filter_map(|op| self.logged(op)).collect();
        if logged.is_empty() || self.disk.has_failed() {
            return self.disk.submit(batch, durability, done);
        }
        for logged in &logged {
            if let Logged::Put(record) = logged {
                self.ledger.open().handed_in(self.holder, record);
            }
        }
        let (ledger, holder) = (self.ledger.clone(), self.holder);
        let failed = Arc::clone(&self.untold);
        let told = move |result: Result<(), StoreError>| {
            let mut truth = ledger.open();
            let mut untold = failed.lock().unwrap_or_else(PoisonError::into_inner);
            for logged in logged {
                match (logged, &result) {
                    (Logged::Put(record), Ok(())) => truth.took_effect(holder, &record),
                    // Where the disk has it after all, the log says so.
                    (Logged::Put(_), Err(_)) => {}
                    (Logged::Trimmed(origin, seq), Ok(())) => truth.trimmed(holder, origin, seq),
                    (Logged::Trimmed(origin, seq), Err(_)) => untold.push((origin, seq)),
                }
            }
            drop((truth, untold));
            done(result);
        };
        self.disk.submit(batch, durability, Box::new(told));
    }

    fn flushed(&self, done: Completion) {
        self.disk.flushed(done);
    }
}
