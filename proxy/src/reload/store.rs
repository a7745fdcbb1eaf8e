//! What is kept in the state directory from start to start: the last good bundle of a service, so that a start does not
//! need the service, and whatever else is replaced whole.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use rustix::fs::{AtFlags, Mode, OFlags, open, openat, renameat, unlinkat};

use super::compiler;

/// One service's place in the state directory, which is ours alone.
#[derive(Clone)]
pub(super) struct Store {
    dir: PathBuf,
    /// By the service's address, so that another service's bundle is never taken for its own.
    name: String,
}

impl Store {
    pub(super) fn new(state_dir: &Path, url: &str) -> Self {
        let of = hex::encode(&digest(&SHA256, url.as_bytes()).as_ref()[..8]);
        Self { dir: state_dir.to_owned(), name: format!("bundle-{of}.tar.gz") }
    }

    /// What was kept, if anything.
    pub(super) fn load(&self) -> Option<Bytes> {
        compiler::read_file(&self.dir.join(&self.name)).ok()
    }

    /// Keeps `bundle` in the place of the one before.
    pub(super) fn keep(&self, bundle: &[u8]) -> io::Result<()> {
        replace(&self.dir, &self.name, bundle)
    }
}

/// Writes `content` in the place of what the file held before: after a crash one of the two is there, whole.
pub(super) fn replace(dir: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder: OwnedFd = open(dir, folder, Mode::empty())?;
    let unfinished = format!("{name}.new");
    // a leftover is not written into, whoever made it
    let _ = unlinkat(&folder, &unfinished, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(&folder, &unfinished, flags, Mode::RUSR | Mode::WUSR)?);
    file.write_all(content)?;
    file.sync_all()?;
    renameat(&folder, &unfinished, &folder, name)?;
    Ok(rustix::fs::fsync(&folder)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn keeps_the_last_one_of_each_service_for_us_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = |url| Store::new(folder.path(), url);
        assert_eq!(store("https://a.example/b").load(), None);
        std::fs::write(folder.path().join(format!("{}.new", store("https://a.example/b").name)), "torn")
            .expect("written");
        for bundle in ["one", "two"] {
            store("https://a.example/b").keep(bundle.as_bytes()).expect("kept");
            assert_eq!(store("https://a.example/b").load(), Some(bundle.into()));
        }
        assert_eq!(store("https://a.example/c").load(), None);
        let files: Vec<_> = std::fs::read_dir(folder.path()).expect("there").flatten().collect();
        let [file] = files.as_slice() else { panic!("{files:?}") };
        assert_eq!(file.metadata().expect("there").permissions().mode() & 0o777, 0o600);
        let gone = Store::new(&folder.path().join("gone"), "https://a.example/b");
        assert!(gone.keep(b"one").is_err() && gone.load().is_none());
    }
}
