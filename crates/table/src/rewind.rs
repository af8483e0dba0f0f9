//! Going back in time: the items that a table had at a moment, into a backup or another table.
//!
//! It is no log replay: it copies what is there, then takes back what changed since. The copy may
//! see a change or not; the item as it was before the first change after the moment is written
//! last, so both come to the same.
//!
//! ```text
//! items ──copy──► target ◄──old images, latest change first── history after the moment
//! ```

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use tokio::sync::oneshot;

use base::name::TableId;
use clock::hlc::{Hlc, Version};
use item::view::ItemRef;
use replica_core::merge::Stamp;
use replica_core::vector::Seq;
use store::port::{Batch, Durability, Order, Range, Space, Store, StoreError, prefix_end};

use crate::def::TableDef;
use crate::history::{self, Cause, Place, Portion};
use crate::layout::Stored;
use crate::limits::{STEP_BYTES, STEP_ROWS};
use crate::locks::Locks;
use crate::pages::Pages;
use crate::state::{self, Staging};
use crate::tables::{Damaged, ReadError, Tables};

/// The number of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackupId(pub u64);

/// Where a table's items are restored from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From another table's, as they were at a stamp.
    Table(TableId, Hlc),
    /// From a backup's.
    Backup(BackupId),
}

/// An item that changed, as [`Tables::note_changed`] notes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedItem {
    /// Its key as in records.
    pub key: Bytes,
    /// When it was written the last time: by whoever wrote it, in whichever region.
    pub written: Hlc,
    /// The encoded item as it was before; `None` where there was none.
    pub old: Option<Bytes>,
}

impl ChangedItem {
    /// Reads a row of a backup that changed items were noted into.
    ///
    /// Errors: [`Damaged`] for other rows.
    pub fn decode(key: Bytes, mut value: Bytes) -> Result<Self, Damaged> {
        let written = value.try_get_i64().map_err(|_| Damaged("a changed item"))?;
        Ok(Self {
            key,
            written: Hlc(written),
            old: Some(value).filter(|old| !old.is_empty()),
        })
    }

    fn encode(written: Hlc, old: &[u8]) -> Vec<u8> {
        [&written.0.to_be_bytes(), old].concat()
    }
}

/// How much a backup or a restored table holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Items.
    pub items: i64,
    /// Their size by DynamoDB's rule, in bytes.
    pub bytes: i64,
}

/// Items that could not be copied as they were.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RewindError {
    /// What is known of the table's past does not reach back so far.
    #[error("go back in time: the history of table {0} does not reach back to that moment")]
    Unknown(TableId),
    /// The moment has not passed.
    #[error("go back in time: the moment has not passed yet")]
    Future,
    /// The items could not be read or written.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Where items are written to.
enum Target<'a> {
    Backup(BackupId),
    Table(&'a Arc<TableDef>),
}

/// Items by key, each with its image unless there is none.
type Images = BTreeMap<Bytes, Option<Bytes>>;

impl BackupId {
    /// Returns the store's key of an item of the backup.
    fn key(self, suffix: &[u8]) -> Vec<u8> {
        [&self.0.to_be_bytes(), suffix].concat()
    }
}

impl<S: Store> Tables<S> {
    /// Copies a table's items as they were at a stamp into a backup, which is emptied first.
    ///
    /// Errors: [`RewindError`]; calling it again begins anew.
    pub async fn back_up(
        &self,
        table: TableId,
        at: Hlc,
        backup: BackupId,
    ) -> Result<Measure, RewindError> {
        self.drop_backup(backup).await?;
        self.copy_as_of(table, at, &Target::Backup(backup)).await
    }

    /// Copies items into a table, which is emptied first and which nobody else may write to.
    ///
    /// Errors: [`RewindError`]; calling it again begins anew.
    pub async fn restore(
        &self,
        from: Source,
        into: &Arc<TableDef>,
    ) -> Result<Measure, RewindError> {
        self.remove_items(into.id).await?;
        let target = Target::Table(into);
        match from {
            Source::Table(table, at) => self.copy_as_of(table, at, &target).await,
            Source::Backup(backup) => {
                let prefix = backup.0.to_be_bytes();
                Ok(self.copy_all(Space::Backups, prefix, &target).await?)
            }
        }
    }

    /// Removes what a backup holds.
    ///
    /// Errors: those of the store.
    pub async fn drop_backup(&self, backup: BackupId) -> Result<(), ReadError> {
        loop {
            let page = self.step(Space::Backups, &backup.0.to_be_bytes()).await?;
            let mut batch = Batch::default();
            for (key, _) in page.rows {
                batch.delete(Space::Backups, key.to_vec());
            }
            self.commit(batch, Durability::Buffered).await?;
            if !page.more {
                return Ok(());
            }
        }
    }

