//! Conditional writes: of one item, or of several as one transaction.
//!
//! It evaluates no expression: the caller decides, given the item as it is. Within a region
//! writes of one item are linearizable and transactions serialisable; what was returned as
//! written is on disk.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use base::name::TableId;
use base::region::RegionId;
use item::codec;
use item::key::Key;
use item::number::Number;
use item::size;
use item::value::{AttributeValue, Item};
use replica_core::merge::Stamp;
use replica_core::record::{Change, KEY_BYTES_MAX, Record};
use replica_core::vector::Seq;
use store::port::{Batch, Completion, Durability, Space, Store, StoreError};

use clock::hlc::{Hlc, HybridClock, Version};

use crate::def::{Resolver, TableDef};
use crate::history::Cause;
use crate::layout::{self, Stored};
use crate::limit::Limit;
use crate::limits::{TRANSACTION_BYTES_MAX, TRANSACTION_ITEMS_MAX};
use crate::locks::{Held, Locks};
use crate::merging::Merging;
use crate::notes::Noting;
use crate::planted::Planted;
use crate::state::{self, Staging};
use crate::tables::{Damaged, ReadError, Tables};

/// One item to write.
pub struct Write {
    /// Its table.
    pub table: Arc<TableDef>,
    /// Its key.
    pub key: Key,
    /// What is to become of it.
    pub decide: Decide,
}

/// Decides what becomes of an item, given the item as it is.
///
/// It runs while the item is locked: it must be quick, and it may not wait.
pub type Decide = Box<dyn FnOnce(&Current) -> Result<Effect, Refusal> + Send + Sync>;

/// An item as it is, decoded only where that is asked for.
pub struct Current {
    image: Option<Bytes>,
    version: Option<Version>,
    /// Whether the image was found to be none.
    damaged: Cell<bool>,
}

/// What becomes of an item.
pub enum Effect {
    /// It is replaced, or made.
    Put(Item),
    /// Some of its attributes change, or it is made of them: what it becomes, and which.
    Update(Item, Vec<(String, Touched)>),
    /// It is removed; nothing happens where there is none.
    Delete,
    /// It stays as it is.
    Keep,
}

/// How a write changes an attribute, which decides what becomes of a race.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touched {
    /// It gets the value that the item has, or is removed.
    Set,
    /// A number is added to it.
    Add(Number),
    /// A set's elements are added to it.
    Include(AttributeValue),
    /// A set's elements are taken out of it.
    Exclude(AttributeValue),
}

/// Why an item is not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The caller's condition does not hold.
    #[error("the condition does not hold")]
    ConditionFailed,
    /// The write does not make sense for this item; the text says why, to be shown.
    #[error("{0}")]
    Invalid(String),
    /// A limit of the caller's own does not admit it.
    #[error("held back by {0}")]
    Limited(Limit),
}

/// A write that was done.
#[derive(Clone, Debug)]
pub struct Written {
    /// The encoded item before.
    pub old: Option<Bytes>,
    /// The encoded item after.
    pub new: Option<Bytes>,
    /// Where our log records it; position 0 where the table has no other replica.
    pub position: Seq,
}

/// A transaction that was not done.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Items were refused; one entry an item, in the order given.
    #[error("write: {0:?}")]
    Refused(Vec<Option<Refused>>),
    /// Two writes of one transaction name the same item.
    #[error("write: the transaction names one item twice")]
    SameItem,
    /// More items, or larger ones, than one transaction may have.
    #[error(
        "write: a transaction has at most {TRANSACTION_ITEMS_MAX} items, and at most \
         {TRANSACTION_BYTES_MAX} bytes"
    )]
    TooMany,
    /// What is stored cannot be read.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// The store failed. Whether the write is on disk is not known.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A refused item of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// The encoded item as it is.
    pub current: Option<Bytes>,
}

/// A decided change of one item.
pub(crate) struct Decided {
    pub(crate) table: Arc<TableDef>,
    pub(crate) suffix: Bytes,
    pub(crate) old: Option<Stored>,
    pub(crate) new: Option<Bytes>,
    pub(crate) changes: bool,
    pub(crate) cause: Cause,
    /// What is merged by attribute, where the item is and has more to it than its image.
    pub(crate) merging: Option<Merging>,
}

