//! The bounds of one evaluation.

use std::time::Duration;

const INPUT_BYTES_MAX: usize = 1024 * 1024;
const RESULT_BYTES_MAX: usize = 256 * 1024;

/// What one evaluation may use. There is no default: the configuration states time and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// CPU time of the thread; on a crowded machine the clock on the wall may show up to ten times as much.
    pub eval_time_max: Duration,
    /// Linear memory of an instance, data and input included; rounded down to WebAssembly's 64 KiB pages.
    pub memory_bytes_max: usize,
    /// The input document as JSON.
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
}
