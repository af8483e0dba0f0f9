//! Users' tables: their definitions, their replicas, and who fills whom.
//!
//! It reads and writes no user's item. A table is a number everywhere and a name in each region
//! that holds a replica; tables of one name in two regions are two tables until they are joined.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio::sync::MutexGuard;

use base::name::TableId;
use base::region::{RegionId, RegionName};
use item::key::{KeyAttribute, KeyKind, KeySchema};
use replica_core::link::copies::{Fill, Fills, Holders};
use store::port::Store;
use table::def::{HistoryDef, TableDef};

use crate::backups::Restore;
use crate::control::{Control, ControlError};
use crate::history;
use crate::loads::Load;
use crate::resource::{Change, Resource};
use crate::system::SystemTable;

pub(crate) mod departed;
pub mod indexes;
pub mod replicas;

mod settling;

use indexes::{Expiry, Index};

/// A table's definition, shared by its replicas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its partition key.
    pub partition: Attribute,
    /// Its sort key, where it has one.
    pub sort: Option<Attribute>,
    /// When it was made, in microseconds since 1970.
    pub created: i64,
    /// What its facade keeps with it: billing, stream, tags of settings that replicas share.
    pub settings: serde_json::Value,
}

/// A key attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its type: `S`, `N` or `B`.
    pub kind: String,
}

/// A table's replica in one region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replica {
    /// The table's number.
    pub table: u64,
    /// The region.
    pub region: String,
    /// Its state.
    pub status: ReplicaStatus,
    /// When it was made, in microseconds since 1970.
    pub created: i64,
    /// What its facade keeps with it: settings that replicas do not share.
    pub settings: serde_json::Value,
    /// What it is, or was, restored from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<Restore>,
    /// The number of the load that fills it, as long as one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<u64>,
    /// When it was put together from what all replicas had left, since none was whole: a directory
    /// was lost before another replica was filled. In microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salvaged: Option<i64>,
}

/// The state of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ReplicaStatus {
    /// It is being filled from the others.
    Creating,
    /// It is whole.
    Active,
}

/// A table as a region has it.
#[derive(Clone, Debug, PartialEq)]
pub struct TableView {
    /// Its definition.
    pub table: Table,
    /// Its replicas, by region name.
    pub replicas: BTreeMap<String, Replica>,
    /// Its secondary indexes, in the order in which they were made.
    pub indexes: Vec<Index>,
    /// Whether and by which attribute its items expire, where that was ever said.
    pub expiry: Option<Expiry>,
}

/// What a table is made of.
#[derive(Clone, Debug)]
pub struct TableDraft {
    /// Its name.
    pub name: String,
    /// Its key.
    pub schema: KeySchema,
    /// Its indexes, whose table number is not known yet.
    pub indexes: Vec<Index>,
    /// What its facade keeps with it.
    pub settings: serde_json::Value,
    /// What its facade keeps with its first replica.
    pub replica_settings: serde_json::Value,
}

/// Where a table that is made gets its first items from.
pub(crate) enum Origin<L> {
    /// From its users.
    Users,
    /// From a backup, or another table's past.
    Restored(Restore),
    /// From a bucket, by a load that is made with it.
    Imported(L),
}

/// The turn to define tables: as long as it is held, nobody else in this region makes one, or
/// changes or removes its replicas.
#[derive(Debug)]
pub struct Turn<'c> {
    _held: MutexGuard<'c, ()>,
}

/// A change of tables that was not made.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The region has a table of this name.
    #[error("make table {0}: there is one of this name")]
    Exists(String),
    /// The region has no table of this name.
    #[error("find table {0}: there is none of this name")]
    NotFound(String),
    /// The region asked for has another table of this name.
    #[error("make a replica in {region}: it has another table of this name")]
    NameTaken {
        /// The region.
        region: String,
    },
    /// The change could not be made.
    #[error(transparent)]
    Control(#[from] ControlError),
}

impl Resource for Table {
    const TABLE: SystemTable = SystemTable::Tables;

    fn partition(&self) -> String {
        partition(self.id)
    }

    fn sort(&self) -> String {
        DEFINITION.to_owned()
    }
}

impl Resource for Replica {
    const TABLE: SystemTable = SystemTable::Tables;

    fn partition(&self) -> String {
        partition(self.table)
    }

    fn sort(&self) -> String {
        format!("{REPLICA}{}", self.region)
    }
}

const DEFINITION: &str = "definition";
const REPLICA: &str = "replica/";

