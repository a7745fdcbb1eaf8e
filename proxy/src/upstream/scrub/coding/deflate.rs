//! `gzip` (RFC 1952) and `deflate` (RFC 1950, or 1951 without its envelope, as some servers send it).

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::{Engine, Step};

const AFTER_ITS_END: &str = "its encoded content goes on after its end";

/// The compressed data without an envelope, or in that of zlib.
struct Inflate {
    engine: Decompress,
    ended: bool,
}

impl Inflate {
    fn new(zlib: bool) -> Self {
        Self { engine: Decompress::new(zlib), ended: false }
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, &'static str> {
        let (read, written) = (self.engine.total_in(), self.engine.total_out());
        let status = self
            .engine
            .decompress(input, output, FlushDecompress::None)
            .map_err(|_| "its content is not deflated")?;
        self.ended = status == Status::StreamEnd;
        let count = |now: u64, before: u64| usize::try_from(now - before).expect("within the slices");
        Ok(Step { used: count(self.engine.total_in(), read), made: count(self.engine.total_out(), written) })
    }
}

pub(super) struct Deflate {
    inflate: Option<Inflate>,
}

impl Deflate {
    pub(super) fn new() -> Self {
        Self { inflate: None }
    }
}

impl Engine for Deflate {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, &'static str> {
        match (&mut self.inflate, input) {
            (Some(inflate), []) if inflate.ended => Ok(Step::NONE),
            (Some(inflate), _) if inflate.ended => Err(AFTER_ITS_END),
            (Some(inflate), _) => inflate.step(input, output),
            (None, [method, flags, ..]) => {
                let zlib = method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0;
                self.inflate = Some(Inflate::new(zlib));
                self.step(input, output)
            }
            (None, _) => Ok(Step::NONE),
        }
    }

    fn is_whole(&self) -> bool {
        self.inflate.as_ref().is_some_and(|inflate| inflate.ended)
    }
}

/// One member after the other.
pub(super) struct Gzip {
    member: Option<Member>,
    members: u64,
}

struct Member {
    inflate: Inflate,
    sum: Crc,
}

/// Checksum and length, after the data.
const TRAILER_BYTES: usize = 8;

impl Gzip {
    pub(super) fn new() -> Self {
        Self { member: None, members: 0 }
    }
}

impl Engine for Gzip {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, &'static str> {
        let Some(member) = &mut self.member else {
            let Some(bytes) = head_bytes(input)? else { return Ok(Step::NONE) };
            self.member = Some(Member { inflate: Inflate::new(false), sum: Crc::new() });
            return Ok(Step::used(bytes));
        };
        if !member.inflate.ended {
            let step = member.inflate.step(input, output)?;
            member.sum.update(&output[..step.made]);
            // the end alone is a step too
            return if member.inflate.ended && step.used + step.made == 0 {
                self.step(input, output)
            } else {
                Ok(step)
            };
        }
        let Some(trailer) = input.first_chunk::<TRAILER_BYTES>() else { return Ok(Step::NONE) };
        let told = [member.sum.sum().to_le_bytes(), member.sum.amount().to_le_bytes()].concat();
        if told != trailer {
            return Err("its content does not have the checksum that it tells");
        }
        (self.member, self.members) = (None, self.members + 1);
        Ok(Step::used(TRAILER_BYTES))
    }

    fn is_whole(&self) -> bool {
        self.member.is_none() && self.members > 0
    }
}

/// The length of a member's head, once it is all there.
fn head_bytes(input: &[u8]) -> Result<Option<usize>, &'static str> {
    const NOT_GZIP: &str = "its content is not gzip";
    const FIXED_BYTES: usize = 10;
    let magic = [0x1f, 0x8b, 8];
    if !input.iter().zip(magic).all(|(byte, wanted)| *byte == wanted) {
        return Err(NOT_GZIP);
    }
    let Some(flags) = input.get(3).filter(|_| input.len() >= FIXED_BYTES) else { return Ok(None) };
    let (checksum, extra, name, comment, reserved) = (2, 4, 8, 16, 0xe0);
    if flags & reserved != 0 {
        return Err(NOT_GZIP);
    }
    let mut at = FIXED_BYTES;
    if flags & extra != 0 {
        let Some(length) = input[at..].first_chunk::<2>() else { return Ok(None) };
        at += 2 + usize::from(u16::from_le_bytes(*length));
    }
    for text in [name, comment] {
        if flags & text != 0 {
            let Some(end) = input.get(at..).and_then(|rest| memchr::memchr(0, rest)) else { return Ok(None) };
            at += end + 1;
        }
    }
    if flags & checksum != 0 {
        at += 2;
    }
    Ok((at <= input.len()).then_some(at))
}
