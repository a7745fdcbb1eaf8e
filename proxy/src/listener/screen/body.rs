//! A chunked body, followed byte by byte as it passes, so that the next head is found where every parser finds it.

use super::head::is_token;
use crate::request::headers::value_is_plain;

/// The most bytes of extensions that a chunk may have. They are passed on to the server, which ignores them.
const EXTENSION_BYTES_MAX: usize = 256;
/// As many hexadecimal digits as a size of 64 bits has.
const SIZE_DIGITS_MAX: usize = 16;

/// How far a chunked body has come.
#[derive(Debug)]
pub(super) struct Chunks {
    state: State,
    /// The bytes of payload left in the chunk, or the size as read so far.
    bytes_left: u64,
    /// The digits or extension bytes of this size line, or the bytes of all trailers.
    line_bytes: usize,
    trailer_bytes_max: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size,
    Extension,
    SizeLf,
    Payload,
    PayloadCr,
    PayloadLf,
    Trailer(Trailer),
    LastLf,
    Ended,
}

/// Where in a line of the trailers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trailer {
    Start,
    Name,
    Value,
    Lf,
}

/// What follows the bytes that were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// More of this body.
    More,
    /// The next message.
    Ended,
    /// Something that is no chunked body; the reason is for the workload.
    Broken(&'static str),
}

impl Chunks {
    /// At the beginning of a body.
    pub(super) fn new(trailer_bytes_max: usize) -> Self {
        Self { state: State::Size, bytes_left: 0, line_bytes: 0, trailer_bytes_max }
    }

    /// Returns how many of `bytes` are sound and belong to the body, and what follows them.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> (usize, Then) {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if self.state == State::Payload {
                at += self.skip_payload(bytes.len() - at);
                continue;
            }
            if let Err(reason) = self.step(*byte) {
                return (at, Then::Broken(reason));
            }
            at += 1;
            if self.state == State::Ended {
                return (at, Then::Ended);
            }
        }
        (at, Then::More)
    }

    /// Passes over the payload among the next `available` bytes.
    fn skip_payload(&mut self, available: usize) -> usize {
        let step = usize::try_from(self.bytes_left).map_or(available, |left| left.min(available));
        self.bytes_left -= step as u64;
        if self.bytes_left == 0 {
            self.state = State::PayloadCr;
        }
        step
    }

    /// Takes one byte that is not payload.
    fn step(&mut self, byte: u8) -> Result<(), &'static str> {
        self.state = match self.state {
            State::Size => self.size(byte)?,
            State::Extension if byte == b'\r' => State::SizeLf,
            State::Extension if value_is_plain(&[byte]) => {
                self.count(EXTENSION_BYTES_MAX, "a chunk's extensions are longer than 256 bytes")?;
                State::Extension
            }
            State::SizeLf if byte == b'\n' => self.begin_chunk(),
            State::PayloadCr if byte == b'\r' => State::PayloadLf,
            State::PayloadLf if byte == b'\n' => State::Size,
            State::Trailer(part) => self.trailer(part, byte)?,
            State::LastLf if byte == b'\n' => State::Ended,
            State::Extension => {
                return Err("a chunk's extensions have a control character or one outside ASCII");
            }
            State::SizeLf | State::LastLf => return Err("a line of the chunked body ends without CR LF"),
            State::Payload | State::PayloadCr | State::PayloadLf => {
                return Err("a chunk is longer than its size");
            }
            State::Ended => return Err("the chunked body has ended"),
        };
        Ok(())
    }

    /// A byte of a chunk's size.
    fn size(&mut self, byte: u8) -> Result<State, &'static str> {
        const MALFORMED: &str = "a chunk size is not a plain hexadecimal number";
        match (char::from(byte).to_digit(16), byte) {
            (Some(digit), _) => {
                self.count(SIZE_DIGITS_MAX, "a chunk size has more than 16 digits")?;
                self.bytes_left = self.bytes_left << 4 | u64::from(digit);
                Ok(State::Size)
            }
            (None, _) if self.line_bytes == 0 => Err(MALFORMED),
            (None, b'\r') => Ok(State::SizeLf),
            (None, b';') => {
                self.line_bytes = 0;
                Ok(State::Extension)
            }
            (None, _) => Err(MALFORMED),
        }
    }

    /// After a size line: the payload, or the trailers if it was the last.
    fn begin_chunk(&mut self) -> State {
        self.line_bytes = 0;
        if self.bytes_left == 0 { State::Trailer(Trailer::Start) } else { State::Payload }
    }

    /// A byte of the trailers.
    fn trailer(&mut self, part: Trailer, byte: u8) -> Result<State, &'static str> {
        self.count(self.trailer_bytes_max, "the trailers are too large")?;
        match part {
            Trailer::Start if byte == b'\r' => Ok(State::LastLf),
            Trailer::Start | Trailer::Name if is_token(byte) => Ok(State::Trailer(Trailer::Name)),
            Trailer::Name if byte == b':' => Ok(State::Trailer(Trailer::Value)),
            Trailer::Value if byte == b'\r' => Ok(State::Trailer(Trailer::Lf)),
            Trailer::Value if value_is_plain(&[byte]) => Ok(State::Trailer(Trailer::Value)),
            Trailer::Lf if byte == b'\n' => Ok(State::Trailer(Trailer::Start)),
            Trailer::Start | Trailer::Name | Trailer::Value | Trailer::Lf => {
                Err("a trailer is not a well-formed header line")
            }
        }
    }

    /// Counts a byte of the line against its bound.
    fn count(&mut self, bytes_max: usize, reason: &'static str) -> Result<(), &'static str> {
        self.line_bytes += 1;
        if self.line_bytes > bytes_max { Err(reason) } else { Ok(()) }
    }
}
