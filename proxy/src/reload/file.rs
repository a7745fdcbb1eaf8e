//! A bundle file that is replaced: by a rename, in place, or, as Kubernetes does, by turning a link to another folder.
//!
//! The kernel wakes us when something happens in the file's folder. What it does not tell (a link that leads elsewhere, a
//! network file system) is seen by looking at the file itself now and then.

use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, Event, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;
use tokio::time::{sleep, timeout};

use super::compiler::{Unloadable, read_file};
use super::{Change, Reloader};
use crate::admin::metrics::ReloadResult;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// A change is over when nothing has happened for so long, or for so long at most.
const QUIET: Duration = Duration::from_millis(25);
const QUIET_TIMES_MAX: u32 = 40;
const EVENTS_BYTES: usize = 8 << 10;

/// Which file a name leads to, and in which state.
type Stamp = (u64, u64, u64, i64, i64, i64, i64);

/// Takes every change of the file at `path`.
pub(super) async fn follow(path: PathBuf, reloader: Reloader) {
    let mut seen = Seen::Nothing;
    loop {
        // what changes from here on is seen by the stamp or by the folder
        let folder = Folder::of(&path);
        loop {
            let stamp = stamp(&path);
            if seen != Seen::Stamp(stamp) {
                seen = Seen::Stamp(stamp);
                reload(&path, &reloader).await;
            }
            match &folder {
                Some(folder) => match folder.change().await {
                    Wake::Change => seen = Seen::Nothing,
                    Wake::Look => {}
                    Wake::Lost => break,
                },
                None => {
                    sleep(LOOK).await;
                    break;
                }
            }
        }
    }
}

#[derive(PartialEq, Eq)]
enum Seen {
    Nothing,
    Stamp(Option<Stamp>),
}

async fn reload(path: &Path, reloader: &Reloader) {
    let (file, standing) = (path.to_owned(), reloader.standing.clone());
    standing.looks();
    let read = move || {
        let bytes = read_file(&file)?;
        standing.answered();
        standing.came(bytes.len());
        Ok(bytes)
    };
    let taken = reloader.take_from(read).await;
    if let Err(error) = &taken {
        reloader.standing.failed(error.to_string(), None);
    }
    let result = match taken {
        Ok(Change::Activated) => ReloadResult::activated,
        Ok(Change::Unchanged) => ReloadResult::unchanged,
        Err(Unloadable::Unread(error)) => {
            tracing::warn!(path = %path.display(), %error, "the bundle cannot be read; the policy stays as it is");
            ReloadResult::unavailable
        }
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "the new bundle is refused; the policy stays as it is");
            ReloadResult::invalid
        }
    };
    reloader.settle().await;
    reloader.count(result);
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(path).ok()?;
    Some((
        found.dev(),
        found.ino(),
        found.size(),
        found.mtime(),
        found.mtime_nsec(),
        found.ctime(),
        found.ctime_nsec(),
    ))
}

/// The folder that the file's name stands in.
struct Folder {
    events: AsyncFd<OwnedFd>,
    name: OsString,
}

/// What is worth a look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wake {
    /// The file was written or replaced, even where its stamp does not show it.
    Change,
    /// Something else happened beside it, or nothing for a while.
    Look,
    /// The folder itself is gone, or was replaced.
    Lost,
}

impl Folder {
    /// `None` where it cannot be watched.
    fn of(path: &Path) -> Option<Self> {
        let folder = path.parent().filter(|parent| *parent != OsStr::new("")).unwrap_or(Path::new("."));
        let watched = (|| -> io::Result<Self> {
            let queue = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
            let happenings = WatchFlags::CLOSE_WRITE
                | WatchFlags::CREATE
                | WatchFlags::MOVE
                | WatchFlags::DELETE
                | WatchFlags::DELETE_SELF
                | WatchFlags::MOVE_SELF;
            inotify::add_watch(&queue, folder, happenings | WatchFlags::ONLYDIR)?;
            let name = path.file_name().unwrap_or_default().to_owned();
            Ok(Self { events: registered(queue)?, name })
        })();
        watched.inspect_err(|error| tracing::debug!(%error, "the bundle's folder cannot be watched")).ok()
    }

    async fn change(&self) -> Wake {
        let Ok(mut wake) = timeout(LOOK, self.happened()).await else { return Wake::Look };
        for _ in 0..QUIET_TIMES_MAX {
            let Ok(next) = timeout(QUIET, self.happened()).await else { break };
            wake = wake.or(next);
        }
        wake
    }

    /// Waits for something to happen.
    async fn happened(&self) -> Wake {
        let Ok(mut ready) = self.events.readable().await else { return Wake::Lost };
        let mut room = [MaybeUninit::uninit(); EVENTS_BYTES];
        let mut reader = Reader::new(self.events.get_ref(), &mut room);
        let mut wake = Wake::Look;
        loop {
            match reader.next() {
                Ok(event) => wake = wake.or(self.meaning(&event)),
                Err(Errno::AGAIN) => {
                    ready.clear_ready();
                    return wake;
                }
                Err(_) => return Wake::Lost,
            }
        }
    }

    fn meaning(&self, event: &Event<'_>) -> Wake {
        let lost = ReadFlags::IGNORED | ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT;
        if event.events().intersects(lost) {
            return Wake::Lost;
        }
        // an event without a name, as of a queue that ran over, may be about anything
        let own = event.file_name().is_none_or(|name| name.to_bytes() == self.name.as_bytes());
        if own { Wake::Change } else { Wake::Look }
    }
}

impl Wake {
    /// The more telling of the two.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Lost, _) | (_, Self::Lost) => Self::Lost,
            (Self::Change, _) | (_, Self::Change) => Self::Change,
            (Self::Look, Self::Look) => Self::Look,
        }
    }
}

#[expect(
    deprecated,
    reason = "sound for a descriptor that stays open and the same, and its successor is unsafe to call"
)]
fn registered(queue: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(queue)
}
