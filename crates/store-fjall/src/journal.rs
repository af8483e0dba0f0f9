//! The engine's journals, read before the engine reads them: what a crash left, and damage.
//!
//! It decides whether a directory may be opened; it applies no write.
//!
//! ```text
//! journal   batch  batch  batch  batch  ▒▒▒▒▒  batch …
//!                           ▲           ▲
//!   known to be on disk ────┘           └── the first that is not whole
//!   (the mark)                              after the mark, in the newest journal: cut off
//!                                           anywhere else: damage, and nothing is changed
//! ```
//!
//! The engine takes most of what it cannot read for the end of a journal, and cuts the journal off
//! there: one flipped bit would silently take every later write with it. Where a crash left the
//! end of the last batch without its middle, it does not open at all. Source: fjall's journal.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use crate::mark::Mark;

/// What is wrong with a journal.
#[derive(Debug)]
pub(crate) enum JournalError {
    /// Writes that were on disk are damaged, or behind what is damaged.
    Damaged {
        /// The journal.
        file: PathBuf,
        /// Its first byte that is not of a whole batch.
        at: u64,
    },
    /// It could not be read.
    Io(io::Error),
}

impl From<io::Error> for JournalError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads all journals in `folder`, and cuts off what a crash left of batches that nobody was told
/// of. No process may have them open.
///
/// Errors: [`JournalError`]; nothing is changed then.
pub(crate) fn judge(folder: &Path, mark: Option<Mark>) -> Result<(), JournalError> {
    let journals = list(folder)?;
    let newest = journals.last().map(|(number, _)| *number);
    if let Some(mark) = mark
        && newest.is_none_or(|newest| newest < mark.journal)
    {
        let file = path(folder, mark.journal);
        return Err(JournalError::Damaged { file, at: 0 });
    }
    let mut before = None;
    for (number, file) in journals {
        let marked = mark.filter(|mark| mark.journal == number);
        let mut unseen = marked.map(|mark| mark.batch);
        let mut batches = Batches::open(&file, before)?;
        while batches.next()? {
            unseen = unseen.filter(|batch| batches.last != Some(*batch));
        }
        let (at, last) = (batches.end, batches.last);
        // The engine begins a journal once the one before is on disk.
        let is_sealed = Some(number) != newest;
        let whole = unseen.is_none() && (!is_sealed || is_empty_from(&file, at)?);
        if !whole {
            return Err(JournalError::Damaged { file, at });
        }
        if !is_sealed && !is_empty_at(&file, at)? {
            tracing::warn!(
                ?file,
                at,
                "a crash left part of a write that was not acknowledged"
            );
            let journal = OpenOptions::new().write(true).open(&file)?;
            journal.set_len(at)?;
            journal.sync_all()?;
        }
        before = last;
    }
    Ok(())
}

/// Removes what the engine's making of `folder` left that was cut short: it would neither go on
/// with it nor begin again.
///
/// Errors: [`JournalError`], also where the engine would make a folder anew that was written to;
/// nothing is changed then.
pub(crate) fn clear_unfinished(folder: &Path) -> Result<(), JournalError> {
    let version = folder.join(VERSION);
    let bytes = match fs::metadata(&version) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        found => Some(found?.len()),
    };
    if bytes.is_some_and(|bytes| 0 < bytes) {
        return Ok(());
    }
    let keyspaces = folder.join(KEYSPACES);
    let mut was_used = keyspaces.exists() && fs::read_dir(keyspaces)?.next().is_some();
    let journals = list(folder)?;
    for (_, file) in &journals {
        was_used = was_used || !is_empty_from(file, 0)?;
    }
    if was_used {
        let (file, at) = (version, 0);
        return Err(JournalError::Damaged { file, at });
    }
    for (_, file) in journals {
        fs::remove_file(file)?;
    }
    if bytes.is_some() {
        fs::remove_file(version)?;
    }
    Ok(())
}

/// Returns the number of the newest journal in `folder`.
pub(crate) fn newest(folder: &Path) -> io::Result<Option<u64>> {
    Ok(list(folder)?.last().map(|(number, _)| *number))
}

/// Returns the number of a journal's first batch; `None` while it has none.
pub(crate) fn first(folder: &Path, number: u64) -> io::Result<Option<u64>> {
    let mut batches = Batches::open(&path(folder, number), None)?;
    match batches.begin() {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        begun => Ok(begun?.map(|(_, number)| number)),
    }
}

/// Returns the path of a journal.
pub(crate) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number}.{EXTENSION}"))
}

/// Returns the journals of a folder by number; none where there is no folder.
fn list(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        entries => entries?,
    };
    let mut journals = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let number = path
            .file_stem()
            .and_then(|stem| stem.to_str()?.parse().ok());
        if let Some(number) = number
            && path.extension().is_some_and(|found| found == EXTENSION)
        {
            journals.push((number, path));
        }
    }
    journals.sort_unstable();
    Ok(journals)
}

