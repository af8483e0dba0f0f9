//! The one thread that writes: it gathers what waits, and shares one disk flush.
//!
//! It orders nothing anew: batches take effect as they were handed in.
//!
//! ```text
//! submit ──► queue ──► gather ≤ GROUP_MAX ──► one engine batch ──► flush if asked ──► done, in order
//!                         ▲                                            │
//!                         └──────────── while one flush runs, the next group gathers ◄──┘
//! ```

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use fjall::PersistMode;

use store::port::{BUFFERED_MAX, Batch, Completion, Durability, Op, StoreError};

use crate::engine::{Keyspaces, failed};

/// Most batches in one group. 512; the writers of several hundred connections share a flush.
/// Larger groups gain nothing, since writing then takes longer than flushing.
const GROUP_MAX: usize = 512;

/// A batch that waits for the committer.
pub(crate) struct Waiting {
    pub(crate) batch: Batch,
    pub(crate) durability: Durability,
    pub(crate) done: Completion,
}

/// The handle of the committing thread. Dropping it writes what waits and ends the thread.
pub(crate) struct Committer {
    // The queue is bounded by its callers: a request holds at most one batch at a time.
    queue: Mutex<Option<Sender<Waiting>>>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(crate) fn start(keyspaces: Keyspaces) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("committer".into())
            .spawn(move || commit_until_closed(&keyspaces, &receiver))?;
        Ok(Self {
            queue: Mutex::new(Some(sender)),
            thread: Some(thread),
        })
    }

    pub(crate) fn submit(&self, waiting: Waiting) {
        let refused = {
            let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            match &*queue {
                Some(sender) => sender.send(waiting).err().map(|refused| refused.0),
                None => Some(waiting),
            }
        };
        if let Some(waiting) = refused {
            (waiting.done)(Err(StoreError::Closed));
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        *self.queue.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some(thread) = self.thread.take() {
            // The last completion may drop the store on the committing thread itself.
            if thread.thread().id() != thread::current().id() {
                drop(thread.join());
            }
        }
    }
}

fn commit_until_closed(keyspaces: &Keyspaces, queue: &Receiver<Waiting>) {
    // When the oldest batch was written that has not been flushed.
    let mut unflushed: Option<Instant> = None;
    loop {
        let first = match unflushed {
            None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(since) => queue.recv_timeout(BUFFERED_MAX.saturating_sub(since.elapsed())),
        };
        let result = match first {
            Ok(first) => commit(keyspaces, gather(first, queue), &mut unflushed),
            Err(RecvTimeoutError::Timeout) => {
                unflushed = None;
                keyspaces
                    .database
                    .persist(PersistMode::SyncData)
                    .map_err(failed)
            }
            Err(RecvTimeoutError::Disconnected) => break,
        };
        if let Err(error) = result {
            tracing::error!(%error, "the store failed; it refuses writes until it is reopened");
            return refuse(queue, &error);
        }
    }
    if unflushed.is_some()
        && let Err(error) = keyspaces.database.persist(PersistMode::SyncAll)
    {
        tracing::error!(%error, "the store could not flush its last writes");
    }
}

fn gather(first: Waiting, queue: &Receiver<Waiting>) -> Vec<Waiting> {
    let mut group = vec![first];
    while group.len() < GROUP_MAX
        && let Ok(next) = queue.try_recv()
    {
        group.push(next);
    }
    group
}

/// Writes a group as one engine batch and completes it.
///
/// A failed flush is never tried again: the kernel may have dropped the pages, and a second
/// attempt would succeed without them.
fn commit(
    keyspaces: &Keyspaces,
    group: Vec<Waiting>,
    unflushed: &mut Option<Instant>,
) -> Result<(), StoreError> {
    let overdue = unflushed.is_some_and(|since| since.elapsed() >= BUFFERED_MAX);
    let to_disk = overdue
        || group
            .iter()
            .any(|waiting| waiting.durability == Durability::Disk);
    let mode = if to_disk {
        PersistMode::SyncData
    } else {
        PersistMode::Buffer
    };
    let mut batch = keyspaces.database.batch().durability(Some(mode));
    let mut completions = Vec::with_capacity(group.len());
    for waiting in group {
        for op in waiting.batch.ops {
            match op {
                Op::Put(space, key, value) => batch.insert(keyspaces.of(space), key, &*value),
                Op::Delete(space, key) => batch.remove(keyspaces.of(space), key),
            }
        }
        completions.push(waiting.done);
    }
    let result = if batch.is_empty() && to_disk {
        keyspaces.database.persist(mode)
    } else {
        batch.commit()
    };
    let result = result.map_err(failed);
    *unflushed = if to_disk {
        None
    } else {
        unflushed.or_else(|| Some(now()))
    };
    for done in completions {
        done(result.clone());
    }
    result
}

/// Reads the clock for the flush's own deadline, which no replay depends on.
#[expect(
    clippy::disallowed_methods,
    reason = "an engine's pacing, below every simulated seam"
)]
fn now() -> Instant {
    Instant::now()
}

fn refuse(queue: &Receiver<Waiting>, error: &StoreError) {
    while let Ok(waiting) = queue.recv() {
        (waiting.done)(Err(error.clone()));
    }
}
