//! Where requests come in: sockets are bound and accepted here, and handed to workers.

pub mod reverse;
pub mod screen;
mod socket;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep};

pub use self::socket::{BindError, Listening, bind};
use crate::connection::Peer;
use crate::identity::unix;

/// How long a peer may leave what we send unread.
const UNREAD_MAX: Duration = Duration::from_secs(60);

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
            Self::Tcp(socket) => Ok(Stream::new(Socket::Tcp(TcpStream::from_std(socket)?))),
            Self::Unix(socket) => Ok(Stream::new(Socket::Unix(UnixStream::from_std(socket)?))),
        }
    }

    /// The connection on this thread's runtime, and its two ends.
    pub fn registered(self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(socket) => {
                let peer = Peer::Tcp { peer: socket.peer_addr()?, local: socket.local_addr()? };
                Ok((Stream::new(Socket::Tcp(TcpStream::from_std(socket)?)), peer))
            }
            Self::Unix(socket) => {
                let stream = UnixStream::from_std(socket)?;
                let peer = Peer::Unix(unix::peer(&stream)?);
                Ok((Stream::new(Socket::Unix(stream)), peer))
            }
        }
    }
}

/// A connection that a worker serves. A peer that does not read its answer is waited for within bounds.
pub struct Stream {
    socket: Socket,
    unread_max: Duration,
    /// Runs while the peer takes nothing.
    unread: Option<Pin<Box<Sleep>>>,
}

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn new(socket: Socket) -> Self {
        Self { socket, unread_max: UNREAD_MAX, unread: None }
    }

    /// Ends a write that has waited for too long.
    fn within_bounds(
        &mut self,
        written: Poll<io::Result<usize>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.unread = None;
            return written;
        }
        let limit = self.unread_max;
        let timer = self.unread.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().socket {
            Socket::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Socket::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        let written = match &mut stream.socket {
            Socket::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Socket::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        };
        stream.within_bounds(written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        let written = match &mut stream.socket {
            Socket::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Socket::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        };
        stream.within_bounds(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().socket {
            Socket::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Socket::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().socket {
            Socket::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Socket::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn an_answer_that_nobody_reads_ends_its_connection() {
        let (ours, _theirs) = UnixStream::pair().expect("a pair");
        let mut stream = Stream { unread_max: Duration::from_millis(10), ..Stream::new(Socket::Unix(ours)) };
        let ended = stream.write_all(&vec![b'x'; 16 << 20]).await.expect_err("nobody reads");
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
    }
}
