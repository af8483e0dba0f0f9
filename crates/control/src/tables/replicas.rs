//! Replicas of tables that are made and removed, with what else of a table changes.
//!
//! It moves no items: a replica is filled, and what one held is removed, as others see what
//! happened to it.

use std::collections::BTreeSet;

use serde_json::Value;

use base::region::RegionName;
use store::port::Store;

use super::{Replica, ReplicaStatus, TableError, TableView, Turn, departed};
use crate::control::{Control, ControlError, Position};
use crate::history;
use crate::resource::{Change, Expect};

/// A replica that is to be made, or removed.
#[derive(Clone, Debug, PartialEq)]
pub enum ReplicaDraft {
    /// It is made, to be filled from those that are whole; its facade keeps this with it.
    Create(RegionName, Value),
    /// It is removed.
    Delete(RegionName),
}

impl<S: Store> Control<S> {
    /// Makes a replica of a table in another region, to be filled from those that are whole.
    ///
    /// Errors: [`TableError::NameTaken`] where the region has another table of this name.
    pub async fn create_replica(
        &self,
        view: &TableView,
        region: &RegionName,
        settings: Value,
    ) -> Result<Position, TableError> {
        let draft = ReplicaDraft::Create(region.clone(), settings);
        let turn = self.turn().await;
        self.change_table(&turn, view, Vec::new(), &[draft]).await
    }

    /// Removes a table's replica; the last one takes the definition with it.
    ///
    /// Errors: [`TableError::NotFound`] where it has no replica there.
    pub async fn delete_replica(
        &self,
        view: &TableView,
        region: &RegionName,
    ) -> Result<Position, TableError> {
        let draft = ReplicaDraft::Delete(region.clone());
        let turn = self.turn().await;
        self.change_table(&turn, view, Vec::new(), &[draft]).await
    }

    /// Makes and removes replicas of a table in one batch with other changes of it: all of that
    /// happens, or none.
    ///
    /// Errors: [`TableError::NameTaken`] where a region has another table of this name,
    /// [`TableError::NotFound`] where the table is gone, where there is no replica to remove, and
    /// where one is to be made by a region that has none any more.
    pub async fn change_table(
        &self,
        _turn: &Turn<'_>,
        view: &TableView,
        mut changes: Vec<Change>,
        replicas: &[ReplicaDraft],
    ) -> Result<Position, TableError> {
        // As it is by now: a replica, or an index, of a table that is gone would be nobody's.
        let known = view;
        let missing = || TableError::NotFound(known.table.name.clone());
        let mut views = self.table_views().into_iter();
        let view = views.find(|view| view.table.id == known.table.id);
        let view = view.ok_or_else(missing)?;
        let mut removed = BTreeSet::new();
        for draft in replicas {
            match draft {
                ReplicaDraft::Create(region, settings) => {
                    let own = self.project().region.as_str();
                    if !view.replicas.contains_key(own) {
                        return Err(missing());
                    }
                    if self.tables_in(region).contains_key(&view.table.name) {
                        return Err(TableError::NameTaken {
                            region: region.as_str().to_owned(),
                        });
                    }
                    changes.push(Change::create(&Replica {
                        table: view.table.id,
                        region: region.as_str().to_owned(),
                        status: ReplicaStatus::Creating,
                        created: self.clock().wall().as_micros(),
                        settings: settings.clone(),
                        restore: None,
                        imported: None,
                        salvaged: None,
                    }));
                }
                ReplicaDraft::Delete(region) => drop(removed.insert(region.as_str())),
            }
        }
        if removed.is_empty() {
            return Ok(self.change(changes).await?);
        }
        let is_last = self.remove_replicas(&view, &removed, &mut changes).await?;
        let table = view.table.id();
        // Another region may remove the others right now.
        let note = (!is_last).then(|| departed::note_of(table));
        let is_noted = note.is_some();
        let changed = self.change_noted(changes, note).await?;
        if is_noted {
            self.departed().insert(table);
            if self.left_behind().contains(&table) {
                self.holdings().wake();
            }
        }
        Ok(changed)
    }

    /// Adds the removal of replicas to what else changes. Returns whether none is left.
    async fn remove_replicas(
        &self,
        view: &TableView,
        removed: &BTreeSet<&str>,
        changes: &mut Vec<Change>,
    ) -> Result<bool, TableError> {
        let missing = || TableError::NotFound(view.table.name.clone());
        let is_last = view.replicas.len() == removed.len();
        if is_last && !changes.is_empty() {
            // Somebody removed all others meanwhile: there is nothing left to be changed.
            return Err(missing());
        }
        // By the clock that stamps events, which may be ahead of the wall.
        let ended = self.tables().instant().await.map_err(ControlError::from)?.0;
        for region in removed {
            let replica = view.replicas.get(*region).ok_or_else(missing)?;
            changes.push(Change {
                expect: Expect::Present,
                ..Change::remove(replica)
            });
            let remains = history::remains(&view.table, replica, ended);
            changes.extend(remains.as_ref().map(Change::put));
        }
        if is_last {
            let remove = Change::remove(&view.table);
            changes.push(Change {
                expect: Expect::Present,
                ..remove
            });
            changes.extend(view.indexes.iter().map(Change::remove));
            changes.extend(view.expiry.iter().map(Change::remove));
        }
        Ok(is_last)
    }
}
