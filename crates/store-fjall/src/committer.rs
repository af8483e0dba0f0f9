//! The one thread that writes: it gathers what waits, and shares one disk flush.
//!
//! It orders nothing anew: batches take effect as they were handed in.
//!
//! ```text
//! submit ──► queue ──► gather ≤ GROUP_MAX ──► engine batch ──► flush if asked ──► done, in order
//!                         ▲                                        │
//!                         └── while a flush runs, the next group gathers
//! ```

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use fjall::{AbstractTree, Keyspace, OwnedWriteBatch, PersistMode};
use tokio::sync::watch;

use store::port::{BUFFERED_MAX, Batch, Completion, Durability, Op, StoreError};

use crate::buffers::Buffers;
use crate::commits::Commits;
use crate::engine::{Keyspaces, failed};
use crate::mark::Marker;

/// Most batches in one group. 512; the writers of several hundred connections share a flush.
/// Larger groups gain nothing, since writing then takes longer than flushing.
const GROUP_MAX: usize = 512;

/// What callers hand in.
pub(crate) enum Request {
    /// A batch to write.
    Commit(Waiting),
    /// Whom to tell once everything handed in before is on disk.
    Flushed(Completion),
}

/// A batch that waits for the committer.
pub(crate) struct Waiting {
    pub(crate) batch: Batch,
    pub(crate) durability: Durability,
    pub(crate) done: Completion,
}

/// The handle of the committing thread. Dropping it writes what waits and ends the thread.
pub(crate) struct Committer {
    // The queue is bounded by its callers: a request holds at most one batch at a time.
    queue: Mutex<Option<Sender<Request>>>,
    thread: Option<JoinHandle<()>>,
    failure: watch::Receiver<Option<StoreError>>,
    commits: Commits,
}

impl Committer {
    pub(crate) fn start(
        keyspaces: Keyspaces,
        buffers: Buffers,
        marker: Marker,
    ) -> std::io::Result<Self> {
        let (sender, queue) = mpsc::channel();
        // Should the thread end in a panic, the sender is dropped, which tells as much.
        let (failed, failure) = watch::channel(None);
        let commits = Commits::default();
        let counted = commits.clone();
        let thread = thread::Builder::new()
            .name("committer".into())
            .spawn(move || {
                Writer {
                    keyspaces,
                    buffers,
                    marker,
                    unflushed: None,
                    told_at_flush: vec![],
                    failed,
                    commits: counted,
                }
                .run(&queue);
            })?;
        Ok(Self {
            queue: Mutex::new(Some(sender)),
            thread: Some(thread),
            failure,
            commits,
        })
    }

    /// Returns a watch of why no more is written; closed where the thread ended without a word.
    pub(crate) fn failure(&self) -> watch::Receiver<Option<StoreError>> {
        self.failure.clone()
    }

    pub(crate) fn commits(&self) -> Commits {
        self.commits.clone()
    }

    pub(crate) fn hand_in(&self, request: Request) {
        let refused = {
            let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            match &*queue {
                Some(sender) => sender.send(request).err().map(|refused| refused.0),
                None => Some(request),
            }
        };
        if let Some(request) = refused {
            request.complete(Err(StoreError::Closed));
        }
    }
}

