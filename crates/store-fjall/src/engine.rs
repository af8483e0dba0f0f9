//! The store on fjall: one keyspace a namespace, one committer for all writes.
//!
//! A keyspace is made when the first is written to its namespace: making one flushes the disk some
//! twenty times, and a start that made all of them would take several times as long. Reads go to
//! the engine directly, from memory or the page cache as a rule; writes go through the committer,
//! which shares one disk flush among all that wait.

use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use fjall::compaction::Leveled;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, Readable, Snapshot};
use tokio::sync::watch;

use base::units::ByteCount;
use store::port::{
    Batch, Completion, Durability, Order, Range, Rowed, Rows, Space, Store, StoreError,
};

use crate::buffers::Buffers;
use crate::commits::Commits;
use crate::committer::{Committer, Request, Waiting};
use crate::directory::{self, DirectoryError};
use crate::journal;
use crate::mark::Marker;

/// A store in a directory of this machine.
#[derive(Clone)]
pub struct FjallStore {
    inner: Arc<Inner>,
}

struct Inner {
    // The committer is dropped first: it ends its thread, which holds the database.
    committer: Committer,
    keyspaces: Keyspaces,
    /// Why a read failed, the first that did.
    unreadable: watch::Sender<Option<StoreError>>,
}

#[derive(Clone)]
pub(crate) struct Keyspaces {
    pub(crate) database: Database,
    /// Where the engine keeps one folder a namespace.
    folder: Arc<Path>,
    memory: Memory,
    spaces: Arc<[OnceLock<Keyspace>; Space::ALL.len()]>,
}

/// How much memory the store may take beside what the kernel caches.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Blocks of tables on disk.
    pub cache: ByteCount,
    /// The newest writes of all namespaces, before the largest share goes to a table on disk; while
    /// the disk is busy, up to two such shares more.
    pub write_buffers: ByteCount,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            cache: ByteCount::mib(64),
            write_buffers: ByteCount::mib(24),
        }
    }
}

impl FjallStore {
    /// Opens the store in `path`, made if it is not there.
    ///
    /// Errors: [`DirectoryError`]; what is damaged is left as it is. The engine may have cleared
    /// away what it no longer needed before it found that.
    pub fn open(path: &Path, memory: Memory) -> Result<Self, DirectoryError> {
        directory::prepare(path)?;
        let journals = path.join(directory::ENGINE);
        directory::judge(path, &journals)?;
        let refuse = |error: fjall::Error| {
            let path = path.to_owned();
            if matches!(error, fjall::Error::Locked) {
                return DirectoryError::Locked { path };
            }
            DirectoryError::Engine {
                path,
                reason: error.to_string(),
            }
        };
        let database = Database::builder(&journals)
            .cache_size(memory.cache.as_u64())
            .manual_journal_persist(true)
            .max_journaling_size(JOURNALS_MAX.as_u64())
            .worker_threads(1)
            .open()
            .map_err(refuse)?;
        let keyspaces = Keyspaces {
            database,
            folder: journals.join(journal::KEYSPACES).into(),
            memory,
            spaces: Arc::default(),
        };
        for space in Space::ALL {
            if keyspaces.database.keyspace_exists(space.name()) {
                keyspaces.made(space).map_err(refuse)?;
            }
        }
        let buffers = Buffers {
            bytes_max: memory.write_buffers,
        };
        let committer = Marker::open(path, journals)
            .and_then(|marker| Committer::start(keyspaces.clone(), buffers, marker))
            .map_err(|source| DirectoryError::Io {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            inner: Arc::new(Inner {
                committer,
                keyspaces,
                unreadable: watch::channel(None).0,
            }),
        })
    }

    /// Waits until the store has failed, and returns why: its disk or its engine did not take a
    /// write, or could not read what was written.
    ///
    /// A disk that loses one block is as likely to lose the next. It does not keep the store open.
    pub fn failed(&self) -> impl Future<Output = StoreError> + Send + use<> {
        let (written, read) = (
            self.inner.committer.failure(),
            self.inner.unreadable.subscribe(),
        );
        async move {
            tokio::select! {
                biased;
                error = failure(written) => error,
                error = failure(read) => error,
            }
        }
    }

    /// Returns the counts of what is committed.
    pub fn commits(&self) -> Commits {
        self.inner.committer.commits()
    }

    /// Returns the bytes of writes that are in no table on disk yet.
    pub fn write_buffer_bytes(&self) -> ByteCount {
        ByteCount::bytes(self.inner.keyspaces.database.write_buffer_size())
    }

    /// Returns the bytes that the store takes on disk.
    pub fn disk_bytes(&self) -> ByteCount {
        ByteCount::bytes(
            self.inner
                .keyspaces
                .database
                .disk_space()
                .unwrap_or_default(),
        )
    }
}

/// Returns how a namespace is kept, once it is made.
fn tuned(memory: Memory) -> KeyspaceCreateOptions {
    let compaction = Leveled::default().with_table_target_size(TABLE_BYTES.as_u64());
    KeyspaceCreateOptions::default()
        .manual_journal_persist(true)
        // More than all buffers together: they go to disk when the committer says so.
        .max_memtable_size(memory.write_buffers.as_u64().saturating_mul(2))
        .compaction_strategy(Arc::new(compaction))
}

/// Journals beyond which namespaces with few writes go to tables too, so that old journals can
/// go. 128 MiB: what a start reads again at most, beside the journal that is being written.
const JOURNALS_MAX: ByteCount = ByteCount::mib(128);

/// The size of a table on disk. 16 MiB: one thread writes all tables, and while it merges the
/// newest into the first level, four tables large, new ones wait.
const TABLE_BYTES: ByteCount = ByteCount::mib(16);

