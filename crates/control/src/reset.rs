//! Emptying a region of users' tables, as a suite of tests begins.
//!
//! It is no second way of state: it asks for the deletions that users ask for, replica by replica,
//! and they replicate like any other. It touches no other region's replicas, since that region may
//! be one for production. Resources other than tables stay.

use std::collections::BTreeSet;

use base::region::{RegionId, RegionName};
use replica_core::vector::Seq;
use store::port::Store;
use table::limits::TRANSACTION_ITEMS_MAX;

use crate::backups::{BACKUP, Backup};
use crate::control::{Control, ControlError, Position};
use crate::exports::{EXPORT, Export};
use crate::history::{REMAINS, Remains};
use crate::loads::{LOAD, Load, PROGRESS, Progress};
use crate::resource::{Change, Expect, Resource};
use crate::tables::{TableError, TableView};

/// What was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Emptied {
    /// The names of the tables.
    pub tables: BTreeSet<String>,
    /// How many streams of tables that were deleted could still be read.
    pub streams: usize,
    /// How many backups there were.
    pub backups: usize,
    /// How many exports were told of; their files stay.
    pub exports: usize,
    /// Where the last change stands, where there was one.
    pub last: Option<Position>,
}

impl<S: Store> Control<S> {
    /// Asks for the deletion of this region's replicas of all tables, protected ones too, and of
    /// its streams, backups, exports and loads. What other regions have is theirs to empty.
    ///
    /// What was made meanwhile is left to the next call.
    ///
    /// Errors: those of the changes.
    pub async fn empty(&self, emptied: &mut Emptied) -> Result<(), ControlError> {
        let region = &self.project().region;
        for view in self.own_views() {
            emptied.tables.insert(view.table.name.clone());
            match self.delete_replica(&view, region).await {
                Ok(position) => emptied.note(position),
                // Somebody else was faster, or changes it right now.
                Err(TableError::NotFound(_) | TableError::Control(ControlError::Unexpected(_))) => {
                    self.refresh().await?;
                }
                Err(TableError::Control(error)) => return Err(error),
                Err(TableError::Exists(_) | TableError::NameTaken { .. }) => {
                    unreachable!("nothing is made")
                }
            }
        }
        let region = region.as_str();
        let streams = self.list::<Remains>(region, REMAINS);
        let backups = self.list::<Backup>(region, BACKUP);
        let exports = self.list::<Export>(region, EXPORT);
        emptied.streams += streams.len();
        emptied.backups += backups.len();
        emptied.exports += exports.len();
        let mut changes = Vec::new();
        changes.extend(streams.iter().map(gone));
        changes.extend(backups.iter().map(gone));
        changes.extend(exports.iter().map(gone));
        // Whoever works on one ends when it finds it gone.
        let loads = self.list::<Load>(region, LOAD);
        let progress = self.list::<Progress>(region, PROGRESS);
        changes.extend(loads.iter().map(gone));
        changes.extend(progress.iter().map(gone));
        while !changes.is_empty() {
            let rest = changes.split_off(changes.len().min(TRANSACTION_ITEMS_MAX));
            emptied.note(self.change(changes).await?);
            changes = rest;
        }
        Ok(())
    }

    /// Returns whether this region has no replica of a user's table, and keeps no user's item any
    /// more.
    ///
    /// Errors: those of the store.
    pub async fn is_empty(&self) -> Result<bool, ControlError> {
        let region = self.project().region.as_str();
        let is_left = !self.own_views().is_empty()
            || !self.list::<Backup>(region, BACKUP).is_empty()
            || !self.list::<Export>(region, EXPORT).is_empty()
            || !self.list::<Load>(region, LOAD).is_empty()
            || !self.list::<Remains>(region, REMAINS).is_empty();
        if is_left {
            return Ok(false);
        }
        let claimed = self.tables().claimed().await?;
        Ok(self.holdings().due().is_empty() && claimed.is_empty())
    }

    /// Returns the tables of which this region has a replica, two of one name both.
    fn own_views(&self) -> Vec<TableView> {
        let own = self.project().region.as_str();
        let mut views = self.table_views();
        views.retain(|view| view.replicas.contains_key(own));
        views
    }

    /// Returns which other regions are not known to have applied a change.
    pub fn lacking(&self, position: Position) -> Vec<RegionName> {
        let (origin, seq) = (RegionId(position.origin), Seq(position.seq));
        let reach = self.reach();
        let lacks = |name: &&RegionName| {
            let peer = reach.get(&name.id());
            peer.is_none_or(|peer| peer.applied.at(origin) < seq)
        };
        let own = &self.project().region;
        let names = self.project().regions.iter().map(|region| &region.name);
        let others = names.filter(|name| *name != own);
        others.filter(lacks).cloned().collect()
    }
}

impl Emptied {
    fn note(&mut self, position: Position) {
        if self.last.is_none_or(|last| last.seq < position.seq) {
            self.last = Some(position);
        }
    }
}

/// Removes what is there under the resource's key: keys are used once, and whoever works on it goes
/// on changing its body meanwhile.
fn gone<R: Resource>(one: &R) -> Change {
    Change {
        expect: Expect::Anything,
        ..Change::remove(one)
    }
}

#[cfg(test)]
mod tests;
