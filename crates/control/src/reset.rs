//! Emptying a project of users' tables, as a suite of tests begins.
//!
//! It is no second way of state: it asks for the deletions that users ask for, replica by replica,
//! and they replicate like any other. Resources other than tables stay.

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
use crate::resource::Change;
use crate::tables::TableError;

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
    /// Asks for the deletion of all tables that this region knows, in all regions, protected ones
    /// too, with their streams, backups, exports and loads.
    ///
    /// What was made meanwhile, or changed by somebody else, is left to the next call.
    ///
    /// Errors: those of the changes.
    pub async fn empty(&self, emptied: &mut Emptied) -> Result<(), ControlError> {
        for view in self.table_views() {
            emptied.tables.insert(view.table.name.clone());
            let regions = view.replicas.keys();
            for region in regions.filter_map(|region| RegionName::parse(region).ok()) {
                match self.delete_replica(&view, &region).await {
                    Ok(position) => emptied.note(position),
                    // Somebody else was faster, or changes it right now.
                    Err(
                        TableError::NotFound(_) | TableError::Control(ControlError::Unexpected(_)),
                    ) => self.refresh().await?,
                    Err(TableError::Control(error)) => return Err(error),
                    Err(TableError::Exists(_) | TableError::NameTaken { .. }) => {
                        unreachable!("nothing is made")
                    }
                }
            }
        }
        let mut changes = Vec::new();
        for region in &self.project().regions {
            let region = region.name.as_str();
            let streams = self.list::<Remains>(region, REMAINS);
            let backups = self.list::<Backup>(region, BACKUP);
            let exports = self.list::<Export>(region, EXPORT);
            emptied.streams += streams.len();
            emptied.backups += backups.len();
            emptied.exports += exports.len();
            changes.extend(streams.iter().map(Change::remove));
            changes.extend(backups.iter().map(Change::remove));
            changes.extend(exports.iter().map(Change::remove));
            // Whoever works on one ends when it finds it gone.
            let loads = self.list::<Load>(region, LOAD);
            let progress = self.list::<Progress>(region, PROGRESS);
            changes.extend(loads.iter().map(Change::remove));
            changes.extend(progress.iter().map(Change::remove));
        }
        while !changes.is_empty() {
            let rest = changes.split_off(changes.len().min(TRANSACTION_ITEMS_MAX));
            emptied.note(self.change(changes).await?);
            changes = rest;
        }
        Ok(())
    }

    /// Returns whether this region knows no user's table, and keeps no user's item any more.
    ///
    /// Errors: those of the store.
    pub async fn is_empty(&self) -> Result<bool, ControlError> {
        let is_left = |region: &str| {
            !self.list::<Backup>(region, BACKUP).is_empty()
                || !self.list::<Export>(region, EXPORT).is_empty()
                || !self.list::<Load>(region, LOAD).is_empty()
                || !self.list::<Remains>(region, REMAINS).is_empty()
        };
        let mut regions = self.project().regions.iter();
        if !self.table_views().is_empty() || regions.any(|region| is_left(region.name.as_str())) {
            return Ok(false);
        }
        let claimed = self.tables().claimed().await?;
        Ok(self.holdings().due().is_empty() && claimed.is_empty())
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

#[cfg(test)]
mod tests;