/// Returns whether a journal ends at `at`, or has the room there that was kept for it.
fn is_empty_at(file: &Path, at: u64) -> io::Result<bool> {
    let mut rest = [0; 1];
    let read = after(file, at)?.read(&mut rest)?;
    Ok(rest.iter().take(read).all(|byte| *byte == 0))
}

/// Returns whether nothing but that room follows up to a journal's end.
fn is_empty_from(file: &Path, at: u64) -> io::Result<bool> {
    let mut rest = after(file, at)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let zeros = vec![0; CHUNK_BYTES];
    loop {
        let read = rest.read(&mut chunk)?;
        if read == 0 {
            return Ok(true);
        }
        if chunk.get(..read) != zeros.get(..read) {
            return Ok(false);
        }
    }
}

fn after(file: &Path, at: u64) -> io::Result<File> {
    let mut file = File::open(file)?;
    io::Seek::seek(&mut file, io::SeekFrom::Start(at))?;
    Ok(file)
}

/// The whole batches of a journal, one after the other.
///
/// ```text
/// batch = 1 count:u32 number:u64 item… 3 checksum-of-items:u64 TRAILER
/// item  = 2 kind:u8 compression:u8 keyspace:u64 key:u16 value:u32 stored:u32 key… stored…
///       │ 4 keyspace:u64
/// ```
struct Batches {
    from: BufReader<File>,
    position: u64,
    /// Where the last whole batch ends.
    end: u64,
    /// The number of the last whole batch, or of the last in the journal before.
    last: Option<u64>,
}

impl Batches {
    fn open(file: &Path, last: Option<u64>) -> io::Result<Self> {
        Ok(Self {
            from: BufReader::with_capacity(CHUNK_BYTES, File::open(file)?),
            position: 0,
            end: 0,
            last,
        })
    }

    /// Reads the next batch; false where there is no whole one, or where its number is not above
    /// those before: the checksum does not cover it.
    fn next(&mut self) -> io::Result<bool> {
        let number = match self.batch() {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => None,
            number => number?,
        };
        let Some(number) = number.filter(|number| self.last < Some(*number)) else {
            return Ok(false);
        };
        (self.end, self.last) = (self.position, Some(number));
        Ok(true)
    }

    /// Reads how many items a batch has, and its number.
    fn begin(&mut self) -> io::Result<Option<(u32, u64)>> {
        let ([START], count, number) = (self.bytes()?, self.bytes()?, self.bytes()?) else {
            return Ok(None);
        };
        Ok(Some((
            u32::from_le_bytes(count),
            u64::from_le_bytes(number),
        )))
    }

    fn batch(&mut self) -> io::Result<Option<u64>> {
        let Some((count, number)) = self.begin()? else {
            return Ok(None);
        };
        let mut sum = Xxh3::new();
        for _ in 0..count {
            if !self.item(&mut sum)? {
                return Ok(None);
            }
        }
        let ([END], checksum, TRAILER) = (self.bytes()?, self.bytes()?, self.bytes()?) else {
            return Ok(None);
        };
        let is_whole = u64::from_le_bytes(checksum) == sum.digest();
        Ok(is_whole.then_some(number))
    }

    fn item(&mut self, sum: &mut Xxh3) -> io::Result<bool> {
        match self.summed(sum)? {
            [ITEM] => {
                let _kind_compression_keyspace: [u8; 10] = self.summed(sum)?;
                let key = u16::from_le_bytes(self.summed(sum)?);
                let _value: [u8; 4] = self.summed(sum)?;
                let stored = u32::from_le_bytes(self.summed(sum)?);
                self.skip(u64::from(key) + u64::from(stored), sum)?;
                Ok(true)
            }
            [CLEAR] => {
                self.skip(8, sum)?;
                Ok(true)
            }
            [_] => Ok(false),
        }
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes)?;
        self.position += N as u64;
        Ok(bytes)
    }

    fn summed<const N: usize>(&mut self, sum: &mut Xxh3) -> io::Result<[u8; N]> {
        let bytes = self.bytes()?;
        sum.update(&bytes);
        Ok(bytes)
    }

    fn skip(&mut self, mut left: u64, sum: &mut Xxh3) -> io::Result<()> {
        while 0 < left {
            let read = self.from.fill_buf()?;
            let some = usize::try_from(left).map_or(read.len(), |left| left.min(read.len()));
            if some == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            sum.update(read.get(..some).unwrap_or_default());
            self.from.consume(some);
            self.position += some as u64;
            left -= some as u64;
        }
        Ok(())
    }
}

/// What the engine writes last when it makes a folder.
const VERSION: &str = "version";

/// Where the engine's tables are.
pub(crate) const KEYSPACES: &str = "keyspaces";

/// What journals' names end with.
const EXTENSION: &str = "jnl";

/// How much of a journal is in memory at a time. 64 KiB.
const CHUNK_BYTES: usize = 64 << 10;

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;

/// What a whole batch ends with.
const TRAILER: [u8; 4] = *b"FJL\x03";

#[cfg(test)]
mod tests;
