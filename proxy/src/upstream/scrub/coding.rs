//! Undoes the content coding of an answer that came encoded although it was not asked to be, within bounds: a step of
//! memory, a window, and how much may come of how little.

mod brotli;
mod deflate;
mod zstd;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, HeaderMap};

/// Given out at once.
const STEP_BYTES_MAX: usize = 32 << 10;
/// Kept until it can be read: a block of zstd, or the head of a gzip member.
const UNREAD_BYTES_MAX: usize = 192 << 10;
/// What a coding may look back at; what RFC 9659 lets zstd have, and more than the others have by themselves.
const WINDOW_BYTES_MAX: u64 = 8 << 20;
/// How much may come of one byte, once there is more than [`FREE_BYTES`].
const RATIO_MAX: u64 = 256;
const FREE_BYTES: u64 = 1 << 20;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950, or RFC 1951 as some send it.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// What an answer's head says; an error where we cannot undo it.
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>, &'static str> {
        let mut named = headers
            .get_all(CONTENT_ENCODING)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"));
        let Some(name) = named.next() else { return Ok(None) };
        if named.next().is_some() {
            return Err("its content is encoded more than once");
        }
        match name.to_ascii_lowercase().as_slice() {
            b"gzip" | b"x-gzip" => Ok(Some(Self::Gzip)),
            b"deflate" => Ok(Some(Self::Deflate)),
            b"br" => Ok(Some(Self::Brotli)),
            b"zstd" => Ok(Some(Self::Zstd)),
            _ => Err("its content is encoded in a way that cannot be undone"),
        }
    }
}

/// One coding at work.
trait Engine {
    /// Reads some of `input` and writes some of `output`. Neither means that more input is needed.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, &'static str>;

    /// Whether the body may end here.
    fn is_whole(&self) -> bool;
}

/// What one step did.
struct Step {
    used: usize,
    made: usize,
}

impl Step {
    const NONE: Self = Self { used: 0, made: 0 };

    fn used(used: usize) -> Self {
        Self { used, made: 0 }
    }
}

/// A body being decoded.
pub(super) struct Decoder {
    engine: Box<dyn Engine>,
    unread: BytesMut,
    taken: u64,
    given: u64,
}

impl Decoder {
    pub(super) fn new(coding: Coding) -> Self {
        let engine: Box<dyn Engine> = match coding {
            Coding::Gzip => Box::new(deflate::Gzip::new()),
            Coding::Deflate => Box::new(deflate::Deflate::new()),
            Coding::Brotli => Box::new(brotli::Brotli::new()),
            Coding::Zstd => Box::new(zstd::Zstd::new()),
        };
        Self { engine, unread: BytesMut::new(), taken: 0, given: 0 }
    }

    /// Adds what came.
    pub(super) fn push(&mut self, piece: Bytes) {
        self.unread.extend_from_slice(&piece);
    }

    /// Decodes some of what came; none when more has to come first.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, &'static str> {
        let mut output = vec![0; STEP_BYTES_MAX];
        let mut made = 0;
        while made < output.len() {
            let step = self.engine.step(&self.unread, &mut output[made..])?;
            self.unread.advance(step.used);
            self.taken += step.used as u64;
            made += step.made;
            if step.used == 0 && step.made == 0 {
                break;
            }
        }
        self.given += made as u64;
        if self.given > FREE_BYTES && self.given / RATIO_MAX > self.taken {
            return Err("too much comes of its encoded content");
        }
        if made == 0 && self.unread.len() > UNREAD_BYTES_MAX {
            return Err("a part of its encoded content is too long");
        }
        output.truncate(made);
        Ok((made > 0).then(|| output.into()))
    }

    /// Nothing more will come: what is not whole by now is an error.
    pub(super) fn finish(&self) -> Result<(), &'static str> {
        let nothing = self.taken == 0 && self.unread.is_empty();
        match nothing || self.unread.is_empty() && self.engine.is_whole() {
            true => Ok(()),
            false => Err("its encoded content breaks off"),
        }
    }
}

#[cfg(test)]
mod tests;
