//! Lines in a file of this process alone, which a start continues where the last process left it.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::Sink;
use crate::audit::chain::{Chain, Link};
use crate::audit::line;
use crate::audit::verify::LINE_BYTES_MAX;

/// How far back a start looks for the ids of records that a dead process had written already.
const RECENT_BYTES: u64 = 8 << 20;
/// How much is read at once when looking for the start of a line.
const STEP_BYTES: u64 = 64 << 10;

/// The audit file, locked and mended.
#[derive(Debug)]
pub(in crate::audit) struct AuditFile {
    file: File,
    /// The length of all whole lines.
    length: u64,
    /// Whether something of a failed write may follow them.
    torn: bool,
}

/// An audit file as a start found it.
#[derive(Debug)]
pub(in crate::audit) struct Found {
    /// The file, ready for lines.
    pub(in crate::audit) file: AuditFile,
    /// The chain, to go on from.
    pub(in crate::audit) chain: Chain,
    /// How much of a torn last line was cut off.
    pub(in crate::audit) torn_bytes: u64,
    /// The ids of the last records.
    pub(in crate::audit) recent: HashSet<Vec<u8>>,
}

/// Why a file cannot be the audit file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A device, a pipe or a folder.
    #[error("it is not a regular file")]
    NotRegular,
    /// Another process has it.
    #[error("another process writes it")]
    InUse,
    /// Its end is not what we, or anyone like us, wrote.
    #[error("its last line is no record as it was written: move the file away to begin a new one")]
    Corrupt,
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A file that is ours, as the last process left it: nothing in it has been touched yet.
#[derive(Debug)]
pub(in crate::audit) struct LockedFile {
    path: PathBuf,
    file: File,
}

impl LockedFile {
    /// Opens or creates the file at `path` and locks it.
    pub(in crate::audit) fn open(path: &Path) -> Result<Self, FileError> {
        Ok(Self { path: path.to_owned(), file: open_locked(path)? })
    }

    pub(in crate::audit) fn path(&self) -> &Path {
        &self.path
    }

    /// Mends its end, so that the next line can follow.
    pub(in crate::audit) fn mend(self) -> Result<Found, FileError> {
        let Self { path, file } = self;
        let (length, torn) = split_end(&file)?;
        let chain = match last_line(&file, length)? {
            Some(line) => Chain::after(&Link::read(&line).map_err(|_| FileError::Corrupt)?),
            None if Chain::may_begin_with(&torn) => Chain::new(),
            None => return Err(FileError::Corrupt),
        };
        if !torn.is_empty() {
            keep_torn(&path, &torn)?;
            file.set_len(length)?;
        }
        let recent = recent_ids(&file, length)?;
        let file = AuditFile { file, length, torn: false };
        Ok(Found { file, chain, torn_bytes: torn.len() as u64, recent })
    }
}

impl AuditFile {
    /// Cuts the file back to its last whole line after a write that failed.
    fn cut(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.length)?;
            self.torn = false;
        }
        Ok(())
    }
}

impl Sink for AuditFile {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.cut()?;
        if let Err(error) = self.file.write_all(lines) {
            self.torn = true;
            self.cut()?;
            return Err(error);
        }
        self.length += lines.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn open_locked(path: &Path) -> Result<File, FileError> {
    let no_wait = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).expect("an open flag is an int");
    let mut options = OpenOptions::new();
    // Without waiting, as opening a pipe would wait for its reader.
    options.read(true).append(true).create(true).mode(0o600).custom_flags(no_wait);
    let file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => return Err(FileError::NotRegular),
        opened => opened?,
    };
    if !file.metadata()?.is_file() {
        return Err(FileError::NotRegular);
    }
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FileError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// The length of all whole lines, and what follows them.
fn split_end(file: &File) -> Result<(u64, Vec<u8>), FileError> {
    let end = file.metadata()?.len();
    let length = line_start(file, end)?;
    Ok((length, read(file, length, end)?))
}

/// The last whole line, without its line feed, of the first `length` bytes.
fn last_line(file: &File, length: u64) -> Result<Option<Vec<u8>>, FileError> {
    let Some(end) = length.checked_sub(1) else { return Ok(None) };
    let start = line_start(file, end)?;
    Ok(Some(read(file, start, end)?))
}

/// Where the line that holds the byte before `end` begins.
fn line_start(file: &File, end: u64) -> Result<u64, FileError> {
    let mut from = end;
    while from > 0 {
        if end - from > LINE_BYTES_MAX as u64 {
            return Err(FileError::Corrupt);
        }
        let step = from.saturating_sub(STEP_BYTES);
        if let Some(at) = memchr::memrchr(b'\n', &read(file, step, from)?) {
            return Ok(step + at as u64 + 1);
        }
        from = step;
    }
    Ok(0)
}

fn read(file: &File, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(to - from).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
}

/// Puts a torn line beside the file before it is cut off, after any that were put there before.
fn keep_torn(path: &Path, torn: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".torn");
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(PathBuf::from(beside))?;
    file.write_all(&[torn, b"\n"].concat())?;
    file.sync_data()
}

/// The ids in the last lines of the first `length` bytes.
fn recent_ids(file: &File, length: u64) -> io::Result<HashSet<Vec<u8>>> {
    let bytes = read(file, length.saturating_sub(RECENT_BYTES), length)?;
    Ok(bytes.split(|byte| *byte == b'\n').filter_map(line::id_in).map(<[u8]>::to_vec).collect())
}

#[cfg(test)]
mod tests;