impl Request {
    fn complete(self, result: Result<(), StoreError>) {
        match self {
            Self::Commit(waiting) => (waiting.done)(result),
            Self::Flushed(done) => done(result),
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

/// The state of the committing thread.
struct Writer {
    keyspaces: Keyspaces,
    buffers: Buffers,
    marker: Marker,
    /// When the oldest batch was written that has not been flushed.
    unflushed: Option<Instant>,
    told_at_flush: Vec<Completion>,
    failed: watch::Sender<Option<StoreError>>,
    commits: Commits,
}

impl Writer {
    fn run(mut self, queue: &Receiver<Request>) {
        loop {
            let first = match queue.try_recv() {
                Ok(first) => Ok(first),
                Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
                Err(TryRecvError::Empty) => self.wait(queue),
            };
            let result = match first {
                Ok(first) => self.commit(gather(first, queue)),
                Err(RecvTimeoutError::Timeout) => self.flush(),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if let Err(error) = result {
                tracing::error!(%error, "the store failed; it refuses writes until reopened");
                self.failed.send_replace(Some(error.clone()));
                return self.refuse(queue, &error);
            }
        }
        if self.unflushed.is_some()
            && let Err(error) = self.flush()
        {
            tracing::error!(%error, "the store could not flush its last writes");
        }
        self.marker.note();
    }

    /// Waits for the next request, or until written batches must be flushed.
    fn wait(&mut self, queue: &Receiver<Request>) -> Result<Request, RecvTimeoutError> {
        self.marker.note();
        match self.unflushed {
            None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(since) => queue.recv_timeout(BUFFERED_MAX.saturating_sub(since.elapsed())),
        }
    }

    /// Writes a group as one engine batch and completes it.
    ///
    /// A failed flush is never tried again: the kernel may have dropped the pages, and a second
    /// attempt would succeed without them.
    fn commit(&mut self, group: Vec<Request>) -> Result<(), StoreError> {
        let overdue = self
            .unflushed
            .is_some_and(|since| since.elapsed() >= BUFFERED_MAX);
        let asks = |request: &Request| match request {
            Request::Commit(waiting) => waiting.durability == Durability::Disk,
            Request::Flushed(_) => false,
        };
        let to_disk = overdue || group.iter().any(asks);
        let mode = if to_disk {
            PersistMode::SyncData
        } else {
            PersistMode::Buffer
        };
        let mut batch = self.keyspaces.database.batch().durability(Some(mode));
        let mut staged = Ok(());
        let mut completions = Vec::with_capacity(group.len());
        for request in group {
            match request {
                Request::Commit(waiting) => {
                    staged = staged.and_then(|()| self.stage(&mut batch, waiting.batch));
                    completions.push(waiting.done);
                }
                Request::Flushed(done) => self.told_at_flush.push(done),
            }
        }
        let empty = batch.is_empty();
        let result = staged.and_then(|()| match (empty, to_disk) {
            (false, _) => batch.commit(),
            (true, true) => self.keyspaces.database.persist(mode),
            (true, false) => Ok(()),
        });
        let result = result.map_err(failed);
        if !empty && result.is_ok() {
            self.commits.add(completions.len());
        }
        if to_disk {
            let written = !empty || self.unflushed.is_some();
            self.unflushed = None;
            if written && result.is_ok() {
                self.mark();
            }
        } else if !empty {
            self.unflushed = self.unflushed.or_else(|| Some(now()));
        }
        for done in completions {
            done(result.clone());
        }
        if self.unflushed.is_none() || result.is_err() {
            self.tell_flushed(&result);
        }
        result?;
        // Only what comes next waits for room.
        self.buffers.keep(&self.keyspaces)
    }

    fn stage(&self, staged: &mut OwnedWriteBatch, batch: Batch) -> Result<(), fjall::Error> {
        for op in batch.ops {
            match op {
                Op::Put(space, key, value) => {
                    staged.insert(self.keyspaces.made(space)?, key, &*value);
                }
                Op::Delete(space, key) => {
                    if let Some(keyspace) = self.keyspaces.of(space) {
                        staged.remove(keyspace, key);
                    }
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.unflushed = None;
        let result = self
            .keyspaces
            .database
            .persist(PersistMode::SyncData)
            .map_err(failed);
        if result.is_ok() {
            self.mark();
        }
        self.tell_flushed(&result);
        result
    }

    /// Has it noted that the last batch in memory, or one before it, is on disk.
    fn mark(&mut self) {
        let newest = |keyspace: &Keyspace| keyspace.tree.active_memtable().get_highest_seqno();
        if let Some(batch) = self.keyspaces.all().filter_map(newest).max() {
            self.marker.flushed(batch);
        }
    }

    fn tell_flushed(&mut self, result: &Result<(), StoreError>) {
        for done in self.told_at_flush.drain(..) {
            done(result.clone());
        }
    }

    fn refuse(mut self, queue: &Receiver<Request>, error: &StoreError) {
        self.tell_flushed(&Err(error.clone()));
        while let Ok(request) = queue.recv() {
            request.complete(Err(error.clone()));
        }
    }
}

fn gather(first: Request, queue: &Receiver<Request>) -> Vec<Request> {
    let mut group = vec![first];
    while group.len() < GROUP_MAX
        && let Ok(next) = queue.try_recv()
    {
        group.push(next);
    }
    group
}

/// Reads the clock for the flush's own deadline, which no replay depends on.
#[expect(
    clippy::disallowed_methods,
    reason = "an engine's pacing, below every simulated seam"
)]
fn now() -> Instant {
    Instant::now()
}
