//! The bounds of one evaluation.

use std::time::Duration;

const INPUT_BYTES_MAX: usize = 1024 * 1024;
const RESULT_BYTES_MAX: usize = 256 * 1024;
const INPUT_VALUES_MAX: usize = 65_536;
const INPUT_DEPTH_MAX: usize = 128;
/// OPA compares objects by sorting their keys, slowly.
const OBJECT_KEYS_MAX: usize = 4096;
/// Keys spread over buckets by a hash that anyone can compute: 4096 honest keys have no chain of half this length.
const HASH_CHAIN_KEYS_MAX: usize = 32;

/// What one evaluation may use. There is no default: the configuration states time and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// CPU time of the thread; on a crowded machine the clock on the wall may show up to ten times as much.
    pub eval_time_max: Duration,
    /// Linear memory of an instance, data and input included; rounded down to WebAssembly's 64 KiB pages.
    pub memory_bytes_max: usize,
    /// The input document, about as JSON: its texts and numbers, and a byte for each value. Beside it, an input has at
    /// most 65,536 values, 128 levels, 4,096 keys in one object, and 32 of them in one hash chain.
    pub input_bytes_max: usize,
    /// The result set as JSON.
    pub result_bytes_max: usize,
}

impl Limits {
    /// The bounds that users configure; input is bounded to 1 MiB and the result to 256 KiB.
    #[must_use]
    pub fn new(eval_time_max: Duration, memory_bytes_max: usize) -> Limits {
        Limits {
            eval_time_max,
            memory_bytes_max,
            input_bytes_max: INPUT_BYTES_MAX,
            result_bytes_max: RESULT_BYTES_MAX,
        }
    }

    pub(crate) fn input(&self) -> InputBounds {
        InputBounds {
            bytes_max: self.input_bytes_max,
            values_max: INPUT_VALUES_MAX,
            depth_max: INPUT_DEPTH_MAX,
            object_keys_max: OBJECT_KEYS_MAX,
            hash_chain_keys_max: HASH_CHAIN_KEYS_MAX,
        }
    }
}

/// What an input document may be like; checked before the module sees any of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InputBounds {
    pub(crate) bytes_max: usize,
    pub(crate) values_max: usize,
    pub(crate) depth_max: usize,
    pub(crate) object_keys_max: usize,
    pub(crate) hash_chain_keys_max: usize,
}
