//! The only ways into and out of a module's memory.

use wasmtime::{AsContextMut, Memory};

use super::host::stopped;
use crate::error::EvalError;

const PAGE_BYTES: u64 = 64 * 1024;

/// What is wrong with an address that a module gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It points outside the memory.
    OutOfBounds,
    /// No NUL ends the text within the bound.
    TooLong,
}

impl Fault {
    /// The module broke the ABI.
    pub(super) fn breach(self) -> EvalError {
        let cause = match self {
            Fault::OutOfBounds => "the module gave an address outside its memory",
            Fault::TooLong => "the module gave a text without an end",
        };
        EvalError::Trapped { cause: cause.to_owned() }
    }

    /// The same for a result, which may simply be large.
    pub(super) fn of_result(self, bytes_max: usize) -> EvalError {
        match self {
            Fault::OutOfBounds => self.breach(),
            Fault::TooLong => EvalError::ResultTooLarge { bytes_max },
        }
    }
}

/// The NUL-terminated text at `address`, at most `bytes_max` long.
pub(super) fn text(memory: &[u8], address: u32, bytes_max: usize) -> Result<&[u8], Fault> {
    let start = address as usize;
    let from = memory.get(start..).filter(|from| start != 0 && !from.is_empty()).ok_or(Fault::OutOfBounds)?;
    let window = &from[..from.len().min(bytes_max.saturating_add(1))];
    let end = window.iter().position(|&byte| byte == 0);
    end.map(|end| &window[..end]).ok_or(if window.len() == from.len() {
        Fault::OutOfBounds
    } else {
        Fault::TooLong
    })
}

/// Puts `bytes` at `address`, growing the memory where needed and allowed.
pub(super) fn write(
    memory: Memory,
    mut store: impl AsContextMut,
    address: u32,
    bytes: &[u8],
) -> Result<(), EvalError> {
    let end = u64::from(address) + bytes.len() as u64;
    let size = memory.data_size(&store) as u64;
    if end > size {
        memory.grow(&mut store, (end - size).div_ceil(PAGE_BYTES)).map_err(stopped)?;
    }
    memory.write(&mut store, address as usize, bytes).map_err(|_| Fault::OutOfBounds.breach())
}

/// The word at `address`.
pub(super) fn word(memory: &[u8], address: u32) -> Result<u32, EvalError> {
    let bytes = memory.get(address as usize..).and_then(|from| from.first_chunk::<4>());
    bytes.map(|bytes| u32::from_le_bytes(*bytes)).ok_or_else(|| Fault::OutOfBounds.breach())
}
