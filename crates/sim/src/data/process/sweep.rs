//! A process's sweeper: tombstones and logs that every region is past.
//!
//! It decides nothing: the mesh does. It sweeps as the shell `replica` does.

use std::time::Duration;

use clock::hlc::Hlc;
use clock::port::Clock;
use clock::time::Moment;
use replica_core::link::Now;
use replica_core::vector::VersionVector;

use crate::data::process::{Done, Process};

/// How often tombstones and logs are swept, as the shell does.
pub(super) const SWEEP: Duration = Duration::from_secs(1);

/// What is swept, and what was.
#[derive(Default)]
pub(super) struct Sweep {
    pub(super) at: Moment,
    pub(super) tombstones: Hlc,
    pub(super) collected: Hlc,
    pub(super) floor: VersionVector,
    pub(super) due: bool,
    pub(super) running: bool,
}

impl Process {
    pub(super) fn sweep(&mut self, now: Now) {
        let local = self.tables.local();
        self.mesh.stable(self.place.id(self.place.at), local.stable);
        let limit = self.mesh.round(local.horizon).unwrap_or_default();
        self.sweep.at = now.moment;
        self.sweep.tombstones = limit.max(self.sweep.tombstones);
        self.sweep.floor = self.mesh.floor(&local.durable);
        self.sweep.due = true;
    }

    pub(super) fn start_sweep(&mut self) {
        if !self.sweep.due || self.sweep.running {
            return;
        }
        (self.sweep.due, self.sweep.running) = (false, true);
        let tables = self.tables.clone();
        let (limit, floor) = (self.sweep.tombstones, self.sweep.floor.clone());
        let collects = self.sweep.collected < limit;
        let now = self.place.clocks.wall();
        let acknowledged = self.mistake.drops_on_acknowledgement();
        self.tasks.spawn(async move {
            let mut swept = Ok(());
            if acknowledged {
                swept = tables.collect_acknowledged(&floor).await;
            } else if collects {
                swept = tables.collect_tombstones(limit).await;
            }
            let trimmed = tables.trim_log(&floor).await;
            // Where the disk fails, the next thing that is told of it tells it.
            if tables.settle_indexes().await.is_ok() {
                drop(tables.expire(now).await);
            }
            Done::Swept(match swept.and(trimmed) {
                Ok(()) => limit,
                Err(_) => Hlc::default(),
            })
        });
    }
}
