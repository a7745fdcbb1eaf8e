//! Where requests come in: sockets are bound and accepted here, and handed to workers.

pub mod reverse;
pub mod screen;
mod socket;

use std::cell::{Cell, OnceCell};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::OwnedSemaphorePermit;

pub use self::socket::{BindError, Listening, bind};
use crate::identity::Identity;
use crate::identity::unix::{self, UnixPeer};

/// A socket on its way to a worker.
pub struct Accepted {
    /// Which listener, by its place in the configuration.
    pub listener: usize,
    /// The connection itself, not yet bound to a runtime.
    pub socket: AcceptedSocket,
    /// Its share of `limits.connections`; given back with the connection.
    pub slot: OwnedSemaphorePermit,
}

/// A connection that no runtime has registered yet, so that any worker can take it.
pub enum AcceptedSocket {
    /// From TCP.
    Tcp(std::net::TcpStream),
    /// From a unix socket.
    Unix(std::os::unix::net::UnixStream),
}

impl AcceptedSocket {
    /// The connection on this thread's runtime.
    pub fn stream(self) -> io::Result<Stream> {
        match self {
            Self::Tcp(socket) => Ok(Stream::Tcp(TcpStream::from_std(socket)?)),
            Self::Unix(socket) => Ok(Stream::Unix(UnixStream::from_std(socket)?)),
        }
    }

    /// The connection on this thread's runtime, and its two ends.
    pub fn registered(self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(socket) => {
                let peer = Peer::Tcp { peer: socket.peer_addr()?, local: socket.local_addr()? };
                Ok((Stream::Tcp(TcpStream::from_std(socket)?), peer))
            }
            Self::Unix(socket) => {
                let stream = UnixStream::from_std(socket)?;
                let peer = Peer::Unix(unix::peer(&stream)?);
                Ok((Stream::Unix(stream), peer))
            }
        }
    }
}

/// A connection that a worker serves.
pub enum Stream {
    /// From TCP.
    Tcp(TcpStream),
    /// From a unix socket.
    Unix(UnixStream),
}

/// The two ends of a connection.
pub enum Peer {
    /// TCP: the workload's address and ours.
    Tcp {
        /// The workload's side.
        peer: SocketAddr,
        /// Our side.
        local: SocketAddr,
    },
    /// A unix socket: what the kernel says of who connected.
    Unix(UnixPeer),
    /// A request that is explained, not carried: who it pretends to be.
    Pretended {
        /// The uid to judge by.
        uid: Option<u32>,
    },
}

/// What a listener's requests have in common.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Its name in the configuration.
    pub name: String,
    /// The only uids that may call, if limited.
    pub callers: Option<Vec<u32>>,
    /// Names that `Host` may have beside the loopback names; lower case.
    pub hosts: Vec<String>,
}

/// What is known of one connection.
pub struct Connection {
    listener: Rc<Facts>,
    peer: Peer,
    /// Looked up with the first request.
    pub(crate) identity: OnceCell<Rc<Identity>>,
    /// The worker's tick at which the identity was last found unchanged.
    pub(crate) verified: Cell<u64>,
}

impl Connection {
    /// A connection of which only its two ends are known.
    pub fn new(listener: Rc<Facts>, peer: Peer) -> Self {
        Self { listener, peer, identity: OnceCell::new(), verified: Cell::new(0) }
    }

    /// The listener that it came in on.
    pub fn listener(&self) -> &Facts {
        &self.listener
    }

    /// Its two ends.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The workload's address, where it has one.
    pub fn peer_address(&self) -> Option<SocketAddr> {
        match self.peer {
            Peer::Tcp { peer, .. } => Some(peer),
            Peer::Unix(_) | Peer::Pretended { .. } => None,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
