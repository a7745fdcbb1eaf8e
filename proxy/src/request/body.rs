//! A workload's body: the beginning that a policy judges, then the rest. What was read ahead is sent first, byte for
//! byte, and under the framing that the body came with.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use tokio::time::timeout;

use crate::error::Error;

/// Bytes of bodies that one worker keeps for policies at the same time.
const ROOM_BYTES: usize = 32 << 20;

/// What a workload sends after its head.
pub struct Body {
    ahead: VecDeque<Bytes>,
    ahead_bytes: u64,
    rest: Incoming,
    ended: bool,
    /// Gives back, with the body, what its beginning takes up.
    claim: Option<Claim>,
}

/// The beginning of a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// At most as much as was asked for.
    pub bytes: Bytes,
    /// Whether there is more.
    pub truncated: bool,
}

/// Bounds what the bodies of one worker take up while they are judged.
pub struct Room {
    free_bytes: Cell<usize>,
}

impl Default for Room {
    fn default() -> Self {
        Self { free_bytes: Cell::new(ROOM_BYTES) }
    }
}

/// A part of a [`Room`].
struct Claim {
    room: Rc<Room>,
    bytes: usize,
}

impl Claim {
    fn grow(&mut self, bytes: usize) -> Result<(), Error> {
        let left = self.room.free_bytes.get().checked_sub(bytes).ok_or(Error::Overloaded)?;
        self.room.free_bytes.set(left);
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.room.free_bytes.set(self.room.free_bytes.get() + self.bytes);
    }
}

impl Body {
    /// A body of which nothing has been read.
    pub fn new(rest: Incoming) -> Self {
        Self { ahead: VecDeque::new(), ahead_bytes: 0, rest, ended: false, claim: None }
    }

    /// Whether what comes next was read ahead.
    pub fn is_ahead(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// Reads until more than `bytes_max` are there or the body has ended, and waits at most `idle_max` for each piece.
    /// What was read will be sent all the same. `count` learns of every piece.
    pub async fn read_ahead(
        &mut self,
        bytes_max: usize,
        idle_max: Duration,
        room: &Rc<Room>,
        count: impl Fn(usize),
    ) -> Result<Sample, Error> {
        let claim = self.claim.get_or_insert_with(|| Claim { room: Rc::clone(room), bytes: 0 });
        while self.ahead_bytes <= bytes_max as u64 && !self.ended && !self.rest.is_end_stream() {
            let next = poll_fn(|cx| Pin::new(&mut self.rest).poll_frame(cx));
            match timeout(idle_max, next).await {
                Ok(Some(Ok(frame))) => {
                    // trailers end here, as they do on the way to an upstream
                    let Ok(piece) = frame.into_data() else { continue };
                    claim.grow(piece.len())?;
                    count(piece.len());
                    self.ahead_bytes += piece.len() as u64;
                    self.ahead.push_back(piece);
                }
                Ok(None) => self.ended = true,
                Ok(Some(Err(_))) | Err(_) => return Err(Error::BodyBroken),
            }
        }
        Ok(Sample {
            bytes: beginning(&self.ahead, bytes_max),
            truncated: self.ahead_bytes > bytes_max as u64,
        })
    }
}

/// The first bytes of all pieces in one.
fn beginning(pieces: &VecDeque<Bytes>, bytes_max: usize) -> Bytes {
    match pieces.front() {
        None => Bytes::new(),
        Some(only) if pieces.len() == 1 => only.slice(..only.len().min(bytes_max)),
        Some(_) => {
            let mut joined = BytesMut::new();
            for piece in pieces {
                let left = bytes_max - joined.len();
                joined.extend_from_slice(&piece[..piece.len().min(left)]);
            }
            joined.freeze()
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        if let Some(piece) = this.ahead.pop_front() {
            this.ahead_bytes -= piece.len() as u64;
            if this.ahead.is_empty() {
                this.claim = None;
            }
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if this.ended { Poll::Ready(None) } else { Pin::new(&mut this.rest).poll_frame(cx) }
    }

    fn is_end_stream(&self) -> bool {
        self.ahead.is_empty() && (self.ended || self.rest.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        // a body without a length stays one, also where its end is known by now
        self.rest
            .size_hint()
            .exact()
            .map_or_else(SizeHint::default, |left| SizeHint::with_exact(self.ahead_bytes + left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_is_cut_where_it_was_asked_for() {
        let check = |pieces: &[&'static str], bytes_max: usize, expected: &str| {
            let pieces = pieces.iter().map(|piece| Bytes::from_static(piece.as_bytes())).collect();
            assert_eq!(beginning(&pieces, bytes_max), expected, "{pieces:?} {bytes_max}");
        };
        check(&[], 4, "");
        check(&["abc"], 4, "abc");
        check(&["abcde"], 4, "abcd");
        check(&["ab", "cd"], 4, "abcd");
        check(&["ab", "c", "de", "fg"], 4, "abcd");
        check(&["abcd", "e"], 4, "abcd");
        check(&["ab", "c"], 0, "");
    }

    #[test]
    fn a_claim_is_given_back() {
        let room = Rc::new(Room { free_bytes: Cell::new(10) });
        let mut first = Claim { room: Rc::clone(&room), bytes: 0 };
        assert!(first.grow(6).is_ok());
        let mut second = Claim { room: Rc::clone(&room), bytes: 0 };
        assert!(matches!(second.grow(5), Err(Error::Overloaded)));
        assert!(second.grow(4).is_ok());
        drop(first);
        assert_eq!(room.free_bytes.get(), 6);
        drop(second);
        assert_eq!(room.free_bytes.get(), 10);
    }
}
