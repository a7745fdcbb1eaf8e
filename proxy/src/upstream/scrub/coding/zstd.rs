//! `zstd` (RFC 8878). The decoder wants whole blocks and keeps a window of what it made until the frame ends.

use std::io::Read;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{Engine, Step, WINDOW_BYTES_MAX};

const NOT_ZSTD: &str = "its content is not zstd";
const MAGIC: u32 = 0xfd2f_b528;
const SKIPPABLE: std::ops::RangeInclusive<u32> = 0x184d_2a50..=0x184d_2a5f;
const BLOCK_BYTES_MAX: usize = 128 << 10;

pub(super) struct Zstd {
    decoder: FrameDecoder,
    place: Place,
    frames: u64,
}

enum Place {
    BetweenFrames,
    /// In a frame that is for others; so much is left of it.
    Skipped(usize),
    /// In a frame, perhaps with a checksum at its end.
    Frame {
        checksum: bool,
    },
    /// After a frame's last block: what was made is not all given out.
    Ended,
}

impl Zstd {
    pub(super) fn new() -> Self {
        Self { decoder: FrameDecoder::new(), place: Place::BetweenFrames, frames: 0 }
    }

    fn begin(&mut self, input: &[u8]) -> Result<Step, &'static str> {
        let Some((magic, rest)) = input.split_first_chunk::<4>() else { return Ok(Step::NONE) };
        let magic = u32::from_le_bytes(*magic);
        if SKIPPABLE.contains(&magic) {
            let Some(length) = rest.first_chunk::<4>() else { return Ok(Step::NONE) };
            let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| NOT_ZSTD)?;
            self.place = Place::Skipped(length);
            return Ok(Step::used(8));
        }
        if magic != MAGIC {
            return Err(NOT_ZSTD);
        }
        let Some(head) = Head::of(rest)? else { return Ok(Step::NONE) };
        if head.window_bytes > WINDOW_BYTES_MAX {
            return Err("its encoded content needs a window that is too large");
        }
        let bytes = 4 + head.bytes;
        self.decoder.reset(&input[..bytes]).map_err(|_| NOT_ZSTD)?;
        self.place = Place::Frame { checksum: head.checksum };
        Ok(Step::used(bytes))
    }

    fn block(&mut self, input: &[u8], checksum: bool) -> Result<Step, &'static str> {
        let Some([low, middle, high]) = input.first_chunk::<3>() else { return Ok(Step::NONE) };
        let head = u32::from_le_bytes([*low, *middle, *high, 0]);
        let (last, repeated, length) = (head & 1 == 1, (head >> 1) & 3 == 1, (head >> 3) as usize);
        if length > BLOCK_BYTES_MAX {
            return Err(NOT_ZSTD);
        }
        let bytes = 3 + if repeated { 1 } else { length } + if last && checksum { 4 } else { 0 };
        let Some(block) = input.get(..bytes) else { return Ok(Step::NONE) };
        self.decoder.decode_blocks(block, BlockDecodingStrategy::UptoBlocks(1)).map_err(|_| NOT_ZSTD)?;
        if last {
            self.place = Place::Ended;
        }
        Ok(Step::used(bytes))
    }
}

impl Engine for Zstd {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, &'static str> {
        match self.place {
            Place::BetweenFrames => self.begin(input),
            Place::Skipped(0) => {
                (self.place, self.frames) = (Place::BetweenFrames, self.frames + 1);
                self.begin(input)
            }
            Place::Skipped(left) => {
                let used = left.min(input.len());
                self.place = Place::Skipped(left - used);
                Ok(Step::used(used))
            }
            Place::Frame { .. } | Place::Ended => {
                let made = self.decoder.read(output).map_err(|_| NOT_ZSTD)?;
                match self.place {
                    Place::Frame { checksum } if made == 0 => self.block(input, checksum),
                    Place::Ended if made == 0 => {
                        (self.place, self.frames) = (Place::BetweenFrames, self.frames + 1);
                        self.begin(input)
                    }
                    Place::Frame { .. } | Place::Ended | Place::BetweenFrames | Place::Skipped(_) => {
                        Ok(Step { used: 0, made })
                    }
                }
            }
        }
    }

    fn is_whole(&self) -> bool {
        matches!(self.place, Place::BetweenFrames) && self.frames > 0
    }
}

/// The head of a frame after its magic number.
struct Head {
    bytes: usize,
    window_bytes: u64,
    checksum: bool,
}

impl Head {
    fn of(input: &[u8]) -> Result<Option<Self>, &'static str> {
        let Some(descriptor) = input.first() else { return Ok(None) };
        let single = descriptor & 0x20 != 0;
        if descriptor & 0x03 != 0 {
            return Err("its content needs a dictionary");
        }
        let size_bytes = [usize::from(single), 2, 4, 8][usize::from(descriptor >> 6)];
        let bytes = 1 + usize::from(!single) + size_bytes;
        let Some(head) = input.get(..bytes) else { return Ok(None) };
        let window_bytes = if single { content_bytes(&head[1..]) } else { window_bytes(head[1]) };
        Ok(Some(Self { bytes, window_bytes, checksum: descriptor & 0x04 != 0 }))
    }
}

/// A frame of one segment is its own window.
fn content_bytes(field: &[u8]) -> u64 {
    let number = field.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
    if field.len() == 2 { number + 256 } else { number }
}

fn window_bytes(descriptor: u8) -> u64 {
    let base = 1u64 << (10 + (descriptor >> 3));
    base + base / 8 * u64::from(descriptor & 7)
}
