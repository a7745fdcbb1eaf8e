//! `br`: Brotli (RFC 7932).

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::{Engine, Step, WINDOW_BYTES_MAX};

pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    begun: bool,
    ended: bool,
}

impl Brotli {
    pub(super) fn new() -> Self {
        let alloc = StandardAlloc::default;
        Self { state: BrotliState::new(alloc(), alloc(), alloc()), begun: false, ended: false }
    }
}

impl Engine for Brotli {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, &'static str> {
        match input.first() {
            Some(_) if self.ended => return Err("its encoded content goes on after its end"),
            Some(first) if !self.begun => {
                self.begun = true;
                if window_bytes(*first) > WINDOW_BYTES_MAX {
                    return Err("its encoded content needs a window that is too large");
                }
            }
            Some(_) | None => {}
        }
        if !self.begun || self.ended {
            return Ok(Step::NONE);
        }
        let (mut used, mut made) = (0, 0);
        let result = BrotliDecompressStream(
            &mut input.len().clone(),
            &mut used,
            input,
            &mut output.len().clone(),
            &mut made,
            output,
            &mut 0,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultFailure => return Err("its content is not Brotli"),
            BrotliResult::ResultSuccess => self.ended = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        Ok(Step { used, made })
    }

    fn is_whole(&self) -> bool {
        self.ended
    }
}

/// The window that the first byte asks for; small ones are all told as 4 MiB.
fn window_bytes(first: u8) -> u64 {
    match first & 0x0f {
        0b1101 => 1 << 23,
        0b1111 => 1 << 24,
        _ => 1 << 22,
    }
}