fn partition(id: u64) -> String {
    format!("{id:016x}")
}

impl Table {
    /// Returns the table's number.
    pub fn id(&self) -> TableId {
        TableId(self.id)
    }

    /// Returns the key schema; `None` where a newer build gave it a key type unknown here.
    pub fn schema(&self) -> Option<KeySchema> {
        let sort = self.sort.as_ref().map(Attribute::key).transpose();
        Some(KeySchema {
            partition: self.partition.key().ok()?,
            sort: sort.ok()?,
        })
    }
}

impl Attribute {
    fn key(&self) -> Result<KeyAttribute, ()> {
        let kind = match self.kind.as_str() {
            "S" => KeyKind::S,
            "N" => KeyKind::N,
            "B" => KeyKind::B,
            _ => return Err(()),
        };
        Ok(KeyAttribute {
            name: self.name.clone(),
            kind,
        })
    }
}

impl<S: Store> Control<S> {
    /// Returns the tables that `region` holds a replica of, by name.
    ///
    /// Of two tables that got one name in two regions at once, the elder has it.
    pub fn tables_in(&self, region: &RegionName) -> BTreeMap<String, TableView> {
        let mut named: BTreeMap<String, TableView> = BTreeMap::new();
        for view in self.table_views() {
            if !view.replicas.contains_key(region.as_str()) {
                continue;
            }
            let age = |view: &TableView| (view.table.created, view.table.id);
            match named.get(&view.table.name) {
                Some(other) if age(other) < age(&view) => {}
                Some(_) | None => {
                    named.insert(view.table.name.clone(), view);
                }
            }
        }
        named
    }

    /// Returns a table that this region holds a replica of.
    pub fn table_named(&self, name: &str) -> Option<TableView> {
        self.tables_in(&self.project().region).remove(name)
    }

    /// Returns all tables with their replicas, those without a replica left out.
    pub fn table_views(&self) -> Vec<TableView> {
        let mut views: BTreeMap<u64, TableView> = BTreeMap::new();
        for table in self.all::<Table>() {
            let view = TableView {
                replicas: BTreeMap::new(),
                indexes: Vec::new(),
                expiry: None,
                table,
            };
            views.insert(view.table.id, view);
        }
        for replica in self.all::<Replica>() {
            if let Some(view) = views.get_mut(&replica.table) {
                view.replicas.insert(replica.region.clone(), replica);
            }
        }
        let mut indexes = self.all::<Index>();
        indexes.sort_by_key(|index| index.created);
        for index in indexes {
            if let Some(view) = views.get_mut(&index.table) {
                view.indexes.push(index);
            }
        }
        for expiry in self.all::<Expiry>() {
            if let Some(view) = views.get_mut(&expiry.table) {
                view.expiry = Some(expiry);
            }
        }
        views
            .into_values()
            .filter(|view| !view.replicas.is_empty())
            .collect()
    }

    /// Makes a table with one replica, in this region.
    ///
    /// Errors: [`TableError::Exists`] where the name is taken here.
    pub async fn create_table(
        &self,
        name: &str,
        schema: &KeySchema,
        settings: serde_json::Value,
        replica_settings: serde_json::Value,
    ) -> Result<TableView, TableError> {
        let draft = TableDraft {
            name: name.to_owned(),
            schema: schema.clone(),
            indexes: Vec::new(),
            settings,
            replica_settings,
        };
        let turn = self.turn().await;
        self.create_table_of(&turn, draft).await
    }