impl Decided {
    /// Returns the version that the item gets, where it is not `own`, the write's: whichever region
    /// ends an item, its tombstone is the same.
    fn stamp(&self, own: Stamp, planted: Planted) -> Option<Stamp> {
        let ended = self.old.as_ref().filter(|_| self.cause == Cause::Expiry);
        let end = ended.map(|ended| Stamp {
            version: ended.stamp.version.end(),
            seq: ended.stamp.seq,
        });
        let is_wrong = planted == Planted::TtlStampedNow;
        end.map(|end| if is_wrong { own } else { end })
    }
}

impl Current {
    /// Returns whether there is an item.
    pub fn exists(&self) -> bool {
        self.image.is_some()
    }

    /// Returns the encoded item.
    pub fn image(&self) -> Option<&Bytes> {
        self.image.as_ref()
    }

    /// Returns the version of the item, or of its delete as long as that is remembered.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// Returns the item.
    ///
    /// Errors: a refusal when what is stored cannot be read; whatever a decision makes of it, the
    /// write then fails with [`WriteError::Damaged`], which is no fault of the caller's.
    pub fn item(&self) -> Result<Option<Item>, Refusal> {
        let decoded = self.image.as_deref().map(codec::decode).transpose();
        decoded.map_err(|error| {
            self.damaged.set(true);
            Refusal::Invalid(format!("read the stored item: {error}"))
        })
    }
}

impl Effect {
    /// Returns the item that is written; `None` where none is.
    pub const fn item(&self) -> Option<&Item> {
        match self {
            Self::Put(item) | Self::Update(item, _) => Some(item),
            Self::Delete | Self::Keep => None,
        }
    }

    /// Returns the encoded item as it becomes; `None` where there is none any more.
    pub fn image(&self, current: &Current) -> Option<Bytes> {
        match self {
            Self::Put(item) | Self::Update(item, _) => Some(codec::encode(item).into()),
            Self::Delete => None,
            Self::Keep => current.image.clone(),
        }
    }
}

impl<S: Store> Tables<S> {
    /// Writes one item. Returns once it is on disk.
    ///
    /// Errors: [`WriteError::Refused`] with one entry, and those of the store. The write is done
    /// to its end even when the returned future is dropped after it was handed in.
    pub async fn write(&self, write: Write) -> Result<Written, WriteError> {
        let mut written = self.transact(vec![write]).await?;
        Ok(written.pop().expect("one write gives one result"))
    }

    /// Writes several items, all or none of them. Returns once they are on disk.
    ///
    /// Errors: [`WriteError`]; nothing is written then, unless the store failed.
    pub async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Written>, WriteError> {
        self.transact_with(writes, None).await
    }

    pub(crate) async fn transact_with(
        &self,
        writes: Vec<Write>,
        note: Option<Noting>,
    ) -> Result<Vec<Written>, WriteError> {
        if writes.len() > TRANSACTION_ITEMS_MAX {
            return Err(WriteError::TooMany);
        }
        let suffixes: Vec<Bytes> = writes
            .iter()
            .map(|write| layout::item_suffix(&write.key))
            .collect();
        let items = || {
            let keys = writes.iter().zip(&suffixes);
            keys.map(|(write, suffix)| (write.table.id, &suffix[..]))
        };
        if items().collect::<BTreeSet<_>>().len() < writes.len() {
            return Err(WriteError::SameItem);
        }
        if suffixes.iter().any(|suffix| suffix.len() > KEY_BYTES_MAX) {
            return Err(refuse_long_keys(&suffixes));
        }
        let needed = Locks::needed(items());
        let held = self.inner.locks.hold(needed).await;
        let mut decided = Vec::with_capacity(writes.len());
        let mut refused = Vec::with_capacity(writes.len());
        for (write, suffix) in writes.into_iter().zip(suffixes) {
            let old = self.stored(write.table.id, &suffix).await?;
            match decide(write, suffix, old, self.inner.region)? {
                Ok(change) => {
                    decided.push(change);
                    refused.push(None);
                }
                Err(refusal) => refused.push(Some(refusal)),
            }
        }
        if refused.iter().any(Option::is_some) {
            return Err(WriteError::Refused(refused));
        }
        // A record that no peer takes would hold up every record after it.
        let bytes = |one: &Decided| one.suffix.len() + one.new.as_ref().map_or(0, Bytes::len);
        if decided.iter().map(bytes).sum::<usize>() > TRANSACTION_BYTES_MAX {
            return Err(WriteError::TooMany);
        }
        self.commit_decided(decided, note, held).await
    }

