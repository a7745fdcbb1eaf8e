//! How long an evaluation may run: the thread's CPU time counts, so that a crowded machine fails nobody.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::UpdateDeadline;

use crate::error::EvalError;

/// On the wall an evaluation may take this many times its CPU time.
const WALL_TIMES_MAX: u32 = 10;

/// Asked at the engine's ticks, about a millisecond apart. The clocks are read from the first tick on, so that an
/// evaluation of microseconds reads none.
pub(crate) struct Deadline {
    time_max: Duration,
    first_tick: Option<Clocks>,
}

#[derive(Clone, Copy)]
struct Clocks {
    cpu: Duration,
    wall: Instant,
}

impl Deadline {
    pub(super) fn new() -> Deadline {
        Deadline { time_max: Duration::ZERO, first_tick: None }
    }

    /// Begins a run of at most `time_max`.
    pub(super) fn arm(&mut self, time_max: Duration) {
        *self = Deadline { time_max, first_tick: None };
    }

    /// More ticks, or the end.
    pub(super) fn extend(&mut self) -> Result<UpdateDeadline, EvalError> {
        let now = Clocks::now();
        let first = *self.first_tick.get_or_insert(now);
        let cpu_left = self.time_max.saturating_sub(now.cpu.saturating_sub(first.cpu));
        let wall_left = (self.time_max * WALL_TIMES_MAX).saturating_sub(now.wall.duration_since(first.wall));
        let left = cpu_left.min(wall_left);
        if left.is_zero() {
            return Err(EvalError::TimedOut {
                time_max_ms: u64::try_from(self.time_max.as_millis()).unwrap_or(u64::MAX),
            });
        }
        Ok(UpdateDeadline::Continue(u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1)))
    }
}

impl Clocks {
    fn now() -> Clocks {
        let cpu = clock_gettime(ClockId::ThreadCPUTime);
        let seconds = u64::try_from(cpu.tv_sec).unwrap_or_default();
        let nanoseconds = u32::try_from(cpu.tv_nsec).unwrap_or_default();
        Clocks { cpu: Duration::new(seconds, nanoseconds), wall: Instant::now() }
    }
}