    /// Waits for the turn to define tables, for what is to hold until one is made or changed.
    pub async fn turn(&self) -> Turn<'_> {
        let held = self.defining().lock().await;
        Turn { _held: held }
    }

    /// Makes a table with its indexes and one replica, in this region.
    ///
    /// Errors: [`TableError::Exists`] where the name is taken here.
    pub async fn create_table_of(
        &self,
        turn: &Turn<'_>,
        draft: TableDraft,
    ) -> Result<TableView, TableError> {
        let users: Origin<fn(&Table) -> Load> = Origin::Users;
        self.make_table(turn, draft, users).await
    }

    /// Makes a table, to be filled from something where that is given.
    pub(crate) async fn make_table(
        &self,
        _turn: &Turn<'_>,
        draft: TableDraft,
        origin: Origin<impl FnOnce(&Table) -> Load + Send>,
    ) -> Result<TableView, TableError> {
        let TableDraft {
            name,
            schema,
            mut indexes,
            settings,
            replica_settings,
        } = draft;
        if self.table_named(&name).is_some() {
            return Err(TableError::Exists(name));
        }
        let id = self.entropy().random().max(TableId::SYSTEM_END);
        let created = self.clock().wall().as_micros();
        let attribute = |key: &KeyAttribute| Attribute {
            name: key.name.clone(),
            kind: format!("{:?}", key.kind),
        };
        let table = Table {
            id,
            name,
            partition: attribute(&schema.partition),
            sort: schema.sort.as_ref().map(attribute),
            created,
            settings,
        };
        let (restore, load) = match origin {
            Origin::Users => (None, None),
            Origin::Restored(restore) => (Some(restore), None),
            Origin::Imported(load) => (None, Some(load(&table))),
        };
        let region = self.project().region.as_str().to_owned();
        let replica = Replica {
            table: id,
            region: region.clone(),
            status: if restore.is_some() || load.is_some() {
                ReplicaStatus::Creating
            } else {
                ReplicaStatus::Active
            },
            created,
            settings: replica_settings,
            restore,
            imported: load.as_ref().map(|load| load.id),
            salvaged: None,
        };
        let mut changes = vec![Change::create(&table), Change::create(&replica)];
        changes.extend(load.as_ref().map(Change::create));
        for (index, place) in indexes.iter_mut().zip(0..) {
            index.table = id;
            index.created = created + place;
            changes.push(Change::create(index));
        }
        self.change(changes).await?;
        Ok(TableView {
            table,
            replicas: BTreeMap::from([(region, replica)]),
            indexes,
            expiry: None,
        })
    }

    /// Returns which replicas of this region are to be filled, and from whom: whole ones first.
    /// Where none is whole, and none is going to be, each gives what it has.
    ///
    /// One whose forerunner's items are still being removed is left out until they are gone; so is
    /// one of which nobody else is known to hold a replica, while they may not be known yet.
    pub fn fillings(&self) -> Fills {
        let own = self.project().region.as_str();
        let mut fillings = Fills::new();
        for view in self.table_views() {
            let filling = view.replicas.get(own);
            let is_ready = |replica: &&Replica| {
                replica.status == ReplicaStatus::Creating
                    && !replica.is_being_restored()
                    && replica.imported.is_none()
                    && self.holdings().has(view.table.id(), replica.created)
            };
            if let Some(replica) = filling.filter(is_ready) {
                let mut others: Vec<&Replica> = view
                    .replicas
                    .values()
                    .filter(|replica| replica.region != own)
                    .collect();
                // A directory that is lost as well has only what those of the others give both.
                let replaced = self.tables().replaced();
                let is_refilled = replaced.is_some_and(|at| replica.created < at.as_micros());
                let is_whole = |other: &&Replica| other.status == ReplicaStatus::Active;
                let will_be_whole =
                    |other: &&Replica| other.is_being_restored() || other.imported.is_some();
                if (is_refilled || others.is_empty()) && !self.tables().is_introduced() {
                    continue;
                }
                let is_left = is_refilled || !others.is_empty();
                let holders = match others.iter().any(is_whole) {
                    false if is_left && !others.iter().any(will_be_whole) => Holders::Parts,
                    _ if is_refilled => Holders::Each,
                    _ => Holders::Primary,
                };
                if is_refilled && others.iter().any(is_whole) {
                    others.retain(is_whole);
                }
                let order =
                    |replica: &&Replica| (replica.status != ReplicaStatus::Active, replica.created);
                others.sort_by_key(order);
                let sources = others.iter().filter_map(|replica| id_of(&replica.region));
                let fill = Fill {
                    made: replica.created,
                    sources: sources.collect(),
                    holders,
                };
                fillings.insert(view.table.id(), fill);
            }
        }
        fillings
    }

    /// Marks this region's replica of a table as whole, once all has come that was to fill it.
    ///
    /// Errors: those of the change; nothing happens where it was removed meanwhile, and where
    /// something else is to fill it by now: links tell again when that has come.
    pub async fn filled(&self, table: TableId, given: &Fill) -> Result<(), ControlError> {
        let is_salvaged = given.holders == Holders::Parts;
        let salvaged = is_salvaged.then(|| self.clock().wall().as_micros());
        let whole = (ReplicaStatus::Active, salvaged);
        let is_still = || self.fillings().get(&table) == Some(given);
        let marked = self.mark_while(table, given.made, whole, is_still).await?;
        if marked && is_salvaged {
            tracing::warn!(%table, "no replica was whole: the table is what all of them had left");
        }
        Ok(())
    }

    /// Marks this region's replica of a table, made at `made`.
    async fn mark(
        &self,
        table: TableId,
        made: i64,
        as_what: (ReplicaStatus, Option<i64>),
    ) -> Result<(), ControlError> {
        let marked = self.mark_while(table, made, as_what, || true).await;
        marked.map(drop)
    }

    /// Marks this region's replica of a table as long as something holds. Returns whether it does.
    async fn mark_while(
        &self,
        table: TableId,
        made: i64,
        as_what: (ReplicaStatus, Option<i64>),
        holds: impl Fn() -> bool + Send + Sync,
    ) -> Result<bool, ControlError> {
        // It may be changed by somebody else between being read and being written.
        for attempt in 1.. {
            if !holds() {
                break;
            }
            match self.try_mark(table, made, as_what).await {
                Err(ControlError::Unexpected(_)) if attempt < MARK_ATTEMPTS => {
                    self.refresh().await?;
                }
                done => return done.map(|()| true),
            }
        }
        Ok(false)
    }

    async fn try_mark(
        &self,
        table: TableId,
        made: i64,
        (status, salvaged): (ReplicaStatus, Option<i64>),
    ) -> Result<(), ControlError> {
        let replica = self.own_replica(table);
        // Links tell more than once that a replica is whole.
        let is_due = |replica: &Replica| replica.created == made && replica.status != status;
        let Some(replica) = replica.filter(is_due) else {
            return Ok(());
        };
        let marked = Replica {
            status,
            salvaged,
            ..replica.clone()
        };
        self.change(vec![Change::replace(&replica, &marked)])
            .await?;
        Ok(())
    }

    pub(crate) fn own_replica(&self, table: TableId) -> Option<Replica> {
        let own = self.project().region.as_str();
        self.get::<Replica>(&partition(table.0), &format!("{REPLICA}{own}"))
    }

    /// Tells the data plane of tables that changed, and notes whose items are to be removed.
    pub(crate) fn redefine(&self) {
        let own = self.project().region.as_str();
        let is_filling = |replica: &Replica| replica.status == ReplicaStatus::Creating;
        let views = self.table_views();
        let held = |view: &TableView| Some((view.table.id(), view.replicas.get(own)?.created));
        for lost in self
            .holdings()
            .take_over(views.iter().filter_map(held).collect())
        {
            self.tables().forget(lost);
        }
        self.note_clearing();
        if !self.left_behind().is_empty() {
            self.holdings().wake();
        }
        let copied = self.copied_from();
        let filling = views
            .iter()
            .filter(|view| view.replicas.values().any(is_filling));
        self.tables()
            .note_filling(filling.map(|view| view.table.id()).collect());
        // After those that are lost: a table that is not held here is known all the same, since
        // a relay must know whose replicas lack what it was never sent.
        for view in views {
            let Some(schema) = view.table.schema() else {
                tracing::warn!(
                    table = view.table.name,
                    "a newer build's table is left alone"
                );
                continue;
            };
            let replicas = view.replicas.keys();
            let indexes = view.indexes.iter();
            self.tables().define(TableDef {
                id: view.table.id(),
                replicas: replicas.filter_map(|region| id_of(region)).collect(),
                filling: view
                    .replicas
                    .get(own)
                    .is_some_and(|replica| is_filling(replica) || self.is_lost(replica)),
                history: view
                    .replicas
                    .get(own)
                    .map_or_else(HistoryDef::default, |own| {
                        let is_copied = copied.iter().any(|(table, _)| *table == view.table.id());
                        history::kept(&view.table, own, is_copied)
                    }),
                indexes: indexes.filter_map(|index| index.def(&schema)).collect(),
                expiry: view.expiry.as_ref().and_then(Expiry::def),
                resolver: history::resolver(&view.table),
                schema,
            });
        }
    }

    /// Builds indexes, and removes those that are no more, as they come to be so.
    pub(crate) async fn follow_indexes(&self) {
        loop {
            if let Err(error) = self.tables().settle_indexes().await {
                tracing::error!(%error, "an index could not be built");
            }
            self.tables().indexes_due().await;
        }
    }
}

/// How often marking a replica as whole is tried. 8: each time somebody else was faster.
const MARK_ATTEMPTS: usize = 8;

fn id_of(region: &str) -> Option<RegionId> {
    RegionName::parse(region).ok().map(|region| region.id())
}

#[cfg(test)]
mod tests;
