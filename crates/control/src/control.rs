//! The resources of a project, as this region has them: read from memory, changed in the log.
//!
//! It decides nothing about a resource; the facades validate before they change.

mod blobs;
mod reached;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;
use tokio::sync::{Mutex, watch};

use base::name::TableId;
use base::region::{RegionId, RegionName};
use clock::port::{Clock, Entropy};
use item::codec;
use item::key::{Key, KeyValue};
use replica_core::vector::VersionVector;
use store::port::Store;
use table::def::TableDef;
use table::notes::Note;
use table::read::Scan;
use table::tables::{ReadError, Tables};
use table::write::{Effect, Refusal, Write, WriteError};

use crate::holdings::Holdings;
use crate::loads::Progress;
use crate::project::Project;
use crate::published::{Follower, Published};
use crate::resource::{self, BadResource, Change, Expect, Resource, ResourceKey};
use crate::system::SystemTable;
use crate::tables::departed::{self, Departed};

/// The resources of a project. Cheap to clone; all clones are the same.
pub struct Control<S> {
    inner: Arc<Inner<S>>,
}

struct Inner<S> {
    tables: Tables<S>,
    project: Project,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    definitions: BTreeMap<SystemTable, Arc<TableDef>>,
    bodies: RwLock<BTreeMap<ResourceKey, Arc<Value>>>,
    /// Orders loading, so that whoever has waited for it sees what was changed before. It holds
    /// what is still to be loaded: whoever gives up waiting leaves it to the next.
    loading: Mutex<BTreeSet<ResourceKey>>,
    generation: watch::Sender<u64>,
    pub(crate) published: Published,
    pub(crate) holdings: Holdings,
    departed: Departed,
    reach: watch::Receiver<Arc<Reach>>,
    /// Orders changes of definitions in this region.
    pub(crate) defining: Mutex<()>,
}

/// How far each other region is known to have come.
pub type Reach = BTreeMap<RegionId, PeerReach>;

/// How far another region is known to have come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerReach {
    /// Whether it is up, as this region sees it.
    pub live: bool,
    /// What it has applied.
    pub applied: VersionVector,
    /// Of the tables that it copies from here: how far they have been read, in per cent.
    pub copying: BTreeMap<TableId, u8>,
}

/// Where a change stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// The region that accepted it, by number.
    pub origin: u16,
    /// Its place in that region's log.
    pub seq: u64,
}

