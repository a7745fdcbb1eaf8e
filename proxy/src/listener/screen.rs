//! The byte check in front of the HTTP/1 server: what reaches it can be read in one way only.
//!
//! A parser that is lenient about line ends, folding or framing hides from us what another parser would make of the
//! same bytes. So a screen stands between the socket and hyper: it holds each head back until all of it is judged,
//! and follows bodies to know where the next head begins. A head that is refused is replaced by one with the method
//! [`REFUSED_METHOD`], so that the refusal is answered, counted and recorded in its turn by the ordinary service,
//! which finds the reason in [`Verdict`].

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

mod body;
mod flow;
mod head;
mod held;

pub use head::{FIELDS_MAX, METHOD_BYTES_MAX, TARGET_BYTES_MAX};

use flow::{Flow, Stop};
use held::Held;

use crate::error::Error;

/// The method of the request that stands for a refused one. A workload cannot send it.
pub const REFUSED_METHOD: &str = "CLAVIGER-REFUSED";
/// What is read and thrown away after a refusal or on closing, so that the peer reads our answer instead of a reset.
pub const DRAIN_BYTES_MAX: usize = 16 << 20;
/// How long a closed connection waits for the peer to stop sending.
pub const LINGER_MAX: Duration = Duration::from_secs(1);

const REFUSED_HEAD: &[u8] = b"CLAVIGER-REFUSED / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
const DISCARD_BYTES: usize = 4096;

/// Why a head, or the framing of a body, was refused. The texts are for the workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadError {
    /// Not a request that we can read in one way only.
    BadRequest(&'static str),
    /// The length of the body has more than one reading.
    BodyFraming(&'static str),
    /// A header that we do not carry.
    HeaderNotAllowed(&'static str),
    /// The path has more than one reading.
    PathNotCanonical(&'static str),
    /// Longer than the listener's bound, or too many fields.
    HeadTooLarge,
}

impl From<HeadError> for Error {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::BadRequest(why) => Self::BadRequest(why),
            HeadError::BodyFraming(why) => Self::BodyFraming(why),
            HeadError::HeaderNotAllowed(why) => Self::HeaderNotAllowed(why),
            HeadError::PathNotCanonical(why) => Self::PathNotCanonical(why),
            HeadError::HeadTooLarge => Self::HeadTooLarge,
        }
    }
}

/// The reason of the refusal that ends a connection; shared with the service that answers it.
///
/// Requests before the refused one may still be under way when it is set: it speaks of the request with
/// [`REFUSED_METHOD`], or of the one whose body ends in an error.
#[derive(Debug, Clone, Default)]
pub struct Verdict(Rc<Cell<Option<HeadError>>>);

impl Verdict {
    /// Why the connection's last request was refused, if it was.
    pub fn refusal(&self) -> Option<HeadError> {
        self.0.get()
    }
}

/// A connection whose inbound bytes are checked; what is written passes through.
///
/// A refused head turns into [`REFUSED_METHOD`] and silence, a violation within a body into an error of kind
/// `InvalidData`. Knows only HTTP: after an upgrade the socket must be taken out of it. Runs in a tokio runtime with time enabled.
#[derive(Debug)]
pub struct Screen<IO> {
    io: IO,
    flow: Flow,
    held: Held,
    verdict: Verdict,
    drain: Drain,
    linger: Option<Pin<Box<Sleep>>>,
}

/// What may still be thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drain {
    Open { bytes_left: usize },
    Done,
}

impl<IO> Screen<IO> {
    /// Screens a new connection whose heads may have `header_bytes_max` bytes, request line and last line included.
    pub fn new(io: IO, header_bytes_max: usize) -> Self {
        Self {
            io,
            flow: Flow::new(header_bytes_max),
            held: Held::default(),
            verdict: Verdict::default(),
            drain: Drain::Open { bytes_left: DRAIN_BYTES_MAX },
            linger: None,
        }
    }

    /// A handle to the refusal that will end this connection, if one does.
    pub fn verdict(&self) -> Verdict {
        self.verdict.clone()
    }

    /// Draws the consequences of what the flow has just found.
    fn settle(&mut self) {
        match self.flow.stop() {
            None => {}
            Some(Stop::Head(error)) => {
                self.verdict.0.set(Some(error));
                self.held.replace_unchecked(REFUSED_HEAD);
            }
            Some(Stop::Body(reason)) => {
                self.verdict.0.set(Some(HeadError::BodyFraming(reason)));
                self.held.replace_unchecked(&[]);
            }
        }
    }
}

impl<IO: AsyncRead + Unpin> Screen<IO> {
    /// Reads into the server's own buffer, leaves there what may pass, and holds the rest. Yields the bytes read.
    fn poll_straight(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let fresh = &buf.filled()[before..];
        let read = fresh.len();
        let passed = self.flow.follow(fresh);
        self.held.hold(&fresh[passed..]);
        buf.set_filled(before + passed);
        Poll::Ready(Ok(read))
    }

    /// Reads on behind what is held. Yields the bytes read.
    fn poll_held(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let read = ready!(self.held.poll_extend(&mut self.io, cx))?;
        let passed = self.flow.follow(self.held.unchecked());
        self.held.clear(passed);
        Poll::Ready(Ok(read))
    }

    /// Throws away what arrives, until the peer ends, the bound is reached, or nothing more is there.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scratch = [0; DISCARD_BYTES];
        while let Drain::Open { bytes_left } = self.drain {
            let mut discarded = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut discarded))?;
            self.drain = match discarded.filled().len() {
                0 => Drain::Done,
                read if read >= bytes_left => Drain::Done,
                read => Drain::Open { bytes_left: bytes_left - read },
            };
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Screen<IO> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let screen = self.get_mut();
        let before = buf.filled().len();
        loop {
            screen.held.give(buf);
            if buf.filled().len() > before || buf.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            match screen.flow.stop() {
                None => {}
                Some(Stop::Body(reason)) => {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, reason)));
                }
                // Never an end of file: hyper would take it for a peer that no longer wants its answer.
                Some(Stop::Head(_)) => {
                    ready!(screen.poll_drain(cx))?;
                    return Poll::Pending;
                }
            }
            let read = match screen.held.is_empty() {
                true => ready!(screen.poll_straight(cx, buf))?,
                false => ready!(screen.poll_held(cx))?,
            };
            if read == 0 {
                return Poll::Ready(Ok(()));
            }
            screen.settle();
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Screen<IO> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    /// Ends our side. In the middle of a message the peer may still be sending, and a socket that is closed over unread
    /// bytes is reset, answer and all: then it lingers, within bounds.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let screen = self.get_mut();
        if screen.linger.is_none() {
            ready!(Pin::new(&mut screen.io).poll_shutdown(cx))?;
            if screen.flow.is_between_messages() && screen.held.is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
        let linger = screen.linger.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER_MAX)));
        if linger.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        // A peer that resets the connection has ended it as well as one that closes it.
        screen.poll_drain(cx).map(|_| Ok(()))
    }
}

#[cfg(test)]
mod tests;