/// Waits for the word of a failure, or for the end of whoever would give it.
async fn failure(mut told: watch::Receiver<Option<StoreError>>) -> StoreError {
    match told.wait_for(Option::is_some).await {
        Ok(found) => found.clone().unwrap_or(StoreError::Closed),
        Err(_) => StoreError::Closed,
    }
}

type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

impl Inner {
    /// Returns the namespace of a range and its bounds; `None` where it can hold nothing.
    fn within(&self, range: &Range) -> Option<(&Keyspace, Bounds)> {
        if is_empty(&range.from, &range.to) {
            return None;
        }
        let keyspace = self.keyspaces.of(range.space)?;
        Some((keyspace, (range.from.clone(), range.to.clone())))
    }

    /// Takes rows, found in ascending order, until a page is full.
    fn page(&self, range: &Range, mut found: fjall::Iter) -> Result<Rows, StoreError> {
        let mut page = Rows::default();
        let mut bytes = 0;
        loop {
            let guard = match range.order {
                Order::Ascending => found.next(),
                Order::Descending => found.next_back(),
            };
            let Some(guard) = guard else {
                return Ok(page);
            };
            if page.rows.len() >= range.rows_max || bytes >= range.bytes_max {
                page.more = true;
                return Ok(page);
            }
            let row = guard.into_inner();
            let (key, value) = row.map_err(|error| self.unreadable(error))?;
            bytes += key.len() + value.len();
            page.rows.push((Bytes::from(key), Bytes::from(value)));
        }
    }

    /// Notes that something could not be read: the store has failed.
    fn unreadable(&self, error: fjall::Error) -> StoreError {
        let error = failed(error);
        self.unreadable.send_if_modified(|first| {
            let is_first = first.is_none();
            if is_first {
                tracing::error!(%error, "the store could not be read");
                *first = Some(error.clone());
            }
            is_first
        });
        error
    }
}

impl Keyspaces {
    /// Returns a namespace; `None` where nothing was ever written to it.
    pub(crate) fn of(&self, space: Space) -> Option<&Keyspace> {
        self.cell(space).get()
    }

    /// Returns the namespaces that were ever written to.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Keyspace> {
        self.spaces.iter().filter_map(OnceLock::get)
    }

    /// Returns a namespace, which is made if it is not there.
    pub(crate) fn made(&self, space: Space) -> Result<&Keyspace, fjall::Error> {
        let cell = self.cell(space);
        if let Some(keyspace) = cell.get() {
            return Ok(keyspace);
        }
        let is_there = self.database.keyspace_exists(space.name());
        let options = || tuned(self.memory);
        let keyspace = self.database.keyspace(space.name(), options)?;
        if !is_there {
            // The engine leaves that out. A namespace whose folder is gone is skipped at a start,
            // with all that the journal has for it.
            directory::sync(&self.folder)?;
        }
        Ok(cell.get_or_init(|| keyspace))
    }

    fn cell(&self, space: Space) -> &OnceLock<Keyspace> {
        let [
            items,
            log,
            digests,
            conflicts,
            tombstones,
            meta,
            indexes,
            history,
            backups,
        ] = &*self.spaces;
        match space {
            Space::Items => items,
            Space::Log => log,
            Space::Digests => digests,
            Space::Conflicts => conflicts,
            Space::Tombstones => tombstones,
            Space::Meta => meta,
            Space::Indexes => indexes,
            Space::History => history,
            Space::Backups => backups,
        }
    }
}

pub(crate) fn failed(error: fjall::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}

/// What a store held at one moment.
pub struct FjallPast {
    inner: Arc<Inner>,
    snapshot: Snapshot,
}

impl Rowed for FjallPast {
    async fn range(&self, range: Range) -> Result<Rows, StoreError> {
        let Some((keyspace, bounds)) = self.inner.within(&range) else {
            return Ok(Rows::default());
        };
        let found = self.snapshot.range::<Vec<u8>, _>(keyspace, bounds);
        self.inner.page(&range, found)
    }
}

impl Store for FjallStore {
    type Past = FjallPast;

    fn past(&self) -> FjallPast {
        FjallPast {
            inner: Arc::clone(&self.inner),
            snapshot: self.inner.keyspaces.database.snapshot(),
        }
    }

    async fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let Some(keyspace) = self.inner.keyspaces.of(space) else {
            return Ok(None);
        };
        let found = keyspace.get(key);
        let value = found.map_err(|error| self.inner.unreadable(error))?;
        Ok(value.map(Bytes::from))
    }

    async fn range(&self, range: Range) -> Result<Rows, StoreError> {
        let Some((keyspace, bounds)) = self.inner.within(&range) else {
            return Ok(Rows::default());
        };
        self.inner
            .page(&range, keyspace.range::<Vec<u8>, _>(bounds))
    }

    fn submit(&self, batch: Batch, durability: Durability, done: Completion) {
        self.inner.committer.hand_in(Request::Commit(Waiting {
            batch,
            durability,
            done,
        }));
    }

    fn flushed(&self, done: Completion) {
        self.inner.committer.hand_in(Request::Flushed(done));
    }
}

fn is_empty(from: &Bound<Vec<u8>>, to: &Bound<Vec<u8>>) -> bool {
    match (from, to) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (
            Bound::Included(from) | Bound::Excluded(from),
            Bound::Included(to) | Bound::Excluded(to),
        ) => from >= to,
        (_, Bound::Unbounded) | (Bound::Unbounded, _) => false,
    }
}

#[cfg(test)]
mod tests;
