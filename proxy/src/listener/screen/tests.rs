use std::collections::VecDeque;
use std::task::Waker;

use super::*;

mod bodies;
mod heads;
mod server;

const HEAD_BYTES_MAX: usize = 1024;
const GOOD: &[u8] = b"GET /api/echo?a=1 HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A peer that sends `pieces` one by one, and then ends or falls silent.
struct Peer {
    pieces: VecDeque<Vec<u8>>,
    ends: bool,
}

impl AsyncRead for Peer {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let peer = self.get_mut();
        let Some(mut piece) = peer.pieces.pop_front() else {
            return if peer.ends { Poll::Ready(Ok(())) } else { Poll::Pending };
        };
        let rest = piece.split_off(piece.len().min(buf.remaining()));
        buf.put_slice(&piece);
        if !rest.is_empty() {
            peer.pieces.push_front(rest);
        }
        Poll::Ready(Ok(()))
    }
}

/// How a connection went on until it fell silent, ended or failed.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    passed: String,
    verdict: Option<HeadError>,
    end: End,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    Silence,
    Closed,
    Failure(String),
}

/// Reads all that passes, `room` bytes at a time.
fn outcome(pieces: &[&[u8]], ends: bool, room: usize) -> Outcome {
    let pieces = pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| piece.to_vec()).collect();
    let mut screen = Screen::new(Peer { pieces, ends }, HEAD_BYTES_MAX);
    let verdict = screen.verdict();
    let mut passed = Vec::new();
    let mut room = vec![0; room];
    let end = loop {
        let mut buf = ReadBuf::new(&mut room);
        match Pin::new(&mut screen).poll_read(&mut Context::from_waker(Waker::noop()), &mut buf) {
            Poll::Pending => break End::Silence,
            Poll::Ready(Err(error)) => break End::Failure(error.to_string()),
            Poll::Ready(Ok(())) if buf.filled().is_empty() => break End::Closed,
            Poll::Ready(Ok(())) => passed.extend_from_slice(buf.filled()),
        }
    };
    Outcome { passed: String::from_utf8_lossy(&passed).into_owned(), verdict: verdict.refusal(), end }
}

/// Sees to it that neither the cuts of the network nor the room of the reader matter; returns the one outcome.
fn steady_outcome(bytes: &[u8]) -> Outcome {
    let whole = outcome(&[bytes], false, 8192);
    let text = String::from_utf8_lossy(bytes);
    for at in 1..bytes.len() {
        assert_eq!(outcome(&[&bytes[..at], &bytes[at..]], false, 8192), whole, "{text:?} cut at {at}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(outcome(&single, false, 8192), whole, "{text:?} byte by byte");
    assert_eq!(outcome(&[bytes], false, 3), whole, "{text:?} through a small buffer");
    assert_eq!(outcome(&single, false, 1), whole, "{text:?} byte by byte through a small buffer");
    whole
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