    /// Calls `done` once every write that was handed in before is on disk.
    ///
    /// Errors: told to `done`, where they never will be.
    pub fn when_flushed(&self, done: Completion) {
        self.inner.store.flushed(done);
    }

    /// Reads an item as stored, tombstones included.
    pub(crate) async fn stored(
        &self,
        table: TableId,
        suffix: &[u8],
    ) -> Result<Option<Stored>, ReadError> {
        let key = layout::item_key(table, suffix);
        let value = self.inner.store.get(Space::Items, &key).await?;
        Ok(value.map(Stored::decode).transpose()?)
    }

    /// Stamps the changes, hands them in as one batch, and waits until they count as done.
    pub(crate) async fn commit_decided(
        &self,
        mut decided: Vec<Decided>,
        note: Option<Noting>,
        held: Held,
    ) -> Result<Vec<Written>, WriteError> {
        if note.is_none() && !decided.iter().any(|change| change.changes) {
            let position = Seq(0);
            let written = |one: Decided| {
                let old = one.old.and_then(|stored| stored.image);
                Written {
                    new: old.clone(),
                    old,
                    position,
                }
            };
            return Ok(decided.into_iter().map(written).collect());
        }
        self.check_writable()?;
        let (done, wait) = oneshot::channel();
        let position = {
            let now = self.inner.clock.wall();
            let _order = self.in_order();
            // A caller may hold a definition from before the table got another replica.
            for change in &mut decided {
                if let Some(current) = self.table(change.table.id) {
                    change.table = current;
                }
            }
            let (mut batch, position, hlc) = self.stage(&mut self.lock(), &decided, now);
            if let Some(note) = note {
                note.stage(&mut batch);
            }
            let inner = Arc::clone(&self.inner);
            let system: Vec<(TableId, Bytes)> = decided
                .iter()
                .filter(|change| change.changes && change.table.id.is_system())
                .map(|change| (change.table.id, change.suffix.clone()))
                .collect();
            // The locks go with the batch: they are free only when it can be read.
            let completion = move |result: Result<(), StoreError>| {
                if result.is_ok() {
                    inner.note_written(position, hlc, system);
                }
                drop(held);
                drop(done.send(result));
            };
            let durability = self.inner.durability;
            self.inner
                .store
                .submit(batch, durability, Box::new(completion));
            if durability == Durability::Buffered && position > Seq(0) {
                self.tell_flushed(self.region(), position, hlc);
            }
            position
        };
        wait.await.unwrap_or(Err(StoreError::Closed))?;
        // What was on its way when writing was stopped is not acknowledged either.
        self.check_writable()?;
        let written = |one: Decided| Written {
            old: one.old.and_then(|stored| stored.image),
            new: one.new,
            position,
        };
        Ok(decided.into_iter().map(written).collect())
    }

    fn stage(
        &self,
        state: &mut state::State,
        decided: &[Decided],
        now: clock::time::WallTime,
    ) -> (Batch, Seq, Hlc) {
        let origin = self.inner.region;
        let seen = decided
            .iter()
            .map(|change| state::version_of(change.old.as_ref()))
            .max();
        if state.planted == Planted::WallClockOrder {
            state.clock = HybridClock::default();
        }
        let seen = seen.filter(|_| state.planted != Planted::WallClockOrder);
        let hlc = state.clock.tick(now, seen.unwrap_or_default());
        state.begin(now);
        let changed = || decided.iter().filter(|change| change.changes);
        let logged = changed().any(|change| change.table.is_logged());
        let seq = if logged { state.head.next() } else { Seq(0) };
        let mut batch = Batch::default();
        let mut changes = Vec::new();
        let version = Version { hlc, origin };
        let own = Stamp { version, seq };
        for change in changed() {
            let (table, suffix) = (change.table.id, &change.suffix);
            let ended = change.stamp(own, state.planted);
            let stamp = ended.unwrap_or(own);
            let (new, delta) = match &change.merging {
                Some(merging) => {
                    let (new, delta) = merging.apply(stamp, change.new.clone(), hlc);
                    (new, Some(delta))
                }
                None => (state::stored(stamp, change.new.clone(), hlc), None),
            };
            if logged && change.table.is_logged() {
                let (image, merged) = delta.unwrap_or_else(|| (change.new.clone(), None));
                changes.push(Change {
                    table,
                    key: suffix.clone(),
                    image,
                    stamp: ended,
                    merged,
                });
            }
            let leaves_nothing = change.new.is_none() && !change.table.is_logged();
            let change = Staging {
                table,
                def: Some(&change.table),
                suffix,
                old: change.old.as_ref(),
                new: (!leaves_nothing).then_some(&new),
                cause: change.cause,
            };
            state.stage(&mut batch, &change);
        }
        if logged {
            state.head = seq;
            state.note_staged(origin, seq, Some(hlc));
            let mut seen = state.applied.clone();
            seen.advance(origin, seq);
            let record = Record {
                origin,
                seq,
                hlc,
                seen,
                changes,
            };
            batch.put(Space::Log, layout::log_key(origin, seq), record.encode());
            state::stage_position(&mut batch, origin, seq, hlc);
        }
        (batch, seq, hlc)
    }
}

