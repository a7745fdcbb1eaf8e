//! SO_PEERPIDFD (Linux 6.5): the peer's pidfd from the socket itself, so that no reused process number can come
//! between. The only `unsafe` of identity; the safe libraries do not have this option yet.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use tokio::net::UnixStream;

/// The handle that the kernel noted when the peer connected; `None` where it cannot tell.
#[expect(unsafe_code, reason = "no safe library has this socket option")]
pub(super) fn of_peer(stream: &UnixStream) -> Option<OwnedFd> {
    let mut raw: libc::c_int = -1;
    let mut length = libc::socklen_t::try_from(size_of_val(&raw)).expect("an int is short");
    // SAFETY: the descriptor is open as long as `stream` is borrowed; `raw` and `length` outlive the call, and
    // `length` says how much room `raw` has.
    let result = unsafe {
        let value = (&raw mut raw).cast();
        libc::getsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERPIDFD, value, &raw mut length)
    };
    if result != 0 || raw < 0 {
        return None;
    }
    // SAFETY: the kernel has just made this descriptor for us; nobody else knows of it.
    Some(unsafe { OwnedFd::from_raw_fd(raw) })
}
