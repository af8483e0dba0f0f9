//! What a process does with copies: those that stand for a log, once a directory was lost.
//!
//! No replica is filled here: that is control's, which no simulated region has.

use replica_core::link::receive::{Input, Output};
use replica_core::vector::Seq;

use crate::data::process::{Done, Effect, Process};

impl Process {
    /// Hears from a peer, which knows the log of another directory up to `had`, that this one's is
    /// to begin above.
    pub fn refused(&mut self, peer: usize, had: Seq) {
        if had <= self.tables.directory().begins || self.is_beginning {
            return;
        }
        if self.tables.is_welcomed_by(self.place.id(peer)) {
            let what = "a directory that was welcomed is refused".to_owned();
            return self.effects.push(Effect::Wrong(what));
        }
        self.is_beginning = true;
        let tables = self.tables.clone();
        self.tasks.spawn(async move {
            drop(tables.begin_log_above(had).await);
            Done::Begun
        });
    }

    /// Notes the number of a peer's directory, which was let in.
    pub fn meet(&mut self, peer: usize, incarnation: u64) {
        let (tables, id) = (self.tables.clone(), self.place.id(peer));
        self.tasks.spawn(async move {
            drop(tables.meet(id, incarnation).await);
            Done::Met
        });
    }

    /// Does what the receiver from `peer` wants done with a copy.
    pub(super) fn copy(&mut self, peer: usize, output: Output) {
        let (tables, id) = (self.tables.clone(), self.place.id(peer));
        self.tasks.spawn(async move {
            let input = match output {
                Output::Merge { table, arrived } => {
                    let ticket = arrived.ticket;
                    let merged = tables.merge_page(id, table, arrived).await.unwrap_or(false);
                    Input::Merged { ticket, merged }
                }
                Output::Skip { ticket, to, owed } => {
                    let skipped = tables.skip(id, to, owed).await.is_ok();
                    Input::Skipped { ticket, skipped }
                }
                Output::Repaid { table, items } => {
                    drop(tables.repay(id, table, items).await);
                    Input::Local(tables.local())
                }
                Output::Send(_)
                | Output::Apply { .. }
                | Output::Heard(_)
                | Output::Filled { .. }
                | Output::TooOld { .. }
                | Output::Close(_) => Input::Local(tables.local()),
            };
            Done::Receiver(peer, input)
        });
    }
}
