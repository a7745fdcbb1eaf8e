//! Who is at the other end of a unix socket: what the kernel noted when the peer connected.

mod pidfd;

use std::io;
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::net::UnixStream;

/// The process that connected, as it was then.
#[derive(Debug)]
pub struct UnixPeer {
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its number; 0 for a process of a namespace that we do not see.
    pub pid: u32,
    /// A handle that stays that process's when the number is given to another.
    pub pidfd: Option<OwnedFd>,
}

impl UnixPeer {
    /// Whether the process that connected still runs. A process that the kernel gives no handle on is taken to run:
    /// its socket is all that speaks for it.
    pub fn still_alive(&self) -> bool {
        self.pidfd.as_ref().is_none_or(still_alive)
    }
}

/// Asks the kernel who connected.
pub fn peer(stream: &UnixStream) -> io::Result<UnixPeer> {
    let noted = stream.peer_cred()?;
    let pid = noted.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
    let pidfd = pidfd::of_peer(stream).or_else(|| opened(pid));
    Ok(UnixPeer { uid: noted.uid(), gid: noted.gid(), pid, pidfd })
}

/// A handle on the process that has this number now, for kernels that note none on the socket.
fn opened(pid: u32) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// A pidfd becomes readable when its process ends.
fn still_alive(pidfd: &OwnedFd) -> bool {
    const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&NOW)), Ok(0))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::process::{Command, Stdio};

    use super::*;

    #[tokio::test]
    async fn the_peer_is_this_process() {
        let (ours, _theirs) = UnixStream::pair().expect("a pair");
        let peer = peer(&ours).expect("noted");
        assert_eq!(peer.uid, rustix::process::getuid().as_raw());
        assert_eq!(peer.gid, rustix::process::getgid().as_raw());
        assert_eq!(peer.pid, std::process::id());
        assert!(peer.still_alive());
    }

    #[tokio::test]
    async fn a_peer_that_has_ended_is_not_alive() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).expect("bound");
        let connect =
            "import os,socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.recv(1)";
        let mut child = Command::new("python3")
            .args(["-c", connect])
            .arg(&path)
            .stdin(Stdio::null())
            .spawn()
            .expect("python3");
        let (stream, _) = listener.accept().expect("connected");
        stream.set_nonblocking(true).expect("set");
        let peer = peer(&UnixStream::from_std(stream).expect("registered")).expect("noted");
        assert_eq!(peer.pid, child.id());
        assert!(peer.still_alive());
        child.kill().expect("running");
        child.wait().expect("ours");
        assert!(!peer.still_alive());
    }

    #[tokio::test]
    async fn both_ways_to_a_handle_agree() {
        let (ours, _theirs) = UnixStream::pair().expect("a pair");
        let fallback = opened(std::process::id()).expect("a kernel with pidfd_open");
        assert!(still_alive(&fallback));
        assert!(pidfd::of_peer(&ours).as_ref().is_none_or(still_alive));
        assert!(opened(0).is_none());
    }
}
