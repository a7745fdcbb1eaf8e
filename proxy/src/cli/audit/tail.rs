//! Follows a file that is being written: shows its last lines, and then each line when it is whole.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::line::Look;
use crate::audit::verify::LINE_BYTES_MAX;

/// How often the file is looked at.
const POLL: Duration = Duration::from_millis(200);
/// How far back the first lines are looked for.
const HISTORY_BYTES_MAX: u64 = 16 << 20;
/// How much is read at once.
const STEP_BYTES: u64 = 1 << 20;

/// Shows `lines` lines of the file at `path` and all that come, until nobody reads them any more.
pub(super) fn follow(path: &Path, lines: usize, look: Look) -> io::Result<()> {
    let mut tail = Tail::open(path)?;
    let mut whole = tail.last(lines)?;
    let mut out = io::stdout().lock();
    loop {
        let shown: Vec<u8> = whole.iter().flat_map(|line| look.show(line)).collect();
        if out.write_all(&shown).and_then(|()| out.flush()).is_err() {
            return Ok(());
        }
        whole = tail.new_lines()?;
        if whole.is_empty() {
            std::thread::sleep(POLL);
        }
    }
}

/// A file and how much of it was shown.
struct Tail {
    path: PathBuf,
    file: File,
    /// The end of the last whole line that was read. What follows may yet be cut off and written anew.
    read: u64,
}

impl Tail {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: File::open(path)?, read: 0 })
    }

    /// The last `count` lines that are there.
    fn last(&mut self, count: usize) -> io::Result<Vec<Vec<u8>>> {
        self.read = self.file.metadata()?.len().saturating_sub(HISTORY_BYTES_MAX);
        let mut lines = Vec::new();
        loop {
            let more = self.read_lines()?;
            if more.is_empty() {
                return Ok(lines);
            }
            lines.extend(more);
            lines.drain(..lines.len().saturating_sub(count));
        }
    }

    /// Lines that have become whole since the last look, also in a file that has taken the place of this one.
    fn new_lines(&mut self) -> io::Result<Vec<Vec<u8>>> {
        if self.file.metadata()?.len() < self.read {
            // Emptied, to begin anew.
            self.read = 0;
        }
        let lines = self.read_lines()?;
        if lines.is_empty() {
            self.reopen()?;
        }
        Ok(lines)
    }

    /// Goes to the file that has this name now. A name that is gone for the moment is waited for.
    fn reopen(&mut self) -> io::Result<()> {
        let ours = self.file.metadata()?;
        match std::fs::metadata(&self.path) {
            Ok(named) if (named.dev(), named.ino()) != (ours.dev(), ours.ino()) => {
                *self = Self::open(&self.path)?
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The next whole lines; none at the end of the file.
    fn read_lines(&mut self) -> io::Result<Vec<Vec<u8>>> {
        self.file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        loop {
            let taken = (&self.file).take(STEP_BYTES).read_to_end(&mut bytes)?;
            if let Some(end) = memchr::memrchr(b'\n', &bytes) {
                bytes.truncate(end + 1);
                self.read += bytes.len() as u64;
                return Ok(bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect());
            }
            if taken == 0 {
                return Ok(Vec::new());
            }
            if bytes.len() > LINE_BYTES_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is longer than any record"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_are_shown_once_they_are_whole_through_cuts_and_changes_of_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit.jsonl");
        fs::write(&path, "1\n2\n3\n4").expect("written");
        let mut tail = Tail::open(&path).expect("there");
        let text = |lines: Vec<Vec<u8>>| String::from_utf8(lines.concat()).expect("ASCII");
        assert_eq!(text(tail.last(2).expect("read")), "2\n3\n");
        assert_eq!(text(tail.new_lines().expect("read")), "");
        let append = |bytes: &str| {
            File::options()
                .append(true)
                .open(&path)
                .expect("there")
                .write_all(bytes.as_bytes())
                .expect("written");
        };
        append("4\n5\n6");
        assert_eq!(text(tail.new_lines().expect("read")), "44\n5\n");
        assert_eq!(text(tail.new_lines().expect("read")), "");
        File::options().write(true).open(&path).expect("there").set_len(11).expect("cut to whole lines");
        append("7\n");
        assert_eq!(text(tail.new_lines().expect("read")), "7\n");
        fs::rename(&path, folder.path().join("old")).expect("moved");
        assert_eq!(text(tail.new_lines().expect("waits")), "");
        fs::write(&path, "8\n").expect("written");
        assert_eq!(text(tail.new_lines().expect("changes over")), "");
        assert_eq!(text(tail.new_lines().expect("read")), "8\n");
        fs::write(&path, "").expect("emptied");
        assert_eq!(text(tail.new_lines().expect("read")), "");
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error_at_first() {
        assert!(Tail::open(Path::new("/nowhere/audit.jsonl")).is_err());
    }
}