    /// Reads items of a backup after a key: each with its key, and the key to go on after.
    ///
    /// Errors: those of the store.
    pub async fn read_backup(
        &self,
        backup: BackupId,
        after: Option<&Bytes>,
    ) -> Result<(Vec<(Bytes, Bytes)>, Option<Bytes>), ReadError> {
        let prefix = backup.0.to_be_bytes();
        let from = match after {
            Some(after) => Bound::Excluded(backup.key(after)),
            None => Bound::Included(prefix.to_vec()),
        };
        let range = Range {
            space: Space::Backups,
            from,
            to: prefix_end(&prefix),
            order: Order::Ascending,
            rows_max: STEP_ROWS,
            bytes_max: STEP_BYTES,
        };
        let page = self.inner.store.range(range).await?;
        let rows = page.rows.into_iter();
        let rows: Vec<_> = rows.map(|(key, image)| (key.slice(8..), image)).collect();
        let next = rows.last().map(|(key, _)| key.clone());
        Ok((rows, next.filter(|_| page.more)))
    }

    /// Reads one item of a backup by its key in [`Tables::read_backup`].
    ///
    /// Errors: those of the store.
    pub async fn item_of_backup(
        &self,
        backup: BackupId,
        key: &[u8],
    ) -> Result<Option<Bytes>, ReadError> {
        Ok(self
            .inner
            .store
            .get(Space::Backups, &backup.key(key))
            .await?)
    }

    /// Notes into a backup, which is emptied first, which items changed from a stamp on and before
    /// another one, each as a [`ChangedItem`].
    ///
    /// Errors: [`RewindError`]; calling it again begins anew.
    pub async fn note_changed(
        &self,
        table: TableId,
        (from, to): (Hlc, Hlc),
        backup: BackupId,
    ) -> Result<(), RewindError> {
        self.drop_backup(backup).await?;
        self.check_reach(table, from)?;
        let portion = Portion {
            events_max: STEP_ROWS,
            bytes_max: STEP_BYTES,
        };
        let mut after = Place::before(from);
        loop {
            let page = self.read_history(table, after, to, portion).await?;
            let mut changed: BTreeMap<Bytes, (Hlc, Bytes)> = BTreeMap::new();
            for event in &page.events {
                after = event.place;
                if event.was && event.old.is_none() {
                    return Err(RewindError::Unknown(table));
                }
                // What expires carries the stamp of what it was.
                let written = match event.cause {
                    Cause::Expiry => event.place.at,
                    Cause::Applied if event.version.hlc.is_end() => event.place.at,
                    Cause::Write | Cause::Applied | Cause::Copied | Cause::Removed => {
                        event.version.hlc
                    }
                };
                let key = event.suffix();
                if let Some(known) = changed.get_mut(key) {
                    known.0 = written;
                    continue;
                }
                let old = match self.item_of_backup(backup, key).await? {
                    Some(known) => {
                        ChangedItem::decode(key.clone(), known)
                            .map_err(ReadError::from)?
                            .old
                    }
                    None => event.old.clone(),
                };
                changed.insert(key.clone(), (written, old.unwrap_or_default()));
            }
            let mut batch = Batch::default();
            for (suffix, (written, old)) in changed {
                let noted = ChangedItem::encode(written, &old);
                batch.put(Space::Backups, backup.key(&suffix), noted);
            }
            let kept = self.commit(batch, Durability::Buffered).await;
            kept.map_err(ReadError::from)?;
            if !page.more {
                return self.check_reach(table, from);
            }
        }
    }

    /// Returns the backups of which items are stored here.
    ///
    /// Errors: those of the store.
    pub async fn backups(&self) -> Result<Vec<BackupId>, ReadError> {
        let mut found = Vec::new();
        let mut after = None;
        while let Some(id) = history::next_number(&self.inner.store, Space::Backups, after).await? {
            found.push(BackupId(id));
            after = Some(id);
        }
        Ok(found)
    }

    async fn copy_as_of(
        &self,
        table: TableId,
        at: Hlc,
        target: &Target<'_>,
    ) -> Result<Measure, RewindError> {
        self.check_reach(table, at)?;
        let is_over = at <= self.lock().history.last();
        if !is_over && !self.has_passed(Hlc(at.0.saturating_add(1))).await? {
            return Err(RewindError::Future);
        }
        // Writes by the definition of before are handed in already; this waits until they can be
        // read, since the history may not have them.
        let barrier = self.commit(Batch::default(), Durability::Buffered).await;
        barrier.map_err(ReadError::from)?;
        let prefix = table.0.to_be_bytes();
        let copied = self.copy_all(Space::Items, prefix, target).await?;
        let undone = self.undo(table, at, target).await?;
        // It may have been trimmed meanwhile.
        self.check_reach(table, at)?;
        Ok(copied.plus(undone))
    }

    fn check_reach(&self, table: TableId, at: Hlc) -> Result<(), RewindError> {
        match self.unbroken(table) {
            Some(since) if since <= at => Ok(()),
            Some(_) | None => Err(RewindError::Unknown(table)),
        }
    }