impl<S> crate::tables::Inner<S> {
    /// Notes that our own record can be read, and is on disk where it had to be; tells whoever
    /// waits for it.
    fn note_written(&self, position: Seq, hlc: Hlc, system: Vec<(TableId, Bytes)>) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if position > Seq(0) {
            state.applied.advance(self.region, position);
            if self.durability == Durability::Disk {
                state.note_durable(self.region, position, hlc);
            }
        }
        let told = Self::note_system_changes(&mut state, system.into_iter());
        drop(state);
        if position > Seq(0) {
            self.note_progress();
        }
        if told {
            self.system_progress.send_modify(|count| *count += 1);
        }
    }
}

/// Refuses keys that no peer takes.
fn refuse_long_keys(suffixes: &[Bytes]) -> WriteError {
    let refuse = |suffix: &Bytes| {
        let length = suffix.len();
        let text = format!("the key takes {length} bytes, and may take {KEY_BYTES_MAX}");
        (KEY_BYTES_MAX < length).then(|| Refused {
            refusal: Refusal::Invalid(text),
            current: None,
        })
    };
    WriteError::Refused(suffixes.iter().map(refuse).collect())
}

/// Decides about an item.
///
/// Errors: [`Damaged`] where it cannot be read; inside, why it is not written.
fn decide(
    write: Write,
    suffix: Bytes,
    old: Option<Stored>,
    region: RegionId,
) -> Result<Result<Decided, Refused>, Damaged> {
    let Write { table, decide, .. } = write;
    let current = Current {
        image: old.as_ref().and_then(|stored| stored.image.clone()),
        version: old.as_ref().map(|stored| stored.stamp.version),
        damaged: Cell::new(false),
    };
    let effect = decide(&current).and_then(|effect| {
        if let Some(item) = effect.item() {
            size::check(item).map_err(|error| Refusal::Invalid(error.to_string()))?;
        }
        Ok(effect)
    });
    if current.damaged.get() {
        return Err(Damaged("an item"));
    }
    if let Ok(effect) = &effect
        && table.resolver != Resolver::Item
    {
        match Merging::of_write(&table, old.as_ref(), effect, region)? {
            Ok(None) => {}
            Ok(Some(merging)) => {
                return Ok(Ok(Decided {
                    new: merging.image(),
                    table,
                    suffix,
                    old,
                    changes: true,
                    cause: Cause::Write,
                    merging: Some(merging),
                }));
            }
            Err(refusal) => {
                let current = current.image;
                return Ok(Err(Refused { refusal, current }));
            }
        }
    }
    let (new, changes) = match effect {
        Ok(Effect::Put(item) | Effect::Update(item, _)) => {
            (Some(Bytes::from(codec::encode(&item))), true)
        }
        Ok(Effect::Delete) => (None, current.exists()),
        Ok(Effect::Keep) => (current.image, false),
        Err(refusal) => {
            let current = current.image;
            return Ok(Err(Refused { refusal, current }));
        }
    };
    Ok(Ok(Decided {
        table,
        suffix,
        old,
        new,
        changes,
        cause: Cause::Write,
        merging: None,
    }))
}

impl From<ReadError> for WriteError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => Self::Store(error),
            ReadError::Damaged(error) => Self::Damaged(error),
        }
    }
}
