//! The journal: where a record is safe from the moment it is opened until its line is written, also from kill -9.
//!
//! One file for each worker, its space reserved before anything is served. The file is mapped, so that opening a
//! record costs no system call; what a dead process left in it becomes lines at the next start.

mod free;
mod map;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use map::{SLOT_BYTES, State, word_state};
pub(super) use map::{SLOT_TEXT_BYTES_MAX, Slot, Slots};

use super::line;

/// What a journal file begins with; its last digit is the version of the layout.
const MAGIC: &[u8] = b"claviger audit journal 1\n";
/// How much is read at once of what a dead process has left.
const READ_BYTES: usize = 32 * SLOT_BYTES;

/// A journal file that this process alone has open.
pub(super) struct JournalFile {
    path: PathBuf,
    file: File,
}

/// What a dead process left.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Leftovers {
    /// The texts of records whose lines may not have been written.
    pub(super) texts: Vec<Vec<u8>>,
    /// Slots that hold no text.
    pub(super) slots_unreadable: u64,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has it.
    #[error("another process uses this state directory")]
    InUse,
    /// The file is none of ours.
    #[error("the file is not an audit journal of this version: move it away")]
    Foreign,
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl JournalFile {
    /// Opens or creates the journal at `path` and locks it.
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), file }),
            Err(TryLockError::WouldBlock) => Err(JournalError::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// The records that a dead process has left here, in however many slots it had.
    pub(super) fn leftovers(&mut self) -> Result<Leftovers, JournalError> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut content = BufReader::with_capacity(READ_BYTES, &self.file);
        let mut header = Vec::with_capacity(SLOT_BYTES);
        content.by_ref().take(SLOT_BYTES as u64).read_to_end(&mut header)?;
        if !header.starts_with(MAGIC) {
            let empty = is_zero(&header) && only_zeros(&mut content)?;
            return if empty { Ok(Leftovers::default()) } else { Err(JournalError::Foreign) };
        }
        let mut found = Leftovers::default();
        let mut slot = [0; SLOT_BYTES];
        while whole(content.read_exact(&mut slot))? {
            match left_in(&slot) {
                Ok(text) => found.texts.extend(text),
                Err(Unreadable) => found.slots_unreadable += 1,
            }
        }
        Ok(found)
    }

    /// Forgets what is left and gives `count` empty slots, the space for all of them reserved.
    pub(super) fn renew(self, count: usize) -> io::Result<Arc<Slots>> {
        self.file.set_len(0)?;
        self.reserve(count)?;
        self.file.write_all_at(MAGIC, 0)?;
        Slots::mapped(self.file, count)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the file away, for a worker that there is no more.
    pub(super) fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }

    /// Reserves the space of `count` slots; the header takes that of one more.
    fn reserve(&self, count: usize) -> io::Result<()> {
        use rustix::fs::{FallocateFlags, fallocate};
        let bytes = SLOT_BYTES as u64 * (1 + count as u64);
        match fallocate(&self.file, FallocateFlags::empty(), 0, bytes) {
            Ok(()) => Ok(()),
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => self.write_zeros(count),
            Err(error) => Err(error.into()),
        }
    }

    /// Reserves space on file systems that cannot without writing.
    fn write_zeros(&self, count: usize) -> io::Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        let zeros = [0; SLOT_BYTES];
        (0..=count).try_for_each(|_| file.write_all(&zeros))
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// Whether the rest of `content` holds nothing: a process died after it reserved the space.
fn only_zeros(content: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let step = content.fill_buf()?;
        if step.is_empty() || !is_zero(step) {
            return Ok(step.is_empty());
        }
        let bytes = step.len();
        content.consume(bytes);
    }
}

/// Whether there was all that was to be read; what a cut file has less of is no slot.
fn whole(read: io::Result<()>) -> io::Result<bool> {
    match read {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// A slot that is in use and yet holds nothing that could be a record.
struct Unreadable;

/// The text that `slot` holds, if any, complete as far as it can be.
fn left_in(slot: &[u8]) -> Result<Option<Vec<u8>>, Unreadable> {
    let (word, text) = slot.split_first_chunk().ok_or(Unreadable)?;
    let Some((state, length)) = word_state(u32::from_ne_bytes(*word)) else { return Ok(None) };
    let mut text = text.get(..length).ok_or(Unreadable)?.to_vec();
    if state == State::Open {
        line::interrupted(&mut text);
    }
    let object = [b"{", text.as_slice(), b"}"].concat();
    serde_json::from_slice::<serde::de::IgnoredAny>(&object).map_err(|_| Unreadable)?;
    line::id_in(&text).ok_or(Unreadable)?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests;