    /// Copies everything that is there.
    async fn copy_all(
        &self,
        space: Space,
        prefix: [u8; 8],
        target: &Target<'_>,
    ) -> Result<Measure, ReadError> {
        let mut measure = Measure::default();
        let mut pages = Pages::with_prefix(&self.inner.store, space, &prefix);
        while let Some(rows) = pages.next().await? {
            let mut images = Images::new();
            for (key, value) in rows {
                let image = if space == Space::Backups {
                    Some(value)
                } else {
                    Stored::decode(value)?.image
                };
                if image.is_some() {
                    images.insert(key.slice(prefix.len()..), image);
                }
            }
            measure = measure.plus(self.set(target, images).await?);
        }
        Ok(measure)
    }

    /// Takes back what changed after a stamp, the latest change first.
    async fn undo(
        &self,
        table: TableId,
        at: Hlc,
        target: &Target<'_>,
    ) -> Result<Measure, RewindError> {
        let mut measure = Measure::default();
        let mut to = Place::end_of(Hlc(i64::MAX));
        loop {
            let page = self.read_back(table, at, to).await?;
            let Some(last) = page.events.last() else {
                return Ok(measure);
            };
            to = last.place;
            let mut images = Images::new();
            for event in page.events {
                if event.was && event.old.is_none() {
                    // It was recorded for a stream alone.
                    return Err(RewindError::Unknown(table));
                }
                // Of several changes of one item the earliest counts, which comes last.
                images.insert(event.suffix().clone(), event.old);
            }
            measure = measure.plus(self.set(target, images).await?);
            if !page.more {
                return Ok(measure);
            }
        }
    }

    async fn set(&self, target: &Target<'_>, images: Images) -> Result<Measure, ReadError> {
        match target {
            Target::Backup(backup) => self.set_backup(*backup, images).await,
            Target::Table(table) => self.set_items(table, images).await,
        }
    }

    /// Writes items of a backup; returns what that adds to it.
    async fn set_backup(&self, backup: BackupId, images: Images) -> Result<Measure, ReadError> {
        let mut measure = Measure::default();
        let mut batch = Batch::default();
        for (suffix, image) in images {
            let key = backup.key(&suffix);
            let was = self.inner.store.get(Space::Backups, &key).await?;
            measure = measure.plus(difference(was.as_ref(), image.as_ref())?);
            match image {
                Some(image) => batch.put(Space::Backups, key, image),
                None => batch.delete(Space::Backups, key),
            }
        }
        self.commit(batch, Durability::Buffered).await?;
        Ok(measure)
    }

    /// Writes items of a table; returns what that adds to it.
    async fn set_items(&self, table: &Arc<TableDef>, images: Images) -> Result<Measure, ReadError> {
        let keys = images.keys().map(|suffix| (table.id, &suffix[..]));
        let held = self.inner.locks.hold(Locks::needed(keys)).await;
        let mut measure = Measure::default();
        let mut staged = Vec::with_capacity(images.len());
        for (suffix, image) in images {
            let old = self.stored(table.id, &suffix).await?;
            let was = old.as_ref().and_then(|stored| stored.image.as_ref());
            measure = measure.plus(difference(was, image.as_ref())?);
            staged.push((suffix, old, image));
        }
        let now = self.inner.clock.wall();
        let (done, wait) = oneshot::channel();
        {
            let _order = self.in_order();
            let mut batch = Batch::default();
            let mut state = self.lock();
            let version = Version {
                hlc: state.clock.tick(now, Hlc::default()),
                origin: self.inner.region,
            };
            // It has one replica, so no log has a record of this.
            let stamp = Stamp {
                version,
                seq: Seq(0),
            };
            state.begin(now);
            for (suffix, old, image) in &staged {
                let new = image
                    .clone()
                    .map(|image| state::stored(stamp, Some(image), version.hlc));
                let change = Staging {
                    table: table.id,
                    def: Some(table),
                    suffix,
                    old: old.as_ref(),
                    new: new.as_ref(),
                    cause: Cause::Copied,
                };
                state.stage(&mut batch, &change);
            }
            drop(state);
            let completion = move |result: Result<(), StoreError>| {
                drop(held);
                drop(done.send(result));
            };
            self.inner
                .store
                .submit(batch, Durability::Buffered, Box::new(completion));
        }
        wait.await.unwrap_or(Err(StoreError::Closed))?;
        Ok(measure)
    }
}

impl Measure {
    fn plus(self, other: Self) -> Self {
        Self {
            items: self.items + other.items,
            bytes: self.bytes + other.bytes,
        }
    }
}

/// Returns what an item adds that takes the place of another.
fn difference(was: Option<&Bytes>, is: Option<&Bytes>) -> Result<Measure, Damaged> {
    let measure = |image: Option<&Bytes>| {
        let Some(image) = image else {
            return Ok(Measure::default());
        };
        let size = ItemRef::parse(image).and_then(|item| item.size());
        let bytes = size.map_err(|_| Damaged("an item"))?;
        Ok(Measure {
            items: 1,
            bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        })
    };
    let (was, is) = (measure(was)?, measure(is)?);
    Ok(Measure {
        items: is.items - was.items,
        bytes: is.bytes - was.bytes,
    })
}
