//! The journal: where a record is safe from the moment it is opened until its line is written, also from kill -9.
//!
//! One file for each worker, its space reserved before anything is served. The file is mapped, so that opening a
//! record costs no system call; what a dead process left in it becomes lines at the next start.

mod free;
mod map;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use map::{SLOT_BYTES, State, word_state};
pub(super) use map::{SLOT_TEXT_BYTES_MAX, Slot, Slots};

use super::line;

/// Requests that one worker can have under way with their records safe.
pub(super) const SLOTS: usize = 2048;

/// What a journal file begins with; its last digit is the version of the layout.
const MAGIC: &[u8] = b"claviger audit journal 1\n";
/// The header takes the place of one slot.
const JOURNAL_BYTES: usize = SLOT_BYTES * (1 + SLOTS);

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

    /// The records that a dead process has left here.
    pub(super) fn leftovers(&mut self) -> Result<Leftovers, JournalError> {
        let mut content = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        (&self.file).take(JOURNAL_BYTES as u64).read_to_end(&mut content)?;
        let mut found = Leftovers::default();
        if content.iter().all(|byte| *byte == 0) {
            return Ok(found);
        }
        if !content.starts_with(MAGIC) {
            return Err(JournalError::Foreign);
        }
        for slot in content.chunks_exact(SLOT_BYTES).skip(1) {
            match left_in(slot) {
                Ok(text) => found.texts.extend(text),
                Err(Unreadable) => found.slots_unreadable += 1,
            }
        }
        Ok(found)
    }

    /// Forgets what is left and gives empty slots, the space for all of them reserved.
    pub(super) fn renew(self) -> io::Result<Arc<Slots>> {
        self.file.set_len(0)?;
        self.reserve()?;
        self.file.write_all_at(MAGIC, 0)?;
        Slots::mapped(self.file, SLOTS)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the file away, for a worker that there is no more.
    pub(super) fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }

    fn reserve(&self) -> io::Result<()> {
        use rustix::fs::{FallocateFlags, fallocate};
        match fallocate(&self.file, FallocateFlags::empty(), 0, JOURNAL_BYTES as u64) {
            Ok(()) => Ok(()),
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => self.write_zeros(),
            Err(error) => Err(error.into()),
        }
    }

    /// Reserves space on file systems that cannot without writing.
    fn write_zeros(&self) -> io::Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        let zeros = [0; SLOT_BYTES];
        (0..=SLOTS).try_for_each(|_| file.write_all(&zeros))
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
