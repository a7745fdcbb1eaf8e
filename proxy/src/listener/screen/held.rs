//! The bytes that the screen holds: first what may pass but found no room, then what is not judged yet.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// How much is read at once behind what is held.
const READ_BYTES: usize = 4096;
/// The room that is kept between messages; what a large head needed beyond it is given back.
const KEPT_BYTES_MAX: usize = 8192;

/// A queue of bytes, `..checked` of which may pass and `..given` of which have.
#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: Vec<u8>,
    given: usize,
    checked: usize,
}

impl Held {
    /// Whether nothing is held.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is not judged yet.
    pub(super) fn unchecked(&self) -> &[u8] {
        &self.bytes[self.checked..]
    }

    /// Holds further bytes that are not judged yet.
    pub(super) fn hold(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Lets the first `passed` of the unchecked bytes pass.
    pub(super) fn clear(&mut self, passed: usize) {
        self.checked += passed;
    }

    /// Drops what is not judged and lets `bytes` pass in its stead.
    pub(super) fn replace_unchecked(&mut self, bytes: &[u8]) {
        self.bytes.truncate(self.checked);
        self.bytes.extend_from_slice(bytes);
        self.checked = self.bytes.len();
    }

    /// Hands over what may pass, as far as there is room.
    pub(super) fn give(&mut self, buf: &mut ReadBuf<'_>) {
        let ready = &self.bytes[self.given..self.checked];
        let amount = ready.len().min(buf.remaining());
        if amount == 0 {
            return;
        }
        buf.put_slice(&ready[..amount]);
        self.given += amount;
        if self.given == self.checked {
            self.forget_given();
        }
    }

    /// Reads more bytes, not judged yet. Yields how many.
    pub(super) fn poll_extend<IO>(&mut self, io: &mut IO, cx: &mut Context<'_>) -> Poll<io::Result<usize>>
    where
        IO: AsyncRead + Unpin,
    {
        let end = self.bytes.len();
        self.bytes.resize(end + READ_BYTES, 0);
        let mut tail = ReadBuf::new(&mut self.bytes[end..]);
        let polled = Pin::new(io).poll_read(cx, &mut tail);
        let read = tail.filled().len();
        self.bytes.truncate(end + read);
        ready!(polled)?;
        Poll::Ready(Ok(read))
    }

    /// Drops what was handed over, and room that is no longer needed.
    fn forget_given(&mut self) {
        self.bytes.drain(..self.given);
        self.given = 0;
        self.checked = 0;
        if self.bytes.is_empty() {
            self.bytes.shrink_to(KEPT_BYTES_MAX);
        }
    }
}
