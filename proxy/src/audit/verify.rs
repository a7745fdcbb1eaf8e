//! Reads finished files as a stranger would, and names the first line that is not what it was.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::chain::{Broken, Hash, Link};

/// Longer than any line that we write.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// What the reader knows of a chain from elsewhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known {
    /// The hash that the chain goes on from, where older records are archived elsewhere.
    pub from: Option<Hash>,
    /// The hash that the chain must end with.
    pub head: Option<Hash>,
}

/// Why a chain could not be found good.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A line is not what it was.
    #[error("{}:{line}: {broken}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1.
        line: u64,
        /// What broke.
        broken: Broken,
    },
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Checks `files`, which continue each other in this order. Gives the number of records.
pub fn verify(files: &[PathBuf], known: Known) -> Result<u64, Fault> {
    let mut walk = Walk { last: None, head: known.from.unwrap_or(Hash::ZERO), known };
    let mut records = 0;
    let mut end = (PathBuf::new(), 0);
    for path in files {
        let lines = walk.file(path)?;
        records += lines;
        end = (path.clone(), lines);
    }
    match known.head {
        Some(head) if head != walk.head => {
            Err(Fault::Broken { path: end.0, line: end.1.max(1), broken: Broken::Headless })
        }
        Some(_) | None => Ok(records),
    }
}

/// Where the reader is in the chain.
struct Walk {
    /// The number of the last record.
    last: Option<u64>,
    head: Hash,
    known: Known,
}

impl Walk {
    fn file(&mut self, path: &Path) -> Result<u64, Fault> {
        let unreadable = |source| Fault::Unreadable { path: path.to_owned(), source };
        let mut reader = BufReader::with_capacity(1 << 16, File::open(path).map_err(unreadable)?);
        let mut line = Vec::new();
        let mut lines = 0;
        loop {
            line.clear();
            reader.by_ref().take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut line).map_err(unreadable)?;
            if line.is_empty() {
                return Ok(lines);
            }
            lines += 1;
            self.line(&line).map_err(|broken| Fault::Broken {
                path: path.to_owned(),
                line: lines,
                broken,
            })?;
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Broken> {
        let Some(line) = line.strip_suffix(b"\n") else {
            return Err(if line.len() < LINE_BYTES_MAX { Broken::Torn } else { Broken::TooLong });
        };
        let link = Link::read(line)?;
        match self.last {
            None if self.known.from.is_none() && link.seq != 1 => return Err(Broken::Beheaded),
            Some(before) if Some(link.seq) != before.checked_add(1) => {
                return Err(Broken::Seq { before, found: link.seq });
            }
            None | Some(_) => {}
        }
        if link.prev != self.head {
            return Err(Broken::Unlinked);
        }
        self.last = Some(link.seq);
        self.head = link.hash;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
