//! The highest serial that a policy had, kept from start to start: an older policy, however well it is signed, is not
//! obeyed again because somebody plays it back.
//!
//! Bundles count themselves in their manifest (`metadata.claviger.serial`). Where none ever did there is no floor.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};

use super::store;

/// Digits of the largest number, and the end of the line.
const FILE_BYTES_MAX: usize = 21;

/// The floor under one origin's policies for one entrypoint.
pub struct Floor {
    dir: PathBuf,
    name: String,
    level: Mutex<Level>,
}

struct Level {
    /// What is held, or why that is not known.
    lowest: Result<Option<u64>, String>,
    /// What the file says, as far as we know.
    kept: Option<u64>,
}

/// Why a bundle is not taken, though nothing is wrong with it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rollback {
    /// It is older than one that was active.
    #[error("its serial {serial} is below {lowest}, which was active before ({} says so)", place.display())]
    Older {
        /// Its own.
        serial: u64,
        /// The highest so far.
        lowest: u64,
        /// Where that is kept.
        place: PathBuf,
    },
    /// It does not count itself, and others did.
    #[error("it has no serial, and {lowest} was active before ({} says so)", place.display())]
    Uncounted {
        /// The highest so far.
        lowest: u64,
        /// Where that is kept.
        place: PathBuf,
    },
    /// It cannot be known what was active.
    #[error("the serial of the last policy is not known: {}: {why}", place.display())]
    Unknown {
        /// Where it should be.
        place: PathBuf,
        /// What is wrong there.
        why: String,
    },
}

impl Floor {
    /// Reads what is kept in `state_dir` for policies of `origin`, a path or an address, at `entrypoint`. A folder that is
    /// not there yet holds nothing.
    pub fn open(state_dir: &Path, origin: &str, entrypoint: &str) -> Self {
        let of = digest(&SHA256, format!("{origin}\0{entrypoint}").as_bytes());
        let name = format!("serial-{}", hex::encode(&of.as_ref()[..8]));
        let lowest = read(&state_dir.join(&name));
        let kept = lowest.as_ref().ok().copied().flatten();
        Self { dir: state_dir.to_owned(), name, level: Mutex::new(Level { lowest, kept }) }
    }

    /// Whether a policy with this serial may be active.
    ///
    /// # Errors
    /// Why it may not.
    pub fn admit(&self, serial: Option<u64>) -> Result<(), Rollback> {
        let place = || self.dir.join(&self.name);
        let level = self.level();
        let lowest = match &level.lowest {
            Ok(None) => return Ok(()),
            Ok(Some(lowest)) => *lowest,
            Err(why) => return Err(Rollback::Unknown { place: place(), why: why.clone() }),
        };
        match serial {
            Some(serial) if serial >= lowest => Ok(()),
            Some(serial) => Err(Rollback::Older { serial, lowest, place: place() }),
            None => Err(Rollback::Uncounted { lowest, place: place() }),
        }
    }

    /// From here on nothing below `serial` is admitted by this process; [`Floor::keep`] makes it so for the next.
    pub(super) fn raise(&self, serial: Option<u64>) {
        let mut level = self.level();
        if let Ok(lowest) = &mut level.lowest {
            *lowest = (*lowest).max(serial);
        }
    }

    /// Writes the floor to disk, if it rose. After a failure the next call tries again.
    pub(super) fn keep(&self) -> io::Result<()> {
        let rose = |level: &Level| {
            level.lowest.as_ref().ok().copied().flatten().filter(|_| level.lowest != Ok(level.kept))
        };
        let Some(lowest) = rose(&self.level()) else { return Ok(()) };
        store::replace(&self.dir, &self.name, format!("{lowest}\n").as_bytes())?;
        self.level().kept = Some(lowest);
        Ok(())
    }

    fn level(&self) -> MutexGuard<'_, Level> {
        self.level.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> Result<Option<u64>, String> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let number = || {
        let digits = std::str::from_utf8(&text).ok().filter(|text| text.len() <= FILE_BYTES_MAX)?;
        let digits = digits.strip_suffix('\n')?;
        digits.parse().ok().filter(|number: &u64| number.to_string() == digits)
    };
    number().map(Some).ok_or_else(|| "it holds no serial".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_active_is_the_least_that_is_admitted() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Floor::open(folder.path(), "https://b.example/x", "claviger/authz/decision");
        let check = |serial: Option<u64>, admitted: &[Option<u64>], refused: &[Option<u64>]| {
            let floor = open();
            floor.raise(serial);
            for floor in [&floor, &{
                floor.keep().expect("kept");
                open()
            }] {
                admitted.iter().for_each(|serial| assert_eq!(floor.admit(*serial), Ok(()), "{serial:?}"));
                refused.iter().for_each(|serial| assert!(floor.admit(*serial).is_err(), "{serial:?}"));
            }
        };
        check(None, &[None, Some(0), Some(u64::MAX)], &[]);
        assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 0);
        check(Some(0), &[Some(0), Some(1)], &[None]);
        check(Some(7), &[Some(7), Some(8)], &[None, Some(0), Some(6)]);
        check(Some(5), &[Some(7)], &[None, Some(5), Some(6)]);
        check(None, &[Some(7)], &[None, Some(6)]);
        check(Some(u64::MAX), &[Some(u64::MAX)], &[Some(u64::MAX - 1)]);
        let others = [("https://c.example/x", "claviger/authz/decision"), ("https://b.example/x", "other")];
        for (origin, entrypoint) in others {
            assert_eq!(Floor::open(folder.path(), origin, entrypoint).admit(None), Ok(()));
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 1);
    }

    #[test]
    fn what_cannot_be_read_admits_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Floor::open(folder.path(), "/p.tar.gz", "e");
        let place = folder.path().join(open().name);
        for spoilt in
            ["", "7", "7\n\n", "-7\n", "+7\n", "07\n", "seven\n", "99999999999999999999\n", "\u{fffd}\n"]
        {
            std::fs::write(&place, spoilt).expect("written");
            let floor = open();
            floor.raise(Some(u64::MAX));
            floor.keep().expect("there is nothing to keep");
            let refused = floor.admit(Some(u64::MAX));
            assert!(matches!(refused, Err(Rollback::Unknown { .. })), "{spoilt:?}: {refused:?}");
            assert_eq!(std::fs::read_to_string(&place).expect("it is there"), spoilt);
        }
    }

    #[test]
    fn a_full_disk_is_tried_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("state");
        let floor = Floor::open(&dir, "/p.tar.gz", "e");
        floor.raise(Some(7));
        assert!(floor.keep().is_err() && floor.admit(Some(6)).is_err());
        std::fs::create_dir(&dir).expect("made");
        floor.keep().expect("kept");
        assert!(Floor::open(&dir, "/p.tar.gz", "e").admit(Some(6)).is_err());
    }
}
