//! Writes at a steady rate, some of which are looked for in the other region.
//!
//! ```text
//! writers ── acknowledged ──► near        a write has its moment: a slow one delays no other
//!    └─ a hundred a second ─► readers ──► far, asked until it is there
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::bench::replication::client::Server;

/// How much is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steady {
    /// Writes per second.
    pub(super) rate: u32,
    pub(super) length: Duration,
    /// Connections that write.
    pub(super) writers: usize,
}

/// How long writes took, sorted.
#[derive(Debug, Default)]
pub(super) struct Seen {
    acknowledged: Vec<Duration>,
    visible: Vec<Duration>,
}

impl Seen {
    /// Returns the time from sending until the acknowledgement, at a share of all.
    pub(super) fn acknowledged(&self, share: f64) -> Duration {
        at(&self.acknowledged, share)
    }

    /// Returns the time from the acknowledgement until it was there, at a share of the sampled.
    pub(super) fn visible(&self, share: f64) -> Duration {
        at(&self.visible, share)
    }
}

/// Returns what lies at a share of sorted times.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position in a list that is far shorter than 2^52"
)]
pub(super) fn at(sorted: &[Duration], share: f64) -> Duration {
    let position = (sorted.len() as f64 * share) as usize;
    let last = sorted.len().saturating_sub(1);
    sorted.get(position.min(last)).copied().unwrap_or_default()
}

impl Steady {
    /// Writes near and looks far; nothing can be there before `delay` is over.
    ///
    /// Errors: where the rate is not reached, or a sampled write does not come.
    pub(super) async fn run(self, (near, far): (Server, Server), delay: Duration) -> Result<Seen> {
        let start = Instant::now() + START_PAUSE;
        let next = Arc::new(AtomicU64::new(0));
        let (sampled, samples) = mpsc::channel(SAMPLES_MAX);
        let samples = Arc::new(Mutex::new(samples));
        let mut writers = JoinSet::new();
        for _ in 0..self.writers {
            let (next, sampled) = (Arc::clone(&next), sampled.clone());
            writers.spawn(async move { self.write(near, start, &next, &sampled).await });
        }
        drop(sampled);
        let mut readers = JoinSet::new();
        for _ in 0..READERS {
            readers.spawn(look(far, Arc::clone(&samples), delay));
        }
        let mut seen = Seen::default();
        while let Some(lane) = writers.join_next().await {
            seen.acknowledged.extend(lane.context("a writer")??);
        }
        let over = start.elapsed().saturating_sub(self.length);
        let rate = self.rate;
        anyhow::ensure!(
            over < self.length / 50,
            "{rate} writes a second were not reached: they ended {over:?} late"
        );
        while let Some(lane) = readers.join_next().await {
            seen.visible.extend(lane.context("a reader")??);
        }
        seen.acknowledged.sort();
        seen.visible.sort();
        Ok(seen)
    }

    async fn write(
        self,
        near: Server,
        start: Instant,
        next: &AtomicU64,
        sampled: &mpsc::Sender<(String, Instant)>,
    ) -> Result<Vec<Duration>> {
        let mut writer = near.writer().await?;
        let mut took = Vec::new();
        let every = u64::from(self.rate / SAMPLES_A_SECOND).max(1);
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let due = start + Duration::from_secs(1) * u32::try_from(at)? / self.rate;
            if start + self.length <= due {
                return Ok(took);
            }
            tokio::time::sleep_until(due.into()).await;
            let (id, sent) = (format!("w{at}"), Instant::now());
            writer.put(&id).await?;
            let acknowledged = Instant::now();
            took.push(acknowledged - sent);
            if at.is_multiple_of(every) {
                // It fails only when no reader is left, and their end says why.
                _ = sampled.send((id, acknowledged)).await;
            }
        }
    }
}

/// Looks for sampled writes, one after the other.
async fn look(
    far: Server,
    samples: Arc<Mutex<mpsc::Receiver<(String, Instant)>>>,
    delay: Duration,
) -> Result<Vec<Duration>> {
    let mut reader = far.reader().await?;
    let mut seen = Vec::new();
    loop {
        let Some((id, acknowledged)) = samples.lock().await.recv().await else {
            return Ok(seen);
        };
        // Asking much earlier would only take the processor from those who are measured; timers
        // are a millisecond wide.
        let early = delay.saturating_sub(Duration::from_millis(2));
        if !early.is_zero() {
            tokio::time::sleep_until((acknowledged + early).into()).await;
        }
        while !reader.has(&id).await? {
            let gone = acknowledged.elapsed();
            anyhow::ensure!(gone < PATIENCE, "a write is not visible after {gone:?}");
        }
        seen.push(acknowledged.elapsed());
    }
}

/// Time to make ready in before the first write.
const START_PAUSE: Duration = Duration::from_millis(100);

/// How many writes are looked for.
const SAMPLES_A_SECOND: u32 = 100;

/// Connections that look: more than there are samples within a delay.
const READERS: usize = 16;

/// Samples that wait for a reader.
const SAMPLES_MAX: usize = 1_024;

/// How long a write is looked for.
const PATIENCE: Duration = Duration::from_secs(10);