/// A change that was not made.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// An expectation did not hold.
    #[error("change {}: it is not as expected", describe(.0))]
    Unexpected(ResourceKey),
    /// A change names more items than one batch may have.
    #[error(
        "change resources: more than {} at once",
        table::limits::TRANSACTION_ITEMS_MAX
    )]
    TooMany,
    /// A resource is too large for an item.
    #[error("change {}: {reason}", describe(.key))]
    Invalid {
        /// The resource.
        key: ResourceKey,
        /// What is wrong with it.
        reason: String,
    },
    /// What is stored cannot be read.
    #[error(transparent)]
    Bad(#[from] BadResource),
    /// The tables failed.
    #[error(transparent)]
    Write(WriteError),
    /// The tables failed.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What control is opened with.
pub struct Options {
    /// The project.
    pub project: Project,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where new identifiers come from.
    pub entropy: Arc<dyn Entropy>,
    /// How far the other regions have come, as replication learns it.
    pub reach: watch::Receiver<Arc<Reach>>,
}

impl<S> Clone for Control<S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<S: Store> Control<S> {
    /// Defines the system tables and loads what they hold.
    ///
    /// Errors: [`ControlError`] when they cannot be read.
    pub async fn open(tables: Tables<S>, options: Options) -> Result<Self, ControlError> {
        let Options {
            project,
            clock,
            entropy,
            reach,
        } = options;
        let claimed = tables.claimed().await?;
        let noted = tables.notes(departed::prefix()).await;
        let departed = Departed::new(&noted.map_err(ReadError::from)?);
        let members = tables.members().clone();
        let define = |table: SystemTable| {
            let def = TableDef::system(table.id(), members.iter().copied());
            (table, tables.define(def))
        };
        let definitions = SystemTable::ALL.into_iter().map(define).collect();
        let inner = Inner {
            tables,
            project,
            clock,
            entropy,
            definitions,
            bodies: RwLock::default(),
            loading: Mutex::default(),
            generation: watch::Sender::new(0),
            published: Published::default(),
            holdings: Holdings::new(claimed),
            departed,
            reach,
            defining: Mutex::new(()),
        };
        let control = Self {
            inner: Arc::new(inner),
        };
        control.load_all().await?;
        control.redefine();
        Ok(control)
    }

    /// Returns the tables of this region.
    pub fn tables(&self) -> &Tables<S> {
        &self.inner.tables
    }

    /// Returns the project.
    pub fn project(&self) -> &Project {
        &self.inner.project
    }

    /// Returns where time comes from.
    pub fn clock(&self) -> &dyn Clock {
        self.inner.clock.as_ref()
    }

    /// Returns where identifiers come from.
    pub fn entropy(&self) -> &dyn Entropy {
        self.inner.entropy.as_ref()
    }

    /// Returns a watch that changes with any resource but how far loads have come.
    pub fn generation(&self) -> watch::Receiver<u64> {
        self.inner.generation.subscribe()
    }

    /// Joins those who publish what follows from resources: [`Control::change`] waits for them.
    pub fn follower(&self) -> Follower {
        self.inner.published.join(self.generation())
    }

    /// Returns how far another region's copy of a table from here has come, as far as it has asked
    /// for one.
    ///
    /// Units: per cent.
    pub fn copied_percent(&self, region: &RegionName, table: TableId) -> Option<u8> {
        let reach = self.reach();
        reach.get(&region.id())?.copying.get(&table).copied()
    }

    /// Returns how far the other regions have come.
    pub(crate) fn reach(&self) -> Arc<Reach> {
        Arc::clone(&self.inner.reach.borrow())
    }

    pub(crate) fn holdings(&self) -> &Holdings {
        &self.inner.holdings
    }

    pub(crate) fn departed(&self) -> &Departed {
        &self.inner.departed
    }

    /// Notes that a table's items here are those of the replica that was made at `made`, unless
    /// that is no more by now.
    pub(crate) async fn settled(&self, table: TableId, made: i64) {
        let _turn = self.inner.loading.lock().await;
        if self
            .own_replica(table)
            .is_some_and(|own| own.created == made)
        {
            self.inner.holdings.settled(table, made);
            self.note_clearing();
        } else {
            self.inner.holdings.again(table);
            self.redefine();
        }
        self.bump();
    }

    /// Waits until all that can be read by now is in force, too: definitions and the generation
    /// follow a moment after the resources that they are made of.
    pub async fn in_force(&self) {
        drop(self.inner.loading.lock().await);
    }

    /// Tells those who follow that resources changed.
    fn bump(&self) {
        self.inner.generation.send_modify(|count| *count += 1);
    }

    pub(crate) fn defining(&self) -> &Mutex<()> {
        &self.inner.defining
    }

    /// Returns a resource; `None` where there is none, or a newer build's.
    pub fn get<R: Resource>(&self, partition: &str, sort: &str) -> Option<R> {
        let (partition, sort) = (partition.to_owned(), sort.to_owned());
        let key = ResourceKey {
            table: R::TABLE,
            partition,
            sort,
        };
        let body = self.bodies().get(&key).cloned()?;
        parse(&key, &body)
    }

    /// Returns the resources of a partition whose sort keys begin with `prefix`, in their order.
    pub fn list<R: Resource>(&self, partition: &str, prefix: &str) -> Vec<R> {
        let from = ResourceKey {
            table: R::TABLE,
            partition: partition.to_owned(),
            sort: prefix.to_owned(),
        };
        let bodies = self.bodies();
        let rows = bodies.range(from..).take_while(|(key, _)| {
            key.table == R::TABLE && key.partition == partition && key.sort.starts_with(prefix)
        });
        rows.filter_map(|(key, body)| parse(key, body)).collect()
    }

    /// Returns the resources of a table in all partitions, in the order of their keys.
    pub fn all<R: Resource>(&self) -> Vec<R> {
        let from = ResourceKey {
            table: R::TABLE,
            partition: String::new(),
            sort: String::new(),
        };
        let bodies = self.bodies();
        let rows = bodies
            .range(from..)
            .take_while(|(key, _)| key.table == R::TABLE);
        rows.filter_map(|(key, body)| parse(key, body)).collect()
    }

    /// Makes changes, all or none of them. Returns once they are on disk and can be read here, and
    /// every [`Follower`] has published what follows from them, or has had its time.
    ///
    /// Errors: [`ControlError::Unexpected`] names the first item that is not as expected; nothing
    /// is changed then.
    pub async fn change(&self, changes: Vec<Change>) -> Result<Position, ControlError> {
        self.change_noted(changes, None).await
    }

    /// Makes changes and a note of this region's own, all or none of them.
    ///
    /// Errors: those of [`Control::change`].
    pub(crate) async fn change_noted(
        &self,
        changes: Vec<Change>,
        note: Option<Note>,
    ) -> Result<Position, ControlError> {
        let keys: Vec<ResourceKey> = changes.iter().map(|change| change.key.clone()).collect();
        let writes = changes
            .into_iter()
            .map(|change| self.write_of(change))
            .collect();
        let tables = &self.inner.tables;
        let written = match note {
            Some(note) => {
                tables
                    .transact_noted(writes, note, Box::new(Vec::new))
                    .await
            }
            None => tables.transact(writes).await,
        };
        let written = written.map_err(|error| blame(error, &keys))?;
        self.publish().await?;
        let seq = written
            .iter()
            .map(|one| one.position.0)
            .max()
            .unwrap_or_default();
        Ok(Position {
            origin: self.inner.tables.region().0,
            seq,
        })
    }

    /// Loads what has changed, and waits for every [`Follower`].
    pub(crate) async fn publish(&self) -> Result<(), ControlError> {
        self.refresh().await?;
        let generation = *self.inner.generation.borrow();
        self.inner.published.reached(generation).await;
        Ok(())
    }

    /// Loads what has changed since the last time.
    ///
    /// An item that cannot be read keeps the body that it had; it does not hold up the others.
    ///
    /// Errors: those of the tables.
    pub async fn refresh(&self) -> Result<(), ControlError> {
        let mut due = self.inner.loading.lock().await;
        for (id, key) in self.inner.tables.take_system_changes() {
            if let Some(table) = SystemTable::of(id).filter(|table| table.is_resident()) {
                due.insert(resource_key(table, key));
            }
        }
        if due.is_empty() {
            return Ok(());
        }
        let mut loaded = Vec::with_capacity(due.len());
        for key in due.iter() {
            let def = &self.inner.definitions[&key.table];
            let row = self.inner.tables.get(def, &item_key(key)).await?;
            match row.map(|row| read_body(key, &row.image)).transpose() {
                Ok(body) => loaded.push((key.clone(), body)),
                Err(error) => tracing::error!(%error, "a resource stays as it was"),
            }
        }
        // Nothing waits from here on, so that it is done whole.
        let is_told = !due.iter().all(Progress::has_key);
        let defines = due
            .iter()
            .any(|key| key.table.is_defining() && !Progress::has_key(key));
        {
            let mut bodies = self.bodies_mut();
            for (key, body) in loaded {
                match body {
                    Some(body) => bodies.insert(key, Arc::new(body)),
                    None => bodies.remove(&key),
                };
            }
        }
        due.clear();
        if defines {
            self.redefine();
        }
        if is_told {
            self.bump();
        }
        drop(due);
        if defines {
            self.settle_empty().await?;
        }
        Ok(())
    }

    fn write_of(&self, change: Change) -> Write {
        let Change { key, body, expect } = change;
        self.write_later(key, expect, move || body)
    }

    /// Makes a write of a body that is not known before the writes ahead of it are decided.
    pub(crate) fn write_later(
        &self,
        key: ResourceKey,
        expect: Expect,
        body: impl FnOnce() -> Option<Value> + Send + Sync + 'static,
    ) -> Write {
        let table = Arc::clone(&self.inner.definitions[&key.table]);
        let item_key = item_key(&key);
        let decide = Box::new(move |current: &table::write::Current| {
            let holds = match &expect {
                Expect::Anything => true,
                Expect::Absent => !current.exists(),
                Expect::Present => current.exists(),
                Expect::Body(body) => {
                    let found = current.item()?.as_ref().and_then(resource::body_in);
                    found.as_ref() == Some(body)
                }
            };
            if !holds {
                return Err(Refusal::ConditionFailed);
            }
            Ok(match body() {
                Some(body) => Effect::Put(resource::item_of(&key, &body)),
                None => Effect::Delete,
            })
        });
        Write {
            table,
            key: item_key,
            decide,
        }
    }

    async fn load_all(&self) -> Result<(), ControlError> {
        for (table, def) in &self.inner.definitions {
            if !table.is_resident() {
                continue;
            }
            let mut after = None;
            loop {
                let def = Arc::clone(def);
                let scan = Scan {
                    table: def,
                    segment: (0, 1),
                    after,
                    limit: None,
                };
                let page = self.inner.tables.scan(&scan).await?;
                for row in page.rows {
                    let key = self.key_in(*table, &row.image);
                    match key.and_then(|key| Ok((read_body(&key, &row.image)?, key))) {
                        Ok((body, key)) => drop(self.bodies_mut().insert(key, Arc::new(body))),
                        Err(error) => tracing::error!(%error, "a resource is left out"),
                    }
                }
                after = page.last;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn key_in(&self, table: SystemTable, image: &[u8]) -> Result<ResourceKey, BadResource> {
        let bad = |reason: String| {
            let (partition, sort) = (String::new(), String::new());
            BadResource {
                table,
                partition,
                sort,
                reason,
            }
        };
        let item = codec::decode(image).map_err(|error| bad(error.to_string()))?;
        let schema = &self.inner.definitions[&table].schema;
        let key = schema
            .key_of(&item)
            .map_err(|error| bad(error.to_string()))?;
        Ok(resource_key(table, key))
    }

    fn bodies(&self) -> RwLockReadGuard<'_, BTreeMap<ResourceKey, Arc<Value>>> {
        self.inner
            .bodies
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn bodies_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<ResourceKey, Arc<Value>>> {
        self.inner
            .bodies
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse<R: Resource>(key: &ResourceKey, body: &Value) -> Option<R> {
    match R::deserialize(body) {
        Ok(resource) => Some(resource),
        Err(error) => {
            // Kinds share tables, told apart by their sort keys; anything else is a newer build's.
            tracing::debug!(?key, %error, "an item is no resource of the kind asked for");
            None
        }
    }
}

fn read_body(key: &ResourceKey, image: &[u8]) -> Result<Value, BadResource> {
    let bad = |reason: String| BadResource {
        table: key.table,
        partition: key.partition.clone(),
        sort: key.sort.clone(),
        reason,
    };
    let item = codec::decode(image).map_err(|error| bad(error.to_string()))?;
    resource::body_in(&item).ok_or_else(|| bad("it has no body".to_owned()))
}

fn item_key(key: &ResourceKey) -> Key {
    Key {
        partition: KeyValue::S(key.partition.clone()),
        sort: Some(KeyValue::S(key.sort.clone())),
    }
}

fn resource_key(table: SystemTable, key: Key) -> ResourceKey {
    let text = |value: KeyValue| match value {
        KeyValue::S(text) => text,
        KeyValue::N(_) | KeyValue::B(_) => String::new(),
    };
    let sort = key.sort.map(text).unwrap_or_default();
    ResourceKey {
        table,
        partition: text(key.partition),
        sort,
    }
}

fn blame(error: WriteError, keys: &[ResourceKey]) -> ControlError {
    let refused = match error {
        WriteError::Refused(refused) => refused,
        WriteError::TooMany => return ControlError::TooMany,
        error @ (WriteError::SameItem | WriteError::Damaged(_) | WriteError::Store(_)) => {
            return ControlError::Write(error);
        }
    };
    let first = keys
        .iter()
        .zip(refused)
        .find_map(|(key, refused)| Some((key, refused?)));
    let (key, refused) = first.expect("a refused transaction names what was refused");
    match refused.refusal {
        Refusal::ConditionFailed => ControlError::Unexpected(key.clone()),
        refusal @ (Refusal::Invalid(_) | Refusal::Limited(_)) => ControlError::Invalid {
            key: key.clone(),
            reason: refusal.to_string(),
        },
    }
}

fn describe(key: &ResourceKey) -> String {
    format!("{} {} of {}", key.partition, key.sort, key.table.name())
}

#[cfg(test)]
mod tests;
